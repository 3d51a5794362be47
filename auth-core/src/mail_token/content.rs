//! Defines the content of a mail token, and writes and parses the payload.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::Error;

const VERSION: u8 = 1;
/// The length of the longest token that is parsed, in bytes.
const MAX_TOKEN_BYTES: usize = 1024;
/// The length of the longest user id and of the longest detail, in bytes.
const MAX_TEXT_BYTES: usize = 254;
const MALFORMED: Error = Error::MalformedToken("The token from the mail is malformed");

/// The action that a mail token or a code permits. A token or a code of one purpose is never accepted for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MailPurpose {
    /// To set a new password without the old one.
    PasswordReset,
    /// To prove that the user receives mail at the address of the account.
    EmailVerification,
    /// To change the address of the account to the address that the mail was sent to.
    EmailChange,
    /// To change the address of the account back to the previous one.
    EmailChangeUndo,
    /// To delete the account.
    AccountDeletion,
}

impl MailPurpose {
    /// Returns the byte for this purpose in the payload. The number of a purpose must never change.
    pub(super) const fn to_byte(self) -> u8 {
        match self {
            Self::PasswordReset => 1,
            Self::EmailVerification => 2,
            Self::EmailChange => 3,
            Self::EmailChangeUndo => 4,
            Self::AccountDeletion => 5,
        }
    }

    const fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            1 => Some(Self::PasswordReset),
            2 => Some(Self::EmailVerification),
            3 => Some(Self::EmailChange),
            4 => Some(Self::EmailChangeUndo),
            5 => Some(Self::AccountDeletion),
            _ => None,
        }
    }
}

/// The content of a mail token.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_structs,
    reason = "callers construct it; the fields are the format"
)]
pub struct MailToken {
    /// The action that the token permits.
    pub purpose: MailPurpose,
    /// The id of the user, 1 to 254 bytes.
    pub user_id: String,
    /// The first second in which the token is no longer accepted: seconds since 1970-01-01T00:00:00Z.
    pub expires_at: u64,
    /// Additional text, for example the new email address; at most 254 bytes. The text is not encrypted: anyone who has
    /// the token can read it.
    pub detail: String,
}

impl MailToken {
    /// Writes the payload of the token.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidClaim`] if the length of the user id or of the detail is not allowed.
    pub(super) fn to_payload(&self) -> Result<Vec<u8>, Error> {
        if self.user_id.is_empty() {
            return Err(Error::InvalidClaim("user_id"));
        }
        let mut payload = vec![VERSION, self.purpose.to_byte()];
        payload.extend_from_slice(&self.expires_at.to_be_bytes());
        append_text(&mut payload, &self.user_id).ok_or(Error::InvalidClaim("user_id"))?;
        append_text(&mut payload, &self.detail).ok_or(Error::InvalidClaim("detail"))?;
        Ok(payload)
    }

    fn from_payload(mut rest: &[u8]) -> Option<Self> {
        let [version, purpose] = take(&mut rest)?;
        let content = Self {
            purpose: MailPurpose::from_byte(purpose)?,
            expires_at: u64::from_be_bytes(take(&mut rest)?),
            user_id: take_text(&mut rest)?,
            detail: take_text(&mut rest)?,
        };
        let is_valid = version == VERSION && rest.is_empty() && !content.user_id.is_empty();
        is_valid.then_some(content)
    }
}

/// Appends the length of a text and the text; `None` if the text is too long.
fn append_text(payload: &mut Vec<u8>, text: &str) -> Option<()> {
    if text.len() > MAX_TEXT_BYTES {
        return None;
    }
    let length = u16::try_from(text.len()).ok()?;
    payload.extend_from_slice(&length.to_be_bytes());
    payload.extend_from_slice(text.as_bytes());
    Some(())
}

/// Removes the first `N` bytes from `rest`, and returns them; `None` if `rest` is shorter.
fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (bytes, tail) = rest.split_first_chunk()?;
    *rest = tail;
    Some(*bytes)
}

/// Removes a length and a text of this length from `rest`, and returns the text; `None` if the text is too long,
/// incomplete or not UTF-8.
fn take_text(rest: &mut &[u8]) -> Option<String> {
    let length = usize::from(u16::from_be_bytes(take(rest)?));
    if length > MAX_TEXT_BYTES {
        return None;
    }
    let (bytes, tail) = rest.split_at_checked(length)?;
    *rest = tail;
    String::from_utf8(bytes.to_vec()).ok()
}

/// A parsed token whose MAC was not verified, so its content may be forged. Use the content to find the user whose
/// email address and mail key [`MailTokens::verify`](super::MailTokens::verify) needs, but never as a proof.
#[derive(Clone)]
pub struct UnverifiedMailToken {
    pub(super) content: MailToken,
    pub(super) payload: Vec<u8>,
    pub(super) tag: [u8; 32],
}

impl UnverifiedMailToken {
    pub(super) fn parse(text: &str) -> Result<Self, Error> {
        if text.len() > MAX_TOKEN_BYTES {
            return Err(MALFORMED);
        }
        let (encoded_payload, encoded_tag) = text.split_once('.').ok_or(MALFORMED)?;
        let decoded = URL_SAFE_NO_PAD.decode(encoded_payload);
        let payload = decoded.map_err(|_not_base64url| MALFORMED)?;
        let mut tag = [0; 32];
        if URL_SAFE_NO_PAD.decode_slice(encoded_tag, &mut tag) != Ok(tag.len()) {
            return Err(MALFORMED);
        }
        Ok(Self {
            content: MailToken::from_payload(&payload).ok_or(MALFORMED)?,
            payload,
            tag,
        })
    }

    /// Returns the purpose that the token states.
    #[must_use]
    pub const fn purpose(&self) -> MailPurpose {
        self.content.purpose
    }

    /// Returns the user id that the token states: 1 to 254 bytes of any text.
    #[must_use]
    pub fn user_id(&self) -> &str {
        &self.content.user_id
    }

    /// Returns the expiry that the token states, in seconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn expires_at(&self) -> u64 {
        self.content.expires_at
    }

    /// Returns the detail that the token states: at most 254 bytes of any text.
    #[must_use]
    pub fn detail(&self) -> &str {
        &self.content.detail
    }
}

/// Redacts the MAC.
impl fmt::Debug for UnverifiedMailToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnverifiedMailToken")
            .field("content", &self.content)
            .field("tag", &"[redacted]")
            .finish_non_exhaustive()
    }
}
