//! Translates between the messages of `h2` and those of actix, which use two versions of the crate `http`.

use std::io;
use std::net::SocketAddr;

use actix_http::error::PayloadError;
use actix_http::{Payload, Request, ResponseHead};
use actix_web::body::BodySize;
use actix_web::http::header::{
    CONNECTION, CONTENT_LENGTH, DATE, HOST, HeaderName, HeaderValue, TRANSFER_ENCODING, UPGRADE,
};
use actix_web::http::{Method, Version};
use actix_web::web::Bytes;
use chrono::Utc;
use futures_util::stream::{Stream, unfold};
use h2::RecvStream;

/// The format of the header `Date` (RFC 9110 § 5.6.7).
const DATE_FORMAT: &str = "%a, %d %b %Y %H:%M:%S GMT";
/// The headers that responses have only with HTTP/1.1.
const CONNECTION_HEADERS: [HeaderName; 3] = [CONNECTION, TRANSFER_ENCODING, UPGRADE];

/// Returns the request in the form that it has with HTTP/1.1: a path instead of a URL, and the header `Host`. Returns
/// `None` for a request without a path, such as `CONNECT`.
pub(super) fn to_actix_request(
    request: http::Request<RecvStream>,
    peer: Option<SocketAddr>,
) -> Option<Request> {
    let (parts, body) = request.into_parts();
    let payload: Payload = if body.is_end_stream() {
        Payload::None
    } else {
        Payload::Stream {
            payload: Box::pin(chunks_of(body)),
        }
    };
    let mut request = Request::with_payload(payload);
    let head = request.head_mut();
    head.method = Method::from_bytes(parts.method.as_str().as_bytes()).ok()?;
    head.uri = parts.uri.path_and_query()?.as_str().parse().ok()?;
    head.version = Version::HTTP_2;
    head.peer_addr = peer;
    for (name, value) in &parts.headers {
        let name = HeaderName::from_bytes(name.as_str().as_bytes()).ok()?;
        let value = HeaderValue::from_bytes(value.as_bytes()).ok()?;
        head.headers.append(name, value);
    }
    if let Some(authority) = parts.uri.authority()
        && !head.headers.contains_key(HOST)
    {
        let value = HeaderValue::from_str(authority.as_str()).ok()?;
        head.headers.insert(HOST, value);
    }
    Some(request)
}

/// Returns the parts of the body. Each part that is read allows the client to send as many bytes again.
fn chunks_of(body: RecvStream) -> impl Stream<Item = Result<Bytes, PayloadError>> {
    unfold(body, async |mut body| {
        let chunk = match body.data().await? {
            Ok(chunk) => {
                // An error means that the client has reset the stream, which the next read reports.
                let _reset = body.flow_control().release_capacity(chunk.len());
                Ok(chunk)
            }
            Err(error) => Err(PayloadError::Incomplete(Some(io::Error::other(error)))),
        };
        Some((chunk, body))
    })
}

pub(super) fn to_h2_response_head(head: &ResponseHead, size: BodySize) -> http::Response<()> {
    let mut response = http::Response::new(());
    if let Ok(status) = http::StatusCode::from_u16(head.status.as_u16()) {
        *response.status_mut() = status;
    }
    let headers = response.headers_mut();
    for (name, value) in head.headers() {
        if CONNECTION_HEADERS.contains(name) || (*name == CONTENT_LENGTH && size != BodySize::None)
        {
            continue;
        }
        if let Ok(name) = http::HeaderName::from_bytes(name.as_str().as_bytes())
            && let Ok(value) = http::HeaderValue::from_bytes(value.as_bytes())
        {
            headers.append(name, value);
        }
    }
    if let BodySize::Sized(length) = size {
        headers.insert(http::header::CONTENT_LENGTH, length.into());
    }
    if !head.headers().contains_key(DATE)
        && let Ok(date) = Utc::now().format(DATE_FORMAT).to_string().try_into()
    {
        headers.insert(http::header::DATE, date);
    }
    response
}
