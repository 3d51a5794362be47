//! The tasks table. Every query names the owner: isolation does not rest on the handlers alone.

use diesel::dsl::{exists, not};
use diesel::prelude::*;
use diesel::result::{DatabaseErrorKind, Error as DieselError};
use diesel::sql_types::{self, Bool, Nullable, Text};

use super::quota::TaskQuota;
use super::task::Task;
use crate::db::schema::{tasks, users};
use crate::db::{DbConnection, Timestamp, lock_account, on_either_engine, write_transaction};
use crate::users::id::UserId;

/// In the order of [`TaskRow`]; the round-trip test finds swapped columns. `user_id` is left out: the caller supplies
/// it.
const COLUMNS: (
    tasks::id,
    tasks::title,
    tasks::description,
    tasks::completed,
    tasks::created_at,
    tasks::updated_at,
) = (
    tasks::id,
    tasks::title,
    tasks::description,
    tasks::completed,
    tasks::created_at,
    tasks::updated_at,
);

type TaskRow = (i64, String, Option<String>, bool, Timestamp, Timestamp);

fn task(owner: &UserId, row: TaskRow) -> Task {
    let (id, title, description, completed, created_at, updated_at) = row;
    Task {
        id,
        user_id: owner.as_str().to_owned(),
        title,
        description,
        completed,
        created_at,
        updated_at,
    }
}

/// Which of a user's tasks to list.
pub(super) struct Selection {
    pub(super) completed: Option<bool>,
    /// Only tasks older than the one with this id.
    pub(super) before: Option<i64>,
    pub(super) limit: i64,
}

/// Newest first.
pub(super) fn list(
    connection: &mut DbConnection,
    owner: &UserId,
    selection: &Selection,
) -> QueryResult<Vec<Task>> {
    let before = selection.before.unwrap_or(i64::MAX);
    let page = tasks::table
        .filter(tasks::user_id.eq(owner.as_str()))
        .filter(tasks::id.lt(before))
        .select(COLUMNS)
        .order(tasks::id.desc())
        .limit(selection.limit);
    // Two queries whose parts do not come and go are found prepared without their text.
    let rows: Vec<TaskRow> = match selection.completed {
        None => on_either_engine!(connection, |either| page.load(either))?,
        Some(completed) => {
            let page = page.filter(tasks::completed.eq(completed));
            on_either_engine!(connection, |either| page.load(either))?
        }
    };
    Ok(rows.into_iter().map(|row| task(owner, row)).collect())
}

pub(super) struct NewTask {
    pub(super) title: String,
    pub(super) description: Option<String>,
    pub(super) now: Timestamp,
}

/// What came of a new task.
pub(super) enum Inserted {
    Task(Box<Task>),
    /// The owner has as many tasks as allowed.
    LimitReached,
    /// The owner has no account.
    NoAccount,
}

/// Adds a task unless the owner has as many as allowed. Far from there one statement does both.
pub(super) fn insert(
    connection: &mut DbConnection,
    owner: &UserId,
    new: &NewTask,
    quota: &TaskQuota,
) -> QueryResult<Inserted> {
    let known = quota.known(owner);
    let room = quota.near() - known.count;
    let inserted = match insert_if_room(connection, owner, new, (known.through, room))? {
        Some(task) => {
            if quota.added(owner) {
                let newer = count(connection, owner, known.through, task.id)?;
                quota.counted(owner, task.id, known.count + newer);
            }
            Some(task)
        }
        None => insert_alone(connection, owner, new, quota)?,
    };
    match inserted {
        Some(task) => Ok(Inserted::Task(Box::new(task))),
        None if has_account(connection, owner)? => Ok(Inserted::LimitReached),
        None => Ok(Inserted::NoAccount),
    }
}

/// Adds a task while no other request adds one of this account.
fn insert_alone(
    connection: &mut DbConnection,
    owner: &UserId,
    new: &NewTask,
    quota: &TaskQuota,
) -> QueryResult<Option<Task>> {
    write_transaction(connection, |connection| {
        lock_account(connection, owner.as_str())?;
        let inserted = insert_if_room(connection, owner, new, (0, quota.max()))?;
        if let Some(task) = &inserted {
            let all = count(connection, owner, 0, task.id)?;
            quota.counted(owner, task.id, all);
        }
        Ok(inserted)
    })
}

/// How many of the owner's tasks have an id above the one and up to the other.
fn count(
    connection: &mut DbConnection,
    owner: &UserId,
    above: i64,
    through: i64,
) -> QueryResult<i64> {
    tasks::table
        .filter(tasks::user_id.eq(owner.as_str()))
        .filter(tasks::id.gt(above))
        .filter(tasks::id.le(through))
        .count()
        .get_result(connection)
}

/// Adds a task if fewer than `room` of the owner's tasks have an id above `through`. `None` if not, or if the owner
/// has no account.
fn insert_if_room(
    connection: &mut DbConnection,
    owner: &UserId,
    new: &NewTask,
    (through, room): (i64, i64),
) -> QueryResult<Option<Task>> {
    if room <= 0 {
        return Ok(None);
    }
    // Reads no further than the limit, in the index alone.
    let is_full = exists(
        tasks::table
            .filter(tasks::user_id.eq(owner.as_str()))
            .filter(tasks::id.gt(through))
            .select(tasks::id)
            .order(tasks::id.asc())
            .offset(room - 1)
            .limit(1),
    );
    let row = users::table
        .filter(users::id.eq(owner.as_str()))
        .filter(not(is_full))
        .select((
            users::id,
            new.title.as_str().into_sql::<Text>(),
            new.description.as_deref().into_sql::<Nullable<Text>>(),
            false.into_sql::<Bool>(),
            new.now.into_sql::<sql_types::Timestamp>(),
            new.now.into_sql::<sql_types::Timestamp>(),
        ));
    let insert = row
        .insert_into(tasks::table)
        .into_columns((
            tasks::user_id,
            tasks::title,
            tasks::description,
            tasks::completed,
            tasks::created_at,
            tasks::updated_at,
        ))
        .returning(COLUMNS);
    let inserted = on_either_engine!(connection, |either| insert.get_result(either)).optional();
    match inserted {
        Ok(row) => Ok(row.map(|row| task(owner, row))),
        // The account was deleted meanwhile.
        Err(DieselError::DatabaseError(DatabaseErrorKind::ForeignKeyViolation, _)) => Ok(None),
        Err(error) => Err(error),
    }
}

fn has_account(connection: &mut DbConnection, owner: &UserId) -> QueryResult<bool> {
    let account = users::table.filter(users::id.eq(owner.as_str()));
    diesel::select(exists(account)).get_result(connection)
}

pub(super) fn find(
    connection: &mut DbConnection,
    owner: &UserId,
    id: i64,
) -> QueryResult<Option<Task>> {
    let row = tasks::table
        .filter(tasks::id.eq(id))
        .filter(tasks::user_id.eq(owner.as_str()))
        .select(COLUMNS)
        .first(connection);
    Ok(row.optional()?.map(|row| task(owner, row)))
}

/// What may change; `None` leaves a column as it is.
#[derive(AsChangeset)]
#[diesel(table_name = tasks)]
#[expect(clippy::option_option, reason = "Some(None) clears the column")]
pub(super) struct TaskChange {
    pub(super) title: Option<String>,
    pub(super) description: Option<Option<String>>,
    pub(super) completed: Option<bool>,
    pub(super) updated_at: Timestamp,
}

pub(super) fn change(
    connection: &mut DbConnection,
    owner: &UserId,
    id: i64,
    change: &TaskChange,
) -> QueryResult<Option<Task>> {
    let own = tasks::table
        .filter(tasks::id.eq(id))
        .filter(tasks::user_id.eq(owner.as_str()));
    let row = diesel::update(own)
        .set(change)
        .returning(COLUMNS)
        .get_result(connection);
    Ok(row.optional()?.map(|row| task(owner, row)))
}

/// One statement, so two clicks at once are two flips.
pub(super) fn toggle(
    connection: &mut DbConnection,
    owner: &UserId,
    id: i64,
    now: Timestamp,
) -> QueryResult<Option<Task>> {
    let own = tasks::table
        .filter(tasks::id.eq(id))
        .filter(tasks::user_id.eq(owner.as_str()));
    let row = diesel::update(own)
        .set((
            tasks::completed.eq(not(tasks::completed)),
            tasks::updated_at.eq(now),
        ))
        .returning(COLUMNS)
        .get_result(connection);
    Ok(row.optional()?.map(|row| task(owner, row)))
}

/// Whether there was such a task.
pub(super) fn delete(connection: &mut DbConnection, owner: &UserId, id: i64) -> QueryResult<bool> {
    let own = tasks::table
        .filter(tasks::id.eq(id))
        .filter(tasks::user_id.eq(owner.as_str()));
    let deleted = diesel::delete(own).execute(connection)?;
    Ok(deleted > 0)
}
