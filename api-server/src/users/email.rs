//! Email addresses: the rule that all of them must follow, and the one spelling in which an address is stored.

use std::borrow::Cow;

use idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};
use validator::ValidationError;

use crate::problem::violation::{FieldViolation, rule};

/// The longest address, in bytes: RFC 5321 § 4.5.3.1.3, without the angle brackets.
const MAX_BYTES: usize = 254;
/// The longest local part, in bytes: RFC 5321 § 4.5.3.1.1.
const MAX_LOCAL_BYTES: usize = 64;

/// An address in the spelling that is stored: ASCII, in lower case, the domain as A-labels (RFC 5891).
///
/// The local part is a dot-atom (RFC 5321 § 4.1.2). Quoted local parts, local parts beyond ASCII (RFC 6531) and address
/// literals are rejected. So an address needs no escaping in a mail header, in a log line or in an HTML attribute in
/// double quotes.
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
        let (local, domain) = text.rsplit_once('@').ok_or(INVALID)?;
        if !is_dot_atom(local) || local.len() > MAX_LOCAL_BYTES {
            return Err(INVALID);
        }
        let domain = to_a_labels(domain).ok_or(INVALID)?;
        let canonical = format!("{}@{domain}", local.to_ascii_lowercase());
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

    /// The spelling that releases before this rule stored, with the domain as U-labels (RFC 5890); `None` if it is the
    /// same.
    pub(crate) fn with_u_labels(&self) -> Option<String> {
        let (local, domain) = self.0.split_once('@')?;
        let (domain, valid) = idna::domain_to_unicode(domain);
        let spelling = format!("{local}@{domain}");
        (valid.is_ok() && spelling != self.0).then_some(spelling)
    }
}

/// Returns a stored address in the current spelling, or unchanged if the current rule rejects it.
pub(crate) fn canonical(stored: String) -> String {
    Email::parse(&stored).map_or(stored, Email::into_string)
}

/// An address entered to log in. It also finds accounts that were stored before this rule, with another spelling.
#[derive(Debug, Clone)]
pub(crate) struct LoginEmail {
    /// The address under which failed attempts are counted.
    email: Email,
    old_spellings: Vec<String>,
}

impl LoginEmail {
    pub(crate) fn parse(text: &str) -> Result<Self, FieldViolation> {
        let lowercase = text.to_lowercase();
        let email = match Email::parse(text) {
            Ok(email) => email,
            Err(_by_current_rule) if may_be_stored(&lowercase) => Email(lowercase.clone()),
            Err(violation) => return Err(violation),
        };
        let mut old_spellings = Vec::from_iter(email.with_u_labels());
        let is_listed = lowercase == email.0 || old_spellings.contains(&lowercase);
        if !is_listed && may_be_stored(&lowercase) {
            old_spellings.push(lowercase);
        }
        Ok(Self {
            email,
            old_spellings,
        })
    }

    /// The address of an account, as read from the database.
    pub(crate) const fn stored(text: String) -> Self {
        Self {
            email: Email(text),
            old_spellings: Vec::new(),
        }
    }

    pub(crate) const fn email(&self) -> &Email {
        &self.email
    }

    /// The spellings to look up, the current one first.
    pub(crate) fn spellings(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.email.as_str()).chain(self.old_spellings.iter().map(String::as_str))
    }
}

pub(crate) fn email_rule(text: &str) -> Result<(), ValidationError> {
    rule(Email::parse(text))
}

pub(crate) fn login_email_rule(text: &str) -> Result<(), ValidationError> {
    rule(LoginEmail::parse(text))
}

const TOO_LONG: FieldViolation = FieldViolation::new("too_long", "must be at most 254 bytes");
const INVALID: FieldViolation = FieldViolation::new("invalid_email", "must be an email address");

fn is_dot_atom(local: &str) -> bool {
    let is_atom = |atom: &str| !atom.is_empty() && atom.bytes().all(is_atext);
    local.split('.').all(is_atom)
}

/// Whether the byte may be in an atom (RFC 5322 § 3.2.3).
const fn is_atext(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(byte, b'!' | b'#'..=b'\'' | b'*' | b'+' | b'-' | b'/')
        || matches!(byte, b'=' | b'?' | b'^'..=b'`' | b'{'..=b'~')
}

/// Converts a domain to A-labels. UTS 46 maps equivalent characters, such as those of full width, to one spelling, in
/// which only letters, digits and hyphens may remain. `None` for an invalid domain and for an IP address.
fn to_a_labels(domain: &str) -> Option<Cow<'_, str>> {
    // Rejected first, because UTS 46 removes some of these characters silently.
    if domain
        .chars()
        .any(|character| character.is_control() || character.is_whitespace())
    {
        return None;
    }
    let (denied, hyphens) = (AsciiDenyList::STD3, Hyphens::CheckFirstLast);
    let strict = Uts46::new().to_ascii(domain.as_bytes(), denied, hyphens, DnsLength::Verify);
    let ascii = strict.ok()?;
    let last_label = ascii.rsplit('.').next()?;
    let is_number =
        last_label.starts_with("0x") || last_label.bytes().all(|byte| byte.is_ascii_digit());
    (!is_number).then_some(ascii)
}

/// Whether a release before this rule may have stored the address, and all its characters are safe in a log line.
fn may_be_stored(lowercase: &str) -> bool {
    let is_safe = |character: char| match u8::try_from(character) {
        Ok(byte) if byte.is_ascii() => is_atext(byte) || b".@[]:".contains(&byte),
        _beyond_ascii => !character.is_control() && !character.is_whitespace(),
    };
    let parts = lowercase.rsplit_once('@');
    parts.is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty())
        && lowercase.len() <= MAX_BYTES
        && lowercase.chars().all(is_safe)
}

#[cfg(test)]
mod tests;
