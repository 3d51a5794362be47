//! Tests tokens of an issuer that rotates its key, from the token to the response.

use std::time::{Duration, SystemTime};

use tokio::time::{Instant, sleep};

use super::{ScriptedKeySet, document, failure, generate_key, jwks, seconds};
use crate::credentials::{Field, Headers};
use crate::public_key::SigningKey;
use crate::{
    Authority, Caller, Error, Issuers, Refusal, Subject, TokenIssuer, TokenVerifier, Verification,
};

const ISSUER: &str = "https://auth.example.com";

fn token(key: &SigningKey) -> String {
    let lifetime = Duration::from_secs(900);
    let issuer = TokenIssuer::new(key.clone(), ISSUER, "api", lifetime).unwrap();
    let subject = Subject {
        id: "42",
        email: "ada@example.com",
        email_verified: None,
        session_id: "7",
    };
    issuer.issue(&subject, SystemTime::now()).unwrap().token
}

fn verifier(scripted: &ScriptedKeySet) -> TokenVerifier {
    TokenVerifier::new(scripted.keys.clone(), ISSUER, "api").unwrap()
}

/// A request with this value of `Authorization`.
struct Request(String);

impl Headers for Request {
    fn for_each_value<'a>(&'a self, field: Field, visit: &mut dyn FnMut(&'a [u8])) {
        if field == Field::Authorization {
            visit(self.0.as_bytes());
        }
    }
}

fn authenticate(authority: &Authority, token: &str) -> Verification {
    authority.authenticate(&Request(format!("Bearer {token}")))
}

fn status_and_code(result: Result<Caller, Refusal>) -> (u16, &'static str) {
    let refusal = result.unwrap_err();
    (refusal.status(), refusal.code())
}

#[tokio::test(start_paused = true)]
async fn a_token_of_a_new_key_is_accepted_after_one_request() {
    let (old_key, new_key) = (generate_key(), generate_key());
    let new_set = document(jwks(&[&old_key, &new_key])).taking(seconds(1));
    let scripted = ScriptedKeySet::start([document(jwks(&[&old_key])), new_set]);
    scripted.keys.wait_until_loaded().await;
    sleep(seconds(10)).await;
    for authority in [
        Authority::from(verifier(&scripted)),
        Authority::from(Issuers::new([verifier(&scripted)]).unwrap()),
    ] {
        assert!(
            authenticate(&authority, &token(&old_key))
                .into_ready()
                .is_ok()
        );
        let caller = authenticate(&authority, &token(&new_key)).await.unwrap();
        assert_eq!(caller.sub, "42");
    }
    assert_eq!(scripted.request_count(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_token_of_an_unknown_key_is_a_401_also_where_nothing_can_wait() {
    let scripted = ScriptedKeySet::start([document(jwks(&[&generate_key()]))]);
    scripted.keys.wait_until_loaded().await;
    let authority = Authority::from(verifier(&scripted));
    let unknown_token = token(&generate_key());
    let at_once = authenticate(&authority, &unknown_token);
    assert!(
        matches!(at_once, Verification::Ready(_)),
        "the keys are fresh"
    );
    assert_eq!(
        status_and_code(at_once.into_ready()),
        (401, "INVALID_TOKEN")
    );
    sleep(seconds(10)).await;
    let pending = authenticate(&authority, &unknown_token);
    assert!(matches!(pending, Verification::PendingRefresh(..)));
    // The result in a tonic interceptor, which cannot wait.
    assert_eq!(
        status_and_code(pending.into_ready()),
        (401, "INVALID_TOKEN")
    );
    let awaited = authenticate(&authority, &unknown_token).await;
    assert_eq!(status_and_code(awaited), (401, "INVALID_TOKEN"));
}

#[tokio::test(start_paused = true)]
async fn without_keys_every_token_is_a_503_after_at_most_2_seconds() {
    let key = generate_key();
    let scripted = ScriptedKeySet::start([failure().taking(seconds(5)), document(jwks(&[&key]))]);
    let authority = Authority::from(verifier(&scripted));
    let waiting_since = Instant::now();
    let refusal = authenticate(&authority, &token(&key)).await.unwrap_err();
    assert_eq!(
        (refusal.status(), refusal.code()),
        (503, "AUTHORITY_UNAVAILABLE")
    );
    assert_eq!(refusal.retry_after(), Some(1));
    assert!(waiting_since.elapsed() <= seconds(3));
    scripted.keys.wait_until_loaded().await;
    assert!(authenticate(&authority, &token(&key)).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_token_that_cannot_be_valid_causes_no_request_and_does_not_wait() {
    let key = generate_key();
    let scripted = ScriptedKeySet::start([document(jwks(&[&key]))]);
    scripted.keys.wait_until_loaded().await;
    sleep(seconds(10)).await;
    let authority = Authority::from(verifier(&scripted));
    let valid_token = token(&key);
    let (message, _) = valid_token.rsplit_once('.').unwrap();
    let secret = crate::Keyring::new(crate::Secret::generate().unwrap());
    for invalid_token in [
        "a.b.c".to_owned(),
        format!("{message}.{}", "A".repeat(86)),
        // {"alg":"none","typ":"at+jwt","kid":"x"}
        "eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0Iiwia2lkIjoieCJ9.e30.AA".to_owned(),
        secret.signing_key().sign(b"{}"),
    ] {
        let result = authenticate(&authority, &invalid_token);
        assert!(
            matches!(result, Verification::Ready(Err(_))),
            "{invalid_token}"
        );
    }
    sleep(seconds(1)).await;
    assert_eq!(scripted.request_count(), 1);
}

#[tokio::test(start_paused = true)]
async fn the_user_of_a_token_that_waited_must_match_x_user_id() {
    struct ForAnother(String);
    impl Headers for ForAnother {
        fn for_each_value<'a>(&'a self, field: Field, visit: &mut dyn FnMut(&'a [u8])) {
            match field {
                Field::Authorization => visit(self.0.as_bytes()),
                Field::UserId => visit(b"43"),
                Field::Cookie => {}
            }
        }
    }
    let key = generate_key();
    let scripted = ScriptedKeySet::start([document(jwks(&[&key])).taking(seconds(1))]);
    let authority = Authority::from(verifier(&scripted));
    let request = ForAnother(format!("Bearer {}", token(&key)));
    let result = authority.authenticate(&request).await;
    assert_eq!(result, Err(Refusal::user_id_mismatch()));
}

#[tokio::test(start_paused = true)]
async fn code_without_a_framework_can_wait_too() {
    let (key, unknown_key) = (generate_key(), generate_key());
    let scripted = ScriptedKeySet::start([document(jwks(&[&key])).taking(seconds(1))]);
    let verifier = verifier(&scripted);
    let now = SystemTime::now();
    assert_eq!(
        verifier.verify(&token(&key), now),
        Err(Error::KeysUnavailable)
    );
    let claims = verifier.verify_after_refresh(&token(&key), now).await;
    assert_eq!(claims.unwrap().sub, "42");
    let result = verifier
        .verify_after_refresh(&token(&unknown_key), now)
        .await;
    assert_eq!(result, Err(Error::UnknownKey));
    assert_eq!(scripted.request_count(), 1);
}
