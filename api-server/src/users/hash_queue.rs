//! Grants permits to hash passwords, as many at a time as there are cores. Further requests wait in a [`NetworkQueue`],
//! which is fair between networks.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot::{self, Receiver, Sender};

use super::network_queue::{NetworkQueue, NetworkQueueFull, QueueKey, WaiterId, WaiterLimits};

/// Grants permits, and queues the requests that wait for a permit.
pub(crate) struct HashQueue(Mutex<Inner>);

struct Inner {
    idle_core_count: usize,
    waiters: NetworkQueue<Sender<HashPermit>>,
}

/// Permits its owner to hash or check one password on one core. Dropping this value frees the core for the next waiter.
pub(crate) struct HashPermit(Option<Arc<HashQueue>>);

/// A request that waits for a permit. If this value is dropped, the request leaves the queue.
struct QueuedRequest {
    queue: Arc<HashQueue>,
    key: QueueKey,
    waiter_id: WaiterId,
    receiver: Receiver<HashPermit>,
}

enum Admission {
    Granted(HashPermit),
    Queued(QueuedRequest),
}

impl HashQueue {
    pub(crate) fn new(core_count: usize, limits: WaiterLimits) -> Arc<Self> {
        Arc::new(Self(Mutex::new(Inner {
            idle_core_count: core_count,
            waiters: NetworkQueue::new(limits),
        })))
    }

    /// Returns the number of requests that wait for a permit.
    pub(crate) fn waiting_count(&self) -> usize {
        self.lock().waiters.len()
    }

    /// Waits for a permit. Fails at once if the queue has no capacity for this network, or later if a request of
    /// another network displaces this request.
    pub(crate) async fn acquire_permit(
        self: &Arc<Self>,
        key: QueueKey,
    ) -> Result<HashPermit, NetworkQueueFull> {
        match self.admit(key)? {
            Admission::Granted(permit) => Ok(permit),
            Admission::Queued(mut request) => {
                let result = (&mut request.receiver).await;
                result.map_err(|_displaced| NetworkQueueFull)
            }
        }
    }

    fn admit(self: &Arc<Self>, key: QueueKey) -> Result<Admission, NetworkQueueFull> {
        let mut inner = self.lock();
        if let Some(remaining_count) = inner.idle_core_count.checked_sub(1) {
            inner.idle_core_count = remaining_count;
            return Ok(Admission::Granted(self.new_permit()));
        }
        let (sender, receiver) = oneshot::channel();
        let push_result = inner.waiters.push(key, sender);
        drop(inner);
        // Dropping the sender of a displaced request ends the wait of that request with an error.
        let (waiter_id, _displaced) = push_result?;
        Ok(Admission::Queued(QueuedRequest {
            queue: Arc::clone(self),
            key,
            waiter_id,
            receiver,
        }))
    }

    /// Grants the core to the next request that still waits. If no request waits, the core becomes idle.
    fn release_core(self: &Arc<Self>) {
        while let Some(sender) = self.pop_or_mark_idle() {
            match sender.send(self.new_permit()) {
                Ok(()) => return,
                // The request no longer waits. The permit is emptied, so that its drop does not call this function.
                Err(mut permit) => drop(permit.0.take()),
            }
        }
    }

    /// Takes the next waiter from the queue. If the queue is empty, counts the core as idle.
    fn pop_or_mark_idle(&self) -> Option<Sender<HashPermit>> {
        let mut inner = self.lock();
        let sender = inner.waiters.pop();
        if sender.is_none() {
            inner.idle_core_count = inner.idle_core_count.saturating_add(1);
        }
        sender
    }

    fn new_permit(self: &Arc<Self>) -> HashPermit {
        HashPermit(Some(Arc::clone(self)))
    }

    /// Locks the queue. A panic of another thread does not make the queue unusable.
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
        let removed_sender = self.queue.lock().waiters.remove(self.key, self.waiter_id);
        drop(removed_sender);
    }
}

#[cfg(test)]
mod tests {
    use super::{HashPermit, HashQueue, NetworkQueueFull, WaiterLimits};
    use crate::network::Network;
    use futures_util::future::join_all;
    use std::cell::RefCell;
    use std::net::Ipv4Addr;
    use std::pin::{Pin, pin};
    use std::sync::Arc;
    use std::task::{Context, Poll, Waker};

    const WAITERS: usize = 40;
    const WAITERS_PER_NETWORK: usize = 7;

    type PendingPermit<'a> =
        Pin<Box<dyn Future<Output = Result<HashPermit, NetworkQueueFull>> + 'a>>;

    #[expect(clippy::unnecessary_wraps, reason = "a queue key is an `Option`")]
    fn network(last_octet: u8) -> Option<Network> {
        Some(Network::V4(Ipv4Addr::new(192, 0, 2, last_octet)))
    }

    fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
        future.poll(&mut Context::from_waker(Waker::noop()))
    }

    fn new_queue(core_count: usize) -> Arc<HashQueue> {
        HashQueue::new(core_count, WaiterLimits::new(WAITERS, WAITERS_PER_NETWORK))
    }

    /// Requests a permit for `192.0.2.{last_octet}`, and asserts that the request has to wait.
    fn start_waiting(queue: &Arc<HashQueue>, last_octet: u8) -> PendingPermit<'_> {
        let mut pending_permit: PendingPermit<'_> =
            Box::pin(queue.acquire_permit(network(last_octet)));
        assert!(poll(Pin::new(&mut pending_permit)).is_pending());
        pending_permit
    }

    /// Starts as many waiting requests from `192.0.2.1` as one network may have.
    fn fill_network(queue: &Arc<HashQueue>) -> Vec<PendingPermit<'_>> {
        (0..WAITERS_PER_NETWORK)
            .map(|_| start_waiting(queue, 1))
            .collect()
    }

    #[tokio::test]
    async fn as_many_permits_are_granted_as_there_are_cores() {
        let queue = new_queue(2);
        let first_permit = queue.acquire_permit(None).await.unwrap();
        let _second_permit = queue.acquire_permit(None).await.unwrap();
        let third_request = start_waiting(&queue, 1);
        drop(first_permit);
        third_request.await.unwrap();
    }

    #[tokio::test]
    async fn a_network_at_its_limit_is_rejected_at_once_and_another_network_is_not() {
        let queue = new_queue(1);
        let granted_permit = queue.acquire_permit(None).await.unwrap();
        let mut waiting_requests = fill_network(&queue);
        assert!(queue.acquire_permit(network(1)).await.is_err());
        let second_network_request = start_waiting(&queue, 2);
        drop(granted_permit);
        // The queue alternates between the two networks, so the request of the second network is served second.
        drop(waiting_requests.remove(0).await.unwrap());
        drop(second_network_request.await.unwrap());
    }

    #[tokio::test]
    async fn a_disconnected_caller_leaves_the_queue_and_releases_the_core() {
        let queue = new_queue(1);
        let granted_permit = queue.acquire_permit(None).await.unwrap();
        let mut waiting_requests = fill_network(&queue);
        drop(waiting_requests.pop());
        waiting_requests.push(start_waiting(&queue, 1));
        assert!(queue.acquire_permit(network(1)).await.is_err());
        // The first waiting caller gets a permit, but disconnects before the permit is used.
        drop(granted_permit);
        drop(waiting_requests);
        queue.acquire_permit(network(1)).await.unwrap();
        assert_eq!(queue.lock().idle_core_count, 1);
    }

    #[tokio::test]
    async fn a_displaced_request_is_rejected_at_once() {
        let queue = new_queue(1);
        let _granted_permit = queue.acquire_permit(None).await.unwrap();
        let mut waiting_requests = Vec::new();
        for number in 0..WAITERS {
            waiting_requests.push(start_waiting(&queue, u8::try_from(number % 20).unwrap()));
        }
        let _new_network_request = start_waiting(&queue, 200);
        let mut rejected_count = 0;
        for mut request in waiting_requests {
            if let Poll::Ready(result) = poll(Pin::new(&mut request)) {
                assert!(result.is_err());
                rejected_count += 1;
            }
        }
        assert_eq!(rejected_count, 1);
    }

    #[tokio::test]
    async fn permits_are_granted_to_each_network_in_rotation() {
        let (queue, served_octets) = (new_queue(1), RefCell::new(Vec::new()));
        let granted_permit = queue.acquire_permit(None).await.unwrap();
        let use_permit = |last_octet| {
            let (queue, served_octets) = (&queue, &served_octets);
            async move {
                let permit = queue.acquire_permit(network(last_octet)).await.unwrap();
                served_octets.borrow_mut().push(last_octet);
                drop(permit);
            }
        };
        let mut requests = pin!(join_all([1, 1, 1, 2, 2, 3].map(use_permit)));
        assert!(poll(requests.as_mut()).is_pending());
        drop(granted_permit);
        requests.await;
        assert_eq!(*served_octets.borrow(), [1, 2, 3, 1, 2, 1]);
    }
}
