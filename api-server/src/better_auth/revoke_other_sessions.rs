//! `POST /api/auth/revoke-other-sessions`

use super::call::Call;
use super::format::DONE;
use super::respond::ApiResult;
use crate::sessions::logout::{Credential, Scope, end};

/// Ends every session of the caller but this one.
pub(crate) async fn revoke_other_sessions(call: Call) -> ApiResult {
    let signed_in = call.signed_in().await?;
    let credential = Credential::current(signed_in.session.id.clone());
    end(&call.context.sessions, vec![credential], Scope::Others).await?;
    call.respond(&signed_in, DONE)
}
