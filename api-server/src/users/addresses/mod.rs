//! Finds email addresses that were stored before the current rule, and stores their new spelling unless another account
//! has it.

mod store;

use crate::db::{Db, DbConnection, QueryResult};
use crate::problem::violation::FieldViolation;
use crate::users::email::Email;

/// How many users one query reads.
const PAGE_SIZE: i64 = 1000;

/// An account whose email address the current rule rejects or spells differently.
pub(crate) struct Deviation {
    pub(crate) user_id: String,
    pub(crate) stored: String,
    pub(crate) remedy: Remedy,
}

/// What can be done about a deviation.
pub(crate) enum Remedy {
    /// The new spelling, which no other account has.
    NewSpelling(Email),
    /// The new spelling, which another account has.
    InUse(Email),
    /// The current rule rejects the address in any spelling.
    Rejected(FieldViolation),
}

/// The deviations among one page of users.
pub(crate) struct DeviationPage {
    pub(crate) deviations: Vec<Deviation>,
    /// The last user id of this page, after which the next page begins; `None` at the end.
    pub(crate) next_after: Option<String>,
}

/// Checks the email addresses of the users whose ids follow `after`.
pub(crate) fn find_deviations(
    connection: &mut DbConnection,
    after: &str,
) -> QueryResult<DeviationPage> {
    let users = store::users_after(connection, after, PAGE_SIZE)?;
    let next_after = users.last().map(|user| user.id.clone());
    let mut deviations = Vec::new();
    for store::StoredAddress { id, email: stored } in users {
        let remedy = match Email::parse(&stored) {
            Ok(email) if email.as_str() == stored => continue,
            Ok(email) if store::is_stored(connection, &email)? => Remedy::InUse(email),
            Ok(email) => Remedy::NewSpelling(email),
            Err(violation) => Remedy::Rejected(violation),
        };
        deviations.push(Deviation {
            user_id: id,
            stored,
            remedy,
        });
    }
    Ok(DeviationPage {
        deviations,
        next_after,
    })
}

/// Stores the new spelling of an email address. Returns `false` if the account's email address was changed after it was
/// checked, or if another account has the new spelling.
pub(crate) fn store_new_spelling(
    connection: &mut DbConnection,
    deviation: &Deviation,
    email: &Email,
) -> QueryResult<bool> {
    store::store_new_spelling(connection, &deviation.user_id, &deviation.stored, email)
}

/// Logs the number of deviations and the command that lists them.
pub(crate) async fn log_deviations(db: &Db) {
    let (mut count, mut after) = (0, Some(String::new()));
    while let Some(id) = after {
        let page = db.read(move |connection| find_deviations(connection, &id));
        let Ok(page) = page.await else {
            log::warn!("the stored addresses could not be checked; run: api-server users check");
            return;
        };
        count += page.deviations.len();
        after = page.next_after;
    }
    if count > 0 {
        log::warn!(
            "{count} accounts have an address that today's rule refuses or spells otherwise; list them with: \
             api-server users check"
        );
    }
}
