//! The lines that a process prints, while it prints them.

use std::io::{BufRead as _, BufReader, Read};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use super::PATIENCE;

/// Everything printed so far.
#[derive(Debug, Clone, Default)]
pub struct Log(Arc<(Mutex<Said>, Condvar)>);

#[derive(Debug, Default)]
struct Said {
    lines: Vec<String>,
    ended: bool,
}

impl Log {
    /// Listens until the process closes its end, which it does when it ends.
    pub fn of(pipe: impl Read + Send + 'static) -> Self {
        let log = Self::default();
        let writer = log.clone();
        thread::spawn(move || {
            for line in BufReader::new(pipe).split(b'\n') {
                let line = String::from_utf8_lossy(&line.unwrap()).into_owned();
                writer.update(|said| said.lines.push(line));
            }
            writer.update(|said| said.ended = true);
        });
        log
    }

    fn update(&self, change: impl FnOnce(&mut Said)) {
        let (said, changed) = &*self.0;
        change(&mut said.lock().unwrap());
        changed.notify_all();
    }

    /// Waits until `look` finds something or the time is over.
    fn wait<T>(&self, limit: Duration, look: impl Fn(&Said) -> Option<T>) -> Option<T> {
        let (said, changed) = &*self.0;
        let until = Instant::now() + limit;
        let mut said = said.lock().unwrap();
        loop {
            let left = until.saturating_duration_since(Instant::now());
            match look(&said) {
                None if !left.is_zero() => said = changed.wait_timeout(said, left).unwrap().0,
                found => return found,
            }
        }
    }

    /// The first line that contains `part`, once it is there.
    pub fn line(&self, part: &str) -> String {
        let found = self.wait(PATIENCE, |said| {
            match said.lines.iter().find(|line| line.contains(part)) {
                Some(line) => Some(Some(line.clone())),
                None if said.ended => Some(None),
                None => None,
            }
        });
        found
            .flatten()
            .unwrap_or_else(|| panic!("never said {part:?}:\n{}", self.text()))
    }

    /// Whether the process ends in time.
    pub fn ended_within(&self, limit: Duration) -> bool {
        let ended = self.wait(limit, |said| said.ended.then_some(()));
        ended.is_some()
    }

    /// The lines so far.
    pub fn lines(&self) -> Vec<String> {
        self.0.0.lock().unwrap().lines.clone()
    }

    /// The lines so far, as one text.
    pub fn text(&self) -> String {
        self.lines().iter().flat_map(|line| [line, "\n"]).collect()
    }

    /// The number of the first line that contains `part`.
    pub fn position(&self, part: &str) -> usize {
        let lines = self.lines();
        let found = lines.iter().position(|line| line.contains(part));
        found.unwrap_or_else(|| panic!("never said {part:?}:\n{}", lines.join("\n")))
    }
}
