//! Builds the response to a registration, a login, a refresh, or a change or reset of the password.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::http::header::SET_COOKIE;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest, HttpResponse};
use auth_core::credentials::CredentialSource;
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::policy::HttpPolicy;
use crate::problem::Problem;
use crate::sessions::Sessions;
use crate::sessions::grant::TokenGrant;
use crate::users::user::User;

/// The response to a registration, a login, a refresh, or a change or reset of the password. If a cookie
/// authenticated the request, the tokens are in cookies only.
#[derive(Serialize, ToSchema)]
#[schema(as = Grant)]
pub(crate) struct TokenResponse {
    user: User,
    /// Send it as `Authorization: Bearer …`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String)]
    access_token: Option<String>,
    #[schema(example = "Bearer")]
    token_type: &'static str,
    /// The lifetime of the access token in seconds.
    #[schema(example = 900)]
    expires_in: i64,
    /// Opaque. Send it to `/api/auth/refresh` for the next pair of tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String)]
    refresh_token: Option<String>,
    session_id: String,
}

/// Turns a grant into a response with the tokens in cookies, and in the body unless a cookie authenticated the request.
pub(crate) struct TokenResponder {
    sessions: Data<Sessions>,
    policy: Data<HttpPolicy>,
}

impl TokenResponder {
    pub(crate) fn respond(
        &self,
        grant: TokenGrant,
        status: StatusCode,
        source: CredentialSource,
    ) -> Result<HttpResponse, Problem> {
        let tokens = grant.issue_tokens(&self.sessions)?;
        let mut response = HttpResponse::build(status);
        let lifetime = grant.expires_at.since(grant.issued_at.into());
        let (access_token, refresh_token) = (tokens.access.token, tokens.refresh);
        let cookie_format = &self.policy.cookie_format;
        for cookie in cookie_format.render(&access_token, &refresh_token, lifetime) {
            response.append_header((SET_COOKIE, cookie));
        }
        let are_tokens_in_body = source != CredentialSource::Cookie;
        Ok(response.json(TokenResponse {
            user: grant.user,
            access_token: are_tokens_in_body.then_some(access_token),
            token_type: "Bearer",
            expires_in: tokens.access.claims.exp - tokens.access.claims.iat,
            refresh_token: are_tokens_in_body.then_some(refresh_token),
            session_id: grant.session_id,
        }))
    }
}

impl FromRequest for TokenResponder {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let sessions = request.app_data::<Data<Sessions>>().cloned();
        let policy = request.app_data::<Data<HttpPolicy>>().cloned();
        let parts = sessions.zip(policy);
        let responder = parts.map(|(sessions, policy)| Self { sessions, policy });
        ready(responder.ok_or_else(|| {
            Problem::internal("the server was built without its sessions or its HTTP policy")
        }))
    }
}
