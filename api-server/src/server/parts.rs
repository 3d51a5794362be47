//! Builds the state that all handlers share, from the settings.

use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use actix_web::web::{Data, ServiceConfig};
use auth_core::{Authority, Revocations};

use super::BuildError;
use crate::accounts::Accounts;
use crate::better_auth::context::BetterAuthContext;
use crate::clock::Clock;
use crate::config::Config;
use crate::connections::Connections;
use crate::db::{Db, WaitingJobLimits};
use crate::http::caller::ServerAuthenticator;
use crate::http::cookies::CookieFormat;
use crate::http::forwarded::ProxyWarning;
use crate::http::large_response::LargeResponseLimiter;
use crate::http::policy::HttpPolicy;
use crate::http::request_metrics::RequestMetrics;
use crate::limits::Limits;
#[cfg(feature = "otlp")]
use crate::logging::otlp::{OtlpSettings, SpanExporter, SpanQueue};
use crate::mail::sender::MailSender;
use crate::mail::settings::MailSettings;
use crate::metrics::Metrics;
use crate::origin::Origin;
use crate::scrape::ScrapeContext;
use crate::sessions::Sessions;
use crate::sessions::keys::{Keys, TokenSettings};
use crate::sessions::revocation::RevocationFeed;
use crate::tasks::Tasks;
use crate::tasks::quota::TaskQuota;
use crate::users::hasher::Hasher;
use crate::users::network_queue::WaiterLimits;
use crate::users::password_policy::PasswordPolicy;
use crate::users::passwords::Passwords;
use crate::users::throttle::{NetworkLimits, Throttle};
use crate::well_known::oauth_authorization_server::MetadataDocument;

/// The state that all workers of the server share. Cheap to clone.
#[derive(Clone)]
pub(super) struct ServerParts {
    pub(super) sessions: Arc<Sessions>,
    accounts: Data<Accounts>,
    http_policy: Data<HttpPolicy>,
    better_auth: Data<BetterAuthContext>,
    tasks: Data<Tasks>,
    authority: Authority,
    metadata: Data<MetadataDocument>,
    #[cfg(feature = "otlp")]
    span_queue: Option<SpanQueue>,
}

impl ServerParts {
    pub(super) fn new(config: Config, limits: &Limits, clock: Clock) -> Result<Self, BuildError> {
        let metrics = Metrics::new(config.metrics_addr.is_some());
        let (url, pool_size) = (config.database_url.clone(), config.database_pool_size);
        let queues = config.bounds.queues;
        let job_limits =
            WaitingJobLimits::new(queues.waiting_queries, queues.waiting_queries_per_account);
        let db = Db::new(url, pool_size, job_limits, metrics.clone())?;
        let sessions = Arc::new(new_sessions(&config, &db, &clock, &metrics)?);
        let tasks = Data::new(Tasks {
            db: db.clone(),
            clock: clock.clone(),
            quota: TaskQuota::new(config.bounds.tasks_per_user),
            large_responses: LargeResponseLimiter::default(),
            task_page_timeout: limits.task_page_timeout,
        });
        let may_delete_user = config.web.better_auth_delete_user;
        let metadata = MetadataDocument::new(&config.tokens.issuer, &config.web.public_url);
        let http_policy = Data::new(new_http_policy(&config, &clock));
        let accounts = Data::new(Accounts {
            email_verification: config.email_verification,
            passwords: new_passwords(config, db, clock, &metrics),
            sessions: Arc::clone(&sessions),
            outbox: Arc::default(),
        });
        let better_auth = Data::new(BetterAuthContext {
            accounts: accounts.clone(),
            sessions: Arc::clone(&sessions),
            policy: http_policy.clone(),
            may_delete_user,
        });
        let authority = Authority::new(ServerAuthenticator {
            sessions: Arc::clone(&sessions),
            cookie_format: http_policy.cookie_format,
        });
        Ok(Self {
            sessions,
            accounts,
            http_policy,
            better_auth,
            tasks,
            authority,
            metadata: Data::new(metadata),
            #[cfg(feature = "otlp")]
            span_queue: None,
        })
    }

    /// Makes each request whose trace is recorded add a span to a queue, and returns the exporter of this queue.
    /// Without settings, changes nothing and returns no exporter.
    #[cfg(feature = "otlp")]
    pub(super) fn with_spans(
        mut self,
        settings: Option<OtlpSettings>,
    ) -> Result<(Self, Option<SpanExporter>), BuildError> {
        let Some(settings) = settings else {
            return Ok((self, None));
        };
        let (queue, exporter) = SpanExporter::new(settings)?;
        self.span_queue = Some(queue);
        Ok((self, Some(exporter)))
    }

    /// Builds the sender of mails, whose thread is not started yet.
    pub(super) fn mail_sender(
        &self,
        settings: &MailSettings,
        public_url: &Origin,
    ) -> Result<MailSender, BuildError> {
        let sessions = Arc::clone(&self.sessions);
        let current_tokens = move || sessions.keys.current().mail_tokens.clone();
        let sender = MailSender::new(
            settings,
            public_url.as_str().to_owned(),
            Arc::clone(&self.accounts.outbox),
            (
                self.sessions.db.clone(),
                self.sessions.clock.clone(),
                self.sessions.metrics.clone(),
            ),
            Box::new(current_tokens),
        );
        Ok(sender.map_err(|problem| format!("mails cannot be sent: {problem}"))?)
    }

    /// Builds the state that the handler of `/metrics` reads.
    pub(super) fn scrape_context(&self, connections: Connections) -> ScrapeContext {
        ScrapeContext {
            sessions: Arc::clone(&self.sessions),
            accounts: self.accounts.clone(),
            connections,
        }
    }

    /// Registers every part. Handlers and extractors find a part by its type.
    pub(super) fn register(&self, app: &mut ServiceConfig) {
        app.app_data(Data::from(Arc::clone(&self.sessions)))
            .app_data(self.accounts.clone())
            .app_data(self.http_policy.clone())
            .app_data(self.better_auth.clone())
            .app_data(self.tasks.clone())
            .app_data(self.authority.clone())
            .app_data(self.metadata.clone());
        if let Some(metrics) = RequestMetrics::new(&self.sessions.metrics) {
            app.app_data(Rc::new(metrics));
        }
        #[cfg(feature = "otlp")]
        if let Some(queue) = &self.span_queue {
            app.app_data(queue.clone());
        }
    }
}

fn new_sessions(
    config: &Config,
    db: &Db,
    clock: &Clock,
    metrics: &Metrics,
) -> Result<Sessions, BuildError> {
    let revoked_sessions = Revocations::default();
    let token_settings = TokenSettings {
        issuer: config.tokens.issuer.clone(),
        audience: config.tokens.audience.clone(),
        service_audiences: config.tokens.service_audiences.clone(),
        access_token_ttl: config.tokens.access_token_ttl,
        revoked: revoked_sessions.clone(),
    };
    let session_ttl = config.tokens.session_ttl;
    let session_max_ttl = config.tokens.session_max_ttl;
    Ok(Sessions {
        db: db.clone(),
        clock: clock.clone(),
        metrics: metrics.clone(),
        keys: Keys::new(&config.token_keys, token_settings)?,
        feed: RevocationFeed::new(revoked_sessions.clone(), metrics.clone()),
        revoked: revoked_sessions,
        is_stopping: AtomicBool::new(false),
        revocation_stale_after: config.tokens.revocation_stale_after,
        access_token_ttl: config.tokens.access_token_ttl,
        session_ttl: session_max_ttl.map_or(session_ttl, |max_ttl| session_ttl.min(max_ttl)),
        session_max_ttl,
    })
}

fn new_http_policy(config: &Config, clock: &Clock) -> HttpPolicy {
    let mut trusted_origins = config.web.allowed_origins.clone();
    trusted_origins.push(config.web.public_url.clone());
    HttpPolicy {
        cookie_format: CookieFormat::new(config.web.public_url.is_https()),
        trusted_origins,
        trusted_proxies: config.web.trusted_proxies.clone(),
        proxy_warning: ProxyWarning::default(),
        body_timeout: config.bounds.timeouts.body,
        clock: clock.clone(),
    }
}

fn new_passwords(config: Config, db: Db, clock: Clock, metrics: &Metrics) -> Passwords {
    let queues = config.bounds.queues;
    let hash_limits = WaiterLimits::new(queues.waiting_hashes, queues.waiting_hashes_per_network);
    let limits = NetworkLimits {
        failed_logins: config.bounds.failed_logins_per_network,
        registrations: config.bounds.registrations_per_network,
        mail_requests: config.bounds.mail_requests_per_network,
    };
    Passwords {
        db,
        clock,
        hasher: Hasher::new(config.passwords.bcrypt_cost, hash_limits, metrics.clone()),
        policy: PasswordPolicy::new(config.passwords.blocklist),
        throttle: Throttle::new(limits, metrics),
    }
}
