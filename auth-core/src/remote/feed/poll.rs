//! Polls the revocation feed in a background task.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use reqwest::{Client, Url};
use serde::Deserialize;
use tokio::time::sleep;

use super::Clock;
use super::state::FeedState;
use crate::Revocations;
use crate::remote::backoff::feed_delay;
use crate::remote::client::{self, RequestError};
use crate::revocation::FeedTokens;

/// The time limit for one request.
const TIMEOUT: Duration = Duration::from_secs(2);

/// The shortest time between two removals of expired entries from the set.
const PURGE_INTERVAL: Duration = Duration::from_secs(60);

/// A response of the server: one page of the list of revocations.
#[derive(Deserialize)]
struct Page {
    revocations: Vec<Revocation>,
    /// The users whose older tokens are stale. An older server does not send this member, and an older feed ignores it.
    #[serde(default)]
    stale: Vec<StaleUser>,
    /// The cursor of the next page.
    next: i64,
    /// Whether the next page may have revocations already.
    more: bool,
    /// All tokens issued before this time, in seconds since 1970, are revoked; absent if no backup was restored.
    issued_before: Option<u64>,
}

#[derive(Deserialize)]
struct Revocation {
    sid: String,
    /// The time after which all access tokens of the session have expired, in seconds since 1970.
    exp: u64,
}

#[derive(Deserialize)]
struct StaleUser {
    sub: String,
    /// The least `claims_version` of the user's tokens that are not stale.
    claims_version: u64,
    /// The time after which all stale tokens have expired, in seconds since 1970.
    exp: u64,
}

/// A client for `GET /api/auth/revocations` of the server.
pub(super) struct FeedClient {
    pub(super) client: Client,
    pub(super) url: Url,
    pub(super) tokens: FeedTokens,
    pub(super) clock: Clock,
}

impl Page {
    /// Applies this page, which was requested with `cursor`, to `revocations`: removes the stale users if a backup was
    /// restored, applies `issued_before`, and then adds the entries of the page.
    fn apply_to(&self, revocations: &Revocations, cursor: i64) {
        if self.next < cursor {
            // The server's database was restored from a backup, so the server has sent its first page, and users may
            // have lower versions than before. Their tokens would be stale until the old entries are removed.
            revocations.clear_stale();
        }
        // Before the entries are added, because `revoke_issued_before` may remove all stale users.
        let issued_before = self.issued_before.map(Duration::from_secs);
        if let Some(time) = issued_before.and_then(|seconds| UNIX_EPOCH.checked_add(seconds)) {
            revocations.revoke_issued_before(time);
        }
        for revocation in &self.revocations {
            revocations.revoke_session(&revocation.sid, unix_time(revocation.exp));
        }
        for user in &self.stale {
            revocations.mark_stale(&user.sub, user.claims_version, unix_time(user.exp));
        }
    }
}

/// Converts seconds since 1970; a time beyond the platform's range becomes 1970.
fn unix_time(seconds: u64) -> SystemTime {
    let time = UNIX_EPOCH.checked_add(Duration::from_secs(seconds));
    time.unwrap_or(UNIX_EPOCH)
}

impl FeedClient {
    /// Requests the page of revocations that follows `cursor`.
    async fn request_page(&self, cursor: i64) -> Result<Page, RequestError> {
        let result = self.tokens.issue((self.clock)());
        let token = result.map_err(|error| RequestError(error.to_string()))?;
        let mut url = self.url.clone();
        url.set_query(Some(&format!("after={cursor}")));
        let request = self.client.get(url).timeout(TIMEOUT).bearer_auth(token);
        let body = client::read_ok_body(request.send().await?).await?;
        serde_json::from_slice(&body).map_err(|error| {
            RequestError(format!(
                "the response is not a page of revocations: {error}"
            ))
        })
    }
}

/// Polls the server until the task is aborted.
pub(super) async fn poll(client: FeedClient, state: Arc<FeedState>) {
    let (mut cursor, mut failure_count) = (0, 0_u32);
    let mut purged_at = Instant::now();
    loop {
        let requested_at = Instant::now();
        let result = client.request_page(cursor).await;
        let error = result.as_ref().err();
        state.set_last_error(error.map(|RequestError(cause)| cause.clone()));
        match result {
            Ok(page) => {
                failure_count = 0;
                page.apply_to(&state.revocations, cursor);
                let has_advanced = page.next > cursor;
                cursor = page.next;
                match (page.more, has_advanced) {
                    (true, true) => continue,
                    // The cursor did not advance, for example because the server's database was restored. A faulty
                    // server may cause this at every request, so the delay applies.
                    (true, false) => {}
                    (false, _) => state.mark_caught_up(requested_at),
                }
            }
            Err(_recorded) => failure_count = failure_count.saturating_add(1),
        }
        if purged_at.elapsed() > PURGE_INTERVAL {
            state.revocations.purge((client.clock)());
            purged_at = Instant::now();
        }
        sleep(feed_delay(
            failure_count,
            getrandom::u32().unwrap_or_default(),
        ))
        .await;
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use serde::Deserialize;

    use super::Page;
    use crate::testing::TestAuthority;
    use crate::{Error, Revocations};

    /// The page as older versions of this crate, without stale tokens, read it.
    #[derive(Deserialize)]
    struct OldPage {
        revocations: Vec<OldRevocation>,
        next: i64,
        more: bool,
    }

    #[derive(Deserialize)]
    struct OldRevocation {
        sid: String,
        exp: u64,
    }

    const PAGE: &str = r#"{"revocations":[{"sid":"7","exp":4000000000}],"next":5,"more":false,
        "stale":[{"sub":"42","claims_version":3,"exp":4000000000}]}"#;

    fn parse(page: &str) -> Page {
        serde_json::from_str(page).unwrap()
    }

    /// Checks a token of user 42 without `claims_version`.
    fn check(revocations: &Revocations) -> Result<(), Error> {
        let test_authority = TestAuthority::new();
        let token = test_authority.token_for("42");
        let claims = test_authority
            .verifier()
            .verify(&token, SystemTime::now())
            .unwrap();
        revocations.check(&claims)
    }

    #[test]
    fn a_page_adds_sessions_and_stale_users() {
        let revocations = Revocations::default();
        parse(PAGE).apply_to(&revocations, 0);
        assert_eq!(revocations.len(), 2);
        assert!(revocations.has_session("7"));
        assert_eq!(check(&revocations), Err(Error::Stale));
    }

    #[test]
    fn a_page_of_an_old_server_has_no_stale_users() {
        let revocations = Revocations::default();
        let page = r#"{"revocations":[{"sid":"7","exp":4000000000}],"next":5,"more":false}"#;
        parse(page).apply_to(&revocations, 0);
        assert_eq!((revocations.len(), check(&revocations)), (1, Ok(())));
    }

    #[test]
    fn an_old_feed_reads_the_sessions_of_a_new_page() {
        let page: OldPage = serde_json::from_str(PAGE).unwrap();
        let [OldRevocation { sid, exp }] = &*page.revocations else {
            panic!("one session is expected");
        };
        assert_eq!((&**sid, *exp), ("7", 4_000_000_000));
        assert_eq!((page.next, page.more), (5, false));
        let stale_only = PAGE.replace(r#"{"sid":"7","exp":4000000000}"#, "");
        let page: OldPage = serde_json::from_str(&stale_only).unwrap();
        assert!(page.revocations.is_empty() && page.next == 5);
    }

    #[test]
    fn a_restored_database_clears_the_stale_users_but_not_the_sessions() {
        for (cursor, expected) in [(4, Err(Error::Stale)), (5, Err(Error::Stale)), (6, Ok(()))] {
            let revocations = Revocations::default();
            parse(PAGE).apply_to(&revocations, 0);
            let page = r#"{"revocations":[],"next":5,"more":false}"#;
            parse(page).apply_to(&revocations, cursor);
            assert_eq!(check(&revocations), expected, "{cursor}");
            assert!(revocations.has_session("7"));
        }
    }

    #[test]
    fn an_invalid_stale_user_makes_the_page_invalid() {
        for user in [
            r#"{"sub":"42","exp":1}"#,
            r#"{"sub":"42","claims_version":-1,"exp":1}"#,
            r#"{"claims_version":1,"exp":1}"#,
            r#"{"sub":42,"claims_version":1,"exp":1}"#,
        ] {
            let page = format!(r#"{{"revocations":[],"next":1,"more":false,"stale":[{user}]}}"#);
            assert!(serde_json::from_str::<Page>(&page).is_err(), "{user}");
        }
    }
}
