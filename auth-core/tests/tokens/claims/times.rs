//! `exp`, `nbf`, `iat`, leeway and lifetime at their limits (RFC 7519 § 2, § 4.1.4 to § 4.1.6).

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use auth_core::{Claims, Error, TokenVerifier};

use crate::fixtures::{NOW, Payload, keyring, now, verifier, verify_payload};

const DAY: u64 = 86_400;

fn with_leeway(seconds: u64) -> TokenVerifier {
    verifier(keyring())
        .with_leeway(Duration::from_secs(seconds))
        .unwrap()
}

/// Returns a verifier without a limit of the lifetime, to test the range of numbers alone.
fn without_ceiling() -> TokenVerifier {
    verifier(keyring())
        .with_max_lifetime(Duration::MAX)
        .unwrap()
}

fn check(verifier: &TokenVerifier, payload: &Payload) -> Result<(), Error> {
    verify_payload(verifier, payload.json(), now()).map(|_claims| ())
}

/// Returns `NOW + seconds` as JSON.
fn from_now(seconds: f64) -> String {
    format!("{:.3}", f64::from(u32::try_from(NOW).unwrap()) + seconds)
}

#[test]
fn a_token_expires_when_exp_plus_leeway_is_reached() {
    for leeway in [0, 5, 300] {
        let verifier = with_leeway(leeway);
        for (late, expected) in [
            (leeway + 1, Err(Error::Expired)),
            (leeway, Err(Error::Expired)),
            (leeway.wrapping_sub(1), Ok(())),
        ] {
            let exp = NOW.wrapping_sub(late);
            let payload = Payload::valid().with("iat", NOW - 900).with("exp", exp);
            assert_eq!(
                check(&verifier, &payload),
                expected,
                "{leeway} s, {late} s late"
            );
        }
    }
}

#[test]
fn the_leeway_is_5_seconds_by_default() {
    let verifier = verifier(keyring());
    for (exp, expected) in [
        (-5.0, Err(Error::Expired)),
        (-4.999, Ok(())),
        (-5.001, Err(Error::Expired)),
    ] {
        let payload = Payload::valid().with("exp", from_now(exp));
        assert_eq!(check(&verifier, &payload), expected, "exp {exp}");
    }
    for claim in ["iat", "nbf"] {
        for (ahead, expected) in [
            (4.999, Ok(())),
            (5.0, Ok(())),
            (5.001, Err(Error::NotYetValid)),
        ] {
            let payload = Payload::valid().with(claim, from_now(ahead));
            assert_eq!(check(&verifier, &payload), expected, "{claim} {ahead}");
        }
    }
}

#[test]
fn iat_and_nbf_may_be_ahead_by_the_leeway_at_most() {
    for leeway in [0, 5, 300] {
        let verifier = with_leeway(leeway);
        for claim in ["iat", "nbf"] {
            for (ahead, expected) in [
                (leeway, Ok(())),
                (leeway + 1, Err(Error::NotYetValid)),
                (leeway + 100 * DAY, Err(Error::NotYetValid)),
            ] {
                let payload = Payload::valid()
                    .with("exp", NOW + ahead + 900)
                    .with("iat", NOW)
                    .with(claim, NOW + ahead);
                assert_eq!(
                    check(&verifier, &payload),
                    expected,
                    "{claim} {leeway} {ahead}"
                );
            }
        }
    }
}

#[test]
fn nbf_is_optional_and_may_be_in_the_past() {
    for nbf in ["0", "-1", "1799999999.5"] {
        let payload = Payload::valid().with("nbf", nbf);
        assert_eq!(check(&verifier(keyring()), &payload), Ok(()), "{nbf}");
    }
}

#[test]
fn the_leeway_cannot_be_set_above_300_seconds() {
    let limit = Duration::from_secs(300);
    for (leeway, accepted) in [
        (Duration::ZERO, true),
        (Duration::new(299, 999_999_999), true),
        (limit, true),
        (limit + Duration::from_nanos(1), false),
        (Duration::MAX, false),
    ] {
        let result = verifier(keyring()).with_leeway(leeway).map(|_built| ());
        if accepted {
            assert_eq!(result, Ok(()), "{leeway:?}");
        } else {
            assert!(
                matches!(result, Err(Error::InvalidSetting(_))),
                "{leeway:?}"
            );
        }
    }
}

#[test]
fn a_lifetime_is_at_most_400_days_by_default() {
    let verifier = verifier(keyring());
    let ceiling = 400 * DAY;
    for (lifetime, expected) in [
        (ceiling - 1, Ok(())),
        (ceiling, Ok(())),
        (ceiling + 1, Err(Error::InvalidClaim("exp"))),
    ] {
        let payload = Payload::valid()
            .with("iat", NOW)
            .with("exp", NOW + lifetime);
        assert_eq!(check(&verifier, &payload), expected, "{lifetime}");
    }
    let half_a_second = Payload::valid().with("exp", format!("{}.5", NOW + ceiling));
    assert_eq!(
        check(&verifier, &half_a_second),
        Err(Error::InvalidClaim("exp"))
    );
}

#[test]
fn the_lifetime_ceiling_can_be_set_but_not_to_zero() {
    let hour = verifier(keyring())
        .with_max_lifetime(Duration::from_secs(3600))
        .unwrap();
    for (lifetime, expected) in [
        (3599, Ok(())),
        (3600, Ok(())),
        (3601, Err(Error::InvalidClaim("exp"))),
    ] {
        let payload = Payload::valid().with("exp", NOW + lifetime);
        assert_eq!(check(&hour, &payload), expected, "{lifetime}");
    }
    let zero = verifier(keyring()).with_max_lifetime(Duration::ZERO);
    assert!(matches!(zero, Err(Error::InvalidSetting(_))));
}

/// Beyond ±(2^53 − 1) two JSON parsers may disagree about an integer (RFC 8259 § 6).
#[test]
fn numbers_beyond_exact_integers_are_rejected() {
    for (value, is_accepted) in [
        ("9007199254740990", true),
        ("9007199254740991", true),
        ("9007199254740992", false),
        ("9007199254740993", false),
        ("9007199254740991.9", false),
        ("9.007199254740991e15", true),
        ("9007199254740992e0", false),
        ("18446744073709551615", false),
        ("18446744073709551616", false),
        ("1e300", false),
    ] {
        let expected = if is_accepted {
            Ok(())
        } else {
            Err(Error::InvalidClaim("exp"))
        };
        let payload = Payload::valid().with("exp", value);
        assert_eq!(check(&without_ceiling(), &payload), expected, "exp {value}");
    }
    for (value, is_accepted) in [
        ("-9007199254740991", true),
        ("-9007199254740992", false),
        ("-9223372036854775808", false),
        ("-9223372036854775809", false),
        ("-1e300", false),
        ("-0", true),
        ("0.0", true),
        ("1e-300", true),
        ("1.8e9", true),
    ] {
        for claim in ["iat", "nbf"] {
            let expected = if is_accepted {
                Ok(())
            } else {
                Err(Error::InvalidClaim(claim))
            };
            let payload = Payload::valid().with(claim, value);
            assert_eq!(
                check(&without_ceiling(), &payload),
                expected,
                "{claim} {value}"
            );
        }
    }
}

#[test]
fn fractions_count_for_the_check_and_are_dropped_from_the_claims() {
    let payload = Payload::valid()
        .with("iat", "1799999999.999")
        .with("exp", "1800000000.75");
    let Claims { iat, exp, .. } = verify_payload(&with_leeway(0), payload.json(), now()).unwrap();
    assert_eq!((iat, exp), (1_799_999_999, 1_800_000_000));
    let later = now() + Duration::from_millis(750);
    let result = verify_payload(&with_leeway(0), payload.json(), later);
    assert_eq!(result, Err(Error::Expired));
}

#[test]
fn expired_means_that_the_token_is_otherwise_valid() {
    let expired = Payload::valid()
        .with("iat", NOW - 900)
        .with("exp", NOW - 100);
    let check = |payload: Payload| check(&verifier(keyring()), &payload);
    assert_eq!(check(expired.clone()), Err(Error::Expired));
    let wrong_issuer = expired.clone().with("iss", r#""other""#);
    assert_eq!(check(wrong_issuer), Err(Error::InvalidClaim("iss")));
    let no_session = expired.clone().without("sid");
    assert_eq!(check(no_session), Err(Error::MissingClaim("sid")));
    let not_yet = expired.with("nbf", NOW + 100);
    assert_eq!(check(not_yet), Err(Error::NotYetValid));
}

#[test]
fn extreme_clocks_do_not_panic() {
    let day = Duration::from_secs(DAY);
    let far = UNIX_EPOCH.checked_add(Duration::from_secs(1 << 60));
    let clocks = [Some(UNIX_EPOCH), UNIX_EPOCH.checked_sub(day), far];
    for clock in clocks.into_iter().flatten() {
        let result = verify_payload(&verifier(keyring()), Payload::valid().json(), clock);
        let expected = if clock < now() {
            Error::NotYetValid
        } else {
            Error::Expired
        };
        assert_eq!(result, Err(expected), "{clock:?}");
    }
}

#[test]
fn expires_at_is_exp_within_the_range_of_the_clock() {
    let expires_at = |exp: &str| -> SystemTime {
        let payload = Payload::valid().with("exp", exp).json();
        let clock = UNIX_EPOCH;
        let payload = payload.replace(&format!("\"iat\":{NOW}"), "\"iat\":0");
        verify_payload(&without_ceiling(), payload, clock)
            .unwrap()
            .expires_at()
    };
    assert_eq!(expires_at("900"), UNIX_EPOCH + Duration::from_secs(900));
    assert_eq!(expires_at("-1"), UNIX_EPOCH);
    let last = Duration::from_secs(9_007_199_254_740_991);
    let expected = UNIX_EPOCH.checked_add(last).unwrap_or(UNIX_EPOCH);
    assert_eq!(expires_at("9007199254740991"), expected);
}
