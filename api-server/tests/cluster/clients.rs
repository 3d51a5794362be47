//! A client that records which of its changes the server has acknowledged.

use std::sync::mpsc::Sender;

use serde_json::{Value, json};
use uuid::Uuid;

use harness::{Connection, Server};

const PASSWORD: &str = "correct horse battery staple";
const REFRESH: &str = "/api/auth/refresh";

/// The server has stopped; the last request may or may not have had an effect.
pub(crate) struct Stopped;

/// The state of a client's logout.
#[derive(PartialEq)]
enum Logout {
    NotRequested,
    Requested,
    Acknowledged,
}

pub(crate) struct Client {
    email: String,
    access_token: String,
    refresh_token: String,
    task_titles: Vec<String>,
    logout: Logout,
}

/// A connection that counts the acknowledged writes.
pub(crate) struct CountingConnection {
    connection: Connection,
    acknowledged: Sender<()>,
}

impl CountingConnection {
    pub(crate) fn to(server: &Server, acknowledged: Sender<()>) -> Result<Self, Stopped> {
        let connection = Connection::try_open(server.addr()).map_err(|_refused| Stopped)?;
        Ok(Self {
            connection,
            acknowledged,
        })
    }

    fn post(
        &mut self,
        path: &str,
        token: &str,
        body: &Value,
        status: u16,
    ) -> Result<Value, Stopped> {
        let response = self.connection.try_request("POST", path, token, Some(body));
        let response = response.map_err(|_cut_off| Stopped)?;
        if response.status == 503 {
            // The write may or may not have happened, as if the server had stopped.
            return Err(Stopped);
        }
        let body = response.expect(status);
        // Sending fails after the test has started to kill the server, because the receiver is then closed.
        let _killed = self.acknowledged.send(());
        Ok(body)
    }
}

impl Client {
    pub(crate) fn register(connection: &mut CountingConnection) -> Result<Self, Stopped> {
        let email = format!("{}@example.com", Uuid::new_v4());
        let body = json!({"email": email, "password": PASSWORD});
        let token_response = connection.post("/api/auth/register", "", &body, 201)?;
        let mut client = Self {
            email,
            access_token: String::new(),
            refresh_token: String::new(),
            task_titles: Vec::new(),
            logout: Logout::NotRequested,
        };
        client.store(&token_response);
        Ok(client)
    }

    fn store(&mut self, token_response: &Value) {
        let text = |name: &str| token_response[name].as_str().unwrap().to_owned();
        self.access_token = text("access_token");
        self.refresh_token = text("refresh_token");
    }

    pub(crate) fn is_logged_in(&self) -> bool {
        self.logout == Logout::NotRequested
    }

    pub(crate) fn refresh(&mut self, connection: &mut CountingConnection) -> Result<(), Stopped> {
        let body = json!({ "refresh_token": self.refresh_token });
        let token_response = connection.post(REFRESH, "", &body, 200)?;
        self.store(&token_response);
        Ok(())
    }

    pub(crate) fn add_task(&mut self, connection: &mut CountingConnection) -> Result<(), Stopped> {
        let title = format!("{} of {}", self.task_titles.len(), self.email);
        let body = json!({ "title": title });
        connection.post("/api/tasks", &self.access_token, &body, 201)?;
        self.task_titles.push(title);
        Ok(())
    }

    pub(crate) fn log_out(&mut self, connection: &mut CountingConnection) -> Result<(), Stopped> {
        self.logout = Logout::Requested;
        let body = json!({});
        let response = connection.post("/api/auth/logout", &self.access_token, &body, 200)?;
        assert_eq!(response["revoked"], 1);
        self.logout = Logout::Acknowledged;
        Ok(())
    }

    /// Asserts that every acknowledged change is stored, and keeps the session's new tokens.
    pub(crate) fn assert_changes_are_stored(&mut self, server: &Server) {
        self.assert_tasks_are_stored(server);
        let mut connection = server.connect();
        let verified = connection.request("GET", "/api/auth/session", &self.access_token, None);
        let body = json!({ "refresh_token": self.refresh_token });
        let refreshed = connection.request("POST", REFRESH, "", Some(&body));
        let is_logged_out = match self.logout {
            Logout::NotRequested => false,
            Logout::Acknowledged => true,
            Logout::Requested => verified.status == 401,
        };
        if is_logged_out {
            assert_eq!(
                verified.expect(401)["code"],
                "TOKEN_REVOKED",
                "{}",
                self.email
            );
            assert_eq!(refreshed.expect(401)["code"], "SESSION_EXPIRED");
            self.logout = Logout::Acknowledged;
        } else {
            verified.expect(200);
            self.store(&refreshed.expect(200));
            self.logout = Logout::NotRequested;
        }
    }

    fn assert_tasks_are_stored(&self, server: &Server) {
        let token_response = server.log_in(&self.email, PASSWORD).expect(200);
        let token = token_response["access_token"].as_str().unwrap();
        let tasks = server.get("/api/tasks?limit=500", token).expect(200);
        let stored: Vec<_> = tasks
            .as_array()
            .unwrap()
            .iter()
            .map(|task| &task["title"])
            .collect();
        let is_lost = |title: &&String| !stored.contains(&&Value::from(title.as_str()));
        let lost: Vec<_> = self.task_titles.iter().filter(is_lost).collect();
        assert!(lost.is_empty(), "{}: lost {lost:?}", self.email);
    }
}
