//! Reports the rejected rows and the result of an import.

use std::io::{self, Write};

use super::imported_user::RejectReason;

/// The longest part of an id that is shown, in characters: an id of a source may be any text.
const MAX_ID_CHARS: usize = 80;

/// The outcome of importing one user or task.
pub(super) enum ImportOutcome {
    Imported,
    /// The user or task exists here already, or the task was imported before and has been deleted since.
    AlreadyPresent,
    Rejected(RejectReason),
    /// The user is rejected because of a ban in the source.
    Banned(RejectReason),
}

/// The number of rows with each outcome.
#[derive(Default)]
struct OutcomeCounts {
    imported: u64,
    already_present: u64,
    rejected: u64,
    /// The number of the rejected users that are rejected because of a ban.
    banned: u64,
}

impl OutcomeCounts {
    fn summary(&self, note: &str) -> String {
        let Self {
            imported,
            already_present,
            rejected,
            banned,
        } = self;
        let ban_note = match banned {
            0 => String::new(),
            count => format!(" ({count} banned)"),
        };
        format!(
            "{imported} imported{note}, {already_present} already present, {rejected} rejected{ban_note}"
        )
    }

    fn total(&self) -> u64 {
        self.imported + self.already_present + self.rejected
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum RecordKind {
    User,
    Task,
}

/// Counts the outcomes. Writes a line for each rejection, and the totals.
pub(super) struct Report<W> {
    output: W,
    user_counts: OutcomeCounts,
    users_without_password_count: u64,
    task_counts: OutcomeCounts,
    /// The number of lines that are not blank and could not be read as a user or a task.
    rejected_line_count: u64,
}

impl<W: Write> Report<W> {
    pub(super) fn new(output: W) -> Self {
        Self {
            output,
            user_counts: OutcomeCounts::default(),
            users_without_password_count: 0,
            task_counts: OutcomeCounts::default(),
            rejected_line_count: 0,
        }
    }

    pub(super) fn record(
        &mut self,
        kind: RecordKind,
        id: &str,
        outcome: ImportOutcome,
    ) -> io::Result<()> {
        let (counts, noun) = match kind {
            RecordKind::User => (&mut self.user_counts, "user"),
            RecordKind::Task => (&mut self.task_counts, "task"),
        };
        let is_banned = matches!(outcome, ImportOutcome::Banned(_));
        match outcome {
            ImportOutcome::Imported => counts.imported += 1,
            ImportOutcome::AlreadyPresent => counts.already_present += 1,
            ImportOutcome::Rejected(reason) | ImportOutcome::Banned(reason) => {
                counts.rejected += 1;
                counts.banned += u64::from(is_banned);
                let shown_id: String = id.chars().take(MAX_ID_CHARS).collect();
                writeln!(self.output, "{noun} {shown_id:?} rejected: {reason}")?;
            }
        }
        Ok(())
    }

    pub(super) fn count_user_without_password(&mut self) {
        self.users_without_password_count += 1;
    }

    /// Counts and reports a line that could not be read as a user or a task.
    pub(super) fn count_rejected_line(&mut self, number: u64, reason: &str) -> io::Result<()> {
        self.rejected_line_count += 1;
        writeln!(self.output, "line {number} rejected: {reason}")
    }

    /// Writes the totals.
    pub(super) fn finish(mut self) -> io::Result<()> {
        let note = match self.users_without_password_count {
            0 => String::new(),
            count => format!(" ({count} without a password)"),
        };
        writeln!(self.output, "users: {}", self.user_counts.summary(&note))?;
        if self.task_counts.total() > 0 {
            writeln!(self.output, "tasks: {}", self.task_counts.summary(""))?;
        }
        if self.rejected_line_count > 0 {
            writeln!(self.output, "lines: {} rejected", self.rejected_line_count)?;
        }
        self.output.flush()
    }
}
