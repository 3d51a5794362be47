//! Shows the progress of a command that takes long, and lets a signal end it.
//!
//! On a terminal, a bar on standard error shows the rate and the time left. Elsewhere, such as in a log file, a line is
//! written after each interval and at the end, but none if the work ends within the first interval. Standard output is
//! left to the command's data.

mod formatter;
mod interruption;
mod ticker;

use std::fmt;
use std::io::{self, IsTerminal as _, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressDrawTarget};

pub(crate) use formatter::Unit;
pub use interruption::Interrupted;
use interruption::{Interruption, SignalPolicy};
use ticker::{Source, Ticker, View};

/// Time between two lines where no bar is drawn, and before the first line.
const LINE_INTERVAL: Duration = Duration::from_secs(5);
/// Time between two changes of a bar.
const BAR_INTERVAL: Duration = Duration::from_millis(100);

/// The display of progress, and the handling of signals. Clones share both.
#[derive(Clone)]
pub struct Progress {
    display: Display,
    interruption: Interruption,
}

#[derive(Clone)]
enum Display {
    Hidden,
    /// Lines of the log.
    Log,
    /// Lines of standard error.
    Lines,
    Bars(MultiProgress),
}

impl Progress {
    /// Creates a progress that shows nothing and handles no signals.
    #[must_use]
    pub fn hidden() -> Self {
        Self::with_display(Display::Hidden)
    }

    /// Creates a progress that writes lines to the log, and leaves signals to the server.
    pub(crate) fn in_log() -> Self {
        Self::with_display(Display::Log)
    }

    /// Creates a progress that is shown on standard error, and makes SIGINT and SIGTERM end the process at once. Before
    /// it ends, the process prints `remains`, a text about what the command leaves behind.
    /// [`interrupt_between_batches`](Self::interrupt_between_batches) and [`ignore_signals`](Self::ignore_signals)
    /// change the effect of signals. `draws_bars` says whether the terminal understands escape codes.
    pub(crate) fn of_command(draws_bars: bool, remains: &'static str) -> io::Result<Self> {
        let display = if draws_bars && io::stderr().is_terminal() {
            Display::Bars(MultiProgress::with_draw_target(ProgressDrawTarget::stderr()))
        } else {
            Display::Lines
        };
        let progress = Self::with_display(display);
        progress
            .interruption
            .set_policy(SignalPolicy::AtOnce(remains));
        let handle = progress.clone();
        progress
            .interruption
            .watch(move |message| handle.print_last(message))?;
        Ok(progress)
    }

    fn with_display(display: Display) -> Self {
        Self {
            display,
            interruption: Interruption::default(),
        }
    }

    /// Makes [`check_interrupted`](Self::check_interrupted) fail after the first signal from now on. Only a second
    /// signal ends the process at once.
    pub(crate) fn interrupt_between_batches(&self) {
        self.interruption.set_policy(SignalPolicy::BetweenBatches);
    }

    /// Makes the process ignore signals from now on, because the work is about to be complete. Does not return if a
    /// signal is already ending the process.
    pub(crate) fn ignore_signals(&self) {
        self.interruption.set_policy(SignalPolicy::Never);
    }

    /// Fails if a signal has arrived after [`interrupt_between_batches`](Self::interrupt_between_batches).
    pub(crate) fn check_interrupted(&self) -> Result<(), Interrupted> {
        self.interruption.check_interrupted()
    }

    /// Registers a file or folder, which is removed if a signal ends the process.
    pub(crate) fn remove_on_exit(&self, path: &Path) {
        self.interruption.remove_on_exit(path);
    }

    /// Starts to show a piece of work, until the result is dropped. The caller counts with [`Work::advance`].
    pub(crate) fn start(&self, label: &str, unit: Unit, total: Option<u64>) -> Work {
        let count = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&count);
        let source: Source = Box::new(move || counter.load(Ordering::Relaxed));
        Work {
            count,
            _ticker: self.start_ticker(label, unit, total, source),
        }
    }

    /// Starts to show a piece of work of `total` bytes. `measure_bytes` returns how many bytes are done.
    pub(crate) fn start_measured(
        &self,
        label: &str,
        total: u64,
        measure_bytes: impl Fn() -> u64 + Send + 'static,
    ) -> Work {
        Work {
            count: Arc::default(),
            _ticker: self.start_ticker(label, Unit::Bytes, Some(total), Box::new(measure_bytes)),
        }
    }

    fn start_ticker(
        &self,
        label: &str,
        unit: Unit,
        total: Option<u64>,
        source: Source,
    ) -> Option<Ticker> {
        let formatter = formatter::ProgressFormatter::new(unit, total);
        let (view, interval) = match &self.display {
            Display::Hidden => return None,
            Display::Log => (
                View::lines(label, |line| log::info!("{line}")),
                LINE_INTERVAL,
            ),
            Display::Lines => (View::lines(label, print_line), LINE_INTERVAL),
            Display::Bars(bars) => (View::bar(bars, label, total), BAR_INTERVAL),
        };
        Ticker::start(view, interval, formatter, source)
    }

    /// Runs `work`, which may write to standard error, while no bar is drawn.
    fn suspend<T>(&self, work: impl FnOnce() -> T) -> T {
        match &self.display {
            Display::Bars(bars) => bars.suspend(work),
            _ => work(),
        }
    }

    /// Returns a writer to standard error that does not damage a bar.
    pub(crate) fn stderr(&self) -> impl Write + use<> {
        LineWriter {
            progress: self.clone(),
            unfinished_line: Vec::new(),
        }
    }

    /// Removes the bars for good, and prints a line.
    fn print_last(&self, message: &str) {
        if let Display::Bars(bars) = &self.display {
            // If the terminal is gone, there is nothing to clear.
            let _ignored = bars.clear();
            bars.set_draw_target(ProgressDrawTarget::hidden());
        }
        print_line(message);
    }
}

/// Prints no field, because none helps to find an error.
impl fmt::Debug for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Progress").finish_non_exhaustive()
    }
}

/// A piece of work that is shown until this value is dropped.
pub(crate) struct Work {
    count: Arc<AtomicU64>,
    _ticker: Option<Ticker>,
}

impl Work {
    /// Adds `count` to what is done.
    pub(crate) fn advance(&self, count: u64) {
        self.count.fetch_add(count, Ordering::Relaxed);
    }

    /// Returns how much is done; 0 for work that [`start_measured`](Progress::start_measured) shows.
    pub(crate) fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }

    /// Returns the counter, for a reader that counts the bytes that it reads.
    pub(crate) fn counter(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.count)
    }
}

/// Writes to standard error when a line is complete, between two drawings of a bar.
struct LineWriter {
    progress: Progress,
    unfinished_line: Vec<u8>,
}

impl Write for LineWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.unfinished_line.extend_from_slice(bytes);
        if bytes.contains(&b'\n') {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let text = std::mem::take(&mut self.unfinished_line);
        self.progress.suspend(|| io::stderr().write_all(&text))
    }
}

fn print_line(line: &str) {
    // If standard error is closed, nothing can be shown; the work goes on.
    let _ignored = writeln!(io::stderr(), "{line}");
}
