//! Contains the queries of the table `outbox`, except those on challenges and the deletion of all rows by a restore.

use std::time::Duration;

use diesel::dsl;
use diesel::prelude::*;

use super::kind::MailKind;
use super::language::Language;
use super::outbox::{LeasedMail, NewMail, OutboxCounts};
use crate::db::schema::outbox;
use crate::db::{DbConnection, Timestamp};

/// The most notices of one kind that wait to be sent to one address.
const MAX_WAITING_NOTICES: i64 = 10;

type OutboxRow = (
    String,
    String,
    String,
    Option<String>,
    Option<String>,
    Option<String>,
    Option<String>,
    Option<String>,
    Timestamp,
    Timestamp,
    i32,
);

/// The columns in the order of [`OutboxRow`]. A test that writes and reads a row detects swapped columns.
const COLUMNS: (
    outbox::id,
    outbox::kind,
    outbox::recipient,
    outbox::user_id,
    outbox::language,
    outbox::new_email,
    outbox::callback_url,
    outbox::network,
    outbox::created_at,
    outbox::expires_at,
    outbox::attempts,
) = (
    outbox::id,
    outbox::kind,
    outbox::recipient,
    outbox::user_id,
    outbox::language,
    outbox::new_email,
    outbox::callback_url,
    outbox::network,
    outbox::created_at,
    outbox::expires_at,
    outbox::attempts,
);

/// Returns the mail of a row; `None` if a later release wrote a kind that this release does not know.
fn mail_of_row(row: OutboxRow, leased_until: Timestamp) -> Option<LeasedMail> {
    let (
        id,
        kind,
        recipient,
        user_id,
        language,
        new_email,
        callback_url,
        network,
        created_at,
        expires_at,
        attempts,
    ) = row;
    Some(LeasedMail {
        id,
        kind: MailKind::parse(&kind)?,
        recipient,
        user_id,
        language: language.as_deref().and_then(Language::parse),
        new_email,
        callback_url,
        network,
        created_at,
        expires_at,
        attempts,
        leased_until,
    })
}

/// Adds a mail that is due at once. If a change causes the mail, must be called in the transaction of the change.
pub(crate) fn insert(connection: &mut DbConnection, mail: &NewMail) -> QueryResult<()> {
    diesel::insert_into(outbox::table)
        .values((
            outbox::id.eq(&mail.id),
            outbox::kind.eq(mail.kind.as_str()),
            outbox::recipient.eq(&mail.recipient),
            outbox::user_id.eq(&mail.user_id),
            outbox::language.eq(mail.language.map(Language::as_str)),
            outbox::new_email.eq(&mail.new_email),
            outbox::callback_url.eq(&mail.callback_url),
            outbox::network.eq(mail.network.map(|network| network.to_string())),
            outbox::created_at.eq(mail.created_at),
            outbox::expires_at.eq(mail.expires_at()),
            outbox::next_attempt_at.eq(mail.created_at),
            outbox::attempts.eq(0),
            outbox::wrong_codes.eq(0),
        ))
        .execute(connection)
        .map(drop)
}

/// Adds the notice of a change, unless [`MAX_WAITING_NOTICES`] of its kind wait to be sent to the same address: a thief
/// who repeats a change must not fill the outbox.
pub(crate) fn insert_notice(connection: &mut DbConnection, notice: &NewMail) -> QueryResult<()> {
    let waiting_count: i64 = outbox::table
        .filter(outbox::recipient.eq(&notice.recipient))
        .filter(outbox::kind.eq(notice.kind.as_str()))
        .filter(outbox::next_attempt_at.is_not_null())
        .count()
        .get_result(connection)?;
    if waiting_count >= MAX_WAITING_NOTICES {
        return Ok(());
    }
    insert(connection, notice)
}

/// Returns the ids of up to `limit` mails that are due and not leased, those that have been due longest first.
pub(super) fn due_ids(
    connection: &mut DbConnection,
    now: Timestamp,
    limit: i64,
) -> QueryResult<Vec<String>> {
    let database_now: Timestamp = diesel::select(dsl::now).get_result(connection)?;
    let is_free = outbox::leased_until.is_null();
    outbox::table
        .filter(outbox::next_attempt_at.le(now))
        .filter(is_free.or(outbox::leased_until.le(database_now)))
        .select(outbox::id)
        .order((outbox::next_attempt_at, outbox::id))
        .limit(limit)
        .load(connection)
}

/// Leases the first of these mails that is still due and not leased. Until the lease ends, no other process sends the
/// mail. The lease is measured by the clock of the database, because the clocks of the processes may differ. A mail of
/// a kind that this release does not know is leased too, but skipped.
pub(super) fn lease(
    connection: &mut DbConnection,
    ids: &[String],
    now: Timestamp,
    duration: Duration,
) -> QueryResult<Option<LeasedMail>> {
    let database_now: Timestamp = diesel::select(dsl::now).get_result(connection)?;
    let leased_until = database_now.plus(duration);
    for id in ids {
        let is_free = outbox::leased_until.is_null();
        let free_row = outbox::table
            .find(id)
            .filter(outbox::next_attempt_at.le(now))
            .filter(is_free.or(outbox::leased_until.le(database_now)));
        let row: Option<OutboxRow> = diesel::update(free_row)
            .set(outbox::leased_until.eq(leased_until))
            .returning(COLUMNS)
            .get_result(connection)
            .optional()?;
        let leased_mail = row.and_then(|row| mail_of_row(row, leased_until));
        if leased_mail.is_some() {
            return Ok(leased_mail);
        }
    }
    Ok(None)
}

/// The numbers of earlier mails, which are compared with the quotas before a mail is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SentCounts {
    pub(super) to_recipient_in_hour: i64,
    pub(super) to_recipient_in_day: i64,
    pub(super) from_network_in_hour: i64,
}

/// Counts the mails of these kinds that the server has tried to send, by recipient and by network.
pub(super) fn count_sent(
    connection: &mut DbConnection,
    recipient: &str,
    network: Option<&str>,
    kinds: &[&str],
    now: Timestamp,
) -> QueryResult<SentCounts> {
    const HOUR: Duration = Duration::from_secs(60 * 60);
    const DAY: Duration = Duration::from_secs(24 * 60 * 60);
    let sent_rows = || {
        outbox::table
            .filter(outbox::attempts.gt(0))
            .filter(outbox::kind.eq_any(kinds))
            .count()
    };
    let to_recipient = |cutoff: Timestamp| {
        sent_rows()
            .filter(outbox::recipient.eq(recipient))
            .filter(outbox::created_at.gt(cutoff))
    };
    let from_network = sent_rows()
        .filter(outbox::network.eq(network))
        .filter(outbox::created_at.gt(now.minus(HOUR)));
    Ok(SentCounts {
        to_recipient_in_hour: to_recipient(now.minus(HOUR)).get_result(connection)?,
        to_recipient_in_day: to_recipient(now.minus(DAY)).get_result(connection)?,
        from_network_in_hour: from_network.get_result(connection)?,
    })
}

/// Records that the mail is about to be sent to this user. Returns `false` if `mail` has lost its lease, because the
/// lease was ended or the mail was leased again.
pub(super) fn begin_attempt(
    connection: &mut DbConnection,
    mail: &LeasedMail,
    user_id: &str,
    recipient: &str,
) -> QueryResult<bool> {
    let leased_row = outbox::table
        .find(&mail.id)
        .filter(outbox::leased_until.eq(mail.leased_until));
    let updated_row_count = diesel::update(leased_row)
        .set((
            outbox::attempts.eq(mail.attempts + 1),
            outbox::user_id.eq(user_id),
            outbox::recipient.eq(recipient),
        ))
        .execute(connection)?;
    Ok(updated_row_count == 1)
}

/// Ends the lease. `next_attempt_at` is the time of the next attempt, or `None` if nothing is left to send. Does
/// nothing if `mail` has lost its lease, because the lease was ended or the mail was leased again.
///
/// If nothing is left to send and no attempt was made, deletes a notice of a change: no quota counts it, and a thief
/// could add any number of them.
pub(super) fn end_lease(
    connection: &mut DbConnection,
    mail: &LeasedMail,
    next_attempt_at: Option<Timestamp>,
) -> QueryResult<()> {
    let leased_row = outbox::table
        .find(&mail.id)
        .filter(outbox::leased_until.eq(mail.leased_until));
    if next_attempt_at.is_none() && mail.kind.is_notice_of_change() {
        let untried_row = leased_row.filter(outbox::attempts.eq(0));
        if diesel::delete(untried_row).execute(connection)? == 1 {
            return Ok(());
        }
    }
    diesel::update(leased_row)
        .set((
            outbox::next_attempt_at.eq(next_attempt_at),
            outbox::leased_until.eq(None::<Timestamp>),
        ))
        .execute(connection)
        .map(drop)
}

/// Cancels a user's unsent mails whose tokens depend on the user's mail key, after the key was replaced or removed.
/// Their leases end as well: a process that is sending such a mail cannot plan another attempt, which would have a new
/// token.
pub(crate) fn cancel_token_mails(connection: &mut DbConnection, user_id: &str) -> QueryResult<()> {
    let kinds = MailKind::ALL
        .into_iter()
        .filter(|kind| kind.uses_mail_key());
    let names: Vec<&str> = kinds.map(MailKind::as_str).collect();
    let unsent_rows = outbox::table
        .filter(outbox::user_id.eq(user_id))
        .filter(outbox::kind.eq_any(names))
        .filter(outbox::next_attempt_at.is_not_null());
    diesel::update(unsent_rows)
        .set((
            outbox::next_attempt_at.eq(None::<Timestamp>),
            outbox::leased_until.eq(None::<Timestamp>),
        ))
        .execute(connection)
        .map(drop)
}

/// Cancels the unsent mails of a user who is about to be deleted, and those to the user's address. Their rows, and
/// those of sent mails, lose the id of the user, the new address and the callback URL. They stay until they are purged,
/// because they count towards the quotas: otherwise a client could cause any number of mails to an address by
/// registering and deleting accounts.
pub(crate) fn cancel_for_deleted_user(
    connection: &mut DbConnection,
    user_id: &str,
    email: &str,
) -> QueryResult<()> {
    let is_of_user = outbox::user_id.eq(user_id);
    let rows = outbox::table.filter(is_of_user.or(outbox::recipient.eq(email)));
    diesel::update(rows)
        .set((
            outbox::user_id.eq(None::<String>),
            outbox::new_email.eq(None::<String>),
            outbox::callback_url.eq(None::<String>),
            outbox::next_attempt_at.eq(None::<Timestamp>),
            // A process that is sending the mail cannot plan another attempt without the lease.
            outbox::leased_until.eq(None::<Timestamp>),
        ))
        .execute(connection)
        .map(drop)
}

/// Deletes up to `limit` rows that were created before `cutoff` and have expired. Returns the number of deleted rows.
pub(super) fn purge(
    connection: &mut DbConnection,
    cutoff: Timestamp,
    now: Timestamp,
    limit: i64,
) -> QueryResult<usize> {
    let old_ids: Vec<String> = outbox::table
        .filter(outbox::created_at.lt(cutoff))
        .filter(outbox::expires_at.lt(now))
        .select(outbox::id)
        .limit(limit)
        .load(connection)?;
    diesel::delete(outbox::table.filter(outbox::id.eq_any(old_ids))).execute(connection)
}

pub(super) fn count_rows(connection: &mut DbConnection) -> QueryResult<OutboxCounts> {
    let waiting_rows = outbox::table.filter(outbox::next_attempt_at.is_not_null());
    Ok(OutboxCounts {
        waiting: waiting_rows.count().get_result(connection)?,
        total: outbox::table.count().get_result(connection)?,
    })
}

/// The number and the age of the mails that wait to be sent.
pub(crate) struct OutboxState {
    pub(crate) waiting: i64,
    /// The time at which the oldest of these mails was created; `None` if no mail waits.
    pub(crate) oldest: Option<Timestamp>,
}

pub(crate) fn state(connection: &mut DbConnection) -> QueryResult<OutboxState> {
    let waiting_rows = outbox::table.filter(outbox::next_attempt_at.is_not_null());
    Ok(OutboxState {
        waiting: waiting_rows.count().get_result(connection)?,
        oldest: waiting_rows
            .select(dsl::min(outbox::created_at))
            .first(connection)?,
    })
}

#[cfg(test)]
mod tests;
