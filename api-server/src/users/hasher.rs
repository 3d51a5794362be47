//! The only way to bcrypt: off the async threads, one hash per core, in a line that is fair between networks.

use std::sync::Arc;

use auth_core::password::{Cost, PasswordAttempt, PasswordHash};
use tokio::task::spawn_blocking;

use super::hash_queue::{HashPermit, HashQueue, QueueFull};
use super::password_policy::ChosenPassword;
use crate::client::Client;
use crate::cores::cores;
use crate::problem::Problem;

/// Hashes and checks passwords.
pub(crate) struct Hasher {
    cost: Cost,
    queue: Arc<HashQueue>,
}

impl Hasher {
    pub(crate) fn new(cost: Cost) -> Self {
        Self {
            cost,
            queue: HashQueue::new(cores()),
        }
    }

    /// Waits for the turn of the caller's network; refuses at once when too many of its attempts wait already. Callers
    /// without a network wait in one line. A caller that hangs up waits no longer.
    pub(crate) async fn permit(&self, client: &Client) -> Result<HashPermit, Problem> {
        tokio::select! {
            biased;
            () = client.hang_up.wait() => Err(Problem::overloaded()),
            permit = self.queue.permit(client.network) => {
                permit.map_err(|QueueFull| Problem::overloaded())
            }
        }
    }

    pub(crate) async fn hash(
        &self,
        permit: HashPermit,
        password: ChosenPassword,
    ) -> Result<PasswordHash, Problem> {
        let (cost, password) = (self.cost, password.into_password());
        on_blocking_thread(permit, move || password.hash(cost)).await
    }

    /// Checks an attempt. Without a hash, or with one that is cheaper to check than today's, a wrong attempt takes as
    /// long as with today's. With a hash of other parameters than today's a right password is hashed again, for the
    /// caller to store.
    pub(crate) async fn check(
        &self,
        attempt: PasswordAttempt,
        stored: Option<PasswordHash>,
        client: &Client,
    ) -> Result<PasswordCheck, Problem> {
        let cost = self.cost;
        let permit = self.permit(client).await?;
        on_blocking_thread(permit, move || check_blocking(&attempt, stored, cost)).await
    }
}

pub(crate) enum PasswordCheck {
    Wrong,
    Right { rehashed: Option<PasswordHash> },
}

fn check_blocking(
    attempt: &PasswordAttempt,
    stored: Option<PasswordHash>,
    cost: Cost,
) -> Result<PasswordCheck, auth_core::Error> {
    let known = stored.is_some();
    let hash = stored.unwrap_or_else(|| PasswordHash::unmatchable(cost));
    if !attempt.matches_no_faster_than(&hash, cost)? || !known {
        return Ok(PasswordCheck::Wrong);
    }
    let rehashed = hash.needs_rehash(cost).then(|| attempt.rehash(cost));
    Ok(PasswordCheck::Right {
        rehashed: rehashed.transpose()?,
    })
}

async fn on_blocking_thread<T: Send + 'static>(
    permit: HashPermit,
    work: impl FnOnce() -> Result<T, auth_core::Error> + Send + 'static,
) -> Result<T, Problem> {
    let outcome = spawn_blocking(move || {
        let _until_done = permit;
        work()
    });
    Ok(outcome.await.map_err(Problem::internal)??)
}
