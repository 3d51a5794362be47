//! Parses a request to Better Auth's API. If the method is unsafe, checks the origin and the redirect targets.

use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use actix_web::web::{Bytes, Data};
use actix_web::{FromRequest, HttpRequest};
use futures_util::future::LocalBoxFuture;
use serde_json::{Map, Value};

use super::api_error::ApiError;
use super::callback;
use super::fields::Fields;
use super::origin;
use crate::better_auth::context::BetterAuthContext;
use crate::client::Client;
use crate::http::json;
use crate::problem::Problem;

const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";

/// A request with a parsed body. If the method is unsafe, the origin and the redirect targets were checked.
pub(crate) struct ApiRequest {
    pub(super) http: HttpRequest,
    pub(super) context: Data<BetterAuthContext>,
    pub(super) client: Client,
    pub(super) query: Map<String, Value>,
    /// `None` if the request has no body, or a safe method.
    body: Option<Value>,
}

impl FromRequest for ApiRequest {
    type Error = ApiError;
    type Future = LocalBoxFuture<'static, Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let payload = payload.take();
        Box::pin(async move {
            let body_bytes = if request.method().is_safe() {
                Bytes::new()
            } else {
                json::read_body(&request, payload).await?
            };
            Self::new(request, &body_bytes).await
        })
    }
}

impl ApiRequest {
    pub(crate) async fn new(http: HttpRequest, body_bytes: &Bytes) -> Result<Self, ApiError> {
        let context = http
            .app_data::<Data<BetterAuthContext>>()
            .cloned()
            .ok_or_else(|| {
                Problem::internal("the server was built without its Better Auth context")
            })?;
        let request = Self {
            body: parse_body(&http, body_bytes)?,
            client: Client::extract(&http).await?,
            query: parse_pairs(http.query_string().as_bytes()),
            context,
            http,
        };
        if !request.http.method().is_safe() {
            origin::require_trusted(&request)?;
            callback::require_trusted(&request)?;
        }
        Ok(request)
    }

    pub(super) fn headers(&self) -> &HeaderMap {
        self.http.headers()
    }

    /// Returns a field of the body; `None` if the field is absent, or if the body is absent or not an object.
    pub(super) fn field(&self, name: &str) -> Option<&Value> {
        self.body.as_ref()?.get(name)
    }

    /// Returns the body's fields, for validation. Fails if the body is not an object.
    pub(super) fn fields(&self) -> Result<Fields<'_>, ApiError> {
        Fields::of_body(self.body.as_ref(), "object")
    }

    /// Does the same as [`fields`](Self::fields), but the error message says `record` instead of `object`, as Better
    /// Auth does for some endpoints.
    pub(super) fn record_fields(&self) -> Result<Fields<'_>, ApiError> {
        Fields::of_body(self.body.as_ref(), "record")
    }

    pub(super) fn query_fields(&self) -> Fields<'_> {
        Fields::of_query(&self.query)
    }
}

/// Parses a query or a form. If a name is repeated, the last value is used.
fn parse_pairs(text: &[u8]) -> Map<String, Value> {
    let pairs = url::form_urlencoded::parse(text);
    let fields = pairs.map(|(name, value)| (name.into_owned(), Value::from(value.into_owned())));
    fields.collect()
}

/// Parses a body as JSON, or as a form if Better Auth accepts forms at this path; `None` if the body is empty.
fn parse_body(request: &HttpRequest, body: &Bytes) -> Result<Option<Value>, ApiError> {
    if body.is_empty() {
        return Ok(None);
    }
    let header = request.headers().get(CONTENT_TYPE);
    let content_type = header.map(HeaderValue::as_bytes).unwrap_or_default();
    let text_before_semicolon = content_type.split(|byte| *byte == b';').next();
    let media_type = text_before_semicolon.unwrap_or_default().trim_ascii();
    if media_type.eq_ignore_ascii_case(JSON.as_bytes()) {
        let value = serde_json::from_slice(body).map_err(|_not_json| invalid_json())?;
        return Ok(Some(value));
    }
    let accepts_forms = request.path().ends_with("/email");
    if accepts_forms && media_type.eq_ignore_ascii_case(FORM.as_bytes()) {
        return Ok(Some(Value::Object(parse_pairs(body))));
    }
    Err(unsupported_media_type(content_type, accepts_forms))
}

fn invalid_json() -> ApiError {
    let message = "Invalid JSON in request body";
    ApiError::new(StatusCode::BAD_REQUEST, "BAD_REQUEST", message)
}

fn unsupported_media_type(content_type: &[u8], accepts_forms: bool) -> ApiError {
    let allowed_types = if accepts_forms {
        format!("{FORM}, {JSON}")
    } else {
        JSON.to_owned()
    };
    let reason = if content_type.is_empty() {
        "Content-Type is required.".to_owned()
    } else {
        let found_type = String::from_utf8_lossy(content_type);
        format!("Content-Type \"{found_type}\" is not allowed.")
    };
    let message = format!("{reason} Allowed types: {allowed_types}");
    let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
    ApiError::new(status, "UNSUPPORTED_MEDIA_TYPE", message)
}
