//! Inserts imported users and tasks. Rows that already exist are not changed.

use std::collections::{HashMap, HashSet};

use auth_core::password::PasswordHash;
use diesel::prelude::*;

use super::imported_task::{EXPORT_SOURCE, ImportedTask};
use super::imported_user::ImportedUser;
use super::report::ImportOutcome;
use crate::db::schema::{imported_tasks, imported_users, tasks, users};
use crate::db::{DbConnection, DbError, Timestamp, diagnose, on_either_engine, write_transaction};
use crate::users::custom_claims::to_column;
use crate::users::email::{Email, canonical_spelling};
use crate::users::roles::join_names;

#[derive(Insertable)]
#[diesel(table_name = users, treat_none_as_default_value = false)]
struct NewUserRow {
    id: String,
    email: String,
    name: Option<String>,
    image: Option<String>,
    email_verified: bool,
    language: Option<String>,
    roles: Option<String>,
    custom_claims: Option<String>,
    password_hash: Option<String>,
    created_at: Timestamp,
    updated_at: Timestamp,
}

fn user_row(user: &ImportedUser) -> NewUserRow {
    let hash = user.password_hash.as_ref().map(PasswordHash::as_str);
    NewUserRow {
        id: user.id.clone(),
        email: user.email.as_str().to_owned(),
        name: user.name.clone(),
        image: user.image.clone(),
        email_verified: user.email_verified,
        language: user.language.map(|language| language.as_str().to_owned()),
        roles: join_names(&user.roles, " "),
        custom_claims: to_column(&user.custom_claims).map(ToOwned::to_owned),
        password_hash: hash.map(ToOwned::to_owned),
        created_at: user.created_at,
        updated_at: user.updated_at,
    }
}

#[derive(Insertable)]
#[diesel(table_name = tasks, treat_none_as_default_value = false)]
struct NewTaskRow {
    user_id: String,
    title: String,
    description: Option<String>,
    completed: bool,
    created_at: Timestamp,
    updated_at: Timestamp,
}

fn task_row(task: &ImportedTask) -> NewTaskRow {
    NewTaskRow {
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

/// Inserts the users whose id and email address are new and who are not banned, in one transaction, and returns one
/// outcome for each user. With `remember_ids`, records the inserted ids, and rejects a user whose id was recorded
/// before but whose account was deleted.
pub(super) fn import_users(
    connection: &mut DbConnection,
    users: &[ImportedUser],
    remember_ids: bool,
) -> Result<Vec<ImportOutcome>, DbError> {
    let result = write_transaction(connection, |connection| {
        let mut known_users = find_known_users(connection, users, remember_ids)?;
        let mut new_users = Vec::with_capacity(users.len());
        let decide = |user: &ImportedUser| {
            let outcome = known_users.outcome_of(user);
            if matches!(outcome, ImportOutcome::Imported) {
                known_users.add(user.id.clone(), user.email.as_str().to_owned());
                new_users.push(user_row(user));
            }
            outcome
        };
        let outcomes = users.iter().map(decide).collect();
        on_either_engine!(connection, |connection| diesel::insert_into(users::table)
            .values(&new_users)
            .execute(connection))?;
        if remember_ids {
            let ids = new_users.iter().map(|user| imported_users::id.eq(&user.id));
            let inserted_ids: Vec<_> = ids.collect();
            on_either_engine!(connection, |connection| {
                let insert = diesel::insert_into(imported_users::table);
                insert.values(&inserted_ids).execute(connection)
            })?;
        }
        Ok(outcomes)
    });
    result.map_err(|error| diagnose(connection, error))
}

/// Finds the existing users with an id or an email address that occurs in the import batch. With `remember_ids`, also
/// finds the ids of the batch that were recorded before.
fn find_known_users(
    connection: &mut DbConnection,
    users: &[ImportedUser],
    remember_ids: bool,
) -> QueryResult<KnownUsers> {
    let ids: Vec<_> = users.iter().map(|user| user.id.as_str()).collect();
    let batch_emails = users.iter().map(|user| &user.email);
    let old_spellings = batch_emails.clone().filter_map(Email::with_u_labels);
    let emails: Vec<_> = old_spellings
        .chain(batch_emails.map(|email| email.as_str().to_owned()))
        .collect();
    let mut known_users = KnownUsers::default();
    let matches_batch = users::id.eq_any(&ids).or(users::email.eq_any(&emails));
    let rows = users::table
        .filter(matches_batch)
        .select((users::id, users::email));
    for (id, email) in rows.load::<(String, String)>(connection)? {
        known_users.add(id, canonical_spelling(email));
    }
    if remember_ids {
        let imported_ids = imported_users::table.select(imported_users::id);
        let recorded_ids = imported_ids.filter(imported_users::id.eq_any(&ids));
        known_users
            .recorded_ids
            .extend(recorded_ids.load::<String>(connection)?);
    }
    Ok(known_users)
}

/// The users with whom a user of the import batch can conflict: the existing users with an id or an email address that
/// occurs in the batch, and the users of the batch that were accepted so far.
#[derive(Default)]
struct KnownUsers {
    email_by_id: HashMap<String, String>,
    id_by_email: HashMap<String, String>,
    /// The ids of the batch that were recorded before.
    recorded_ids: HashSet<String>,
}

impl KnownUsers {
    fn add(&mut self, id: String, email: String) {
        self.id_by_email.insert(email.clone(), id.clone());
        self.email_by_id.insert(id, email);
    }

    fn outcome_of(&self, user: &ImportedUser) -> ImportOutcome {
        let email = user.email.as_str();
        match (self.email_by_id.get(&user.id), self.id_by_email.get(email)) {
            (Some(existing_email), _) if existing_email == email => match &user.ban {
                None => ImportOutcome::AlreadyPresent,
                Some(ban) => {
                    ImportOutcome::Banned(format!("{ban}, but has an account here already"))
                }
            },
            (Some(_), _) => ImportOutcome::Rejected(
                "its id is that of a user with another email here".to_owned(),
            ),
            (None, Some(id)) => {
                ImportOutcome::Rejected(format!("its email is that of the user {id:?} here"))
            }
            (None, None) if self.recorded_ids.contains(&user.id) => ImportOutcome::Rejected(
                "its account was deleted here after an earlier import".to_owned(),
            ),
            (None, None) => match &user.ban {
                None => ImportOutcome::Imported,
                Some(ban) => ImportOutcome::Banned(ban.clone()),
            },
        }
    }
}

/// Inserts the tasks that are not `AlreadyPresent` and whose owner exists with the same id and email address, in one
/// transaction, and returns one outcome for each task. A task is `AlreadyPresent` if it was imported from `source`
/// before, even if it was deleted afterwards, or if this database exported it and still has it.
pub(super) fn import_tasks(
    connection: &mut DbConnection,
    source: &str,
    tasks: &[ImportedTask],
) -> Result<Vec<ImportOutcome>, DbError> {
    let result = write_transaction(connection, |connection| {
        let owner_emails = owner_emails(connection, tasks)?;
        let mut present_keys = present_task_keys(connection, source, tasks)?;
        let mut outcomes = Vec::with_capacity(tasks.len());
        let (mut new_tasks, mut imported_rows) = (Vec::new(), Vec::new());
        for task in tasks {
            let key = TaskKey {
                user_id: task.user_id.clone(),
                source_id: task.id.clone(),
            };
            let outcome = if owner_emails.get(&task.user_id) != Some(&task.user_email) {
                ImportOutcome::Rejected("its owner is not among the users here".to_owned())
            } else if present_keys.insert(key) {
                new_tasks.push(task_row(task));
                imported_rows.push(ImportedTaskRow {
                    user_id: &task.user_id,
                    source,
                    source_id: &task.id,
                });
                ImportOutcome::Imported
            } else {
                ImportOutcome::AlreadyPresent
            };
            outcomes.push(outcome);
        }
        on_either_engine!(connection, |connection| {
            let insert_tasks = diesel::insert_into(tasks::table).values(&new_tasks);
            let insert_keys = diesel::insert_into(imported_tasks::table).values(&imported_rows);
            insert_tasks
                .execute(connection)
                .and_then(|_| insert_keys.execute(connection))
        })?;
        Ok(outcomes)
    });
    result.map_err(|error| diagnose(connection, error))
}

/// Maps the id of each existing owner to the owner's email address, in the current spelling.
fn owner_emails(
    connection: &mut DbConnection,
    tasks: &[ImportedTask],
) -> QueryResult<HashMap<String, String>> {
    let ids: HashSet<_> = tasks.iter().map(|task| task.user_id.as_str()).collect();
    let rows = users::table
        .filter(users::id.eq_any(ids))
        .select((users::id, users::email))
        .load::<(String, String)>(connection)?;
    let emails = rows
        .into_iter()
        .map(|(id, email)| (id, canonical_spelling(email)));
    Ok(emails.collect())
}

/// Identifies a task within its source.
#[derive(PartialEq, Eq, Hash)]
struct TaskKey {
    user_id: String,
    source_id: String,
}

/// Returns the keys of tasks that were imported from `source` before, or that this database exported and still has.
fn present_task_keys(
    connection: &mut DbConnection,
    source: &str,
    tasks: &[ImportedTask],
) -> QueryResult<HashSet<TaskKey>> {
    let ids: HashSet<_> = tasks.iter().map(|task| task.id.as_str()).collect();
    let owner_ids: HashSet<_> = tasks.iter().map(|task| task.user_id.as_str()).collect();
    let imported_keys = imported_tasks::table
        .filter(imported_tasks::user_id.eq_any(owner_ids))
        .filter(imported_tasks::source.eq(source))
        .filter(imported_tasks::source_id.eq_any(ids))
        .select((imported_tasks::user_id, imported_tasks::source_id))
        .load::<(String, String)>(connection)?;
    let mut present_keys: HashSet<_> = imported_keys
        .into_iter()
        .map(|(user_id, source_id)| TaskKey { user_id, source_id })
        .collect();
    if source == EXPORT_SOURCE {
        present_keys.extend(keys_exported_from_here(connection, tasks)?);
    }
    Ok(present_keys)
}

/// Returns the keys of those tasks that this database already has with the same id and creation time. A task for which
/// both are the same was exported from this database.
fn keys_exported_from_here(
    connection: &mut DbConnection,
    tasks: &[ImportedTask],
) -> QueryResult<Vec<TaskKey>> {
    let parse_id_and_time =
        |task: &ImportedTask| task.id.parse().ok().map(|id: i64| (id, task.created_at));
    let candidates: HashSet<_> = tasks.iter().filter_map(parse_id_and_time).collect();
    let rows = tasks::table
        .filter(tasks::id.eq_any(candidates.iter().map(|(id, _)| *id)))
        .select((tasks::id, tasks::user_id, tasks::created_at))
        .load::<(i64, String, Timestamp)>(connection)?;
    let exported_keys = rows
        .into_iter()
        .filter(|(id, _, created_at)| candidates.contains(&(*id, *created_at)))
        .map(|(id, user_id, _)| TaskKey {
            user_id,
            source_id: id.to_string(),
        });
    Ok(exported_keys.collect())
}
