//! Parses email addresses, and converts each email address to the one spelling in which it is stored.

use std::borrow::Cow;

use idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};
use validator::ValidationError;

use crate::problem::violation::{FieldViolation, validation_result};

/// The longest email address, in bytes: RFC 5321 § 4.5.3.1.3, without the angle brackets.
const MAX_BYTES: usize = 254;
/// The longest local part, in bytes: RFC 5321 § 4.5.3.1.1.
const MAX_LOCAL_PART_BYTES: usize = 64;

/// An email address in the spelling that is stored: ASCII, in lower case, with A-labels (RFC 5890) in the domain. In a
/// [`LoginEmail`], it may also be a spelling of earlier releases.
///
/// [`Email::parse`] accepts only a dot-atom (RFC 5322 § 3.2.3) as the local part, and rejects local parts beyond ASCII
/// (RFC 6531) and address literals. So it accepts no character that ends a mail header, a line of the log or an HTML
/// attribute in double quotes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Email(String);

impl Email {
    pub(crate) fn parse(text: &str) -> Result<Self, FieldViolation> {
        if text.is_empty() {
            return Err(FieldViolation::new("required", "is required"));
        }
        if text.len() > MAX_BYTES {
            return Err(TOO_LONG);
        }
        let (local_part, domain) = text.rsplit_once('@').ok_or(INVALID)?;
        if !is_dot_atom(local_part) || local_part.len() > MAX_LOCAL_PART_BYTES {
            return Err(INVALID);
        }
        let ascii_domain = to_a_labels(domain).ok_or(INVALID)?;
        let canonical = format!("{}@{ascii_domain}", local_part.to_ascii_lowercase());
        if canonical.len() > MAX_BYTES {
            return Err(TOO_LONG);
        }
        Ok(Self(canonical))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn into_string(self) -> String {
        self.0
    }

    /// Returns whether `stored`, as read from the database, is a spelling of this address.
    pub(crate) fn is_stored_as(&self, stored: &str) -> bool {
        self.0 == stored
            || self
                .with_u_labels()
                .is_some_and(|old_spelling| old_spelling == stored)
    }

    /// Returns the spelling that earlier releases stored, with the domain as U-labels (RFC 5890); `None` if this
    /// spelling is the same as `self`, or if the domain has no such spelling.
    pub(crate) fn with_u_labels(&self) -> Option<String> {
        let (local_part, domain) = self.0.split_once('@')?;
        let (unicode_domain, result) = idna::domain_to_unicode(domain);
        let spelling = format!("{local_part}@{unicode_domain}");
        (result.is_ok() && spelling != self.0).then_some(spelling)
    }
}

/// Returns an email address in the current spelling, or unchanged if [`Email::parse`] rejects it.
pub(crate) fn canonical_spelling(email: String) -> String {
    Email::parse(&email).map_or(email, Email::into_string)
}

/// An email address by which an account is looked up, with the spellings that earlier releases may have stored.
#[derive(Debug, Clone)]
pub(crate) struct LoginEmail {
    /// The spelling to look up first. Failed logins are counted under this spelling.
    email: Email,
    old_spellings: Vec<String>,
}

impl LoginEmail {
    pub(crate) fn parse(text: &str) -> Result<Self, FieldViolation> {
        let lowercase_text = text.to_lowercase();
        let email = match Email::parse(text) {
            Ok(email) => email,
            Err(_violation) if may_be_stored(&lowercase_text) => Email(lowercase_text.clone()),
            Err(violation) => return Err(violation),
        };
        let mut old_spellings = Vec::from_iter(email.with_u_labels());
        let is_listed = lowercase_text == email.0 || old_spellings.contains(&lowercase_text);
        if !is_listed && may_be_stored(&lowercase_text) {
            old_spellings.push(lowercase_text);
        }
        Ok(Self {
            email,
            old_spellings,
        })
    }

    /// Wraps the email address of an account, as read from the database.
    pub(crate) const fn stored(text: String) -> Self {
        Self {
            email: Email(text),
            old_spellings: Vec::new(),
        }
    }

    pub(crate) const fn email(&self) -> &Email {
        &self.email
    }

    /// Returns the spellings to look up, the current spelling first.
    pub(crate) fn spellings(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.email.as_str()).chain(self.old_spellings.iter().map(String::as_str))
    }
}

pub(crate) fn validate_email(text: &str) -> Result<(), ValidationError> {
    validation_result(Email::parse(text))
}

pub(crate) fn validate_login_email(text: &str) -> Result<(), ValidationError> {
    validation_result(LoginEmail::parse(text))
}

const TOO_LONG: FieldViolation = FieldViolation::new("too_long", "must be at most 254 bytes");
const INVALID: FieldViolation = FieldViolation::new("invalid_email", "must be an email address");

fn is_dot_atom(text: &str) -> bool {
    let is_atom = |atom: &str| !atom.is_empty() && atom.bytes().all(is_atext);
    text.split('.').all(is_atom)
}

/// Returns whether the byte may be in an atom (RFC 5322 § 3.2.3).
const fn is_atext(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(byte, b'!' | b'#'..=b'\'' | b'*' | b'+' | b'-' | b'/')
        || matches!(byte, b'=' | b'?' | b'^'..=b'`' | b'{'..=b'~')
}

/// Converts a domain to ASCII, with A-labels (RFC 5890). UTS 46 maps equivalent characters, such as full-width letters,
/// to one spelling. Each label may then have only letters, digits and hyphens. Returns `None` for an invalid domain,
/// and for a domain whose last label is like that of an IP address: all digits, or `0x` at the start.
fn to_a_labels(domain: &str) -> Option<Cow<'_, str>> {
    // Control characters and white space are rejected here, whatever UTS 46 does with them.
    if domain
        .chars()
        .any(|character| character.is_control() || character.is_whitespace())
    {
        return None;
    }
    let (deny_list, hyphens) = (AsciiDenyList::STD3, Hyphens::CheckFirstLast);
    let result = Uts46::new().to_ascii(domain.as_bytes(), deny_list, hyphens, DnsLength::Verify);
    let ascii = result.ok()?;
    let last_label = ascii.rsplit('.').next()?;
    let is_number =
        last_label.starts_with("0x") || last_label.bytes().all(|byte| byte.is_ascii_digit());
    (!is_number).then_some(ascii)
}

/// Returns whether an earlier release may have stored this email address and each of its characters is safe in a log
/// line.
fn may_be_stored(lowercase_email: &str) -> bool {
    let is_safe = |character: char| match u8::try_from(character) {
        Ok(byte) if byte.is_ascii() => is_atext(byte) || b".@[]:".contains(&byte),
        _beyond_ascii => !character.is_control() && !character.is_whitespace(),
    };
    let parts = lowercase_email.rsplit_once('@');
    parts.is_some_and(|(local_part, domain)| !local_part.is_empty() && !domain.is_empty())
        && lowercase_email.len() <= MAX_BYTES
        && lowercase_email.chars().all(is_safe)
}

#[cfg(test)]
mod tests;
