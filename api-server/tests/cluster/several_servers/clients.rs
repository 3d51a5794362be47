//! Defines a client that records which changes the server has acknowledged.

use std::sync::mpsc::Sender;

use serde_json::{Value, json};
use uuid::Uuid;

use harness::{Connection, Server};

const PASSWORD: &str = "correct horse battery staple";
const REFRESH_PATH: &str = "/api/auth/refresh";

/// The server has stopped or responded with 503. The effect of the last request is unknown.
pub(crate) struct ServerStopped;

/// Whether the client has asked to log out, and whether the server has acknowledged the logout.
#[derive(PartialEq)]
enum LogoutState {
    NotRequested,
    Requested,
    Acknowledged,
}

pub(crate) struct Client {
    email: String,
    access_token: String,
    refresh_token: String,
    task_titles: Vec<String>,
    logout_state: LogoutState,
}

/// A connection that reports each acknowledged write on a channel.
pub(crate) struct ReportingConnection {
    connection: Connection,
    acknowledgement_sender: Sender<()>,
}

impl ReportingConnection {
    pub(crate) fn to(
        server: &Server,
        acknowledgement_sender: Sender<()>,
    ) -> Result<Self, ServerStopped> {
        let connection = Connection::try_open(server.addr()).map_err(|_error| ServerStopped)?;
        Ok(Self {
            connection,
            acknowledgement_sender,
        })
    }

    fn post(
        &mut self,
        path: &str,
        token: &str,
        body: &Value,
        expected_status: u16,
    ) -> Result<Value, ServerStopped> {
        let result = self.connection.try_request("POST", path, token, Some(body));
        let response = result.map_err(|_error| ServerStopped)?;
        if response.status == 503 {
            // A write with this response may have taken effect.
            return Err(ServerStopped);
        }
        let response_body = response.expect(expected_status);
        // The receiver exists until all senders are dropped, so sending succeeds.
        let _send_result = self.acknowledgement_sender.send(());
        Ok(response_body)
    }
}

impl Client {
    pub(crate) fn register(connection: &mut ReportingConnection) -> Result<Self, ServerStopped> {
        let email = format!("{}@example.com", Uuid::new_v4());
        let body = json!({"email": email, "password": PASSWORD});
        let token_response = connection.post("/api/auth/register", "", &body, 201)?;
        let mut client = Self {
            email,
            access_token: String::new(),
            refresh_token: String::new(),
            task_titles: Vec::new(),
            logout_state: LogoutState::NotRequested,
        };
        client.store_tokens(&token_response);
        Ok(client)
    }

    fn store_tokens(&mut self, token_response: &Value) {
        let text_field = |name: &str| token_response[name].as_str().unwrap().to_owned();
        self.access_token = text_field("access_token");
        self.refresh_token = text_field("refresh_token");
    }

    pub(crate) fn is_logged_in(&self) -> bool {
        self.logout_state == LogoutState::NotRequested
    }

    pub(crate) fn refresh(
        &mut self,
        connection: &mut ReportingConnection,
    ) -> Result<(), ServerStopped> {
        let body = json!({ "refresh_token": self.refresh_token });
        let token_response = connection.post(REFRESH_PATH, "", &body, 200)?;
        self.store_tokens(&token_response);
        Ok(())
    }

    pub(crate) fn add_task(
        &mut self,
        connection: &mut ReportingConnection,
    ) -> Result<(), ServerStopped> {
        let title = format!("{} of {}", self.task_titles.len(), self.email);
        let body = json!({ "title": title });
        connection.post("/api/tasks", &self.access_token, &body, 201)?;
        self.task_titles.push(title);
        Ok(())
    }

    pub(crate) fn log_out(
        &mut self,
        connection: &mut ReportingConnection,
    ) -> Result<(), ServerStopped> {
        self.logout_state = LogoutState::Requested;
        let body = json!({});
        let response = connection.post("/api/auth/logout", &self.access_token, &body, 200)?;
        assert_eq!(response["revoked"], 1);
        self.logout_state = LogoutState::Acknowledged;
        Ok(())
    }

    /// Asserts that every acknowledged change is stored. Refreshes the session unless the client is logged out.
    pub(crate) fn assert_changes_are_stored(&mut self, server: &Server) {
        self.assert_tasks_are_stored(server);
        let mut connection = server.connect();
        let session_response =
            connection.request("GET", "/api/auth/session", &self.access_token, None);
        let refresh_body = json!({ "refresh_token": self.refresh_token });
        let refresh_response = connection.request("POST", REFRESH_PATH, "", Some(&refresh_body));
        let is_logged_out = match self.logout_state {
            LogoutState::NotRequested => false,
            LogoutState::Acknowledged => true,
            LogoutState::Requested => session_response.status == 401,
        };
        if is_logged_out {
            assert_eq!(
                session_response.expect(401)["code"],
                "TOKEN_REVOKED",
                "{}",
                self.email
            );
            assert_eq!(refresh_response.expect(401)["code"], "SESSION_EXPIRED");
            self.logout_state = LogoutState::Acknowledged;
        } else {
            session_response.expect(200);
            self.store_tokens(&refresh_response.expect(200));
            self.logout_state = LogoutState::NotRequested;
        }
    }

    fn assert_tasks_are_stored(&self, server: &Server) {
        let token_response = server.log_in(&self.email, PASSWORD).expect(200);
        let token = token_response["access_token"].as_str().unwrap();
        let tasks = server.get("/api/tasks?limit=500", token).expect(200);
        let stored_titles: Vec<_> = tasks
            .as_array()
            .unwrap()
            .iter()
            .map(|task| &task["title"])
            .collect();
        let is_lost = |title: &&String| !stored_titles.contains(&&Value::from(title.as_str()));
        let lost_titles: Vec<_> = self.task_titles.iter().filter(is_lost).collect();
        assert!(
            lost_titles.is_empty(),
            "{}: lost {lost_titles:?}",
            self.email
        );
    }
}
