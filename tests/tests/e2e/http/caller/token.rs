//! Tests that every route that needs a token rejects invalid tokens, and until when and with which secrets a token is
//! valid.

use std::time::{Duration, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use e2e::{App, Engine, Issuer, on_both_engines};
use jsonwebtoken::{Algorithm, EncodingKey, crypto};
use serde_json::{Value, json};

use super::{CHALLENGE, SESSION};
use crate::operations::protected;

on_both_engines! {
    every_protected_route_rejects_every_invalid_token_before_it_reads_the_body,
    a_token_is_valid_to_the_last_second,
    a_token_of_a_previous_secret_is_accepted,
    an_error_contains_no_part_of_the_token,
}

/// Returns a token with this header and these claims, signed with the secret of the server.
fn sign_token(app: &App, header: &Value, claims: &Value) -> String {
    let encode = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
    let message = format!("{}.{}", encode(header), encode(claims));
    let key = EncodingKey::from_secret(app.secret().as_bytes());
    let mac = crypto::sign(message.as_bytes(), &key, Algorithm::HS256).unwrap();
    format!("{message}.{mac}")
}

/// Returns the claims of a valid token.
fn valid_claims(app: &App) -> Value {
    let since_1970 = app.clock.now().duration_since(UNIX_EPOCH);
    let now = since_1970.unwrap().as_secs();
    json!({
        "iss": "api-server", "aud": "api", "sub": "user-1", "email": "ada@example.com",
        "iat": now, "exp": now + 900, "jti": "1", "sid": "1",
    })
}

/// The value of the `Authorization` header, and the code and the detail of the expected error.
type BadCredentials = (String, &'static str, &'static str);

fn malformed_headers() -> Vec<BadCredentials> {
    let grammar_detail = "The Authorization header must be Bearer, one space and a token";
    let characters_detail = "The bearer token has characters that no token has";
    let token = "a.b.c";
    [
        (String::new(), grammar_detail),
        ("Bearer".to_owned(), grammar_detail),
        (token.to_owned(), grammar_detail),
        (format!("Basic {token}"), grammar_detail),
        (format!("Bearer\t{token}"), grammar_detail),
        (format!("Bearer  {token}"), characters_detail),
        (format!("Bearer {token} {token}"), characters_detail),
        (format!("Bearer {token},Bearer {token}"), characters_detail),
        (format!("Bearer \"{token}\""), characters_detail),
    ]
    .map(|(value, detail)| (value, "INVALID_TOKEN", detail))
    .into()
}

/// Returns tokens of issuers that differ from the server in one respect, each with the detail of the expected error.
fn tokens_of_other_issuers(app: &App) -> [(String, &'static str); 4] {
    let server_issuer = Issuer::of(app);
    let other_secret_issuer = Issuer {
        secret: "another secret that is long enough".to_owned(),
        ..server_issuer.clone()
    };
    let other_audience_issuer = Issuer {
        audience: "another api".to_owned(),
        ..server_issuer.clone()
    };
    let other_name_issuer = Issuer {
        issuer: "another server".to_owned(),
        ..server_issuer.clone()
    };
    let future_issuer = Issuer {
        now: server_issuer.now + Duration::from_secs(60),
        ..server_issuer
    };
    [
        (other_secret_issuer, "The token signature does not match"),
        (
            other_audience_issuer,
            "The token claim aud is not acceptable",
        ),
        (other_name_issuer, "The token claim iss is not acceptable"),
        (future_issuer, "The token is not valid yet"),
    ]
    .map(|(issuer, detail)| (issuer.issue("user-1", "ada@example.com"), detail))
}

/// Returns tokens with invalid contents, each with the detail of the expected error.
fn invalid_tokens(app: &App) -> [(String, &'static str); 10] {
    let token_with_header = |alg: &str, typ: &str| {
        sign_token(app, &json!({ "alg": alg, "typ": typ }), &valid_claims(app))
    };
    let token_of_alg_none = token_with_header("none", "at+jwt");
    let unsigned_token = format!("{}.", token_of_alg_none.rsplit_once('.').unwrap().0);
    let mut claims_without_sid = valid_claims(app);
    claims_without_sid.as_object_mut().unwrap().remove("sid");
    let header = json!({ "alg": "HS256", "typ": "at+jwt" });
    let token_without_sid = sign_token(app, &header, &claims_without_sid);
    let mut claims_with_text = valid_claims(app);
    claims_with_text["email_verified"] = "true".into();
    let token_with_text = sign_token(app, &header, &claims_with_text);
    let text_detail = "The token claim email_verified is not acceptable";
    let type_detail = "The token type must be at+jwt";
    let parts_detail = "A token has exactly three parts";
    [
        ("junk".to_owned(), parts_detail),
        ("a.b.c".to_owned(), "A part of the token is not base64url"),
        ("a".repeat(8193), "The token is longer than 8192 bytes"),
        (token_with_header("HS256", "JWT"), type_detail),
        (token_with_header("HS256", "rt+jwt"), type_detail),
        (token_with_header("HS256", "refresh"), type_detail),
        (unsigned_token, parts_detail),
        (token_of_alg_none, "The token algorithm must be HS256"),
        (token_without_sid, "The token lacks the claim sid"),
        (token_with_text, text_detail),
    ]
}

fn bad_credentials(app: &App) -> Vec<BadCredentials> {
    let tokens = tokens_of_other_issuers(app)
        .into_iter()
        .chain(invalid_tokens(app));
    tokens
        .map(|(token, detail)| (format!("Bearer {token}"), "INVALID_TOKEN", detail))
        .collect()
}

fn expired_token(app: &App) -> BadCredentials {
    let old_issuer = Issuer {
        now: app.clock.now() - Duration::from_secs(3600),
        ..Issuer::of(app)
    };
    let token = old_issuer.issue("user-1", "ada@example.com");
    (
        format!("Bearer {token}"),
        "TOKEN_EXPIRED",
        "The token has expired",
    )
}

async fn every_protected_route_rejects_every_invalid_token_before_it_reads_the_body(app: App) {
    let anonymous_caller = app.anonymous();
    let mut credentials = [malformed_headers(), bad_credentials(&app)].concat();
    credentials.push(expired_token(&app));
    for operation in protected(&app).await {
        let rejection = operation.request(&anonymous_caller, "user-1").await;
        assert_eq!(rejection.header("www-authenticate"), Some(CHALLENGE));
        let problem = rejection.problem(401, "UNAUTHORIZED");
        assert_eq!(problem["detail"], "Authentication is required");

        for (authorization, code, detail) in &credentials {
            let request = operation.request(&anonymous_caller, "user-1");
            let rejection = request.header("authorization", authorization).await;
            let challenge = rejection.header("www-authenticate").map(ToOwned::to_owned);
            let problem = rejection.problem(401, code);
            assert_eq!(problem["detail"], *detail, "{authorization}");
            let expected_challenge =
                format!(r#"{CHALLENGE}, error="invalid_token", error_description="{detail}""#);
            assert_eq!(challenge, Some(expected_challenge));
        }
    }
}

async fn a_token_is_valid_to_the_last_second(app: App) {
    let ada = app.user("ada").await;
    // The clock starts at .869123 s, but `exp` has whole seconds. So the leeway of 5 s ends 130.877 ms after this
    // advance.
    app.clock.advance(Duration::from_secs(900 + 5 - 1));
    ada.get(SESSION).await.ok();
    app.clock.advance(Duration::from_millis(130));
    ada.get(SESSION).await.ok();
    app.clock.advance(Duration::from_millis(1));
    ada.get(SESSION).await.problem(401, "TOKEN_EXPIRED");
}

async fn a_token_of_a_previous_secret_is_accepted(engine: Engine) {
    let previous_secret = "the secret that signed until yesterday";
    let app = App::on(engine)
        .set("auth-secrets-previous", previous_secret)
        .start();
    let previous_issuer = Issuer {
        secret: previous_secret.to_owned(),
        ..Issuer::of(&app)
    };
    let token = previous_issuer.issue("user-1", "ada@example.com");
    let session_response = app.bearer(token).get(SESSION).await.ok();
    assert_eq!(session_response["user"]["id"], "user-1");
}

async fn an_error_contains_no_part_of_the_token(app: App) {
    let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"HS256","typ":"at+jwt","kid":"canary-1"}"#);
    let payload = URL_SAFE_NO_PAD.encode(r#"{"sub":"canary-2","iss":"canary-3"}"#);
    for token in [format!("{header}.{payload}.canary"), "canary".to_owned()] {
        let rejection = app.bearer(token).get(SESSION).await;
        let debug_output = format!("{rejection:?}");
        rejection.problem(401, "INVALID_TOKEN");
        assert!(!debug_output.contains("canary"), "{debug_output}");
        assert!(!debug_output.contains(&header), "{debug_output}");
    }
}
