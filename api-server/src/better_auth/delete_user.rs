//! `POST /api/auth/delete-user`: only where `BETTER_AUTH_DELETE_USER` allows it.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use serde::Serialize;

use super::answer::Answer;
use super::call::Call;
use super::change_password::{again, require_credential_account};
use super::refusal::Refusal;
use super::sign_up::attempt;
use super::visitor::{self, Visitor};
use super::{callback, cookies};
use crate::accounts::delete::remove;

#[derive(Serialize)]
struct Deleted {
    success: bool,
    message: &'static str,
}

/// Needs the password, or a login within the last day.
pub(super) async fn delete_user(call: Call) -> Answer {
    let mut fields = call.fields()?;
    fields.optional_text("callbackURL");
    let password = fields.optional_text("password").filter(|it| !it.is_empty());
    let token = fields.optional_text("token").filter(|it| !it.is_empty());
    fields.finish()?;
    let signed_in = call.signed_in().await?;
    if !call.state.delete_user {
        return Err(Refusal::nothing());
    }
    let mut compared = None;
    if let Some(password) = password {
        let attempt = attempt(password)?;
        require_credential_account(&call, &signed_in).await?;
        let attempt = attempt.ok_or_else(Refusal::invalid_password)?;
        compared = Some(again(&call, &signed_in, attempt).await?);
    }
    if token.is_some() {
        // They come by mail.
        return Err(Refusal::invalid_token(StatusCode::NOT_FOUND));
    }
    if compared.is_none() && !signed_in.is_fresh(call.state.now().into()) {
        let message = "Session expired. Re-authenticate to perform this action.";
        let status = StatusCode::BAD_REQUEST;
        return Err(Refusal::new(status, "SESSION_EXPIRED", message));
    }
    remove(&call.state, signed_in.user_id(), compared).await?;
    let response = HttpResponse::Ok().json(Deleted {
        success: true,
        message: "User deleted",
    });
    Ok(call.forget(response))
}

/// `GET /api/auth/delete-user/callback`: the link in a mail that this server does not send.
pub(super) async fn callback(call: Call) -> Answer {
    let mut fields = call.query_fields();
    fields.text("token");
    fields.finish()?;
    callback::of_query(&call)?;
    let not_found = StatusCode::NOT_FOUND;
    if !call.state.delete_user {
        return Err(Refusal::new(not_found, "NOT_FOUND", "Not found"));
    }
    match visitor::find(&call.request, &call.state, true).await? {
        Visitor::Someone(_) => Err(Refusal::invalid_token(not_found)),
        visitor => {
            let (code, message) = ("FAILED_TO_GET_USER_INFO", "Failed to get user info");
            let refusal = Refusal::new(not_found, code, message);
            if matches!(visitor, Visitor::Gone) {
                let forgotten = cookies::forget(&call.request, &call.state);
                return Err(refusal.with_cookies(forgotten));
            }
            Err(refusal)
        }
    }
}
