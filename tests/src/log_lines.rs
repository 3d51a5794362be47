//! Collects the log lines of the servers in this process. No line is printed.

use std::sync::{Mutex, MutexGuard, Once, PoisonError};

use log::{Level, LevelFilter, Log, Metadata, Record};

/// The lines of the levels ERROR, WARN and INFO.
static INFO_LINES: Mutex<Vec<String>> = Mutex::new(Vec::new());
/// The lines of the levels DEBUG and TRACE. These lines have a list of their own because they are many: while a list is
/// searched, each server that adds a line to the list waits.
static DETAIL_LINES: Mutex<Vec<String>> = Mutex::new(Vec::new());

struct LogCollector;

impl Log for LogCollector {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        let (level, target) = (record.level(), record.target());
        let line = format!("{level} {target} {}", record.args());
        let is_detail = level > Level::Info;
        lock(if is_detail {
            &DETAIL_LINES
        } else {
            &INFO_LINES
        })
        .push(line);
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
    search(&INFO_LINES, text)
}

/// Returns the lines of every level that contain this text, from all tests of the process so far.
#[must_use]
pub fn find_at_every_level(text: &str) -> Vec<String> {
    [search(&INFO_LINES, text), search(&DETAIL_LINES, text)].concat()
}

fn search(lines: &Mutex<Vec<String>>, text: &str) -> Vec<String> {
    let contains_text = |line: &&String| line.contains(text);
    lock(lines).iter().filter(contains_text).cloned().collect()
}

fn lock(lines: &Mutex<Vec<String>>) -> MutexGuard<'_, Vec<String>> {
    lines.lock().unwrap_or_else(PoisonError::into_inner)
}
