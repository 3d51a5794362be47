//! Extracts the client of a request: its IP address, network and device.

use std::future::{Ready, ready};
use std::net::IpAddr;

use actix_web::dev::Payload;
use actix_web::http::header::USER_AGENT;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpMessage as _, HttpRequest};
use tokio::sync::watch;

use super::forwarded;
use super::policy::HttpPolicy;
use crate::client::{Client, HangUp};
use crate::network::Network;
use crate::problem::Problem;

/// The longest `User-Agent` text that is kept, in characters; the rest is cut off.
const MAX_USER_AGENT_CHARS: usize = 512;

impl FromRequest for Client {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let peer = request.peer_addr().map(|peer| peer.ip().to_canonical());
        let (ip_address, network) = match (peer, request.app_data::<Data<HttpPolicy>>()) {
            (Some(peer), Some(policy)) => locate(peer, request, policy),
            _ => (peer, None),
        };
        let user_agent = request.headers().get(USER_AGENT);
        ready(Ok(Self {
            ip_address,
            network,
            user_agent: user_agent.map(|value| printable_text(value.as_bytes())),
            hang_up: HangUp::new(request.extensions().get::<watch::Receiver<()>>().cloned()),
        }))
    }
}

/// Returns the IP address of the client, and its network if limits apply to it.
fn locate(
    peer: IpAddr,
    request: &HttpRequest,
    policy: &HttpPolicy,
) -> (Option<IpAddr>, Option<Network>) {
    let headers = request.headers();
    let proxies = policy.trusted_proxies.as_slice();
    let is_trusted = forwarded::is_proxy(peer, proxies);
    policy
        .proxy_warning
        .log_if_due(peer, is_trusted, headers, policy.clock.now());
    let address = forwarded::client_address(peer, headers, proxies);
    let is_limited = is_trusted || !peer.is_loopback();
    (Some(address), is_limited.then(|| Network::of(address)))
}

/// Removes bytes that a header may contain but a text column or a list of sessions may not.
fn printable_text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes)
        .chars()
        .filter(|character| !character.is_control())
        .take(MAX_USER_AGENT_CHARS)
        .collect()
}
