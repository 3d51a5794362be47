//! Reads the file `.env`. The errors never quote the file, because any line may contain a secret.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use crate::db::is_accessible_to_others;

/// Path of the file with settings, relative to the current directory.
pub(super) const ENV_FILE: &str = ".env";

/// Adds the variables in the file to the environment of the process. Variables that are set already keep their value. A
/// missing file is no error.
pub(super) fn load(file: &Path) -> Result<(), String> {
    let path = file.display();
    match fs::read_to_string(file) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(format!("{path}: {error}")),
        Ok(text) => dotenvy::from_read(text.as_bytes())
            .map_err(|error| format!("{path}, {}", explain(&error, &text))),
    }
}

/// Returns the names and values in the file, in the order of the lines. For a name that appears twice, the caller must
/// use the first value, as [`load`] does. Returns an empty list if the file is missing.
pub(super) fn read(file: &Path) -> Result<Vec<(String, String)>, String> {
    let file_text = match fs::read_to_string(file) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error.to_string()),
        Ok(text) => text,
    };
    let text = file_text.strip_prefix('\u{feff}').unwrap_or(&file_text);
    let entries_result: Result<_, _> = dotenvy::from_read_iter(text.as_bytes()).collect();
    entries_result.map_err(|error| explain(&error, text))
}

/// The settings whose values are secret, or may contain a password.
const SECRET_SETTINGS: &[&str] = &[
    "AUTH_SECRET",
    "AUTH_SECRETS_PREVIOUS",
    "DATABASE_URL",
    "SMTP_URL",
    "OTEL_EXPORTER_OTLP_HEADERS",
];

/// Returns the first of the [`SECRET_SETTINGS`] that `.env` contains, if other users of the machine have access to the
/// file.
pub(crate) fn exposed_secret_setting() -> Option<&'static str> {
    let file = Path::new(ENV_FILE);
    if !is_accessible_to_others(file).unwrap_or_default() {
        return None;
    }
    let entries = read(file).unwrap_or_default();
    let is_in_file = |name: &&&str| entries.iter().any(|(entry_name, _)| entry_name == **name);
    SECRET_SETTINGS.iter().find(is_in_file).copied()
}

fn explain(error: &dotenvy::Error, text: &str) -> String {
    match error {
        dotenvy::Error::LineParse(unparsed_text, _) => format!(
            "line {}: cannot be read; write NAME='value', on one line",
            line_number(unparsed_text, text)
        ),
        other_error => other_error.to_string(),
    }
}

/// Returns the number of the line with the error. The parser reports no line number, only `unparsed_text`. So this
/// finds the first line that is no comment and ends with the first line of `unparsed_text`. Returns 1 if there is none.
fn line_number(unparsed_text: &str, text: &str) -> usize {
    let line_end = unparsed_text.lines().next().unwrap_or_default().trim();
    let mut lines = text.lines().map(str::trim);
    let index = lines.position(|line| !line.starts_with('#') && line.ends_with(line_end));
    index.map_or(1, |index| index + 1)
}
