//! Extracts the IP address, the network and the user agent of the client that sent a request, and its hang-up signal.

use std::future::{Ready, ready};
use std::net::IpAddr;

use actix_web::dev::Payload;
use actix_web::http::header::USER_AGENT;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpMessage as _, HttpRequest};
use tokio::sync::watch;

use super::forwarded;
use super::policy::HttpPolicy;
use crate::client::{Client, HangUpSignal};
use crate::network::Network;
use crate::problem::Problem;

/// Returns the IP address of the client and the network whose limits apply, as [`Client`] describes them.
pub(crate) fn client_addresses(request: &HttpRequest) -> (Option<IpAddr>, Option<Network>) {
    let peer = request.peer_addr().map(|addr| addr.ip().to_canonical());
    match (peer, request.app_data::<Data<HttpPolicy>>()) {
        (Some(peer), Some(policy)) => ip_address_and_network(peer, request, policy),
        _ => (peer, None),
    }
}

/// The most characters of a `User-Agent` header that are stored. A longer header is truncated.
const MAX_USER_AGENT_CHARS: usize = 512;

impl FromRequest for Client {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let (ip_address, network) = client_addresses(request);
        let user_agent = request.headers().get(USER_AGENT);
        ready(Ok(Self {
            ip_address,
            network,
            user_agent: user_agent.map(|value| clean_user_agent(value.as_bytes())),
            hang_up: HangUpSignal::new(request.extensions().get::<watch::Receiver<()>>().cloned()),
        }))
    }
}

/// Returns the IP address and the network of the client. The network, to which limits apply, is `None` if the peer has
/// a loopback address and is not a trusted proxy.
fn ip_address_and_network(
    peer: IpAddr,
    request: &HttpRequest,
    policy: &HttpPolicy,
) -> (Option<IpAddr>, Option<Network>) {
    let headers = request.headers();
    let trusted_proxies = policy.trusted_proxies.as_slice();
    let is_trusted_proxy = forwarded::is_trusted_proxy(peer, trusted_proxies);
    policy
        .proxy_warning
        .log_if_due(peer, is_trusted_proxy, headers, policy.clock.now());
    let client_ip = forwarded::client_ip_address(peer, headers, trusted_proxies);
    let is_limited = is_trusted_proxy || !peer.is_loopback();
    (Some(client_ip), is_limited.then(|| Network::of(client_ip)))
}

/// Converts a `User-Agent` header to text. Removes control characters, and truncates a text that is too long.
fn clean_user_agent(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes)
        .chars()
        .filter(|character| !character.is_control())
        .take(MAX_USER_AGENT_CHARS)
        .collect()
}
