//! Checks that the caller of `/api/{user_id}/…` is that user. The request of another user is rejected with status 403.

use std::future::{Ready, ready};
use std::marker::PhantomData;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use auth_core::require_owner;
use percent_encoding::percent_decode_str;
use utoipa::IntoParams;

use super::caller::Caller;
use super::scope::RequiredScope;
use crate::problem::Problem;
use crate::users::id::UserId;

/// The user who owns the data at this path, and who sent the request with a token that permits the scope `S`.
///
/// This must be the first argument of a handler: extractors run in order, so the request of another user fails before
/// its body is read.
pub(crate) struct Owner<S>(pub(crate) UserId, pub(crate) PhantomData<S>);

/// The path parameter of [`Owner`], for the `OpenAPI` document.
#[derive(IntoParams)]
#[into_params(names("user_id"), parameter_in = Path)]
#[expect(dead_code, reason = "only describes the parameter")]
pub(crate) struct OwnerId(
    /// The caller's own id
    #[param(value_type = String)]
    UserId,
);

impl<S: RequiredScope> Owner<S> {
    fn of(request: &HttpRequest) -> Result<Self, Problem> {
        let caller = Caller::<S>::of(request)?;
        // If the URL path has no user id, the owner is the caller.
        if let Some(encoded_id) = request.match_info().get("user_id") {
            // The router leaves `%2F` and `%25` encoded. They are decoded here, because the id of an imported user may
            // contain `/` or `%`.
            let user_id = percent_decode_str(encoded_id).decode_utf8_lossy();
            require_owner(caller.user_id.as_str(), &user_id)?;
        }
        Ok(Self(caller.user_id, PhantomData))
    }
}

impl<S: RequiredScope> FromRequest for Owner<S> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Self::of(request))
    }
}
