//! Stored addresses from before today's rule: found and, where no other account has the new spelling, respelled.

mod store;

use crate::db::{Db, DbConnection, QueryResult};
use crate::problem::violation::FieldViolation;
use crate::users::email::Email;

/// Users read at a time.
const PAGE: i64 = 1000;

/// An account whose address today's rule would not store as it is.
pub(crate) struct Deviation {
    pub(crate) user_id: String,
    pub(crate) stored: String,
    pub(crate) remedy: Remedy,
}

/// What can be done about it.
pub(crate) enum Remedy {
    /// This spelling is free.
    Respell(Email),
    /// Another account has this spelling.
    InUse(Email),
    /// No spelling of it is an address.
    Rejected(FieldViolation),
}

/// Some of the deviations, and after which user to go on; `None` at the end.
pub(crate) struct Page {
    pub(crate) deviations: Vec<Deviation>,
    pub(crate) next: Option<String>,
}

pub(crate) fn page(connection: &mut DbConnection, after: &str) -> QueryResult<Page> {
    let users = store::after(connection, after, PAGE)?;
    let next = users.last().map(|(id, _)| id.clone());
    let mut deviations = Vec::new();
    for (user_id, stored) in users {
        let remedy = match Email::parse(&stored) {
            Ok(email) if email.as_str() == stored => continue,
            Ok(email) if store::is_stored(connection, &email)? => Remedy::InUse(email),
            Ok(email) => Remedy::Respell(email),
            Err(violation) => Remedy::Rejected(violation),
        };
        deviations.push(Deviation {
            user_id,
            stored,
            remedy,
        });
    }
    Ok(Page { deviations, next })
}

/// Stores the new spelling; `false` if the account has another address by now, or another account has this one.
pub(crate) fn respell(
    connection: &mut DbConnection,
    deviation: &Deviation,
    email: &Email,
) -> QueryResult<bool> {
    store::respell(connection, &deviation.user_id, &deviation.stored, email)
}

/// Says in the log how many there are, and the command that names them.
pub(crate) async fn report(db: &Db) {
    let (mut count, mut after) = (0, Some(String::new()));
    while let Some(id) = after {
        let found = db.read(move |connection| page(connection, &id)).await;
        let Ok(found) = found else {
            log::warn!("the stored addresses could not be checked; run: api-server users check");
            return;
        };
        count += found.deviations.len();
        after = found.next;
    }
    if count > 0 {
        log::warn!(
            "{count} accounts have an address that today's rule refuses or spells otherwise; list them with: \
             api-server users check"
        );
    }
}
