//! Tests where the progress of long commands is shown: a bar on a terminal, lines elsewhere, and nothing for short
//! work.

use harness::{Running, Terminal, WorkDir};

use crate::transfer::lines::user_line;

/// The first character of every escape code.
const ESCAPE: char = '\x1b';
/// Returns the cursor to the start of the line, so that the bar is written again.
const CARRIAGE_RETURN: char = '\r';

fn import_on(terminal: &Terminal, terminal_name: &str) -> (WorkDir, Running) {
    let work_dir = WorkDir::new();
    let program = work_dir.bare_program().set("TERM", terminal_name);
    let command = ["users", "import", "json"];
    let import = program.args(&command).spawn_on(terminal);
    (work_dir, import)
}

#[test]
fn an_import_draws_a_bar_on_a_terminal_and_clears_it() {
    let terminal = Terminal::new();
    let (_work_dir, mut import) = import_on(&terminal, "xterm");
    terminal.wait_for("import | 0 lines");
    import.write(&user_line(1));
    terminal.wait_for("1 lines, ");
    import.write("no JSON\n");
    terminal.wait_for("line 2 rejected: it is neither a user nor a task");
    import.close_input();
    let output = terminal.wait_for("lines: 1 rejected");
    assert_eq!(import.exit_code(), Some(0));
    assert!(output.contains(ESCAPE), "{output:?}");
    assert!(
        output.contains("\x1b[2Kusers: 1 imported, 0 already present, 0 rejected\r\n"),
        "{output:?}"
    );
}

#[test]
fn an_import_of_a_file_shows_its_share_and_the_time_left() {
    let (terminal, work_dir) = (Terminal::new(), WorkDir::new());
    work_dir.write(
        "users.jsonl",
        (0..20_000).map(user_line).collect::<String>(),
    );
    let program = work_dir.bare_program().set("TERM", "xterm");
    let command = ["users", "import", "json", "--from", "users.jsonl"];
    let mut import = program.args(&command).spawn_on(&terminal);
    let output = terminal.wait_for(" left");
    assert!(
        output.contains("import [") && output.contains(" MB, "),
        "{output:?}"
    );
    assert_eq!(import.exit_code(), Some(0));
    terminal.wait_for("users: 20000 imported");
}

#[test]
fn a_terminal_without_escape_codes_gets_lines() {
    let terminal = Terminal::new();
    let (_work_dir, mut import) = import_on(&terminal, "dumb");
    let output = terminal.wait_for("import: 0 lines");
    import.close_input();
    assert!(!output.contains(ESCAPE), "{output:?}");
    assert_eq!(import.exit_code(), Some(0));
}

#[test]
fn a_file_gets_lines_without_escape_codes_and_standard_output_stays_empty() {
    let work_dir = WorkDir::new();
    let program = work_dir.bare_program().set("TERM", "xterm");
    let command = ["users", "import", "json"];
    let mut import = program.args(&command).spawn_with_input();
    import.write(&user_line(1));
    let line = import.stderr.line("import: 1 lines, ");
    assert!(line.ends_with("/s"), "{line}");
    import.close_input();
    import.stderr.line("users: 1 imported");
    assert_eq!(import.exit_code(), Some(0));
    let text = import.stderr.text();
    assert!(!text.contains([ESCAPE, CARRIAGE_RETURN]), "{text:?}");
    // The last line about the progress has the whole time.
    import.stderr.line("import: 1 lines in ");
    assert_eq!(import.stdout.text(), "");
}

#[test]
fn short_work_prints_no_line_about_its_progress() {
    let work_dir = WorkDir::new();
    work_dir.write("users.jsonl", user_line(1));
    let run = |arguments: &[&str]| {
        let program = work_dir.bare_program().set("RUST_LOG", "warn");
        program.args(arguments).run().assert_succeeded()
    };
    let import = run(&["users", "import", "json", "--from", "users.jsonl"]);
    assert_eq!(
        import.stderr,
        "users: 1 imported, 0 already present, 0 rejected\n"
    );
    for arguments in [
        &["users", "export"][..],
        &["backup", "backup.db"],
        &["restore", "backup.db", "--replace"],
        &["migrate"],
    ] {
        assert_eq!(run(arguments).stderr, "", "{arguments:?}");
    }
}
