//! Implements, for axum, the extractors and the response to a refused request.

use axum::body::Body;
use axum::extract::rejection::RawPathParamsRejection;
use axum::extract::{FromRequestParts, RawPathParams};
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use serde::de::DeserializeOwned;

use crate::layer::{RefusalBody, identify_caller};
use crate::require_caller::NO_USER_ID;
use crate::trace::record_refusal;
use crate::{Caller, CustomClaims, MaybeCaller, Owner, Refusal};

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        identify_caller(&parts.extensions, &parts.headers).await
    }
}

impl<S: Send + Sync> FromRequestParts<S> for MaybeCaller {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        Self::from_result(identify_caller(&parts.extensions, &parts.headers).await)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Owner {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let caller = identify_caller(&parts.extensions, &parts.headers).await?;
        match RawPathParams::from_request_parts(parts, state).await {
            Ok(params) => {
                let mut user_ids = params.iter().filter(|(name, _)| *name == "user_id");
                let (_, user_id) = user_ids
                    .next()
                    .ok_or_else(|| record_refusal(Refusal::internal_error(NO_USER_ID)))?;
                caller.require_owner(user_id)?;
                Ok(Self(caller))
            }
            // If any path parameter is not UTF-8, axum returns none of them, so the owner is unknown.
            Err(RawPathParamsRejection::InvalidUtf8InPathParam(_)) => {
                Err(record_refusal(Refusal::wrong_owner()))
            }
            Err(_) => Err(record_refusal(Refusal::internal_error(NO_USER_ID))),
        }
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for CustomClaims<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        if let Some(caller) = parts.extensions.get::<Caller>() {
            return caller.custom().map(Self);
        }
        let caller = identify_caller(&parts.extensions, &parts.headers).await?;
        caller.custom().map(Self)
    }
}

/// The extensions of the response contain the refusal, so that a layer can log its cause.
impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        self.into_http_response(Body::from)
    }
}

impl RefusalBody for Body {
    fn refuse(refusal: Refusal) -> Response {
        refusal.into_response()
    }
}
