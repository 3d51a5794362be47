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
struct SignedOut {
    success: bool,
}

/// Ends the session, if there is one; clears the cookies in any case. If the cookie was sent twice, ends every session
/// that they name: the browser keeps the cookie that another host of the site set, and it must not stay valid.
pub(crate) async fn sign_out(call: Call) -> ApiResult {
    let found = identity::find(&call.request, &call.context, false).await?;
    let sessions = match found {
        Identity::SignedIn(signed_in) => vec![signed_in.session.id],
        Identity::SessionExpired => Vec::new(),
        Identity::Anonymous if identity::has_two_headers(&call.request) => Vec::new(),
        Identity::Anonymous => cookies::doubled_sessions(&call.request, &call.context),
    };
    for session in sessions {
        let credential = Credential::current(session);
        end(&call.context.sessions, vec![credential], Scope::Current).await?;
    }
    let response = HttpResponse::Ok().json(SignedOut { success: true });
    // Another site could make the browser send this request without cookies; it must not be able to clear them.
    if is_from_untrusted_origin(&call.request, &call.context.policy) {
        return Ok(response);
    }
    Ok(call.clear_cookies(response))
}
