//! What a login gives: the user, a token, a session.

use std::time::SystemTime;

use auth_core::Subject;
use serde::Serialize;
use utoipa::ToSchema;

use super::user::User;
use crate::problem::Problem;
use crate::sessions::session::Session;
use crate::state::State;

/// The answer to a registration or a login.
#[derive(Serialize, ToSchema)]
pub(crate) struct Grant {
    user: User,
    /// Send it as `Authorization: Bearer …`.
    access_token: String,
    #[schema(example = "Bearer")]
    token_type: &'static str,
    /// The lifetime of the access token in seconds.
    #[schema(example = 900)]
    expires_in: i64,
    session_id: String,
}

impl Grant {
    pub(super) fn new(
        state: &State,
        user: User,
        session: Session,
        now: SystemTime,
    ) -> Result<Self, Problem> {
        let subject = Subject {
            id: &user.id,
            email: &user.email,
            session_id: &session.id,
        };
        let access = state.issuer.issue(&subject, now)?;
        Ok(Self {
            user,
            access_token: access.token,
            token_type: "Bearer",
            expires_in: state.issuer.lifetime_seconds(),
            session_id: session.id,
        })
    }
}
