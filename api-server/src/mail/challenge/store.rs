//! Contains the queries on challenges: the mails in the table `outbox` for which codes are entered.

use diesel::prelude::*;

use crate::db::schema::outbox;
use crate::db::{DbConnection, Timestamp};
use crate::mail::kind::MailKind;

/// The most wrong codes for one challenge.
const MAX_WRONG_CODES: i32 = 5;

/// A challenge for which a code was entered. It may have expired.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ChallengeRow {
    /// The user that the code was sent to; `None` if no user got a code, or if the user was deleted.
    pub(crate) user_id: Option<String>,
    /// The new address, if the code confirms a change of the address.
    pub(crate) new_email: Option<String>,
    pub(crate) expires_at: Timestamp,
}

/// Counts an entered code as wrong before it is compared; [`uncount_code_attempt`] reverses this for a right code.
/// Returns `None` if there is no such challenge, or if [`MAX_WRONG_CODES`] codes were already counted.
///
/// An attempt to register an address that already has an account is returned as a challenge without a user. The codes
/// that are entered for it are counted like those for other registrations, and none is right.
pub(crate) fn count_code_attempt(
    connection: &mut DbConnection,
    challenge_id: &str,
    kind: MailKind,
) -> QueryResult<Option<ChallengeRow>> {
    let open_row = outbox::table
        .find(challenge_id)
        .filter(outbox::kind.eq_any(kinds_of_challenge(kind)))
        .filter(outbox::wrong_codes.lt(MAX_WRONG_CODES));
    let row: Option<(String, Option<String>, Option<String>, Timestamp)> = diesel::update(open_row)
        .set(outbox::wrong_codes.eq(outbox::wrong_codes + 1))
        .returning((
            outbox::kind,
            outbox::user_id,
            outbox::new_email,
            outbox::expires_at,
        ))
        .get_result(connection)
        .optional()?;
    Ok(
        row.map(|(row_kind, user_id, new_email, expires_at)| ChallengeRow {
            user_id: user_id.filter(|_| row_kind == kind.as_str()),
            new_email,
            expires_at,
        }),
    )
}

fn kinds_of_challenge(kind: MailKind) -> Vec<&'static str> {
    match kind {
        MailKind::EmailVerification => vec![kind.as_str(), MailKind::RegistrationAttempt.as_str()],
        _ => vec![kind.as_str()],
    }
}

/// Reverses [`count_code_attempt`] for a code that was right.
pub(crate) fn uncount_code_attempt(
    connection: &mut DbConnection,
    challenge_id: &str,
) -> QueryResult<()> {
    let counted_row = outbox::table
        .find(challenge_id)
        .filter(outbox::wrong_codes.gt(0));
    diesel::update(counted_row)
        .set(outbox::wrong_codes.eq(outbox::wrong_codes - 1))
        .execute(connection)
        .map(drop)
}
