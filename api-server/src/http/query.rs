//! Parses and validates the query string of a request.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use serde::de::DeserializeOwned;
use validator::Validate;

use crate::problem::violation::field_errors;
use crate::problem::{Code, Problem};

/// A validated query string. Unknown parameters are ignored; a known parameter that is sent twice is an error.
pub(crate) struct QueryString<T>(pub(crate) T);

impl<T: DeserializeOwned + Validate> FromRequest for QueryString<T> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(parse(request.query_string()))
    }
}

fn parse<T: DeserializeOwned + Validate>(query_string: &str) -> Result<QueryString<T>, Problem> {
    let query: T = serde_urlencoded::from_str(query_string).map_err(|error| {
        Problem::new(
            Code::InvalidRequest,
            format!("The query string is not acceptable: {error}"),
        )
    })?;
    query
        .validate()
        .map_err(|errors| Problem::validation(field_errors(&errors)))?;
    Ok(QueryString(query))
}
