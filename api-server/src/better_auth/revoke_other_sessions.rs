//! Handles `POST /api/auth/revoke-other-sessions`.

use super::api_request::ApiRequest;
use super::format::DONE;
use super::respond::ApiResult;
use crate::sessions::logout::{Credential, LogoutScope, end};

/// Ends every session of the caller except the session of the request.
pub(crate) async fn revoke_other_sessions(request: ApiRequest) -> ApiResult {
    let signed_in_user = request.signed_in_user().await?;
    let credential = Credential::valid(signed_in_user.session.id.clone());
    end(
        &request.context.sessions,
        vec![credential],
        LogoutScope::Others,
        request.client.network,
    )
    .await?;
    request.respond(&signed_in_user, DONE)
}
