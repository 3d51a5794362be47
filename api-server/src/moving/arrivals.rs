//! Those who arrive, batch by batch: one transaction each, and one row each where a batch fails.

use std::io::Write;

use super::Failure;
use super::person::{Person, Reason};
use super::report::{Kind, Outcome, Report};
use super::store;
use super::todo::Todo;
use crate::db::{DbConnection, DbError};

/// How many users or tasks are written at once: a few megabytes at most, far below the parameters of a statement.
const BATCH: usize = 500;

/// Where what is read goes to.
pub(super) struct Arrivals<W> {
    connection: DbConnection,
    pub(super) report: Report<W>,
    people: Vec<Person>,
    todos: Vec<Todo>,
    /// What the ids of the tasks belong to.
    source: String,
    /// Whether the users come from where they may come from again.
    remember: bool,
}

impl<W: Write> Arrivals<W> {
    pub(super) fn new(connection: DbConnection, report: Report<W>) -> Self {
        Self {
            connection,
            report,
            people: Vec::new(),
            todos: Vec::new(),
            source: String::new(),
            remember: false,
        }
    }

    /// For the tasks from now on.
    pub(super) fn set_source(&mut self, source: &str) -> Result<(), Failure> {
        self.flush()?;
        source.clone_into(&mut self.source);
        Ok(())
    }

    /// From now on, that a user came is remembered even when the account is deleted.
    pub(super) fn remember_users(&mut self) {
        self.remember = true;
    }

    pub(super) fn person(
        &mut self,
        id: &str,
        person: Result<Person, Reason>,
    ) -> Result<(), Failure> {
        match person {
            Err(reason) => self.refuse(Kind::User, id, reason),
            Ok(person) => {
                self.people.push(person);
                self.flush_if_full()
            }
        }
    }

    pub(super) fn todo(&mut self, id: &str, todo: Result<Todo, Reason>) -> Result<(), Failure> {
        match todo {
            Err(reason) => self.refuse(Kind::Task, id, reason),
            Ok(todo) => {
                self.todos.push(todo);
                self.flush_if_full()
            }
        }
    }

    fn refuse(&mut self, kind: Kind, id: &str, reason: Reason) -> Result<(), Failure> {
        Ok(self.report.count(kind, id, Outcome::Refused(reason))?)
    }

    fn flush_if_full(&mut self) -> Result<(), Failure> {
        if self.people.len() < BATCH && self.todos.len() < BATCH {
            return Ok(());
        }
        self.flush()
    }

    /// Writes what has arrived: users first, whose tasks may stand in the same batch.
    pub(super) fn flush(&mut self) -> Result<(), Failure> {
        let people = std::mem::take(&mut self.people);
        let remember = self.remember;
        let outcomes = write(&mut self.connection, &people, |connection, people| {
            store::take_people(connection, people, remember)
        })?;
        for (person, outcome) in people.iter().zip(outcomes) {
            if matches!(outcome, Outcome::Taken) && person.password_hash.is_none() {
                self.report.count_without_password();
            }
            self.report.count(Kind::User, &person.id, outcome)?;
        }
        let todos = std::mem::take(&mut self.todos);
        let source = &self.source;
        let outcomes = write(&mut self.connection, &todos, |connection, todos| {
            store::take_todos(connection, source, todos)
        })?;
        for (todo, outcome) in todos.iter().zip(outcomes) {
            self.report.count(Kind::Task, &todo.id, outcome)?;
        }
        Ok(())
    }

    pub(super) fn into_report(self) -> Report<W> {
        self.report
    }
}

/// All at once, or else one by one, to find the one that the database refuses.
fn write<T>(
    connection: &mut DbConnection,
    batch: &[T],
    take: impl Fn(&mut DbConnection, &[T]) -> Result<Vec<Outcome>, DbError>,
) -> Result<Vec<Outcome>, Failure> {
    if batch.is_empty() {
        return Ok(Vec::new());
    }
    match take(connection, batch) {
        Ok(outcomes) => return Ok(outcomes),
        Err(DbError::Query(_one_of_them)) => {}
        Err(gone) => return Err(gone.into()),
    }
    let mut outcomes = Vec::with_capacity(batch.len());
    for one in batch {
        match take(connection, std::slice::from_ref(one)) {
            Ok(outcome) => outcomes.extend(outcome),
            Err(DbError::Query(error)) => {
                let reason = format!("the database refuses it: {error}");
                outcomes.push(Outcome::Refused(reason));
            }
            Err(gone) => return Err(gone.into()),
        }
    }
    Ok(outcomes)
}
