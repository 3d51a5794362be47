//! Collects the log lines of the servers in this process. No line is printed.

use std::sync::{Mutex, MutexGuard, Once, PoisonError};

use log::{Level, LevelFilter, Log, Metadata, Record};
use memchr::memmem;

/// The lines of the levels ERROR, WARN and INFO.
static INFO_LINES: Mutex<Lines> = Mutex::new(Lines::new());
/// The lines of the levels DEBUG and TRACE. These lines have a list of their own because they are many: while a list is
/// searched, each server that adds a line to the list waits.
static DETAIL_LINES: Mutex<Lines> = Mutex::new(Lines::new());

/// A list of lines, stored as one text, so that a search among a million lines is fast.
struct Lines {
    /// Each line, with a line feed after it, so that no match begins in one line and ends in the next.
    text: String,
    /// For each line, the position in `text` of the line feed after it. A line may contain line feeds of its own.
    ends: Vec<usize>,
}

impl Lines {
    const fn new() -> Self {
        Self {
            text: String::new(),
            ends: Vec::new(),
        }
    }

    fn push(&mut self, line: &str) {
        self.text.push_str(line);
        self.ends.push(self.text.len());
        self.text.push('\n');
    }

    fn search(&self, text: &str) -> Vec<String> {
        let matches = memmem::find_iter(self.text.as_bytes(), text);
        let mut indexes: Vec<usize> = matches
            .map(|start| self.ends.partition_point(|end| *end < start))
            .collect();
        // A line that contains the text twice is returned once.
        indexes.dedup();
        indexes
            .into_iter()
            .filter_map(|index| self.line(index))
            .collect()
    }

    fn line(&self, index: usize) -> Option<String> {
        let before = index
            .checked_sub(1)
            .and_then(|before| self.ends.get(before));
        let start = before.map_or(0, |end| end + 1);
        let line = self.text.get(start..*self.ends.get(index)?)?;
        Some(line.to_owned())
    }
}

struct LogCollector;

impl Log for LogCollector {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        // Formats the line before locking the list: the arguments may write log lines themselves while they are
        // formatted.
        let line = format!("{} {} {}", record.level(), record.target(), record.args());
        let is_detail = record.level() > Level::Info;
        lock(if is_detail {
            &DETAIL_LINES
        } else {
            &INFO_LINES
        })
        .push(&line);
    }

    fn flush(&self) {}
}

/// Installs the collector for log lines of every level; does nothing after the first call.
pub(crate) fn start_collecting() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        log::set_logger(&LogCollector).expect("the only logger");
        log::set_max_level(LevelFilter::Trace);
    });
}

/// Returns the lines of the levels ERROR, WARN and INFO that contain this text, from all tests of the process so far.
#[must_use]
pub fn find(text: &str) -> Vec<String> {
    lock(&INFO_LINES).search(text)
}

/// Returns the lines of every level that contain this text, from all tests of the process so far.
#[must_use]
pub fn find_at_every_level(text: &str) -> Vec<String> {
    [
        lock(&INFO_LINES).search(text),
        lock(&DETAIL_LINES).search(text),
    ]
    .concat()
}

fn lock(lines: &Mutex<Lines>) -> MutexGuard<'_, Lines> {
    lines.lock().unwrap_or_else(PoisonError::into_inner)
}
