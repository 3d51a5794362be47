//! The tasks table. Every query names the owner: isolation does not rest on the handlers alone.

use diesel::dsl::not;
use diesel::prelude::*;
use diesel::result::{DatabaseErrorKind, Error as DieselError};

use super::task::Task;
use crate::db::schema::tasks;
use crate::db::{DbConnection, Timestamp, lower, on_either_engine};
use crate::http::identity::UserId;

/// In the order of [`Row`]; the round-trip test tells swapped columns. Whose they are every query knows.
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

type Row = (i64, String, Option<String>, bool, Timestamp, Timestamp);

fn task(owner: &UserId, row: Row) -> Task {
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
    /// Part of the title or the description, in any case.
    pub(super) text: Option<String>,
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
    // Most lists have no filter, and a query whose parts do not come and go is found prepared without its text.
    let rows: Vec<Row> = if selection.completed.is_none() && selection.text.is_none() {
        on_either_engine!(connection, |either| page.load(either))?
    } else {
        let mut query = page.into_boxed();
        if let Some(completed) = selection.completed {
            query = query.filter(tasks::completed.eq(completed));
        }
        if let Some(text) = &selection.text {
            // The database lowers both sides: it and Rust need not agree on every letter.
            let pattern = containing(text);
            let in_title = lower(tasks::title)
                .like(lower(pattern.clone()))
                .escape('\\');
            let in_description = lower(tasks::description.assume_not_null())
                .like(lower(pattern))
                .escape('\\');
            let described = tasks::description.is_not_null().and(in_description);
            query = query.filter(in_title.or(described));
        }
        query.load(connection)?
    };
    Ok(rows.into_iter().map(|row| task(owner, row)).collect())
}

/// A LIKE pattern in which the text stands for itself.
fn containing(text: &str) -> String {
    let mut pattern = String::from("%");
    for character in text.chars() {
        if matches!(character, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern.push('%');
    pattern
}

pub(super) struct NewTask {
    pub(super) title: String,
    pub(super) description: Option<String>,
    pub(super) now: Timestamp,
}

/// `None` if the owner has no account.
pub(super) fn insert(
    connection: &mut DbConnection,
    owner: &UserId,
    new: NewTask,
) -> QueryResult<Option<Task>> {
    let inserted = diesel::insert_into(tasks::table)
        .values((
            tasks::user_id.eq(owner.as_str()),
            tasks::title.eq(new.title),
            tasks::description.eq(new.description),
            tasks::completed.eq(false),
            tasks::created_at.eq(new.now),
            tasks::updated_at.eq(new.now),
        ))
        .returning(COLUMNS)
        .get_result(connection);
    match inserted {
        Ok(row) => Ok(Some(task(owner, row))),
        Err(DieselError::DatabaseError(DatabaseErrorKind::ForeignKeyViolation, _)) => Ok(None),
        Err(error) => Err(error),
    }
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

#[cfg(test)]
mod tests {
    use super::containing;

    #[test]
    fn wildcards_in_a_search_stand_for_themselves() {
        assert_eq!(containing(r"50%_\ OFF"), r"%50\%\_\\ OFF%");
    }
}
