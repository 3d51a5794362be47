//! Shows a piece of work at intervals, on a thread of its own, because the work may be one long call.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::formatter::ProgressFormatter;

/// Returns how much is done.
pub(super) type Source = Box<dyn Fn() -> u64 + Send>;

/// A bar of 24 characters. On a narrow terminal, the end of the line is cut off.
const BAR_TEMPLATE: &str = "{prefix} [{bar:24}] {msg}";
const SPINNER_TEMPLATE: &str = "{prefix} {spinner} {msg}";
/// ASCII, because a terminal of a server may have no other characters.
const BAR_CHARACTERS: &str = "=>-";
const SPINNER_CHARACTERS: &str = "|/-\\ ";

/// The output of a ticker: a bar, or lines of text.
pub(super) enum View {
    Bar(ProgressBar),
    Lines {
        label: String,
        print: Box<dyn FnMut(&str) + Send>,
        has_printed: bool,
    },
}

impl View {
    pub(super) fn lines(label: &str, print: impl FnMut(&str) + Send + 'static) -> Self {
        Self::Lines {
            label: label.to_owned(),
            print: Box::new(print),
            has_printed: false,
        }
    }

    pub(super) fn bar(bars: &MultiProgress, label: &str, total: Option<u64>) -> Self {
        let template = match total {
            Some(_) => BAR_TEMPLATE,
            None => SPINNER_TEMPLATE,
        };
        // A template that is not valid would be replaced by indicatif's own.
        let style = ProgressStyle::with_template(template)
            .unwrap_or_else(|_invalid| ProgressStyle::default_bar())
            .progress_chars(BAR_CHARACTERS)
            .tick_chars(SPINNER_CHARACTERS);
        let bar = ProgressBar::no_length()
            .with_style(style)
            .with_prefix(label.to_owned());
        if let Some(total) = total {
            bar.set_length(total);
        }
        Self::Bar(bars.add(bar))
    }

    fn show(&mut self, text: String, done: u64) {
        match self {
            Self::Bar(bar) => {
                bar.set_message(text);
                bar.set_position(done);
                bar.tick();
            }
            Self::Lines {
                label,
                print,
                has_printed,
            } => {
                print(&format!("{label}: {text}"));
                *has_printed = true;
            }
        }
    }

    /// Clears the bar, or prints a last line if lines were printed before: short work needs none.
    fn finish(self, text: &str) {
        match self {
            Self::Bar(bar) => bar.finish_and_clear(),
            Self::Lines {
                label,
                mut print,
                has_printed: true,
            } => print(&format!("{label}: {text}")),
            Self::Lines { .. } => {}
        }
    }
}

/// A thread that shows the work. Dropping this value ends the thread.
pub(super) struct Ticker {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Ticker {
    /// Starts the thread; `None` if the system cannot start one. The work does not depend on the thread.
    pub(super) fn start(
        view: View,
        interval: Duration,
        formatter: ProgressFormatter,
        source: Source,
    ) -> Option<Self> {
        let (stop, stopped) = channel();
        let thread = thread::Builder::new()
            .name("progress".to_owned())
            .spawn(move || show_until(&stopped, view, interval, formatter, &source))
            .ok()?;
        Some(Self {
            stop: Some(stop),
            thread: Some(thread),
        })
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // The thread returns nothing, and the work does not depend on it, even if it panicked.
            let _ignored = thread.join();
        }
    }
}

fn show_until(
    stopped: &Receiver<()>,
    mut view: View,
    interval: Duration,
    mut formatter: ProgressFormatter,
    source: &Source,
) {
    let start = Instant::now();
    while stopped.recv_timeout(interval) == Err(RecvTimeoutError::Timeout) {
        let done = source();
        view.show(formatter.describe_running(done, start.elapsed()), done);
    }
    view.finish(&formatter.describe_finished(source(), start.elapsed()));
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::sync::mpsc::channel;
    use std::sync::{Arc, mpsc::Receiver};
    use std::time::Duration;

    use super::super::formatter::{ProgressFormatter, Unit};
    use super::{Ticker, View};

    const LONG: Duration = Duration::from_secs(3600);

    /// Starts a ticker for rows, and returns it with the counter and the lines that it prints.
    fn start_rows_ticker(interval: Duration) -> (Ticker, Arc<AtomicU64>, Receiver<String>) {
        let (sender, lines) = channel();
        let view = View::lines("import", move |line| sender.send(line.to_owned()).unwrap());
        let count = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&count);
        let source = Box::new(move || counter.load(Ordering::Relaxed));
        let formatter = ProgressFormatter::new(Unit::Rows, Some(10));
        let ticker = Ticker::start(view, interval, formatter, source).unwrap();
        (ticker, count, lines)
    }

    #[test]
    fn a_line_is_printed_at_each_interval_and_one_at_the_end() {
        let (ticker, count, lines) = start_rows_ticker(Duration::from_millis(1));
        let first_line = lines.recv().unwrap();
        assert!(
            first_line.starts_with("import: 0 of 10 rows, 0 %"),
            "{first_line}"
        );
        count.store(10, Ordering::Relaxed);
        let is_complete = |line: &String| line.starts_with("import: 10 of 10 rows, 100 %");
        assert!(lines.iter().any(|line| is_complete(&line)));
        drop(ticker);
        let last_line = lines.iter().last().unwrap();
        assert!(
            last_line.starts_with("import: 10 rows in 0 s"),
            "{last_line}"
        );
    }

    #[test]
    fn work_that_ends_before_the_first_interval_prints_nothing() {
        let (ticker, _count, lines) = start_rows_ticker(LONG);
        drop(ticker);
        assert_eq!(lines.iter().count(), 0);
    }
}
