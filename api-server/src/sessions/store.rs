//! The sessions table.

use diesel::prelude::*;

use super::session::Session;
use crate::db::DbConnection;
use crate::db::schema::sessions;

pub(crate) fn insert(connection: &mut DbConnection, session: &Session) -> QueryResult<()> {
    let address = session.client.ip_address.map(|address| address.to_string());
    diesel::insert_into(sessions::table)
        .values((
            sessions::id.eq(&session.id),
            sessions::user_id.eq(&session.user_id),
            sessions::counter.eq(0),
            sessions::late_recoveries.eq(0),
            sessions::created_at.eq(session.created_at),
            sessions::last_used_at.eq(session.created_at),
            sessions::expires_at.eq(session.expires_at),
            sessions::ip_address.eq(address),
            sessions::user_agent.eq(&session.client.user_agent),
        ))
        .execute(connection)
        .map(drop)
}
