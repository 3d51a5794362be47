//! Parses the addresses of the server in `MAIL_FROM` and `MAIL_REPLY_TO`, and converts the addresses of users to the
//! type of `lettre`.

use lettre::Address;
use lettre::message::Mailbox;

use crate::users::email::Email;

const REMEDY: &str = "use an email address, with or without a name, such as \
    no-reply@example.com or Example <no-reply@example.com>";

/// The longest name before an address, in characters.
const MAX_NAME_CHARS: usize = 100;

/// Parses `ADDRESS` or `NAME <ADDRESS>`. The address must be one that [`Email`] accepts, so that the SMTP server needs
/// no extension. The name must have at most [`MAX_NAME_CHARS`] characters and no control characters, which could add a
/// line to the header.
pub(crate) fn parse_mailbox(text: &str) -> Result<Mailbox, String> {
    let mailbox = if text.chars().any(char::is_control) {
        None
    } else {
        text.parse::<Mailbox>().ok()
    };
    let Mailbox { name, email } = mailbox.ok_or(REMEDY)?;
    if name
        .as_ref()
        .is_some_and(|name| name.chars().count() > MAX_NAME_CHARS)
    {
        return Err(format!("use a name of at most {MAX_NAME_CHARS} characters"));
    }
    let address = to_address(email.as_ref()).ok_or(REMEDY)?;
    Ok(Mailbox::new(name.filter(|name| !name.is_empty()), address))
}

/// Converts an email address that [`Email`] accepts; `None` for any other text.
pub(super) fn to_address(text: &str) -> Option<Address> {
    let email = Email::parse(text).ok()?;
    let (_, domain) = email.as_str().rsplit_once('@')?;
    // The local part keeps its case, because the server of the domain may distinguish upper and lower case.
    let (local_part, _) = text.rsplit_once('@')?;
    Address::new(local_part, domain).ok()
}

#[cfg(test)]
mod tests {
    use super::{parse_mailbox, to_address};

    #[test]
    fn an_address_may_have_a_name() {
        for (text, name, address) in [
            ("no-reply@example.com", None, "no-reply@example.com"),
            (
                "Example <No-Reply@Example.COM>",
                Some("Example"),
                "No-Reply@example.com",
            ),
            (
                "api-server <no-reply@localhost>",
                Some("api-server"),
                "no-reply@localhost",
            ),
            (
                "\"Example, Inc.\" <a@b.example>",
                Some("Example, Inc."),
                "a@b.example",
            ),
            (
                "Bücher Müller <post@bücher.example>",
                Some("Bücher Müller"),
                "post@xn--bcher-kva.example",
            ),
            ("<a@b.example>", None, "a@b.example"),
            ("\"\" <a@b.example>", None, "a@b.example"),
        ] {
            let mailbox = parse_mailbox(text).unwrap();
            assert_eq!(mailbox.name.as_deref(), name, "{text}");
            assert_eq!(mailbox.email.to_string(), address, "{text}");
        }
    }

    #[test]
    fn text_that_is_not_one_address_is_rejected() {
        let long_name = format!("{} <a@b.example>", "x".repeat(101));
        for text in [
            "",
            "Example",
            "a@b@c.example",
            "a@b.example, c@d.example",
            "Example <a@b.example",
            "Example <a@b.example> x",
            "Example <>",
            "a@127.0.0.1",
            "a@[127.0.0.1]",
            "\"a b\"@c.example",
            "ä@b.example",
            "Example\r\nBcc: <x@y.example>",
            "\"Exa\r\nmple\" <a@b.example>",
            "\"Exa\\\u{7}mple\" <a@b.example>",
            "Exa\u{0}mple <a@b.example>",
            "Exa\u{85}mple <a@b.example>",
            &long_name,
        ] {
            assert!(parse_mailbox(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn every_address_that_users_may_have_is_converted() {
        let longest_domain = format!(
            "{}.{}.{}.example",
            "a".repeat(63),
            "b".repeat(63),
            "c".repeat(53)
        );
        let longest = format!("{}@{longest_domain}", "x".repeat(64));
        assert_eq!(longest.len(), 254);
        for text in [
            "ada@example.com",
            "a@b",
            "ada+tag@example.com",
            "o'brien@example.com",
            "!#$%&'*+/=?^_`{|}~-.x@example.com",
            "1@2.example",
            "ada@xn--bcher-kva.example",
            &longest,
        ] {
            assert_eq!(to_address(text).unwrap().to_string(), text, "{text}");
        }
    }

    #[test]
    fn addresses_that_need_an_extension_are_not_converted() {
        for text in [
            "",
            "ada",
            "ä@b.example",
            "a b@c.example",
            "a@b c",
            "a@b\r\n",
            "a\r\n@b",
        ] {
            assert_eq!(to_address(text), None, "{text:?}");
        }
    }
}
