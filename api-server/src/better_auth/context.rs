//! What the addresses of Better Auth's API share.

use std::sync::Arc;

use actix_web::web::Data;

use crate::accounts::Accounts;
use crate::http::policy::HttpPolicy;
use crate::sessions::Sessions;

pub(crate) struct BetterAuthContext {
    pub(crate) accounts: Data<Accounts>,
    pub(crate) sessions: Arc<Sessions>,
    pub(crate) policy: Data<HttpPolicy>,
    /// Whether clients may delete their account.
    pub(crate) delete_user: bool,
}
