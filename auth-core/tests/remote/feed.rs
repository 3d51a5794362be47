//! Tests the requests of a [`RevocationFeed`], and the revocations that the feed receives.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use auth_core::public_key::{Algorithm, KeySet, SigningKey};
use auth_core::remote::{RevocationFeed, StalePolicy};
use auth_core::testing::TestAuthority;
use auth_core::{Error, Keyring, Revocations, Secret, Subject, TokenIssuer, TokenVerifier};

use crate::server::{Server, json_response};

/// The usual time between two requests of a feed.
const POLL_INTERVAL: Duration = Duration::from_millis(500);

/// Returns a response that contains one revocation: of the session `7`.
fn page_response(cursor: i64, has_more: bool) -> String {
    let expires_at = SystemTime::now() + Duration::from_secs(900);
    let exp = expires_at.duration_since(UNIX_EPOCH).unwrap().as_secs();
    let body = format!(
        r#"{{"revocations":[{{"sid":"7","exp":{exp}}}],"next":{cursor},"more":{has_more}}}"#
    );
    json_response("200 OK", &body)
}

fn start_feed(server: &Server) -> RevocationFeed {
    let keyring = Keyring::new(Secret::generate().unwrap());
    RevocationFeed::start(&server.url(), keyring, "api-server").unwrap()
}

/// Waits until the server has received this many requests. Returns the heads of all requests.
async fn wait_for_requests(server: &Server, count: usize) -> Vec<String> {
    while server.request_heads().len() < count {
        tokio::task::yield_now().await;
    }
    server.request_heads()
}

#[tokio::test]
async fn new_revocations_are_requested_on_one_connection() {
    let server = Server::responding(page_response(5, false)).await;
    let feed = start_feed(&server);
    let started_at = Instant::now();
    let request_heads = wait_for_requests(&server, 3).await;
    assert!(started_at.elapsed() >= 2 * POLL_INTERVAL);
    let request_lines: Vec<_> = request_heads
        .iter()
        .map(|head| head.lines().next().unwrap())
        .collect();
    let later_request_line = "get /api/auth/revocations?after=5 http/1.1";
    assert_eq!(
        request_lines,
        [
            "get /api/auth/revocations?after=0 http/1.1",
            later_request_line,
            later_request_line
        ]
    );
    assert_eq!(server.connection_count(), 1);
    assert!(feed.revocations().has_session("7") && !feed.revocations().has_session("8"));
    assert!(feed.age().unwrap() < 2 * POLL_INTERVAL);
}

#[tokio::test]
async fn the_older_tokens_of_a_changed_user_are_rejected() {
    let body = r#"{"revocations":[],"next":5,"more":false,
        "stale":[{"sub":"42","claims_version":1,"exp":4000000000}]}"#;
    let server = Server::responding(json_response("200 OK", body)).await;
    let feed = start_feed(&server);
    feed.wait_until_caught_up().await;
    let test_authority = TestAuthority::new();
    let verifier = test_authority.verifier();
    let verifier = verifier.with_feed(&feed, StalePolicy::FailOpen);
    let verify = |token: &str| verifier.verify(token, SystemTime::now()).map(drop);
    assert_eq!(verify(&test_authority.token_for("42")), Err(Error::Stale));
    assert_eq!(verify(&test_authority.token_for("43")), Ok(()));
}

#[tokio::test]
async fn a_set_of_revocations_replaces_a_feed_and_its_policy() {
    let server = Server::responding(json_response("500 Internal Server Error", "{}")).await;
    let feed = start_feed(&server);
    let test_authority = TestAuthority::new();
    let policy = StalePolicy::FailClosedAfter(Duration::ZERO);
    let verifier = test_authority.verifier().with_feed(&feed, policy);
    let token = test_authority.token_for("42");
    let result = verifier.verify(&token, SystemTime::now());
    assert_eq!(result.unwrap_err(), Error::RevocationsOutdated);
    let verifier = verifier.with_revocations(Revocations::default());
    assert!(verifier.verify(&token, SystemTime::now()).is_ok());
}

#[tokio::test]
async fn a_verifier_that_follows_a_server_rejects_tokens_of_sessions_that_ended_before() {
    let server = Server::responding(page_response(5, false)).await;
    let secret = Secret::new("wJ9vRkq2x8Yt4Lm7Zb1Nc5Hd3Gf6Sa0P").unwrap();
    let verifier = TokenVerifier::new(secret.clone(), "api-server", "api").unwrap();
    let verifier = verifier.follow(&server.url(), StalePolicy::FailOpen).await;
    let verifier = verifier.unwrap();
    let lifetime = Duration::from_secs(900);
    let issuer = TokenIssuer::new(Keyring::new(secret), "api-server", "api", lifetime).unwrap();
    let now = SystemTime::now();
    let verify = |session_id| {
        let subject = Subject {
            id: "42",
            email: "ada@example.com",
            email_verified: None,
            session_id,
        };
        let token = issuer.issue(&subject, now).unwrap().token;
        verifier.verify(&token, now).map(drop)
    };
    assert_eq!(verify("7"), Err(Error::Revoked));
    assert_eq!(verify("8"), Ok(()));
}

#[tokio::test]
async fn a_verifier_with_public_keys_alone_cannot_follow_a_server() {
    let key = SigningKey::generate(Algorithm::EdDsa).unwrap();
    let keys = KeySet::new([key.public_key().clone()]).unwrap();
    let verifier = TokenVerifier::new(keys, "api-server", "api").unwrap();
    let result = verifier.follow("http://127.0.0.1:1", StalePolicy::FailOpen);
    let message = "following a feed needs a verifier with a secret";
    assert_eq!(result.await.unwrap_err(), Error::InvalidSetting(message));
}

#[tokio::test]
async fn a_server_that_always_reports_more_revocations_is_polled_with_the_usual_delay() {
    let server = Server::responding(page_response(5, true)).await;
    let feed = start_feed(&server);
    // The second request follows at once. Its response does not advance the cursor, so the third request is delayed.
    wait_for_requests(&server, 2).await;
    let second_requested_at = Instant::now();
    wait_for_requests(&server, 3).await;
    assert!(
        second_requested_at.elapsed() >= POLL_INTERVAL / 2,
        "{:?}",
        second_requested_at.elapsed()
    );
    assert_eq!(feed.age(), None, "there is no complete response");
}

#[tokio::test]
async fn an_unusable_response_is_reported() {
    for (status, body, expected) in [
        ("503 Service Unavailable", "{}", "503"),
        ("401 Unauthorized", "{}", "401"),
        ("200 OK", "[]", "not a page of revocations"),
    ] {
        let server = Server::responding(json_response(status, body)).await;
        let feed = start_feed(&server);
        while feed.last_error().is_none() {
            tokio::task::yield_now().await;
        }
        let error = feed.last_error().unwrap();
        assert!(error.contains(expected), "{error}");
        assert_eq!(feed.age(), None);
    }
}

#[tokio::test]
async fn a_feed_stops_when_its_last_clone_is_dropped() {
    let server = Server::responding(page_response(5, false)).await;
    let feed = start_feed(&server);
    feed.wait_until_caught_up().await;
    let feed_clone = feed.clone();
    drop(feed);
    wait_for_requests(&server, 2).await;
    drop(feed_clone);
    while server.open_connection_count() > 0 {
        tokio::task::yield_now().await;
    }
}

#[test]
fn starting_a_feed_without_a_runtime_is_an_error() {
    let keyring = Keyring::new(Secret::generate().unwrap());
    let error = RevocationFeed::start("http://127.0.0.1:9", keyring, "api-server").unwrap_err();
    assert!(error.to_string().contains("tokio runtime"), "{error}");
}
