//! Addresses: one rule for every way in, and one spelling for every mailbox.

use std::borrow::Cow;

use idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};
use validator::ValidationError;

use crate::problem::violation::{FieldViolation, rule};

/// RFC 5321 § 4.5.3.1.3, without the angle brackets.
const MAX_BYTES: usize = 254;
/// RFC 5321 § 4.5.3.1.1.
const MAX_LOCAL_BYTES: usize = 64;

/// An address in the one spelling that is stored: ASCII, lower-cased, the domain as A-labels (RFC 5891).
///
/// The local part is a dot-atom (RFC 5321 § 4.1.2). Quoted local parts, local parts beyond ASCII (RFC 6531) and address
/// literals are refused. So no address can leave a mail header, a log line or an HTML attribute in double quotes.
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
        let domain = a_labels(domain).ok_or(INVALID)?;
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

    /// With the domain as U-labels, as releases before this rule stored it; `None` where that is no other spelling.
    pub(crate) fn with_u_labels(&self) -> Option<String> {
        let (local, domain) = self.0.split_once('@')?;
        let (domain, valid) = idna::domain_to_unicode(domain);
        let spelling = format!("{local}@{domain}");
        (valid.is_ok() && spelling != self.0).then_some(spelling)
    }
}

/// The spelling of today's rule for an address that is stored already, or the address as it is.
pub(crate) fn canonical(stored: String) -> String {
    Email::parse(&stored).map_or(stored, Email::into_string)
}

/// An address as typed to log in. Accounts from before this rule are found under the spelling they were stored with.
#[derive(Debug, Clone)]
pub(crate) struct LoginEmail {
    /// What attempts are counted under.
    email: Email,
    older: Vec<String>,
}

impl LoginEmail {
    pub(crate) fn parse(text: &str) -> Result<Self, FieldViolation> {
        let lowered = text.to_lowercase();
        let email = match Email::parse(text) {
            Ok(email) => email,
            Err(_today) if may_be_stored(&lowered) => Email(lowered.clone()),
            Err(violation) => return Err(violation),
        };
        let mut older = Vec::from_iter(email.with_u_labels());
        if lowered != email.0 && !older.contains(&lowered) && may_be_stored(&lowered) {
            older.push(lowered);
        }
        Ok(Self { email, older })
    }

    /// The address of an account as it came from the database.
    pub(crate) const fn stored(text: String) -> Self {
        Self {
            email: Email(text),
            older: Vec::new(),
        }
    }

    pub(crate) const fn email(&self) -> &Email {
        &self.email
    }

    /// Today's spelling first.
    pub(crate) fn spellings(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.email.as_str()).chain(self.older.iter().map(String::as_str))
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

/// RFC 5322 § 3.2.3.
const fn is_atext(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(byte, b'!' | b'#'..=b'\'' | b'*' | b'+' | b'-' | b'/')
        || matches!(byte, b'=' | b'?' | b'^'..=b'`' | b'{'..=b'~')
}

/// UTS 46 maps what looks the same to one spelling; letters, digits and hyphens are all that is left. `None` for what
/// is no domain, and for an IP address.
fn a_labels(domain: &str) -> Option<Cow<'_, str>> {
    // UTS 46 would drop some of them silently.
    if domain
        .chars()
        .any(|char| char.is_control() || char.is_whitespace())
    {
        return None;
    }
    let (denied, hyphens) = (AsciiDenyList::STD3, Hyphens::CheckFirstLast);
    let strict = Uts46::new().to_ascii(domain.as_bytes(), denied, hyphens, DnsLength::Verify);
    let ascii = strict.ok()?;
    let top = ascii.rsplit('.').next()?;
    let is_number = top.starts_with("0x") || top.bytes().all(|byte| byte.is_ascii_digit());
    (!is_number).then_some(ascii)
}

/// Whether a release before this rule may have stored it, as far as it is harmless to look it up.
fn may_be_stored(lowered: &str) -> bool {
    let is_harmless = |char: char| match u8::try_from(char) {
        Ok(byte) if byte.is_ascii() => is_atext(byte) || b".@[]:".contains(&byte),
        _beyond_ascii => !char.is_control() && !char.is_whitespace(),
    };
    let parts = lowered.rsplit_once('@');
    parts.is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty())
        && lowered.len() <= MAX_BYTES
        && lowered.chars().all(is_harmless)
}

#[cfg(test)]
mod tests;
