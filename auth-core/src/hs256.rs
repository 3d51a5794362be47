//! Computes HMAC-SHA-256 (RFC 2104, RFC 7518 § 3.2). A key is processed once, and the state is cloned per message.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

/// The block size of SHA-256, in bytes.
const BLOCK_BYTES: usize = 64;

/// The state of HMAC after the key was processed. The state is wiped on drop.
#[derive(Clone)]
pub(crate) struct MacKey(Hmac<Sha256>);

impl MacKey {
    /// Prepares a key of any length: a key longer than a block is hashed, then zeros fill the block (RFC 2104 § 2).
    ///
    /// `Hmac::new_from_slice` would do the same, but returns a `Result`. `Hmac::new` needs a whole block and returns no
    /// `Result`.
    pub(crate) fn new(key: &[u8]) -> Self {
        let mut block = Zeroizing::new([0; BLOCK_BYTES]);
        if let Some(block_start) = block.get_mut(..key.len()) {
            block_start.copy_from_slice(key);
        } else {
            let hash = Zeroizing::new(<[u8; 32]>::from(Sha256::digest(key)));
            let (block_start, _zeros) = block.split_at_mut(hash.len());
            block_start.copy_from_slice(&*hash);
        }
        Self(Hmac::new((&*block).into()))
    }

    /// Computes the MAC of `message`.
    pub(crate) fn tag(&self, message: &[u8]) -> [u8; 32] {
        self.0
            .clone()
            .chain_update(message)
            .finalize()
            .into_bytes()
            .into()
    }

    /// Returns whether `tag` is the MAC of `message`, in constant time; `false` unless `tag` has 32 bytes.
    pub(crate) fn verifies(&self, message: &[u8], tag: &[u8]) -> bool {
        let mac = self.0.clone().chain_update(message);
        mac.verify_slice(tag).is_ok()
    }

    /// Returns whether the MAC of `message` starts with `start`, in constant time; `false` unless `start` has 1 to 32
    /// bytes.
    pub(crate) fn verifies_start(&self, message: &[u8], start: &[u8]) -> bool {
        let mac = self.0.clone().chain_update(message);
        mac.verify_truncated_left(start).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::MacKey;
    use hmac::{Hmac, KeyInit as _, Mac as _};
    use sha2::Sha256;

    #[test]
    fn short_and_long_keys_produce_the_mac_of_the_hmac_crate() {
        for length in [0, 1, 32, 63, 64, 65, 131, 1000] {
            let key: Vec<u8> = (0..length)
                .map(|n| u8::try_from(n % 251).unwrap())
                .collect();
            let reference_mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
            let expected_tag: [u8; 32] = reference_mac
                .chain_update(b"text")
                .finalize()
                .into_bytes()
                .into();
            assert_eq!(MacKey::new(&key).tag(b"text"), expected_tag, "{length}");
        }
    }

    #[test]
    fn a_shortened_or_extended_tag_is_rejected() {
        let key = MacKey::new(&[7; 32]);
        let tag = key.tag(b"text");
        assert!(key.verifies(b"text", &tag));
        assert!(!key.verifies(b"test", &tag));
        assert!(!key.verifies(b"text", &tag[..31]));
        assert!(!key.verifies(b"text", &[&tag[..], &[0]].concat()));
        assert!(!key.verifies(b"text", b""));
    }

    #[test]
    fn every_start_of_the_tag_but_the_empty_one_is_accepted() {
        let key = MacKey::new(&[7; 32]);
        let tag = key.tag(b"text");
        for length in 1..=32 {
            assert!(key.verifies_start(b"text", &tag[..length]), "{length}");
            assert!(!key.verifies_start(b"test", &tag[..length]), "{length}");
            let mut other_start = tag[..length].to_vec();
            other_start[length - 1] ^= 1;
            assert!(!key.verifies_start(b"text", &other_start), "{length}");
        }
        assert!(!key.verifies_start(b"text", b""));
        assert!(!key.verifies_start(b"text", &[&tag[..], &[0]].concat()));
    }
}
