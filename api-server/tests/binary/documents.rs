//! The documents list exactly the settings, routes and error codes of the program.

use std::collections::{BTreeMap, BTreeSet};

use actix_web::http::StatusCode;
use api_server::config::Settings;
use clap::CommandFactory as _;
use serde_json::Value;

use harness::{WorkDir, repository_file};

/// Returns variables and their defaults. A default is empty if the program computes it.
fn settings() -> BTreeMap<String, String> {
    let command = Settings::command();
    let arguments = command.get_arguments().map(|argument| {
        let variable = argument.get_env().unwrap().to_str().unwrap();
        let default = argument.get_default_values().first();
        let default = default.map_or("", |default| default.to_str().unwrap());
        (variable.to_owned(), default.to_owned())
    });
    arguments.collect()
}

/// Returns name and value of the lines `# NAME=value`.
fn example_lines(example: &str) -> Vec<(&str, &str)> {
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
    let lines = example_lines(&example);
    let mut expected = settings();
    for (variable, value) in &lines {
        let default = expected.remove(*variable);
        assert_eq!(default.as_deref(), Some(*value), "{variable}");
    }
    assert!(expected.is_empty(), "missing: {expected:?}");
}

#[test]
fn the_example_can_be_used_as_it_is() {
    let work_dir = WorkDir::new();
    work_dir.write(".env", repository_file(".env.example"));
    work_dir.program().start().stop();
}

#[test]
fn the_example_with_every_default_spelled_out_changes_nothing() {
    let work_dir = WorkDir::new();
    let example = repository_file(".env.example");
    let settings_with_default = example_lines(&example).into_iter();
    let settings_with_default = settings_with_default.filter(|(_, value)| !value.is_empty());
    let lines: Vec<_> = settings_with_default
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    work_dir.write(".env", lines.join("\n"));
    work_dir.program().start().stop();
    assert_eq!(work_dir.names(), [".env", "data"]);
}

/// Returns the cells of the rows of the table under a heading, without the header.
fn table(document: &str, heading: &str) -> Vec<Vec<String>> {
    let text = repository_file(document);
    let section = text.lines().skip_while(|line| *line != heading).skip(1);
    let section = section.take_while(|line| !line.starts_with("## "));
    let rows = section.skip_while(|line| !line.starts_with('|'));
    let rows: Vec<_> = rows.take_while(|line| line.starts_with('|')).collect();
    assert!(rows.len() > 2, "{document} has no table under {heading}");
    rows[2..].iter().map(|row| cells(row)).collect()
}

fn cells(row: &str) -> Vec<String> {
    let cells = row.trim_matches('|').split('|').map(str::trim);
    cells.map(ToOwned::to_owned).collect()
}

/// Returns the text inside of a cell's backticks.
fn code_text(cell: &str) -> &str {
    let inner = cell
        .strip_prefix('`')
        .and_then(|cell| cell.strip_suffix('`'));
    inner.unwrap_or_else(|| panic!("{cell} is not one piece of code"))
}

/// Returns the names in the rows, and asserts that none is repeated.
fn listed_once<T: Ord + std::fmt::Debug>(rows: impl Iterator<Item = T>) -> BTreeSet<T> {
    let mut listed = BTreeSet::new();
    for row in rows {
        let text = format!("{row:?}");
        assert!(listed.insert(row), "listed twice: {text}");
    }
    listed
}

fn assert_same<T: Ord + std::fmt::Debug>(listed: &BTreeSet<T>, actual: &BTreeSet<T>) {
    let missing: Vec<_> = actual.difference(listed).collect();
    let unknown: Vec<_> = listed.difference(actual).collect();
    assert!(
        missing.is_empty() && unknown.is_empty(),
        "missing: {missing:?}; unknown: {unknown:?}"
    );
}

#[test]
fn the_guide_lists_every_setting_once_with_its_default() {
    let rows = table("docs/operating.md", "## Settings");
    let listed = listed_once(rows.iter().map(|row| code_text(&row[0]).to_owned()));
    let settings = settings();
    assert_same(&listed, &settings.keys().cloned().collect());
    for row in rows {
        let default = &settings[code_text(&row[0])];
        if default.is_empty() {
            // The table describes this default in words.
            assert!(!row[1].starts_with('`'), "{} has no default", row[0]);
        } else {
            assert_eq!(code_text(&row[1]), default, "{}", row[0]);
        }
    }
}

/// Returns `METHOD PATH` of every operation in the OpenAPI document, which another test compares with the server.
fn operations() -> BTreeSet<String> {
    let document: Value = serde_json::from_str(&repository_file("docs/openapi.json")).unwrap();
    let paths = document["paths"].as_object().unwrap();
    let operations = paths.iter().flat_map(|(path, item)| {
        let methods = item.as_object().unwrap().keys();
        let methods = methods.filter(|key| METHODS.contains(&key.as_str()));
        methods.map(move |method| format!("{} {path}", method.to_uppercase()))
    });
    operations.collect()
}

const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];
/// The guide maps these paths to `/api/{user_id}/tasks` in one sentence.
const TASK_ALIASES: [&str; 2] = ["/api/tasks", "/api/v1/tasks"];

#[test]
fn the_guide_lists_every_route_once() {
    let rows = table("docs/api.md", "## Routes");
    let mut listed = listed_once(rows.iter().map(|row| code_text(&row[0]).to_owned()));
    let tasks: Vec<_> = listed
        .iter()
        .filter(|route| route.contains("/api/{user_id}/tasks"))
        .cloned()
        .collect();
    for alias in TASK_ALIASES {
        let aliases = tasks
            .iter()
            .map(|route| route.replace("/api/{user_id}/tasks", alias));
        listed.extend(aliases);
    }
    assert_same(&listed, &operations());
}

/// Returns `STATUS CODE` for every line `Variant = STATUS "CODE",` of the source.
fn codes() -> BTreeSet<String> {
    let source = repository_file("api-server/src/problem/code.rs");
    let definitions = source.lines().filter_map(|line| {
        let (_, definition) = line.split_once(" = ")?;
        let (status, name) = definition.split_once(' ')?;
        let name = name.strip_prefix('"')?.strip_suffix("\",")?;
        Some(format!("{} {name}", status_number(status)))
    });
    definitions.collect()
}

/// Returns the number of a status constant: 404 for `NOT_FOUND`.
fn status_number(constant: &str) -> u16 {
    let named = |status: &u16| {
        let status = StatusCode::from_u16(*status).unwrap();
        let reason = status.canonical_reason().unwrap_or_default();
        reason.to_uppercase().replace([' ', '-'], "_") == constant
    };
    let found = (400..600).find(named);
    found.unwrap_or_else(|| panic!("{constant} is no status"))
}

#[test]
fn the_guide_lists_every_error_code_once_with_its_status() {
    let rows = table("docs/api.md", "## Errors");
    let listed = rows
        .iter()
        .map(|row| format!("{} {}", row[0], code_text(&row[1])));
    assert_same(&listed_once(listed), &codes());
}
