//! Stores the keys, which the background task writes and verifiers read, and decides when they are requested early.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use tokio::sync::{Notify, Semaphore, watch};
use tokio::time::{Instant, timeout};

use super::fetch::Fetched;
use crate::Error;
use crate::public_key::{KeySet, PublicKey, SkippedKey};
use crate::remote::client::RequestError;

/// The shortest time from the start of a request, successful or not, to a request that a token causes.
const WAKE_INTERVAL: Duration = Duration::from_secs(10);
/// The longest time that a token waits for a request.
const MAX_WAIT: Duration = Duration::from_secs(2);
/// The maximum number of tokens that wait at the same time. Further tokens are rejected at once.
const MAX_WAITING: usize = 1024;

/// The keys and the state of the requests.
pub(super) struct State {
    keys: RwLock<Option<ReceivedKeys>>,
    requests: Mutex<RequestStatus>,
    /// The number of completed requests.
    completed: watch::Sender<u64>,
    /// Wakes the background task.
    wake: Notify,
    waiting: Arc<Semaphore>,
    last_error: Mutex<Option<String>>,
}

/// The last good response.
struct ReceivedKeys {
    keys: KeySet,
    skipped: Vec<SkippedKey>,
    requested_at: Instant,
}

/// The requests of the background task.
struct RequestStatus {
    /// The start of the latest request.
    started_at: Instant,
    /// Whether a request runs or is about to run.
    is_pending: bool,
}

impl State {
    /// Creates the state of a task that is about to send its first request.
    pub(super) fn new() -> Self {
        Self {
            keys: RwLock::new(None),
            requests: Mutex::new(RequestStatus {
                started_at: Instant::now(),
                is_pending: true,
            }),
            completed: watch::Sender::new(0),
            wake: Notify::new(),
            waiting: Arc::new(Semaphore::new(MAX_WAITING)),
            last_error: Mutex::new(None),
        }
    }

    /// Returns the key with this id, if keys have been received, at most `max_age` ago.
    pub(super) fn find(&self, key_id: &str, max_age: Option<Duration>) -> Result<PublicKey, Error> {
        let loaded = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        let loaded = loaded.as_ref().ok_or(Error::KeysUnavailable)?;
        if max_age.is_some_and(|max_age| loaded.requested_at.elapsed() > max_age) {
            return Err(Error::KeysUnavailable);
        }
        loaded.keys.get(key_id).cloned().ok_or(Error::UnknownKey)
    }

    /// Wakes the background task, unless a request is pending or the latest one, successful or not, started less than
    /// [`WAKE_INTERVAL`] ago. So tokens with random key ids cause one request per interval.
    pub(super) fn request_refresh(&self) {
        let mut requests = lock(&self.requests);
        if !requests.is_pending && requests.started_at.elapsed() >= WAKE_INTERVAL {
            requests.is_pending = true;
            self.wake.notify_one();
        }
    }

    /// Returns a future that ends when the pending request has completed, or after [`MAX_WAIT`]; `None` if no request
    /// is pending or too many tokens wait.
    pub(super) fn pending_refresh(&self) -> Option<impl Future<Output = ()> + Send + use<>> {
        let requests = lock(&self.requests);
        if !requests.is_pending {
            return None;
        }
        let permit = Arc::clone(&self.waiting).try_acquire_owned().ok()?;
        // Subscribed while the lock is held, so that the end of the pending request is not missed.
        let mut completed = self.completed.subscribe();
        Some(async move {
            let _permit = permit;
            let _elapsed_or_stopped = timeout(MAX_WAIT, completed.changed()).await;
        })
    }

    /// Records that a request starts. Returns the time.
    pub(super) fn start_request(&self) -> Instant {
        let mut requests = lock(&self.requests);
        requests.is_pending = true;
        requests.started_at = Instant::now();
        requests.started_at
    }

    /// Records the result of the request that started at `requested_at`.
    pub(super) fn finish_request(
        &self,
        requested_at: Instant,
        result: Result<Fetched, RequestError>,
    ) {
        let result = result.map(|fetched| self.store(requested_at, fetched.keys));
        *lock(&self.last_error) = result.err().map(|RequestError(cause)| cause);
        let mut requests = lock(&self.requests);
        requests.is_pending = false;
        self.completed.send_modify(|count| *count += 1);
    }

    /// Stores the keys of a response. `None` stands for unchanged keys, of which only the time is updated.
    fn store(&self, requested_at: Instant, keys: Option<(KeySet, Vec<SkippedKey>)>) {
        let mut loaded = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        match (keys, &mut *loaded) {
            (Some((keys, skipped)), loaded) => {
                *loaded = Some(ReceivedKeys {
                    keys,
                    skipped,
                    requested_at,
                });
            }
            (None, Some(loaded)) => loaded.requested_at = requested_at,
            (None, None) => {}
        }
    }

    /// Waits until a verifier wakes the task, for at most `delay`.
    pub(super) async fn wait_for_wake(&self, delay: Duration) {
        let _elapsed = timeout(delay, self.wake.notified()).await;
    }

    /// Waits until keys have been received.
    pub(super) async fn wait_until_loaded(&self) {
        let mut completed = self.completed.subscribe();
        // `self` owns the sender, so the channel stays open during the wait, and the result is never an error.
        let _sender_gone = completed.wait_for(|_count| self.keys().is_some()).await;
    }

    pub(super) fn keys(&self) -> Option<KeySet> {
        self.read(|loaded| loaded.keys.clone())
    }

    pub(super) fn skipped(&self) -> Vec<SkippedKey> {
        self.read(|loaded| loaded.skipped.clone())
            .unwrap_or_default()
    }

    pub(super) fn age(&self) -> Option<Duration> {
        self.read(|loaded| loaded.requested_at.elapsed())
    }

    pub(super) fn last_error(&self) -> Option<String> {
        lock(&self.last_error).clone()
    }

    fn read<T>(&self, read: impl FnOnce(&ReceivedKeys) -> T) -> Option<T> {
        let loaded = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        loaded.as_ref().map(read)
    }
}

// A poisoned lock is used like any other, because no code panics while a value is inconsistent.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
