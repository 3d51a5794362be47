//! The command line of the subcommands of `users`.

use std::fmt;
use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::parse;
use super::parse::ProblemCollector;
use super::{SettingProblems, Settings};
use crate::db::{DatabaseUrl, TableName};
use crate::transfer::BetterAuthSource;

/// The subcommands of `users`.
#[derive(Subcommand, Clone, Debug)]
#[non_exhaustive]
pub enum UsersCommand {
    /// Import users from another system, with their password hashes. Can be repeated: users that already exist are not
    /// changed.
    #[command(subcommand)]
    Import(ImportCommand),
    /// List the accounts whose email address the current rule rejects or normalizes differently: their users may be
    /// unable to log in.
    Check {
        /// Store the normalized address, unless another account has it.
        #[arg(long)]
        fix: bool,
    },
    /// Show the roles of a user, and change them. Running servers and services that follow the revocations reject the
    /// user's earlier access tokens within seconds; a refresh gets a token with the new roles.
    Roles {
        /// Email address of the user.
        #[arg(value_name = "ADDRESS")]
        email: String,
        /// Role to add: 1 to 64 characters of a-z, 0-9, '.', '_', ':' and '-'. Can be repeated; a user has at most 32.
        #[arg(long, value_name = "ROLE")]
        add: Vec<String>,
        /// Role to remove. Can be repeated.
        #[arg(long, value_name = "ROLE")]
        remove: Vec<String>,
    },
    /// Show the claims that are added to the tokens of a user, and change them. Takes effect like a change of roles.
    Claims {
        /// Email address of the user.
        #[arg(value_name = "ADDRESS")]
        email: String,
        /// Claim to set, as NAME=VALUE. The value is JSON, or else a text: seats=3, plan=pro. Can be repeated; all
        /// claims of a user have at most 1024 bytes of JSON.
        #[arg(long, value_name = "NAME=VALUE")]
        set: Vec<String>,
        /// Claim to remove. Can be repeated.
        #[arg(long, value_name = "NAME")]
        remove: Vec<String>,
    },
    /// Write every user as one line of JSON. The output contains the password hashes: keep it secret.
    Export {
        /// New file to write, which only its owner can read; standard output by default.
        #[arg(long, value_name = "FILE")]
        to: Option<PathBuf>,
        /// Export the tasks as well.
        #[arg(long)]
        tasks: bool,
    },
}

/// The sources of an import.
#[derive(Subcommand, Clone, Debug)]
#[non_exhaustive]
pub enum ImportCommand {
    /// Import from a database of Better Auth, which is only read. Rejected users are listed on standard error, with the
    /// reason.
    BetterAuth(BetterAuthArguments),
    /// Import the output of `users export`.
    Json {
        /// File to read; standard input by default.
        #[arg(long, value_name = "FILE")]
        from: Option<PathBuf>,
    },
}

/// Location of the Better Auth database, and the names of its tables and columns.
#[derive(Args, Clone)]
#[non_exhaustive]
pub struct BetterAuthArguments {
    /// Database to read, as `sqlite://PATH` or `postgres://USER@HOST/DATABASE`. The command line is visible to other
    /// users of the machine: set a password in the variable PGPASSWORD instead.
    #[arg(long, value_name = "URL")]
    pub from: String,

    /// Name of the table of users.
    #[arg(long, value_name = "TABLE", default_value = "user")]
    pub user_table: String,

    /// Name of the table of accounts, which holds the password hashes.
    #[arg(long, value_name = "TABLE", default_value = "account")]
    pub account_table: String,

    /// The columns have names in snake case: `email_verified` instead of emailVerified, and so on.
    #[arg(long)]
    pub snake_case: bool,

    /// Import tasks as well, from this table. Its columns: id, title, description, `is_completed` or completed,
    /// `owner_id` or `user_id`, `created_at`, `updated_at`.
    #[arg(long, value_name = "TABLE")]
    pub tasks: Option<String>,
}

/// Prints no field, because the URL may contain a password.
impl fmt::Debug for BetterAuthArguments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BetterAuthArguments")
            .finish_non_exhaustive()
    }
}

impl Settings {
    /// Checks only what an import from Better Auth needs: both database URLs, the table names and the log settings.
    ///
    /// # Errors
    ///
    /// All problems of `DATABASE_URL`, of the arguments and of the log settings.
    pub fn check_import(
        &self,
        arguments: &BetterAuthArguments,
    ) -> Result<(DatabaseUrl, BetterAuthSource), SettingProblems> {
        let mut problems = ProblemCollector::default();
        let target = problems.ok_or_record("DATABASE_URL", parse::database_url(&self.database_url));
        let source_url = problems.ok_or_record("--from", parse::database_url(&arguments.from));
        let user_table =
            problems.ok_or_record("--user-table", TableName::parse(&arguments.user_table));
        let account_table = problems.ok_or_record(
            "--account-table",
            TableName::parse(&arguments.account_table),
        );
        let task_table_result = arguments.tasks.as_deref().map(TableName::parse).transpose();
        let task_table = problems.ok_or_record("--tasks", task_table_result);
        self.check_logging(&mut problems);
        problems.finish(|| {
            let source = BetterAuthSource {
                url: source_url?,
                users: user_table?,
                accounts: account_table?,
                tasks: task_table?,
                snake_case: arguments.snake_case,
            };
            Some((target?, source))
        })
    }
}
