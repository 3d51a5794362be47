//! Which device and which network a request came from: for the list of sessions, and for fair shares.

use std::future::pending;
use std::net::IpAddr;

use tokio::sync::watch;

use crate::network::Network;

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

/// Tells that the caller of a request has hung up.
#[derive(Debug, Clone)]
pub(crate) struct HangUp(Option<watch::Receiver<()>>);

impl HangUp {
    /// The receiver's sender is dropped when the caller hangs up. Without one, the caller never does.
    pub(crate) const fn new(connected: Option<watch::Receiver<()>>) -> Self {
        Self(connected)
    }

    /// Ends when the caller has hung up.
    pub(crate) async fn happened(&self) {
        match self.0.clone() {
            Some(mut connected) => while connected.changed().await.is_ok() {},
            None => pending().await,
        }
    }
}
