//! Hashes and checks passwords outside the async threads, at most one per core at a time. The queue for this work is
//! fair between networks. No other code of the server runs bcrypt.

use std::sync::Arc;
use std::time::Instant;

use auth_core::password::{Cost, PasswordAttempt, PasswordHash};
use tokio::task::spawn_blocking;

use super::hash_queue::{HashPermit, HashQueue};
use super::network_queue::{NetworkQueueFull, WaiterLimits};
use super::password_policy::ChosenPassword;
use crate::client::Client;
use crate::cores::cores;
use crate::metrics::{Metrics, Wait};
use crate::problem::Problem;

/// Hashes passwords with one configured cost, and checks entered passwords.
pub(crate) struct Hasher {
    cost: Cost,
    queue: Arc<HashQueue>,
    metrics: Metrics,
}

impl Hasher {
    pub(crate) fn new(cost: Cost, limits: WaiterLimits, metrics: Metrics) -> Self {
        Self {
            cost,
            queue: HashQueue::new(cores(), limits),
            metrics,
        }
    }

    /// Returns the number of requests that wait for a permit.
    pub(crate) fn queue_length(&self) -> usize {
        self.queue.waiting_count()
    }

    /// Waits for a permit to hash. Fails at once if the queue has no capacity for the client's network, or later if the
    /// client disconnects or a request of another network displaces this request. All clients without a network are
    /// treated as one network.
    pub(crate) async fn acquire_permit(&self, client: &Client) -> Result<HashPermit, Problem> {
        let started_at = Instant::now();
        let permit = tokio::select! {
            biased;
            () = client.hang_up.wait() => return Err(Problem::overloaded()),
            result = self.queue.acquire_permit(client.network) => {
                result.map_err(|NetworkQueueFull| Problem::overloaded())?
            }
        };
        self.metrics
            .record_wait_since(Wait::PasswordHash, started_at);
        Ok(permit)
    }

    /// Hashes a new password with the configured cost.
    pub(crate) async fn hash(
        &self,
        permit: HashPermit,
        password: ChosenPassword,
    ) -> Result<PasswordHash, Problem> {
        let (cost, password) = (self.cost, password.into_password());
        run_on_blocking_thread(permit, move || password.hash(cost)).await
    }

    /// Checks an entered password. Checking a wrong password takes at least as long as a hash of the configured cost,
    /// even if the stored hash is cheaper or missing. A right password is hashed again, for the caller to store, if the
    /// stored hash is of another program or cost.
    pub(crate) async fn check(
        &self,
        attempt: PasswordAttempt,
        stored_hash: Option<PasswordHash>,
        client: &Client,
    ) -> Result<PasswordCheck, Problem> {
        let cost = self.cost;
        let permit = self.acquire_permit(client).await?;
        run_on_blocking_thread(permit, move || check_blocking(&attempt, stored_hash, cost)).await
    }
}

pub(crate) enum PasswordCheck {
    Wrong,
    /// `rehashed` is a new hash of the configured cost, if the stored hash is of another program or cost.
    Right {
        rehashed: Option<PasswordHash>,
    },
}

fn check_blocking(
    attempt: &PasswordAttempt,
    stored_hash: Option<PasswordHash>,
    cost: Cost,
) -> Result<PasswordCheck, auth_core::Error> {
    let has_hash = stored_hash.is_some();
    let hash = stored_hash.unwrap_or_else(|| PasswordHash::unmatchable(cost));
    if !attempt.matches_no_faster_than(&hash, cost)? || !has_hash {
        return Ok(PasswordCheck::Wrong);
    }
    let rehash_result = hash.needs_rehash(cost).then(|| attempt.rehash(cost));
    Ok(PasswordCheck::Right {
        rehashed: rehash_result.transpose()?,
    })
}

async fn run_on_blocking_thread<T: Send + 'static>(
    permit: HashPermit,
    work: impl FnOnce() -> Result<T, auth_core::Error> + Send + 'static,
) -> Result<T, Problem> {
    let task = spawn_blocking(move || {
        let _dropped_after_work = permit;
        work()
    });
    Ok(task.await.map_err(Problem::internal)??)
}
