//! Tests how many allocations a verification makes.

use std::time::{Duration, SystemTime};

use allocation_counter::measure;
use auth_core::{
    Authority, Caller, CustomClaimsJson, Keyring, RequireRole, RequireScope, Revocations, Roles,
    Scope, Secret, Subject, TokenIssuer, TokenVerifier,
};

const SUBJECT: Subject<'_> = Subject {
    id: "0198f2d4-7c1e-7bb3-9a55-3c9a1f6f2b10",
    email: "ada.lovelace@example.com",
    email_verified: Some(true),
    session_id: "0198f2d4-8a02-7d51-8f0e-5d2f4c7b9e21",
};
/// The number of strings in [`auth_core::Claims`]: `sub`, `email`, `sid` and `jti`.
const CLAIM_STRING_COUNT: u64 = 4;

fn keyring(text: &str) -> Keyring {
    Keyring::new(secret(text))
}

fn secret(text: &str) -> Secret {
    Secret::new(text).unwrap()
}

fn verifier(keyring: Keyring) -> TokenVerifier {
    TokenVerifier::new(keyring, "api-server", "api").unwrap()
}

fn token(keyring: Keyring) -> String {
    let lifetime = Duration::from_secs(900);
    let issuer = TokenIssuer::new(keyring, "api-server", "api", lifetime).unwrap();
    issuer.issue(&SUBJECT, SystemTime::now()).unwrap().token
}

fn count_allocations(verifier: &TokenVerifier, token: &str, is_accepted: bool) -> u64 {
    let now = SystemTime::now();
    measure(|| assert_eq!(verifier.verify(token, now).is_ok(), is_accepted)).count_total
}

const SECRET: &str = "wJ9vRkq2x8Yt4Lm7Zb1Nc5Hd3Gf6Sa0P";
const OTHER_SECRET: &str = "P0aS6fG3dH5cN1bZ7mL4tY8x2qkRv9Jw";

#[test]
fn an_authority_adds_no_allocation() {
    let mut headers = http::HeaderMap::new();
    let bearer = format!("Bearer {}", token(keyring(SECRET)));
    headers.insert("authorization", bearer.parse().unwrap());
    let authority = Authority::from(verifier(keyring(SECRET)));
    let count =
        measure(|| assert!(authority.authenticate(&headers).into_ready().is_ok())).count_total;
    assert_eq!(count, CLAIM_STRING_COUNT);
}

#[test]
fn verification_allocates_the_strings_of_the_claims_only() {
    let valid_token = token(keyring(SECRET));
    let count = count_allocations(&verifier(keyring(SECRET)), &valid_token, true);
    assert_eq!(count, CLAIM_STRING_COUNT);
}

#[test]
fn a_previous_secret_adds_no_allocation() {
    let rotated_keyring = keyring(OTHER_SECRET).with_previous([secret(SECRET)]);
    let valid_token = token(keyring(SECRET));
    let count = count_allocations(&verifier(rotated_keyring), &valid_token, true);
    assert_eq!(count, CLAIM_STRING_COUNT);
}

#[test]
fn a_forged_token_allocates_nothing() {
    let valid_token = token(keyring(SECRET));
    let (message, _) = valid_token.rsplit_once('.').unwrap();
    let forged_token = format!("{message}.{}", "A".repeat(43));
    let count = count_allocations(&verifier(keyring(SECRET)), &forged_token, false);
    assert_eq!(count, 0);
}

#[test]
fn malformed_and_too_long_tokens_allocate_nothing() {
    let verifier = verifier(keyring(SECRET));
    for invalid_token in ["", "a.b", "....", &"x".repeat(8193)] {
        assert_eq!(
            count_allocations(&verifier, invalid_token, false),
            0,
            "{invalid_token:.10}"
        );
    }
}

/// Returns a token with 3 roles, 4 scopes and, if it is to have them, custom claims.
fn token_with_grants(has_custom_claims: bool) -> String {
    let roles = Roles::new(["admin", "editor", "billing.read"]).unwrap();
    let scope = Scope::new("tasks:read tasks:write account:read sessions").unwrap();
    let json = if has_custom_claims {
        r#"{"plan":"pro"}"#
    } else {
        "{}"
    };
    let custom = CustomClaimsJson::parse(json).unwrap();
    let lifetime = Duration::from_secs(900);
    let issuer = TokenIssuer::new(keyring(SECRET), "api-server", "api", lifetime).unwrap();
    let builder = issuer.token_for(&SUBJECT).with_claims_version(3);
    let builder = builder.with_roles(&roles).with_scope(&scope);
    let builder = builder.with_custom_claims(&custom);
    builder.issue(SystemTime::now()).unwrap().token
}

/// Roles are one string, and so is a scope.
#[test]
fn roles_and_scope_add_one_allocation_each_and_a_version_and_custom_claims_none() {
    for has_custom_claims in [false, true] {
        let token = token_with_grants(has_custom_claims);
        let count = count_allocations(&verifier(keyring(SECRET)), &token, true);
        assert_eq!(count, CLAIM_STRING_COUNT + 2);
    }
}

#[test]
fn kept_custom_claims_add_one_allocation() {
    let token = token_with_grants(true);
    let verifier = verifier(keyring(SECRET)).with_custom_claims();
    let count = count_allocations(&verifier, &token, true);
    assert_eq!(count, CLAIM_STRING_COUNT + 3);
}

#[test]
fn custom_claims_that_are_read_at_once_allocate_their_own_strings_only() {
    #[derive(serde::Deserialize)]
    struct Plan {
        plan: String,
    }
    let (verifier, token) = (verifier(keyring(SECRET)), token_with_grants(true));
    let now = SystemTime::now();
    let allocations = measure(|| {
        let (_, Plan { plan }) = verifier.verify_with(&token, now).unwrap();
        assert_eq!(plan, "pro");
    });
    assert_eq!(allocations.count_total, CLAIM_STRING_COUNT + 2 + 1);
}

#[test]
fn a_check_of_a_role_or_a_scope_allocates_nothing() {
    let verifier = verifier(keyring(SECRET));
    let claims = verifier.verify(&token_with_grants(false), SystemTime::now());
    let claims = claims.unwrap();
    let caller = Caller::from(claims.clone());
    let role_guard = RequireRole::any_of(["x", "editor"]).unwrap();
    let scope_guard = RequireScope::all_of(["sessions", "tasks:read"]).unwrap();
    let allocations = measure(|| {
        assert!(claims.has_role("editor") && !claims.has_role("x"));
        assert!(claims.has_scope("sessions") && !claims.has_scope("x"));
        assert!(caller.has_role("editor") && caller.has_scope("sessions"));
        assert!(role_guard.check(&caller).is_ok() && scope_guard.check(&caller).is_ok());
    });
    assert_eq!(allocations.count_total, 0);
}

#[test]
fn revoked_and_stale_tokens_allocate_nothing_for_a_user_without_roles() {
    let revocations = Revocations::default();
    let until = SystemTime::now() + Duration::from_secs(900);
    let verifier = verifier(keyring(SECRET)).with_revocations(revocations.clone());
    let token = token(keyring(SECRET));
    assert_eq!(
        count_allocations(&verifier, &token, true),
        CLAIM_STRING_COUNT
    );
    revocations.mark_stale(SUBJECT.id, 1, until);
    assert_eq!(count_allocations(&verifier, &token, false), 0);
    revocations.revoke_session(SUBJECT.session_id, until);
    assert_eq!(count_allocations(&verifier, &token, false), 0);
}

#[test]
fn a_public_key_adds_one_allocation_for_the_header() {
    use auth_core::public_key::{Algorithm, KeySet, SigningKey};

    for algorithm in [Algorithm::EdDsa, Algorithm::Es256] {
        let key = SigningKey::generate(algorithm).unwrap();
        let keys = KeySet::new([key.public_key().clone()]).unwrap();
        let lifetime = Duration::from_secs(900);
        let issuer = TokenIssuer::new(key, "api-server", "api", lifetime).unwrap();
        let token = issuer.issue(&SUBJECT, SystemTime::now()).unwrap().token;
        let verifier = TokenVerifier::new(keys, "api-server", "api").unwrap();
        // The header is parsed: one allocation for the set of its names.
        let count = count_allocations(&verifier, &token, true);
        assert_eq!(count, CLAIM_STRING_COUNT + 1, "{algorithm}");
        let other_key = SigningKey::generate(algorithm).unwrap();
        let other_keys = KeySet::new([other_key.public_key().clone()]).unwrap();
        let other_verifier = TokenVerifier::new(other_keys, "api-server", "api").unwrap();
        assert_eq!(count_allocations(&other_verifier, &token, false), 1);
    }
}
