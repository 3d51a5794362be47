//! Measures how many passwords all cores can check per second, without a server: one thread per core checks the same
//! password again and again. `benches/load` compares the rate of logins with the printed rate.
//!
//! Usage: `bcrypt_rate COST SECONDS`

use std::error::Error;
use std::io::Write as _;
use std::num::NonZeroUsize;
use std::thread::{available_parallelism, spawn};
use std::time::{Duration, Instant};

use auth_core::password::{Cost, Password, PasswordAttempt, PasswordHash};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(cost_text), Some(seconds_text)) = (arguments.next(), arguments.next()) else {
        return Err("usage: bcrypt_rate COST SECONDS".into());
    };
    let cost = Cost::new(cost_text.parse()?)?;
    let duration = Duration::from_secs_f64(seconds_text.parse()?);

    let hash = Password::new("correct horse battery staple")?.hash(cost)?;
    let core_count = available_parallelism().map_or(1, NonZeroUsize::get);
    let threads: Vec<_> = (0..core_count)
        .map(|_| {
            spawn({
                let hash = hash.clone();
                move || checks_per_second(&hash, duration)
            })
        })
        .collect();
    let mut total_rate = 0.0;
    for thread in threads {
        total_rate += thread.join().map_err(|_panic| "a thread panicked")??;
    }
    writeln!(std::io::stdout(), "{total_rate:.4}")?;
    Ok(())
}

/// Checks one password repeatedly for this duration, and returns the completed checks per second.
fn checks_per_second(hash: &PasswordHash, duration: Duration) -> Result<f64, auth_core::Error> {
    let attempt = PasswordAttempt::new("correct horse battery staple")?;
    let started = Instant::now();
    let mut check_count = 0;
    while started.elapsed() < duration {
        attempt.matches(hash)?;
        check_count += 1;
    }
    Ok(f64::from(check_count) / started.elapsed().as_secs_f64())
}
