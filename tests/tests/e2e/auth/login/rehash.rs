//! Tests which stored password hashes `POST /api/auth/login` replaces, and that a corrupt hash is an internal error.

use auth_core::password::{Cost, PasswordAttempt};
use e2e::{App, Client, log_lines, on_both_engines};
use serde_json::json;

use super::{LOGIN, credentials};

on_both_engines! {
    a_hash_of_another_cost_is_replaced_at_the_next_login,
    a_hash_of_another_bcrypt_version_is_replaced_at_the_next_login,
    a_hash_from_another_program_is_accepted,
    a_hash_of_better_auth_is_replaced_at_the_next_login,
    the_longest_password_of_better_auth_logs_in_and_may_be_changed,
    a_current_hash_is_kept,
    a_corrupt_hash_is_a_500_that_reveals_nothing,
}

fn compute_hash(password: &str, cost: u32) -> String {
    let attempt = PasswordAttempt::new(password).unwrap();
    let hash = attempt.rehash(Cost::new(cost).unwrap()).unwrap();
    hash.as_str().to_owned()
}

fn store_hash(app: &App, hash: &str) {
    let escaped_hash = hash.replace('\'', "''");
    let statement = format!("UPDATE users SET password_hash = '{escaped_hash}'");
    app.database().execute(&statement);
}

fn stored_hash(app: &App) -> String {
    let query = "SELECT password_hash FROM users";
    app.database().value(query).unwrap()
}

/// Stores this hash. Asserts that the first login with the right password replaces the hash, and that neither a login
/// with a wrong password nor the second login with the right password replaces a hash.
async fn assert_replaced_at_login(app: &App, user: &Client, password: &str, hash: &str) {
    store_hash(app, hash);
    let wrong_login = app
        .anonymous()
        .post(LOGIN, credentials(user.email(), "wrong"));
    wrong_login.await.problem(401, "INVALID_EMAIL_OR_PASSWORD");
    assert_eq!(stored_hash(app), hash);

    let right_login = app
        .anonymous()
        .post(LOGIN, credentials(user.email(), password));
    right_login.clone().await.ok();
    let new_hash = stored_hash(app);
    assert_ne!(new_hash, hash);
    assert!(new_hash.starts_with("$2b$04$"), "{new_hash}");

    right_login.await.ok();
    assert_eq!(stored_hash(app), new_hash);
}

async fn a_hash_of_another_cost_is_replaced_at_the_next_login(app: App) {
    let ada = app.user("ada").await;
    for cost in [5, 6] {
        let hash = compute_hash(ada.password(), cost);
        assert_replaced_at_login(&app, &ada, ada.password(), &hash).await;
    }
}

async fn a_hash_of_another_bcrypt_version_is_replaced_at_the_next_login(app: App) {
    let ada = app.user("ada").await;
    for version in ["$2y$04$", "$2a$04$"] {
        let hash = compute_hash(ada.password(), 4).replace("$2b$04$", version);
        assert_replaced_at_login(&app, &ada, ada.password(), &hash).await;
    }
}

/// Uses a published test vector of bcrypt. Its password `U*U` is too short for a registration.
async fn a_hash_from_another_program_is_accepted(app: App) {
    let ada = app.user("ada").await;
    let bcrypt_hash = "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";
    assert_replaced_at_login(&app, &ada, "U*U", bcrypt_hash).await;
}

/// Uses a hash in the format of Better Auth, which `scryptSync` of Node.js computed.
async fn a_hash_of_better_auth_is_replaced_at_the_next_login(app: App) {
    let ada = app.user("ada").await;
    let scrypt_hash = "ac7938d40cfc2307e2bf325d28e7884e:af849c32e3f760bf08b6a139a0ee1f52f73bf08037f5cfbff8444f755a15b0a1\
                  1487259fa358104f6f3c1638bdbd0a21d0aea92f11adec8752c6d7c61a3fde98";
    assert_replaced_at_login(&app, &ada, "correct horse battery staple", scrypt_hash).await;
}

/// This password has 128 UTF-16 code units, the most that Better Auth accepts. NFKC replaces each of its 128 characters
/// with 18 characters, so the password is too long to be chosen as a new password on this server.
async fn the_longest_password_of_better_auth_logs_in_and_may_be_changed(app: App) {
    let ada = app.user("ada").await;
    let password = "\u{fdfa}".repeat(128);
    let scrypt_hash = "0f5264038205edfb1ac05fbb0e8c5e94:190c78219f6ae3ebbbc705bc2bd4a0e7f58463e65d2b520f1a4d81eac1e7c437\
                  76541d6ea8e1142b82b45068a8dbbda8e49e0b1f9c98d2e9bcac07e1cbbbecd2";
    assert_replaced_at_login(&app, &ada, &password, scrypt_hash).await;
    let change_body = json!({ "current_password": password, "new_password": "a newer password" });
    ada.post("/api/auth/change-password", change_body)
        .await
        .ok();
    let login_body = credentials(ada.email(), "a newer password");
    app.anonymous().post(LOGIN, login_body).await.ok();
}

async fn a_current_hash_is_kept(app: App) {
    let ada = app.user("ada").await;
    let hash = stored_hash(&app);
    assert!(hash.starts_with("$2b$04$"), "{hash}");
    let body = credentials(ada.email(), ada.password());
    app.anonymous().post(LOGIN, body).await.ok();
    assert_eq!(stored_hash(&app), hash);
}

async fn a_corrupt_hash_is_a_500_that_reveals_nothing(app: App) {
    let ada = app.user("ada").await;
    let valid_hash = stored_hash(&app);
    let (version_and_cost, salt_and_digest) = valid_hash.split_at(7);
    for (number, corrupt_hash) in [
        String::new(),
        "canary".to_owned(),
        "$2b$04$".to_owned(),
        valid_hash.replace("$2b$", "$2x$"),
        // The server must reject these two costs without a computation: with cost 20 a hash takes about a minute, with
        // cost 31 more than a day.
        valid_hash.replace("$2b$04$", "$2b$20$"),
        valid_hash.replace("$2b$04$", "$2b$31$"),
        valid_hash.replace("$2b$04$", "$2b$+4$"),
        format!("{version_and_cost}{}", "é".repeat(53)),
        format!("{version_and_cost}{}", "é".repeat(26) + "."),
        format!("{version_and_cost}!{}", salt_and_digest.split_at(1).1),
        format!("{valid_hash}."),
    ]
    .into_iter()
    .enumerate()
    {
        store_hash(&app, &corrupt_hash);
        let request_id = format!("{}-{number}", ada.id());
        let request = app
            .anonymous()
            .post(LOGIN, credentials(ada.email(), ada.password()));
        let response = request.header("x-request-id", &request_id).await;
        assert_eq!(response.header("x-request-id"), Some(request_id.as_str()));
        let response_text = response.text();
        response.problem(500, "INTERNAL_SERVER_ERROR");
        for internal_word in ["canary", "bcrypt", "hash", "$2"] {
            assert!(!response_text.contains(internal_word), "{response_text}");
        }
        let mut error_lines = log_lines::find(&request_id);
        error_lines.retain(|line| line.starts_with("ERROR"));
        let [line] = error_lines.as_slice() else {
            panic!("{error_lines:?}");
        };
        assert!(line.contains("bcrypt of cost 4 to 15"), "{line}");
        assert!(
            corrupt_hash.is_empty() || !line.contains(&corrupt_hash),
            "{line}"
        );
    }
    store_hash(&app, &valid_hash);
    let body = credentials(ada.email(), ada.password());
    app.anonymous().post(LOGIN, body).await.ok();
}
