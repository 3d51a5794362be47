//! Tests a service without a secret, which verifies each token with a request to the server. If the server rejects the
//! token, the service rejects the caller with the same response.

use std::time::Duration;

use auth_core::credentials::{Field, Headers};
use auth_core::remote::RemoteVerifier;
use auth_core::{Authority, Caller, Refusal, Scope};
use e2e::{App, Issuer, Proxy, Response, on_both_engines};
use serde_json::{Value, json};

use crate::auth::logout::{assert_logged_out, by_access};
use crate::better_auth::fixtures as better_auth;
use crate::sessions::fixtures::{ACCESS_TTL, SESSION, user_with_device};

on_both_engines! {
    a_service_accepts_the_tokens_and_cookies_that_the_server_accepts,
    a_token_that_is_limited_to_any_scope_is_accepted_with_its_scope,
    a_better_auth_session_is_accepted,
    a_rejection_has_the_response_of_the_server,
    a_revoked_session_is_rejected_immediately,
    while_the_server_is_unreachable_no_caller_is_accepted,
}

/// The field and the value of the only header in a request to the service.
struct SentHeader<'h>(Field, &'h str);

impl Headers for SentHeader<'_> {
    fn for_each_value<'a>(&'a self, field: Field, visit: &mut dyn FnMut(&'a [u8])) {
        if field == self.0 {
            visit(self.1.as_bytes());
        }
    }
}

fn service_at(server_url: &str) -> Authority {
    RemoteVerifier::new(server_url).unwrap().into()
}

fn service_connected_to(app: &App) -> Authority {
    service_at(&format!("http://{}", app.addr()))
}

async fn authenticate(service: &Authority, token: &str) -> Result<Caller, Refusal> {
    let authorization = format!("Bearer {token}");
    let verification = service.authenticate(&SentHeader(Field::Authorization, &authorization));
    verification.await
}

async fn a_service_accepts_the_tokens_and_cookies_that_the_server_accepts(app: App) {
    let (ada, device) = user_with_device(&app, "ada").await;
    let service = service_connected_to(&app);
    let caller_by_token = authenticate(&service, &device.access).await.unwrap();
    let cookies = device.cookies();
    let cookie_result = service
        .authenticate(&SentHeader(Field::Cookie, &cookies))
        .await;
    assert_eq!(cookie_result.as_ref(), Ok(&caller_by_token));
    let expires_at = app.clock.now() + ACCESS_TTL;
    let since_1970 = expires_at.duration_since(std::time::UNIX_EPOCH).unwrap();
    assert_eq!(
        (&*caller_by_token.sub, caller_by_token.email.as_deref()),
        (ada.id(), Some(ada.email()))
    );
    assert_eq!(caller_by_token.sid.as_ref(), Some(&device.session));
    assert_eq!(
        caller_by_token.exp,
        i64::try_from(since_1970.as_secs()).unwrap()
    );
}

async fn a_token_that_is_limited_to_any_scope_is_accepted_with_its_scope(app: App) {
    let ada = app.user("ada").await;
    let scope = Scope::new("tasks:write").unwrap();
    let mut issuer = Issuer::of(&app);
    issuer.scope = Some(scope.clone());
    let token = issuer.issue(ada.id(), ada.email());
    let caller = authenticate(&service_connected_to(&app), &token).await;
    assert_eq!(caller.unwrap().scope, Some(scope));
}

/// Asserts that the refusal of the service has the status, the challenge and the JSON body of the server's response.
fn assert_same_response(refusal: &Refusal, response: &Response) {
    let status_and_challenge = (refusal.status(), refusal.www_authenticate());
    let challenge = response.header("www-authenticate").map(ToOwned::to_owned);
    assert_eq!(status_and_challenge, (response.status(), challenge));
    let parse_json = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    assert_eq!(parse_json(&refusal.body()), parse_json(&response.text()));
}

async fn a_better_auth_session_is_accepted(app: App) {
    let ada = better_auth::sign_up(&app, "ada").await;
    let service = service_connected_to(&app);
    let accepted_result = service
        .authenticate(&SentHeader(Field::Cookie, &ada.cookies))
        .await;
    assert_eq!(ada.user["id"], accepted_result.unwrap().sub);
    let sign_out_request = ada.post(&app, "/api/auth/sign-out", json!({}));
    sign_out_request.await.ok();
    let rejected_result = service
        .authenticate(&SentHeader(Field::Cookie, &ada.cookies))
        .await;
    assert_eq!(rejected_result.unwrap_err().status(), 401);
}

async fn a_rejection_has_the_response_of_the_server(app: App) {
    let (ada, device) = user_with_device(&app, "ada").await;
    let service = service_connected_to(&app);
    let other_audience_issuer = Issuer {
        audience: "another".to_owned(),
        ..Issuer::of(&app)
    };
    let other_audience_token = other_audience_issuer.issue(ada.id(), ada.email());
    let forging_issuer = Issuer {
        secret: "another secret of at least 32 bytes".to_owned(),
        ..Issuer::of(&app)
    };
    let forged_token = forging_issuer.issue(ada.id(), ada.email());
    for token in [
        "junk",
        &other_audience_token,
        &forged_token,
        &device.refresh,
    ] {
        let refusal = authenticate(&service, token).await.unwrap_err();
        assert_same_response(&refusal, &app.bearer(token).get(SESSION).await);
    }
    app.clock.advance(ACCESS_TTL + Duration::from_secs(5));
    let refusal = authenticate(&service, &device.access).await.unwrap_err();
    assert_eq!(refusal.code(), "TOKEN_EXPIRED");
    assert_same_response(&refusal, &app.bearer(&device.access).get(SESSION).await);
}

async fn a_revoked_session_is_rejected_immediately(app: App) {
    let (_, device) = user_with_device(&app, "ada").await;
    let service = service_connected_to(&app);
    authenticate(&service, &device.access).await.unwrap();
    assert_logged_out(by_access(&app, &device, json!({})).await, 1);
    let refusal = authenticate(&service, &device.access).await.unwrap_err();
    assert_eq!(refusal.code(), "TOKEN_REVOKED");
    assert_same_response(&refusal, &app.bearer(&device.access).get(SESSION).await);
}

async fn while_the_server_is_unreachable_no_caller_is_accepted(app: App) {
    let proxy = Proxy::for_server(app.addr());
    let (ada, device) = user_with_device(&app, "ada").await;
    let default_verifier = RemoteVerifier::new(&proxy.http_url()).unwrap();
    let verifier = default_verifier
        .with_timeout(Duration::from_millis(500))
        .unwrap();
    let service = Authority::from(verifier);
    let authenticate_device = async || authenticate(&service, &device.access).await;
    authenticate_device().await.unwrap();
    for interrupt in [Proxy::cut, Proxy::silence] {
        interrupt(&proxy);
        let refusal = authenticate_device().await.unwrap_err();
        assert_eq!(
            (refusal.status(), refusal.code()),
            (503, "AUTHORITY_UNAVAILABLE")
        );
        proxy.resume();
        while authenticate_device().await.is_err() {
            tokio::task::yield_now().await;
        }
        assert_eq!(authenticate_device().await.unwrap().sub, ada.id());
    }
}
