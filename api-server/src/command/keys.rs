//! Runs the commands `keys generate`, `keys show` and `keys derive`.

use std::io::{self, ErrorKind};
use std::path::Path;
use std::process::ExitCode;

use auth_core::Secret;
use auth_core::public_key::{Algorithm, PublicKey, SigningKey};

use super::{EXIT_FAILURE, EXIT_INVALID_SETTINGS, fail, print};
use crate::config::{KeyAlgorithm, KeysCommand, Settings, read_public_key};
use crate::new_file;

pub(super) fn run(settings: &Settings, command: &KeysCommand) -> ExitCode {
    match command {
        KeysCommand::Generate {
            algorithm: Some(algorithm),
            file: Some(file),
        } => generate_key(*algorithm, file),
        // clap accepts `--algorithm` and FILE only together, so both are missing here.
        KeysCommand::Generate { .. } => generate_secret(),
        KeysCommand::Show { file } => show_key(file),
        KeysCommand::Derive { audience, feed } => match (audience, feed) {
            (_, Some(name)) => derive_feed_credential(settings, name),
            (audience, None) => derive_key(settings, audience.as_deref().unwrap_or_default()),
        },
    }
}

fn generate_secret() -> ExitCode {
    match Secret::generate() {
        Ok(secret) => print_secret(&secret),
        Err(error) => fail(EXIT_FAILURE, &error),
    }
}

fn derive_key(settings: &Settings, audience: &str) -> ExitCode {
    match settings.derive_key(audience) {
        Ok(key) => print_secret(&key),
        Err(problems) => fail(EXIT_INVALID_SETTINGS, &problems),
    }
}

fn derive_feed_credential(settings: &Settings, name: &str) -> ExitCode {
    match settings.derive_feed_credential(name) {
        Ok(credential) => print(&format!("{}\n", *credential.expose())),
        Err(problems) => fail(EXIT_INVALID_SETTINGS, &problems),
    }
}

fn print_secret(secret: &Secret) -> ExitCode {
    print(&format!("{}\n", String::from_utf8_lossy(secret.expose())))
}

fn show_key(file: &Path) -> ExitCode {
    match read_public_key(file) {
        Ok(key) => print_public_key(&key),
        Err(problem) => fail(EXIT_INVALID_SETTINGS, &problem),
    }
}

/// Prints the JWK in one line, then the thumbprint.
fn print_public_key(key: &PublicKey) -> ExitCode {
    print(&format!("{}\n{}\n", key.to_jwk(), key.thumbprint()))
}

fn generate_key(algorithm: KeyAlgorithm, file: &Path) -> ExitCode {
    let algorithm = match algorithm {
        KeyAlgorithm::Eddsa => Algorithm::EdDsa,
        KeyAlgorithm::Es256 => Algorithm::Es256,
    };
    let key_and_pem = SigningKey::generate(algorithm).and_then(|key| Ok((key.to_pem()?, key)));
    let (pem, key) = match key_and_pem {
        Ok(key_and_pem) => key_and_pem,
        Err(error) => return fail(EXIT_FAILURE, &error),
    };
    match new_file::write(file, &[pem.as_bytes()]) {
        Ok(()) => print_public_key(key.public_key()),
        Err(error) => fail(EXIT_FAILURE, &explain(file, &error)),
    }
}

fn explain(file: &Path, error: &io::Error) -> String {
    let path = file.display();
    match error.kind() {
        ErrorKind::AlreadyExists => format!(
            "{path} exists and is not replaced, because it may be a key in use; choose another name"
        ),
        _ => format!("cannot create {path}: {error}"),
    }
}
