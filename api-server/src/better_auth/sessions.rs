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

/// `GET /api/auth/list-sessions`: the live ones, tokens included.
pub(super) async fn list(call: Call) -> Answer {
    let signed_in = call.signed_in().await?;
    let sessions = live(&call.state, signed_in.user_id()).await?;
    let sessions = sessions.into_iter();
    let sessions = sessions.map(|session| SessionBody::new(&call.state, session));
    let sessions = sessions.collect::<Result<Vec<_>, Problem>>()?;
    call.answer(&signed_in, sessions)
}

/// `POST /api/auth/revoke-session`: one's own; of any other nothing is said.
pub(super) async fn revoke(call: Call) -> Answer {
    let mut fields = call.fields()?;
    let token = fields.text("token");
    fields.finish()?;
    let signed_in = call.signed_in().await?;
    let named = {
        let keys = call.state.keys.in_force();
        cookies::named_by(&keys.session_tokens, token)
    };
    let Some(named) = named else {
        return call.answer(&signed_in, DONE);
    };
    let is_current = named.session_id == signed_in.session.id;
    end_own(&call.state, signed_in.user_id(), named.session_id).await?;
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
