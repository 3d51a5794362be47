//! `POST /api/auth/sign-out`

use actix_web::HttpResponse;
use serde::Serialize;

use super::call::Call;
use super::cookies;
use super::identity;
use super::identity::Identity;
use super::respond::ApiResult;
use crate::http::origin::is_from_untrusted_origin;
use crate::sessions::logout::{Credential, Scope, end};

#[derive(Serialize)]
struct SignOutBody {
    success: bool,
}

/// Ends the session, if there is one, and clears the cookies. If the session cookie was sent twice, ends the sessions
/// of both: the browser keeps the one that another host of the site set, so its session must not stay valid.
pub(crate) async fn sign_out(call: Call) -> ApiResult {
    let found = identity::find(&call.request, &call.context, false).await?;
    let session_ids = match found {
        Identity::SignedIn(signed_in) => vec![signed_in.session.id],
        Identity::SessionExpired => Vec::new(),
        Identity::Anonymous if identity::has_two_authorization_headers(&call.request) => Vec::new(),
        Identity::Anonymous => cookies::sessions_of_repeated_cookies(&call.request, &call.context),
    };
    for session_id in session_ids {
        let credential = Credential::current(session_id);
        end(&call.context.sessions, vec![credential], Scope::Current).await?;
    }
    let response = HttpResponse::Ok().json(SignOutBody { success: true });
    // Another site could make the browser send this request without cookies, and must not be able to clear them.
    if is_from_untrusted_origin(&call.request, &call.context.policy) {
        return Ok(response);
    }
    Ok(call.clear_cookies(response))
}
