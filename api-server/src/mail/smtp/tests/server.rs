//! An SMTP server that gives the replies of a script, on a thread of its own.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread::{JoinHandle, spawn};

use native_tls::{Identity, TlsAcceptor};

/// The certificate of the server, which is self-signed.
pub(super) const CERTIFICATE: &[u8] = include_bytes!("certificate.pem");
const KEY: &[u8] = include_bytes!("key.pem");

/// The behaviour of the server after the last reply of the script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AfterScript {
    /// Closes the connection.
    Close,
    /// Sends nothing more, and waits until the client closes the connection.
    Silence,
}

pub(super) struct ScriptedServer {
    pub(super) port: u16,
    thread: JoinHandle<Vec<String>>,
}

impl ScriptedServer {
    /// Starts a server for one connection. The first reply is the greeting; each further reply follows a line of the
    /// client, or the text of a mail after the reply 354.
    pub(super) fn start(replies: &'static [&'static str], end: AfterScript) -> Self {
        Self::run(move |stream| converse(stream, replies, end))
    }

    /// Starts a server whose connection is encrypted from the first byte.
    pub(super) fn start_encrypted(replies: &'static [&'static str]) -> Self {
        Self::run(move |stream| match acceptor().accept(stream) {
            Ok(stream) => converse(stream, replies, AfterScript::Close),
            Err(_rejected_by_client) => Vec::new(),
        })
    }

    /// Starts a server that gives `replies`, then encrypts the connection, and then gives `encrypted_replies`.
    pub(super) fn start_with_starttls(
        replies: &'static [&'static str],
        encrypted_replies: &'static [&'static str],
    ) -> Self {
        Self::run(move |stream| {
            let copy = stream.try_clone().unwrap();
            let mut lines = converse(copy, replies, AfterScript::Close);
            if let Ok(stream) = acceptor().accept(stream) {
                lines.extend(converse(stream, encrypted_replies, AfterScript::Close));
            }
            lines
        })
    }

    fn run(serve: impl FnOnce(TcpStream) -> Vec<String> + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let thread = spawn(move || serve(listener.accept().unwrap().0));
        Self { port, thread }
    }

    /// Returns what the client sent: its lines, and the text of a mail as one entry.
    pub(super) fn received(self) -> Vec<String> {
        self.thread.join().unwrap()
    }
}

fn acceptor() -> TlsAcceptor {
    TlsAcceptor::new(Identity::from_pkcs8(CERTIFICATE, KEY).unwrap()).unwrap()
}

fn converse(stream: impl Read + Write, replies: &[&str], end: AfterScript) -> Vec<String> {
    let mut stream = BufReader::new(stream);
    let mut received = Vec::new();
    for (index, reply) in replies.iter().enumerate() {
        // The client may have closed the connection already.
        if stream.get_mut().write_all(reply.as_bytes()).is_err() {
            return received;
        }
        let is_last = index + 1 == replies.len();
        if is_last && end == AfterScript::Close {
            return received;
        }
        let terminator = if reply.starts_with("354") {
            "\r\n.\r\n"
        } else {
            "\r\n"
        };
        match read_until(&mut stream, terminator) {
            Some(text) => received.push(text),
            None => return received,
        }
    }
    if end == AfterScript::Silence {
        let _ended_by_client = stream.read_to_end(&mut Vec::new());
    }
    received
}

fn read_until(stream: &mut impl BufRead, terminator: &str) -> Option<String> {
    let mut bytes = Vec::new();
    while !bytes.ends_with(terminator.as_bytes()) {
        if stream.read_until(b'\n', &mut bytes).ok()? == 0 {
            return None;
        }
    }
    let text = String::from_utf8(bytes).unwrap();
    text.strip_suffix(terminator).map(ToOwned::to_owned)
}
