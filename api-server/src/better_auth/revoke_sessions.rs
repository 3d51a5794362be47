//! Handles `POST /api/auth/revoke-sessions`.

use actix_web::HttpResponse;

use super::api_request::ApiRequest;
use super::format::DONE;
use super::respond::ApiResult;
use crate::sessions::logout::{Credential, LogoutScope, end};

/// Ends every session of the caller.
pub(crate) async fn revoke_sessions(request: ApiRequest) -> ApiResult {
    let signed_in_user = request.signed_in_user().await?;
    let credential = Credential::valid(signed_in_user.session.id);
    end(
        &request.context.sessions,
        vec![credential],
        LogoutScope::All,
        request.client.network,
    )
    .await?;
    Ok(request.clear_cookies(HttpResponse::Ok().json(DONE)))
}
