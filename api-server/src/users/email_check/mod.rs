//! Finds stored email addresses that the current rule ([`Email::parse`]) rejects or spells differently. Can also store
//! the new spelling, unless another account has that spelling.

mod store;

use crate::db::{Db, DbConnection, QueryResult};
use crate::problem::violation::FieldViolation;
use crate::users::email::Email;

/// The most users that one query reads.
const PAGE_SIZE: i64 = 1000;

/// An account whose email address the current rule rejects or spells differently.
pub(crate) struct Deviation {
    pub(crate) user_id: String,
    pub(crate) stored_email: String,
    pub(crate) kind: DeviationKind,
}

/// How a stored email address deviates from the current rule.
pub(crate) enum DeviationKind {
    /// The rule accepts the email address in this new spelling, which no other account has.
    NewSpelling(Email),
    /// The rule accepts the email address in this new spelling, which another account has.
    SpellingInUse(Email),
    /// The rule rejects the email address, for this reason.
    Rejected(FieldViolation),
}

/// The deviations among a page of users, that is, the users that one query reads.
pub(crate) struct DeviationPage {
    pub(crate) deviations: Vec<Deviation>,
    /// The id of the last user of this page; `None` if the page has no users.
    pub(crate) last_user_id: Option<String>,
}

/// Checks the email addresses of the next page of users, whose ids follow `after_id`.
pub(crate) fn find_deviations(
    connection: &mut DbConnection,
    after_id: &str,
) -> QueryResult<DeviationPage> {
    let users = store::users_after(connection, after_id, PAGE_SIZE)?;
    let last_user_id = users.last().map(|user| user.id.clone());
    let mut deviations = Vec::new();
    for user in users {
        let kind = match Email::parse(&user.email) {
            Ok(email) if email.as_str() == user.email => continue,
            Ok(email) if store::is_stored(connection, &email)? => {
                DeviationKind::SpellingInUse(email)
            }
            Ok(email) => DeviationKind::NewSpelling(email),
            Err(violation) => DeviationKind::Rejected(violation),
        };
        deviations.push(Deviation {
            user_id: user.id,
            stored_email: user.email,
            kind,
        });
    }
    Ok(DeviationPage {
        deviations,
        last_user_id,
    })
}

/// Stores the new spelling of an email address. Returns `false` if the account was deleted or its email address was
/// changed after the check, or if another account has the new spelling.
pub(crate) fn store_new_spelling(
    connection: &mut DbConnection,
    deviation: &Deviation,
    new_email: &Email,
) -> QueryResult<bool> {
    store::store_new_spelling(
        connection,
        &deviation.user_id,
        &deviation.stored_email,
        new_email,
    )
}

/// Logs the number of deviations, if there are any, and the command that lists them. Also logs if the check fails.
pub(crate) async fn log_deviations(db: &Db) {
    let (mut deviation_count, mut last_user_id) = (0, Some(String::new()));
    while let Some(id) = last_user_id {
        let query = db.read(move |connection| find_deviations(connection, &id));
        let Ok(page) = query.await else {
            log::warn!("the stored addresses could not be checked; run: api-server users check");
            return;
        };
        deviation_count += page.deviations.len();
        last_user_id = page.last_user_id;
    }
    if deviation_count > 0 {
        log::warn!(
            "{deviation_count} accounts have an address that today's rule refuses or spells otherwise; list them with: \
             api-server users check"
        );
    }
}
