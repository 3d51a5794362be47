//! The device and the network of a request: for the list of sessions, and for limits per network.

use std::future::pending;
use std::net::IpAddr;

use tokio::sync::watch;

use crate::network::Network;

/// The client that sent a request.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    pub(crate) ip_address: Option<IpAddr>,
    /// The network whose limits apply. `None` for a loopback peer that is no trusted proxy: it is this machine, or a
    /// proxy missing in `TRUSTED_PROXIES`, behind which one visitor would use up the limits of all.
    pub(crate) network: Option<Network>,
    pub(crate) user_agent: Option<String>,
    pub(crate) hang_up: HangUp,
}

/// Tells that the caller of a request has hung up.
#[derive(Debug, Clone)]
pub(crate) struct HangUp(Option<watch::Receiver<()>>);

impl HangUp {
    /// The receiver's sender is dropped when the caller hangs up. Without one, the caller never does.
    pub(crate) const fn new(connected: Option<watch::Receiver<()>>) -> Self {
        Self(connected)
    }

    /// Returns when the caller has hung up.
    pub(crate) async fn happened(&self) {
        match self.0.clone() {
            Some(mut connected) => while connected.changed().await.is_ok() {},
            None => pending().await,
        }
    }
}
