//! Tests credentials for the revocation feed.

use std::time::{Duration, SystemTime};

use super::FeedCredential;
use crate::revocation::FeedTokens;
use crate::revocation::feed_token::FEED_TOKEN_TYPE;
use crate::{Error, Keyring, Secret, Subject, TokenIssuer, TokenVerifier};

const SUBJECT: Subject<'_> = Subject {
    id: "42",
    email: "ada@example.com",
    email_verified: None,
    session_id: "7",
};

fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000)
}

fn keyring() -> Keyring {
    Keyring::new(Secret::generate().unwrap())
}

fn credential(secret: &Secret) -> FeedCredential {
    secret.for_feed("reports").unwrap()
}

#[test]
fn a_credential_opens_the_feed_of_its_secret_current_or_previous() {
    let secret = Secret::generate().unwrap();
    let service = FeedTokens::new(credential(&secret), "api-server").unwrap();
    let token = service.issue(now()).unwrap();
    for (server_keyring, expected) in [
        (Keyring::new(secret.clone()), Ok(())),
        (keyring().with_previous([secret.clone()]), Ok(())),
        (keyring(), Err(Error::SignatureMismatch)),
    ] {
        let server = FeedTokens::new(server_keyring, "api-server").unwrap();
        assert_eq!(server.verify(&token, now()), expected);
    }
    let server = FeedTokens::new(Keyring::new(secret), "api-server").unwrap();
    let later = now() + Duration::from_secs(65);
    assert_eq!(server.verify(&token, later), Err(Error::Expired));
}

#[test]
fn the_name_in_the_token_must_be_that_of_the_credential() {
    let secret = Secret::generate().unwrap();
    let server = FeedTokens::new(Keyring::new(secret.clone()), "api-server").unwrap();
    let key = Keyring::new(secret).for_feed_reader("reports").unwrap();
    for (sub, expected) in [
        (r#","sub":"reports""#, Ok(())),
        (r#","sub":"billing""#, Err(Error::SignatureMismatch)),
        (r#","sub":"""#, Err(Error::SignatureMismatch)),
        (r#","sub":"a b""#, Err(Error::SignatureMismatch)),
        (r#","sub":7"#, Err(Error::SignatureMismatch)),
        ("", Err(Error::SignatureMismatch)),
    ] {
        let payload = format!(r#"{{"aud":"api-server","iat":1800000000,"exp":1800000060{sub}}}"#);
        let signing_key = key.signing_key();
        let token = signing_key.sign_with_type(FEED_TOKEN_TYPE, payload.as_bytes());
        assert_eq!(server.verify(&token, now()), expected, "{sub}");
    }
}

#[test]
fn a_credential_signs_no_access_token() {
    let secret = Secret::generate().unwrap();
    let text = credential(&secret).expose();
    let (_, key) = text.rsplit_once('.').unwrap();
    let issuer = TokenIssuer::new(
        Keyring::new(Secret::new(key).unwrap()),
        "api-server",
        "api",
        Duration::from_secs(60),
    );
    let access_token = issuer.unwrap().issue(&SUBJECT, now()).unwrap().token;
    let verifier = TokenVerifier::new(Keyring::new(secret.clone()), "api-server", "api");
    let result = verifier.unwrap().verify(&access_token, now());
    assert_eq!(result, Err(Error::SignatureMismatch));
    let service_keyring = Keyring::new(secret).for_audience("reports").unwrap();
    let service = TokenVerifier::new(service_keyring, "api-server", "api").unwrap();
    let result = service.verify(&access_token, now());
    assert_eq!(result, Err(Error::SignatureMismatch));
}

#[test]
fn only_a_text_that_a_server_printed_is_a_credential() {
    let text = credential(&Secret::generate().unwrap()).expose();
    let parsed = FeedCredential::parse(&format!(" {}\n", *text)).unwrap();
    assert_eq!((parsed.name(), parsed.expose()), ("reports", text.clone()));
    assert_eq!(
        format!("{parsed:?}"),
        r#"FeedCredential { name: "reports", .. }"#
    );
    let without_last = text.get(..text.len() - 1).unwrap();
    for invalid in [
        "",
        "feed.",
        "feed.reports",
        "feed.reports.",
        without_last,
        &format!("{}A", *text),
        &text.replace("feed.", ""),
        &text.replace("reports", ""),
        &text.replace("reports", "re ports"),
        &text.replace("reports", &"r".repeat(65)),
    ] {
        assert!(FeedCredential::parse(invalid).is_err(), "{invalid}");
    }
    let longest_name = text.replace("reports", &"r".repeat(64));
    FeedCredential::parse(&longest_name).unwrap();
}

#[test]
fn the_name_of_a_credential_has_1_to_64_plain_characters() {
    let secret = Secret::generate().unwrap();
    let longest = "r".repeat(64);
    for name in ["r", "Reports-2_eu.west", &longest] {
        assert_eq!(secret.for_feed(name).unwrap().name(), name);
    }
    let too_long = "r".repeat(65);
    for name in ["", " reports", "re ports", "ré", "a/b", "a\0", &too_long] {
        let result = secret.for_feed(name).map(drop);
        assert!(matches!(result, Err(Error::InvalidSetting(_))), "{name}");
    }
}
