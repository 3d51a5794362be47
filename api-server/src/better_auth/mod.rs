//! Offers Better Auth's API to Better Auth's unmodified client: the same paths, bodies, codes, messages, cookies and
//! rules for `Origin`, with the users, sessions and passwords of this server. docs/from-better-auth.md lists the
//! intended differences. The files of the endpoints are named after the paths.
//!
//! Only one endpoint, `GET /api/auth/token`, is in the `OpenAPI` document: Better Auth documents the other endpoints.

pub(crate) mod admin;
pub(crate) mod api_error;
pub(crate) mod api_request;
mod callback;
pub(crate) mod change_email;
pub(crate) mod change_password;
pub(crate) mod context;
mod cookies;
pub(crate) mod delete_user;
pub(crate) mod endpoint;
pub(crate) mod error;
mod fields;
mod format;
pub(crate) mod get_session;
pub(crate) mod identity;
pub(crate) mod list_accounts;
pub(crate) mod list_sessions;
pub(crate) mod ok;
mod origin;
mod password;
mod redirect;
pub(crate) mod request_password_reset;
pub(crate) mod reset_password;
mod respond;
pub(crate) mod revoke_other_sessions;
pub(crate) mod revoke_session;
pub(crate) mod revoke_sessions;
pub(crate) mod send_verification_email;
pub(crate) mod sign_in_email;
pub(crate) mod sign_out;
pub(crate) mod sign_up_email;
pub(crate) mod token;
pub(crate) mod update_session;
pub(crate) mod update_user;
pub(crate) mod verify_email;
pub(crate) mod verify_password;

use utoipa::OpenApi;

/// The operation of `GET /api/auth/token` for the `OpenAPI` document.
#[derive(OpenApi)]
#[openapi(paths(token::show))]
pub(crate) struct Api;
