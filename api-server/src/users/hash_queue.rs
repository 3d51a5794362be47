//! Who may hash now: one at a time on each core, the rest in a [`NetworkQueue`] that is fair between networks.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot::{self, Receiver, Sender};

use super::network_queue::{NetworkQueue, QueueKey, Ticket, WaiterLimits};

/// Fifty people of one office who log in in one moment are served. With a thousand places, a network that comes new
/// finds one while dozens of others storm.
const LIMITS: WaiterLimits = WaiterLimits {
    per_network: 56,
    per_site: 4 * 56,
    in_all: 1024,
};

/// Gives out permits to hash, as many as there are cores.
pub(crate) struct HashQueue(Mutex<Inner>);

struct Inner {
    idle_cores: usize,
    waiting: NetworkQueue<Sender<HashPermit>>,
}

/// The right to hash now, on one core. Dropping it passes the core to the next in the line.
pub(crate) struct HashPermit(Option<Arc<HashQueue>>);

/// The line was full, or this place was given to a network that had fewer.
#[derive(Debug)]
pub(crate) struct QueueFull;

/// A place in the line; dropping it, as when the caller hangs up, gives it back.
struct QueuePlace {
    queue: Arc<HashQueue>,
    key: QueueKey,
    ticket: Ticket,
    turn: Receiver<HashPermit>,
}

enum Entered {
    WithPermit(HashPermit),
    Waiting(QueuePlace),
}

impl HashQueue {
    pub(crate) fn new(cores: usize) -> Arc<Self> {
        Arc::new(Self(Mutex::new(Inner {
            idle_cores: cores,
            waiting: NetworkQueue::new(LIMITS),
        })))
    }

    /// Waits for the turn of this network; fails at once if the network's part of the queue is full.
    pub(crate) async fn permit(self: &Arc<Self>, key: QueueKey) -> Result<HashPermit, QueueFull> {
        match self.enter(key)? {
            Entered::WithPermit(permit) => Ok(permit),
            Entered::Waiting(mut place) => (&mut place.turn).await.map_err(|_displaced| QueueFull),
        }
    }

    fn enter(self: &Arc<Self>, key: QueueKey) -> Result<Entered, QueueFull> {
        let mut inner = self.lock();
        if let Some(left) = inner.idle_cores.checked_sub(1) {
            inner.idle_cores = left;
            return Ok(Entered::WithPermit(self.new_permit()));
        }
        let (wake, turn) = oneshot::channel();
        let joined = inner.waiting.join(key, wake).map_err(|_no_room| QueueFull);
        drop(inner);
        // Dropping the sender of a displaced waiter is what tells it.
        let (ticket, _displaced) = joined?;
        Ok(Entered::Waiting(QueuePlace {
            queue: Arc::clone(self),
            key,
            ticket,
            turn,
        }))
    }

    /// Passes a core to the next in the line who still waits.
    fn pass_on(self: &Arc<Self>) {
        while let Some(next) = self.next_or_idle() {
            match next.send(self.new_permit()) {
                Ok(()) => return,
                // The core is still this call's to pass on.
                Err(mut unused) => drop(unused.0.take()),
            }
        }
    }

    fn next_or_idle(&self) -> Option<Sender<HashPermit>> {
        let mut inner = self.lock();
        let next = inner.waiting.next();
        if next.is_none() {
            inner.idle_cores = inner.idle_cores.saturating_add(1);
        }
        next
    }

    fn new_permit(self: &Arc<Self>) -> HashPermit {
        HashPermit(Some(Arc::clone(self)))
    }

    /// The line stays usable after a panic elsewhere.
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for HashPermit {
    fn drop(&mut self) {
        if let Some(queue) = self.0.take() {
            queue.pass_on();
        }
    }
}

impl Drop for QueuePlace {
    fn drop(&mut self) {
        let left = self.queue.lock().waiting.leave(self.key, self.ticket);
        drop(left);
    }
}

#[cfg(test)]
mod tests {
    use super::{HashPermit, HashQueue, LIMITS, QueueFull};
    use crate::network::Network;
    use futures_util::future::join_all;
    use std::cell::RefCell;
    use std::net::Ipv4Addr;
    use std::pin::{Pin, pin};
    use std::sync::Arc;
    use std::task::{Context, Poll, Waker};

    type PendingPermit<'a> = Pin<Box<dyn Future<Output = Result<HashPermit, QueueFull>> + 'a>>;

    #[expect(clippy::unnecessary_wraps, reason = "a key may be no network")]
    fn network(last: u8) -> Option<Network> {
        Some(Network::V4(Ipv4Addr::new(192, 0, 2, last)))
    }

    fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
        future.poll(&mut Context::from_waker(Waker::noop()))
    }

    fn wait(queue: &Arc<HashQueue>, last: u8) -> PendingPermit<'_> {
        let mut waiting: PendingPermit<'_> = Box::pin(queue.permit(network(last)));
        assert!(poll(Pin::new(&mut waiting)).is_pending());
        waiting
    }

    #[tokio::test]
    async fn as_many_as_there_are_cores_hash_at_once() {
        let queue = HashQueue::new(2);
        let first = queue.permit(None).await.unwrap();
        let _second = queue.permit(None).await.unwrap();
        let third = wait(&queue, 1);
        drop(first);
        third.await.unwrap();
    }

    #[tokio::test]
    async fn past_its_places_a_network_is_refused_at_once_and_another_is_not() {
        let queue = HashQueue::new(1);
        let running = queue.permit(None).await.unwrap();
        let mut waiting = Vec::new();
        for _ in 0..LIMITS.per_network {
            waiting.push(wait(&queue, 1));
        }
        assert!(queue.permit(network(1)).await.is_err());
        let other = wait(&queue, 2);
        drop(running);
        // The first of the storm, then the other one.
        drop(waiting.remove(0).await.unwrap());
        drop(other.await.unwrap());
    }

    #[tokio::test]
    async fn a_caller_that_hangs_up_gives_its_place_and_its_core_back() {
        let queue = HashQueue::new(1);
        let running = queue.permit(None).await.unwrap();
        let mut waiting = Vec::new();
        for _ in 0..LIMITS.per_network {
            waiting.push(wait(&queue, 1));
        }
        drop(waiting.pop());
        waiting.push(wait(&queue, 1));
        assert!(queue.permit(network(1)).await.is_err());
        // One that was given its turn and left before it took it.
        drop(running);
        drop(waiting);
        queue.permit(network(1)).await.unwrap();
        assert_eq!(queue.lock().idle_cores, 1);
    }

    #[tokio::test]
    async fn a_displaced_waiter_is_rejected_at_once() {
        let queue = HashQueue::new(1);
        let _running = queue.permit(None).await.unwrap();
        let mut waiting = Vec::new();
        for number in 0..LIMITS.in_all {
            waiting.push(wait(&queue, u8::try_from(number % 20).unwrap()));
        }
        let _new_network = wait(&queue, 200);
        let mut refused = 0;
        for mut place in waiting {
            if let Poll::Ready(outcome) = poll(Pin::new(&mut place)) {
                assert!(outcome.is_err());
                refused += 1;
            }
        }
        assert_eq!(refused, 1);
    }

    #[tokio::test]
    async fn turns_go_round_the_networks() {
        let (queue, served) = (HashQueue::new(1), RefCell::new(Vec::new()));
        let running = queue.permit(None).await.unwrap();
        let attempt = |last| {
            let (queue, served) = (&queue, &served);
            async move {
                let permit = queue.permit(network(last)).await.unwrap();
                served.borrow_mut().push(last);
                drop(permit);
            }
        };
        let mut all = pin!(join_all([1, 1, 1, 2, 2, 3].map(attempt)));
        assert!(poll(all.as_mut()).is_pending());
        drop(running);
        all.await;
        assert_eq!(*served.borrow(), [1, 2, 3, 1, 2, 1]);
    }
}
