//! `/api/auth/get-session`

use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, HeaderValue, PRAGMA};
use actix_web::{HttpResponse, ResponseError as _};
use serde::Serialize;

use super::api_error::ApiError;
use super::call::Call;
use super::cookies;
use super::format::{SessionBody, UserBody};
use super::identity;
use super::identity::{Identity, SignedIn};
use super::respond::{ApiResult, append_cookies};

#[derive(Serialize)]
struct GetSessionBody {
    session: SessionBody,
    user: UserBody,
}

/// Returns the session and its user, or `null` without a live session. Prolongs the session at most once a day, and not
/// if the query has `disableRefresh`.
pub(crate) async fn show(call: Call) -> ApiResult {
    let disabled = call.query.get("disableRefresh");
    let may_prolong = disabled.is_none_or(|value| value == "");
    let mut response = match identity::find(&call.request, &call.context, may_prolong).await? {
        Identity::Anonymous => anonymous(&call),
        Identity::SessionExpired => call.clear_cookies(HttpResponse::Ok().json(())),
        Identity::SignedIn(signed_in) => signed_in_response(&call, *signed_in)?,
    };
    let headers = response.headers_mut();
    headers.insert(PRAGMA, HeaderValue::from_static("no-cache"));
    Ok(response)
}

fn anonymous(call: &Call) -> HttpResponse {
    let mut response = HttpResponse::Ok().json(());
    let cleared = cookies::clear_session_data(&call.request, &call.context);
    append_cookies(&mut response, cleared);
    response
}

fn signed_in_response(call: &Call, signed_in: SignedIn) -> ApiResult {
    let is_renewed = signed_in.is_renewed;
    let remember_until = signed_in
        .is_remembered
        .then_some(signed_in.session.expires_at);
    let session_id = signed_in.session.id.clone();
    let mut response = HttpResponse::Ok().json(GetSessionBody {
        session: SessionBody::own(&call.context, signed_in.session)?,
        user: signed_in.user.into(),
    });
    let cleared = cookies::clear_session_data(&call.request, &call.context);
    append_cookies(&mut response, cleared);
    if is_renewed {
        call.set_session_cookie(&mut response, &session_id, remember_until)?;
    }
    Ok(response)
}

/// Rejects `POST`, which Better Auth accepts only with `deferSessionRefresh`. A 405 has `Allow` (RFC 9110 § 15.5.6).
pub(crate) async fn reject_post(_: Call) -> ApiResult {
    let error = ApiError::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "METHOD_NOT_ALLOWED_DEFER_SESSION_REQUIRED",
        "POST method requires deferSessionRefresh to be enabled in session config",
    );
    let mut response = error.error_response();
    let allowed = HeaderValue::from_static("GET, HEAD");
    response.headers_mut().insert(ALLOW, allowed);
    Ok(response)
}
