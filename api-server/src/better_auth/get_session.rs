//! `/api/auth/get-session`

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderValue, PRAGMA};
use serde::Serialize;

use super::answer::{Answer, append};
use super::call::Call;
use super::cookies;
use super::refusal::Refusal;
use super::visitor::{self, SignedIn, Visitor};
use super::wire::{SessionBody, UserBody};

#[derive(Serialize)]
struct Session {
    session: SessionBody,
    user: UserBody,
}

/// Who is signed in; `null` if nobody is. Prolongs the session once a day, unless the query says `disableRefresh`.
pub(super) async fn show(call: Call) -> Answer {
    let disabled = call.query.get("disableRefresh");
    let may_prolong = disabled.is_none_or(|value| value == "");
    let mut response = match visitor::find(&call.request, &call.state, may_prolong).await? {
        Visitor::Nobody => nobody(&call),
        Visitor::Gone => call.forget(HttpResponse::Ok().json(())),
        Visitor::Someone(someone) => found(&call, *someone)?,
    };
    let headers = response.headers_mut();
    headers.insert(PRAGMA, HeaderValue::from_static("no-cache"));
    Ok(response)
}

fn nobody(call: &Call) -> HttpResponse {
    let mut response = HttpResponse::Ok().json(());
    let forgotten = cookies::forget_data(&call.request, &call.state);
    append(&mut response, forgotten);
    response
}

fn found(call: &Call, someone: SignedIn) -> Answer {
    let is_renewed = someone.is_renewed;
    let remember_until = someone.is_remembered.then_some(someone.session.expires_at);
    let session_id = someone.session.id.clone();
    let mut response = HttpResponse::Ok().json(Session {
        session: SessionBody::own(&call.state, someone.session)?,
        user: someone.user.into(),
    });
    let forgotten = cookies::forget_data(&call.request, &call.state);
    append(&mut response, forgotten);
    if is_renewed {
        call.keep_session(&mut response, &session_id, remember_until)?;
    }
    Ok(response)
}

/// Only servers that put the refresh off take it.
pub(super) async fn refuse_post(_: Call) -> Answer {
    Err(Refusal::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "METHOD_NOT_ALLOWED_DEFER_SESSION_REQUIRED",
        "POST method requires deferSessionRefresh to be enabled in session config",
    ))
}
