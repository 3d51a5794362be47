//! Defines the scope of a token, the claim `scope`.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use serde::de::{self, Deserialize, Deserializer};
use serde::ser::{Serialize, Serializer};

use crate::Error;
use crate::json::JsonString;

/// The scope of a token (RFC 6749 § 3.3), which limits what the token may be used for. Without a scope, a token may be
/// used for everything that its user may do.
///
/// A scope is a text of 1 to 64 names with one space between two of them, at most 1024 bytes. A name consists of
/// printable ASCII characters except `"` and `\`. The order of the names has no meaning, and a name that occurs twice
/// has the same meaning as once. In JSON, a scope is a string.
///
/// ```
/// use auth_core::Scope;
///
/// let scope = Scope::new("tasks:read tasks:write")?;
/// assert!(scope.contains("tasks:read"));
/// assert!(Scope::new("tasks:read")?.is_subset_of(&scope));
/// assert!(Scope::new("tasks:read  tasks:write").is_err());
/// # Ok::<(), auth_core::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Scope(Box<str>);

impl Scope {
    /// The maximum number of names in a scope: 64.
    pub const MAX_NAMES: usize = 64;
    /// The longest text of a scope, in bytes: 1024.
    pub const MAX_BYTES: usize = 1024;

    /// Creates a scope from its text.
    ///
    /// # Errors
    ///
    /// [`Error::UnacceptableClaims`] if the text is empty, has more than 1024 bytes or 64 names, contains a `"`, a `\`
    /// or a character that is not printable ASCII, or if there is not exactly one space between two names.
    pub fn new(text: impl Into<String>) -> Result<Self, Error> {
        let text = text.into();
        check_scope(&text)?;
        Ok(Self(text.into_boxed_str()))
    }

    /// Creates a scope of these names, in their order.
    ///
    /// # Errors
    ///
    /// [`Error::UnacceptableClaims`] as for [`new`](Self::new), and if a name is empty or contains a space.
    pub fn from_names<N: AsRef<str>>(names: impl IntoIterator<Item = N>) -> Result<Self, Error> {
        let mut text = String::new();
        for name in names {
            let name = name.as_ref();
            if name.is_empty() || name.contains(' ') {
                return Err(MALFORMED_SCOPE);
            }
            if !text.is_empty() {
                text.push(' ');
            }
            text.push_str(name);
        }
        Self::new(text)
    }

    /// Creates a scope whose text [`check_scope`] has accepted.
    pub(crate) fn from_checked(text: Cow<'_, str>) -> Self {
        Self(text.into_owned().into_boxed_str())
    }

    /// Returns whether `name` is one of the names, byte for byte. Allocates nothing.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        self.iter().any(|own_name| own_name == name)
    }

    /// Returns whether `other` contains every name of this scope. A server that issues a token with a narrower scope
    /// requires that the requested scope is a subset of the caller's.
    #[must_use]
    pub fn is_subset_of(&self, other: &Self) -> bool {
        self.iter().all(|name| other.contains(name))
    }

    /// Iterates over the names, in the order of the text.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.split(' ')
    }

    /// Returns the text, as in the claim `scope`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

const MALFORMED_SCOPE: Error = Error::UnacceptableClaims(
    "a scope must be names of printable ASCII without quotation mark and backslash, separated by one space",
);

const NAME: u8 = 0;
const SPACE: u8 = 1;
const FORBIDDEN: u8 = 2;
/// Whether a byte is part of a name, a space or forbidden. The classes are bits, so that a pass without branches finds
/// every violation.
#[expect(clippy::indexing_slicing, reason = "evaluated by the compiler")]
const BYTE_CLASSES: [u8; 256] = {
    let mut classes = [FORBIDDEN; 256];
    let mut byte = b'!';
    while byte <= b'~' {
        classes[byte as usize] = NAME;
        byte += 1;
    }
    classes[b' ' as usize] = SPACE;
    classes[b'"' as usize] = FORBIDDEN;
    classes[b'\\' as usize] = FORBIDDEN;
    classes
};

/// Checks the text of a scope, by the rules of [`Scope::new`].
pub(crate) fn check_scope(text: &str) -> Result<(), Error> {
    if text.len() > Scope::MAX_BYTES {
        return Err(Error::UnacceptableClaims(
            "a scope must have at most 1024 bytes",
        ));
    }
    // Checks the text as if it had a space before and after. So an empty text, and a space at the start or the end of
    // the text, are found as two spaces in a row.
    let (violations, last) = text
        .bytes()
        .fold((NAME, SPACE), |(violations, previous), byte| {
            let class = BYTE_CLASSES.get(usize::from(byte)).copied();
            let class = class.unwrap_or(FORBIDDEN);
            (violations | (class & (FORBIDDEN | previous)), class)
        });
    if violations | (last & SPACE) != NAME {
        return Err(MALFORMED_SCOPE);
    }
    // A text of up to 128 bytes cannot have more than 64 names, so its names are not counted.
    if text.len() > 2 * Scope::MAX_NAMES && text.split(' ').count() > Scope::MAX_NAMES {
        return Err(Error::UnacceptableClaims(
            "a scope must have at most 64 names",
        ));
    }
    Ok(())
}

/// Does the same as [`Scope::new`].
impl FromStr for Scope {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::new(text)
    }
}

/// Writes the text, as in the claim `scope`.
impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Scope({:?})", self.0)
    }
}

/// Writes a string.
impl Serialize for Scope {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

/// Reads a string, with the rules of [`Scope::new`].
impl<'de> Deserialize<'de> for Scope {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let JsonString(text) = JsonString::deserialize(deserializer)?;
        Self::new(text).map_err(de::Error::custom)
    }
}
