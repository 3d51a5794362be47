//! An SMTP server that refuses mails or accepts them, as a test says.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// The reaction of the server to a mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reaction {
    Accept,
    /// Replies this to the command that names the recipient (`RCPT`).
    RefuseRecipient(&'static str),
    /// Reads the text of the mail, and then replies this.
    RefuseText(&'static str),
    /// Accepts the mail, but closes the connection instead of saying so.
    LoseReply,
    /// Does not reply to the command `RCPT` until the test chooses another reaction.
    Silence,
}

/// An SMTP server on a port of its own. Its threads end with the test process.
pub(super) struct SmtpServer {
    addr: SocketAddr,
    state: Arc<Mutex<State>>,
}

struct State {
    reaction: Reaction,
    /// The recipients of all attempts.
    recipients: Vec<String>,
    /// The texts of the accepted mails.
    mails: Vec<String>,
}

impl SmtpServer {
    pub(super) fn start(reaction: Reaction) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = listener.local_addr().unwrap();
        let state = Arc::new(Mutex::new(State {
            reaction,
            recipients: Vec::new(),
            mails: Vec::new(),
        }));
        let shared_state = Arc::clone(&state);
        thread::spawn(move || {
            for connection in listener.incoming() {
                let (connection, state) = (connection.unwrap(), Arc::clone(&shared_state));
                thread::spawn(move || serve(connection, &state));
            }
        });
        Self { addr, state }
    }

    /// The value of the setting `SMTP_URL`.
    pub(super) fn url(&self) -> String {
        format!("smtp://{}?tls=none", self.addr)
    }

    /// Changes the reaction to later mails, and to mails that wait because of [`Reaction::Silence`].
    pub(super) fn react(&self, reaction: Reaction) {
        self.state.lock().unwrap().reaction = reaction;
    }

    /// The recipients of all attempts, in their order.
    pub(super) fn recipients(&self) -> Vec<String> {
        self.state.lock().unwrap().recipients.clone()
    }

    /// The accepted mails, in their order.
    pub(super) fn mails(&self) -> Vec<String> {
        self.state.lock().unwrap().mails.clone()
    }

    /// The values of a header field in all accepted mails.
    pub(super) fn headers(&self, name: &str) -> Vec<String> {
        let mails = self.mails();
        let values = mails.iter().map(|mail| {
            let mut fields = mail.lines().filter_map(|line| line.split_once(": "));
            fields.find(|(field, _)| *field == name).unwrap().1.into()
        });
        values.collect()
    }
}

/// Serves a connection until the client closes it, an error occurs, or the server closes it for
/// [`Reaction::LoseReply`].
fn serve(mut connection: TcpStream, state: &Mutex<State>) -> Option<()> {
    let mut lines = BufReader::new(connection.try_clone().ok()?)
        .lines()
        .map_while(Result::ok);
    connection.write_all(b"220 mail.example\r\n").ok()?;
    let mut reaction = Reaction::Accept;
    while let Some(line) = lines.next() {
        let reply = if let Some((_, recipient)) = line.split_once("RCPT TO:") {
            state.lock().unwrap().recipients.push(recipient.to_owned());
            reaction = wait_for_reaction(state);
            match reaction {
                Reaction::RefuseRecipient(reply) => reply,
                _ => "250 ok",
            }
        } else if line == "DATA" {
            connection.write_all(b"354 go on\r\n").ok()?;
            let text: Vec<_> = lines.by_ref().take_while(|line| line != ".").collect();
            if let Reaction::RefuseText(reply) = reaction {
                reply
            } else {
                state.lock().unwrap().mails.push(text.join("\n"));
                if reaction == Reaction::LoseReply {
                    return None;
                }
                "250 queued"
            }
        } else if line == "QUIT" {
            "221 bye"
        } else {
            "250 ok"
        };
        write!(connection, "{reply}\r\n").ok()?;
    }
    Some(())
}

fn wait_for_reaction(state: &Mutex<State>) -> Reaction {
    loop {
        let reaction = state.lock().unwrap().reaction;
        if reaction != Reaction::Silence {
            return reaction;
        }
        thread::sleep(Duration::from_millis(10));
    }
}
