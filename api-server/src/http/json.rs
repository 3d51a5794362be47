//! Reads JSON request bodies. Limits their size and the time to receive them, parses them into a type and validates the
//! result.

use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::error::PayloadError;
use actix_web::http::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderValue};
use actix_web::web::{Bytes, BytesMut, Data};
use actix_web::{FromRequest, HttpRequest};
use futures_util::StreamExt as _;
use futures_util::future::LocalBoxFuture;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::error::Category;
use tokio::time::timeout;
use validator::Validate;

use super::policy::HttpPolicy;
use crate::problem::violation::field_errors;
use crate::problem::{Code, FieldError, Problem};

/// The largest accepted request body, in bytes.
const MAX_BODY_BYTES: usize = 64 * 1024;

/// A validated request body.
pub(crate) struct ValidatedJson<T>(pub(crate) T);

impl<T: DeserializeOwned + Validate + 'static> FromRequest for ValidatedJson<T> {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let payload = payload.take();
        Box::pin(async move {
            require_json(&request)?;
            let body = read_body(&request, payload).await?;
            parse(&body).map(Self)
        })
    }
}

/// A validated request body, or the default value if the body is empty.
pub(crate) struct OptionalValidatedJson<T>(pub(crate) T);

impl<T: DeserializeOwned + Validate + Default + 'static> FromRequest for OptionalValidatedJson<T> {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let payload = payload.take();
        Box::pin(async move {
            let body = read_body(&request, payload).await?;
            if body.is_empty() {
                return Ok(Self(T::default()));
            }
            require_json(&request)?;
            parse(&body).map(Self)
        })
    }
}

/// Parses and validates a body that was read before, for a URL path that this API and Better Auth's API share.
pub(crate) fn from_bytes<T: DeserializeOwned + Validate>(
    request: &HttpRequest,
    body: Result<Bytes, Problem>,
) -> Result<ValidatedJson<T>, Problem> {
    require_json(request)?;
    parse(&body?).map(ValidatedJson)
}

fn require_json(request: &HttpRequest) -> Result<(), Problem> {
    let headers = request.headers();
    let mut content_types = headers.get_all(CONTENT_TYPE);
    let content_type = content_types.next().map(HeaderValue::as_bytes);
    let is_json = content_type.is_some_and(is_json_media_type) && content_types.next().is_none();
    if is_json && !headers.contains_key(CONTENT_ENCODING) {
        return Ok(());
    }
    Err(Problem::new(
        Code::UnsupportedMediaType,
        "Send the body as Content-Type: application/json, without Content-Encoding",
    ))
}

/// Accepts `application/json` with no other parameter than `charset=utf-8`.
fn is_json_media_type(value: &[u8]) -> bool {
    let mut parts = value.split(|byte| *byte == b';').map(<[u8]>::trim_ascii);
    let media_type = parts.next().unwrap_or_default();
    media_type.eq_ignore_ascii_case(b"application/json")
        && parts.all(|parameter| {
            [b"charset=utf-8".as_slice(), br#"charset="utf-8""#, b""]
                .iter()
                .any(|allowed| parameter.eq_ignore_ascii_case(allowed))
        })
}

/// Reads the whole body. Fails if the body is longer than [`MAX_BODY_BYTES`] or does not arrive within the body
/// timeout.
pub(crate) async fn read_body(request: &HttpRequest, payload: Payload) -> Result<Bytes, Problem> {
    let too_large = || Problem::new(Code::BodyTooLarge, "The body may have at most 65536 bytes");
    let content_length = request.headers().get("content-length");
    let declared_length = content_length.and_then(|value| value.to_str().ok()?.parse().ok());
    if declared_length.is_some_and(|length: usize| length > MAX_BODY_BYTES) {
        return Err(too_large());
    }
    let body_timeout = request
        .app_data::<Data<HttpPolicy>>()
        .map_or(Duration::ZERO, |policy| policy.body_timeout);
    match timeout(body_timeout, read_limited(payload)).await {
        Ok(Ok(Some(body))) => Ok(body),
        Ok(Ok(None)) => Err(too_large()),
        Ok(Err(error)) => Err(
            Problem::new(Code::InvalidRequest, "The body did not arrive whole").with_cause(error),
        ),
        Err(_elapsed) => Err(Problem::new(
            Code::RequestTimeout,
            "The body did not arrive in time",
        )),
    }
}

/// Reads a body; `None` if the body is longer than [`MAX_BODY_BYTES`].
async fn read_limited(mut payload: Payload) -> Result<Option<Bytes>, PayloadError> {
    let mut body = BytesMut::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk?;
        if body.len() + chunk.len() > MAX_BODY_BYTES {
            return Ok(None);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Some(body.freeze()))
}

fn parse<T: DeserializeOwned + Validate>(body: &[u8]) -> Result<T, Problem> {
    let text = std::str::from_utf8(body).map_err(|error| {
        Problem::new(Code::InvalidJson, format!("The body is not UTF-8: {error}"))
    })?;
    let mut deserializer = serde_json::Deserializer::from_str(text);
    // Checked here, because serde would also accept an array with one element per field of the struct.
    let is_object = text.trim_ascii_start().starts_with('{');
    let result = serde_path_to_error::deserialize(&mut deserializer);
    let value: T = match result {
        Ok(value) if is_object => value,
        Err(error) if is_object || error.inner().classify() != Category::Data => {
            return Err(deserialization_problem(&error));
        }
        _not_an_object => {
            return Err(Problem::new(
                Code::InvalidRequest,
                "The body must be a JSON object",
            ));
        }
    };
    deserializer.end().map_err(|error| syntax_problem(&error))?;
    value
        .validate()
        .map_err(|errors| Problem::validation(field_errors(&errors)))?;
    Ok(value)
}

/// Converts an error of serde to a problem. For an unacceptable value, the problem names the field; for a syntax error,
/// it names no field.
fn deserialization_problem(error: &serde_path_to_error::Error<serde_json::Error>) -> Problem {
    let cause = error.inner();
    if cause.classify() != Category::Data {
        return syntax_problem(cause);
    }
    let position = format!(" at line {} column {}", cause.line(), cause.column());
    let full_text = cause.to_string();
    let error_text = full_text.strip_suffix(&position).unwrap_or(&full_text);
    let path = error.path().to_string();
    let (field, code, message) = if let Some(name) = error_text.strip_prefix("duplicate field ") {
        let message = "must be there only once".to_owned();
        (name.replace('`', ""), "duplicate", message)
    } else if let Some((_, expected)) = error_text.rsplit_once(", expected ") {
        // The last `, expected ` is used, because an earlier one may be part of a value in the request.
        (path, "invalid_type", format!("must be {expected}"))
    } else {
        (path, "invalid", error_text.replace('`', ""))
    };
    Problem::validation(vec![FieldError {
        field,
        code: code.into(),
        message: message.into(),
    }])
}

fn syntax_problem(error: &serde_json::Error) -> Problem {
    Problem::new(Code::InvalidJson, format!("The body is not JSON: {error}"))
}

/// Deserializes a present field as `Option<Option<T>>`: `Some(None)` is an explicit null. With `#[serde(default)]`, an
/// absent field is `None`.
#[expect(
    clippy::option_option,
    reason = "absent and null mean different things in a PATCH"
)]
pub(crate) fn nullable<'de, T, D>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    Option::deserialize(deserializer).map(Some)
}

/// Deserializes a field that must not be null. With `#[serde(default)]`, an absent field is `None`.
pub(crate) fn not_null<'de, T, D>(deserializer: D) -> Result<Option<T>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    T::deserialize(deserializer).map(Some)
}
