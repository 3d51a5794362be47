//! Computes the thumbprint of a key.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

/// A member of a JWK: its name and its value, neither of which needs escaping in JSON.
pub(super) type Member = (&'static str, String);

/// Returns the SHA-256 thumbprint of a key (RFC 7638 § 3) in base64url, 43 characters. `required_members` are the
/// required members of the key in the order of their names.
pub(super) fn thumbprint(required_members: &[Member]) -> String {
    let members: Vec<String> = required_members
        .iter()
        .map(|(name, value)| format!(r#""{name}":"{value}""#))
        .collect();
    let json = format!("{{{}}}", members.join(","));
    URL_SAFE_NO_PAD.encode(Sha256::digest(json))
}

#[cfg(test)]
mod tests {
    use super::thumbprint;

    fn owned(members: &[(&'static str, &str)]) -> Vec<(&'static str, String)> {
        let to_owned = |(name, value): &(&'static str, &str)| (*name, (*value).to_owned());
        members.iter().map(to_owned).collect()
    }

    #[test]
    fn the_examples_of_the_rfcs_have_their_thumbprints() {
        // RFC 8037 appendix A.3.
        let ed25519 = owned(&[
            ("crv", "Ed25519"),
            ("kty", "OKP"),
            ("x", "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"),
        ]);
        assert_eq!(
            thumbprint(&ed25519),
            "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
        );
        // RFC 7638 § 3.1.
        let rsa = owned(&[
            ("e", "AQAB"),
            ("kty", "RSA"),
            (
                "n",
                "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRX\
                 jBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSq\
                 zs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHa\
                 Q-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw",
            ),
        ]);
        assert_eq!(
            thumbprint(&rsa),
            "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
        );
    }
}
