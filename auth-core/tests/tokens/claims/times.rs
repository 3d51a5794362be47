//! Tests the limits of `exp`, `nbf`, `iat`, leeway and lifetime (RFC 7519 § 2, § 4.1.4 to § 4.1.6).

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use auth_core::{Claims, Error, TokenVerifier};

use crate::fixtures::{NOW, Payload, keyring, now, verifier, verify_payload};

const DAY: u64 = 86_400;

fn verifier_with_leeway(seconds: u64) -> TokenVerifier {
    verifier(keyring())
        .with_leeway(Duration::from_secs(seconds))
        .unwrap()
}

/// Returns a verifier that accepts tokens of any lifetime, so that tests can use very early and very late times.
fn verifier_without_max_lifetime() -> TokenVerifier {
    verifier(keyring())
        .with_max_lifetime(Duration::MAX)
        .unwrap()
}

/// Verifies a token with this payload at the time `NOW`.
fn verify_at_now(verifier: &TokenVerifier, payload: &Payload) -> Result<(), Error> {
    verify_payload(verifier, payload.json(), now()).map(|_claims| ())
}

/// Returns the time `NOW + seconds` as JSON.
fn json_time(seconds: f64) -> String {
    format!("{:.3}", f64::from(u32::try_from(NOW).unwrap()) + seconds)
}

#[test]
fn a_token_expires_when_exp_plus_leeway_is_reached() {
    for leeway in [0, 5, 300] {
        let verifier = verifier_with_leeway(leeway);
        for (seconds_late, expected) in [
            (leeway + 1, Err(Error::Expired)),
            (leeway, Err(Error::Expired)),
            (leeway.wrapping_sub(1), Ok(())),
        ] {
            let exp = NOW.wrapping_sub(seconds_late);
            let payload = Payload::valid().with("iat", NOW - 900).with("exp", exp);
            assert_eq!(
                verify_at_now(&verifier, &payload),
                expected,
                "{leeway} s, {seconds_late} s late"
            );
        }
    }
}

#[test]
fn the_leeway_is_5_seconds_by_default() {
    let verifier = verifier(keyring());
    for (seconds_after_now, expected) in [
        (-5.0, Err(Error::Expired)),
        (-4.999, Ok(())),
        (-5.001, Err(Error::Expired)),
    ] {
        let payload = Payload::valid().with("exp", json_time(seconds_after_now));
        assert_eq!(
            verify_at_now(&verifier, &payload),
            expected,
            "exp {seconds_after_now}"
        );
    }
    for claim in ["iat", "nbf"] {
        for (seconds_ahead, expected) in [
            (4.999, Ok(())),
            (5.0, Ok(())),
            (5.001, Err(Error::NotYetValid)),
        ] {
            let payload = Payload::valid().with(claim, json_time(seconds_ahead));
            assert_eq!(
                verify_at_now(&verifier, &payload),
                expected,
                "{claim} {seconds_ahead}"
            );
        }
    }
}

#[test]
fn iat_and_nbf_may_be_ahead_by_the_leeway_at_most() {
    for leeway in [0, 5, 300] {
        let verifier = verifier_with_leeway(leeway);
        for claim in ["iat", "nbf"] {
            for (seconds_ahead, expected) in [
                (leeway, Ok(())),
                (leeway + 1, Err(Error::NotYetValid)),
                (leeway + 100 * DAY, Err(Error::NotYetValid)),
            ] {
                let payload = Payload::valid()
                    .with("exp", NOW + seconds_ahead + 900)
                    .with("iat", NOW)
                    .with(claim, NOW + seconds_ahead);
                assert_eq!(
                    verify_at_now(&verifier, &payload),
                    expected,
                    "{claim} {leeway} {seconds_ahead}"
                );
            }
        }
    }
}

#[test]
fn nbf_is_optional_and_may_be_in_the_past() {
    for nbf in ["0", "-1", "1799999999.5"] {
        let payload = Payload::valid().with("nbf", nbf);
        assert_eq!(
            verify_at_now(&verifier(keyring()), &payload),
            Ok(()),
            "{nbf}"
        );
    }
}

#[test]
fn the_leeway_cannot_be_set_above_300_seconds() {
    let max_leeway = Duration::from_secs(300);
    for (leeway, is_accepted) in [
        (Duration::ZERO, true),
        (Duration::new(299, 999_999_999), true),
        (max_leeway, true),
        (max_leeway + Duration::from_nanos(1), false),
        (Duration::MAX, false),
    ] {
        let result = verifier(keyring()).with_leeway(leeway).map(|_built| ());
        if is_accepted {
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
    let max_lifetime = 400 * DAY;
    for (lifetime, expected) in [
        (max_lifetime - 1, Ok(())),
        (max_lifetime, Ok(())),
        (max_lifetime + 1, Err(Error::InvalidClaim("exp"))),
    ] {
        let payload = Payload::valid()
            .with("iat", NOW)
            .with("exp", NOW + lifetime);
        assert_eq!(verify_at_now(&verifier, &payload), expected, "{lifetime}");
    }
    let too_long_payload = Payload::valid().with("exp", format!("{}.5", NOW + max_lifetime));
    assert_eq!(
        verify_at_now(&verifier, &too_long_payload),
        Err(Error::InvalidClaim("exp"))
    );
}

#[test]
fn max_lifetime_can_be_set_but_not_to_zero() {
    let one_hour_verifier = verifier(keyring())
        .with_max_lifetime(Duration::from_secs(3600))
        .unwrap();
    for (lifetime, expected) in [
        (3599, Ok(())),
        (3600, Ok(())),
        (3601, Err(Error::InvalidClaim("exp"))),
    ] {
        let payload = Payload::valid().with("exp", NOW + lifetime);
        assert_eq!(
            verify_at_now(&one_hour_verifier, &payload),
            expected,
            "{lifetime}"
        );
    }
    let result = verifier(keyring()).with_max_lifetime(Duration::ZERO);
    assert!(matches!(result, Err(Error::InvalidSetting(_))));
}

/// JSON parsers may disagree about integers beyond ±(2^53 − 1) (RFC 8259 § 6).
#[test]
fn numbers_beyond_exact_integers_are_rejected() {
    let verifier = verifier_without_max_lifetime();
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
        assert_eq!(verify_at_now(&verifier, &payload), expected, "exp {value}");
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
                verify_at_now(&verifier, &payload),
                expected,
                "{claim} {value}"
            );
        }
    }
}

#[test]
fn fractions_of_a_second_are_compared_and_are_dropped_from_the_claims() {
    let payload = Payload::valid()
        .with("iat", "1799999999.999")
        .with("exp", "1800000000.75");
    let Claims { iat, exp, .. } =
        verify_payload(&verifier_with_leeway(0), payload.json(), now()).unwrap();
    assert_eq!((iat, exp), (1_799_999_999, 1_800_000_000));
    let expiry = now() + Duration::from_millis(750);
    let result = verify_payload(&verifier_with_leeway(0), payload.json(), expiry);
    assert_eq!(result, Err(Error::Expired));
}

#[test]
fn expired_means_that_the_token_is_otherwise_valid() {
    let expired_payload = Payload::valid()
        .with("iat", NOW - 900)
        .with("exp", NOW - 100);
    let verify_with_default_settings =
        |payload: Payload| verify_at_now(&verifier(keyring()), &payload);
    assert_eq!(
        verify_with_default_settings(expired_payload.clone()),
        Err(Error::Expired)
    );
    let payload_with_wrong_issuer = expired_payload.clone().with("iss", r#""other""#);
    assert_eq!(
        verify_with_default_settings(payload_with_wrong_issuer),
        Err(Error::InvalidClaim("iss"))
    );
    let payload_without_session = expired_payload.clone().without("sid");
    assert_eq!(
        verify_with_default_settings(payload_without_session),
        Err(Error::MissingClaim("sid"))
    );
    let not_yet_valid_payload = expired_payload.with("nbf", NOW + 100);
    assert_eq!(
        verify_with_default_settings(not_yet_valid_payload),
        Err(Error::NotYetValid)
    );
}

#[test]
fn extreme_clock_times_cause_no_panic() {
    let day = Duration::from_secs(DAY);
    let far_future = UNIX_EPOCH.checked_add(Duration::from_secs(1 << 60));
    let clocks = [Some(UNIX_EPOCH), UNIX_EPOCH.checked_sub(day), far_future];
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
        let json = Payload::valid().with("exp", exp).json();
        let clock = UNIX_EPOCH;
        let payload = json.replace(&format!("\"iat\":{NOW}"), "\"iat\":0");
        verify_payload(&verifier_without_max_lifetime(), payload, clock)
            .unwrap()
            .expires_at()
    };
    assert_eq!(expires_at("900"), UNIX_EPOCH + Duration::from_secs(900));
    assert_eq!(expires_at("-1"), UNIX_EPOCH);
    let largest_exp = Duration::from_secs(9_007_199_254_740_991);
    let expected = UNIX_EPOCH.checked_add(largest_exp).unwrap_or(UNIX_EPOCH);
    assert_eq!(expires_at("9007199254740991"), expected);
}
