//! The commands of the program. Their doc comments are the texts of `--help`.

use std::path::PathBuf;

use clap::{Subcommand, ValueEnum};

use super::users::UsersCommand;

/// The commands of the program.
#[derive(Subcommand, Clone, Debug)]
#[non_exhaustive]
pub enum Command {
    /// Run the server (the default).
    Serve,
    /// Check the settings, the database, the clock, the mail server and the permissions of files, and say what to
    /// correct. Changes nothing.
    Check,
    /// Ask the server at `BIND_ADDR` whether it works, for the probes of containers. The exit status is 0 only if it
    /// does.
    Health {
        /// Ask whether the server is ready for requests: whether the database responds, and the revocations are up to
        /// date.
        #[arg(long)]
        ready: bool,
    },
    /// Copy the SQLite database to a new file, also while the server runs. The file contains the password hashes: keep
    /// it secret.
    Backup {
        /// File to create.
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Replace the SQLite database with a backup, and end all sessions, because the backup does not show which of them
    /// have ended since.
    Restore {
        /// File that `backup` has written.
        #[arg(
            value_name = "FILE",
            required_unless_present = "end_sessions",
            conflicts_with = "end_sessions"
        )]
        file: Option<PathBuf>,
        /// Replace a database that has accounts.
        #[arg(long, conflicts_with = "end_sessions")]
        replace: bool,
        /// Only end all sessions, after the database was restored in another way, such as by `pg_restore` or a
        /// point-in-time recovery.
        #[arg(long)]
        end_sessions: bool,
    },
    /// Migrate the database to the current schema and exit.
    Migrate,
    /// Print the OpenAPI document and exit.
    Openapi,
    /// Generate, derive or show secrets and keys.
    #[command(subcommand)]
    Keys(KeysCommand),
    /// Import, export or check users, and set their roles and claims.
    #[command(subcommand)]
    Users(UsersCommand),
    /// Test the settings of mails.
    #[command(subcommand)]
    Mail(MailCommand),
}

/// The subcommands of `keys`.
#[derive(Subcommand, Clone, Debug)]
#[non_exhaustive]
pub enum KeysCommand {
    /// Print a new random secret for `AUTH_SECRET`; or, with an algorithm, create a file with a private key for
    /// `AUTH_SIGNING_KEY`, and print its public key and thumbprint.
    Generate {
        /// Algorithm of the private key.
        #[arg(long, value_name = "ALGORITHM", requires = "file")]
        algorithm: Option<KeyAlgorithm>,
        /// File to create, readable by this user only.
        #[arg(value_name = "FILE", requires = "algorithm")]
        file: Option<PathBuf>,
    },
    /// Print the public key (JWK) and the thumbprint of a key file, private or public.
    Show {
        /// File of the key, PEM.
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Print the key of one service, or its credential for the feed of revocations, derived from `AUTH_SECRET`.
    Derive {
        /// Audience (aud) of the service, one of `TOKEN_AUDIENCES`. With the printed key, the service verifies its
        /// tokens; it needs no other secret.
        #[arg(
            long,
            value_name = "NAME",
            required_unless_present = "feed",
            conflicts_with = "feed"
        )]
        audience: Option<String>,
        /// Name of the service. With its credential, the service can read the revoked sessions, but sign nothing.
        #[arg(long, value_name = "NAME")]
        feed: Option<String>,
    },
}

/// The algorithm of a private key.
#[derive(ValueEnum, Clone, Copy, Debug)]
#[non_exhaustive]
pub enum KeyAlgorithm {
    /// EdDSA (Ed25519), which is faster than ES256.
    Eddsa,
    /// ECDSA with a key on P-256, for verifiers without EdDSA, such as those of .NET.
    Es256,
}

/// The subcommands of `mail`.
#[derive(Subcommand, Clone, Debug)]
#[non_exhaustive]
pub enum MailCommand {
    /// Send a test mail with the current settings, and print the reply of the mail server.
    Test {
        /// Email address to which the mail is sent.
        #[arg(long, value_name = "ADDRESS")]
        to: String,
    },
}

/// Returns whether `TERM` is missing or `dumb`. Escape codes must then not be sent to the terminal.
pub(crate) fn is_dumb_terminal() -> bool {
    std::env::var_os("TERM").is_none_or(|terminal| terminal == "dumb")
}
