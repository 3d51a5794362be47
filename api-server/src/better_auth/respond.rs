//! Responses to a signed-in user, and the cookies of a session.

use actix_web::HttpResponse;
use actix_web::http::header::{ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue, SET_COOKIE};
use serde::Serialize;

use super::api_error::ApiError;
use super::api_request::ApiRequest;
use super::cookies;
use super::identity::SignedIn;
use crate::db::Timestamp;
use crate::http::headers::SET_AUTH_TOKEN;
use crate::problem::Problem;

/// The result of every endpoint.
pub(super) type ApiResult = Result<HttpResponse, ApiError>;

impl ApiRequest {
    /// Responds to a signed-in user, and sends the cookie again if the session was renewed.
    pub(super) fn respond(&self, signed_in: &SignedIn, body: impl Serialize) -> ApiResult {
        let mut response = HttpResponse::Ok().json(body);
        if signed_in.is_renewed {
            self.renew_session_cookie(&mut response, signed_in)?;
        }
        Ok(response)
    }

    /// Sends the signed-in user's cookie again.
    pub(super) fn renew_session_cookie(
        &self,
        response: &mut HttpResponse,
        signed_in: &SignedIn,
    ) -> Result<(), ApiError> {
        let session = &signed_in.session;
        let remember_until = signed_in.is_remembered.then_some(session.expires_at);
        self.set_session_cookie(response, &session.id, remember_until)
    }

    /// Sets the cookie of a session, and sends the token in a header for clients that store it themselves.
    pub(super) fn set_session_cookie(
        &self,
        response: &mut HttpResponse,
        session_id: &str,
        remember_until: Option<Timestamp>,
    ) -> Result<(), ApiError> {
        let (signed, cookies) =
            cookies::session_cookies(&self.context, session_id, remember_until)?;
        append_cookies(response, cookies);
        let token = HeaderValue::try_from(signed).map_err(Problem::internal)?;
        let headers = response.headers_mut();
        headers.insert(SET_AUTH_TOKEN, token);
        let exposed = HeaderValue::from_static("set-auth-token");
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, exposed);
        Ok(())
    }

    /// Clears the session's cookies.
    pub(super) fn clear_cookies(&self, mut response: HttpResponse) -> HttpResponse {
        append_cookies(&mut response, cookies::clear_all(&self.http, &self.context));
        response
    }
}

pub(super) fn append_cookies(response: &mut HttpResponse, cookies: Vec<HeaderValue>) {
    for cookie in cookies {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
}
