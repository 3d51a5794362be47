//! Writes our own tables in the form that `json` reads.

use std::io::Write;

use super::TransferError;
use super::imported_task::TaskRecord;
use super::imported_user::UserRecord;
use super::json::Record;
use crate::db::{DatabaseUrl, Reader, SHORT_TEXT_BYTES, Table, TextRow, Timestamp};

/// Above every limit of ours, in bytes, so that no value of ours is cut.
const LONG: usize = 1 << 17;

const USERS: &str = "users u ORDER BY u.id";
const TASKS: &str = "tasks t JOIN users u ON u.id = t.user_id ORDER BY t.id";

pub(super) fn write(
    source: &DatabaseUrl,
    tasks: bool,
    output: &mut impl Write,
) -> Result<(), TransferError> {
    let mut reader = Reader::open(source)?;
    let time_kind = time_kind(&mut reader)?;
    let users = columns(&reader, &time_kind, "u", &USER);
    reader.for_each(&users, USERS, |row| put(output, &user(row)?))?;
    if tasks {
        let mut expressions = columns(&reader, &time_kind, "t", &TASK);
        expressions.push(Reader::text("u.email", LONG));
        reader.for_each(&expressions, TASKS, |row| put(output, &task(row)?))?;
    }
    Ok(())
}

const USER: [&str; 8] = [
    "id",
    "email",
    "name",
    "image",
    "email_verified",
    "password_hash",
    "created_at",
    "updated_at",
];
const TASK: [&str; 7] = [
    "id",
    "user_id",
    "title",
    "description",
    "completed",
    "created_at",
    "updated_at",
];

/// The type of a time column, which is the same in both tables.
fn time_kind(reader: &mut Reader) -> Result<String, TransferError> {
    let columns = reader.columns(&Table::parse("users")?)?;
    let created_at = columns
        .into_iter()
        .find(|column| column.name == "created_at");
    let kind = created_at.map(|column| column.kind);
    kind.ok_or_else(|| "there is no table of users; is it the database of this server?".into())
}

fn columns(reader: &Reader, time: &str, alias: &str, names: &[&str]) -> Vec<String> {
    let expression = |name: &&str| {
        let column = format!("{alias}.{name}");
        match *name {
            "created_at" | "updated_at" => reader.time(&column, time),
            "email_verified" | "completed" => Reader::text(&column, SHORT_TEXT_BYTES),
            _ => Reader::text(&column, LONG),
        }
    };
    names.iter().map(expression).collect()
}

fn user(row: &TextRow) -> Result<Record, TransferError> {
    Ok(Record::User(UserRecord {
        id: required(row, 0)?,
        email: required(row, 1)?,
        name: text(row, 2)?,
        image: text(row, 3)?,
        email_verified: truth(row, 4)?,
        password_hash: text(row, 5)?,
        created_at: time(row, 6)?,
        updated_at: time(row, 7)?,
    }))
}

fn task(row: &TextRow) -> Result<Record, TransferError> {
    Ok(Record::Task(TaskRecord {
        id: required(row, 0)?,
        user_id: required(row, 1)?,
        title: required(row, 2)?,
        description: text(row, 3)?,
        completed: truth(row, 4)?,
        created_at: time(row, 5)?,
        updated_at: time(row, 6)?,
        user_email: required(row, 7)?,
    }))
}

/// Fails on a value that cannot be read: an export must not leave a row out.
fn text(row: &TextRow, column: usize) -> Result<Option<String>, TransferError> {
    let id = row.text(0).ok().flatten().unwrap_or_default();
    row.text(column)
        .map_err(|error| format!("the row {id:?} has a value that {error}").into())
}

fn required(row: &TextRow, column: usize) -> Result<String, TransferError> {
    Ok(text(row, column)?.unwrap_or_default())
}

fn truth(row: &TextRow, column: usize) -> Result<bool, TransferError> {
    Ok(matches!(required(row, column)?.as_str(), "true" | "1"))
}

fn time(row: &TextRow, column: usize) -> Result<String, TransferError> {
    let text = required(row, column)?;
    let time = Timestamp::parse(&text);
    time.map(Timestamp::to_rfc3339_micros)
        .ok_or_else(|| format!("{text:?} is no time").into())
}

fn put(output: &mut impl Write, record: &Record) -> Result<(), TransferError> {
    serde_json::to_writer(&mut *output, record)?;
    Ok(output.write_all(b"\n")?)
}
