//! The log lines of the servers in this process, collected instead of printed.

use std::sync::{Mutex, MutexGuard, Once, PoisonError};

use log::{LevelFilter, Log, Metadata, Record};

static LINES: Mutex<Vec<String>> = Mutex::new(Vec::new());

struct LogCollector;

impl Log for LogCollector {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        let (level, target) = (record.level(), record.target());
        lines().push(format!("{level} {target} {}", record.args()));
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

/// Returns the lines that contain this text, from all tests of the process so far.
#[must_use]
pub fn with(text: &str) -> Vec<String> {
    let matching = |line: &&String| line.contains(text);
    lines().iter().filter(matching).cloned().collect()
}

fn lines() -> MutexGuard<'static, Vec<String>> {
    LINES.lock().unwrap_or_else(PoisonError::into_inner)
}
