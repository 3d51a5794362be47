//! Which device and which network a request came from: for the list of sessions, and for fair shares.

use std::future::{Ready, ready};
use std::net::IpAddr;

use actix_web::dev::Payload;
use actix_web::http::header::USER_AGENT;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest};

use super::forwarded;
use super::hang_up::HangUp;
use crate::network::Network;
use crate::problem::Problem;
use crate::state::State;

const MAX_USER_AGENT_CHARS: usize = 512;

/// The address it came from and what it calls itself.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    pub(crate) ip_address: Option<IpAddr>,
    /// What its attempts are charged to. None for a loopback peer that is no trusted proxy: it is this machine, or a
    /// proxy that `TRUSTED_PROXIES` should name, and then one visitor would use up the shares of all.
    pub(crate) network: Option<Network>,
    pub(crate) user_agent: Option<String>,
    pub(crate) hang_up: HangUp,
}

impl FromRequest for Client {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let peer = request.peer_addr().map(|peer| peer.ip().to_canonical());
        let (ip_address, network) = match (peer, request.app_data::<Data<State>>()) {
            (Some(peer), Some(state)) => place(peer, request, state),
            _ => (peer, None),
        };
        let user_agent = request.headers().get(USER_AGENT);
        ready(Ok(Self {
            ip_address,
            network,
            user_agent: user_agent.map(|value| printable(value.as_bytes())),
            hang_up: HangUp::of(request),
        }))
    }
}

fn place(peer: IpAddr, request: &HttpRequest, state: &State) -> (Option<IpAddr>, Option<Network>) {
    let (headers, proxies) = (request.headers(), state.trusted_proxies.as_slice());
    let is_trusted = forwarded::is_proxy(peer, proxies);
    state
        .proxy_notice
        .look(peer, is_trusted, headers, state.now());
    let address = forwarded::origin(peer, headers, proxies);
    let is_counted = is_trusted || !peer.is_loopback();
    (Some(address), is_counted.then(|| Network::of(address)))
}

/// A header may hold any bytes; a text column and a list on a screen may not.
fn printable(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes)
        .chars()
        .filter(|character| !character.is_control())
        .take(MAX_USER_AGENT_CHARS)
        .collect()
}
