//! Requests the keys in a background task.

use std::sync::Arc;
use std::time::Duration;

use super::fetch::Fetch;
use super::state::State;
use crate::remote::backoff::retry_delay;

/// The longest delay after a failure, before multiplication by the random factor.
const MAX_RETRY_DELAY: Duration = Duration::from_secs(60);

/// Requests the keys until the task is aborted, one request at a time.
pub(super) async fn keep_fresh(mut fetch: impl Fetch, state: Arc<State>) {
    let mut failure_count = 0_u32;
    loop {
        let requested_at = state.start_request();
        let result = fetch.fetch().await;
        let delay = if let Ok(fetched) = &result {
            failure_count = 0;
            fetched.refresh_interval
        } else {
            failure_count = failure_count.saturating_add(1);
            let random = getrandom::u32().unwrap_or_default();
            retry_delay(failure_count, MAX_RETRY_DELAY, random)
        };
        state.finish_request(requested_at, result);
        state.wait_for_wake(delay).await;
    }
}
