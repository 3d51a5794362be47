//! A pseudo-terminal, which a test reads in place of a person.

use std::fs::{File, OpenOptions};
use std::io::Read as _;
use std::process::Stdio;
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Instant;

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use super::TIMEOUT;

/// A pseudo-terminal, and what was written to it so far.
#[derive(Debug)]
pub struct Terminal {
    /// The side of the program. While this side is open, reads of the test's side wait instead of failing.
    program_side: File,
    output: Arc<(Mutex<String>, Condvar)>,
}

impl Terminal {
    /// Opens a pseudo-terminal.
    #[expect(clippy::new_without_default, reason = "it opens a terminal")]
    pub fn new() -> Self {
        let test_side = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&test_side).unwrap();
        unlockpt(&test_side).unwrap();
        let name = ptsname(&test_side, Vec::new()).unwrap();
        let mut options = OpenOptions::new();
        let program_side = options.read(true).write(true);
        let program_side = program_side.open(name.to_str().unwrap()).unwrap();
        let output = Arc::new((Mutex::new(String::new()), Condvar::new()));
        let thread_output = Arc::clone(&output);
        thread::spawn(move || collect(File::from(test_side), &thread_output));
        Self {
            program_side,
            output,
        }
    }

    /// Returns the side of the program, for one of the program's standard streams.
    pub(crate) fn program_side(&self) -> Stdio {
        self.program_side.try_clone().unwrap().into()
    }

    /// Waits until this text was written, and returns all that was written so far.
    pub fn wait_for(&self, text: &str) -> String {
        let (mutex, changed) = &*self.output;
        let deadline = Instant::now() + TIMEOUT;
        let mut output = mutex.lock().unwrap();
        while !output.contains(text) {
            let time_left = deadline.saturating_duration_since(Instant::now());
            assert!(!time_left.is_zero(), "not written: {text:?}:\n{output:?}");
            output = changed.wait_timeout(output, time_left).unwrap().0;
        }
        output.clone()
    }
}

/// Collects what is written until no process has the terminal open.
fn collect(mut test_side: File, output: &(Mutex<String>, Condvar)) {
    let mut buffer = [0; 4096];
    while let Ok(count @ 1..) = test_side.read(&mut buffer) {
        let text = String::from_utf8_lossy(&buffer[..count]).into_owned();
        output.0.lock().unwrap().push_str(&text);
        output.1.notify_all();
    }
}
