//! Collects the lines that a process prints, while the process runs.

use std::io::{BufRead as _, BufReader, Read};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use super::TIMEOUT;

/// The lines that a process has printed so far.
#[derive(Debug, Clone, Default)]
pub struct Log(Arc<(Mutex<LogState>, Condvar)>);

#[derive(Debug, Default)]
struct LogState {
    lines: Vec<String>,
    is_at_end: bool,
}

impl Log {
    /// Collects the lines from this pipe until the process closes the pipe or exits.
    pub fn of(pipe: impl Read + Send + 'static) -> Self {
        let log = Self::default();
        let thread_log = log.clone();
        thread::spawn(move || {
            for line_bytes in BufReader::new(pipe).split(b'\n') {
                let line = String::from_utf8_lossy(&line_bytes.unwrap()).into_owned();
                thread_log.update(|state| state.lines.push(line));
            }
            thread_log.update(|state| state.is_at_end = true);
        });
        log
    }

    fn update(&self, change: impl FnOnce(&mut LogState)) {
        let (mutex, changed) = &*self.0;
        change(&mut mutex.lock().unwrap());
        changed.notify_all();
    }

    /// Waits until `find` returns a value, but no longer than `limit`.
    fn wait<T>(&self, limit: Duration, find: impl Fn(&LogState) -> Option<T>) -> Option<T> {
        let (mutex, changed) = &*self.0;
        let deadline = Instant::now() + limit;
        let mut state = mutex.lock().unwrap();
        loop {
            let time_left = deadline.saturating_duration_since(Instant::now());
            match find(&state) {
                None if !time_left.is_zero() => {
                    state = changed.wait_timeout(state, time_left).unwrap().0;
                }
                found => return found,
            }
        }
    }

    /// Waits for the first line that contains `part`, and returns the line.
    pub fn line(&self, part: &str) -> String {
        let found_line = self.wait(TIMEOUT, |state| {
            match state.lines.iter().find(|line| line.contains(part)) {
                Some(line) => Some(Some(line.clone())),
                None if state.is_at_end => Some(None),
                None => None,
            }
        });
        found_line
            .flatten()
            .unwrap_or_else(|| panic!("not logged: {part:?}:\n{}", self.text()))
    }

    /// Waits until the process closes the pipe or exits. Returns whether that happened within `limit`.
    pub fn ended_within(&self, limit: Duration) -> bool {
        let end = self.wait(limit, |state| state.is_at_end.then_some(()));
        end.is_some()
    }

    /// Returns the lines that the process has printed so far.
    pub fn lines(&self) -> Vec<String> {
        self.0.0.lock().unwrap().lines.clone()
    }

    /// Returns the lines that the process has printed so far, as one text.
    pub fn text(&self) -> String {
        self.lines().iter().flat_map(|line| [line, "\n"]).collect()
    }

    /// Returns the index of the first line that contains `part`.
    pub fn position(&self, part: &str) -> usize {
        let lines = self.lines();
        let position = lines.iter().position(|line| line.contains(part));
        position.unwrap_or_else(|| panic!("not logged: {part:?}:\n{}", lines.join("\n")))
    }
}
