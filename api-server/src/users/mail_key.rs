//! Generates mail keys. The MAC of a token or code in a mail covers the user's mail key, so a new key makes all earlier
//! tokens and codes invalid, except tokens that undo a change of the email address: each of these has a key of its own,
//! in the table `email_undos`.

use auth_core::{Error, Secret};

/// Returns a new mail key: 32 random bytes, written as 43 characters of base64url.
pub(crate) fn generate_mail_key() -> Result<String, Error> {
    let bytes = Secret::generate()?.expose().to_vec();
    String::from_utf8(bytes).map_err(|_not_text| Error::Crypto)
}

#[cfg(test)]
mod tests {
    use super::generate_mail_key;

    #[test]
    fn a_mail_key_is_43_random_characters() {
        let keys = [generate_mail_key().unwrap(), generate_mail_key().unwrap()];
        assert_ne!(keys[0], keys[1]);
        for key in keys {
            assert_eq!(key.len(), 43);
            let is_base64url = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
            assert!(key.bytes().all(is_base64url), "{key}");
        }
    }
}
