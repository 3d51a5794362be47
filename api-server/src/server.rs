//! Builds and runs the server: the shared state, the order of middleware, the signals and the background tasks.

mod metrics_listener;
mod parts;

use std::future::pending;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use actix_server::{Server as ActixServer, ServerBuilder, ServerHandle};
use actix_web::App;
use actix_web::middleware::{Condition, from_fn};
use futures_util::FutureExt as _;
use futures_util::future::OptionFuture;
use ipnet::IpNet;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::sleep;

use crate::clock::Clock;
use crate::config::{Config, TimeoutConfig};
use crate::connections::{
    self, ConnectionPolicy, ConnectionTimeouts, Connections, ExemptPeers, Tls,
};
use crate::db::{self, DatabaseUrl};
use crate::http::cors::cors;
use crate::http::hang_up::complete_unsafe_requests;
use crate::http::middleware::finish_responses;
use crate::limits::Limits;
#[cfg(feature = "otlp")]
use crate::logging::otlp::SpanExporter;
use crate::mail::sender::MailSender;
use crate::progress::Progress;
use crate::routes::routes;
use crate::sessions::Sessions;
use crate::sessions::housekeeping::{follow_revocations, purge_regularly};
use crate::sessions::revocation::page::assign_final_numbers;
use crate::sessions::token_keys::TokenKeys;
use crate::users::email_check;
use metrics_listener::MetricsListener;
use parts::ServerParts;

/// The reason why a server could not be built.
pub type BuildError = Box<dyn std::error::Error + Send + Sync>;

/// A server that already listens, and that responds while [`run`](Self::run) is awaited.
pub struct Server {
    addr: SocketAddr,
    actix: ActixServer,
    metrics: MetricsListener,
    sessions: Arc<Sessions>,
    mail_sender: MailSender,
    tls: Option<Tls>,
    shutdown_delay: Duration,
    #[cfg(feature = "otlp")]
    span_exporter: Option<SpanExporter>,
}

/// A handle that stops a running server.
#[derive(Clone)]
pub struct Stopper(ServerHandle);

impl Stopper {
    /// Makes the server accept no more connections, and waits until the requests in flight have finished or
    /// [`Limits::drain_timeout`] has passed.
    pub async fn stop(&self) {
        self.0.stop(true).await;
    }
}

impl Server {
    /// Returns the socket address on which the server listens.
    #[must_use]
    pub const fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Returns the socket address on which the server serves the metrics; `None` without `METRICS_ADDR`.
    #[must_use]
    pub fn metrics_addr(&self) -> Option<SocketAddr> {
        self.metrics.addr()
    }

    /// Returns a handle that stops the server.
    #[must_use]
    pub fn stopper(&self) -> Stopper {
        Stopper(self.actix.handle())
    }

    /// Serves requests and sends mails until the server is stopped. Loads every recorded revocation before the first
    /// response.
    ///
    /// # Errors
    ///
    /// If the listener of the API or of the metrics fails, if the revocations cannot be loaded from the database, or if
    /// the thread that sends mails cannot be started.
    pub async fn run(self) -> io::Result<()> {
        let sessions = self.sessions;
        sessions
            .feed
            .catch_up(&sessions.db)
            .await
            .map_err(io::Error::other)?;
        let running_sender = self.mail_sender.start()?;
        let mut metrics = self.metrics;
        #[cfg(feature = "otlp")]
        let running_exporter = self.span_exporter.map(SpanExporter::start);
        let result = tokio::select! {
            result = self.actix => result,
            result = metrics.run() => result,
            () = follow_revocations(sessions.clone()) => Ok(()),
            () = purge_regularly(sessions.clone()) => Ok(()),
            () = email_check::log_deviations(&sessions.db).then(|()| pending()) => Ok(()),
        };
        assign_final_numbers(&sessions.db).await;
        metrics.stop().await;
        running_sender.stop().await;
        #[cfg(feature = "otlp")]
        if let Some(exporter) = running_exporter {
            exporter.stop().await;
        }
        result
    }

    /// Serves requests until SIGTERM or SIGINT. Then still serves requests during the shutdown delay, while `/readyz`
    /// responds with 503, and stops like [`Stopper::stop`].
    ///
    /// On SIGHUP, calls `reload_keys` and reads the certificate again. Later requests use the new secrets and keys,
    /// later connections the new certificate. If one of the two fails, the error is logged and the previous values stay
    /// in use.
    ///
    /// # Errors
    ///
    /// The errors of [`run`](Self::run), and an error if the process cannot receive signals.
    pub fn run_until_signal(
        self,
        reload_keys: impl Fn() -> Result<TokenKeys, String> + Clone + Send + 'static,
    ) -> io::Result<()> {
        actix_web::rt::System::new().block_on(async {
            // The signals are registered before "listening" is logged, because a supervisor may send a signal as soon
            // as it reads that line.
            let mut sigterm = signal(SignalKind::terminate())?;
            let mut sigint = signal(SignalKind::interrupt())?;
            let sighup = signal(SignalKind::hangup())?;
            let reload_certificate = self.tls.clone().map(|tls| {
                let sessions = self.sessions.clone();
                let read_time = move || sessions.now();
                tls.log_problem(read_time());
                signal(SignalKind::hangup()).map(|sighup| tls.reload_on_signal(sighup, read_time))
            });
            let reload_certificate = OptionFuture::from(reload_certificate.transpose()?);
            let scheme = if self.tls.is_some() { "https" } else { "http" };
            if let Some(addr) = self.metrics_addr() {
                log::info!("metrics on http://{addr}/metrics");
            }
            log::info!("listening on {scheme}://{}", self.addr);
            let (stopper, sessions) = (self.stopper(), self.sessions.clone());
            let shutdown_delay = self.shutdown_delay;
            actix_web::rt::spawn(async move {
                tokio::select! {
                    _ = sigterm.recv() => log::info!("SIGTERM: finishing what is in flight"),
                    _ = sigint.recv() => log::info!("SIGINT: finishing what is in flight"),
                }
                sessions.is_stopping.store(true, Ordering::Relaxed);
                sleep(shutdown_delay).await;
                stopper.stop().await;
            });
            let sessions = self.sessions.clone();
            tokio::select! {
                result = self.run() => result?,
                () = sessions.keys.reload_on_signal(sighup, reload_keys) => {}
                Some(()) = reload_certificate => {}
            }
            log::info!("stopped");
            Ok(())
        })
    }
}

/// Migrates the database, binds the socket addresses of the API and of the metrics, and prepares the workers.
///
/// # Errors
///
/// If the database cannot be migrated, a database thread cannot be started, a token setting or a template of mails is
/// invalid, TLS cannot be prepared for sending mails or spans, or a socket address cannot be bound.
pub fn build(mut config: Config, limits: Limits, clock: Clock) -> Result<Server, BuildError> {
    prepare_database(&config.database_url)?;
    let bind_addr = config.bind_addr;
    let explain_bind_error =
        |error: io::Error| format!("cannot listen on {bind_addr} (BIND_ADDR): {error}");
    let listener = connections::listen(bind_addr).map_err(explain_bind_error)?;
    let addr = listener.local_addr().map_err(explain_bind_error)?;
    config.web.adopt_bound_address(addr);
    let allowed_origins = config.web.allowed_origins.clone();
    let has_pages = config.web.pages;
    let policy = new_connection_policy(&config, &limits);
    let (tls, shutdown_delay) = (policy.tls.clone(), config.web.shutdown_delay);
    let (mail_settings, public_url) = (config.mail.clone(), config.web.public_url.clone());
    let metrics_addr = config.metrics_addr;
    #[cfg(feature = "otlp")]
    let otlp = config.web.otlp.take();
    let parts = ServerParts::new(config, &limits, clock)?;
    #[cfg(feature = "otlp")]
    let (parts, span_exporter) = parts.with_spans(otlp)?;
    let metrics = bind_metrics_listener(metrics_addr, &limits, &parts, &policy)?;
    let mail_sender = parts.mail_sender(&mail_settings, &public_url)?;
    let sessions = Arc::clone(&parts.sessions);
    let create_app = move || {
        App::new()
            .configure(|app| parts.register(app))
            // A request passes this middleware from the last `wrap` to the first.
            .wrap(Condition::new(
                !allowed_origins.is_empty(),
                cors(&allowed_origins),
            ))
            .wrap(from_fn(finish_responses))
            .wrap(from_fn(complete_unsafe_requests))
            .configure(|app| routes(app, has_pages))
    };
    let builder = new_builder(&limits, limits.worker_threads);
    let actix_server =
        connections::serve(builder, listener, &policy, create_app).map_err(explain_bind_error)?;
    Ok(Server {
        addr,
        actix: actix_server,
        metrics,
        sessions,
        mail_sender,
        tls,
        shutdown_delay,
        #[cfg(feature = "otlp")]
        span_exporter,
    })
}

fn prepare_database(url: &DatabaseUrl) -> Result<(), BuildError> {
    let outcome = db::migrate_with_progress(url, &Progress::in_log());
    outcome.map_err(|error| format!("cannot prepare {url} (DATABASE_URL): {error}").into())
}

fn bind_metrics_listener(
    addr: Option<SocketAddr>,
    limits: &Limits,
    parts: &ServerParts,
    policy: &ConnectionPolicy,
) -> Result<MetricsListener, BuildError> {
    addr.map_or(Ok(MetricsListener::off()), |addr| {
        let scrape = parts.scrape_context(policy.connections.clone());
        MetricsListener::bind(addr, limits, policy.timeouts, scrape)
    })
}

/// Returns the builder of a server with this number of threads.
fn new_builder(limits: &Limits, worker_threads: usize) -> ServerBuilder {
    ActixServer::build()
        .workers(worker_threads)
        .shutdown_timeout(limits.drain_timeout.as_secs())
        .max_concurrent_connections(usize::MAX)
        .disable_signals()
}

const fn new_connection_timeouts(config: TimeoutConfig) -> ConnectionTimeouts {
    ConnectionTimeouts {
        header: config.header,
        idle: config.idle,
        response: config.response,
    }
}

fn warn_if_every_peer_is_a_proxy(proxies: &[IpNet]) {
    if let Some(network) = proxies.iter().find(|network| network.prefix_len() == 0) {
        log::warn!(
            "TRUSTED_PROXIES contains {network}, which is every address: every caller can choose its own network, so \
             no limit per network works; list only the proxies"
        );
    }
}

fn new_connection_policy(config: &Config, limits: &Limits) -> ConnectionPolicy {
    warn_if_every_peer_is_a_proxy(&config.web.trusted_proxies);
    let exempt_peers = ExemptPeers {
        proxies: config.web.trusted_proxies.clone(),
        exempts_loopback: !limits.counts_loopback,
    };
    let max_connections = config.bounds.connections;
    let allowed_connections = connections::raise_open_file_limit(max_connections);
    if allowed_connections < max_connections {
        log::warn!(
            "MAX_CONNECTIONS is {allowed_connections} instead of {max_connections}: the system allows no more open \
             files (see ulimit -n)"
        );
    }
    ConnectionPolicy {
        connections: Connections::new(allowed_connections, exempt_peers),
        timeouts: new_connection_timeouts(config.bounds.timeouts),
        tls: config.web.tls.clone(),
    }
}
