//! Converts refusals to responses of the crate `http`, with the body of a framework or of any service.

use std::fmt;

use http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use http::{Response, StatusCode};

use crate::Refusal;

impl Refusal {
    /// Converts the refusal to a response, with a body that `new_body` creates from [`body`](Self::body). The
    /// extensions of the response contain the refusal, so that a layer can log its cause.
    ///
    /// ```
    /// use auth_core::Refusal;
    ///
    /// let response = Refusal::missing_role().into_http_response(String::into_bytes);
    /// assert_eq!(response.status(), 403);
    /// ```
    #[must_use]
    pub fn into_http_response<B>(self, new_body: impl FnOnce(String) -> B) -> Response<B> {
        let mut response = Response::new(new_body(self.body()));
        let status = StatusCode::from_u16(self.status());
        *response.status_mut() = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(Self::MEDIA_TYPE));
        for (name, value) in self.headers() {
            if let Ok(header_value) = HeaderValue::try_from(value) {
                headers.insert(HeaderName::from_static(name), header_value);
            }
        }
        response.extensions_mut().insert(self);
        response
    }
}

/// The response body of a framework, whose type determines how a refusal becomes a response.
pub(crate) trait RefusalBody: Sized {
    /// Converts a refusal to a response of the framework.
    fn refuse(refusal: Refusal) -> Response<Self>;
}

/// Creates the response to a refused request.
pub(crate) trait RefusalResponder<B>: Clone {
    fn refuse(&self, refusal: Refusal) -> Response<B>;
}

/// Creates the response of the framework to which the body belongs: axum or tonic.
#[derive(Debug, Clone, Copy)]
pub struct FrameworkResponder;

impl<B: RefusalBody> RefusalResponder<B> for FrameworkResponder {
    fn refuse(&self, refusal: Refusal) -> Response<B> {
        B::refuse(refusal)
    }
}

/// Creates a response whose body the contained function makes from the JSON text of the refusal.
pub struct BodyResponder<B>(pub(super) fn(String) -> B);

impl<B> RefusalResponder<B> for BodyResponder<B> {
    fn refuse(&self, refusal: Refusal) -> Response<B> {
        refusal.into_http_response(self.0)
    }
}

/// Not derived, because a derived implementation would require `B: Clone`.
impl<B> Clone for BodyResponder<B> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<B> Copy for BodyResponder<B> {}

impl<B> fmt::Debug for BodyResponder<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BodyResponder")
    }
}
