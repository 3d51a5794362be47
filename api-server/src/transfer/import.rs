//! Writes imported users and tasks in batches, each in one transaction. If the database rejects a batch, the rows of
//! the batch are written one by one.

use std::io::Write;

use super::TransferError;
use super::imported_task::ImportedTask;
use super::imported_user::{ImportedUser, RejectReason};
use super::report::{ImportOutcome, RecordKind, Report};
use super::store;
use crate::db::{DbConnection, DbError};
use crate::progress::Progress;

/// The most users or tasks that one transaction writes. The descriptions of so many tasks take at most 20 MB (40 000
/// bytes each), and each statement has far fewer parameters than the database engines allow.
const BATCH_SIZE: usize = 500;

/// Collects users and tasks from a source and writes them in batches.
pub(super) struct ImportWriter<W> {
    connection: DbConnection,
    pub(super) report: Report<W>,
    users: Vec<ImportedUser>,
    tasks: Vec<ImportedTask>,
    /// The source of the tasks: the name of their table, or [`EXPORT_SOURCE`](super::imported_task::EXPORT_SOURCE).
    source: String,
    /// Whether to record the ids of the imported users.
    remember_users: bool,
    pub(super) progress: Progress,
}

impl<W: Write> ImportWriter<W> {
    pub(super) fn new(connection: DbConnection, report: Report<W>, progress: &Progress) -> Self {
        Self {
            connection,
            report,
            users: Vec::new(),
            tasks: Vec::new(),
            source: String::new(),
            remember_users: false,
            progress: progress.clone(),
        }
    }

    /// Writes the rows that were collected so far, and sets the name of the source for the tasks that follow.
    pub(super) fn set_source(&mut self, source: &str) -> Result<(), TransferError> {
        self.flush()?;
        source.clone_into(&mut self.source);
        Ok(())
    }

    /// Makes the writer record the ids of the users that it imports from now on. If one of these users is deleted
    /// later, no import that records ids imports the user again.
    pub(super) fn remember_users(&mut self) {
        self.remember_users = true;
    }

    /// Adds a user to the batch and writes a full batch, or reports why the user is rejected. Fails after a signal; the
    /// batch is then not written.
    pub(super) fn add_user(
        &mut self,
        id: &str,
        check_result: Result<ImportedUser, RejectReason>,
    ) -> Result<(), TransferError> {
        self.progress.check_interrupted()?;
        match check_result {
            Err(reason) => self.reject(RecordKind::User, id, reason),
            Ok(user) => {
                self.users.push(user);
                self.flush_if_full()
            }
        }
    }

    /// Adds a task to the batch and writes a full batch, or reports why the task is rejected. Fails after a signal; the
    /// batch is then not written.
    pub(super) fn add_task(
        &mut self,
        id: &str,
        check_result: Result<ImportedTask, RejectReason>,
    ) -> Result<(), TransferError> {
        self.progress.check_interrupted()?;
        match check_result {
            Err(reason) => self.reject(RecordKind::Task, id, reason),
            Ok(task) => {
                self.tasks.push(task);
                self.flush_if_full()
            }
        }
    }

    fn reject(
        &mut self,
        kind: RecordKind,
        id: &str,
        reason: RejectReason,
    ) -> Result<(), TransferError> {
        Ok(self
            .report
            .record(kind, id, ImportOutcome::Rejected(reason))?)
    }

    fn flush_if_full(&mut self) -> Result<(), TransferError> {
        if self.users.len() < BATCH_SIZE && self.tasks.len() < BATCH_SIZE {
            return Ok(());
        }
        self.flush()
    }

    /// Writes the collected rows: users first, because the collected tasks may belong to them.
    pub(super) fn flush(&mut self) -> Result<(), TransferError> {
        let users = std::mem::take(&mut self.users);
        let remember_ids = self.remember_users;
        let user_outcomes = write(&mut self.connection, &users, |connection, users| {
            store::import_users(connection, users, remember_ids)
        })?;
        for (user, outcome) in users.iter().zip(user_outcomes) {
            if matches!(outcome, ImportOutcome::Imported) && user.password_hash.is_none() {
                self.report.count_user_without_password();
            }
            self.report.record(RecordKind::User, &user.id, outcome)?;
        }
        let tasks = std::mem::take(&mut self.tasks);
        let source = &self.source;
        let task_outcomes = write(&mut self.connection, &tasks, |connection, tasks| {
            store::import_tasks(connection, source, tasks)
        })?;
        for (task, outcome) in tasks.iter().zip(task_outcomes) {
            self.report.record(RecordKind::Task, &task.id, outcome)?;
        }
        Ok(())
    }

    pub(super) fn into_report(self) -> Report<W> {
        self.report
    }
}

/// Writes the batch in one transaction. If the database rejects the batch, writes row by row to find the rejected rows.
fn write<T>(
    connection: &mut DbConnection,
    batch: &[T],
    insert: impl Fn(&mut DbConnection, &[T]) -> Result<Vec<ImportOutcome>, DbError>,
) -> Result<Vec<ImportOutcome>, TransferError> {
    if batch.is_empty() {
        return Ok(Vec::new());
    }
    match insert(connection, batch) {
        Ok(outcomes) => return Ok(outcomes),
        Err(DbError::Query(_rejection)) => {}
        Err(error) => return Err(error.into()),
    }
    let mut outcomes = Vec::with_capacity(batch.len());
    for row in batch {
        match insert(connection, std::slice::from_ref(row)) {
            Ok(row_outcomes) => outcomes.extend(row_outcomes),
            Err(DbError::Query(error)) => {
                let reason = format!("the database rejects it: {error}");
                outcomes.push(ImportOutcome::Rejected(reason));
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(outcomes)
}
