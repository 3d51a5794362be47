//! The one door to bcrypt: off the async threads, one hash per core, a bounded queue.

use std::sync::Arc;

use auth_core::password::{Cost, PasswordAttempt, PasswordHash};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::spawn_blocking;

use super::password_policy::ChosenPassword;
use crate::cores::cores;
use crate::problem::Problem;

/// How many hashes may wait. Fifty people who sign up in one moment are served; a storm is turned away at once.
const QUEUE: usize = 56;

/// Hashes and checks passwords.
pub(crate) struct Hasher {
    cost: Cost,
    places: Arc<Semaphore>,
    cores: Arc<Semaphore>,
}

/// The right to hash now; held until the hash is done.
pub(crate) struct Turn {
    _place: OwnedSemaphorePermit,
    _core: OwnedSemaphorePermit,
}

impl Hasher {
    pub(crate) fn new(cost: Cost) -> Self {
        let cores = cores();
        Self {
            cost,
            places: Arc::new(Semaphore::new(cores + QUEUE)),
            cores: Arc::new(Semaphore::new(cores)),
        }
    }

    /// Waits for a free core; refuses at once when too many wait already.
    pub(crate) async fn turn(&self) -> Result<Turn, Problem> {
        let place = Arc::clone(&self.places).try_acquire_owned();
        let place = place.map_err(|_full| Problem::overloaded())?;
        let core = Arc::clone(&self.cores).acquire_owned().await;
        Ok(Turn {
            _place: place,
            _core: core.map_err(Problem::internal)?,
        })
    }

    pub(crate) async fn hash(
        &self,
        turn: Turn,
        password: ChosenPassword,
    ) -> Result<PasswordHash, Problem> {
        let (cost, password) = (self.cost, password.into_password());
        on_its_own_thread(turn, move || password.hash(cost)).await
    }

    /// Checks an attempt; without a hash it takes as long and is wrong. With a hash of other parameters than today's
    /// a right password is hashed again, for the caller to store.
    pub(crate) async fn check(
        &self,
        attempt: PasswordAttempt,
        stored: Option<PasswordHash>,
    ) -> Result<Verdict, Problem> {
        let cost = self.cost;
        let turn = self.turn().await?;
        on_its_own_thread(turn, move || {
            let known = stored.is_some();
            let hash = stored.unwrap_or_else(|| PasswordHash::unmatchable(cost));
            if !attempt.matches(&hash)? || !known {
                return Ok(Verdict::Wrong);
            }
            let rehashed = hash.needs_rehash(cost).then(|| attempt.rehash(cost));
            Ok(Verdict::Right {
                rehashed: rehashed.transpose()?,
            })
        })
        .await
    }
}

pub(crate) enum Verdict {
    Wrong,
    Right { rehashed: Option<PasswordHash> },
}

async fn on_its_own_thread<T: Send + 'static>(
    turn: Turn,
    work: impl FnOnce() -> Result<T, auth_core::Error> + Send + 'static,
) -> Result<T, Problem> {
    let outcome = spawn_blocking(move || {
        let _until_done = turn;
        work()
    });
    Ok(outcome.await.map_err(Problem::internal)??)
}

#[cfg(test)]
mod tests {
    use super::{Hasher, QUEUE};
    use auth_core::password::Cost;

    #[tokio::test]
    async fn past_the_queue_a_turn_is_refused_at_once_and_given_again_afterwards() {
        let hasher = Hasher::new(Cost::default());
        let cores = hasher.cores.available_permits();
        let mut running = Vec::new();
        for _ in 0..cores {
            running.push(hasher.turn().await.unwrap());
        }
        let full = hasher
            .places
            .clone()
            .try_acquire_many_owned(u32::try_from(QUEUE).unwrap());
        assert!(hasher.turn().await.is_err());
        drop((full, running));
        assert!(hasher.turn().await.is_ok());
    }
}
