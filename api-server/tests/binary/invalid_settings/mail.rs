//! Tests invalid settings of mails.

use super::{assert_each_rejected, assert_rejected, assert_starts};

const SENDER: (&str, &str) = ("MAIL_FROM", "no-reply@example.com");

#[test]
fn the_mail_server_is_an_smtp_url() {
    for url in [
        "mx.example",
        "http://mx.example",
        "smtp://ada:a@b@mx.example",
    ] {
        let settings = [("SMTP_URL", url), SENDER];
        assert_rejected(&settings, "SMTP_URL", "use smtps://");
    }
    let unencrypted = [("SMTP_URL", "smtp://mx.example?tls=none"), SENDER];
    assert_rejected(&unencrypted, "SMTP_URL", "tls=required");
    for url in ["", "smtps://mx.example", "smtp://localhost:1025"] {
        assert_starts(&[("SMTP_URL", url), SENDER]);
    }
}

#[test]
fn a_sender_is_required_to_send_mails() {
    let url = ("SMTP_URL", "smtps://mx.example");
    assert_rejected(&[url], "MAIL_FROM", "is required with SMTP_URL");
    assert_rejected(
        &[url, ("MAIL_FROM", "")],
        "MAIL_FROM",
        "is required with SMTP_URL",
    );
}

#[test]
fn sender_and_address_for_answers_are_email_addresses() {
    for variable in ["MAIL_FROM", "MAIL_REPLY_TO"] {
        let invalid_values = ["Example", "a@b, c@d", "Example <>", "a\r\nBcc: x@y <a@b>"];
        assert_each_rejected(variable, &invalid_values, "use an email address");
        assert_starts(&[(variable, "Bücher GmbH <hilfe@bücher.example>")]);
    }
}

#[test]
fn the_limit_of_mail_requests_is_a_number_or_off() {
    let invalid_values = ["", "0", "1000001", "none", "-1"];
    assert_each_rejected(
        "MAX_MAIL_REQUESTS_PER_NETWORK",
        &invalid_values,
        "or off for no limit",
    );
    for limit in ["1", "1000000", "off"] {
        assert_starts(&[("MAX_MAIL_REQUESTS_PER_NETWORK", limit)]);
    }
}

#[test]
fn the_verification_of_addresses_is_off_optional_or_required() {
    let invalid_values = ["", "on", "true", "Required", "required "];
    assert_each_rejected(
        "EMAIL_VERIFICATION",
        &invalid_values,
        "use off, optional or required",
    );
    for mode in ["off", "optional", "required"] {
        assert_starts(&[("EMAIL_VERIFICATION", mode)]);
    }
}
