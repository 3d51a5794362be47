//! Defines readers of the feed of revocations, which continue after the last number that they have read.

use auth_core::revocation::FeedTokens;
use auth_core::{Keyring, Secret};
use e2e::{App, DatabaseSession};

/// A service that polls `GET /api/auth/revocations` of one server.
pub(super) struct Service<'a> {
    app: &'a App,
    /// The value of `next` on the last page.
    cursor: u64,
    /// The revoked sessions on all pages that were read after the creation.
    pub(super) session_ids: Vec<String>,
}

impl<'a> Service<'a> {
    /// Creates a service that has already read the revocations so far.
    pub(super) async fn of(app: &'a App) -> Self {
        let mut service = Self {
            app,
            cursor: 0,
            session_ids: Vec::new(),
        };
        service.poll().await;
        service.session_ids.clear();
        service
    }

    /// Reads the next page. Asserts that its cursor is not lower than the last one.
    pub(super) async fn poll(&mut self) {
        let keyring = Keyring::new(Secret::new(self.app.secret()).unwrap());
        let feed_tokens = FeedTokens::new(keyring, "api-server").unwrap();
        let caller = self
            .app
            .bearer(feed_tokens.issue(self.app.clock.now()).unwrap());
        let path = format!("/api/auth/revocations?after={}", self.cursor);
        let page = caller.get(&path).await.ok();
        let next = page["next"].as_u64().unwrap();
        assert!(next >= self.cursor, "{next} after {}", self.cursor);
        self.cursor = next;
        let revocations = page["revocations"].as_array().unwrap();
        let ids = revocations.iter().map(|entry| entry["sid"].as_str());
        self.session_ids
            .extend(ids.map(|id| id.unwrap().to_owned()));
    }
}

/// A server of an earlier release. It reads only revocations with positive numbers, and gives no numbers to the others.
pub(super) struct EarlierServer {
    database: DatabaseSession,
    newest_read: u64,
    /// The revoked sessions of all reads after the creation.
    pub(super) session_ids: Vec<String>,
}

impl EarlierServer {
    /// Creates a server that has already read the revocations with numbers so far.
    pub(super) fn of(app: &App) -> Self {
        let mut server = Self {
            database: app.database().open_session(),
            newest_read: 0,
            session_ids: Vec::new(),
        };
        server.poll();
        server.session_ids.clear();
        server
    }

    /// Reads the revocations after the last number that was read, as earlier releases do.
    pub(super) fn poll(&mut self) {
        let newest = self.database.value("SELECT last FROM revocation_sequence");
        let newest: u64 = newest.unwrap().parse().unwrap();
        assert!(newest >= self.newest_read);
        let entries = self.database.value(&format!(
            "SELECT string_agg(sequence || ' ' || session_id, ',' ORDER BY sequence) FROM \
             (SELECT * FROM revocations WHERE sequence > {} ORDER BY sequence LIMIT 1000) AS page",
            self.newest_read
        ));
        for entry in entries.iter().flat_map(|entries| entries.split(',')) {
            let (number, session_id) = entry.split_once(' ').unwrap();
            self.newest_read = number.parse().unwrap();
            self.session_ids.push(session_id.to_owned());
        }
        self.newest_read = self.newest_read.max(newest);
    }
}
