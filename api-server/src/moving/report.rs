//! What an import says while it runs and when it has ended.

use std::io::{self, Write};

use super::person::Reason;

/// How many rows there are between two lines about progress.
const STRIDE: u64 = 10_000;
/// What is shown of an id that may be anything.
const SHOWN: usize = 80;

/// What became of one of them.
pub(super) enum Outcome {
    Taken,
    /// Known from an earlier run.
    Here,
    Refused(Reason),
}

#[derive(Default)]
struct Tally {
    taken: u64,
    here: u64,
    refused: u64,
}

impl Tally {
    fn sum(&self) -> u64 {
        self.taken + self.here + self.refused
    }
}

/// The two kinds that move.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    User,
    Task,
}

/// Counts, and writes a line for everything that is not taken.
pub(super) struct Report<W> {
    output: W,
    users: Tally,
    without_password: u64,
    tasks: Tally,
    unreadable: u64,
}

impl<W: Write> Report<W> {
    pub(super) fn new(output: W) -> Self {
        Self {
            output,
            users: Tally::default(),
            without_password: 0,
            tasks: Tally::default(),
            unreadable: 0,
        }
    }

    pub(super) fn count(&mut self, kind: Kind, id: &str, outcome: Outcome) -> io::Result<()> {
        let (tally, noun) = match kind {
            Kind::User => (&mut self.users, "user"),
            Kind::Task => (&mut self.tasks, "task"),
        };
        match outcome {
            Outcome::Taken => tally.taken += 1,
            Outcome::Here => tally.here += 1,
            Outcome::Refused(reason) => {
                tally.refused += 1;
                let shown: String = id.chars().take(SHOWN).collect();
                writeln!(self.output, "{noun} {shown:?} not taken: {reason}")?;
            }
        }
        if tally.sum() % STRIDE == 0 {
            writeln!(self.output, "{} {noun}s so far", tally.sum())?;
        }
        Ok(())
    }

    pub(super) fn count_without_password(&mut self) {
        self.without_password += 1;
    }

    /// A line of a file of which it is not even known whose it is.
    pub(super) fn unreadable(&mut self, line: u64, reason: &str) -> io::Result<()> {
        self.unreadable += 1;
        writeln!(self.output, "line {line} not taken: {reason}")
    }

    pub(super) fn finish(mut self) -> io::Result<()> {
        let Tally {
            taken,
            here,
            refused,
        } = self.users;
        let without = match self.without_password {
            0 => String::new(),
            some => format!(" ({some} without a password)"),
        };
        writeln!(
            self.output,
            "users: {taken} taken{without}, {here} here already, {refused} not taken"
        )?;
        if self.tasks.sum() > 0 {
            let Tally {
                taken,
                here,
                refused,
            } = self.tasks;
            writeln!(
                self.output,
                "tasks: {taken} taken, {here} here already, {refused} not taken"
            )?;
        }
        if self.unreadable > 0 {
            writeln!(self.output, "lines: {} not taken", self.unreadable)?;
        }
        self.output.flush()
    }
}
