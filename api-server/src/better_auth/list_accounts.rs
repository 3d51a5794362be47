//! Handles `GET /api/auth/list-accounts`.

use serde::Serialize;

use super::api_request::ApiRequest;
use super::password::has_credential_account;
use super::respond::ApiResult;
use crate::db::Timestamp;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AccountBody {
    id: String,
    account_id: String,
    provider_id: &'static str,
    user_id: String,
    created_at: Timestamp,
    updated_at: Timestamp,
    scopes: [String; 0],
}

/// Lists the user's password as an account of Better Auth. The list is empty if the user has no password.
pub(crate) async fn list_accounts(request: ApiRequest) -> ApiResult {
    let signed_in_user = request.signed_in_user().await?;
    let has_password = has_credential_account(&request, &signed_in_user).await?;
    let user = &signed_in_user.user;
    let account = has_password.then(|| AccountBody {
        id: user.id.clone(),
        account_id: user.id.clone(),
        provider_id: "credential",
        user_id: user.id.clone(),
        created_at: user.created_at,
        updated_at: user.updated_at,
        scopes: [],
    });
    request.respond(&signed_in_user, Vec::from_iter(account))
}
