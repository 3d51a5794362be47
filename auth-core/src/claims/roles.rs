//! Defines the roles of a caller, the claim `roles`.

use std::fmt;

use serde::de::{self, Deserialize, Deserializer, SeqAccess, Visitor};
use serde::ser::{Serialize, Serializer};

use crate::Error;
use crate::json::JsonString;

/// The size of the stack buffer for the text of a set, in bytes. Longer texts are collected on the heap.
const STACK_BYTES: usize = 256;

/// The roles of a caller (RFC 9068 § 2.2.3.1): a set of at most 32 names. The default is the empty set.
///
/// A name has 1 to 64 characters of `a-z`, `0-9`, `.`, `_`, `:` and `-`. No name occurs twice. The order of the names is
/// kept. In JSON, roles are an array of strings.
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
    Box<str>,
);

impl Roles {
    /// The most roles in a set: 32.
    pub const MAX_ROLES: usize = 32;
    /// The longest name of a role, in bytes: 64.
    pub const MAX_NAME_BYTES: usize = 64;

    /// Creates a set of these names.
    ///
    /// # Errors
    ///
    /// [`Error::UnacceptableClaims`] if there are more than 32 names, a name occurs twice, or a name does not have 1 to
    /// 64 characters of `a-z`, `0-9`, `.`, `_`, `:` and `-`.
    pub fn new<N: AsRef<str>>(names: impl IntoIterator<Item = N>) -> Result<Self, Error> {
        let mut buffer = RoleBuffer::new();
        for name in names {
            buffer.push(name.as_ref())?;
        }
        buffer.into_roles()
    }

    /// Returns whether `role` is one of the roles, byte for byte. Allocates nothing.
    #[must_use]
    pub fn contains(&self, role: &str) -> bool {
        self.iter().any(|name| name == role)
    }

    /// Iterates over the names, in their order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.split_ascii_whitespace()
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

/// The text of a set while its names are read. Usual texts are collected on the stack, so that a set needs one
/// allocation.
struct RoleBuffer {
    stack: [u8; STACK_BYTES],
    /// The number of bytes in `stack`.
    length: usize,
    /// The whole text, as soon as it does not fit into `stack`.
    heap: Vec<u8>,
    count: usize,
}

impl RoleBuffer {
    const fn new() -> Self {
        Self {
            stack: [0; STACK_BYTES],
            length: 0,
            heap: Vec::new(),
            count: 0,
        }
    }

    fn text(&self) -> &[u8] {
        if self.heap.is_empty() {
            self.stack.get(..self.length).unwrap_or_default()
        } else {
            &self.heap
        }
    }

    fn push(&mut self, name: &str) -> Result<(), Error> {
        if !is_role_name(name) {
            return Err(Error::UnacceptableClaims(
                "a role must have 1 to 64 characters of a-z, 0-9, '.', '_', ':' and '-'",
            ));
        }
        let mut names = self.text().split(|byte| *byte == b' ');
        if names.any(|earlier| earlier == name.as_bytes()) {
            return Err(Error::UnacceptableClaims("a role must not occur twice"));
        }
        if self.count == Roles::MAX_ROLES {
            return Err(Error::UnacceptableClaims("there must be at most 32 roles"));
        }
        if self.count > 0 {
            self.append(b" ");
        }
        self.append(name.as_bytes());
        self.count += 1;
        Ok(())
    }

    fn append(&mut self, bytes: &[u8]) {
        let end = self.length + bytes.len();
        match self.stack.get_mut(self.length..end) {
            Some(target) if self.heap.is_empty() => {
                target.copy_from_slice(bytes);
                self.length = end;
            }
            _ => {
                if self.heap.is_empty() {
                    self.heap = self.text().to_vec();
                }
                self.heap.extend_from_slice(bytes);
            }
        }
    }

    fn into_roles(self) -> Result<Roles, Error> {
        let text = str::from_utf8(self.text()).map_err(|_names_are_ascii| Error::Crypto)?;
        Ok(Roles(text.into()))
    }
}

fn is_role_name(name: &str) -> bool {
    let is_allowed =
        |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b':' | b'-');
    let are_allowed = name
        .bytes()
        .fold(true, |are_allowed, byte| are_allowed & is_allowed(byte));
    are_allowed && (1..=Roles::MAX_NAME_BYTES).contains(&name.len())
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

            // Not inlined, so that the buffer is no part of the stack frame of a token without roles.
            #[inline(never)]
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Roles, A::Error> {
                let mut buffer = RoleBuffer::new();
                while let Some(JsonString(name)) = seq.next_element()? {
                    buffer.push(&name).map_err(de::Error::custom)?;
                }
                buffer.into_roles().map_err(de::Error::custom)
            }
        }
        deserializer.deserialize_seq(RolesVisitor)
    }
}
