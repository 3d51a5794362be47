//! Tests tokens with roles, a scope, custom claims, a version, another audience, and tokens of machines.

use std::time::Duration;

use auth_core::{
    CustomClaimsJson, Error, MAX_TOKEN_BYTES, Roles, Scope, TokenIssuer, TokenVerifier,
};
use serde_json::{Value, json};

use super::decode_part;
use crate::fixtures::{AUDIENCE, ISSUER, NOW, SUBJECT, issuer, keyring, now, verifier, verify};

fn roles(names: &[&str]) -> Roles {
    Roles::new(names).unwrap()
}

fn payload_of(token: &str) -> Value {
    decode_part(token, 1)
}

#[test]
fn a_token_has_exactly_the_claims_that_were_set() {
    let (roles, scope) = (roles(&["admin", "editor"]), Scope::new("a b").unwrap());
    let custom = CustomClaimsJson::parse(r#"{"plan":"pro","limits":{"seats":3}}"#).unwrap();
    let token_issuer = issuer(keyring());
    let signed_token = token_issuer
        .token_for(&SUBJECT)
        .with_roles(&roles)
        .with_scope(&scope)
        .with_claims_version(7)
        .with_custom_claims(&custom)
        .with_jti("t1")
        .issue(now())
        .unwrap();
    assert_eq!(
        payload_of(&signed_token.token),
        json!({
            "iss": "api-server", "aud": "api", "sub": "42", "email": "ada@example.com", "email_verified": true,
            "sid": "7", "iat": NOW, "exp": NOW + 900, "jti": "t1", "roles": ["admin", "editor"], "scope": "a b",
            "claims_version": 7, "plan": "pro", "limits": { "seats": 3 },
        })
    );
    assert_eq!(verify(&signed_token.token), Ok(signed_token.claims.clone()));
    assert_eq!(
        (signed_token.claims.roles, signed_token.claims.scope),
        (roles, Some(scope))
    );
    assert_eq!(signed_token.claims.claims_version, 7);
}

#[test]
fn a_builder_without_further_calls_issues_the_token_of_issue() {
    let token_issuer = issuer(keyring());
    let plain = token_issuer
        .issue_with_id(&SUBJECT, "t1".to_owned(), now())
        .unwrap();
    let built = token_issuer
        .token_for(&SUBJECT)
        .with_jti("t1")
        .issue(now())
        .unwrap();
    assert_eq!(built.token, plain.token);
    let (no_roles, no_custom) = (Roles::default(), CustomClaimsJson::default());
    let empty = token_issuer
        .token_for(&SUBJECT)
        .with_jti("t1")
        .with_roles(&no_roles)
        .with_custom_claims(&no_custom)
        .with_claims_version(0)
        .with_audience(AUDIENCE)
        .with_max_exp(i64::MAX);
    assert_eq!(empty.issue(now()).unwrap().token, plain.token);
}

/// The tokens of users without roles stay the same for verifiers of all versions.
#[test]
fn the_text_of_a_plain_payload_is_unchanged() {
    let signed_token = issuer(keyring()).issue_with_id(&SUBJECT, "t1".to_owned(), now());
    let token = signed_token.unwrap().token;
    let expected = r#"{"iss":"api-server","sub":"42","aud":"api","exp":1800000900,"iat":1800000000,"jti":"t1","sid":"7","email":"ada@example.com","email_verified":true}"#;
    assert_eq!(
        token.split('.').nth(1).unwrap(),
        crate::reference::base64url(expected.as_bytes())
    );
}

#[test]
fn a_token_of_a_machine_has_neither_email_nor_session() {
    let token_issuer = issuer(keyring());
    let scope = Scope::new("reports").unwrap();
    let builder = token_issuer.token_for_machine("nightly").with_scope(&scope);
    let signed_token = builder.with_jti("t1").issue(now()).unwrap();
    assert_eq!(
        payload_of(&signed_token.token),
        json!({
            "iss": "api-server", "aud": "api", "sub": "nightly", "iat": NOW, "exp": NOW + 900, "jti": "t1",
            "scope": "reports",
        })
    );
    assert_eq!(
        verify(&signed_token.token),
        Err(Error::MissingClaim("email"))
    );
    let verifier = verifier(keyring())
        .with_optional_email()
        .with_optional_sid();
    assert_eq!(
        verifier.verify(&signed_token.token, now()),
        Ok(signed_token.claims)
    );
}

#[test]
fn a_token_for_another_audience_is_accepted_by_that_audience_only() {
    let token_issuer = issuer(keyring());
    let builder = token_issuer.token_for(&SUBJECT).with_audience("reports");
    let token = builder.issue(now()).unwrap().token;
    assert_eq!(verify(&token), Err(Error::InvalidClaim("aud")));
    let reports = TokenVerifier::new(keyring(), ISSUER, "reports").unwrap();
    assert!(reports.verify(&token, now()).is_ok());
    let result = token_issuer
        .token_for(&SUBJECT)
        .with_audience("")
        .issue(now());
    assert!(matches!(result, Err(Error::InvalidSetting(_))));
}

#[test]
fn the_limit_of_exp_shortens_a_token_only() {
    let token_issuer = issuer(keyring());
    let iat = i64::try_from(NOW).unwrap();
    for (max_exp, expected) in [
        (iat - 1, Err(Error::Expired)),
        (iat, Err(Error::Expired)),
        (iat + 1, Ok(iat + 1)),
        (iat + 899, Ok(iat + 899)),
        (iat + 900, Ok(iat + 900)),
        (iat + 901, Ok(iat + 900)),
    ] {
        let result = token_issuer
            .token_for(&SUBJECT)
            .with_max_exp(max_exp)
            .issue(now());
        assert_eq!(result.map(|signed_token| signed_token.claims.exp), expected);
    }
}

#[test]
fn the_largest_version_is_the_largest_that_a_verifier_accepts() {
    let token_issuer = issuer(keyring());
    let max_version = (1 << 53) - 1;
    let issue = |version| {
        token_issuer
            .token_for(&SUBJECT)
            .with_claims_version(version)
            .issue(now())
    };
    for version in [1, max_version - 1, max_version] {
        let claims = verify(&issue(version).unwrap().token).unwrap();
        assert_eq!(claims.claims_version, version);
    }
    for version in [max_version + 1, u64::MAX] {
        assert_eq!(
            issue(version).unwrap_err(),
            Error::InvalidClaim("claims_version")
        );
    }
}

#[test]
fn the_id_of_a_machine_follows_the_rule_of_sub() {
    for id in ["", " ", " a", "a\n"] {
        let result = issuer(keyring()).token_for_machine(id).issue(now());
        assert_eq!(result.unwrap_err(), Error::InvalidClaim("sub"), "{id:?}");
    }
}

#[test]
fn the_largest_roles_scope_and_custom_claims_fit_into_one_token() {
    let names = (10..42).map(|number| format!("{number}{}", "x".repeat(62)));
    let roles = Roles::new(names).unwrap();
    let scope = Scope::new("x".repeat(Scope::MAX_BYTES)).unwrap();
    let custom =
        CustomClaimsJson::new(&json!({ "a": "x".repeat(CustomClaimsJson::MAX_BYTES - 8) }))
            .unwrap();
    let lifetime = Duration::from_secs(900);
    let token_issuer = TokenIssuer::new(keyring(), ISSUER, AUDIENCE, lifetime).unwrap();
    let token = token_issuer
        .token_for(&SUBJECT)
        .with_roles(&roles)
        .with_scope(&scope)
        .with_custom_claims(&custom)
        .issue(now())
        .unwrap()
        .token;
    assert!(token.len() < MAX_TOKEN_BYTES, "{}", token.len());
    assert!(verify(&token).is_ok());
}
