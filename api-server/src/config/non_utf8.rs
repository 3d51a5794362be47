//! Names the environment variables that are not UTF-8.

use std::ffi::OsStr;

use clap::CommandFactory as _;
use clap::error::ErrorKind;

use super::raw::Settings;

/// Replaces clap's error about environment variables that are not UTF-8, because clap does not name the variables.
pub(super) fn name_non_utf8_variables(error: clap::Error) -> clap::Error {
    let command = Settings::command();
    let variables = command.get_arguments().filter_map(clap::Arg::get_env);
    let non_utf8_variables = variables.filter(|name| {
        let value = std::env::var_os(name);
        value.is_some_and(|value| value.to_str().is_none())
    });
    let names: Vec<_> = non_utf8_variables.map(OsStr::to_string_lossy).collect();
    match error.kind() {
        ErrorKind::InvalidUtf8 if !names.is_empty() => clap::Error::raw(
            ErrorKind::InvalidUtf8,
            format!("{}: is not text; write it in UTF-8\n", names.join(", ")),
        ),
        _ => error,
    }
}
