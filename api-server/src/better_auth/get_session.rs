//! Handles `GET` and `POST /api/auth/get-session`.

use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, HeaderValue, PRAGMA};
use actix_web::{HttpResponse, ResponseError as _};
use serde::Serialize;

use super::api_error::ApiError;
use super::api_request::ApiRequest;
use super::cookies;
use super::format::{SessionBody, UserBody};
use super::identity::{self, Identity, SignedInUser};
use super::respond::{ApiResult, append_cookies};

#[derive(Serialize)]
struct GetSessionBody {
    session: SessionBody,
    user: UserBody,
}

/// Returns the session and its user, or `null` without a live session. Prolongs the session if a prolongation is due,
/// unless the query has a `disableRefresh` that is not empty.
pub(crate) async fn show(request: ApiRequest) -> ApiResult {
    let disable_refresh = request.query.get("disableRefresh");
    let may_prolong = disable_refresh.is_none_or(|value| value == "");
    let mut response = match identity::find(&request.http, &request.context, may_prolong).await? {
        Identity::Anonymous => anonymous_response(&request),
        Identity::NoLiveSession => request.clear_cookies(HttpResponse::Ok().json(())),
        Identity::SignedIn(signed_in_user) => signed_in_response(&request, *signed_in_user)?,
    };
    let headers = response.headers_mut();
    headers.insert(PRAGMA, HeaderValue::from_static("no-cache"));
    Ok(response)
}

fn anonymous_response(request: &ApiRequest) -> HttpResponse {
    let mut response = HttpResponse::Ok().json(());
    let removal_cookies = cookies::session_data_removal_cookies(&request.http, &request.context);
    append_cookies(&mut response, removal_cookies);
    response
}

fn signed_in_response(request: &ApiRequest, signed_in_user: SignedInUser) -> ApiResult {
    let must_resend_cookie = signed_in_user.must_resend_cookie;
    let remember_until = signed_in_user
        .is_remembered
        .then_some(signed_in_user.session.expires_at);
    let session_id = signed_in_user.session.id.clone();
    let mut response = HttpResponse::Ok().json(GetSessionBody {
        session: SessionBody::with_token(&request.context, signed_in_user.session)?,
        user: signed_in_user.user.into(),
    });
    let removal_cookies = cookies::session_data_removal_cookies(&request.http, &request.context);
    append_cookies(&mut response, removal_cookies);
    if must_resend_cookie {
        request.set_session_cookie(&mut response, &session_id, remember_until)?;
    }
    Ok(response)
}

/// Rejects `POST`, which Better Auth accepts only with the setting `deferSessionRefresh`. A response with status 405
/// needs the header `Allow` (RFC 9110 § 15.5.6).
pub(crate) async fn reject_post(_: ApiRequest) -> ApiResult {
    let error = ApiError::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "METHOD_NOT_ALLOWED_DEFER_SESSION_REQUIRED",
        "POST method requires deferSessionRefresh to be enabled in session config",
    );
    let mut response = error.error_response();
    let allowed_methods = HeaderValue::from_static("GET");
    response.headers_mut().insert(ALLOW, allowed_methods);
    Ok(response)
}
