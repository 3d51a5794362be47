//! The commands of the program. A doc comment is the text in `--help`.

use clap::Subcommand;

use super::users::UsersCommand;

/// The commands of the program.
#[derive(Subcommand, Clone, Debug)]
#[non_exhaustive]
pub enum Command {
    /// Run the server (the default).
    Serve,
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
