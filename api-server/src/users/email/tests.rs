//! Tests which email addresses are valid, in which spelling each is stored, and which spellings a login looks up.

use proptest::prelude::*;

use crate::users::email::{Email, LoginEmail};

fn stored_spelling(text: &str) -> Option<String> {
    Email::parse(text).ok().map(Email::into_string)
}

#[test]
fn every_spelling_of_an_email_address_is_stored_in_the_same_spelling() {
    for text in [
        "ada@example.com",
        "Ada@Example.COM",
        "ada@ｅxample.com",
        "ada@exam\u{ad}ple.com",
        "ada@example。com",
        "ada@exa\u{200b}mple.com",
        "ada@ℯxample.com",
    ] {
        assert_eq!(
            stored_spelling(text).as_deref(),
            Some("ada@example.com"),
            "{text}"
        );
    }
    for text in [
        "ada@EXÄMPLE.de",
        "ada@xn--exmple-cua.de",
        "ada@exa\u{308}mple.de",
    ] {
        assert_eq!(
            stored_spelling(text).as_deref(),
            Some("ada@xn--exmple-cua.de"),
            "{text}"
        );
    }
    // The transitional mapping of UTS 46 would convert this domain to `fass.de`.
    assert_eq!(
        stored_spelling("ada@faß.de").as_deref(),
        Some("ada@xn--fa-hia.de")
    );
}

#[test]
fn email_addresses_that_mail_servers_accept_are_valid() {
    for text in [
        "a@b",
        "ada@localhost",
        "ada+tag@example.com",
        "o'brien@example.ie",
        "!#$%&'*+-/=?^_`{|}~@example.com",
        "a.b.c@x-y.example",
        "1@2.example",
        "a@3com",
        "ada@a--b.example",
        "ada@r3---sn.example",
    ] {
        assert_eq!(stored_spelling(text).as_deref(), Some(text));
    }
}

#[test]
fn invalid_email_addresses_are_rejected() {
    for text in [
        "",
        "a",
        "@",
        "a@",
        "@b",
        "a@@b",
        "a@b@c.example",
        " a@b.example",
        "a@b.example ",
        "a b@c.example",
        "a@b c.example",
        "a@b.example\n",
        "a@\u{0}b.example",
        "a@b\u{85}.example",
        "a@b\u{2028}.example",
        "a@b\u{3000}.example",
        "a\u{200b}@b.example",
        "x@evil.com\r\nBcc: v[127.0.0.1]",
        "x@<img onerror=x>[127.0.0.1]",
        "a@\u{0}[1.1.1.1]",
        "a@[127.0.0.1]",
        "a@[IPv6:::1]",
        "a@127.0.0.1",
        "a@１２７.0.0.1",
        "a@0x7f.0x1",
        "\"a\"@b.example",
        "\"a b\"@c.example",
        "ä@b.example",
        "\u{212a}@b.example",
        ".a@b.example",
        "a.@b.example",
        "a..b@c.example",
        "a@.b",
        "a@b.",
        "a@b..c",
        "a@-b.example",
        "a@b-.example",
        "a@b_c.example",
        "a@xn--\u{0}.example",
        "a@xn--a.example",
        "a@xn--.example",
        "<a@b.example>",
        "a@b.example,c@d.example",
        "a@b.example?bcc=c",
        "a(b)@c.example",
        "a\\b@c.example",
        "mailto:a@b.example",
    ] {
        assert_eq!(stored_spelling(text), None, "{text:?}");
    }
}

#[test]
fn the_length_limits_of_rfc_5321_apply() {
    let email_of_lengths = |local_length: usize, last_label_length: usize| {
        let labels = [63, 63, last_label_length].map(|length| "d".repeat(length));
        format!("{}@{}.ee", "l".repeat(local_length), labels.join("."))
    };
    for (local_length, last_label_length, is_valid) in [
        (64, 58, true),
        (65, 57, false),
        (64, 59, false),
        (63, 59, true),
    ] {
        let text = email_of_lengths(local_length, last_label_length);
        assert_eq!(
            Email::parse(&text).is_ok(),
            is_valid,
            "{} bytes",
            text.len()
        );
    }
    for (label_length, is_valid) in [(63, true), (64, false)] {
        let text = format!("a@{}.ee", "d".repeat(label_length));
        assert_eq!(Email::parse(&text).is_ok(), is_valid, "{label_length}");
    }
    // The limit also applies to the stored spelling, in which each label `ä` (2 bytes) becomes `xn--4ca` (7 bytes).
    let domain_of_short_labels = format!("{}ee", "ä.".repeat(25));
    for (local_length, stored_length) in [(51, Some(254)), (52, None)] {
        let text = format!("{}@{domain_of_short_labels}", "l".repeat(local_length));
        assert_eq!(
            stored_spelling(&text).map(|email| email.len()),
            stored_length
        );
    }
}

#[test]
fn an_older_spelling_is_looked_up_after_the_current_spelling() {
    let spellings = |text: &str| {
        let login_email = LoginEmail::parse(text).unwrap();
        login_email
            .spellings()
            .map(ToOwned::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(spellings("Ada@Example.com"), ["ada@example.com"]);
    let both_spellings = ["ada@xn--exmple-cua.de", "ada@exämple.de"];
    assert_eq!(spellings("ada@EXÄMPLE.de"), both_spellings);
    assert_eq!(spellings("ada@xn--exmple-cua.de"), both_spellings);
    assert_eq!(
        spellings("ada@ｅxample.com"),
        ["ada@example.com", "ada@ｅxample.com"]
    );
    assert_eq!(spellings("A..b@example.com"), ["a..b@example.com"]);
    assert_eq!(spellings("a@[127.0.0.1]"), ["a@[127.0.0.1]"]);
}

#[test]
fn an_incomplete_or_unsafe_email_address_is_not_looked_up() {
    for text in [
        "",
        "a",
        "@",
        "a@",
        "@b",
        "x@evil.com\r\nBcc: v[127.0.0.1]",
        "x@<img/onerror=x>[127.0.0.1]",
        "a@\u{0}[1.1.1.1]",
        "a@\u{2028}[1.1.1.1]",
    ] {
        assert!(LoginEmail::parse(text).is_err(), "{text:?}");
    }
}

fn any_email() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        "[ -~]{0,70}",
        "[a-zA-Z0-9.!#$%&'*+/=?^_`{|}~-]{1,66}",
        "[a-z0-9äß。．\u{ad}\u{200b}\u{200d}ｅ.-]{1,30}",
        "\\PC{0,20}",
        any::<String>(),
    ];
    let domain = prop_oneof![part.clone(), "(xn--)?[a-z0-9-]{1,20}\\.[a-z]{2,6}"];
    (part, domain).prop_map(|(local_part, domain)| format!("{local_part}@{domain}"))
}

proptest! {
    #[test]
    fn an_accepted_email_address_is_short_lower_case_ascii_without_delimiters(text in any_email()) {
        if let Ok(email) = Email::parse(&text) {
            let spelling = email.as_str();
            prop_assert!(spelling.bytes().all(|byte| byte.is_ascii_graphic()), "{spelling:?}");
            prop_assert!(!spelling.contains(['<', '>', '"', '(', ')', ',', ':', ';', '\\', '[', ']']));
            prop_assert!(!spelling.bytes().any(|byte| byte.is_ascii_uppercase()));
            prop_assert!(spelling.len() <= 254);
            let (local_part, domain) = spelling.split_once('@').unwrap();
            prop_assert!((1..=64).contains(&local_part.len()));
            prop_assert!(!domain.contains('@'));
            prop_assert!(domain.split('.').all(|label| (1..=63).contains(&label.len())));
            // Parsing does not change the stored spelling, and a login with the typed text looks up this spelling.
            prop_assert_eq!(Email::parse(spelling), Ok(email.clone()));
            let login_email = LoginEmail::parse(&text).unwrap();
            prop_assert_eq!(login_email.email(), &email);
        }
    }
}
