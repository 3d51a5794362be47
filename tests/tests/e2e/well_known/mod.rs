//! Tests the public keys and the metadata that the server publishes.

mod jwks;
mod oauth_authorization_server;

use auth_core::public_key::{Algorithm, KeySet, SigningKey};
use auth_core::{Claims, Error, TokenVerifier};
use e2e::{App, Options};
use harness::WorkDir;

pub(crate) fn new_key(algorithm: Algorithm) -> SigningKey {
    SigningKey::generate(algorithm).unwrap()
}

/// Starts a server that signs with `signing_key`, or with its secret if there is no such key. The server also publishes
/// and accepts `verifying_keys`.
pub(crate) fn start_with_keys(
    options: Options,
    signing_key: Option<&SigningKey>,
    verifying_keys: &[&SigningKey],
) -> App {
    // The server reads the files only at its start, so the folder may be removed afterwards.
    let folder = WorkDir::new();
    let write = |name: String, text: &str| {
        folder.write_private(&name, text);
        folder.path(&name).display().to_string()
    };
    let signing_file = signing_key.map(|key| write("key.pem".to_owned(), &key.to_pem().unwrap()));
    let verifying_files = verifying_keys
        .iter()
        .enumerate()
        .map(|(index, key)| write(format!("{index}.pem"), &key.public_key().to_pem().unwrap()));
    options
        .set("auth-signing-key", &signing_file.unwrap_or_default())
        .set(
            "auth-verifying-keys",
            &verifying_files.collect::<Vec<_>>().join(","),
        )
        .start()
}

/// Starts a server that signs with this key.
pub(crate) fn start_with_key(options: Options, signing_key: &SigningKey) -> App {
    start_with_keys(options, Some(signing_key), &[])
}

/// Verifies a token as a service that has only the public key.
pub(crate) fn verify_with_public_key(
    app: &App,
    key: &SigningKey,
    audience: &str,
    token: &str,
) -> Result<Claims, Error> {
    let keys = KeySet::new([key.public_key().clone()]).unwrap();
    let verifier = TokenVerifier::new(keys, "api-server", audience).unwrap();
    verifier.verify(token, app.clock.now())
}
