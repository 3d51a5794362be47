//! Checks the limits of accounts, networks and connections, and of the server's queues.

use std::time::Duration;

use clap::Args;

use super::Settings;
use super::parse::{self, ProblemCollector};

// The settings as text. Not a doc comment, which would replace the first line of `--help`.
#[derive(Args, Clone)]
pub(super) struct LimitArguments {
    /// Maximum number of tasks of one account, 1 to 1000000; imports may exceed it.
    #[arg(
        long,
        env,
        global = true,
        value_name = "COUNT",
        default_value = "10000"
    )]
    max_tasks_per_user: String,

    /// Maximum number of open client connections, 1 to 1000000; a further one closes a connection of the IPv4 address
    /// or IPv6 /48 that has the most.
    #[arg(long, env, global = true, value_name = "COUNT", default_value = "4096")]
    max_connections: String,

    /// Longest time for the header of a request to arrive, 100ms to 1h; also for a TLS handshake.
    #[arg(
        long,
        env,
        global = true,
        value_name = "DURATION",
        default_value = "10s"
    )]
    header_timeout: String,

    /// Longest time for the body of a request to arrive, 100ms to 1h.
    #[arg(
        long,
        env,
        global = true,
        value_name = "DURATION",
        default_value = "10s"
    )]
    body_timeout: String,

    /// Longest time between two requests on a connection, 100ms to 1h.
    #[arg(
        long,
        env,
        global = true,
        value_name = "DURATION",
        default_value = "75s"
    )]
    idle_timeout: String,

    /// Longest time for which a client may read nothing of its response, 100ms to 1h.
    #[arg(
        long,
        env,
        global = true,
        value_name = "DURATION",
        default_value = "30s"
    )]
    response_timeout: String,

    /// Maximum number of requests that wait to hash a password, 1 to 1000000; beyond it, a request of the IPv4 address
    /// or IPv6 /48 that has the most gets 503.
    #[arg(long, env, global = true, value_name = "COUNT", default_value = "1024")]
    max_waiting_hashes: String,

    // The default is meant for fifty users behind one IPv4 address who log in at the same moment.
    /// Maximum number of requests of one network (IPv4 address or IPv6 /64) that wait to hash a password, 1 to 1000000;
    /// further ones get 503. An IPv6 /48 has four times as many.
    #[arg(long, env, global = true, value_name = "COUNT", default_value = "56")]
    max_waiting_hashes_per_network: String,

    /// Maximum number of requests that wait for the database, 2 to 1000000; further ones get 503. On SQLite, the reads
    /// and the writes have a queue of this length each.
    #[arg(long, env, global = true, value_name = "COUNT", default_value = "1024")]
    max_waiting_queries: String,

    /// Maximum number of requests of one account, or of one network without an account, that wait for the database,
    /// lower than the maximum of all; further ones get 429. On SQLite, this applies to the reads and to the writes
    /// separately.
    #[arg(long, env, global = true, value_name = "COUNT", default_value = "256")]
    max_waiting_queries_per_account: String,

    /// Maximum number of failed logins from one network (IPv4 address or IPv6 /64) within 15 minutes, for all email
    /// addresses together, 1 to 1000000; off for no limit.
    #[arg(long, env, global = true, value_name = "COUNT", default_value = "300")]
    max_failed_logins_per_network: String,

    /// Maximum number of registrations from one network within an hour, including attempts with an email address that
    /// already has an account, 1 to 1000000; off for no limit.
    #[arg(long, env, global = true, value_name = "COUNT", default_value = "300")]
    max_registrations_per_network: String,

    /// Maximum number of mails that clients in one network may request within an hour, 1 to 1000000; off for no limit.
    #[arg(long, env, global = true, value_name = "COUNT", default_value = "300")]
    max_mail_requests_per_network: String,
}

/// Limits of accounts, networks, connections and queues.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct LimitConfig {
    /// Maximum number of tasks of one account; imports may exceed it.
    pub tasks_per_user: u32,
    /// Maximum number of open client connections.
    pub connections: usize,
    /// Time limits of a connection and its requests.
    pub timeouts: TimeoutConfig,
    /// Maximum numbers of waiting requests.
    pub queues: QueueConfig,
    /// Maximum number of failed logins from one network within 15 minutes; `None` for no limit.
    pub failed_logins_per_network: Option<u32>,
    /// Maximum number of registrations from one network within an hour; `None` for no limit.
    pub registrations_per_network: Option<u32>,
    /// Maximum number of mails that clients in one network may request within an hour; `None` for no limit.
    pub mail_requests_per_network: Option<u32>,
}

/// Time limits of a connection and its requests.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct TimeoutConfig {
    /// The longest time for the header of a request to arrive, and for a TLS handshake.
    pub header: Duration,
    /// The longest time for the body of a request to arrive.
    pub body: Duration,
    /// The longest time that a connection may be idle between two requests.
    pub idle: Duration,
    /// The longest time for which a client that does not read its response may block a write.
    pub response: Duration,
}

/// The maximum numbers of requests that wait to hash a password, or for the database.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct QueueConfig {
    /// Maximum number of requests that wait to hash a password.
    pub waiting_hashes: usize,
    /// Maximum number of requests of one network that wait to hash a password.
    pub waiting_hashes_per_network: usize,
    /// Maximum number of requests that wait for the database; with SQLite, of reads and of writes separately.
    pub waiting_queries: usize,
    /// Maximum number of requests of one account, or of requests without an account from one network, that wait for
    /// the database.
    pub waiting_queries_per_account: usize,
}

impl Settings {
    pub(super) fn check_limits(&self, problems: &mut ProblemCollector) -> Option<LimitConfig> {
        let texts = &self.bounds;
        let tasks_result = parse::number(&texts.max_tasks_per_user, 1, 1_000_000);
        let tasks_per_user = problems.ok_or_record("MAX_TASKS_PER_USER", tasks_result);
        let connections_result = parse::count(&texts.max_connections);
        let connections = problems.ok_or_record("MAX_CONNECTIONS", connections_result);
        let timeouts = texts.check_timeouts(problems);
        let queues = texts.check_queues(problems);
        let logins_result = parse::optional_limit(&texts.max_failed_logins_per_network);
        let failed_logins = problems.ok_or_record("MAX_FAILED_LOGINS_PER_NETWORK", logins_result);
        let limit_result = parse::optional_limit(&texts.max_registrations_per_network);
        let registrations = problems.ok_or_record("MAX_REGISTRATIONS_PER_NETWORK", limit_result);
        let mail_result = parse::optional_limit(&texts.max_mail_requests_per_network);
        let mail_requests = problems.ok_or_record("MAX_MAIL_REQUESTS_PER_NETWORK", mail_result);
        Some(LimitConfig {
            tasks_per_user: tasks_per_user?,
            connections: connections?,
            timeouts: timeouts?,
            queues: queues?,
            failed_logins_per_network: failed_logins?,
            registrations_per_network: registrations?,
            mail_requests_per_network: mail_requests?,
        })
    }
}

impl LimitArguments {
    fn check_timeouts(&self, problems: &mut ProblemCollector) -> Option<TimeoutConfig> {
        let mut check = |variable, text| problems.ok_or_record(variable, parse::timeout(text));
        let header = check("HEADER_TIMEOUT", &self.header_timeout);
        let body = check("BODY_TIMEOUT", &self.body_timeout);
        let idle = check("IDLE_TIMEOUT", &self.idle_timeout);
        let response = check("RESPONSE_TIMEOUT", &self.response_timeout);
        Some(TimeoutConfig {
            header: header?,
            body: body?,
            idle: idle?,
            response: response?,
        })
    }

    fn check_queues(&self, problems: &mut ProblemCollector) -> Option<QueueConfig> {
        let mut check = |variable, text| problems.ok_or_record(variable, parse::count(text));
        let hashes = check("MAX_WAITING_HASHES", &self.max_waiting_hashes);
        let hashes_per_network = check(
            "MAX_WAITING_HASHES_PER_NETWORK",
            &self.max_waiting_hashes_per_network,
        );
        let queries = check("MAX_WAITING_QUERIES", &self.max_waiting_queries);
        let queries_per_account = check(
            "MAX_WAITING_QUERIES_PER_ACCOUNT",
            &self.max_waiting_queries_per_account,
        );
        let share_check = parse::check_account_share(queries_per_account, queries);
        problems.record_error("MAX_WAITING_QUERIES_PER_ACCOUNT", share_check);
        Some(QueueConfig {
            waiting_hashes: hashes?,
            waiting_hashes_per_network: hashes_per_network?,
            waiting_queries: queries?,
            waiting_queries_per_account: queries_per_account?,
        })
    }
}
