//! Tests tokens as other issuers write them, each with the verifier settings that accept it, and without them.

use auth_core::public_key::Algorithm;
use auth_core::{Error, TokenType, TokenVerifier};
use serde_json::{Value, json};

use crate::fixtures::{NOW, header, key_set, now, sign};

const AUTH0: &str = "https://tenant.eu.auth0.com/";
const BETTER_AUTH: &str = "http://localhost:3000";
const KEYCLOAK: &str = "https://id.example.com/realms/main";
const SUPABASE: &str = "https://project.supabase.co/auth/v1";

fn keyed_verifier(algorithm: Algorithm, issuer: &str, audience: &str) -> TokenVerifier {
    TokenVerifier::new(key_set(algorithm), issuer, audience).unwrap()
}

/// Signs claims with a header of this type.
fn signed(algorithm: Algorithm, typ: Option<&str>, claims: &Value) -> String {
    let typ = typ.map_or(String::new(), |typ| format!(r#""typ":"{typ}","#));
    let header = header(algorithm).replace(r#""typ":"at+jwt","#, &typ);
    sign(algorithm, &header, &claims.to_string())
}

fn error(verifier: &TokenVerifier, token: &str) -> Error {
    verifier.verify(token, now()).unwrap_err()
}

#[test]
fn a_token_of_better_auth_has_neither_type_nor_session_nor_id() {
    let token = signed(
        Algorithm::EdDsa,
        None,
        &json!({
            "iss": BETTER_AUTH, "aud": BETTER_AUTH, "sub": "42", "id": "42", "name": "Ada",
            "email": "ada@example.com", "emailVerified": true, "iat": NOW, "exp": NOW + 900,
        }),
    );
    let verifier = keyed_verifier(Algorithm::EdDsa, BETTER_AUTH, BETTER_AUTH);
    let wrong_type = Error::UnacceptableHeader("The token type must be at+jwt");
    assert_eq!(error(&verifier, &token), wrong_type);
    let verifier = verifier.with_types([TokenType::Absent]).unwrap();
    assert_eq!(error(&verifier, &token), Error::MissingClaim("sid"));
    let verifier = verifier.with_optional_sid();
    assert_eq!(error(&verifier, &token), Error::MissingClaim("jti"));
    let claims = verifier.with_optional_jti().verify(&token, now()).unwrap();
    assert_eq!(
        (&*claims.sub, claims.email.as_deref()),
        ("42", Some("ada@example.com"))
    );
    assert_eq!((claims.sid, &*claims.jti), (None, ""));
}

#[test]
fn a_token_of_keycloak_has_several_audiences() {
    let token = signed(
        Algorithm::Es256,
        Some("JWT"),
        &json!({
            "iss": KEYCLOAK, "aud": ["account", "reports"], "sub": "f:1:ada", "typ": "Bearer", "azp": "web",
            "iat": NOW, "exp": NOW + 300, "jti": "onrtac:1", "sid": "s1", "acr": "1", "scope": "openid email",
            "realm_access": { "roles": ["admin"] }, "email_verified": false, "email": "ada@example.com",
        }),
    );
    let verifier = keyed_verifier(Algorithm::Es256, KEYCLOAK, "reports");
    let verifier = verifier.with_types([TokenType::Jwt]).unwrap();
    let claims = verifier.verify(&token, now()).unwrap();
    assert_eq!(
        (claims.sid.as_deref(), &*claims.jti),
        (Some("s1"), "onrtac:1")
    );
    assert!(claims.has_scope("email") && !claims.has_scope("admin"));
    assert!(
        claims.roles.is_empty(),
        "roles of Keycloak are in another claim"
    );
}

#[test]
fn a_token_of_auth0_has_neither_email_nor_session() {
    let token = signed(
        Algorithm::Es256,
        Some("at+jwt"),
        &json!({
            "iss": AUTH0, "aud": ["https://api.example.com", "https://tenant.eu.auth0.com/userinfo"],
            "sub": "auth0|5f7c8ec7c33c6c004bbafe82", "iat": NOW, "exp": NOW + 86_400, "jti": "j",
            "client_id": "c", "scope": "openid",
        }),
    );
    let verifier = keyed_verifier(Algorithm::Es256, AUTH0, "https://api.example.com");
    assert_eq!(error(&verifier, &token), Error::MissingClaim("email"));
    let verifier = verifier.with_optional_email().with_optional_sid();
    assert_eq!(verifier.verify(&token, now()).unwrap().email, None);
}

#[test]
fn a_token_of_supabase_has_its_session_in_another_claim() {
    let token = signed(
        Algorithm::Es256,
        Some("JWT"),
        &json!({
            "iss": SUPABASE, "aud": "authenticated", "sub": "11111111-1111-1111-1111-111111111111",
            "email": "ada@example.com", "phone": "", "role": "authenticated", "aal": "aal1",
            "session_id": "s1", "is_anonymous": false, "iat": NOW, "exp": NOW + 3600,
        }),
    );
    let verifier = keyed_verifier(Algorithm::Es256, SUPABASE, "authenticated")
        .with_types([TokenType::Jwt])
        .unwrap()
        .with_optional_sid()
        .with_optional_jti();
    assert_eq!(verifier.verify(&token, now()).unwrap().sid, None);
}

#[test]
fn one_of_several_audiences_is_enough() {
    let claims = |audience: Value| {
        json!({
            "iss": AUTH0, "aud": audience, "sub": "42", "email": "a@example.com", "sid": "7", "jti": "1",
            "iat": NOW, "exp": NOW + 900,
        })
    };
    let single = keyed_verifier(Algorithm::EdDsa, AUTH0, "api");
    let several = single
        .clone()
        .with_other_audiences(["reports", "billing"])
        .unwrap();
    for (audience, by_single, by_several) in [
        (json!("api"), true, true),
        (json!("reports"), false, true),
        (json!(["x", "billing"]), false, true),
        (json!(["x", "api"]), true, true),
        (json!("x"), false, false),
        (json!(["x"]), false, false),
        (json!([]), false, false),
        (json!("api reports"), false, false),
        (json!(["api", 1]), false, false),
        (json!(null), false, false),
    ] {
        let token = signed(Algorithm::EdDsa, Some("at+jwt"), &claims(audience.clone()));
        assert_eq!(
            single.verify(&token, now()).is_ok(),
            by_single,
            "{audience}"
        );
        assert_eq!(
            several.verify(&token, now()).is_ok(),
            by_several,
            "{audience}"
        );
    }
    assert!(single.with_other_audiences(["reports", ""]).is_err());
}

#[test]
fn an_id_token_for_a_client_is_no_access_token() {
    let id_token = signed(
        Algorithm::EdDsa,
        Some("JWT"),
        &json!({
            "iss": AUTH0, "aud": "client", "sub": "42", "nonce": "n", "email": "a@example.com", "sid": "7",
            "jti": "1", "iat": NOW, "exp": NOW + 900,
        }),
    );
    let verifier = keyed_verifier(Algorithm::EdDsa, AUTH0, "api");
    let verifier = verifier.with_types([TokenType::Jwt]).unwrap();
    assert_eq!(error(&verifier, &id_token), Error::InvalidClaim("aud"));
}

#[test]
fn an_optional_claim_of_another_type_is_rejected_all_the_same() {
    for (name, value) in [
        ("email", json!(7)),
        ("sid", json!(null)),
        ("jti", json!(["1"])),
    ] {
        let mut claims = json!({
            "iss": AUTH0, "aud": "api", "sub": "42", "email": "a@example.com", "sid": "7", "jti": "1",
            "iat": NOW, "exp": NOW + 900,
        });
        claims[name] = value;
        let verifier = keyed_verifier(Algorithm::EdDsa, AUTH0, "api")
            .with_optional_email()
            .with_optional_sid()
            .with_optional_jti();
        let token = signed(Algorithm::EdDsa, Some("at+jwt"), &claims);
        assert_eq!(error(&verifier, &token), Error::InvalidClaim(name));
    }
}
