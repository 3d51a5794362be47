//! Reads the files of the signing key and of the public keys. An error about a file names it, and never quotes its
//! content.

use std::fmt::Display;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use auth_core::Keyring;
use auth_core::public_key::{Algorithm, PublicKey, SigningKey};
use zeroize::Zeroizing;

use super::Settings;
use super::parse;
use super::parse::ProblemCollector;
use crate::sessions::token_keys::TokenKeys;

/// The longest key file, in bytes. A key of an accepted type has less than 1 KiB.
const MAX_BYTES: usize = 64 * 1024;

/// The keys of `AUTH_SIGNING_KEY` and `AUTH_VERIFYING_KEYS`.
pub(super) struct KeyFiles {
    signing_key: Option<SigningKey>,
    verifying_keys: Vec<PublicKey>,
}

impl KeyFiles {
    pub(super) fn with_keyring(self, keyring: Keyring) -> TokenKeys {
        TokenKeys {
            keyring,
            signing_key: self.signing_key,
            verifying_keys: self.verifying_keys,
        }
    }
}

impl Settings {
    /// Returns whether the settings name a key file.
    pub(super) fn has_key_files(&self) -> bool {
        let settings = [&self.auth_signing_key, &self.auth_verifying_keys];
        settings
            .into_iter()
            .any(|files| parse::comma_separated(files.as_deref()).next().is_some())
    }

    /// Reads the key files, and records the first problem of each setting.
    pub(super) fn read_key_files(&self, problems: &mut ProblemCollector) -> Option<KeyFiles> {
        const VERIFYING_KEYS: &str = "AUTH_VERIFYING_KEYS";
        /// Leaves room for the signing key, because at most 64 keys can be published.
        const MAX_FILES: usize = 63;
        let signing_file = self.auth_signing_key.as_deref().map(str::trim);
        let signing_file = signing_file.filter(|file| !file.is_empty()).map(Path::new);
        let signing_key = signing_file.map(read_signing_key).transpose();
        let signing_key = problems.ok_or_record("AUTH_SIGNING_KEY", signing_key);
        let files: Vec<&str> =
            parse::comma_separated(self.auth_verifying_keys.as_deref()).collect();
        if files.len() > MAX_FILES {
            let remedy = format!("list at most {MAX_FILES} files");
            problems.record_error(VERIFYING_KEYS, Err(remedy));
            return None;
        }
        let keys = files
            .into_iter()
            .map(|file| read_public_key(Path::new(file)));
        let verifying_keys = problems.ok_or_record(VERIFYING_KEYS, keys.collect());
        Some(KeyFiles {
            signing_key: signing_key?,
            verifying_keys: verifying_keys?,
        })
    }
}

/// The text of a key file, which is wiped on drop.
struct KeyFile<'p> {
    path: &'p Path,
    text: Zeroizing<String>,
    /// Whether the mode gives any permission to users other than the owner.
    is_exposed: bool,
}

fn read_signing_key(path: &Path) -> Result<SigningKey, String> {
    KeyFile::read(path)?.signing_key()
}

/// Reads a public key, or the public key of a private key.
pub(crate) fn read_public_key(path: &Path) -> Result<PublicKey, String> {
    let file = KeyFile::read(path)?;
    if file.text.contains("PRIVATE KEY-----") {
        return Ok(file.signing_key()?.public_key().clone());
    }
    file.public_key()
}

impl<'p> KeyFile<'p> {
    /// Reads a file of at most [`MAX_BYTES`].
    fn read(path: &'p Path) -> Result<Self, String> {
        const NOT_PEM: &str = "the key is not PEM; convert a DER file with: openssl pkey -inform DER -in FILE -out NEW_FILE";
        let explain_error = |error| explain_io_error(path, &error);
        // Checked before the file is opened, because opening a named pipe would wait for its writer.
        if !fs::metadata(path).map_err(explain_error)?.is_file() {
            return Err(explain(path, "is not a file; name the file of one key"));
        }
        let file = File::open(path).map_err(explain_error)?;
        let mode = file.metadata().map_err(explain_error)?.permissions().mode();
        // A buffer that grows would leave copies of the key in freed memory.
        let mut bytes = Zeroizing::new(Vec::with_capacity(MAX_BYTES + 1));
        let result = file.take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes);
        result.map_err(explain_error)?;
        if bytes.len() > MAX_BYTES {
            return Err(explain(path, "is too long; name the file of one key"));
        }
        let text = std::str::from_utf8(&bytes).map_err(|_not_utf8| explain(path, NOT_PEM))?;
        Ok(Self {
            path,
            text: Zeroizing::new(text.to_owned()),
            is_exposed: mode & 0o077 != 0,
        })
    }

    /// Parses a private key. Rejects a file that other users of the machine have access to, because they may have
    /// copied it.
    fn signing_key(&self) -> Result<SigningKey, String> {
        let key = SigningKey::from_pem(&self.text).map_err(|error| explain(self.path, error))?;
        if self.is_exposed {
            let path = self.path.display();
            return Err(format!(
                "other users of this machine can read the private key {path}; if you trust them, run: \
                 chmod 600 '{path}'; if not, make another key"
            ));
        }
        Ok(key)
    }

    fn public_key(&self) -> Result<PublicKey, String> {
        let key = PublicKey::from_pem(&self.text).map_err(|error| explain(self.path, error))?;
        match key.algorithm() {
            Algorithm::EdDsa | Algorithm::Es256 => Ok(key),
            other => {
                let problem = format!("the key is for {other}; use an Ed25519 or P-256 key");
                Err(explain(self.path, problem))
            }
        }
    }
}

fn explain(file: &Path, problem: impl Display) -> String {
    format!("{}: {problem}", file.display())
}

fn explain_io_error(file: &Path, error: &io::Error) -> String {
    let remedy = "name a file that this user can read; make one with: api-server keys generate --algorithm eddsa FILE";
    explain(file, format!("{error}; {remedy}"))
}
