//! Measures how often per second SQLite can execute a list of statements, without a server: one thread per core
//! executes the whole list again and again, and reads every row. `benches/load` compares the server with the printed
//! rate.
//!
//! Usage: `sqlite_rate FILE SECONDS PARAMETER STATEMENT...`
//!
//! Each statement has one parameter, `?1`, whose value is PARAMETER. A `*` in PARAMETER is replaced by the number of
//! the thread.

use std::error::Error;
use std::io::Write as _;
use std::num::NonZeroUsize;
use std::thread::{available_parallelism, spawn};
use std::time::{Duration, Instant};

use rusqlite::{Connection, Statement};

type BoxError = Box<dyn Error + Send + Sync>;

#[derive(Clone)]
struct Arguments {
    file: String,
    duration: Duration,
    parameter: String,
    statements: Vec<String>,
}

fn main() -> Result<(), BoxError> {
    let work = parse_arguments()?;
    let core_count = available_parallelism().map_or(1, NonZeroUsize::get);
    let threads: Vec<_> = (0..core_count)
        .map(|thread| {
            spawn({
                let work = work.clone();
                move || executions_per_second(&work, thread)
            })
        })
        .collect();
    let mut total_rate = 0.0;
    for thread in threads {
        total_rate += thread.join().map_err(|_panic| "a thread panicked")??;
    }
    writeln!(std::io::stdout(), "{total_rate:.1}")?;
    Ok(())
}

fn parse_arguments() -> Result<Arguments, BoxError> {
    let mut arguments = std::env::args().skip(1);
    let (Some(file), Some(seconds_text), Some(parameter)) =
        (arguments.next(), arguments.next(), arguments.next())
    else {
        return Err("usage: sqlite_rate FILE SECONDS PARAMETER STATEMENT...".into());
    };
    Ok(Arguments {
        file,
        duration: Duration::from_secs_f64(seconds_text.parse()?),
        parameter,
        statements: arguments.collect(),
    })
}

/// Executes the list of statements repeatedly for the duration. Returns the executions of the whole list per second.
fn executions_per_second(work: &Arguments, thread: usize) -> Result<f64, BoxError> {
    let connection = Connection::open(&work.file)?;
    // The server sets `synchronous` and `foreign_keys` to the same values.
    connection.execute_batch(
        "PRAGMA busy_timeout = 5000; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;",
    )?;
    let parameter = work.parameter.replace('*', &thread.to_string());
    let prepare = |sql: &String| connection.prepare(sql);
    let mut statements: Vec<_> = work
        .statements
        .iter()
        .map(prepare)
        .collect::<Result<_, _>>()?;
    let started_at = Instant::now();
    let mut executions = 0.0;
    while started_at.elapsed() < work.duration {
        for statement in &mut statements {
            execute(statement, &parameter)?;
        }
        executions += 1.0;
    }
    Ok(executions / started_at.elapsed().as_secs_f64())
}

fn execute(statement: &mut Statement<'_>, parameter: &str) -> rusqlite::Result<()> {
    let column_count = statement.column_count();
    let mut rows = statement.query([parameter])?;
    while let Some(row) = rows.next()? {
        for column in 0..column_count {
            std::hint::black_box(row.get_ref(column)?);
        }
    }
    Ok(())
}
