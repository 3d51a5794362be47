//! The client that sent a request: its device, for the list of sessions, and its network, for limits per network.

use std::future::pending;
use std::net::IpAddr;

use tokio::sync::watch;

use crate::network::Network;

/// The client that sent a request.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    /// The IP address of the client, as far as trusted proxies report it. `None` if the peer is unknown.
    pub(crate) ip_address: Option<IpAddr>,
    /// The network whose limits apply. `None`, so no limit, for a loopback peer that is not a trusted proxy: it may be
    /// a proxy missing in `TRUSTED_PROXIES`, and then one visitor could use up the limits of all visitors.
    pub(crate) network: Option<Network>,
    /// The `User-Agent` header without control characters.
    pub(crate) user_agent: Option<String>,
    pub(crate) hang_up: HangUp,
}

/// Signals that the caller has closed the connection before the response.
#[derive(Debug, Clone)]
pub(crate) struct HangUp(Option<watch::Receiver<()>>);

impl HangUp {
    /// Creates a signal that fires when the sender of `connected` is dropped; with `None`, it never fires.
    pub(crate) const fn new(connected: Option<watch::Receiver<()>>) -> Self {
        Self(connected)
    }

    /// Completes when the caller has closed the connection.
    pub(crate) async fn wait(&self) {
        match self.0.clone() {
            Some(mut connected) => while connected.changed().await.is_ok() {},
            None => pending().await,
        }
    }
}
