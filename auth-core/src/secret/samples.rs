//! Recognises sample secrets: the words of tutorials and templates, with no random text between the words.
//!
//! Estimators of password strength are not used, because they recognise passwords that people choose, not the
//! placeholders of templates.

use zeroize::Zeroizing;

/// The words that sample secrets consist of, in lower case.
const WORDS: &[&str] = &[
    // Sequences of characters and complete keys that are not words.
    "0123456789abcdef",
    "09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7",
    "1234567890",
    "404e635266556a586e3272357538782f413f4428472b4b6250645367566b5970",
    "abcdefghijklmnopqrstuvwxyz",
    "abcedfghijklmnopqrstuvwxyz",
    "asdfghjkl",
    "qwertyuiopasdfghjklzxcvbnm",
    "zxcvbnm",
    // Words for an application and its settings, and placeholders such as "foobar".
    "access",
    "admin",
    "api",
    "app",
    "application",
    "auth",
    "authentication",
    "backend",
    "bearer",
    "better",
    "cat",
    "changeit",
    "changeme",
    "cookie",
    "default",
    "demo",
    "dev",
    "development",
    "django",
    "dummy",
    "example",
    "fallback",
    "foobar",
    "hello",
    "hmac",
    "hs",
    "jwt",
    "key",
    "keyboard",
    "letmein",
    "local",
    "localhost",
    "pass",
    "passphrase",
    "password",
    "phrase",
    "placeholder",
    "prod",
    "production",
    "qwerty",
    "refresh",
    "root",
    "sample",
    "secret",
    "server",
    "service",
    "session",
    "sha",
    "shh",
    "sign",
    "signing",
    "staging",
    "string",
    "test",
    "testing",
    "tests",
    "text",
    "token",
    "tokens",
    "user",
    "value",
    "world",
    // Words of instructions, such as "change this in production".
    "a",
    "actual",
    "and",
    "any",
    "as",
    "at",
    "be",
    "bit",
    "bits",
    "bytes",
    "change",
    "char",
    "character",
    "characters",
    "chars",
    "do",
    "enough",
    "for",
    "here",
    "in",
    "insecure",
    "is",
    "it",
    "least",
    "length",
    "long",
    "me",
    "min",
    "minimum",
    "must",
    "my",
    "not",
    "of",
    "only",
    "or",
    "our",
    "please",
    "random",
    "real",
    "replace",
    "safe",
    "secure",
    "should",
    "so",
    "some",
    "strong",
    "super",
    "that",
    "the",
    "this",
    "to",
    "top",
    "ultra",
    "unsafe",
    "use",
    "very",
    "with",
    "you",
    "your",
];

/// The minimum length of a marker, in bytes. A marker is a word that marks a secret as a sample. Shorter words also
/// occur in random text by chance.
const MIN_MARKER_BYTES: usize = 3;

/// Returns whether `secret` consists only of sample words, in upper or lower case, and padding ([`is_padding`]). At
/// least one of the words must be a marker ([`MIN_MARKER_BYTES`]).
///
/// Entry `n` of `coverage` describes the first `n` bytes. The time is proportional to the length of the secret.
pub(super) fn is_sample(secret: &[u8]) -> bool {
    let text = Zeroizing::new(secret.to_ascii_lowercase());
    let mut coverage = vec![Coverage::Other; text.len() + 1];
    record(&mut coverage, 0, Coverage::Unmarked);
    for position in 0..text.len() {
        let current = coverage.get(position).copied().unwrap_or_default();
        if current == Coverage::Other {
            continue;
        }
        let (head, tail) = text.split_at(position);
        if is_padding(head, tail) {
            record(&mut coverage, position + 1, current);
        }
        for word in WORDS.iter().map(|word| word.as_bytes()) {
            if tail.starts_with(word) {
                let is_marker = word.len() >= MIN_MARKER_BYTES;
                let word_coverage = if is_marker { Coverage::Marked } else { current };
                record(&mut coverage, position + word.len(), word_coverage);
            } else if word.starts_with(tail) {
                // The last word may be cut off.
                record(&mut coverage, text.len(), current);
            }
        }
    }
    coverage.last() == Some(&Coverage::Marked)
}

/// The content of the first bytes of a secret.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Coverage {
    /// Text that is not only words and padding.
    #[default]
    Other,
    /// Only padding and words, none of which is a marker.
    Unmarked,
    /// Only padding and words, at least one of which is a marker.
    Marked,
}

/// Records what the first `length` bytes consist of, unless a higher coverage is recorded already.
fn record(coverage: &mut [Coverage], length: usize, new_coverage: Coverage) {
    if let Some(slot) = coverage.get_mut(length) {
        *slot = new_coverage.max(*slot);
    }
}

/// Returns whether the first byte of `tail` is padding: not a letter, the same letter as the last byte of `head`, or
/// the first of three equal letters.
fn is_padding(head: &[u8], tail: &[u8]) -> bool {
    tail.first().is_some_and(|byte| {
        !byte.is_ascii_alphabetic() || head.last() == Some(byte) || tail.starts_with(&[*byte; 3])
    })
}

#[cfg(test)]
mod tests {
    use super::is_sample;

    #[test]
    fn samples_of_tutorials_and_templates_are_recognised() {
        for sample in [
            "secretsecretsecretsecretsecretsecret",
            "secretsecretsecretsecretsecretse",
            "changeme-changeme-changeme-changeme",
            "changeme000000000000000000000000000",
            "0000000000000000000000000000secret",
            "xxxxxxxxxxxxxxsecretxxxxxxxxxxxxxxx",
            "secret\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
            "Password12345678901234567890123456",
            "your-256-bit-secret-your-256-bit-secret",
            "a-string-secret-at-least-256-bits-long",
            "your-secret-key-change-in-production",
            "your-super-secret-jwt-key-change-this-in-production",
            "your_jwt_secret_key_here_change_in_production",
            "my-32-character-ultra-secure-and-ultra-long-secret",
            "super-secret-jwt-token-with-at-least-32-characters-long",
            "better-auth-secret-12345678901234567890",
            "ThisTokenIsNotSoSecretChangeItPlease",
            "DO NOT USE THIS VALUE. REPLACE IT WITH A REAL SECRET",
            "keyboard cat keyboard cat keyboard cat",
            "shhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhh",
            "abcdefghijklmnopqrstuvwxyz123456",
            "12345678901234567890123456789012",
            "0123456789abcdef0123456789ABCDEF",
            "09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7",
            "404E635266556A586E3272357538782F413F4428472B4B6250645367566B5970",
            "qwertyuiopasdfghjklzxcvbnm123456",
        ] {
            assert!(is_sample(sample.as_bytes()), "{sample}");
        }
    }

    #[test]
    fn secrets_with_random_text_are_not_samples() {
        for secret in [
            "secretwJ9vRkq2x8Yt4Lm7Zb1Nc5Hd3Gf6Sa0P",
            "django-insecure-#8x!kq2v@w7zp$r3m_0c5b1n9",
            "correct-horse-battery-staple-zeppelin",
            "84739275298347592384759238475923",
            "b1946ac92492d2347c6235b4d2611184",
            "GEheQUZjWUDe5S0TkGoKbm6jvWqTQ9Mh",
            "",
        ] {
            assert!(!is_sample(secret.as_bytes()), "{secret}");
        }
    }
}
