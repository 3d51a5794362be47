//! `POST /api/auth/revoke-sessions`

use actix_web::HttpResponse;

use super::call::Call;
use super::format::DONE;
use super::respond::ApiResult;
use crate::sessions::logout::{Credential, Scope, end};

/// Ends every session of the caller.
pub(crate) async fn revoke_sessions(call: Call) -> ApiResult {
    let signed_in = call.signed_in().await?;
    let credential = Credential::current(signed_in.session.id);
    end(&call.context.sessions, vec![credential], Scope::All).await?;
    Ok(call.clear_cookies(HttpResponse::Ok().json(DONE)))
}
