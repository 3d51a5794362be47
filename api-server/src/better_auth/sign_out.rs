//! `POST /api/auth/sign-out`

use actix_web::HttpResponse;
use serde::Serialize;

use super::call::Call;
use super::cookies;
use super::identity;
use super::identity::Identity;
use super::respond::ApiResult;
use crate::http::origin::is_foreign;
use crate::sessions::logout::{Credential, Scope, end};

#[derive(Serialize)]
struct SignedOut {
    success: bool,
}

/// Ends the session, if there is one; forgets the cookies in any case. If the cookie came twice, every session that one
/// of them names ends: the browser keeps the cookie that another host of the site set, and must not go on with it.
pub(crate) async fn sign_out(call: Call) -> ApiResult {
    let visitor = identity::find(&call.request, &call.context, false).await?;
    let sessions = match visitor {
        Identity::SignedIn(signed_in) => vec![signed_in.session.id],
        Identity::SessionOver => Vec::new(),
        Identity::Anonymous if identity::has_two_headers(&call.request) => Vec::new(),
        Identity::Anonymous => cookies::doubled_sessions(&call.request, &call.context),
    };
    for session in sessions {
        let credential = Credential::good(session);
        end(&call.context.sessions, vec![credential], Scope::Current).await?;
    }
    let response = HttpResponse::Ok().json(SignedOut { success: true });
    // Another site could have the browser post here without its cookies, and must not get them cleared.
    if is_foreign(&call.request, &call.context.policy) {
        return Ok(response);
    }
    Ok(call.forget(response))
}
