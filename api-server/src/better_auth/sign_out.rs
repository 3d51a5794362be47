//! Handles `POST /api/auth/sign-out`.

use actix_web::HttpResponse;
use serde::Serialize;

use super::api_request::ApiRequest;
use super::cookies;
use super::identity::{self, Identity};
use super::respond::ApiResult;
use crate::http::origin::is_from_untrusted_origin;
use crate::sessions::logout::{Credential, LogoutScope, end};

#[derive(Serialize)]
struct SignOutBody {
    success: bool,
}

/// Ends the session, if there is one. Clears the cookies, unless the request comes from an untrusted origin. If the
/// request has several session cookies and no valid bearer token, ends the sessions of all valid cookies, up to a
/// maximum, because another host of the same site may have set a cookie that this response cannot clear. With two
/// `Authorization` headers, ends no session.
pub(crate) async fn sign_out(request: ApiRequest) -> ApiResult {
    let session_ids = match identity::find(&request.http, &request.context, false).await? {
        Identity::SignedIn(signed_in_user) => vec![signed_in_user.session.id],
        Identity::NoLiveSession => Vec::new(),
        Identity::Anonymous if identity::has_two_authorization_headers(&request.http) => Vec::new(),
        Identity::Anonymous => cookies::session_ids_of_all_cookies(&request.http, &request.context),
    };
    for session_id in session_ids {
        let credential = Credential::valid(session_id);
        end(
            &request.context.sessions,
            vec![credential],
            LogoutScope::Current,
            request.client.network,
        )
        .await?;
    }
    let response = HttpResponse::Ok().json(SignOutBody { success: true });
    // Another site could make the browser send this request without cookies, and must not be able to clear the cookies.
    if is_from_untrusted_origin(&request.http, &request.context.policy) {
        return Ok(response);
    }
    Ok(request.clear_cookies(response))
}
