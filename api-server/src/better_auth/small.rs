//! Endpoints of a few lines.

use actix_web::HttpResponse;
use actix_web::http::header::{ContentType, LOCATION};
use serde::Serialize;
use serde_json::json;
use url::form_urlencoded::Serializer;

use super::answer::Answer;
use super::call::Call;
use super::change_password::has_credential_account;
use crate::db::Timestamp;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_field_names, reason = "the wire's name")]
struct Account {
    id: String,
    account_id: String,
    provider_id: &'static str,
    user_id: String,
    created_at: Timestamp,
    updated_at: Timestamp,
    scopes: [String; 0],
}

/// `GET /api/auth/list-accounts`: the one with the password.
pub(super) async fn list_accounts(call: Call) -> Answer {
    let signed_in = call.signed_in().await?;
    let has_one = has_credential_account(&call, &signed_in).await?;
    let user = &signed_in.user;
    let account = has_one.then(|| Account {
        id: user.id.clone(),
        account_id: user.id.clone(),
        provider_id: "credential",
        user_id: user.id.clone(),
        created_at: user.created_at,
        updated_at: user.updated_at,
        scopes: [],
    });
    call.answer(&signed_in, Vec::from_iter(account))
}

/// `GET /api/auth/ok`
pub(super) async fn ok() -> HttpResponse {
    HttpResponse::Ok().json(json!({ "ok": true }))
}

/// `GET /api/auth/error`: where links lead that do not work. The page is the frontend's.
pub(super) async fn error(call: Call) -> Answer {
    let of = |name: &str| call.query.get(name).and_then(|value| value.as_str());
    let is_plain = |code: &&str| {
        let is_known = |byte: u8| byte.is_ascii_alphanumeric() || b"'_-".contains(&byte);
        !code.is_empty() && code.bytes().all(is_known)
    };
    let mut query = Serializer::new(String::new());
    query.append_pair("error", of("error").filter(is_plain).unwrap_or("UNKNOWN"));
    if let Some(description) = of("error_description").filter(|text| !text.is_empty()) {
        query.append_pair("error_description", description);
    }
    Ok(redirect(&format!("/?{}", query.finish())))
}

/// 302 without a body.
pub(super) fn redirect(location: &str) -> HttpResponse {
    HttpResponse::Found()
        .insert_header((LOCATION, location))
        .content_type(ContentType::json())
        .finish()
}

/// An address with an error in its query.
pub(super) fn with_error(address: &str, code: &str) -> String {
    let (address, fragment) = match address.split_once('#') {
        Some((address, fragment)) => (address, format!("#{fragment}")),
        None => (address, String::new()),
    };
    let separator = if address.contains('?') { '&' } else { '?' };
    format!("{address}{separator}error={code}{fragment}")
}
