//! Runs the commands `users roles` and `users claims`.

use std::io::Write;
use std::time::{Duration, SystemTime};

use super::TransferError;
use crate::accounts::access;
use crate::accounts::access::{AccessChange, AccessResult};
use crate::db;
use crate::db::{DatabaseUrl, diagnose};
use crate::sessions::revocation::store as revocations;
use crate::users::custom_claims::to_column;
use crate::users::email::LoginEmail;
use crate::users::user::User;

/// The arguments and settings of `users roles` and `users claims`.
pub(crate) struct AccessCommand {
    pub(crate) database_url: DatabaseUrl,
    pub(crate) email: LoginEmail,
    pub(crate) change: AccessChange,
    /// The lifetime of the access tokens that the servers issue. It determines how long the revocation of stale tokens
    /// is kept.
    pub(crate) access_token_ttl: Duration,
}

/// Changes the roles or the claims of a user, and writes all that the user then has: a line for each role, or one line
/// of JSON. Writes nothing if the user has none.
pub(crate) fn run(command: &AccessCommand, mut output: impl Write) -> Result<(), TransferError> {
    let database_url = &command.database_url;
    let database_error = |error: TransferError| -> TransferError {
        format!("cannot change {database_url} (DATABASE_URL): {error}").into()
    };
    db::migrate(database_url).map_err(database_error)?;
    let connection = db::connect(database_url);
    let mut connection = connection.map_err(|error| database_error(error.into()))?;
    let result = access::change(
        &mut connection,
        &command.email,
        &command.change,
        SystemTime::now(),
        command.access_token_ttl,
    );
    let result = result.map_err(|error| diagnose(&mut connection, error));
    // Servers of earlier releases read only numbered revocations, and number none, so this command numbers its own.
    if let Err(error) = revocations::assign_numbers(&mut connection) {
        log::warn!("cannot number revocations cause={error:?}");
    }
    match result.map_err(|error| database_error(error.into()))? {
        AccessResult::Stored(user) => write_access(&user, &command.change, &mut output),
        AccessResult::NoSuchUser => Err("no account has this email address (ADDRESS)".into()),
        AccessResult::Rejected(reason) => {
            let argument = match command.change {
                AccessChange::Roles { .. } => "--add",
                AccessChange::Claims { .. } => "--set",
            };
            Err(format!("nothing was changed: {reason} ({argument})").into())
        }
    }
}

fn write_access(
    user: &User,
    change: &AccessChange,
    output: &mut impl Write,
) -> Result<(), TransferError> {
    match change {
        AccessChange::Roles { .. } => {
            for name in user.roles.iter() {
                writeln!(output, "{name}")?;
            }
        }
        AccessChange::Claims { .. } => {
            if let Some(claims) = to_column(&user.custom_claims) {
                writeln!(output, "{claims}")?;
            }
        }
    }
    Ok(output.flush()?)
}
