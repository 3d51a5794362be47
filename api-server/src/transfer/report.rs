//! Reports the progress and the result of an import.

use std::io::{self, Write};

use super::imported_user::RejectReason;

/// Rows between two lines about progress.
const STRIDE: u64 = 10_000;
/// The longest part of an id that is shown, in characters: an id may be any text.
const SHOWN: usize = 80;

/// What became of one user or task.
pub(super) enum Outcome {
    Imported,
    /// Imported by an earlier run, or written here.
    AlreadyPresent,
    Rejected(RejectReason),
}

#[derive(Default)]
struct Tally {
    imported: u64,
    already_present: u64,
    rejected: u64,
}

impl Tally {
    fn in_words(&self, note: &str) -> String {
        let Self {
            imported,
            already_present,
            rejected,
        } = self;
        format!("{imported} imported{note}, {already_present} already present, {rejected} rejected")
    }

    fn sum(&self) -> u64 {
        self.imported + self.already_present + self.rejected
    }
}

/// What is imported.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    User,
    Task,
}

/// Counts the outcomes, and writes a line for each user or task that is rejected.
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
            Outcome::Imported => tally.imported += 1,
            Outcome::AlreadyPresent => tally.already_present += 1,
            Outcome::Rejected(reason) => {
                tally.rejected += 1;
                let shown: String = id.chars().take(SHOWN).collect();
                writeln!(self.output, "{noun} {shown:?} rejected: {reason}")?;
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

    /// Reports a line that is neither a user nor a task.
    pub(super) fn unreadable(&mut self, line: u64, reason: &str) -> io::Result<()> {
        self.unreadable += 1;
        writeln!(self.output, "line {line} rejected: {reason}")
    }

    pub(super) fn finish(mut self) -> io::Result<()> {
        let without = match self.without_password {
            0 => String::new(),
            some => format!(" ({some} without a password)"),
        };
        writeln!(self.output, "users: {}", self.users.in_words(&without))?;
        if self.tasks.sum() > 0 {
            writeln!(self.output, "tasks: {}", self.tasks.in_words(""))?;
        }
        if self.unreadable > 0 {
            writeln!(self.output, "lines: {} rejected", self.unreadable)?;
        }
        self.output.flush()
    }
}
