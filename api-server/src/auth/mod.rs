//! Handles the paths `/api/auth/…` of this server's own API. Several handlers share the response in `token_response`.

pub(crate) mod account;
pub(crate) mod change_password;
pub(crate) mod email_change;
pub(crate) mod email_verification;
pub(crate) mod login;
pub(crate) mod logout;
mod mail_proof;
pub(crate) mod password_reset;
pub(crate) mod refresh;
pub(crate) mod register;
pub(crate) mod revocations;
pub(crate) mod session;
pub(crate) mod sessions;
pub(crate) mod token;
mod token_response;

use utoipa::OpenApi;

/// The operations of these paths for the `OpenAPI` document.
#[derive(OpenApi)]
#[openapi(paths(
    register::register,
    login::login,
    account::show,
    account::change,
    account::delete,
    change_password::change_password,
    password_reset::request,
    password_reset::confirm,
    email_change::request,
    email_change::confirm,
    email_change::undo,
    email_verification::request,
    email_verification::confirm,
    session::show,
    refresh::refresh,
    logout::logout,
    sessions::list,
    sessions::end,
    token::exchange,
    revocations::list,
))]
pub(crate) struct Api;
