//! Tests that passwords are compared in full, after NFKC normalization and without other changes.

use e2e::{App, on_both_engines};

use crate::auth::login::{LOGIN, credentials};

on_both_engines! {
    every_character_of_a_password_is_significant,
    unicode_forms_of_one_text_are_the_same_password,
    a_password_may_contain_any_characters,
    a_body_with_a_password_of_a_megabyte_is_too_large,
}

/// Registers a user with `password`, and asserts that the user can log in with `password`, but with none of
/// `other_passwords`.
async fn assert_only_password(
    app: &App,
    user_number: usize,
    password: &str,
    other_passwords: &[&str],
) {
    let email = format!("{user_number}@example.com");
    let caller = app.anonymous();
    let body = credentials(&email, password);
    caller
        .post("/api/auth/register", body.clone())
        .await
        .created();
    caller.post(LOGIN, body).await.ok();
    for other_password in other_passwords {
        let response = caller
            .post(LOGIN, credentials(&email, other_password))
            .await;
        assert_eq!(response.status(), 401, "{password:?} is {other_password:?}");
        response.problem(401, "INVALID_EMAIL_OR_PASSWORD");
    }
}

async fn every_character_of_a_password_is_significant(app: App) {
    let a_times_72 = "a".repeat(72);
    let e_times_39 = "é".repeat(39);
    let (faces_times_63, p_times_127) = ("😀".repeat(63), "p".repeat(127));
    let cases: [(&str, &[&str]); 12] = [
        // bcrypt by itself ignores all bytes after the first 72.
        (
            &format!("{a_times_72}X"),
            &[
                &format!("{a_times_72}Y"),
                &a_times_72,
                &format!("{a_times_72}XX"),
            ],
        ),
        (&a_times_72, &[&format!("{a_times_72}a"), &"a".repeat(71)]),
        (
            &format!("{e_times_39}é"),
            &[&format!("{e_times_39}è"), &e_times_39],
        ),
        (&"ж".repeat(71), &[&format!("{}з", "ж".repeat(70))]),
        (
            &format!("{faces_times_63}😀"),
            &[&format!("{faces_times_63}😁"), &faces_times_63],
        ),
        (
            &format!("{p_times_127}p"),
            &[&format!("{p_times_127}q"), &p_times_127],
        ),
        // bcrypt by itself stops at NUL.
        (
            "passwort!",
            &["passwort!\0passwort!", "passwort!\0", "\0passwort!"],
        ),
        ("ab\0cdefg", &["ab\0cdefh", "ab", "ab\0", "abcdefg"]),
        (
            "\0\0\0\0\0\0\0\0",
            &["\0\0\0\0\0\0\0", "\0\0\0\0\0\0\0\0\0"],
        ),
        // White space, letter case and invisible characters are significant.
        (
            "password 1 ",
            &["password 1", " password 1 ", "password 1  "],
        ),
        ("Passwort!", &["passwort!", "PASSWORT!", "Passwort!\n"]),
        ("pass\u{200b}word", &["password", "pass\u{200c}word"]),
    ];
    for (number, (password, other_passwords)) in cases.into_iter().enumerate() {
        assert_only_password(&app, number, password, other_passwords).await;
    }
}

async fn unicode_forms_of_one_text_are_the_same_password(app: App) {
    let caller = app.anonymous();
    for (number, (registered_password, sent_password)) in [
        // In these two rows, the first spelling is in NFC, the second in NFD.
        ("caf\u{e9} noir", "cafe\u{301} noir"),
        ("pa\u{df}wort \u{c5}", "pa\u{df}wort A\u{30a}"),
        // Japanese keyboards produce full-width forms.
        ("ｐａｓｓ　ｗｏｒｔ", "pass wort"),
        // This row has a ligature, the next one a no-break space.
        ("\u{fb01}sh and chips", "fish and chips"),
        ("no\u{a0}break space", "no break space"),
        // The two spellings have the combining marks in different orders.
        ("passwo\u{323}\u{307}rd", "passwo\u{307}\u{323}rd"),
    ]
    .into_iter()
    .enumerate()
    {
        let email = format!("{number}@example.com");
        let body = credentials(&email, registered_password);
        caller.post("/api/auth/register", body).await.created();
        caller
            .post(LOGIN, credentials(&email, sent_password))
            .await
            .ok();
    }
}

async fn a_password_may_contain_any_characters(app: App) {
    for (number, password) in [
        "aaaaaaaaaaaaaaa",
        "        ",
        "correct horse battery staple",
        "пароль на русском",
        "סיסמה ארוכה",
        "密码密码密码密码",
        "👩‍👩‍👧‍👦👩‍👩‍👧‍👦",
        "\"'\\<>&;--`$(){}",
        "\u{1}\u{2}\u{3}\t\n\r\u{7f}\u{80}",
        "%00%00%00",
    ]
    .into_iter()
    .enumerate()
    {
        assert_only_password(&app, number, password, &["not the password"]).await;
    }
}

async fn a_body_with_a_password_of_a_megabyte_is_too_large(app: App) {
    let body = credentials("ada@example.com", &"p".repeat(1024 * 1024));
    for path in ["/api/auth/register", LOGIN] {
        let response = app.anonymous().post(path, body.clone()).await;
        response.problem(413, "BODY_TOO_LARGE");
    }
}
