//! Defines the roles of a caller, the claim `roles`.

use std::fmt;

use serde::de::{self, Deserialize, Deserializer, SeqAccess, Visitor};
use serde::ser::{Serialize, Serializer};

use crate::Error;
use crate::json::JsonString;

/// The capacity of the text of a new set, in bytes. The text of a usual set fits, so that the set needs one allocation.
const USUAL_BYTES: usize = 64;
const MAX_NAME_LENGTH: u8 = 64;

/// The roles of a caller (RFC 9068 § 2.2.3.1): a set of at most 32 names. The default is the empty set.
///
/// A name has 1 to 64 characters of `a-z`, `0-9`, `.`, `_`, `:` and `-`. No name occurs twice. The order of the names
/// is kept. In JSON, roles are an array of strings.
///
/// ```
/// use auth_core::Roles;
///
/// let roles = Roles::new(["admin", "billing.read"])?;
/// assert!(roles.contains("admin"));
/// assert_eq!(roles.iter().collect::<Vec<_>>(), ["admin", "billing.read"]);
/// assert!(Roles::new(["Admin"]).is_err());
/// # Ok::<(), auth_core::Error>(())
/// ```
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct Roles(
    /// The names, with one space between two of them.
    String,
);

impl Roles {
    /// The maximum number of roles in a set: 32.
    pub const MAX_ROLES: usize = 32;
    /// The longest name of a role, in bytes: 64.
    pub const MAX_NAME_BYTES: usize = MAX_NAME_LENGTH as usize;

    /// Creates a set of these names.
    ///
    /// # Errors
    ///
    /// [`Error::UnacceptableClaims`] if there are more than 32 names, a name occurs twice, or a name does not have 1 to
    /// 64 characters of `a-z`, `0-9`, `.`, `_`, `:` and `-`.
    pub fn new<N: AsRef<str>>(names: impl IntoIterator<Item = N>) -> Result<Self, Error> {
        let mut builder = RolesBuilder::default();
        for name in names {
            builder.push(name.as_ref())?;
        }
        Ok(Self(builder.text))
    }

    /// Returns whether `role` is one of the roles, byte for byte. Allocates nothing.
    #[must_use]
    pub fn contains(&self, role: &str) -> bool {
        self.iter().any(|name| name == role)
    }

    /// Iterates over the names, in their order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.split_terminator(' ')
    }

    /// Returns the number of roles.
    #[must_use]
    pub fn len(&self) -> usize {
        self.iter().count()
    }

    /// Returns whether there are no roles.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Shows the names as a list.
impl fmt::Debug for Roles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// A set of roles to which names are added.
#[derive(Default)]
struct RolesBuilder {
    text: String,
    /// The length of each name in `text`, in bytes.
    lengths: [u8; Roles::MAX_ROLES],
    count: usize,
}

impl RolesBuilder {
    fn push(&mut self, name: &str) -> Result<(), Error> {
        let length = checked_name_length(name)?;
        if self.contains(name) {
            return Err(Error::UnacceptableClaims("a role must not occur twice"));
        }
        let Some(new_length) = self.lengths.get_mut(self.count) else {
            return Err(Error::UnacceptableClaims("there must be at most 32 roles"));
        };
        *new_length = length;
        if self.count == 0 {
            self.text.reserve(USUAL_BYTES);
        } else {
            self.text.push(' ');
        }
        self.text.push_str(name);
        self.count += 1;
        Ok(())
    }

    /// Returns whether `name` is in the set. Compares only with the names of the same length.
    fn contains(&self, name: &str) -> bool {
        let mut start = 0;
        self.lengths.iter().take(self.count).any(|length| {
            let end = start + usize::from(*length);
            let range = start..end;
            start = end + 1;
            range.len() == name.len() && self.text.get(range) == Some(name)
        })
    }
}

/// Whether a name may contain the byte, for each byte.
#[expect(clippy::indexing_slicing, reason = "evaluated by the compiler")]
const IS_ALLOWED: [bool; 256] = {
    let mut table = [false; 256];
    let mut rest: &[u8] = b"abcdefghijklmnopqrstuvwxyz0123456789._:-";
    while let [byte, others @ ..] = rest {
        table[*byte as usize] = true;
        rest = others;
    }
    table
};

/// Returns the length of a name, in bytes, or an error if the name is not valid.
fn checked_name_length(name: &str) -> Result<u8, Error> {
    let is_allowed = |byte: u8| IS_ALLOWED.get(usize::from(byte)) == Some(&true);
    match u8::try_from(name.len()) {
        Ok(length @ 1..=MAX_NAME_LENGTH) if name.bytes().all(is_allowed) => Ok(length),
        _ => Err(Error::UnacceptableClaims(
            "a role must have 1 to 64 characters of a-z, 0-9, '.', '_', ':' and '-'",
        )),
    }
}

/// Writes an array of strings.
impl Serialize for Roles {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

/// Reads an array of strings, with the rules of [`Roles::new`].
impl<'de> Deserialize<'de> for Roles {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct RolesVisitor;
        impl<'de> Visitor<'de> for RolesVisitor {
            type Value = Roles;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array of roles")
            }

            // Not inlined, so that the builder does not enlarge the stack frame for tokens without roles.
            #[inline(never)]
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Roles, A::Error> {
                let mut builder = RolesBuilder::default();
                while let Some(JsonString(name)) = seq.next_element()? {
                    builder.push(&name).map_err(de::Error::custom)?;
                }
                Ok(Roles(builder.text))
            }
        }
        deserializer.deserialize_seq(RolesVisitor)
    }
}
