//! Tests a service that knows no secret: it verifies with the published keys, and follows logouts with a credential
//! that opens only the feed.

use std::sync::Arc;

use auth_core::public_key::{Algorithm, SigningKey};
use auth_core::remote::{RemoteKeySet, RevocationFeed, StalePolicy};
use auth_core::{Error, Secret, TokenVerifier};
use e2e::{App, Engine, on_both_engines};
use serde_json::json;
use tokio::time::{Instant, sleep};

use crate::auth::logout::{assert_logged_out, by_access};
use crate::sessions::fixtures::{MAX_REVOCATION_DELAY, login, user_with_device};
use crate::well_known::{new_key, start_with_key, start_with_keys};

on_both_engines! {
    a_service_without_a_secret_verifies_tokens_and_follows_logouts,
    a_credential_of_another_secret_opens_no_feed,
    a_service_accepts_a_key_that_was_published_before_it_signed,
}

/// Requests the keys of the server, as a service does at its start.
async fn request_keys(app: &App) -> RemoteKeySet {
    let url = format!("http://{}/.well-known/jwks.json", app.addr());
    let keys = RemoteKeySet::start(&url).unwrap();
    keys.wait_until_loaded().await;
    keys
}

fn start_feed(app: &App, secret: &str) -> RevocationFeed {
    let credential = Secret::new(secret).unwrap().for_feed("reports").unwrap();
    let (url, clock) = (format!("http://{}", app.addr()), app.clock.clone());
    let clock = Arc::new(move || clock.now());
    RevocationFeed::start_with_clock(&url, credential, "api-server", clock).unwrap()
}

async fn a_service_without_a_secret_verifies_tokens_and_follows_logouts(engine: Engine) {
    for algorithm in [Algorithm::EdDsa, Algorithm::Es256] {
        let app = start_with_key(App::on(engine), &new_key(algorithm));
        let (ada, device) = user_with_device(&app, "ada").await;
        let live_device = login(&app, &ada).await;
        let feed = start_feed(&app, app.secret());
        feed.wait_until_caught_up().await;
        let verifier = TokenVerifier::new(request_keys(&app).await, "api-server", "api").unwrap();
        let verifier = verifier.with_feed(&feed, StalePolicy::FailOpen);
        let verify = |token: &str| verifier.verify(token, app.clock.now()).map(drop);
        assert_eq!(verify(&device.access), Ok(()));
        assert_logged_out(by_access(&app, &device, json!({})).await, 1);
        let logged_out_at = Instant::now();
        while verify(&device.access) != Err(Error::Revoked) {
            assert!(logged_out_at.elapsed() < MAX_REVOCATION_DELAY);
            sleep(std::time::Duration::from_millis(10)).await;
        }
        assert_eq!(verify(&live_device.access), Ok(()));
    }
}

async fn a_credential_of_another_secret_opens_no_feed(app: App) {
    let feed = start_feed(&app, "another secret of at least 32 bytes");
    while feed.last_error().is_none() {
        sleep(std::time::Duration::from_millis(10)).await;
    }
    assert!(feed.last_error().unwrap().contains("401"));
    assert_eq!(feed.age(), None);
}

async fn a_service_accepts_a_key_that_was_published_before_it_signed(app: App) {
    let keys: [SigningKey; 2] = [Algorithm::Es256, Algorithm::EdDsa].map(new_key);
    let [old_key, new_key] = &keys;
    let ada = app.user("ada").await;
    let published = start_with_keys(app.another_process(), Some(old_key), &[new_key]);
    let verifier = TokenVerifier::new(request_keys(&published).await, "api-server", "api").unwrap();
    let signs = start_with_keys(app.another_process(), Some(new_key), &[old_key]);
    for server in [&published, &signs] {
        let device = login(server, &ada).await;
        verifier.verify(&device.access, app.clock.now()).unwrap();
    }
}
