//! A client that remembers only acknowledged changes.

use std::sync::mpsc::Sender;

use serde_json::{Value, json};
use uuid::Uuid;

use harness::{Connection, Server};

const PASSWORD: &str = "correct horse battery staple";
const REFRESH: &str = "/api/auth/refresh";

/// The server has stopped; the last request may or may not have had an effect.
pub(crate) struct Gone;

#[derive(PartialEq)]
enum Logout {
    Never,
    Asked,
    Answered,
}

pub(crate) struct Client {
    email: String,
    access_token: String,
    refresh_token: String,
    titles: Vec<String>,
    logout: Logout,
}

/// A connection on which every acknowledged write counts.
pub(crate) struct CountingConnection {
    connection: Connection,
    acknowledged: Sender<()>,
}

impl CountingConnection {
    pub(crate) fn to(server: &Server, acknowledged: Sender<()>) -> Result<Self, Gone> {
        let connection = Connection::try_to(server.addr()).map_err(|_refused| Gone)?;
        Ok(Self {
            connection,
            acknowledged,
        })
    }

    fn post(&mut self, path: &str, token: &str, body: &Value, status: u16) -> Result<Value, Gone> {
        let response = self.connection.try_request("POST", path, token, Some(body));
        let response = response.map_err(|_cut_off| Gone)?;
        if response.status == 503 {
            // Neither acknowledged nor excluded, as if the server had stopped.
            return Err(Gone);
        }
        let body = response.expect(status);
        // The receiver is closed once the kill has started.
        let _killed = self.acknowledged.send(());
        Ok(body)
    }
}

impl Client {
    pub(crate) fn register(server: &mut CountingConnection) -> Result<Self, Gone> {
        let email = format!("{}@example.com", Uuid::new_v4());
        let body = json!({"email": email, "password": PASSWORD});
        let token_response = server.post("/api/auth/register", "", &body, 201)?;
        let mut client = Self {
            email,
            access_token: String::new(),
            refresh_token: String::new(),
            titles: Vec::new(),
            logout: Logout::Never,
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
        self.logout == Logout::Never
    }

    pub(crate) fn refresh(&mut self, server: &mut CountingConnection) -> Result<(), Gone> {
        let body = json!({ "refresh_token": self.refresh_token });
        let token_response = server.post(REFRESH, "", &body, 200)?;
        self.store(&token_response);
        Ok(())
    }

    pub(crate) fn add_task(&mut self, server: &mut CountingConnection) -> Result<(), Gone> {
        let title = format!("{} of {}", self.titles.len(), self.email);
        let body = json!({ "title": title });
        server.post("/api/tasks", &self.access_token, &body, 201)?;
        self.titles.push(title);
        Ok(())
    }

    pub(crate) fn log_out(&mut self, server: &mut CountingConnection) -> Result<(), Gone> {
        self.logout = Logout::Asked;
        let body = json!({});
        let response = server.post("/api/auth/logout", &self.access_token, &body, 200)?;
        assert_eq!(response["revoked"], 1);
        self.logout = Logout::Answered;
        Ok(())
    }

    /// Asserts that every acknowledged change is stored, and stores the session's new tokens.
    pub(crate) fn check(&mut self, server: &Server) {
        self.check_account(server);
        let mut connection = server.connect();
        let used = connection.request("GET", "/api/auth/session", &self.access_token, None);
        let body = json!({ "refresh_token": self.refresh_token });
        let refreshed = connection.request("POST", REFRESH, "", Some(&body));
        let is_over = match self.logout {
            Logout::Never => false,
            Logout::Answered => true,
            Logout::Asked => used.status == 401,
        };
        if is_over {
            assert_eq!(used.expect(401)["code"], "TOKEN_REVOKED", "{}", self.email);
            assert_eq!(refreshed.expect(401)["code"], "SESSION_EXPIRED");
            self.logout = Logout::Answered;
        } else {
            used.expect(200);
            self.store(&refreshed.expect(200));
            self.logout = Logout::Never;
        }
    }

    fn check_account(&self, server: &Server) {
        let token_response = server.log_in(&self.email, PASSWORD).expect(200);
        let token = token_response["access_token"].as_str().unwrap();
        let tasks = server.get("/api/tasks?limit=500", token).expect(200);
        let kept: Vec<_> = tasks
            .as_array()
            .unwrap()
            .iter()
            .map(|task| &task["title"])
            .collect();
        let is_lost = |title: &&String| !kept.contains(&&Value::from(title.as_str()));
        let lost: Vec<_> = self.titles.iter().filter(is_lost).collect();
        assert!(lost.is_empty(), "{}: lost {lost:?}", self.email);
    }
}
