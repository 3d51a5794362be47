//! Memory for large responses. Each is held until the caller has taken it, and callers may take their time: so there
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
pub(crate) struct PageMemory(Arc<Mutex<Held>>);

#[derive(Debug, Default)]
struct Held {
    total: usize,
    accounts: HashMap<String, usize>,
}

impl PageMemory {
    /// Room for one large response of this account, if there is some.
    pub(crate) fn grant(&self, account: &str) -> Option<Grant> {
        let mut held = self.lock();
        if held.total >= MAX_LARGE {
            return None;
        }
        let of_account = held.accounts.entry(account.to_owned()).or_default();
        if *of_account >= MAX_LARGE_PER_ACCOUNT {
            return None;
        }
        *of_account += 1;
        held.total += 1;
        Some(Grant {
            memory: self.clone(),
            account: account.to_owned(),
        })
    }

    fn give_back(&self, account: &str) {
        let mut held = self.lock();
        held.total = held.total.saturating_sub(1);
        if let Some(of_account) = held.accounts.get_mut(account) {
            *of_account = of_account.saturating_sub(1);
            if *of_account == 0 {
                held.accounts.remove(account);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Room for one large response, given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Grant {
    memory: PageMemory,
    account: String,
}

impl Drop for Grant {
    fn drop(&mut self) {
        self.memory.give_back(&self.account);
    }
}

/// A body that goes out chunk by chunk and keeps its grant until then.
pub(crate) struct LargeBody {
    bytes: Bytes,
    _grant: Grant,
}

impl LargeBody {
    pub(crate) fn new(bytes: Bytes, grant: Grant) -> Self {
        Self {
            bytes,
            _grant: grant,
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
        let mut grants: Vec<_> = (0..MAX_LARGE_PER_ACCOUNT)
            .map(|_| memory.grant("ada").unwrap())
            .collect();
        assert!(memory.grant("ada").is_none());
        let _other = memory.grant("eve").unwrap();
        grants.pop();
        grants.push(memory.grant("ada").unwrap());
        assert!(memory.grant("ada").is_none());
    }

    #[test]
    fn there_is_room_for_so_many_in_all() {
        let memory = PageMemory::default();
        let grants: Vec<_> = (0..MAX_LARGE)
            .map(|number| memory.grant(&format!("user {number}")).unwrap())
            .collect();
        assert!(memory.grant("ada").is_none());
        drop(grants);
        assert!(memory.grant("ada").is_some());
        assert!(memory.lock().accounts.is_empty());
    }
}
