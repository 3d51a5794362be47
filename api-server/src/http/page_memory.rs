//! Memory for large responses. Each is reserved until the caller has taken it, and callers may take their time: so there
//! is room for a number of them, of which an account gets a part. What gets none is kept small.

use std::collections::HashMap;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use actix_web::body::{BodySize, MessageBody};
use actix_web::web::Bytes;

/// Large responses in memory at a time: 1 MiB each.
const MAX_LARGE: usize = 24;
/// Those of one account.
const MAX_LARGE_PER_ACCOUNT: usize = 4;
/// What is handed to the connection at a time, which copies it.
const CHUNK: usize = 32 << 10;

/// Counts the large responses. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct PageMemory(Arc<Mutex<Reserved>>);

#[derive(Debug, Default)]
struct Reserved {
    total: usize,
    accounts: HashMap<String, usize>,
}

impl PageMemory {
    /// Room for one large response of this account, if there is some.
    pub(crate) fn reserve(&self, account: &str) -> Option<MemoryReservation> {
        let mut reserved = self.lock();
        if reserved.total >= MAX_LARGE {
            return None;
        }
        let of_account = reserved.accounts.entry(account.to_owned()).or_default();
        if *of_account >= MAX_LARGE_PER_ACCOUNT {
            return None;
        }
        *of_account += 1;
        reserved.total += 1;
        Some(MemoryReservation {
            memory: self.clone(),
            account: account.to_owned(),
        })
    }

    fn release(&self, account: &str) {
        let mut reserved = self.lock();
        reserved.total = reserved.total.saturating_sub(1);
        if let Some(of_account) = reserved.accounts.get_mut(account) {
            *of_account = of_account.saturating_sub(1);
            if *of_account == 0 {
                reserved.accounts.remove(account);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Reserved> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Room for one large response, given back when it is dropped.
#[derive(Debug)]
pub(crate) struct MemoryReservation {
    memory: PageMemory,
    account: String,
}

impl Drop for MemoryReservation {
    fn drop(&mut self) {
        self.memory.release(&self.account);
    }
}

/// A body that goes out chunk by chunk and keeps its reservation until then.
pub(crate) struct LargeBody {
    bytes: Bytes,
    _reservation: MemoryReservation,
}

impl LargeBody {
    pub(crate) fn new(bytes: Bytes, reservation: MemoryReservation) -> Self {
        Self {
            bytes,
            _reservation: reservation,
        }
    }
}

impl MessageBody for LargeBody {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        BodySize::Sized(u64::try_from(self.bytes.len()).unwrap_or(u64::MAX))
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Infallible>>> {
        if self.bytes.is_empty() {
            return Poll::Ready(None);
        }
        let length = self.bytes.len().min(CHUNK);
        Poll::Ready(Some(Ok(self.bytes.split_to(length))))
    }
}

#[cfg(test)]
mod tests {
    use super::{MAX_LARGE, MAX_LARGE_PER_ACCOUNT, PageMemory};

    #[test]
    fn an_account_gets_its_part_and_gives_it_back() {
        let memory = PageMemory::default();
        let mut reservations: Vec<_> = (0..MAX_LARGE_PER_ACCOUNT)
            .map(|_| memory.reserve("ada").unwrap())
            .collect();
        assert!(memory.reserve("ada").is_none());
        let _other = memory.reserve("eve").unwrap();
        reservations.pop();
        reservations.push(memory.reserve("ada").unwrap());
        assert!(memory.reserve("ada").is_none());
    }

    #[test]
    fn there_is_room_for_so_many_in_all() {
        let memory = PageMemory::default();
        let reservations: Vec<_> = (0..MAX_LARGE)
            .map(|number| memory.reserve(&format!("user {number}")).unwrap())
            .collect();
        assert!(memory.reserve("ada").is_none());
        drop(reservations);
        assert!(memory.reserve("ada").is_some());
        assert!(memory.lock().accounts.is_empty());
    }
}
