//! Ends a command when SIGINT (Ctrl-C) or SIGTERM arrives, without leaving incomplete files or a part of a transaction.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::{fmt, io, process, thread};

use tokio::runtime;
use tokio::signal::unix::{SignalKind, signal};

/// The exit status after a signal is this number plus that of the signal, as in a shell.
const EXIT_AFTER_SIGNAL: u8 = 128;
const SIGINT: u8 = 2;
const SIGTERM: u8 = 15;
/// The most attempts to remove a file or folder. One may fail, because the work may create a file in the folder at the
/// same time.
const MAX_REMOVALS: usize = 10;

/// The error of work that a signal has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interrupted {
    signal: u8,
    /// A text about what remains and what to do; may be empty.
    advice: &'static str,
}

impl Interrupted {
    /// Returns the exit status of the program: 130 after SIGINT, 143 after SIGTERM.
    #[must_use]
    pub fn exit_status(self) -> u8 {
        EXIT_AFTER_SIGNAL + self.signal
    }

    /// Adds a text about what remains and what to do.
    pub(crate) fn with_advice(self, advice: &'static str) -> Self {
        Self { advice, ..self }
    }

    fn by(signal: u8) -> Self {
        Self { signal, advice: "" }
    }
}

impl fmt::Display for Interrupted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.signal {
            SIGINT => "interrupted by SIGINT",
            _ => "interrupted by SIGTERM",
        })?;
        match self.advice {
            "" => Ok(()),
            advice => write!(f, ": {advice}"),
        }
    }
}

impl std::error::Error for Interrupted {}

/// The effect of a signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SignalPolicy {
    /// Ends the process, with a text about what remains.
    AtOnce(&'static str),
    /// Makes [`Interruption::check_interrupted`] fail. A second signal ends the process.
    BetweenBatches,
    /// Does nothing.
    Never,
}

/// The reaction to one signal.
#[derive(Debug, PartialEq, Eq)]
enum Reaction {
    Exit(String),
    Announce(&'static str),
    Ignore,
}

/// The effect of signals, the files to remove, and the signal that ends work after a batch. Clones share this state.
#[derive(Clone, Default)]
pub(super) struct Interruption(Arc<Shared>);

struct Shared {
    /// The number of the first signal that arrived under [`SignalPolicy::BetweenBatches`]; 0 if none has.
    signal: AtomicU8,
    state: Mutex<State>,
}

struct State {
    policy: SignalPolicy,
    /// The files and folders to remove when a signal ends the process.
    paths: Vec<PathBuf>,
}

impl Default for Shared {
    fn default() -> Self {
        Self {
            signal: AtomicU8::new(0),
            state: Mutex::new(State {
                policy: SignalPolicy::Never,
                paths: Vec::new(),
            }),
        }
    }
}

impl Interruption {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets the effect of signals from now on. Does not return if a signal is already ending the process.
    pub(super) fn set_policy(&self, policy: SignalPolicy) {
        self.state().policy = policy;
    }

    pub(super) fn remove_on_exit(&self, path: &Path) {
        self.state().paths.push(path.to_owned());
    }

    pub(super) fn check_interrupted(&self) -> Result<(), Interrupted> {
        match self.0.signal.load(Ordering::Relaxed) {
            0 => Ok(()),
            number => Err(Interrupted::by(number)),
        }
    }

    /// Handles SIGINT and SIGTERM from now on, on a thread. `print` prints a message to the user.
    pub(super) fn watch(&self, print: impl Fn(&str) + Send + 'static) -> io::Result<()> {
        let runtime = runtime::Builder::new_current_thread().enable_io().build()?;
        let (mut interrupts, mut terminations) = {
            let _context = runtime.enter();
            (
                signal(SignalKind::interrupt())?,
                signal(SignalKind::terminate())?,
            )
        };
        let interruption = self.clone();
        let watch_signals = move || {
            runtime.block_on(async {
                loop {
                    let number = tokio::select! {
                        _ = interrupts.recv() => SIGINT,
                        _ = terminations.recv() => SIGTERM,
                    };
                    interruption.receive(number, &print);
                }
            });
        };
        let builder = thread::Builder::new().name("signals".to_owned());
        builder.spawn(watch_signals).map(drop)
    }

    fn receive(&self, number: u8, print: &impl Fn(&str)) {
        // If the signal ends the process, the lock is kept until then. Work that is about to be complete waits for the
        // lock in `set_policy`, so it does not become complete meanwhile.
        let state = self.state();
        match self.react(&state, number) {
            Reaction::Ignore => {}
            Reaction::Announce(message) => print(message),
            Reaction::Exit(message) => {
                state.paths.iter().for_each(|path| remove(path));
                print(&message);
                process::exit(i32::from(Interrupted::by(number).exit_status()));
            }
        }
    }

    fn react(&self, state: &State, number: u8) -> Reaction {
        match state.policy {
            SignalPolicy::Never => Reaction::Ignore,
            SignalPolicy::AtOnce(remains) => {
                Reaction::Exit(Interrupted::by(number).with_advice(remains).to_string())
            }
            SignalPolicy::BetweenBatches => {
                let unset = 0;
                let ordering = Ordering::Relaxed;
                let previous = self
                    .0
                    .signal
                    .compare_exchange(unset, number, ordering, ordering);
                match previous {
                    Ok(_first) => Reaction::Announce(
                        "stopping after the current batch; another Ctrl-C stops at once",
                    ),
                    Err(_earlier) => Reaction::Exit(format!(
                        "{} again: rows that are not committed yet are rolled back, and the others stay",
                        Interrupted::by(number)
                    )),
                }
            }
        }
    }
}

/// Removes a file, or a folder with its files. Ignores errors, because the process ends in any case.
fn remove(path: &Path) {
    for _attempt in 0..MAX_REMOVALS {
        let result = if path.is_dir() {
            fs::remove_dir_all(path)
        } else {
            fs::remove_file(path)
        };
        if result.is_ok() || path.symlink_metadata().is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{Interrupted, Interruption, Reaction, SIGINT, SIGTERM, SignalPolicy, remove};

    fn react(interruption: &Interruption, number: u8) -> Reaction {
        interruption.react(&interruption.state(), number)
    }

    #[test]
    fn a_signal_ends_the_process_with_what_remains() {
        let interruption = Interruption::default();
        interruption.set_policy(SignalPolicy::AtOnce("no file was written"));
        let expected = Reaction::Exit("interrupted by SIGINT: no file was written".to_owned());
        assert_eq!(react(&interruption, SIGINT), expected);
    }

    #[test]
    fn the_first_signal_ends_the_work_at_a_batch_and_the_second_the_process() {
        let interruption = Interruption::default();
        interruption.set_policy(SignalPolicy::BetweenBatches);
        assert_eq!(interruption.check_interrupted(), Ok(()));
        assert!(matches!(
            react(&interruption, SIGTERM),
            Reaction::Announce(_)
        ));
        assert_eq!(
            interruption.check_interrupted(),
            Err(Interrupted::by(SIGTERM))
        );
        let Reaction::Exit(message) = react(&interruption, SIGINT) else {
            panic!("the second signal does not end the process");
        };
        assert!(
            message.starts_with("interrupted by SIGINT again"),
            "{message}"
        );
        assert_eq!(
            interruption.check_interrupted(),
            Err(Interrupted::by(SIGTERM))
        );
    }

    #[test]
    fn work_that_is_about_to_be_complete_is_not_ended() {
        let interruption = Interruption::default();
        interruption.set_policy(SignalPolicy::Never);
        assert_eq!(react(&interruption, SIGINT), Reaction::Ignore);
        assert_eq!(interruption.check_interrupted(), Ok(()));
    }

    #[test]
    fn the_exit_status_is_that_of_a_shell() {
        assert_eq!(Interrupted::by(SIGINT).exit_status(), 130);
        assert_eq!(Interrupted::by(SIGTERM).exit_status(), 143);
        assert_eq!(
            Interrupted::by(SIGTERM).to_string(),
            "interrupted by SIGTERM"
        );
    }

    #[test]
    fn files_and_folders_are_removed() {
        let folder = tempfile::tempdir().unwrap();
        let (file, subfolder) = (folder.path().join("file"), folder.path().join("folder"));
        fs::write(&file, "").unwrap();
        fs::create_dir(&subfolder).unwrap();
        fs::write(subfolder.join("file"), "").unwrap();
        for path in [file, subfolder, folder.path().join("missing")] {
            remove(&path);
            assert!(!path.exists());
        }
    }
}
