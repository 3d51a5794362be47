//! Writes the users and tasks of this server in the format that the module `json` reads.

use std::io::Write;

use serde_json::{Map, Value};

use super::TransferError;
use super::imported_task::TaskRecord;
use super::imported_user::UserRecord;
use super::json::Record;
use crate::db::{DatabaseUrl, MAX_SHORT_TEXT_BYTES, Reader, TableName, TextRow, Timestamp};
use crate::progress::{Progress, Unit};

/// The longest text that is read, in bytes. Every text that this server stores is shorter: a description, the longest,
/// has at most 40 000 bytes.
const MAX_TEXT_BYTES: usize = 1 << 17;

const FROM_USERS: &str = "users u ORDER BY u.id";
const FROM_TASKS: &str = "tasks t JOIN users u ON u.id = t.user_id ORDER BY t.id";

pub(super) fn write(
    source: &DatabaseUrl,
    with_tasks: bool,
    output: &mut impl Write,
    progress: &Progress,
) -> Result<(), TransferError> {
    let check_work = progress.start("check the database", Unit::Uncounted, None);
    let mut reader = Reader::open(source)?;
    let time_type = time_column_type(&mut reader)?;
    let mut total = reader.count_rows("users")?;
    if with_tasks {
        total += reader.count_rows("tasks")?;
    }
    drop(check_work);
    let work = progress.start("export", Unit::Rows, Some(total));
    let user_expressions = expressions(&reader, &time_type, "u", &USER_COLUMNS);
    reader.for_each_row(&user_expressions, FROM_USERS, |row| {
        work.advance(1);
        write_record(output, &read_user(row)?)
    })?;
    if with_tasks {
        let mut task_expressions = expressions(&reader, &time_type, "t", &TASK_COLUMNS);
        task_expressions.push(Reader::text_expression("u.email", MAX_TEXT_BYTES));
        reader.for_each_row(&task_expressions, FROM_TASKS, |row| {
            work.advance(1);
            write_record(output, &read_task(row)?)
        })?;
    }
    Ok(())
}

const USER_COLUMNS: [&str; 11] = [
    "id",
    "email",
    "name",
    "image",
    "email_verified",
    "language",
    "roles",
    "custom_claims",
    "password_hash",
    "created_at",
    "updated_at",
];
/// The columns of `tasks`. In a row of the export, the owner's email address follows these columns.
const TASK_COLUMNS: [&str; 7] = [
    "id",
    "user_id",
    "title",
    "description",
    "completed",
    "created_at",
    "updated_at",
];

/// Returns the SQL type of the time columns, which is the same in the tables `users` and `tasks`.
fn time_column_type(reader: &mut Reader) -> Result<String, TransferError> {
    let columns = reader.columns(&TableName::parse("users")?)?;
    let created_at = columns
        .into_iter()
        .find(|column| column.name == "created_at");
    let kind = created_at.map(|column| column.kind);
    kind.ok_or_else(|| "there is no table of users; is this the database of this server?".into())
}

/// Returns the SQL expressions that read the columns with these names.
fn expressions(reader: &Reader, time_type: &str, alias: &str, names: &[&str]) -> Vec<String> {
    let expression_of = |name: &&str| {
        let column = format!("{alias}.{name}");
        match *name {
            "created_at" | "updated_at" => reader.time_expression(&column, time_type),
            "email_verified" | "completed" => {
                Reader::text_expression(&column, MAX_SHORT_TEXT_BYTES)
            }
            _ => Reader::text_expression(&column, MAX_TEXT_BYTES),
        }
    };
    names.iter().map(expression_of).collect()
}

fn read_user(row: &TextRow) -> Result<Record, TransferError> {
    Ok(Record::User(UserRecord {
        id: text_or_empty(row, 0)?,
        email: text_or_empty(row, 1)?,
        name: optional_text(row, 2)?,
        image: optional_text(row, 3)?,
        email_verified: boolean(row, 4)?,
        language: optional_text(row, 5)?,
        roles: Some(role_names(&text_or_empty(row, 6)?)),
        claims: Some(json_object(row, 7)?),
        password_hash: optional_text(row, 8)?,
        created_at: rfc3339_time(row, 9)?,
        updated_at: rfc3339_time(row, 10)?,
    }))
}

fn read_task(row: &TextRow) -> Result<Record, TransferError> {
    Ok(Record::Task(TaskRecord {
        id: text_or_empty(row, 0)?,
        user_id: text_or_empty(row, 1)?,
        title: text_or_empty(row, 2)?,
        description: optional_text(row, 3)?,
        completed: boolean(row, 4)?,
        created_at: rfc3339_time(row, 5)?,
        updated_at: rfc3339_time(row, 6)?,
        user_email: text_or_empty(row, 7)?,
    }))
}

/// Reads a text; `None` for NULL. Fails if the text cannot be read, because an export must not omit a value.
fn optional_text(row: &TextRow, column: usize) -> Result<Option<String>, TransferError> {
    let id = row.text(0).ok().flatten().unwrap_or_default();
    row.text(column)
        .map_err(|error| format!("the row {id:?} has a value that {error}").into())
}

fn text_or_empty(row: &TextRow, column: usize) -> Result<String, TransferError> {
    Ok(optional_text(row, column)?.unwrap_or_default())
}

fn boolean(row: &TextRow, column: usize) -> Result<bool, TransferError> {
    Ok(matches!(text_or_empty(row, column)?.as_str(), "true" | "1"))
}

/// Splits the text of the column `roles`. Keeps names that this release does not accept.
fn role_names(text: &str) -> Vec<String> {
    text.split_ascii_whitespace()
        .map(ToOwned::to_owned)
        .collect()
}

fn json_object(row: &TextRow, column: usize) -> Result<Map<String, Value>, TransferError> {
    let Some(text) = optional_text(row, column)? else {
        return Ok(Map::new());
    };
    let id = text_or_empty(row, 0)?;
    serde_json::from_str(&text).map_err(|_not_an_object| {
        format!("the claims of the user {id:?} are no JSON object").into()
    })
}

fn rfc3339_time(row: &TextRow, column: usize) -> Result<String, TransferError> {
    let text = text_or_empty(row, column)?;
    let time = Timestamp::parse(&text);
    time.map(Timestamp::to_rfc3339_micros)
        .ok_or_else(|| format!("{text:?} is not a time").into())
}

fn write_record(output: &mut impl Write, record: &Record) -> Result<(), TransferError> {
    serde_json::to_writer(&mut *output, record)?;
    Ok(output.write_all(b"\n")?)
}
