//! The parts of the server that the handlers of Better Auth's API need.

use std::sync::Arc;

use actix_web::web::Data;

use crate::accounts::Accounts;
use crate::http::policy::HttpPolicy;
use crate::sessions::Sessions;

pub(crate) struct BetterAuthContext {
    pub(crate) accounts: Data<Accounts>,
    pub(crate) sessions: Arc<Sessions>,
    pub(crate) policy: Data<HttpPolicy>,
    /// Whether users may delete their account (`BETTER_AUTH_DELETE_USER`).
    pub(crate) may_delete_user: bool,
}
