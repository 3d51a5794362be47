//! The file `.env`. No complaint about it quotes it: any line may hold a secret.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

/// Read in the current directory.
pub(super) const ENV_FILE: &str = ".env";

/// Adds what the file says to the environment, which keeps what it has. Without a file nothing is done.
pub(super) fn load(file: &Path) -> Result<(), String> {
    let name = file.display();
    match fs::read_to_string(file) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(format!("{name}: {error}")),
        Ok(text) => dotenvy::from_read(text.as_bytes())
            .map_err(|error| format!("{name}, {}", explain(&error, &text))),
    }
}

/// What the file says, line by line; of a name that stands there twice the first counts. Without a file, nothing.
pub(super) fn read(file: &Path) -> Result<Vec<(String, String)>, String> {
    let text = match fs::read_to_string(file) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error.to_string()),
        Ok(text) => text,
    };
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let lines: Result<_, _> = dotenvy::from_read_iter(text.as_bytes()).collect();
    lines.map_err(|error| explain(&error, text))
}

fn explain(error: &dotenvy::Error, text: &str) -> String {
    match error {
        dotenvy::Error::LineParse(rest, _) => format!(
            "line {}: cannot be read; write NAME='value', on one line",
            line_number(rest, text)
        ),
        other => other.to_string(),
    }
}

/// The parser tells what it could not read, which is the end of a line, but not where.
fn line_number(rest: &str, text: &str) -> usize {
    let rest = rest.lines().next().unwrap_or_default().trim();
    let mut lines = text.lines().map(str::trim);
    let before = lines.position(|line| !line.starts_with('#') && line.ends_with(rest));
    before.map_or(1, |before| before + 1)
}
