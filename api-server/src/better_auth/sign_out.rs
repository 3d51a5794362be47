//! `POST /api/auth/sign-out`

use actix_web::HttpResponse;
use serde::Serialize;

use super::answer::Answer;
use super::call::Call;
use super::cookies;
use super::visitor::{self, Visitor};
use crate::http::origin::is_foreign;
use crate::sessions::logout::{Scope, end};
use crate::sessions::logout_credentials::Credential;

#[derive(Serialize)]
struct SignedOut {
    success: bool,
}

/// Ends the session, if there is one; forgets the cookies in any case. If the cookie came twice, every session that one
/// of them names ends: the browser keeps the cookie that another host of the site set, and must not go on with it.
pub(super) async fn sign_out(call: Call) -> Answer {
    let visitor = visitor::find(&call.request, &call.state, false).await?;
    let sessions = match visitor {
        Visitor::Someone(someone) => vec![someone.session.id],
        Visitor::Gone => Vec::new(),
        Visitor::Nobody => cookies::doubled_sessions(&call.request, &call.state),
    };
    for session in sessions {
        let credential = Credential::good(session);
        end(&call.state, vec![credential], Scope::Current).await?;
    }
    let response = HttpResponse::Ok().json(SignedOut { success: true });
    // Another site could have the browser post here without its cookies, and must not get them cleared.
    if is_foreign(&call.request, &call.state) {
        return Ok(response);
    }
    Ok(call.forget(response))
}
