//! The list of sessions, and their ends.

use actix_web::HttpResponse;

use super::answer::Answer;
use super::call::Call;
use super::cookies;
use super::wire::{DONE, SessionBody};
use crate::problem::Problem;
use crate::sessions::list::{end_own, live};
use crate::sessions::logout::{Scope, end};
use crate::sessions::logout_credentials::Credential;

/// `GET /api/auth/list-sessions`: the live ones; the caller's own with its token, the others with handles.
pub(super) async fn list(call: Call) -> Answer {
    let signed_in = call.signed_in().await?;
    let sessions = live(&call.state, signed_in.user_id()).await?;
    let sessions = sessions.into_iter();
    let sessions = sessions.map(|session| {
        if session.id == signed_in.session.id {
            SessionBody::own(&call.state, session)
        } else {
            SessionBody::other(&call.state, session)
        }
    });
    let sessions = sessions.collect::<Result<Vec<_>, Problem>>()?;
    call.answer(&signed_in, sessions)
}

/// `POST /api/auth/revoke-session`: a session of the caller, by its handle or its token. The response is the same for
/// sessions of other users and for any other text.
pub(super) async fn revoke(call: Call) -> Answer {
    let mut fields = call.fields()?;
    let token = fields.text("token");
    fields.finish()?;
    let signed_in = call.signed_in().await?;
    let Some(session_id) = cookies::listed_session(&call.state, token) else {
        return call.answer(&signed_in, DONE);
    };
    let is_current = session_id == signed_in.session.id;
    end_own(&call.state, signed_in.user_id(), session_id).await?;
    if is_current {
        return Ok(call.forget(HttpResponse::Ok().json(DONE)));
    }
    call.answer(&signed_in, DONE)
}

/// `POST /api/auth/revoke-sessions`
pub(super) async fn revoke_all(call: Call) -> Answer {
    let signed_in = call.signed_in().await?;
    let credential = Credential::good(signed_in.session.id);
    end(&call.state, vec![credential], Scope::All).await?;
    Ok(call.forget(HttpResponse::Ok().json(DONE)))
}

/// `POST /api/auth/revoke-other-sessions`
pub(super) async fn revoke_others(call: Call) -> Answer {
    let signed_in = call.signed_in().await?;
    let credential = Credential::good(signed_in.session.id.clone());
    end(&call.state, vec![credential], Scope::Others).await?;
    call.answer(&signed_in, DONE)
}
