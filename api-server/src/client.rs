//! Describes the client that sent a request: the device for the list of sessions, the network for limits per network.

use std::future::pending;
use std::net::IpAddr;

use tokio::sync::watch;

use crate::network::Network;

/// The client that sent a request.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    /// The IP address of the client, which a trusted proxy may have reported. `None` if the peer is unknown.
    pub(crate) ip_address: Option<IpAddr>,
    /// The network whose limits apply. `None` (no limit) for a loopback peer that is not a trusted proxy: this peer may
    /// be a proxy that `TRUSTED_PROXIES` does not list, and all visitors behind this proxy would share one limit.
    pub(crate) network: Option<Network>,
    /// The `User-Agent` header without control characters.
    pub(crate) user_agent: Option<String>,
    pub(crate) hang_up: HangUp,
}

/// A signal that the caller has closed the connection before the response.
#[derive(Debug, Clone)]
pub(crate) struct HangUp(Option<watch::Receiver<()>>);

impl HangUp {
    /// Creates a signal that fires when the sender of `receiver` is dropped; with `None`, the signal never fires.
    pub(crate) const fn new(receiver: Option<watch::Receiver<()>>) -> Self {
        Self(receiver)
    }

    /// Waits until the caller has closed the connection.
    pub(crate) async fn wait(&self) {
        match self.0.clone() {
            Some(mut receiver) => while receiver.changed().await.is_ok() {},
            None => pending().await,
        }
    }
}
