//! Describes the client that sent a request, and the signal that this client has hung up.

use std::future::pending;
use std::net::IpAddr;

use tokio::sync::watch;

use crate::network::Network;

/// The client that sent a request.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    /// The IP address of the peer, or the address that a trusted proxy reported. `None` for an unknown peer.
    pub(crate) ip_address: Option<IpAddr>,
    /// The network whose limits apply. `None` for an unknown peer, and for a loopback peer that is not a trusted proxy:
    /// such a peer may be a proxy that `TRUSTED_PROXIES` does not list, and all its visitors would share one limit. In
    /// queues, all clients without a network are one network.
    pub(crate) network: Option<Network>,
    /// The `User-Agent` header without control characters, cut off after 512 characters.
    pub(crate) user_agent: Option<String>,
    pub(crate) hang_up: HangUpSignal,
}

/// A signal that the client closed the connection or, with HTTP/2, cancelled the request, before the response.
#[derive(Debug, Clone)]
pub(crate) struct HangUpSignal(Option<watch::Receiver<()>>);

impl HangUpSignal {
    /// Creates a signal that fires when the sender of `receiver` is dropped. With `None`, the signal never fires.
    pub(crate) const fn new(receiver: Option<watch::Receiver<()>>) -> Self {
        Self(receiver)
    }

    /// Waits until the signal fires.
    pub(crate) async fn wait(&self) {
        match self.0.clone() {
            Some(mut receiver) => while receiver.changed().await.is_ok() {},
            None => pending().await,
        }
    }
}
