//! An SMTP server that accepts no recipient.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// Refuses every recipient with one reply. The threads end with the test process.
pub(super) struct RefusingServer {
    addr: SocketAddr,
    recipients: Arc<Mutex<Vec<String>>>,
}

impl RefusingServer {
    pub(super) fn start(reply: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = listener.local_addr().unwrap();
        let recipients = Arc::new(Mutex::new(Vec::new()));
        let seen_recipients = Arc::clone(&recipients);
        thread::spawn(move || {
            for connection in listener.incoming() {
                serve(connection.unwrap(), reply, &seen_recipients);
            }
        });
        Self { addr, recipients }
    }

    /// The value of the setting `SMTP_URL`.
    pub(super) fn url(&self) -> String {
        format!("smtp://{}?tls=none", self.addr)
    }

    /// The recipients that were refused.
    pub(super) fn recipients(&self) -> Vec<String> {
        self.recipients.lock().unwrap().clone()
    }
}

fn serve(mut connection: TcpStream, reply: &str, recipients: &Mutex<Vec<String>>) {
    let lines = BufReader::new(connection.try_clone().unwrap()).lines();
    connection.write_all(b"220 mail.example\r\n").unwrap();
    for line in lines.map_while(Result::ok) {
        let response = match line.split_once("RCPT TO:") {
            Some((_, recipient)) => {
                recipients.lock().unwrap().push(recipient.to_owned());
                reply
            }
            None if line.starts_with("QUIT") => "221 bye",
            None => "250 ok",
        };
        if write!(connection, "{response}\r\n").is_err() {
            return;
        }
    }
}
