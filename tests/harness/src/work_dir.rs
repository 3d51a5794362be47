//! The program in its own folder, with its own environment.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::{Log, Server, TIMEOUT};

/// An empty folder, removed afterwards.
#[derive(Debug)]
pub struct WorkDir(TempDir);

impl WorkDir {
    /// Creates one.
    #[expect(clippy::new_without_default, reason = "it creates a folder")]
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// The path of a file in it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Writes a file.
    pub fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        fs::write(self.path(name), text).unwrap();
    }

    /// The names of its entries, sorted.
    pub fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.0.path()).unwrap();
        let name = |entry: fs::DirEntry| entry.file_name().into_string().unwrap();
        let mut names: Vec<_> = entries.map(|entry| name(entry.unwrap())).collect();
        names.sort();
        names
    }

    /// The program without settings, except for a free port.
    pub fn program(&self) -> Program {
        self.bare_program().set("BIND_ADDR", "127.0.0.1:0")
    }

    /// The program without any setting.
    pub fn bare_program(&self) -> Program {
        let mut command = Command::new(program_file());
        command.env_clear().current_dir(self.0.path());
        if let Some(path) = std::env::var_os("PATH") {
            command.env("PATH", path);
        }
        Program(command)
    }

    /// A server on SQLite with cheap password hashes.
    pub fn quick_server(&self) -> Server {
        self.program().with_weak_hashing().start()
    }
}

/// The program that cargo built for these tests: in the parent of the folder of the test executable.
fn program_file() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let folder = test.parent().and_then(Path::parent).unwrap();
    folder.join("api-server")
}

/// The program, about to be started.
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

    /// Makes password hashes cheap.
    pub fn with_weak_hashing(self) -> Self {
        self.set_all(&[("BCRYPT_COST", "4"), ("ALLOW_WEAK_HASHING", "true")])
    }

    /// Adds command-line arguments.
    pub fn args(mut self, arguments: &[&str]) -> Self {
        self.0.args(arguments);
        self
    }

    /// Runs it until it exits.
    pub fn run(self) -> Outcome {
        self.run_on(Stdio::null())
    }

    /// Runs it until it exits, with this standard input.
    pub fn run_on(mut self, input: impl Into<Stdio>) -> Outcome {
        let started = Instant::now();
        let mut child = self
            .0
            .stdin(input)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stdout = Log::of(child.stdout.take().unwrap());
        let stderr = Log::of(child.stderr.take().unwrap());
        let ended = stdout.ended_within(TIMEOUT) && stderr.ended_within(TIMEOUT);
        let took = started.elapsed();
        if !ended {
            child.kill().unwrap();
        }
        let code = child.wait().unwrap().code();
        let (stdout, stderr) = (stdout.text(), stderr.text());
        assert!(ended, "the program did not exit\n{stdout}\n{stderr}");
        Outcome {
            code,
            stdout,
            stderr,
            took,
        }
    }

    /// Starts it, without waiting until it listens.
    pub fn spawn(mut self) -> Server {
        let child = self
            .0
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn();
        Server::new(child.unwrap())
    }

    /// Starts it and waits until it listens.
    pub fn start(self) -> Server {
        self.spawn().listening()
    }
}

/// The result of a run.
#[derive(Debug)]
#[expect(clippy::exhaustive_structs, reason = "tests read its fields")]
pub struct Outcome {
    /// The exit code; `None` after a signal.
    pub code: Option<i32>,
    /// The program's standard output.
    pub stdout: String,
    /// The program's standard error, which contains the log.
    pub stderr: String,
    /// The time from start to exit.
    pub took: Duration,
}

impl Outcome {
    /// The program's standard output, then its standard error.
    pub fn output(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }

    /// Asserts that its exit code is 0.
    pub fn succeeded(self) -> Self {
        assert_eq!(self.code, Some(0), "{}", self.output());
        self
    }

    /// Asserts that it failed with this exit code, and that its standard error has each of these parts.
    #[track_caller]
    pub fn assert_failed(&self, code: i32, parts: &[&str]) {
        assert_eq!(self.code, Some(code), "{}", self.output());
        for part in parts {
            assert!(self.stderr.contains(part), "{part:?}\n{}", self.stderr);
        }
    }
}

/// The text of a file of the repository.
pub fn committed(name: &str) -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .join(name);
    fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}
