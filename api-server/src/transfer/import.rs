//! Writes imported users and tasks in batches: one transaction a batch, and row by row where a batch fails.

use std::io::Write;

use super::TransferError;
use super::imported_task::ImportedTask;
use super::imported_user::{ImportedUser, RejectReason};
use super::report::{Kind, Outcome, Report};
use super::store;
use crate::db::{DbConnection, DbError};

/// How many users or tasks are written at once: a few megabytes at most, far below the parameters of a statement.
const BATCH: usize = 500;

/// Collects what a source gives and writes it in batches.
pub(super) struct ImportWriter<W> {
    connection: DbConnection,
    pub(super) report: Report<W>,
    users: Vec<ImportedUser>,
    tasks: Vec<ImportedTask>,
    /// Names the source that the ids of the tasks belong to.
    source: String,
    /// Whether imported users are remembered after their account is deleted.
    remember: bool,
}

impl<W: Write> ImportWriter<W> {
    pub(super) fn new(connection: DbConnection, report: Report<W>) -> Self {
        Self {
            connection,
            report,
            users: Vec::new(),
            tasks: Vec::new(),
            source: String::new(),
            remember: false,
        }
    }

    /// Names the source of the tasks that follow.
    pub(super) fn set_source(&mut self, source: &str) -> Result<(), TransferError> {
        self.flush()?;
        source.clone_into(&mut self.source);
        Ok(())
    }

    /// Remembers the users that follow even after their account is deleted, so that a later run does not bring them back.
    pub(super) fn remember_users(&mut self) {
        self.remember = true;
    }

    pub(super) fn user(
        &mut self,
        id: &str,
        user: Result<ImportedUser, RejectReason>,
    ) -> Result<(), TransferError> {
        match user {
            Err(reason) => self.reject(Kind::User, id, reason),
            Ok(user) => {
                self.users.push(user);
                self.flush_if_full()
            }
        }
    }

    pub(super) fn task(
        &mut self,
        id: &str,
        task: Result<ImportedTask, RejectReason>,
    ) -> Result<(), TransferError> {
        match task {
            Err(reason) => self.reject(Kind::Task, id, reason),
            Ok(task) => {
                self.tasks.push(task);
                self.flush_if_full()
            }
        }
    }

    fn reject(&mut self, kind: Kind, id: &str, reason: RejectReason) -> Result<(), TransferError> {
        Ok(self.report.count(kind, id, Outcome::Rejected(reason))?)
    }

    fn flush_if_full(&mut self) -> Result<(), TransferError> {
        if self.users.len() < BATCH && self.tasks.len() < BATCH {
            return Ok(());
        }
        self.flush()
    }

    /// Writes what was collected: users first, since their tasks may stand in the same batch.
    pub(super) fn flush(&mut self) -> Result<(), TransferError> {
        let users = std::mem::take(&mut self.users);
        let remember = self.remember;
        let outcomes = write(&mut self.connection, &users, |connection, users| {
            store::import_users(connection, users, remember)
        })?;
        for (user, outcome) in users.iter().zip(outcomes) {
            if matches!(outcome, Outcome::Imported) && user.password_hash.is_none() {
                self.report.count_without_password();
            }
            self.report.count(Kind::User, &user.id, outcome)?;
        }
        let tasks = std::mem::take(&mut self.tasks);
        let source = &self.source;
        let outcomes = write(&mut self.connection, &tasks, |connection, tasks| {
            store::import_tasks(connection, source, tasks)
        })?;
        for (task, outcome) in tasks.iter().zip(outcomes) {
            self.report.count(Kind::Task, &task.id, outcome)?;
        }
        Ok(())
    }

    pub(super) fn into_report(self) -> Report<W> {
        self.report
    }
}

/// Writes the batch at once; if the database refuses it, row by row, to find the row that is at fault.
fn write<T>(
    connection: &mut DbConnection,
    batch: &[T],
    insert: impl Fn(&mut DbConnection, &[T]) -> Result<Vec<Outcome>, DbError>,
) -> Result<Vec<Outcome>, TransferError> {
    if batch.is_empty() {
        return Ok(Vec::new());
    }
    match insert(connection, batch) {
        Ok(outcomes) => return Ok(outcomes),
        Err(DbError::Query(_one_row)) => {}
        Err(gone) => return Err(gone.into()),
    }
    let mut outcomes = Vec::with_capacity(batch.len());
    for one in batch {
        match insert(connection, std::slice::from_ref(one)) {
            Ok(outcome) => outcomes.extend(outcome),
            Err(DbError::Query(error)) => {
                let reason = format!("the database refuses it: {error}");
                outcomes.push(Outcome::Rejected(reason));
            }
            Err(gone) => return Err(gone.into()),
        }
    }
    Ok(outcomes)
}
