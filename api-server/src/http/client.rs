//! Which device a request came from, for the list of sessions.

use std::future::{Ready, ready};
use std::net::IpAddr;

use actix_web::dev::Payload;
use actix_web::http::header::USER_AGENT;
use actix_web::{FromRequest, HttpRequest};

use crate::problem::Problem;

const MAX_USER_AGENT_CHARS: usize = 512;

/// The peer's address and what it calls itself.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    pub(crate) ip_address: Option<IpAddr>,
    pub(crate) user_agent: Option<String>,
}

impl FromRequest for Client {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let user_agent = request.headers().get(USER_AGENT);
        ready(Ok(Self {
            ip_address: request.peer_addr().map(|peer| peer.ip().to_canonical()),
            user_agent: user_agent.map(|value| printable(value.as_bytes())),
        }))
    }
}

/// A header may hold any bytes; a text column and a list on a screen may not.
fn printable(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes)
        .chars()
        .filter(|character| !character.is_control())
        .take(MAX_USER_AGENT_CHARS)
        .collect()
}
