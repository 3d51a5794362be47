//! Settings in, a running server out; the whole order of middleware and routes.

use std::future::pending;
use std::io;
use std::net::SocketAddr;

use actix_server::{Server as ActixServer, ServerHandle};
use actix_web::App;
use actix_web::middleware::{Condition, from_fn};
use actix_web::web::{self, Data, ServiceConfig};
use auth_core::{Authority, Keyring, RevokedSessions};
use futures_util::FutureExt as _;
use tokio::signal::unix::{SignalKind, signal};

use crate::accounts::addresses;
use crate::accounts::hasher::Hasher;
use crate::accounts::password_policy::PasswordPolicy;
use crate::accounts::throttle::{NetworkLimits, Throttle};
use crate::config::Config;
use crate::connections::{self, Connections, Exempt, Patience, Policy};
use crate::db::{self, Db};
use crate::http::caller::Own;
use crate::http::cookies::Cookies;
use crate::http::cors::cors;
use crate::http::envelope::envelope;
use crate::http::forwarded::ProxyNotice;
use crate::http::hang_up::finish_changes;
use crate::http::openapi;
use crate::http::page_memory::PageMemory;
use crate::keys::{Keys, TokenSettings};
use crate::problem::{Code, Problem};
use crate::sessions::housekeeping::{follow_revocations, purge_regularly};
use crate::sessions::revocation::Feed;
use crate::state::{Clock, Limits, State};
use crate::tasks::quota::TaskQuota;
use crate::{accounts, better_auth, health, pages, sessions, tasks};

pub use crate::state::{HEADER_TIMEOUT, KEEP_ALIVE};

/// Why a server could not be built.
pub type BuildError = Box<dyn std::error::Error + Send + Sync>;

/// A server that listens already and answers once [`run`](Self::run) is awaited.
pub struct Server {
    addr: SocketAddr,
    inner: ActixServer,
    state: Data<State>,
}

/// Stops a running server.
#[derive(Clone)]
pub struct Stopper(ServerHandle);

impl Stopper {
    /// Takes no new connections, lets requests in flight finish, within the drain time-out.
    pub async fn stop(&self) {
        self.0.stop(true).await;
    }
}

impl Server {
    /// Where it listens.
    #[must_use]
    pub const fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The way to stop it.
    #[must_use]
    pub fn stopper(&self) -> Stopper {
        Stopper(self.inner.handle())
    }

    /// Serves until stopped. Learns of every ended session before it answers the first request.
    ///
    /// # Errors
    ///
    /// An input or output error of the listener, or a database that went away since the server was built.
    pub async fn run(self) -> io::Result<()> {
        let Self { inner, state, .. } = self;
        state
            .feed
            .catch_up(&state.db)
            .await
            .map_err(io::Error::other)?;
        tokio::select! {
            served = inner => served,
            () = follow_revocations(state.clone()) => Ok(()),
            () = purge_regularly(state.clone()) => Ok(()),
            () = addresses::report(&state).then(|()| pending()) => Ok(()),
        }
    }

    /// Serves on this thread until SIGTERM or SIGINT, then lets requests in flight finish. SIGHUP changes the secrets to
    /// what `reload` returns, from the next request on.
    ///
    /// # Errors
    ///
    /// As [`run`](Self::run), and if signals cannot be received.
    pub fn run_until_signal(
        self,
        reload: impl Fn() -> Result<Keyring, String> + 'static,
    ) -> io::Result<()> {
        actix_web::rt::System::new().block_on(async {
            // Whoever reads that it listens may send a signal at once.
            let mut terminate = signal(SignalKind::terminate())?;
            let mut interrupt = signal(SignalKind::interrupt())?;
            let hangup = signal(SignalKind::hangup())?;
            log::info!("listening on http://{}", self.addr);
            let stopper = self.stopper();
            actix_web::rt::spawn(async move {
                tokio::select! {
                    _ = terminate.recv() => log::info!("SIGTERM: finishing what is in flight"),
                    _ = interrupt.recv() => log::info!("SIGINT: finishing what is in flight"),
                }
                stopper.stop().await;
            });
            let state = self.state.clone();
            tokio::select! {
                served = self.run() => served?,
                () = state.keys.reload_at(hangup, reload) => {}
            }
            log::info!("stopped");
            Ok(())
        })
    }
}

/// Migrates the database, binds the address, prepares the workers.
///
/// # Errors
///
/// If the database cannot be migrated or the address is taken.
pub fn build(config: Config, limits: Limits, clock: Clock) -> Result<Server, BuildError> {
    db::migrate(&config.database_url).map_err(|error| {
        format!(
            "cannot prepare {} (DATABASE_URL): {error}",
            config.database_url
        )
    })?;
    let bind_addr = config.bind_addr;
    let allowed_origins = config.allowed_origins.clone();
    let has_pages = config.pages;
    let policy = policy(&config, &limits);
    let state = Data::new(state(config, limits, clock)?);
    let shared = state.clone();
    let authority = Authority::new(Own(state.clone()));
    let app = move || {
        App::new()
            .app_data(shared.clone())
            .app_data(authority.clone())
            .wrap(Condition::new(
                !allowed_origins.is_empty(),
                cors(&allowed_origins),
            ))
            .wrap(from_fn(envelope))
            .wrap(from_fn(finish_changes))
            .configure(|app| routes(app, has_pages))
    };
    let builder = ActixServer::build()
        .workers(limits.workers)
        .shutdown_timeout(limits.drain_timeout.as_secs())
        .max_concurrent_connections(usize::MAX)
        .disable_signals();
    let (inner, addr) = connections::serve(builder, bind_addr, &policy, app)
        .map_err(|error| format!("cannot listen on {bind_addr} (BIND_ADDR): {error}"))?;
    Ok(Server { addr, inner, state })
}

fn policy(config: &Config, limits: &Limits) -> Policy {
    let exempt = Exempt {
        proxies: config.trusted_proxies.clone(),
        loopback: !limits.loopback_counts,
    };
    let max = connections::allow_open_files(config.max_connections);
    if max < config.max_connections {
        log::warn!(
            "MAX_CONNECTIONS is {max} instead of {}: the system allows no more open files (see ulimit -n)",
            config.max_connections
        );
    }
    Policy {
        connections: Connections::new(max, exempt),
        patience: Patience {
            header: limits.header_timeout,
            idle: limits.idle_timeout,
            response: limits.response_timeout,
        },
    }
}

fn state(config: Config, limits: Limits, clock: Clock) -> Result<State, BuildError> {
    let revoked = RevokedSessions::default();
    let token_settings = TokenSettings {
        issuer: config.issuer,
        audience: config.audience,
        services: config.token_audiences,
        access_token_ttl: config.access_token_ttl,
        revoked: revoked.clone(),
    };
    let mut origins = config.allowed_origins;
    let cookies = Cookies::new(config.public_url.is_https());
    origins.push(config.public_url);
    Ok(State {
        db: Db::new(config.database_url, config.database_pool_size)?,
        hasher: Hasher::new(config.bcrypt_cost),
        password_policy: PasswordPolicy::new(config.password_blocklist),
        throttle: Throttle::new(NetworkLimits {
            failed_logins: config.max_failed_logins_per_network,
            registrations: config.max_registrations_per_network,
        }),
        keys: Keys::new(&config.keyring, token_settings)?,
        feed: Feed::new(revoked.clone()),
        revoked,
        cookies,
        origins,
        trusted_proxies: config.trusted_proxies,
        proxy_notice: ProxyNotice::default(),
        delete_user: config.better_auth_delete_user,
        access_token_ttl: config.access_token_ttl,
        session_ttl: config
            .session_max_ttl
            .map_or(config.session_ttl, |max| config.session_ttl.min(max)),
        session_max_ttl: config.session_max_ttl,
        task_quota: TaskQuota::new(config.max_tasks_per_user),
        page_memory: PageMemory::default(),
        limits,
        clock,
    })
}

/// Every address. `/api/auth/…` comes before `/api/{user_id}/…`.
fn routes(config: &mut ServiceConfig, has_pages: bool) {
    if has_pages {
        config.configure(pages::routes);
    }
    config
        .configure(health::routes)
        .configure(sessions::routes)
        .configure(accounts::routes)
        .configure(better_auth::routes)
        .configure(openapi::routes)
        .configure(tasks::routes)
        .default_service(web::to(not_found));
}

async fn not_found() -> Result<&'static str, Problem> {
    Err(Problem::new(Code::NotFound, "Nothing has this address"))
}
