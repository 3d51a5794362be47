//! Serves the metrics on an address of their own, apart from the API.

use std::future::pending;
use std::io;
use std::net::SocketAddr;

use actix_server::Server as ActixServer;
use actix_web::App;
use actix_web::web::Data;

use super::{BuildError, new_builder};
use crate::connections::{self, ConnectionPolicy, ConnectionTimeouts, Connections, ExemptPeers};
use crate::limits::Limits;
use crate::scrape::{self, ScrapeContext};

/// The most open connections. Prometheus needs one.
const MAX_CONNECTIONS: usize = 16;

/// The server of the metrics; without `METRICS_ADDR`, no server.
pub(super) struct MetricsListener(Option<Running>);

struct Running {
    addr: SocketAddr,
    actix: ActixServer,
}

impl MetricsListener {
    pub(super) const fn off() -> Self {
        Self(None)
    }

    /// Creates a server that listens on this address.
    pub(super) fn bind(
        addr: SocketAddr,
        limits: &Limits,
        timeouts: ConnectionTimeouts,
        scrape: ScrapeContext,
    ) -> Result<Self, BuildError> {
        let explain = |error: io::Error| format!("cannot listen on {addr} (METRICS_ADDR): {error}");
        let listener = connections::listen(addr).map_err(explain)?;
        let addr = listener.local_addr().map_err(explain)?;
        let policy = ConnectionPolicy {
            tls: None,
            connections: Connections::new(MAX_CONNECTIONS, ExemptPeers::default()),
            timeouts,
        };
        let scrape = Data::new(scrape);
        let create_app = move || {
            App::new()
                .app_data(scrape.clone())
                .configure(scrape::routes)
        };
        let builder = new_builder(limits, 1);
        let actix = connections::serve(builder, listener, &policy, create_app).map_err(explain)?;
        Ok(Self(Some(Running { addr, actix })))
    }

    /// Returns the socket address on which the metrics are served, if any.
    pub(super) fn addr(&self) -> Option<SocketAddr> {
        self.0.as_ref().map(|running| running.addr)
    }

    /// Serves the metrics. Returns only if the server fails.
    pub(super) async fn run(&mut self) -> io::Result<()> {
        match &mut self.0 {
            Some(running) => {
                let result = (&mut running.actix).await;
                self.0 = None;
                result
            }
            None => pending().await,
        }
    }

    /// Ends the server. Does not wait for requests in flight.
    pub(super) async fn stop(self) {
        if let Some(running) = self.0 {
            let handle = running.actix.handle();
            let ((), _ended) = tokio::join!(handle.stop(false), running.actix);
        }
    }
}
