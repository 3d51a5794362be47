//! Grants permits to hash: one for each core at a time. Other requests wait in a [`NetworkQueue`], which is fair
//! between networks.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot::{self, Receiver, Sender};

use super::network_queue::{NetworkQueue, NetworkQueueFull, QueueKey, WaiterId, WaiterLimits};

/// Fifty users of one office can log in at the same moment. With 1024 waiters in total, a new network can still wait
/// while dozens of other networks send as many requests as they may.
const LIMITS: WaiterLimits = WaiterLimits {
    per_network: 56,
    per_site: 4 * 56,
    total: 1024,
};

/// Grants permits to hash, as many at a time as there are cores.
pub(crate) struct HashQueue(Mutex<Inner>);

struct Inner {
    idle_cores: usize,
    waiting: NetworkQueue<Sender<HashPermit>>,
}

/// Permits its owner to compute one hash on one core. Dropping it grants a permit to the next waiter.
pub(crate) struct HashPermit(Option<Arc<HashQueue>>);

/// A request that waits for a permit. Dropping it, as when the caller disconnects, removes it from the queue.
struct QueuedRequest {
    queue: Arc<HashQueue>,
    key: QueueKey,
    waiter: WaiterId,
    permit: Receiver<HashPermit>,
}

enum Admission {
    Granted(HashPermit),
    Queued(QueuedRequest),
}

impl HashQueue {
    pub(crate) fn new(cores: usize) -> Arc<Self> {
        Arc::new(Self(Mutex::new(Inner {
            idle_cores: cores,
            waiting: NetworkQueue::new(LIMITS),
        })))
    }

    /// Waits for a permit. Fails at once if the queue has no capacity for this network, or later if a network with
    /// fewer waiters displaces this request.
    pub(crate) async fn permit(
        self: &Arc<Self>,
        key: QueueKey,
    ) -> Result<HashPermit, NetworkQueueFull> {
        match self.admit(key)? {
            Admission::Granted(permit) => Ok(permit),
            Admission::Queued(mut request) => {
                let permit = (&mut request.permit).await;
                permit.map_err(|_displaced| NetworkQueueFull)
            }
        }
    }

    fn admit(self: &Arc<Self>, key: QueueKey) -> Result<Admission, NetworkQueueFull> {
        let mut inner = self.lock();
        if let Some(idle_cores) = inner.idle_cores.checked_sub(1) {
            inner.idle_cores = idle_cores;
            return Ok(Admission::Granted(self.new_permit()));
        }
        let (sender, permit) = oneshot::channel();
        let pushed = inner.waiting.push(key, sender);
        drop(inner);
        // Dropping the sender of a displaced request makes its `permit` fail.
        let (waiter, _displaced) = pushed?;
        Ok(Admission::Queued(QueuedRequest {
            queue: Arc::clone(self),
            key,
            waiter,
            permit,
        }))
    }

    /// Grants the core to the next waiter that is still connected; without one, the core is idle.
    fn release_core(self: &Arc<Self>) {
        while let Some(sender) = self.pop_or_idle() {
            match sender.send(self.new_permit()) {
                Ok(()) => return,
                // Emptied before it is dropped, so that this loop alone releases the core.
                Err(mut unused) => drop(unused.0.take()),
            }
        }
    }

    /// Takes the next waiter from the queue. If none waits, counts the core as idle.
    fn pop_or_idle(&self) -> Option<Sender<HashPermit>> {
        let mut inner = self.lock();
        let next = inner.waiting.pop();
        if next.is_none() {
            inner.idle_cores = inner.idle_cores.saturating_add(1);
        }
        next
    }

    fn new_permit(self: &Arc<Self>) -> HashPermit {
        HashPermit(Some(Arc::clone(self)))
    }

    /// Locks the queue. A panic of another thread does not make it unusable.
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for HashPermit {
    fn drop(&mut self) {
        if let Some(queue) = self.0.take() {
            queue.release_core();
        }
    }
}

impl Drop for QueuedRequest {
    fn drop(&mut self) {
        let removed = self.queue.lock().waiting.remove(self.key, self.waiter);
        drop(removed);
    }
}

#[cfg(test)]
mod tests {
    use super::{HashPermit, HashQueue, LIMITS, NetworkQueueFull};
    use crate::network::Network;
    use futures_util::future::join_all;
    use std::cell::RefCell;
    use std::net::Ipv4Addr;
    use std::pin::{Pin, pin};
    use std::sync::Arc;
    use std::task::{Context, Poll, Waker};

    type PendingPermit<'a> =
        Pin<Box<dyn Future<Output = Result<HashPermit, NetworkQueueFull>> + 'a>>;

    #[expect(clippy::unnecessary_wraps, reason = "the type of a key")]
    fn network(last_octet: u8) -> Option<Network> {
        Some(Network::V4(Ipv4Addr::new(192, 0, 2, last_octet)))
    }

    fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
        future.poll(&mut Context::from_waker(Waker::noop()))
    }

    /// A request from `192.0.2.{last_octet}` that has to wait.
    fn wait(queue: &Arc<HashQueue>, last_octet: u8) -> PendingPermit<'_> {
        let mut waiting: PendingPermit<'_> = Box::pin(queue.permit(network(last_octet)));
        assert!(poll(Pin::new(&mut waiting)).is_pending());
        waiting
    }

    /// As many waiting requests from `192.0.2.1` as one network may have.
    fn fill_network(queue: &Arc<HashQueue>) -> Vec<PendingPermit<'_>> {
        (0..LIMITS.per_network).map(|_| wait(queue, 1)).collect()
    }

    #[tokio::test]
    async fn as_many_permits_are_granted_as_there_are_cores() {
        let queue = HashQueue::new(2);
        let first = queue.permit(None).await.unwrap();
        let _second = queue.permit(None).await.unwrap();
        let third = wait(&queue, 1);
        drop(first);
        third.await.unwrap();
    }

    #[tokio::test]
    async fn a_network_at_its_limit_is_rejected_at_once_and_another_is_not() {
        let queue = HashQueue::new(1);
        let running = queue.permit(None).await.unwrap();
        let mut waiting = fill_network(&queue);
        assert!(queue.permit(network(1)).await.is_err());
        let other = wait(&queue, 2);
        drop(running);
        // Alternates between the two networks.
        drop(waiting.remove(0).await.unwrap());
        drop(other.await.unwrap());
    }

    #[tokio::test]
    async fn a_disconnected_caller_frees_its_part_of_the_queue_and_its_core() {
        let queue = HashQueue::new(1);
        let running = queue.permit(None).await.unwrap();
        let mut waiting = fill_network(&queue);
        drop(waiting.pop());
        waiting.push(wait(&queue, 1));
        assert!(queue.permit(network(1)).await.is_err());
        // The first waiting caller gets a permit, but disconnects before the permit is used.
        drop(running);
        drop(waiting);
        queue.permit(network(1)).await.unwrap();
        assert_eq!(queue.lock().idle_cores, 1);
    }

    #[tokio::test]
    async fn a_displaced_request_is_rejected_at_once() {
        let queue = HashQueue::new(1);
        let _running = queue.permit(None).await.unwrap();
        let mut waiting = Vec::new();
        for number in 0..LIMITS.total {
            waiting.push(wait(&queue, u8::try_from(number % 20).unwrap()));
        }
        let _new_network = wait(&queue, 200);
        let mut rejected = 0;
        for mut request in waiting {
            if let Poll::Ready(result) = poll(Pin::new(&mut request)) {
                assert!(result.is_err());
                rejected += 1;
            }
        }
        assert_eq!(rejected, 1);
    }

    #[tokio::test]
    async fn permits_are_granted_to_each_network_in_rotation() {
        let (queue, served) = (HashQueue::new(1), RefCell::new(Vec::new()));
        let running = queue.permit(None).await.unwrap();
        let attempt = |last_octet| {
            let (queue, served) = (&queue, &served);
            async move {
                let permit = queue.permit(network(last_octet)).await.unwrap();
                served.borrow_mut().push(last_octet);
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
