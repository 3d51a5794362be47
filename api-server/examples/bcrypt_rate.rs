//! Measures password hashing alone: one thread per core, each checks one password after
//! another. Prints checks per second of all threads together. `benches/load` compares logins with it.
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
    let (Some(cost), Some(seconds)) = (arguments.next(), arguments.next()) else {
        return Err("usage: bcrypt_rate COST SECONDS".into());
    };
    let cost = Cost::new(cost.parse()?)?;
    let time = Duration::from_secs_f64(seconds.parse()?);

    let hash = Password::new("correct horse battery staple")?.hash(cost)?;
    let cores = available_parallelism().map_or(1, NonZeroUsize::get);
    let threads: Vec<_> = (0..cores)
        .map(|_| {
            spawn({
                let hash = hash.clone();
                move || rate(&hash, time)
            })
        })
        .collect();
    let mut all = 0.0;
    for thread in threads {
        all += thread.join().map_err(|_panic| "a thread panicked")??;
    }
    writeln!(std::io::stdout(), "{all:.4}")?;
    Ok(())
}

/// Completed checks per second, over the time that they took.
fn rate(hash: &PasswordHash, time: Duration) -> Result<f64, auth_core::Error> {
    let attempt = PasswordAttempt::new("correct horse battery staple")?;
    let started = Instant::now();
    let mut checks = 0;
    while started.elapsed() < time {
        attempt.matches(hash)?;
        checks += 1;
    }
    Ok(f64::from(checks) / started.elapsed().as_secs_f64())
}
