//! The queries of the task handlers. Every query on the table `tasks` filters by owner, so that a mistake in a handler
//! cannot find the task of another user by its id.

use diesel::dsl::{exists, not};
use diesel::prelude::*;
use diesel::result::{DatabaseErrorKind, Error as DieselError};
use diesel::sql_types::{self, Bool, Nullable, Text};

use super::quota::TaskQuota;
use super::task::Task;
use crate::db::schema::{tasks, users};
use crate::db::{DbConnection, Timestamp, lock_until_commit, on_either_engine, write_transaction};
use crate::users::id::UserId;

/// The columns in the order of [`TaskRow`]. A test that writes and reads a row detects swapped columns. The column
/// `user_id` is left out, because the caller knows the owner.
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

fn task_of_row(owner: &UserId, row: TaskRow) -> Task {
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

/// The filters and the maximum length of a list of a user's tasks.
pub(super) struct Selection {
    pub(super) completed: Option<bool>,
    /// Only tasks older than the task with this id.
    pub(super) before_id: Option<i64>,
    pub(super) limit: i64,
}

/// Lists tasks, newest first.
pub(super) fn list(
    connection: &mut DbConnection,
    owner: &UserId,
    selection: &Selection,
) -> QueryResult<Vec<Task>> {
    let before_id = selection.before_id.unwrap_or(i64::MAX);
    let query = tasks::table
        .filter(tasks::user_id.eq(owner.as_str()))
        .filter(tasks::id.lt(before_id))
        .select(COLUMNS)
        .order(tasks::id.desc())
        .limit(selection.limit);
    // Two queries of a fixed form instead of one query with an optional filter, because diesel then finds the prepared
    // statement by the type of the query, without building the SQL.
    let rows: Vec<TaskRow> = match selection.completed {
        None => on_either_engine!(connection, |connection| query.load(connection))?,
        Some(completed) => {
            let filtered_query = query.filter(tasks::completed.eq(completed));
            on_either_engine!(connection, |connection| filtered_query.load(connection))?
        }
    };
    Ok(rows
        .into_iter()
        .map(|row| task_of_row(owner, row))
        .collect())
}

pub(super) struct NewTask {
    pub(super) title: String,
    pub(super) description: Option<String>,
    pub(super) created_at: Timestamp,
}

pub(super) enum InsertOutcome {
    Inserted(Box<Task>),
    /// The owner has at least as many tasks as allowed.
    LimitReached,
    NoAccount,
}

/// Adds a task unless the owner already has as many tasks as allowed. Below [`TaskQuota::lock_threshold`], one
/// statement checks the limit and inserts the task.
pub(super) fn insert(
    connection: &mut DbConnection,
    owner: &UserId,
    new_task: &NewTask,
    quota: &TaskQuota,
) -> QueryResult<InsertOutcome> {
    let last_count = quota.last_count(owner);
    let allowance = Allowance {
        above_id: last_count.max_id,
        max_tasks: quota.lock_threshold() - last_count.count,
    };
    let inserted_task = match insert_within_allowance(connection, owner, new_task, allowance)? {
        Some(task) => {
            if quota.record_added(owner) {
                let newer_count = count_tasks(connection, owner, last_count.max_id, task.id)?;
                quota.record_count(owner, task.id, last_count.count + newer_count);
            }
            Some(task)
        }
        None => insert_under_lock(connection, owner, new_task, quota)?,
    };
    match inserted_task {
        Some(task) => Ok(InsertOutcome::Inserted(Box::new(task))),
        None if has_account(connection, owner)? => Ok(InsertOutcome::LimitReached),
        None => Ok(InsertOutcome::NoAccount),
    }
}

/// Adds a task under a lock of the account, so that requests near the limit add tasks to the account one at a time.
fn insert_under_lock(
    connection: &mut DbConnection,
    owner: &UserId,
    new_task: &NewTask,
    quota: &TaskQuota,
) -> QueryResult<Option<Task>> {
    write_transaction(connection, |connection| {
        lock_until_commit(connection, owner.as_str())?;
        let allowance = Allowance {
            above_id: 0,
            max_tasks: quota.max_tasks(),
        };
        let inserted_task = insert_within_allowance(connection, owner, new_task, allowance)?;
        if let Some(task) = &inserted_task {
            let total = count_tasks(connection, owner, 0, task.id)?;
            quota.record_count(owner, task.id, total);
        }
        Ok(inserted_task)
    })
}

/// Counts the owner's tasks with an id greater than `above_id` and at most `max_id`.
fn count_tasks(
    connection: &mut DbConnection,
    owner: &UserId,
    above_id: i64,
    max_id: i64,
) -> QueryResult<i64> {
    tasks::table
        .filter(tasks::user_id.eq(owner.as_str()))
        .filter(tasks::id.gt(above_id))
        .filter(tasks::id.le(max_id))
        .count()
        .get_result(connection)
}

/// The number of tasks with an id greater than `above_id` that the owner may have.
#[derive(Clone, Copy)]
struct Allowance {
    above_id: i64,
    max_tasks: i64,
}

/// Adds a task within the allowance. Returns `None` if the allowance is used up, or if the owner has no account.
fn insert_within_allowance(
    connection: &mut DbConnection,
    owner: &UserId,
    new_task: &NewTask,
    allowance: Allowance,
) -> QueryResult<Option<Task>> {
    if allowance.max_tasks <= 0 {
        return Ok(None);
    }
    // Reads at most as many entries of the index as the allowance has tasks.
    let used_up_condition = exists(
        tasks::table
            .filter(tasks::user_id.eq(owner.as_str()))
            .filter(tasks::id.gt(allowance.above_id))
            .select(tasks::id)
            .order(tasks::id.asc())
            .offset(allowance.max_tasks - 1)
            .limit(1),
    );
    let new_row = users::table
        .filter(users::id.eq(owner.as_str()))
        .filter(not(used_up_condition))
        .select((
            users::id,
            new_task.title.as_str().into_sql::<Text>(),
            new_task.description.as_deref().into_sql::<Nullable<Text>>(),
            false.into_sql::<Bool>(),
            new_task.created_at.into_sql::<sql_types::Timestamp>(),
            new_task.created_at.into_sql::<sql_types::Timestamp>(),
        ));
    let statement = new_row
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
    let result =
        on_either_engine!(connection, |connection| statement.get_result(connection)).optional();
    match result {
        Ok(row) => Ok(row.map(|row| task_of_row(owner, row))),
        // Another request deleted the account during the insert.
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
    Ok(row.optional()?.map(|row| task_of_row(owner, row)))
}

/// The columns to change; `None` keeps the value.
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
    let own_task = tasks::table
        .filter(tasks::id.eq(id))
        .filter(tasks::user_id.eq(owner.as_str()));
    let row = diesel::update(own_task)
        .set(change)
        .returning(COLUMNS)
        .get_result(connection);
    Ok(row.optional()?.map(|row| task_of_row(owner, row)))
}

/// Inverts `completed` and sets `updated_at`, in one statement, so that concurrent requests do not overwrite each
/// other.
pub(super) fn toggle(
    connection: &mut DbConnection,
    owner: &UserId,
    id: i64,
    now: Timestamp,
) -> QueryResult<Option<Task>> {
    let own_task = tasks::table
        .filter(tasks::id.eq(id))
        .filter(tasks::user_id.eq(owner.as_str()));
    let row = diesel::update(own_task)
        .set((
            tasks::completed.eq(not(tasks::completed)),
            tasks::updated_at.eq(now),
        ))
        .returning(COLUMNS)
        .get_result(connection);
    Ok(row.optional()?.map(|row| task_of_row(owner, row)))
}

/// Deletes the task. Returns `false` if the owner has no task with this id.
pub(super) fn delete(connection: &mut DbConnection, owner: &UserId, id: i64) -> QueryResult<bool> {
    let own_task = tasks::table
        .filter(tasks::id.eq(id))
        .filter(tasks::user_id.eq(owner.as_str()));
    let deleted_count = diesel::delete(own_task).execute(connection)?;
    Ok(deleted_count > 0)
}
