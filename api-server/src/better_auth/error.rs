//! Handles `GET /api/auth/error`.

use url::form_urlencoded::Serializer;

use super::api_request::ApiRequest;
use super::redirect::redirect;
use super::respond::ApiResult;

/// Redirects the browser from an invalid link to the page at `/`, with the error in the query.
pub(crate) async fn error(request: ApiRequest) -> ApiResult {
    let parameter = |name: &str| request.query.get(name).and_then(|value| value.as_str());
    let is_valid_code = |code: &&str| {
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"'_-".contains(&byte);
        !code.is_empty() && code.bytes().all(is_allowed)
    };
    let mut redirect_query = Serializer::new(String::new());
    let code = parameter("error").filter(is_valid_code);
    redirect_query.append_pair("error", code.unwrap_or("UNKNOWN"));
    if let Some(description) = parameter("error_description").filter(|text| !text.is_empty()) {
        redirect_query.append_pair("error_description", description);
    }
    Ok(redirect(&format!("/?{}", redirect_query.finish())))
}
