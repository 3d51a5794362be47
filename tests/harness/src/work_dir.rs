//! Runs the program in a new folder, with the environment variables that a test sets.

use std::ffi::OsStr;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::{Log, Running, Server, TIMEOUT, Terminal};

/// A new folder. Dropping this value removes the folder.
#[derive(Debug)]
pub struct WorkDir(TempDir);

impl WorkDir {
    /// Creates an empty folder.
    #[expect(clippy::new_without_default, reason = "it creates a folder")]
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// Returns the path of a file in the folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Writes a file in the folder.
    pub fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        fs::write(self.path(name), text).unwrap();
    }

    /// Writes a file in the folder, and lets only the owner of the file read it.
    pub fn write_private(&self, name: &str, text: impl AsRef<[u8]>) {
        self.write(name, text);
        fs::set_permissions(self.path(name), Permissions::from_mode(0o600)).unwrap();
    }

    /// Returns the names of the files and folders in the folder, sorted.
    pub fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.0.path()).unwrap();
        let to_name = |entry: fs::DirEntry| entry.file_name().into_string().unwrap();
        let mut names: Vec<_> = entries.map(|entry| to_name(entry.unwrap())).collect();
        names.sort();
        names
    }

    /// Prepares the program with one setting: `BIND_ADDR` with a free port.
    pub fn program(&self) -> Program {
        self.bare_program().set("BIND_ADDR", "127.0.0.1:0")
    }

    /// Prepares the program without any setting.
    pub fn bare_program(&self) -> Program {
        let mut command = Command::new(program_file());
        command.env_clear().current_dir(self.0.path());
        if let Some(path) = std::env::var_os("PATH") {
            command.env("PATH", path);
        }
        Program(command)
    }

    /// Starts a server on SQLite with the lowest bcrypt cost.
    pub fn quick_server(&self) -> Server {
        self.program().with_weak_hashing().start()
    }
}

/// Returns the path of the program that cargo built for these tests. Cargo puts the program in the parent of the folder
/// of the test executable.
fn program_file() -> PathBuf {
    let test_executable = std::env::current_exe().unwrap();
    let folder = test_executable.parent().and_then(Path::parent).unwrap();
    folder.join("api-server")
}

/// A command that starts the program.
#[derive(Debug)]
pub struct Program(Command);

impl Program {
    /// Sets an environment variable.
    pub fn set(mut self, variable: &str, value: impl AsRef<OsStr>) -> Self {
        self.0.env(variable, value);
        self
    }

    /// Sets several environment variables.
    pub fn set_all(mut self, settings: &[(&str, &str)]) -> Self {
        self.0.envs(settings.iter().copied());
        self
    }

    /// Sets the lowest bcrypt cost, with which a password hash takes little time.
    pub fn with_weak_hashing(self) -> Self {
        self.set_all(&[("BCRYPT_COST", "4"), ("ALLOW_WEAK_HASHING", "true")])
    }

    /// Adds command-line arguments.
    pub fn args(mut self, arguments: &[&str]) -> Self {
        self.0.args(arguments);
        self
    }

    /// Runs the program until it exits.
    pub fn run(self) -> Outcome {
        self.run_with_input(Stdio::null())
    }

    /// Runs the program until it exits, with this standard input.
    pub fn run_with_input(mut self, input: impl Into<Stdio>) -> Outcome {
        let start = Instant::now();
        let mut child = self
            .0
            .stdin(input)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stdout_log = Log::of(child.stdout.take().unwrap());
        let stderr_log = Log::of(child.stderr.take().unwrap());
        let has_ended = stdout_log.ended_within(TIMEOUT) && stderr_log.ended_within(TIMEOUT);
        let duration = start.elapsed();
        if !has_ended {
            child.kill().unwrap();
        }
        let code = child.wait().unwrap().code();
        let (stdout, stderr) = (stdout_log.text(), stderr_log.text());
        assert!(has_ended, "the program did not exit\n{stdout}\n{stderr}");
        Outcome {
            code,
            stdout,
            stderr,
            duration,
        }
    }

    /// Starts the program with a pipe as its standard input.
    pub fn spawn_with_input(self) -> Running {
        Running::start(self.0, Stdio::piped())
    }

    /// Starts the program with pipes as its standard input and output. Nothing reads the output, so the program waits
    /// once that pipe is full. The pipe stays open until the second value is dropped.
    pub fn spawn_with_unread_output(self) -> (Running, impl Sized) {
        let (reader, writer) = std::io::pipe().unwrap();
        (Running::start_with_output(self.0, writer), reader)
    }

    /// Starts the program with a pipe as its standard input, and the terminal as its standard error.
    pub fn spawn_on(self, terminal: &Terminal) -> Running {
        Running::start(self.0, terminal.program_side())
    }

    /// Starts the program as a server, without waiting until the server listens.
    pub fn spawn(mut self) -> Server {
        let child = self
            .0
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn();
        Server::new(child.unwrap())
    }

    /// Starts the program as a server, and waits until the server listens.
    pub fn start(self) -> Server {
        self.spawn().wait_until_listening()
    }
}

/// The exit code, the output and the duration of a run of the program.
#[derive(Debug)]
#[expect(clippy::exhaustive_structs, reason = "tests read its fields")]
pub struct Outcome {
    /// The exit code; `None` if a signal ended the program.
    pub code: Option<i32>,
    /// The program's standard output.
    pub stdout: String,
    /// The program's standard error, which contains the log.
    pub stderr: String,
    /// The time from the start to the exit of the program.
    pub duration: Duration,
}

impl Outcome {
    /// Returns the program's standard output, followed by its standard error.
    pub fn output(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }

    /// Asserts that the exit code is 0.
    pub fn assert_succeeded(self) -> Self {
        assert_eq!(self.code, Some(0), "{}", self.output());
        self
    }

    /// Asserts that the program failed with this exit code, and that its standard error contains each of these texts.
    #[track_caller]
    pub fn assert_failed(&self, code: i32, texts: &[&str]) {
        assert_eq!(self.code, Some(code), "{}", self.output());
        for text in texts {
            assert!(self.stderr.contains(text), "{text:?}\n{}", self.stderr);
        }
    }
}

/// Reads the file with this path in the repository.
pub fn repository_file(path: &str) -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .join(path);
    fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}
