//! Limits the memory of large responses.
//!
//! A response stays in memory until the caller has received it, and a caller may read slowly. A large response
//! therefore needs a reservation. The number of reservations is limited, in total and per account. A handler that gets
//! no reservation sends a smaller response.

use std::collections::HashMap;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use actix_web::body::{BodySize, MessageBody};
use actix_web::web::Bytes;

/// The most reservations at the same time. Each is for a page of tasks of up to 1 MiB, in a buffer with 64 KiB to
/// spare, so these pages need up to 25.5 MiB.
const MAX_RESERVATIONS: usize = 24;
/// The most reservations of one account at the same time.
const MAX_RESERVATIONS_PER_ACCOUNT: usize = 4;
/// The most bytes of a body that are passed to the connection at once. The connection copies these bytes, so this also
/// limits the size of the copy.
const CHUNK_BYTES: usize = 32 << 10;

/// Grants and counts reservations for large responses. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct LargeResponseLimiter(Arc<Mutex<Reservations>>);

#[derive(Debug, Default)]
struct Reservations {
    total: usize,
    count_by_account: HashMap<String, usize>,
}

impl LargeResponseLimiter {
    /// Reserves memory for one large response; `None` if the account or the server has no reservation left.
    pub(crate) fn reserve(&self, account_id: &str) -> Option<MemoryReservation> {
        let mut reservations = self.lock();
        if reservations.total >= MAX_RESERVATIONS {
            return None;
        }
        let counts = &mut reservations.count_by_account;
        let account_count = counts.entry(account_id.to_owned()).or_default();
        if *account_count >= MAX_RESERVATIONS_PER_ACCOUNT {
            return None;
        }
        *account_count += 1;
        reservations.total += 1;
        Some(MemoryReservation {
            limiter: self.clone(),
            account_id: account_id.to_owned(),
        })
    }

    fn release(&self, account_id: &str) {
        let mut reservations = self.lock();
        reservations.total = reservations.total.saturating_sub(1);
        if let Some(account_count) = reservations.count_by_account.get_mut(account_id) {
            *account_count = account_count.saturating_sub(1);
            if *account_count == 0 {
                reservations.count_by_account.remove(account_id);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Reservations> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Permission to keep one large response in memory, until this value is dropped.
#[derive(Debug)]
pub(crate) struct MemoryReservation {
    limiter: LargeResponseLimiter,
    account_id: String,
}

impl Drop for MemoryReservation {
    fn drop(&mut self) {
        self.limiter.release(&self.account_id);
    }
}

/// A response body that is passed to the connection in chunks. For bytes that stay in memory anyway, such as a file of
/// the program.
pub(crate) struct ChunkedBody(Bytes);

impl ChunkedBody {
    pub(crate) const fn new(bytes: Bytes) -> Self {
        Self(bytes)
    }
}

impl MessageBody for ChunkedBody {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        BodySize::Sized(u64::try_from(self.0.len()).unwrap_or(u64::MAX))
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Infallible>>> {
        if self.0.is_empty() {
            return Poll::Ready(None);
        }
        let length = self.0.len().min(CHUNK_BYTES);
        Poll::Ready(Some(Ok(self.0.split_to(length))))
    }
}

/// A response body that is passed to the connection in chunks. Keeps its reservation until this value is dropped.
pub(crate) struct LargeBody {
    chunks: ChunkedBody,
    _reservation: MemoryReservation,
}

impl LargeBody {
    pub(crate) fn new(bytes: Bytes, reservation: MemoryReservation) -> Self {
        Self {
            chunks: ChunkedBody::new(bytes),
            _reservation: reservation,
        }
    }
}

impl MessageBody for LargeBody {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        self.chunks.size()
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Infallible>>> {
        Pin::new(&mut self.chunks).poll_next(context)
    }
}

#[cfg(test)]
mod tests {
    use super::{LargeResponseLimiter, MAX_RESERVATIONS, MAX_RESERVATIONS_PER_ACCOUNT};

    #[test]
    fn an_account_has_a_maximum_of_reservations_and_may_reserve_again_after_a_drop() {
        let limiter = LargeResponseLimiter::default();
        let mut reservations: Vec<_> = (0..MAX_RESERVATIONS_PER_ACCOUNT)
            .map(|_| limiter.reserve("ada").unwrap())
            .collect();
        assert!(limiter.reserve("ada").is_none());
        let _reservation_of_eve = limiter.reserve("eve").unwrap();
        reservations.pop();
        reservations.push(limiter.reserve("ada").unwrap());
        assert!(limiter.reserve("ada").is_none());
    }

    #[test]
    fn all_accounts_together_have_a_maximum_of_reservations() {
        let limiter = LargeResponseLimiter::default();
        let reservations: Vec<_> = (0..MAX_RESERVATIONS)
            .map(|number| limiter.reserve(&format!("user {number}")).unwrap())
            .collect();
        assert!(limiter.reserve("ada").is_none());
        drop(reservations);
        assert!(limiter.reserve("ada").is_some());
        assert!(limiter.lock().count_by_account.is_empty());
    }
}
