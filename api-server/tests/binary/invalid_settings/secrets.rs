//! Tests invalid secrets, issuers and audiences.

use harness::{OTHER_SECRET, SECRET};

use super::{assert_each_rejected, assert_rejected, assert_starts, run};

#[test]
fn the_secret_is_long_and_not_a_sample() {
    let remedy = "make one with";
    let long_sample = "changeme-changeme-changeme-changeme";
    let repeated_text = "abab".repeat(10);
    for secret in [
        "",
        "hunter2",
        SECRET.get(..31).unwrap(),
        long_sample,
        &repeated_text,
    ] {
        let settings = [("AUTH_SECRET", secret)];
        assert_rejected(&settings, "AUTH_SECRET", remedy);
        let output = run(&settings).output();
        assert!(secret.is_empty() || !output.contains(secret), "{output}");
    }
    assert_starts(&[("AUTH_SECRET", SECRET)]);
}

#[test]
fn previous_secrets_follow_the_same_rules_as_the_current_secret() {
    let valid_and_short_secret = format!("{OTHER_SECRET},hunter2");
    for previous_secrets in [
        "hunter2",
        &valid_and_short_secret,
        "changeme-changeme-changeme-changeme",
    ] {
        let settings = [
            ("AUTH_SECRET", SECRET),
            ("AUTH_SECRETS_PREVIOUS", previous_secrets),
        ];
        assert_rejected(&settings, "AUTH_SECRETS_PREVIOUS", "make one with");
        let output = run(&settings).output();
        assert!(
            !output.contains("hunter2") && !output.contains(OTHER_SECRET),
            "{output}"
        );
    }
    assert_starts(&[
        ("AUTH_SECRET", SECRET),
        ("AUTH_SECRETS_PREVIOUS", OTHER_SECRET),
    ]);
}

#[test]
fn issuer_and_audience_are_not_empty() {
    for variable in ["AUTH_ISSUER", "AUTH_AUDIENCE"] {
        assert_each_rejected(variable, &["", " ", " api", "api\t"], "without white space");
    }
}

#[test]
fn token_audiences_are_names_of_other_services() {
    assert_each_rejected(
        "TOKEN_AUDIENCES",
        &[",", "reports,", ",reports", "a, ,b"],
        "names between the commas",
    );
    for audiences in ["api", "reports,api", "api ,reports"] {
        assert_rejected(
            &[("TOKEN_AUDIENCES", audiences)],
            "TOKEN_AUDIENCES",
            "our own",
        );
    }
    let equal_audiences = [("TOKEN_AUDIENCES", "them"), ("AUTH_AUDIENCE", "them")];
    assert_rejected(&equal_audiences, "TOKEN_AUDIENCES", "our own");
    for audiences in ["", " ", "reports", "reports, https://b.example/v1"] {
        assert_starts(&[("TOKEN_AUDIENCES", audiences)]);
    }
}
