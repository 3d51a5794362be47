//! What `users import` and `users export` take on the command line, and what it means.

use std::fmt;
use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::parse;
use super::parse::Collector;
use super::{SettingProblems, Settings};
use crate::db::{DatabaseUrl, Table};
use crate::transfer::BetterAuth;

/// What can be done with all users at once.
#[derive(Subcommand, Clone, Debug)]
#[non_exhaustive]
pub enum UsersCommand {
    /// Take users over from elsewhere, with their passwords. Can be run again: who is here already is left alone.
    #[command(subcommand)]
    Import(ImportCommand),
    /// List the accounts whose address today's rule refuses or spells otherwise: they may be unable to log in.
    Check {
        /// Store today's spelling where no other account has it.
        #[arg(long)]
        fix: bool,
    },
    /// Write every user as a line of JSON to standard output, with the password hashes: keep it secret.
    Export {
        /// Write the tasks too.
        #[arg(long)]
        tasks: bool,
    },
}

/// Where users may come from.
#[derive(Subcommand, Clone, Debug)]
#[non_exhaustive]
pub enum ImportCommand {
    /// From the database of Better Auth, which is only read. Says on standard error whom it could not take, and why.
    BetterAuth(BetterAuthArguments),
    /// From what `users export` wrote.
    Json {
        /// The file; standard input if left out.
        #[arg(long, value_name = "FILE")]
        from: Option<PathBuf>,
    },
}

/// Where the database is and what it calls things.
#[derive(Args, Clone)]
#[non_exhaustive]
pub struct BetterAuthArguments {
    /// `sqlite://PATH` or `postgres://USER@HOST/DATABASE`. The command line is visible to other users of the machine: give
    /// a password in the variable PGPASSWORD instead.
    #[arg(long, value_name = "URL")]
    pub from: String,

    /// The table of users.
    #[arg(long, value_name = "TABLE", default_value = "user")]
    pub user_table: String,

    /// The table of accounts, which holds the passwords.
    #[arg(long, value_name = "TABLE", default_value = "account")]
    pub account_table: String,

    /// The columns are called `email_verified` and so on instead of emailVerified.
    #[arg(long)]
    pub snake_case: bool,

    /// Take the tasks over too, from this table. Its columns: id, title, description, `is_completed` or completed,
    /// `owner_id` or `user_id`, `created_at`, `updated_at`.
    #[arg(long, value_name = "TABLE")]
    pub tasks: Option<String>,
}

/// The URL may hold a password.
impl fmt::Debug for BetterAuthArguments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BetterAuthArguments")
            .finish_non_exhaustive()
    }
}

impl Settings {
    /// Checks only what an import from Better Auth needs: the target and the source.
    ///
    /// # Errors
    ///
    /// What is wrong with `DATABASE_URL` and with the arguments.
    pub fn check_import(
        &self,
        arguments: &BetterAuthArguments,
    ) -> Result<(DatabaseUrl, BetterAuth), SettingProblems> {
        let mut problems = Collector::default();
        let target = problems.take("DATABASE_URL", parse::database(&self.database_url));
        let url = problems.take("--from", parse::database(&arguments.from));
        let users = problems.take("--user-table", Table::parse(&arguments.user_table));
        let accounts = problems.take("--account-table", Table::parse(&arguments.account_table));
        let tasks = arguments.tasks.as_deref().map(Table::parse).transpose();
        let tasks = problems.take("--tasks", tasks);
        self.check_logging(&mut problems);
        problems.finish(|| {
            let source = BetterAuth {
                url: url?,
                users: users?,
                accounts: accounts?,
                tasks: tasks?,
                snake_case: arguments.snake_case,
            };
            Some((target?, source))
        })
    }
}
