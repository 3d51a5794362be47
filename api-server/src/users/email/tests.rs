use proptest::prelude::*;

use crate::users::email::{Email, LoginEmail};

fn parsed(text: &str) -> Option<String> {
    Email::parse(text).ok().map(Email::into_string)
}

#[test]
fn every_spelling_of_an_address_is_one_address() {
    for text in [
        "ada@example.com",
        "Ada@Example.COM",
        "ada@ｅxample.com",
        "ada@exam\u{ad}ple.com",
        "ada@example。com",
        "ada@exa\u{200b}mple.com",
        "ada@ℯxample.com",
    ] {
        assert_eq!(parsed(text).as_deref(), Some("ada@example.com"), "{text}");
    }
    for text in [
        "ada@EXÄMPLE.de",
        "ada@xn--exmple-cua.de",
        "ada@exa\u{308}mple.de",
    ] {
        assert_eq!(
            parsed(text).as_deref(),
            Some("ada@xn--exmple-cua.de"),
            "{text}"
        );
    }
    // Not the transitional mapping, which would make it `fass.de`.
    assert_eq!(parsed("ada@faß.de").as_deref(), Some("ada@xn--fa-hia.de"));
}

#[test]
fn what_mail_servers_take_is_an_address() {
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
        assert_eq!(parsed(text).as_deref(), Some(text));
    }
}

#[test]
fn what_is_no_address_is_refused() {
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
        assert_eq!(parsed(text), None, "{text:?}");
    }
}

#[test]
fn the_bounds_of_rfc_5321_hold() {
    let of = |local: usize, last: usize| {
        let labels = [63, 63, last].map(|length| "d".repeat(length));
        format!("{}@{}.ee", "l".repeat(local), labels.join("."))
    };
    for (local, last, ok) in [
        (64, 58, true),
        (65, 57, false),
        (64, 59, false),
        (63, 59, true),
    ] {
        let text = of(local, last);
        assert_eq!(Email::parse(&text).is_ok(), ok, "{} bytes", text.len());
    }
    for (label, ok) in [(63, true), (64, false)] {
        let text = format!("a@{}.ee", "d".repeat(label));
        assert_eq!(Email::parse(&text).is_ok(), ok, "{label}");
    }
    // Short as typed, too long as stored.
    let grows = format!("a@{}.ee", ["ä".repeat(40), "ö".repeat(40)].join("."));
    assert!(Email::parse(&grows).is_ok_and(|email| email.as_str().is_ascii()));
    let grows = format!(
        "{}@{}.ee",
        "l".repeat(60),
        ["\u{1f600}a".repeat(9), "ö".repeat(50)].join(".")
    );
    assert!(parsed(&grows).is_none_or(|email| email.len() <= 254));
}

#[test]
fn an_older_spelling_is_looked_up_after_todays() {
    let spellings = |text: &str| {
        let login = LoginEmail::parse(text).unwrap();
        login.spellings().map(ToOwned::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(spellings("Ada@Example.com"), ["ada@example.com"]);
    let both = ["ada@xn--exmple-cua.de", "ada@exämple.de"];
    assert_eq!(spellings("ada@EXÄMPLE.de"), both);
    assert_eq!(spellings("ada@xn--exmple-cua.de"), both);
    assert_eq!(
        spellings("ada@ｅxample.com"),
        ["ada@example.com", "ada@ｅxample.com"]
    );
    assert_eq!(spellings("A..b@example.com"), ["a..b@example.com"]);
    assert_eq!(spellings("a@[127.0.0.1]"), ["a@[127.0.0.1]"]);
}

#[test]
fn what_could_leave_its_place_is_not_even_looked_up() {
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

fn any_address() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        "[ -~]{0,70}",
        "[a-zA-Z0-9.!#$%&'*+/=?^_`{|}~-]{1,66}",
        "[a-z0-9äß。．\u{ad}\u{200b}\u{200d}ｅ.-]{1,30}",
        "\\PC{0,20}",
        any::<String>(),
    ];
    let domain = prop_oneof![part.clone(), "(xn--)?[a-z0-9-]{1,20}\\.[a-z]{2,6}"];
    (part, domain).prop_map(|(local, domain)| format!("{local}@{domain}"))
}

proptest! {
    #[test]
    fn what_is_accepted_is_harmless_wherever_it_is_written(text in any_address()) {
        if let Ok(email) = Email::parse(&text) {
            let stored = email.as_str();
            prop_assert!(stored.bytes().all(|byte| byte.is_ascii_graphic()), "{stored:?}");
            prop_assert!(!stored.contains(['<', '>', '"', '(', ')', ',', ':', ';', '\\', '[', ']']));
            prop_assert!(!stored.bytes().any(|byte| byte.is_ascii_uppercase()));
            prop_assert!(stored.len() <= 254);
            let (local, domain) = stored.split_once('@').unwrap();
            prop_assert!((1..=64).contains(&local.len()));
            prop_assert!(!domain.contains('@'));
            prop_assert!(domain.split('.').all(|label| (1..=63).contains(&label.len())));
            // Once stored, an address is found again, and stays what it is.
            prop_assert_eq!(Email::parse(stored), Ok(email.clone()));
            let login = LoginEmail::parse(&text).unwrap();
            prop_assert_eq!(login.email(), &email);
        }
    }
}
