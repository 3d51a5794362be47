//! Tests the claim `claims_version`.

use auth_core::Error;

use crate::fixtures::Payload;

#[test]
fn the_version_is_a_whole_number_below_2_to_the_power_of_53() {
    let claims = Payload::valid().verify().unwrap();
    assert_eq!(claims.claims_version, 0);
    for (value, expected) in [
        ("0", 0),
        ("1", 1),
        ("4294967296", 1 << 32),
        ("9007199254740991", (1 << 53) - 1),
        ("1.0", 1),
        ("2e3", 2000),
        ("-0", 0),
    ] {
        let payload = Payload::valid().with("claims_version", value);
        let claims = payload.verify().unwrap();
        assert_eq!(claims.claims_version, expected, "{value}");
    }
}

#[test]
fn another_version_is_rejected() {
    for value in [
        "-1",
        "0.5",
        "-0.5",
        "9007199254740992",
        "1e999",
        "null",
        "true",
        r#""1""#,
        r#""2.0""#,
        "[1]",
        "{}",
    ] {
        let payload = Payload::valid().with("claims_version", value);
        let expected = Err(Error::InvalidClaim("claims_version"));
        assert_eq!(payload.verify(), expected, "{value}");
    }
}
