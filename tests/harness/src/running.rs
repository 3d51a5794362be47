//! Controls a process of the program that runs a command and has a pipe as its standard input.

use std::io::Write as _;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::{Log, TIMEOUT};

/// The delay between two checks whether the command has exited.
const POLL_INTERVAL: Duration = Duration::from_millis(10);

/// A running command. Dropping this value kills the command.
#[derive(Debug)]
pub struct Running {
    child: Child,
    input: Option<ChildStdin>,
    /// The lines of standard output so far; empty after [`crate::Program::spawn_with_unread_output`].
    pub stdout: Log,
    /// The lines of standard error so far; empty if standard error is a terminal.
    pub stderr: Log,
}

impl Running {
    pub(crate) fn start(mut command: Command, stderr: Stdio) -> Self {
        command.stdout(Stdio::piped()).stderr(stderr);
        Self::spawn(command)
    }

    /// Starts the command with this standard output, which is not collected in [`Self::stdout`].
    pub(crate) fn start_with_output(mut command: Command, stdout: impl Into<Stdio>) -> Self {
        command.stdout(stdout).stderr(Stdio::piped());
        Self::spawn(command)
    }

    fn spawn(mut command: Command) -> Self {
        let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
        Self {
            input: child.stdin.take(),
            stdout: child.stdout.take().map(Log::of).unwrap_or_default(),
            stderr: child.stderr.take().map(Log::of).unwrap_or_default(),
            child,
        }
    }

    /// Writes to the standard input of the command.
    pub fn write(&mut self, text: &str) {
        let input = self.input.as_mut().unwrap();
        input.write_all(text.as_bytes()).unwrap();
    }

    /// Closes the standard input of the command.
    pub fn close_input(&mut self) {
        self.input = None;
    }

    /// Sends a signal to the process.
    pub fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(self.child.id().try_into().unwrap()).unwrap();
        kill_process(pid, signal).unwrap();
    }

    /// Waits until the command exits. Returns the exit code, or `None` if a signal ended the process.
    pub fn exit_code(&mut self) -> Option<i32> {
        let deadline = Instant::now() + TIMEOUT;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            let text = self.stderr.text();
            assert!(Instant::now() < deadline, "not exited:\n{text}");
            thread::sleep(POLL_INTERVAL);
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Errors are ignored, because the command may have exited already.
        let _already_exited = self.child.kill();
        let _already_exited = self.child.wait();
    }
}
