//! Inserts imported users and tasks. Rows that are there already are left alone.

use std::collections::{HashMap, HashSet};

use auth_core::password::PasswordHash;
use diesel::prelude::*;

use super::imported_task::{EXPORT_SOURCE, ImportedTask};
use super::imported_user::ImportedUser;
use super::report::Outcome;
use crate::db::schema::{imported_tasks, imported_users, tasks, users};
use crate::db::{DbConnection, DbError, Timestamp, diagnose, on_either_engine, write_transaction};
use crate::users::email::{Email, canonical};

#[derive(Insertable)]
#[diesel(table_name = users, treat_none_as_default_value = false)]
struct NewUser {
    id: String,
    email: String,
    name: Option<String>,
    image: Option<String>,
    email_verified: bool,
    password_hash: Option<String>,
    created_at: Timestamp,
    updated_at: Timestamp,
}

fn new_user(user: &ImportedUser) -> NewUser {
    let hash = user.password_hash.as_ref().map(PasswordHash::as_str);
    NewUser {
        id: user.id.clone(),
        email: user.email.as_str().to_owned(),
        name: user.name.clone(),
        image: user.image.clone(),
        email_verified: user.email_verified,
        password_hash: hash.map(ToOwned::to_owned),
        created_at: user.created_at,
        updated_at: user.updated_at,
    }
}

#[derive(Insertable)]
#[diesel(table_name = tasks, treat_none_as_default_value = false)]
struct NewTask {
    user_id: String,
    title: String,
    description: Option<String>,
    completed: bool,
    created_at: Timestamp,
    updated_at: Timestamp,
}

fn new_task(task: &ImportedTask) -> NewTask {
    NewTask {
        user_id: task.user_id.clone(),
        title: task.title.clone(),
        description: task.description.clone(),
        completed: task.completed,
        created_at: task.created_at,
        updated_at: task.updated_at,
    }
}

#[derive(Insertable)]
#[diesel(table_name = imported_tasks)]
struct ImportedTaskRow<'a> {
    user_id: &'a str,
    source: &'a str,
    source_id: &'a str,
}

/// Inserts all that can be inserted, in one transaction; one outcome each. With `remember`, an account that was deleted
/// here after an earlier import is rejected.
pub(super) fn import_users(
    connection: &mut DbConnection,
    users: &[ImportedUser],
    remember: bool,
) -> Result<Vec<Outcome>, DbError> {
    let outcomes = write_transaction(connection, |connection| {
        let ids: Vec<_> = users.iter().map(|user| user.id.as_str()).collect();
        let emails = users.iter().map(|user| &user.email);
        let older = emails.clone().filter_map(Email::with_u_labels);
        let emails: Vec<_> = older
            .chain(emails.map(|email| email.as_str().to_owned()))
            .collect();
        let mut existing = ExistingUsers::default();
        let same = users::id.eq_any(&ids).or(users::email.eq_any(&emails));
        let rows = users::table.filter(same).select((users::id, users::email));
        for (id, email) in rows.load::<(String, String)>(connection)? {
            existing.add(id, canonical(email));
        }
        if remember {
            let before = imported_users::table.select(imported_users::id);
            let before = before.filter(imported_users::id.eq_any(&ids));
            existing
                .imported_before
                .extend(before.load::<String>(connection)?);
        }
        let mut new = Vec::with_capacity(users.len());
        let outcomes = users.iter().map(|user| {
            let outcome = existing.outcome_of(user);
            if matches!(outcome, Outcome::Imported) {
                existing.add(user.id.clone(), user.email.as_str().to_owned());
                new.push(new_user(user));
            }
            outcome
        });
        let outcomes = outcomes.collect();
        on_either_engine!(connection, |either| diesel::insert_into(users::table)
            .values(&new)
            .execute(either))?;
        if remember {
            let marks = new.iter().map(|user| imported_users::id.eq(&user.id));
            let marks: Vec<_> = marks.collect();
            on_either_engine!(connection, |either| {
                let mark = diesel::insert_into(imported_users::table);
                mark.values(&marks).execute(either)
            })?;
        }
        Ok(outcomes)
    });
    outcomes.map_err(|error| diagnose(connection, error))
}

/// The users already present that a batch may collide with.
#[derive(Default)]
struct ExistingUsers {
    email_of: HashMap<String, String>,
    id_of: HashMap<String, String>,
    /// The ids that an earlier run imported.
    imported_before: HashSet<String>,
}

impl ExistingUsers {
    fn add(&mut self, id: String, email: String) {
        self.id_of.insert(email.clone(), id.clone());
        self.email_of.insert(id, email);
    }

    fn outcome_of(&self, user: &ImportedUser) -> Outcome {
        let email = user.email.as_str();
        match (self.email_of.get(&user.id), self.id_of.get(email)) {
            (Some(theirs), _) if theirs == email => Outcome::AlreadyPresent,
            (Some(_), _) => {
                Outcome::Rejected("its id is that of a user with another email here".to_owned())
            }
            (None, Some(id)) => {
                Outcome::Rejected(format!("its email is that of the user {id:?} here"))
            }
            (None, None) if self.imported_before.contains(&user.id) => {
                Outcome::Rejected("its account was deleted here after an earlier import".to_owned())
            }
            (None, None) => Outcome::Imported,
        }
    }
}

/// As [`import_users`]. A task that came from `source` before is already present, even if it was changed or deleted since.
pub(super) fn import_tasks(
    connection: &mut DbConnection,
    source: &str,
    tasks: &[ImportedTask],
) -> Result<Vec<Outcome>, DbError> {
    let outcomes = write_transaction(connection, |connection| {
        let owners = owners(connection, tasks)?;
        let mut present = already_present(connection, source, tasks)?;
        let mut outcomes = Vec::with_capacity(tasks.len());
        let (mut new, mut marks) = (Vec::new(), Vec::new());
        for task in tasks {
            let key = (task.user_id.clone(), task.id.clone());
            let outcome = if owners.get(&task.user_id) != Some(&task.user_email) {
                Outcome::Rejected("its owner is not among the users here".to_owned())
            } else if present.insert(key) {
                new.push(new_task(task));
                marks.push(ImportedTaskRow {
                    user_id: &task.user_id,
                    source,
                    source_id: &task.id,
                });
                Outcome::Imported
            } else {
                Outcome::AlreadyPresent
            };
            outcomes.push(outcome);
        }
        on_either_engine!(connection, |either| {
            let tasks = diesel::insert_into(tasks::table).values(&new);
            let marks = diesel::insert_into(imported_tasks::table).values(&marks);
            tasks.execute(either).and_then(|_| marks.execute(either))
        })?;
        Ok(outcomes)
    });
    outcomes.map_err(|error| diagnose(connection, error))
}

/// The addresses of the owners, by their ids.
fn owners(
    connection: &mut DbConnection,
    tasks: &[ImportedTask],
) -> QueryResult<HashMap<String, String>> {
    let ids: HashSet<_> = tasks.iter().map(|task| task.user_id.as_str()).collect();
    let rows = users::table
        .filter(users::id.eq_any(ids))
        .select((users::id, users::email))
        .load::<(String, String)>(connection)?;
    let rows = rows.into_iter();
    Ok(rows.map(|(id, email)| (id, canonical(email))).collect())
}

/// Owners and source ids of the tasks that an earlier run imported, or that were exported from this database.
fn already_present(
    connection: &mut DbConnection,
    source: &str,
    tasks: &[ImportedTask],
) -> QueryResult<HashSet<(String, String)>> {
    let ids: HashSet<_> = tasks.iter().map(|task| task.id.as_str()).collect();
    let owners: HashSet<_> = tasks.iter().map(|task| task.user_id.as_str()).collect();
    let marks = imported_tasks::table
        .filter(imported_tasks::user_id.eq_any(owners))
        .filter(imported_tasks::source.eq(source))
        .filter(imported_tasks::source_id.eq_any(ids))
        .select((imported_tasks::user_id, imported_tasks::source_id))
        .load::<(String, String)>(connection)?;
    let mut present: HashSet<_> = marks.into_iter().collect();
    if source == EXPORT_SOURCE {
        present.extend(exported_from_here(connection, tasks)?);
    }
    Ok(present)
}

fn exported_from_here(
    connection: &mut DbConnection,
    tasks: &[ImportedTask],
) -> QueryResult<Vec<(String, String)>> {
    let numbered = |task: &ImportedTask| task.id.parse().ok().map(|id: i64| (id, task.created_at));
    let wanted: HashSet<_> = tasks.iter().filter_map(numbered).collect();
    let rows = tasks::table
        .filter(tasks::id.eq_any(wanted.iter().map(|(id, _)| *id)))
        .select((tasks::id, tasks::user_id, tasks::created_at))
        .load::<(i64, String, Timestamp)>(connection)?;
    let same = rows
        .into_iter()
        .filter(|(id, _, created_at)| wanted.contains(&(*id, *created_at)))
        .map(|(id, user_id, _)| (user_id, id.to_string()));
    Ok(same.collect())
}
