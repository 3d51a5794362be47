//! `POST /api/auth/sign-out`

use actix_web::HttpResponse;
use serde::Serialize;

use super::answer::Answer;
use super::call::Call;
use super::visitor::{self, Visitor};
use crate::http::origin::is_foreign;
use crate::sessions::logout::{Scope, end};
use crate::sessions::logout_credentials::Credential;

#[derive(Serialize)]
struct SignedOut {
    success: bool,
}

/// Ends the session, if there is one; forgets the cookies in any case.
pub(super) async fn sign_out(call: Call) -> Answer {
    let visitor = visitor::find(&call.request, &call.state, false).await?;
    if let Visitor::Someone(someone) = visitor {
        let credential = Credential::good(someone.session.id);
        end(&call.state, vec![credential], Scope::Current).await?;
    }
    let response = HttpResponse::Ok().json(SignedOut { success: true });
    // Another site could have the browser post here without its cookies, and must not get them cleared.
    if is_foreign(&call.request, &call.state) {
        return Ok(response);
    }
    Ok(call.forget(response))
}
