//! Tests `POST /api/auth/refresh` with tokens that are malformed, forged, of an unknown session or of another kind.
//! Also tests refresh tokens in the place of access tokens, and access tokens with unusual ids.

use std::time::Duration;

use auth_core::{Keyring, Secret, Subject, TokenIssuer};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use e2e::{App, on_both_engines};
use futures_util::future::join_all;
use serde_json::json;

use crate::operations::{operations, protected};
use crate::sessions::fixtures::{
    CHANGE_PASSWORD, Device, LOGOUT, SESSION, counter, encode_refresh_token, get_session,
    is_revoked, login, refresh, refreshed, user_with_device,
};

on_both_engines! {
    a_truncated_token_is_rejected,
    a_token_with_an_added_byte_or_part_is_rejected,
    a_token_with_any_flipped_bit_is_rejected,
    a_token_in_another_encoding_is_rejected,
    the_mac_of_one_session_is_invalid_for_another_session,
    a_token_of_another_server_is_rejected,
    a_counter_that_the_session_has_not_reached_is_rejected_and_changes_nothing,
    a_token_of_an_unknown_session_with_a_valid_mac_is_401,
    an_access_token_is_not_accepted_as_a_refresh_token,
    a_refresh_token_is_not_accepted_as_an_access_token,
    ids_that_postgresql_cannot_store_cause_no_internal_errors,
}

/// Asserts that each token is rejected as invalid. Then asserts that the valid tokens of the device are still accepted.
async fn assert_all_rejected(app: &App, device: &Device, tokens: Vec<String>) {
    assert!(!tokens.is_empty());
    for chunk in tokens.chunks(50) {
        let checks = chunk.iter().map(|token| async move {
            let response = refresh(app, token).await;
            assert_eq!(response.code(), "INVALID_TOKEN", "{token:?}");
            let debug_text = format!("{response:?}");
            response.problem(401, "INVALID_TOKEN");
            assert!(token.len() < 20 || !debug_text.contains(token.as_str()));
        });
        join_all(checks).await;
    }
    assert!(!is_revoked(app, &device.session));
    let counter_before = counter(app, &device.session);
    refreshed(app, device).await;
    assert_eq!(counter(app, &device.session), counter_before + 1);
    get_session(app, &device.access).await.ok();
}

fn decode_token(token: &str) -> Vec<u8> {
    let encoded = token.strip_prefix("rt_").unwrap();
    URL_SAFE_NO_PAD.decode(encoded).unwrap()
}

fn encode_token(bytes: &[u8]) -> String {
    format!("rt_{}", URL_SAFE_NO_PAD.encode(bytes))
}

async fn a_truncated_token_is_rejected(app: App) {
    let (_, device) = user_with_device(&app, "ada").await;
    let token = &device.refresh;
    let tokens_without_end = (0..token.len()).map(|end| token[..end].to_owned());
    let tokens_without_start = (1..token.len()).map(|start| token[start..].to_owned());
    let valid_bytes = decode_token(token);
    let tokens_of_fewer_bytes = (0..valid_bytes.len()).map(|end| encode_token(&valid_bytes[..end]));
    let tokens = tokens_without_end
        .chain(tokens_without_start)
        .chain(tokens_of_fewer_bytes);
    assert_all_rejected(&app, &device, tokens.collect()).await;
}

async fn a_token_with_an_added_byte_or_part_is_rejected(app: App) {
    let (_, device) = user_with_device(&app, "ada").await;
    let token = &device.refresh;
    let mut tokens = Vec::new();
    for added_text in [
        "A", "AA", "AAAA", "=", "==", " ", "\n", "\0", ".", "é", "rt_",
    ] {
        tokens.push(format!("{token}{added_text}"));
        tokens.push(format!("{added_text}{token}"));
        tokens.push(token.replacen("rt_", &format!("rt_{added_text}"), 1));
    }
    for added_length in [1, 16, 32] {
        tokens.push(encode_token(
            &[decode_token(token), vec![0; added_length]].concat(),
        ));
    }
    tokens.push(format!("{token}{token}"));
    tokens.push("rt_".to_owned() + &"A".repeat(60_000));
    assert_all_rejected(&app, &device, tokens).await;
}

async fn a_token_with_any_flipped_bit_is_rejected(app: App) {
    let (_, device) = user_with_device(&app, "ada").await;
    let valid_bytes = decode_token(&device.refresh);
    let tokens = (0..valid_bytes.len() * 8).map(|bit| {
        let mut bytes = valid_bytes.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        encode_token(&bytes)
    });
    assert_all_rejected(&app, &device, tokens.collect()).await;
}

async fn a_token_in_another_encoding_is_rejected(app: App) {
    let (_, device) = user_with_device(&app, "ada").await;
    let token = &device.refresh;
    let encoded = token.strip_prefix("rt_").unwrap();
    let last_index = encoded.len() - 1;
    // The last character of the encoding of 52 bytes has four spare bits. A decoder that ignores these bits would
    // accept 15 other last characters.
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let wrong_last_characters = alphabet
        .chars()
        .filter(|character| !encoded.ends_with(*character));
    let mut tokens: Vec<_> = wrong_last_characters
        .map(|character| format!("rt_{}{character}", &encoded[..last_index]))
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

async fn the_mac_of_one_session_is_invalid_for_another_session(app: App) {
    let (ada, device) = user_with_device(&app, "ada").await;
    let other_device = login(&app, &ada).await;
    let (valid_bytes, other_bytes) = (
        decode_token(&device.refresh),
        decode_token(&other_device.refresh),
    );
    let later_bytes = decode_token(&encode_refresh_token(app.secret(), &device.session, 1));
    let decoded_tokens = [
        // The first token has another session id, the second a later counter, and the last two have another MAC.
        [&other_bytes[..16], &valid_bytes[16..]].concat(),
        [&valid_bytes[..16], &later_bytes[16..20], &valid_bytes[20..]].concat(),
        [&valid_bytes[..20], &other_bytes[20..]].concat(),
        [&valid_bytes[..20], &[0; 32][..]].concat(),
    ];
    let tokens = decoded_tokens.map(|bytes| encode_token(&bytes));
    assert_all_rejected(&app, &device, tokens.into()).await;
    refreshed(&app, &other_device).await;
}

async fn a_token_of_another_server_is_rejected(app: App) {
    let (_, device) = user_with_device(&app, "ada").await;
    let other_secret = "the secret of another server, long enough";
    let tokens = [0, 1, 2, u32::MAX]
        .map(|counter| encode_refresh_token(other_secret, &device.session, counter));
    assert_all_rejected(&app, &device, tokens.into()).await;
}

async fn a_counter_that_the_session_has_not_reached_is_rejected_and_changes_nothing(app: App) {
    let (_, device) = user_with_device(&app, "ada").await;
    let encode_with_counter =
        |counter| encode_refresh_token(app.secret(), &device.session, counter);
    let tokens_ahead = [1, 2, 1 << 31, u32::MAX - 1, u32::MAX].map(encode_with_counter);
    assert_all_rejected(&app, &device, tokens_ahead.into()).await;
    // `assert_all_rejected` has refreshed the session once, so its counter is 1 and token 0 is the predecessor.
    let token_response = refresh(&app, &encode_with_counter(0)).await.ok();
    assert_eq!(token_response["refresh_token"], encode_with_counter(1));
    let later_tokens_ahead = [2, u32::MAX].map(encode_with_counter);
    for token in later_tokens_ahead {
        let response = refresh(&app, &token).await;
        response.problem(401, "INVALID_TOKEN");
    }
    let token_response = refresh(&app, &encode_with_counter(1)).await.ok();
    assert_eq!(token_response["refresh_token"], encode_with_counter(2));
    // A token whose counter is two less than the counter of the session revokes the session.
    let response = refresh(&app, &encode_with_counter(0)).await;
    response.problem(401, "REFRESH_TOKEN_REUSED");
}

async fn a_token_of_an_unknown_session_with_a_valid_mac_is_401(app: App) {
    let (_, device) = user_with_device(&app, "ada").await;
    for session_id in [
        "00000000-0000-0000-0000-000000000000",
        "ffffffff-ffff-ffff-ffff-ffffffffffff",
        "01a1f94f-1806-712d-9da0-fe6ea3cbd2d0",
    ] {
        for counter in [0, 1, u32::MAX] {
            let token = encode_refresh_token(app.secret(), session_id, counter);
            let response = refresh(&app, &token).await;
            response.problem(401, "SESSION_EXPIRED");
        }
    }
    refreshed(&app, &device).await;
}

async fn an_access_token_is_not_accepted_as_a_refresh_token(app: App) {
    let (ada, device) = user_with_device(&app, "ada").await;
    let service_token = app.token_for(ada.id(), ada.email());
    let tokens = vec![
        device.access.clone(),
        service_token,
        format!("rt_{}", device.access),
    ];
    assert_all_rejected(&app, &device, tokens).await;
}

async fn a_refresh_token_is_not_accepted_as_an_access_token(app: App) {
    let (_, device) = user_with_device(&app, "ada").await;
    let caller = app.bearer(device.refresh.as_str());
    for operation in protected(&app).await {
        let response = operation.request(&caller, "eve").await;
        response.problem(401, "INVALID_TOKEN");
    }
    let cookie = format!("access_token={}", device.refresh);
    let response = app.anonymous().get(SESSION).header("cookie", &cookie).await;
    response.problem(401, "INVALID_TOKEN");
    refreshed(&app, &device).await;
}

/// A service with the secret can put any text into a token, but PostgreSQL cannot store the NUL character.
async fn ids_that_postgresql_cannot_store_cause_no_internal_errors(app: App) {
    let keyring = Keyring::new(Secret::new(app.secret()).unwrap());
    let issuer = TokenIssuer::new(keyring, "api-server", "api", Duration::from_secs(900)).unwrap();
    let ada = app.user("ada").await;
    for (user_id, session_id) in [("a\0b", "s"), (ada.id(), "s\0t"), (ada.id(), "\u{feff}")] {
        let subject = Subject {
            id: user_id,
            email: "a@b.example",
            email_verified: None,
            session_id,
        };
        let token = issuer.issue(&subject, app.clock.now()).unwrap().token;
        let caller = app.bearer(token);
        let encoded_user_id = user_id.replace('\0', "%00");
        for operation in operations(&app).await {
            let response = operation.request(&caller, &encoded_user_id).await;
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
