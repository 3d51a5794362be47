//! `.env.example` and the README list the settings that there are, with their defaults.

use std::collections::BTreeMap;

use api_server::config::Settings;
use clap::CommandFactory as _;

use harness::{Place, committed};

/// Variables and their defaults; empty where the program finds one itself.
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

/// `# NAME=value`, as people uncomment it.
fn example_lines(example: &str) -> Vec<(&str, &str)> {
    let lines = example.lines().map(|line| line.trim_start_matches("# "));
    let pairs = lines.filter_map(|line| line.split_once('='));
    let is_variable = |name: &str| name.bytes().all(|b| b.is_ascii_uppercase() || b == b'_');
    pairs.filter(|(name, _)| is_variable(name)).collect()
}

#[test]
fn the_example_lists_every_setting_once_with_its_default() {
    let example = committed(".env.example");
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
    let place = Place::new();
    place.write(".env", committed(".env.example"));
    place.program().start().stop();
}

#[test]
fn the_example_with_every_default_spelled_out_changes_nothing() {
    let place = Place::new();
    let example = committed(".env.example");
    let given = example_lines(&example).into_iter();
    let given = given.filter(|(_, value)| !value.is_empty());
    let lines: Vec<_> = given
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    place.write(".env", lines.join("\n"));
    place.program().start().stop();
    assert_eq!(place.names(), [".env", "data"]);
}

#[test]
fn the_readme_lists_every_setting_once_with_its_default() {
    let readme = committed("README.md");
    let rows = readme.lines().filter_map(|line| line.strip_prefix("| `"));
    let mut expected = settings();
    for row in rows {
        let mut cells = row.split(" | ").map(str::trim);
        let name = cells
            .next()
            .and_then(|cell| cell.strip_suffix('`'))
            .unwrap_or_default();
        let looks_like_one = name.contains('_') && name.to_uppercase() == name;
        let default = expected.remove(name);
        assert!(
            default.is_some() || !looks_like_one,
            "no such setting, or twice: {name}"
        );
        let said = cells.next().unwrap_or_default().trim_matches('`');
        // Without a fixed default the table says in words what happens.
        if let Some(default) = default.filter(|default| !default.is_empty()) {
            assert_eq!(said, default, "{name}");
        }
    }
    assert!(
        expected.is_empty(),
        "missing in the README's table: {expected:?}"
    );
}
