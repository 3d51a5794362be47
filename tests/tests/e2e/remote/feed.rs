//! Tests the revocation feed of `auth-core` in a service that verifies tokens of the server.

use std::sync::Arc;
use std::time::Duration;

use api_server::backup::end_sessions;
use api_server::clock::Clock;
use api_server::db::DatabaseUrl;
use api_server::progress::Progress;
use auth_core::remote::{RevocationFeed, StalePolicy};
use auth_core::{Error, Keyring, Secret, TokenVerifier};
use e2e::{App, on_both_engines};
use serde_json::json;
use tokio::time::{Instant, sleep};

use crate::auth::logout::{assert_logged_out, by_access};
use crate::sessions::fixtures::{MAX_REVOCATION_DELAY, login, refreshed, user_with_device};

on_both_engines! {
    a_service_rejects_a_token_within_two_seconds_of_the_logout,
    a_service_that_starts_later_knows_every_revoked_session,
    a_service_rejects_stale_tokens_within_two_seconds_of_the_change_of_a_role,
    a_token_revoked_during_an_outage_is_rejected_afterwards,
    after_a_restore_a_service_rejects_every_token_from_before,
    with_an_outdated_feed_only_services_that_fail_closed_reject_tokens,
}

/// A service that verifies tokens locally and reads the revocation feed of the server.
struct Service {
    feed: RevocationFeed,
    verifier: TokenVerifier,
    clock: e2e::TestClock,
}

impl Service {
    fn connected_to(app: &App, policy: StalePolicy) -> Self {
        Self::with_feed_at(&format!("http://{}", app.addr()), app, policy)
    }

    fn with_feed_at(url: &str, app: &App, policy: StalePolicy) -> Self {
        let keyring = Keyring::new(Secret::new(app.secret()).unwrap());
        let clock = app.clock.clone();
        let start_result = RevocationFeed::start_with_clock(
            url,
            keyring.clone(),
            "api-server",
            Arc::new(move || clock.now()),
        );
        let feed = start_result.unwrap();
        let verifier = TokenVerifier::new(keyring, "api-server", "api").unwrap();
        Self {
            verifier: verifier.with_feed(&feed, policy),
            feed,
            clock: app.clock.clone(),
        }
    }

    fn verify(&self, token: &str) -> Result<(), Error> {
        self.verifier.verify(token, self.clock.now()).map(drop)
    }

    /// Waits until the verification of the token returns the expected result. Returns how long that took.
    async fn wait_for(&self, token: &str, expected: Result<(), Error>) -> Duration {
        let started = Instant::now();
        while self.verify(token) != expected {
            let waited = started.elapsed();
            assert!(waited < Duration::from_secs(20), "{:?}", self.verify(token));
            sleep(Duration::from_millis(10)).await;
        }
        started.elapsed()
    }
}

async fn a_service_rejects_a_token_within_two_seconds_of_the_logout(app: App) {
    let service = Service::connected_to(&app, StalePolicy::FailOpen);
    let (ada, _) = user_with_device(&app, "ada").await;
    let live_device = login(&app, &ada).await;
    for _ in 0..3 {
        let device = login(&app, &ada).await;
        assert_eq!(service.verify(&device.access), Ok(()));
        assert_logged_out(by_access(&app, &device, json!({})).await, 1);
        let waited = service.wait_for(&device.access, Err(Error::Revoked)).await;
        assert!(waited < MAX_REVOCATION_DELAY, "{waited:?}");
    }
    assert_eq!(service.verify(&live_device.access), Ok(()));
    assert!(service.feed.age().unwrap() < MAX_REVOCATION_DELAY);
    assert_eq!(service.feed.last_error(), None);
}

async fn after_a_restore_a_service_rejects_every_token_from_before(app: App) {
    let (ada, device) = user_with_device(&app, "ada").await;
    let service = Service::connected_to(&app, StalePolicy::FailOpen);
    service.feed.wait_until_caught_up().await;
    assert_eq!(service.verify(&device.access), Ok(()));
    let url = DatabaseUrl::parse(&app.database().url()).unwrap();
    let clock = app.clock.clone();
    let clock = Clock::new(move || clock.now());
    end_sessions(&url, &clock, &Progress::hidden()).unwrap();
    let waited = service.wait_for(&device.access, Err(Error::Revoked)).await;
    assert!(waited < MAX_REVOCATION_DELAY, "{waited:?}");
    let later_service = Service::connected_to(&app, StalePolicy::FailOpen);
    later_service.feed.wait_until_caught_up().await;
    app.clock.advance(Duration::from_secs(6));
    let new_device = login(&app, &ada).await;
    for service in [&service, &later_service] {
        assert_eq!(service.verify(&device.access), Err(Error::Revoked));
        assert_eq!(service.verify(&new_device.access), Ok(()));
    }
}

async fn a_service_that_starts_later_knows_every_revoked_session(app: App) {
    let (_, device) = user_with_device(&app, "ada").await;
    assert_logged_out(by_access(&app, &device, json!({})).await, 1);
    let service = Service::connected_to(&app, StalePolicy::FailOpen);
    assert_eq!(service.feed.age(), None);
    service.feed.wait_until_caught_up().await;
    assert_eq!(service.verify(&device.access), Err(Error::Revoked));
}

async fn a_service_rejects_stale_tokens_within_two_seconds_of_the_change_of_a_role(app: App) {
    let service = Service::connected_to(&app, StalePolicy::FailOpen);
    service.feed.wait_until_caught_up().await;
    let (ada, mut device) = user_with_device(&app, "ada").await;
    for change in ["--add", "--remove", "--add"] {
        assert_eq!(service.verify(&device.access), Ok(()));
        let command = ["users", "roles", ada.email(), change, "admin"];
        assert!(app.another_process().run_command(&command).await);
        let waited = service.wait_for(&device.access, Err(Error::Stale)).await;
        assert!(waited < MAX_REVOCATION_DELAY, "{waited:?}");
        device = refreshed(&app, &device).await;
    }
    assert_eq!(service.verify(&device.access), Ok(()));
    let later_service = Service::connected_to(&app, StalePolicy::FailOpen);
    later_service.feed.wait_until_caught_up().await;
    assert_eq!(later_service.verify(&device.access), Ok(()));
}

async fn a_token_revoked_during_an_outage_is_rejected_afterwards(app: App) {
    let proxy = e2e::Proxy::for_server(app.addr());
    let service = Service::with_feed_at(&proxy.http_url(), &app, StalePolicy::FailOpen);
    service.feed.wait_until_caught_up().await;
    let (_, device) = user_with_device(&app, "ada").await;
    proxy.cut();
    assert_logged_out(by_access(&app, &device, json!({})).await, 1);
    assert_eq!(service.verify(&device.access), Ok(()));
    proxy.resume();
    service.wait_for(&device.access, Err(Error::Revoked)).await;
}

async fn with_an_outdated_feed_only_services_that_fail_closed_reject_tokens(app: App) {
    let (_, device) = user_with_device(&app, "ada").await;
    // Port 9 is reserved for the discard protocol, so a web server on this port is very unlikely.
    let unreachable_url = "http://127.0.0.1:9";
    let lenient_service = Service::with_feed_at(unreachable_url, &app, StalePolicy::FailOpen);
    assert_eq!(lenient_service.verify(&device.access), Ok(()));
    let fail_closed = StalePolicy::FailClosedAfter(Duration::from_secs(1));
    let strict_service = Service::with_feed_at(unreachable_url, &app, fail_closed);
    assert_eq!(
        strict_service.verify(&device.access),
        Err(Error::RevocationsOutdated)
    );
    // A malformed token is rejected as malformed, although the feed is outdated.
    assert!(matches!(
        strict_service.verify("junk"),
        Err(Error::MalformedToken(_))
    ));
    let proxy = e2e::Proxy::for_server(app.addr());
    let proxied_service = Service::with_feed_at(&proxy.http_url(), &app, fail_closed);
    proxied_service.wait_for(&device.access, Ok(())).await;
    proxy.silence();
    proxied_service
        .wait_for(&device.access, Err(Error::RevocationsOutdated))
        .await;
    proxy.resume();
    proxied_service.wait_for(&device.access, Ok(())).await;
    assert!(proxied_service.feed.last_error().is_none());
}
