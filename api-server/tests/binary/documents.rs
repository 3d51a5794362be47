//! Tests that `.env.example` and the guides list exactly the settings, routes and error codes of the program.

use std::collections::{BTreeMap, BTreeSet};

use actix_web::http::StatusCode;
use api_server::config::Settings;
use clap::CommandFactory as _;
use serde_json::Value;

use harness::{WorkDir, repository_file};

/// Returns the environment variable and the default of every setting. The default is empty if there is none, or if the
/// program computes the default.
fn settings() -> BTreeMap<String, String> {
    let command = Settings::command();
    let variables_with_defaults = command.get_arguments().map(|argument| {
        let variable = argument.get_env().unwrap().to_str().unwrap();
        let default_value = argument.get_default_values().first();
        let default = default_value.map_or("", |value| value.to_str().unwrap());
        (variable.to_owned(), default.to_owned())
    });
    variables_with_defaults.collect()
}

/// Returns the name and the value of every line `NAME=value` or `# NAME=value`.
fn example_settings(example: &str) -> Vec<(&str, &str)> {
    let lines = example.lines().map(|line| line.trim_start_matches("# "));
    let pairs = lines.filter_map(|line| line.split_once('='));
    let is_variable = |name: &str| {
        name.bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte == b'_')
    };
    pairs.filter(|(name, _)| is_variable(name)).collect()
}

#[test]
fn the_example_lists_every_setting_once_with_its_default() {
    let example = repository_file(".env.example");
    let listed_settings = example_settings(&example);
    let mut unlisted_settings = settings();
    for (variable, listed_default) in &listed_settings {
        let default = unlisted_settings.remove(*variable);
        assert_eq!(default.as_deref(), Some(*listed_default), "{variable}");
    }
    assert!(
        unlisted_settings.is_empty(),
        "missing: {unlisted_settings:?}"
    );
}

#[test]
fn the_server_starts_with_the_example() {
    let work_dir = WorkDir::new();
    work_dir.write(".env", repository_file(".env.example"));
    work_dir.program().start().stop();
}

#[test]
fn the_server_starts_with_every_default_of_the_example() {
    let work_dir = WorkDir::new();
    let example = repository_file(".env.example");
    let listed_settings = example_settings(&example).into_iter();
    let settings_with_default = listed_settings.filter(|(_, value)| !value.is_empty());
    let lines: Vec<_> = settings_with_default
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    work_dir.write(".env", lines.join("\n"));
    work_dir.program().start().stop();
    assert_eq!(work_dir.names(), [".env", "data"]);
}

/// Returns the rows of the first table under a heading, each as a list of cells. Leaves out the header row and the
/// line below that row.
fn table_rows(path: &str, heading: &str) -> Vec<Vec<String>> {
    let document = repository_file(path);
    let lines_after_heading = document.lines().skip_while(|line| *line != heading).skip(1);
    let section = lines_after_heading.take_while(|line| !line.starts_with("## "));
    let table_lines = section.skip_while(|line| !line.starts_with('|'));
    let rows: Vec<_> = table_lines
        .take_while(|line| line.starts_with('|'))
        .collect();
    assert!(rows.len() > 2, "{path} has no table under {heading}");
    rows[2..].iter().map(|row| cells(row)).collect()
}

fn cells(row: &str) -> Vec<String> {
    let trimmed_cells = row.trim_matches('|').split('|').map(str::trim);
    trimmed_cells.map(ToOwned::to_owned).collect()
}

/// Returns the text between the backticks of a cell.
fn code_text(cell: &str) -> &str {
    let code = cell
        .strip_prefix('`')
        .and_then(|cell| cell.strip_suffix('`'));
    code.unwrap_or_else(|| panic!("{cell} is not one piece of code"))
}

/// Returns the entries as a set, and asserts that no entry is repeated.
fn unique_entries<T: Ord + std::fmt::Debug>(entries: impl Iterator<Item = T>) -> BTreeSet<T> {
    let mut entry_set = BTreeSet::new();
    for entry in entries {
        let printed_entry = format!("{entry:?}");
        assert!(entry_set.insert(entry), "listed twice: {printed_entry}");
    }
    entry_set
}

fn assert_same_entries<T: Ord + std::fmt::Debug>(listed: &BTreeSet<T>, actual: &BTreeSet<T>) {
    let missing: Vec<_> = actual.difference(listed).collect();
    let unknown: Vec<_> = listed.difference(actual).collect();
    assert!(
        missing.is_empty() && unknown.is_empty(),
        "missing: {missing:?}; unknown: {unknown:?}"
    );
}

#[test]
fn the_operating_guide_lists_every_setting_once_with_its_default() {
    let rows = table_rows("docs/operating.md", "## Settings");
    let listed_variables = unique_entries(rows.iter().map(|row| code_text(&row[0]).to_owned()));
    let actual_settings = settings();
    assert_same_entries(
        &listed_variables,
        &actual_settings.keys().cloned().collect(),
    );
    for row in rows {
        let default = &actual_settings[code_text(&row[0])];
        if default.is_empty() {
            // The table has a dash if there is no default, and words, not code, if the program computes the default.
            assert!(!row[1].starts_with('`'), "{} has no default", row[0]);
        } else {
            assert_eq!(code_text(&row[1]), default, "{}", row[0]);
        }
    }
}

/// Returns every operation in the OpenAPI document as `METHOD PATH`. `tests/tests/e2e/openapi.rs` compares the document
/// with the routes of the server.
fn operations() -> BTreeSet<String> {
    let document: Value = serde_json::from_str(&repository_file("docs/openapi.json")).unwrap();
    let paths = document["paths"].as_object().unwrap();
    let operations = paths.iter().flat_map(|(path, item)| {
        let keys = item.as_object().unwrap().keys();
        let methods = keys.filter(|key| METHODS.contains(&key.as_str()));
        methods.map(move |method| format!("{} {path}", method.to_uppercase()))
    });
    operations.collect()
}

const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];
/// The guide describes these aliases of `/api/{user_id}/tasks` in a sentence instead of in the table of routes.
const TASK_ALIASES: [&str; 2] = ["/api/tasks", "/api/v1/tasks"];

#[test]
fn the_api_guide_lists_every_route_once() {
    let rows = table_rows("docs/api.md", "## Routes");
    let mut listed_routes = unique_entries(rows.iter().map(|row| code_text(&row[0]).to_owned()));
    let task_routes: Vec<_> = listed_routes
        .iter()
        .filter(|route| route.contains("/api/{user_id}/tasks"))
        .cloned()
        .collect();
    for alias in TASK_ALIASES {
        let alias_routes = task_routes
            .iter()
            .map(|route| route.replace("/api/{user_id}/tasks", alias));
        listed_routes.extend(alias_routes);
    }
    assert_same_entries(&listed_routes, &operations());
}

/// Returns the status and the name of every error code, such as `404 NOT_FOUND`. The source has a line
/// `Variant = STATUS "CODE",` for each error code.
fn error_codes() -> BTreeSet<String> {
    let source = repository_file("api-server/src/problem/code.rs");
    let definitions = source.lines().filter_map(|line| {
        let (_, definition) = line.split_once(" = ")?;
        let (status_constant, quoted_code) = definition.split_once(' ')?;
        let code = quoted_code.strip_prefix('"')?.strip_suffix("\",")?;
        Some(format!("{} {code}", status_number(status_constant)))
    });
    definitions.collect()
}

/// Returns the status code that a constant names, such as 404 for `NOT_FOUND`.
fn status_number(constant: &str) -> u16 {
    let is_named_by_constant = |number: &u16| {
        let status = StatusCode::from_u16(*number).unwrap();
        let reason = status.canonical_reason().unwrap_or_default();
        reason.to_uppercase().replace([' ', '-'], "_") == constant
    };
    let number = (400..600).find(is_named_by_constant);
    number.unwrap_or_else(|| panic!("{constant} is no status"))
}

#[test]
fn the_api_guide_lists_every_error_code_once_with_its_status() {
    let rows = table_rows("docs/api.md", "## Errors");
    let listed_codes = rows
        .iter()
        .map(|row| format!("{} {}", row[0], code_text(&row[1])));
    assert_same_entries(&unique_entries(listed_codes), &error_codes());
}
