//! Defines the signature algorithms.

use std::fmt;

/// A signature algorithm (RFC 7518 § 3.1, RFC 8037 § 3.1). The type of a key determines its algorithm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Algorithm {
    /// EdDSA with a key on Ed25519 (RFC 8037 § 3.1). Deterministic, and faster to verify than ES256.
    EdDsa,
    /// ECDSA with SHA-256 and a key on P-256 (RFC 7518 § 3.4), for verifiers that lack EdDSA, such as those of .NET.
    Es256,
    /// RSASSA-PKCS1-v1_5 with SHA-256 (RFC 7518 § 3.3), for tokens of other issuers: this crate never signs with RSA.
    #[cfg(feature = "rs256")]
    Rs256,
}

impl Algorithm {
    /// Every algorithm that the enabled features support.
    pub(crate) const ALL: &[Self] = &[
        Self::EdDsa,
        Self::Es256,
        #[cfg(feature = "rs256")]
        Self::Rs256,
    ];

    /// Returns the name in the `alg` of a token or a JWK: `EdDSA`, `ES256` or `RS256`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::EdDsa => "EdDSA",
            Self::Es256 => "ES256",
            #[cfg(feature = "rs256")]
            Self::Rs256 => "RS256",
        }
    }

    /// Returns the algorithm of this name, which is case-sensitive (RFC 7515 § 4.1.1). `Ed25519` (RFC 9864 § 2.2) is
    /// another name of EdDSA with a key on Ed25519.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        if name == "Ed25519" {
            return Some(Self::EdDsa);
        }
        let mut algorithms = Self::ALL.iter().copied();
        algorithms.find(|algorithm| algorithm.name() == name)
    }
}

/// Writes the [`name`](Algorithm::name).
impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::Algorithm;

    #[test]
    fn every_algorithm_has_its_name_and_no_other_spelling_is_accepted() {
        for algorithm in Algorithm::ALL {
            assert_eq!(Algorithm::from_name(algorithm.name()), Some(*algorithm));
            assert_eq!(algorithm.to_string(), algorithm.name());
        }
        assert_eq!(Algorithm::from_name("Ed25519"), Some(Algorithm::EdDsa));
        for name in [
            "",
            "none",
            "None",
            "NONE",
            "HS256",
            "eddsa",
            "EDDSA",
            "es256",
            "ES256 ",
            "ES256K",
            "ES384",
            "ES512",
            "Ed448",
            "ed25519",
            "PS256",
            "RS384",
            "RS512",
            "rs256",
            "\u{455}256",
        ] {
            assert_eq!(Algorithm::from_name(name), None, "{name}");
        }
    }
}
