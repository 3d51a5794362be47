//! Tests when keys are requested, with a test clock and without a network. Also tests, over HTTP, what is requested.

mod fetch;
mod refresh;
mod tokens;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::RemoteKeySet;
use super::fetch::{Fetch, Fetched, parse};
use crate::public_key::{Algorithm, KeySet, PublicKey, SigningKey};
use crate::remote::client::RequestError;

/// The result of one scripted request.
#[derive(Clone)]
struct Step {
    /// The time that the request takes.
    duration: Duration,
    /// The document, `unchanged` for a 304, or `None` for a failure.
    document: Option<String>,
    refresh_interval: Duration,
}

/// Replaces the HTTP requests by these steps. The last step repeats.
struct Script {
    steps: VecDeque<Step>,
    started_at: Arc<Mutex<Vec<Instant>>>,
}

impl Fetch for Script {
    async fn fetch(&mut self) -> Result<Fetched, RequestError> {
        self.started_at.lock().unwrap().push(Instant::now());
        let step = match self.steps.len() {
            1 => self.steps[0].clone(),
            _ => self.steps.pop_front().unwrap(),
        };
        sleep(step.duration).await;
        let refresh_interval = step.refresh_interval;
        let keys = match step.document.as_deref() {
            None => return Err(RequestError("the server responded 500".to_owned())),
            Some("unchanged") => None,
            Some(document) => Some(parse(document.as_bytes())?),
        };
        Ok(Fetched {
            keys,
            refresh_interval,
        })
    }
}

/// A key set with scripted requests.
struct ScriptedKeySet {
    keys: RemoteKeySet,
    start: Instant,
    started_at: Arc<Mutex<Vec<Instant>>>,
}

impl ScriptedKeySet {
    fn start(steps: impl IntoIterator<Item = Step>) -> Self {
        let started_at = Arc::new(Mutex::new(Vec::new()));
        let script = Script {
            steps: steps.into_iter().collect(),
            started_at: Arc::clone(&started_at),
        };
        Self {
            keys: RemoteKeySet::spawn(script).unwrap(),
            start: Instant::now(),
            started_at,
        }
    }

    /// Returns the times of all requests so far, in seconds after the start.
    fn request_times(&self) -> Vec<f64> {
        let started_at = self.started_at.lock().unwrap();
        let since_start = |time: &Instant| time.duration_since(self.start).as_secs_f64();
        started_at.iter().map(since_start).collect()
    }

    fn request_count(&self) -> usize {
        self.started_at.lock().unwrap().len()
    }
}

/// Returns the step of a request that succeeds at once with this document. The next request follows after 5 minutes.
fn document(text: impl Into<String>) -> Step {
    Step {
        duration: Duration::ZERO,
        document: Some(text.into()),
        refresh_interval: Duration::from_secs(300),
    }
}

fn failure() -> Step {
    Step {
        document: None,
        ..document("")
    }
}

impl Step {
    fn taking(self, duration: Duration) -> Self {
        Self { duration, ..self }
    }
}

fn generate_key() -> SigningKey {
    SigningKey::generate(Algorithm::EdDsa).unwrap()
}

fn jwks(keys: &[&SigningKey]) -> String {
    let keys = keys.iter().map(|key| key.public_key().clone());
    KeySet::new(keys.collect::<Vec<PublicKey>>())
        .unwrap()
        .to_jwks()
}

const fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

const MILLISECOND: Duration = Duration::from_millis(1);
