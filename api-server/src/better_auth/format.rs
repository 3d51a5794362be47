//! Formats users and sessions for Better Auth's client.

use serde::Serialize;

use super::cookies::session_id_bytes;
use crate::better_auth::context::BetterAuthContext;
use crate::db::Timestamp;
use crate::problem::Problem;
use crate::sessions::session::StoredSession;
use crate::users::roles::join_names;
use crate::users::user::User;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct UserBody {
    id: String,
    name: String,
    email: String,
    email_verified: bool,
    image: Option<String>,
    /// The roles separated by commas, as the admin plugin has them; absent if there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<String>,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl From<User> for UserBody {
    fn from(user: User) -> Self {
        Self {
            id: user.id,
            // In Better Auth, every user has a name, so an absent name becomes empty.
            name: user.name.unwrap_or_default(),
            email: user.email,
            email_verified: user.email_verified,
            image: user.image,
            role: join_names(&user.roles, ","),
            created_at: user.created_at,
            updated_at: user.updated_at,
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SessionBody {
    id: String,
    token: String,
    user_id: String,
    expires_at: Timestamp,
    created_at: Timestamp,
    updated_at: Timestamp,
    ip_address: String,
    user_agent: String,
}

impl SessionBody {
    /// Formats the session of the request, with the token.
    pub(super) fn with_token(
        context: &BetterAuthContext,
        session: StoredSession,
    ) -> Result<Self, Problem> {
        Ok(Self::new(session_token(context, &session.id)?, session))
    }

    /// Formats another session of the user, with a handle instead of the token. A handle can only end the session.
    pub(super) fn with_handle(
        context: &BetterAuthContext,
        session: StoredSession,
    ) -> Result<Self, Problem> {
        let id = session_id_bytes(&session.id)?;
        let handle = context.sessions.keys.current().session_handles.encode(id);
        Ok(Self::new(handle, session))
    }

    fn new(token_or_handle: String, session: StoredSession) -> Self {
        Self {
            token: token_or_handle,
            id: session.id,
            user_id: session.user_id,
            expires_at: session.expires_at,
            created_at: session.created_at,
            updated_at: session.last_used_at,
            ip_address: session.ip_address.unwrap_or_default(),
            user_agent: session.user_agent.unwrap_or_default(),
        }
    }
}

pub(super) fn session_token(
    context: &BetterAuthContext,
    session_id: &str,
) -> Result<String, Problem> {
    let keys = context.sessions.keys.current();
    Ok(keys.session_tokens.encode(session_id_bytes(session_id)?))
}

/// The body of a response without data.
#[derive(Serialize)]
pub(super) struct StatusBody {
    status: bool,
}

pub(super) const DONE: StatusBody = StatusBody { status: true };
