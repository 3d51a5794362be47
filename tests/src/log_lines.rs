//! The log lines of the servers in this process, collected instead of printed.

use std::sync::{Mutex, MutexGuard, Once, PoisonError};

use log::{Level, LevelFilter, Log, Metadata, Record};

/// Lines of the level INFO and above.
static EVENTS: Mutex<Vec<String>> = Mutex::new(Vec::new());
/// Lines of lower levels. They are many, so a search in them holds up every server of the process.
static DETAILS: Mutex<Vec<String>> = Mutex::new(Vec::new());

struct LogCollector;

impl Log for LogCollector {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        let (level, target) = (record.level(), record.target());
        let line = format!("{level} {target} {}", record.args());
        let is_event = level <= Level::Info;
        lock(if is_event { &EVENTS } else { &DETAILS }).push(line);
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

/// Returns the lines of the level INFO and above that contain this text, from all tests of the process so far.
#[must_use]
pub fn with(text: &str) -> Vec<String> {
    search(&EVENTS, text)
}

/// As [`with`], of every level.
#[must_use]
pub fn of_every_level_with(text: &str) -> Vec<String> {
    [search(&EVENTS, text), search(&DETAILS, text)].concat()
}

fn search(lines: &Mutex<Vec<String>>, text: &str) -> Vec<String> {
    let matching = |line: &&String| line.contains(text);
    lock(lines).iter().filter(matching).cloned().collect()
}

fn lock(lines: &Mutex<Vec<String>>) -> MutexGuard<'_, Vec<String>> {
    lines.lock().unwrap_or_else(PoisonError::into_inner)
}
