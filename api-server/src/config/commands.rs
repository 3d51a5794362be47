//! The commands of the program. A doc comment is the text in `--help`.

use std::path::PathBuf;

use clap::Subcommand;

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
    /// Ask the server at `BIND_ADDR` whether it works, for the probes of containers. The exit status is 0 or 1.
    Health {
        /// Also ask whether it is ready for requests: the database responds, and revoked sessions are known.
        #[arg(long)]
        ready: bool,
    },
    /// Copy the SQLite database to a new file, also while the server runs. It contains the password hashes: keep it
    /// secret.
    Backup {
        /// File to create.
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Replace the SQLite database by a backup, and end all sessions: the backup does not know which sessions have ended
    /// since.
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
    /// Generate or derive secrets.
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
    /// Print a new random secret for `AUTH_SECRET`.
    Generate,
    /// Print the key of one service, derived from `AUTH_SECRET`. The service needs no other secret.
    Derive {
        /// Audience (aud) of the service, one of `TOKEN_AUDIENCES`.
        #[arg(long, value_name = "NAME")]
        audience: String,
    },
}

/// The subcommands of `mail`.
#[derive(Subcommand, Clone, Debug)]
#[non_exhaustive]
pub enum MailCommand {
    /// Send a test mail with the current settings, and print what the mail server answered.
    Test {
        /// Email address to which the mail is sent.
        #[arg(long, value_name = "ADDRESS")]
        to: String,
    },
}
