//! `POST /api/auth/refresh` with tokens that are malformed, of another session or of another server: each is rejected
//! and changes nothing.

use std::time::Duration;

use auth_core::{Keyring, Secret, Subject, TokenIssuer};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use e2e::{App, on_both_engines};
use futures_util::future::join_all;
use serde_json::json;

use crate::routes::{operations, protected};
use crate::sessions::fixtures::{
    CHANGE_PASSWORD, Device, LOGOUT, SESSION, counter, encode_refresh_token, get_session,
    is_revoked, login, refresh, refreshed, user_with_device,
};

on_both_engines! {
    a_truncated_token_is_rejected,
    a_token_with_an_added_byte_or_part_is_rejected,
    a_token_with_any_flipped_bit_is_rejected,
    a_token_in_another_encoding_is_rejected,
    the_mac_of_one_session_is_invalid_for_another,
    a_token_of_another_server_is_rejected,
    a_counter_the_session_has_not_reached_is_rejected_and_changes_nothing,
    a_valid_mac_for_an_unknown_session_is_401,
    an_access_token_is_not_accepted_as_a_refresh_token,
    a_refresh_token_is_not_accepted_as_an_access_token,
    ids_that_no_database_can_store_cause_no_internal_errors,
}

/// Asserts that each token is rejected as invalid and that the session continues unchanged.
async fn assert_all_rejected(app: &App, device: &Device, tokens: Vec<String>) {
    assert!(!tokens.is_empty());
    for chunk in tokens.chunks(50) {
        let responses = chunk.iter().map(|token| async move {
            let response = refresh(app, token).await;
            assert_eq!(response.code(), "INVALID_TOKEN", "{token:?}");
            let debug_text = format!("{response:?}");
            response.problem(401, "INVALID_TOKEN");
            assert!(token.len() < 20 || !debug_text.contains(token.as_str()));
        });
        join_all(responses).await;
    }
    assert!(!is_revoked(app, &device.session));
    let before = counter(app, &device.session);
    refreshed(app, device).await;
    assert_eq!(counter(app, &device.session), before + 1);
    get_session(app, &device.access).await.ok();
}

fn decode(token: &str) -> Vec<u8> {
    let encoded = token.strip_prefix("rt_").unwrap();
    URL_SAFE_NO_PAD.decode(encoded).unwrap()
}

fn encode(bytes: &[u8]) -> String {
    format!("rt_{}", URL_SAFE_NO_PAD.encode(bytes))
}

async fn a_truncated_token_is_rejected(app: App) {
    let (_, device) = user_with_device(&app, "ada").await;
    let token = &device.refresh;
    let from_the_end = (0..token.len()).map(|end| token[..end].to_owned());
    let from_the_start = (1..token.len()).map(|start| token[start..].to_owned());
    let whole_bytes = decode(token);
    let fewer_bytes = (0..whole_bytes.len()).map(|end| encode(&whole_bytes[..end]));
    let tokens = from_the_end.chain(from_the_start).chain(fewer_bytes);
    assert_all_rejected(&app, &device, tokens.collect()).await;
}

async fn a_token_with_an_added_byte_or_part_is_rejected(app: App) {
    let (_, device) = user_with_device(&app, "ada").await;
    let token = &device.refresh;
    let mut tokens = Vec::new();
    for added in [
        "A", "AA", "AAAA", "=", "==", " ", "\n", "\0", ".", "é", "rt_",
    ] {
        tokens.push(format!("{token}{added}"));
        tokens.push(format!("{added}{token}"));
        tokens.push(token.replacen("rt_", &format!("rt_{added}"), 1));
    }
    for length in [1, 16, 32] {
        tokens.push(encode(&[decode(token), vec![0; length]].concat()));
    }
    tokens.push(format!("{token}{token}"));
    tokens.push("rt_".to_owned() + &"A".repeat(60_000));
    assert_all_rejected(&app, &device, tokens).await;
}

async fn a_token_with_any_flipped_bit_is_rejected(app: App) {
    let (_, device) = user_with_device(&app, "ada").await;
    let valid = decode(&device.refresh);
    let flipped = (0..valid.len() * 8).map(|bit| {
        let mut bytes = valid.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        encode(&bytes)
    });
    assert_all_rejected(&app, &device, flipped.collect()).await;
}

async fn a_token_in_another_encoding_is_rejected(app: App) {
    let (_, device) = user_with_device(&app, "ada").await;
    let token = &device.refresh;
    let encoded = token.strip_prefix("rt_").unwrap();
    let last = encoded.len() - 1;
    // The encoding of 52 bytes has spare bits in its last character, which must be zero.
    let spare = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let spare = spare.chars().filter(|spare| !encoded.ends_with(*spare));
    let mut tokens: Vec<_> = spare
        .map(|spare| format!("rt_{}{spare}", &encoded[..last]))
        .collect();
    tokens.extend([
        encoded.to_owned(),
        format!("RT_{encoded}"),
        format!("rt-{encoded}"),
        format!("Bearer {token}"),
        format!("\"{token}\""),
        format!("rt_+{}", &encoded[1..]),
        format!("rt_/{}", &encoded[1..]),
        token.to_uppercase(),
        token.to_lowercase(),
        "rt_".to_owned(),
        String::new(),
    ]);
    assert_all_rejected(&app, &device, tokens).await;
}

async fn the_mac_of_one_session_is_invalid_for_another(app: App) {
    let (ada, device) = user_with_device(&app, "ada").await;
    let other = login(&app, &ada).await;
    let (own_bytes, other_bytes) = (decode(&device.refresh), decode(&other.refresh));
    let later = decode(&encode_refresh_token(app.secret(), &device.session, 1));
    let tokens = [
        // The id of the other session, then a later counter, each with the MAC of this token.
        [&other_bytes[..16], &own_bytes[16..]].concat(),
        [&own_bytes[..16], &later[16..20], &own_bytes[20..]].concat(),
        [&own_bytes[..20], &other_bytes[20..]].concat(),
        [&own_bytes[..20], &[0; 32][..]].concat(),
    ];
    let tokens = tokens.map(|bytes| encode(&bytes));
    assert_all_rejected(&app, &device, tokens.into()).await;
    refreshed(&app, &other).await;
}

async fn a_token_of_another_server_is_rejected(app: App) {
    let (_, device) = user_with_device(&app, "ada").await;
    let secret = "the secret of another server, long enough";
    let tokens =
        [0, 1, 2, u32::MAX].map(|counter| encode_refresh_token(secret, &device.session, counter));
    assert_all_rejected(&app, &device, tokens.into()).await;
}

async fn a_counter_the_session_has_not_reached_is_rejected_and_changes_nothing(app: App) {
    let (_, device) = user_with_device(&app, "ada").await;
    let token_of = |counter| encode_refresh_token(app.secret(), &device.session, counter);
    let ahead = [1, 2, 1 << 31, u32::MAX - 1, u32::MAX].map(token_of);
    assert_all_rejected(&app, &device, ahead.into()).await;
    // The counter of the session is now 1, so 0 is the predecessor.
    let repeated = refresh(&app, &token_of(0)).await.ok();
    assert_eq!(repeated["refresh_token"], token_of(1));
    let ahead = [2, u32::MAX].map(token_of);
    for token in ahead {
        let refused = refresh(&app, &token).await;
        refused.problem(401, "INVALID_TOKEN");
    }
    let next = refresh(&app, &token_of(1)).await.ok();
    assert_eq!(next["refresh_token"], token_of(2));
    // The token is two steps old, so it revokes the session, whichever service encoded it.
    let refused = refresh(&app, &token_of(0)).await;
    refused.problem(401, "REFRESH_TOKEN_REUSED");
}

async fn a_valid_mac_for_an_unknown_session_is_401(app: App) {
    let (_, device) = user_with_device(&app, "ada").await;
    for session in [
        "00000000-0000-0000-0000-000000000000",
        "ffffffff-ffff-ffff-ffff-ffffffffffff",
        "01a1f94f-1806-712d-9da0-fe6ea3cbd2d0",
    ] {
        for counter in [0, 1, u32::MAX] {
            let token = encode_refresh_token(app.secret(), session, counter);
            let refused = refresh(&app, &token).await;
            refused.problem(401, "SESSION_EXPIRED");
        }
    }
    refreshed(&app, &device).await;
}

async fn an_access_token_is_not_accepted_as_a_refresh_token(app: App) {
    let (ada, device) = user_with_device(&app, "ada").await;
    let delegated = app.token_for(ada.id(), ada.email());
    let tokens = vec![
        device.access.clone(),
        delegated,
        format!("rt_{}", device.access),
    ];
    assert_all_rejected(&app, &device, tokens).await;
}

async fn a_refresh_token_is_not_accepted_as_an_access_token(app: App) {
    let (_, device) = user_with_device(&app, "ada").await;
    let caller = app.bearer(device.refresh.as_str());
    for operation in protected(&app).await {
        let refused = operation.request(&caller, "eve").await;
        refused.problem(401, "INVALID_TOKEN");
    }
    let cookie = format!("access_token={}", device.refresh);
    let refused = app.anonymous().get(SESSION).header("cookie", &cookie).await;
    refused.problem(401, "INVALID_TOKEN");
    refreshed(&app, &device).await;
}

/// A service with the secret may put any text into a token, but PostgreSQL cannot store NUL.
async fn ids_that_no_database_can_store_cause_no_internal_errors(app: App) {
    let keyring = Keyring::new(Secret::new(app.secret()).unwrap());
    let issuer = TokenIssuer::new(keyring, "api-server", "api", Duration::from_secs(900)).unwrap();
    let ada = app.user("ada").await;
    for (id, session_id) in [("a\0b", "s"), (ada.id(), "s\0t"), (ada.id(), "\u{feff}")] {
        let subject = Subject {
            id,
            email: "a@b.example",
            session_id,
        };
        let token = issuer.issue(&subject, app.clock.now()).unwrap().token;
        let caller = app.bearer(token);
        let path = id.replace('\0', "%00");
        for operation in operations(&app).await {
            let response = operation.request(&caller, &path).await;
            assert!(
                response.status() < 500,
                "{operation:?}: {}",
                response.text()
            );
        }
        for (method, path, body) in [
            ("POST", "/api/tasks", json!({ "title": "t" })),
            ("PATCH", "/api/tasks/1", json!({ "title": "t" })),
            ("PATCH", "/api/auth/account", json!({ "name": "n" })),
            (
                "DELETE",
                "/api/auth/account",
                json!({ "password": ada.password() }),
            ),
            ("POST", LOGOUT, json!({ "scope": "all" })),
            (
                "POST",
                CHANGE_PASSWORD,
                json!({ "current_password": "x", "new_password": "long enough" }),
            ),
        ] {
            let response = caller.request(method, path).body(body).await;
            assert!(
                response.status() < 500,
                "{method} {path}: {}",
                response.text()
            );
        }
    }
}
