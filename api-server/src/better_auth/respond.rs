//! Responds to a signed-in user, and sets the cookies of a session.

use actix_web::HttpResponse;
use actix_web::http::header::{ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue, SET_COOKIE};
use serde::Serialize;

use super::api_error::ApiError;
use super::api_request::ApiRequest;
use super::cookies;
use super::identity::SignedInUser;
use crate::db::Timestamp;
use crate::http::headers::SET_AUTH_TOKEN;
use crate::problem::Problem;

/// The result of a handler of Better Auth's API.
pub(super) type ApiResult = Result<HttpResponse, ApiError>;

impl ApiRequest {
    /// Creates a response with status 200, and sends the session cookie again if necessary.
    pub(super) fn respond(&self, signed_in_user: &SignedInUser, body: impl Serialize) -> ApiResult {
        let mut response = HttpResponse::Ok().json(body);
        if signed_in_user.must_resend_cookie {
            self.resend_session_cookie(&mut response, signed_in_user)?;
        }
        Ok(response)
    }

    pub(super) fn resend_session_cookie(
        &self,
        response: &mut HttpResponse,
        signed_in_user: &SignedInUser,
    ) -> Result<(), ApiError> {
        let session = &signed_in_user.session;
        let remember_until = signed_in_user.is_remembered.then_some(session.expires_at);
        self.set_session_cookie(response, &session.id, remember_until)
    }

    /// Sets the cookies of a session. Also sends the token in a header, for clients that do not use cookies.
    pub(super) fn set_session_cookie(
        &self,
        response: &mut HttpResponse,
        session_id: &str,
        remember_until: Option<Timestamp>,
    ) -> Result<(), ApiError> {
        let (signed_token, cookies) =
            cookies::session_cookies(&self.context, session_id, remember_until)?;
        append_cookies(response, cookies);
        let token = HeaderValue::try_from(signed_token).map_err(Problem::internal)?;
        let headers = response.headers_mut();
        headers.insert(SET_AUTH_TOKEN, token);
        let exposed_headers = HeaderValue::from_static("set-auth-token");
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, exposed_headers);
        Ok(())
    }

    /// Clears all cookies of the session in the browser.
    pub(super) fn clear_cookies(&self, mut response: HttpResponse) -> HttpResponse {
        append_cookies(
            &mut response,
            cookies::removal_cookies(&self.http, &self.context),
        );
        response
    }
}

pub(super) fn append_cookies(response: &mut HttpResponse, cookies: Vec<HeaderValue>) {
    for cookie in cookies {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
}
