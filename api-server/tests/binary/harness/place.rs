//! The program with an environment of its own, in a folder of its own.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::{Log, PATIENCE, Server};

/// An empty folder, gone afterwards.
pub(crate) struct Place(TempDir);

impl Place {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        fs::write(self.path(name), text).unwrap();
    }

    /// What was left in the folder, by name.
    pub(crate) fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.0.path()).unwrap();
        let name = |entry: fs::DirEntry| entry.file_name().into_string().unwrap();
        let mut names: Vec<_> = entries.map(|entry| name(entry.unwrap())).collect();
        names.sort();
        names
    }

    /// The program with no setting but a free port.
    pub(crate) fn program(&self) -> Program {
        self.bare_program().set("BIND_ADDR", "127.0.0.1:0")
    }

    /// The program with no setting at all.
    pub(crate) fn bare_program(&self) -> Program {
        let mut command = Command::new(env!("CARGO_BIN_EXE_api-server"));
        command.env_clear().current_dir(self.0.path());
        if let Some(path) = std::env::var_os("PATH") {
            command.env("PATH", path);
        }
        Program(command)
    }

    /// A server on SQLite whose passwords cost next to nothing.
    pub(crate) fn quick_server(&self) -> Server {
        self.program().with_weak_hashing().start()
    }
}

/// The program, about to be started.
pub(crate) struct Program(Command);

impl Program {
    pub(crate) fn set(mut self, variable: &str, value: impl AsRef<OsStr>) -> Self {
        self.0.env(variable, value);
        self
    }

    pub(crate) fn set_all(mut self, settings: &[(&str, &str)]) -> Self {
        self.0.envs(settings.iter().copied());
        self
    }

    pub(crate) fn with_weak_hashing(self) -> Self {
        self.set_all(&[("BCRYPT_COST", "4"), ("ALLOW_WEAK_HASHING", "true")])
    }

    pub(crate) fn args(mut self, arguments: &[&str]) -> Self {
        self.0.args(arguments);
        self
    }

    /// Runs it to its end.
    pub(crate) fn run(self) -> Outcome {
        self.run_on(Stdio::null())
    }

    /// Runs it to its end with this as its standard input.
    pub(crate) fn run_on(mut self, input: impl Into<Stdio>) -> Outcome {
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
        let ended = stdout.ended_within(PATIENCE) && stderr.ended_within(PATIENCE);
        let took = started.elapsed();
        if !ended {
            child.kill().unwrap();
        }
        let code = child.wait().unwrap().code();
        let (stdout, stderr) = (stdout.text(), stderr.text());
        assert!(ended, "it runs and runs\n{stdout}\n{stderr}");
        Outcome {
            code,
            stdout,
            stderr,
            took,
        }
    }

    /// Starts it, without waiting until it listens.
    pub(crate) fn spawn(mut self) -> Server {
        let child = self
            .0
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn();
        Server::new(child.unwrap())
    }

    /// Starts it and waits until it listens.
    pub(crate) fn start(self) -> Server {
        self.spawn().listening()
    }
}

/// How a run ended.
pub(crate) struct Outcome {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) took: Duration,
}

impl Outcome {
    pub(crate) fn output(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }

    pub(crate) fn succeeded(self) -> Self {
        assert_eq!(self.code, Some(0), "{}", self.output());
        self
    }
}

/// A file of the repository.
pub(crate) fn committed(name: &str) -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name);
    fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}
