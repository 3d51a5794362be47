//! Tests Better Auth's API. Each endpoint is tested in the file that has the same name as its file in
//! `api-server/src/better_auth/`. The other files test what several endpoints share. The tests with the original client
//! of Better Auth are in `tests/clients/better-auth`.

#![expect(clippy::string_slice, reason = "the sliced text is ASCII")]

mod admin;
mod bearer;
mod callback;
mod change_email;
mod change_password;
mod cookies;
mod cross_api;
mod delete_user;
mod error;
pub(crate) mod fixtures;
mod get_session;
mod list_accounts;
mod list_sessions;
mod network_budget;
mod ok;
mod origin;
mod request_password_reset;
mod requests;
mod reset_password;
mod revoke_other_sessions;
mod revoke_session;
mod revoke_sessions;
mod secret_rotation;
mod send_verification_email;
mod session_lifetime;
mod session_replacement;
mod sign_in_email;
mod sign_out;
mod sign_up_email;
mod token;
mod unauthenticated;
mod update_session;
mod update_user;
mod verify_email;
mod verify_password;
