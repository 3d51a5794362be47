//! The owner rule: under `/api/{user_id}/…` the token's subject is that user, or it is 403.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use auth_core::require_owner;
use percent_encoding::percent_decode_str;

use super::caller::Caller;
use crate::problem::Problem;
use crate::users::id::UserId;

/// The user whose data this address is about, who is also the one calling.
///
/// Put it first among a handler's arguments: extractors run in order, so the body of another user's request is never
/// read.
pub(crate) struct Owner(pub(crate) UserId);

impl Owner {
    fn of(request: &HttpRequest) -> Result<Self, Problem> {
        let caller = Caller::of(request)?;
        // The other addresses are about the caller.
        if let Some(named) = request.match_info().get("user_id") {
            // The router leaves `%2F` and `%25` as they are, which the id of an imported user may need.
            let named = percent_decode_str(named).decode_utf8_lossy();
            require_owner(caller.user_id.as_str(), &named)?;
        }
        Ok(Self(caller.user_id))
    }
}

impl FromRequest for Owner {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Self::of(request))
    }
}
