//! Reads JSON Lines: each line that is not blank is an object, `{"user":{…}}` or `{"task":{…}}`.

use std::io::Write;

use auth_core::password::PasswordHash;
use serde::{Deserialize, Serialize};
use serde_json::error::Category;

use super::TransferError;
use super::import::ImportWriter;
use super::imported_task::{EXPORT_SOURCE, TaskRecord};
use super::imported_user::UserRecord;
use super::json_input::JsonInput;
use super::line_reader::{Line, next_line};

/// The longest line, in bytes. A valid task needs far less: its description has at most 10 000 characters, which take
/// at most 120 kB in JSON (12 bytes per character, as in `\ud83d\ude00`).
const MAX_LINE_BYTES: usize = 1 << 20;

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Record {
    User(UserRecord),
    Task(TaskRecord),
}

pub(super) fn copy_to<W: Write>(
    mut input: JsonInput,
    writer: &mut ImportWriter<W>,
) -> Result<(), TransferError> {
    writer.set_source(EXPORT_SOURCE)?;
    let mut line_number = 0;
    loop {
        let next = next_line(&mut input.reader, MAX_LINE_BYTES);
        // After a signal, the reader may fail as well, but the caller needs the error of this check.
        writer.progress.check_interrupted()?;
        let Some(line) = next? else { return Ok(()) };
        line_number += 1;
        input.work.advance(u64::from(input.counts_lines));
        match parse_line(&line) {
            Ok(None) => {}
            Ok(Some(Record::User(user_record))) => {
                let id = user_record.id.clone();
                writer.add_user(&id, user_record.check(PasswordHash::parse))?;
            }
            Ok(Some(Record::Task(task_record))) => {
                let id = task_record.id.clone();
                writer.add_task(&id, task_record.check())?;
            }
            Err(reason) => writer.report.count_rejected_line(line_number, &reason)?,
        }
    }
}

/// Parses a line; returns `None` if the line is blank.
fn parse_line(line: &Line) -> Result<Option<Record>, String> {
    match line {
        Line::TooLong => Err("it is over 1 MiB".to_owned()),
        Line::NotUtf8 => Err("it is not UTF-8".to_owned()),
        Line::Text(text) if text.trim().is_empty() => Ok(None),
        Line::Text(text) => parse_record(text).map(Some),
    }
}

fn parse_record(text: &str) -> Result<Record, String> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    match serde_path_to_error::deserialize(&mut deserializer) {
        Ok(record) => match deserializer.end() {
            Ok(()) => Ok(record),
            Err(error) => Err(describe_json_error("", &error)),
        },
        Err(error) => Err(describe_json_error(
            &error.path().to_string(),
            error.inner(),
        )),
    }
}

/// Describes an error without the part of serde's own message that may quote the line. Names the field if its value is
/// the problem.
fn describe_json_error(path: &str, error: &serde_json::Error) -> String {
    let column = error.column();
    let problem = match error.classify() {
        Category::Data => match describe_field(path, &error.to_string()) {
            Some(problem) => return format!("{problem} (column {column})"),
            None => "a part of it is missing or of the wrong type",
        },
        Category::Eof => "it ends early",
        _ => "it is not JSON",
    };
    format!("it is neither a user nor a task ({problem}, column {column})")
}

/// Describes the problem of the field at this path; `None` if the whole line is the problem, or if serde's message has
/// an unknown form.
fn describe_field(path: &str, message: &str) -> Option<String> {
    if path == "." {
        return None;
    }
    let (message, _position) = message.rsplit_once(" at line ")?;
    // The last `, expected ` is used, because an earlier one may be part of a value.
    if let Some((_value, expected)) = message.rsplit_once(", expected ") {
        let type_name = match expected {
            "a sequence" => "an array",
            "a map" => "an object",
            expected => expected,
        };
        return Some(format!("its {path} must be {type_name}"));
    }
    if let Some(name) = message.strip_prefix("missing field ") {
        return Some(format!("its {path} lacks {}", name.replace('`', "")));
    }
    let name = message.strip_prefix("duplicate field ")?.replace('`', "");
    Some(format!("its {path} has {name} twice"))
}
