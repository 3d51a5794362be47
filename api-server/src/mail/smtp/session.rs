//! The commands of one SMTP session.

use std::io::{self, BufRead as _, BufReader, ErrorKind, Read as _, Write as _};
use std::net::IpAddr;
use std::time::Duration;

use native_tls::TlsConnector;

use super::super::smtp_url::{Encryption, SmtpServer};
use super::TimeLimits;
use super::login;
use super::reply::{Reply, ReplyLine, SmtpError, SmtpErrorCause, SmtpStep};
use super::stream::SmtpStream;

/// The longest line of a reply. RFC 5321 § 4.5.3.1.5 allows 512 bytes, which some servers exceed.
const MAX_LINE_BYTES: u64 = 2000;
/// The most lines of a reply.
const MAX_LINES: usize = 100;
/// The longest wait for the reply to QUIT, when the result of the mail is already known.
const QUIT_LIMIT: Duration = Duration::from_secs(1);

/// A session with a server that has accepted EHLO, and the login if `SMTP_URL` has a password.
pub(super) struct SmtpSession {
    stream: BufReader<SmtpStream>,
    limits: TimeLimits,
    /// The lines of the reply to EHLO after the first, in upper case: what the server supports.
    features: Vec<String>,
}

impl SmtpSession {
    pub(super) fn open(
        server: &SmtpServer,
        connector: &TlsConnector,
        limits: TimeLimits,
    ) -> Result<Self, SmtpError> {
        let stream = SmtpStream::connect(&server.host, server.port, limits.step)
            .map_err(|error| io_error(SmtpStep::Connect, error))?;
        let mut session = Self {
            stream: BufReader::new(stream),
            limits,
            features: Vec::new(),
        };
        if server.encryption == Encryption::Implicit {
            session = session.encrypt(connector, &server.host)?;
        }
        session.read_reply(SmtpStep::Greeting, limits.step)?;
        session.hello()?;
        if session.must_start_tls(server.encryption)? {
            session.command(SmtpStep::StartTls, "STARTTLS")?;
            session = session.encrypt(connector, &server.host)?;
            session.hello()?;
        }
        if let Some(credentials) = &server.credentials {
            login::log_in(&mut session, credentials)?;
        }
        Ok(session)
    }

    /// Sends the mail. `text` is the header and the body.
    pub(super) fn deliver(
        &mut self,
        sender: &str,
        recipient: &str,
        text: &[u8],
    ) -> Result<Reply, SmtpError> {
        self.command(SmtpStep::Sender, &format!("MAIL FROM:<{sender}>"))?;
        self.command(SmtpStep::Recipient, &format!("RCPT TO:<{recipient}>"))?;
        let reply = self.command(SmtpStep::Data, "DATA")?;
        if reply.code != 354 {
            let (step, cause) = (
                SmtpStep::Data,
                SmtpErrorCause::UnexpectedReply(reply.to_string()),
            );
            return Err(SmtpError { step, cause });
        }
        self.write(SmtpStep::Text, &escape_text(text))?;
        self.read_reply(SmtpStep::Text, self.limits.acceptance)
    }

    /// Ends the session. Ignores errors, because the result of the session is already known.
    pub(super) fn quit(mut self) {
        let _ignored = self.write(SmtpStep::Hello, b"QUIT\r\n");
        let _ignored = self.read_reply(SmtpStep::Hello, self.limits.step.min(QUIT_LIMIT));
    }

    /// Returns the parameters of a feature; `None` if the reply to EHLO does not name the feature.
    pub(super) fn feature(&self, name: &str) -> Option<&str> {
        let mut lines = self.features.iter();
        lines.find_map(|line| match line.split_once(' ') {
            Some((word, parameters)) => (word == name).then_some(parameters),
            None => (line == name).then_some(""),
        })
    }

    /// Sends a command and returns the reply. The command must have no line end.
    pub(super) fn command(&mut self, step: SmtpStep, command: &str) -> Result<Reply, SmtpError> {
        self.write(step, format!("{command}\r\n").as_bytes())?;
        self.read_reply(step, self.limits.step)
    }

    fn hello(&mut self) -> Result<(), SmtpError> {
        let local_address = self.stream.get_mut().local_address();
        let name = match local_address.map_err(|error| io_error(SmtpStep::Hello, error))? {
            IpAddr::V4(address) => format!("[{address}]"),
            IpAddr::V6(address) => format!("[IPv6:{address}]"),
        };
        let reply = self.command(SmtpStep::Hello, &format!("EHLO {name}"))?;
        let lines = reply.lines.iter().skip(1);
        self.features = lines.map(|line| line.to_ascii_uppercase()).collect();
        Ok(())
    }

    fn must_start_tls(&self, encryption: Encryption) -> Result<bool, SmtpError> {
        const MISSING: &str = "the server does not offer STARTTLS, but SMTP_URL requires TLS; \
            use another port, smtps://, or a server with TLS";
        let is_offered = self.feature("STARTTLS").is_some();
        match encryption {
            Encryption::Required if !is_offered => Err(SmtpError {
                step: SmtpStep::StartTls,
                cause: SmtpErrorCause::Unsupported(MISSING),
            }),
            Encryption::Required | Encryption::Opportunistic => Ok(is_offered),
            Encryption::Implicit | Encryption::None => Ok(false),
        }
    }

    /// Encrypts the connection. Fails if the buffer has unread bytes: an attacker may have added them before the
    /// handshake, for the client to read them as encrypted replies.
    fn encrypt(mut self, connector: &TlsConnector, host: &str) -> Result<Self, SmtpError> {
        if !self.stream.buffer().is_empty() {
            let text = String::from_utf8_lossy(self.stream.buffer()).into_owned();
            let cause = SmtpErrorCause::UnexpectedReply(text);
            return Err(SmtpError {
                step: SmtpStep::StartTls,
                cause,
            });
        }
        self.stream.get_mut().set_time_limit(self.limits.step);
        let stream = self.stream.into_inner().encrypt(connector, host);
        self.stream = BufReader::new(stream.map_err(|error| io_error(SmtpStep::Tls, error))?);
        Ok(self)
    }

    fn write(&mut self, step: SmtpStep, bytes: &[u8]) -> Result<(), SmtpError> {
        let stream = self.stream.get_mut();
        stream.set_time_limit(self.limits.step);
        let outcome = stream.write_all(bytes).and_then(|()| stream.flush());
        outcome.map_err(|error| io_error(step, error))
    }

    /// Reads a reply. A reply that rejects the command is an error.
    fn read_reply(&mut self, step: SmtpStep, limit: Duration) -> Result<Reply, SmtpError> {
        self.stream.get_mut().set_time_limit(limit);
        let mut lines = Vec::new();
        loop {
            let bytes = self.read_line().map_err(|error| io_error(step, error))?;
            let line = ReplyLine::parse(&bytes).filter(|_line| lines.len() < MAX_LINES);
            let Some(line) = line else {
                let text = String::from_utf8_lossy(&bytes).into_owned();
                let cause = SmtpErrorCause::UnexpectedReply(text);
                return Err(SmtpError { step, cause });
            };
            lines.push(line.text);
            if line.is_last {
                let code = line.code;
                let reply = Reply { code, lines };
                return if reply.is_positive() {
                    Ok(reply)
                } else {
                    let cause = SmtpErrorCause::Rejected(reply);
                    Err(SmtpError { step, cause })
                };
            }
        }
    }

    fn read_line(&mut self) -> io::Result<Vec<u8>> {
        let mut line = Vec::new();
        let mut limited_stream = (&mut self.stream).take(MAX_LINE_BYTES);
        limited_stream.read_until(b'\n', &mut line)?;
        match line.last() {
            Some(b'\n') => Ok(line),
            Some(_) if limited_stream.limit() == 0 => Err(io::Error::new(
                ErrorKind::InvalidData,
                "the server sent a line that is too long",
            )),
            _ => Err(io::Error::new(
                ErrorKind::UnexpectedEof,
                "the server closed the connection",
            )),
        }
    }
}

fn io_error(step: SmtpStep, error: io::Error) -> SmtpError {
    let cause = SmtpErrorCause::Io(error);
    SmtpError { step, cause }
}

/// Doubles the dot at the start of a line, and adds the line with one dot that ends the text (RFC 5321 § 4.5.2).
fn escape_text(text: &[u8]) -> Vec<u8> {
    let mut escaped = Vec::with_capacity(text.len() + 100);
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        if line.starts_with(b".") {
            escaped.push(b'.');
        }
        escaped.extend_from_slice(line);
    }
    if !escaped.ends_with(b"\r\n") {
        escaped.extend_from_slice(b"\r\n");
    }
    escaped.extend_from_slice(b".\r\n");
    escaped
}

#[cfg(test)]
mod tests {
    use super::escape_text;

    #[test]
    fn a_dot_at_the_start_of_a_line_is_doubled() {
        for (text, escaped) in [
            ("a\r\nb\r\n", "a\r\nb\r\n.\r\n"),
            ("a", "a\r\n.\r\n"),
            ("", "\r\n.\r\n"),
            (".\r\n", "..\r\n.\r\n"),
            ("a.\r\n.b\r\n..\r\n", "a.\r\n..b\r\n...\r\n.\r\n"),
        ] {
            let text_escaped = String::from_utf8(escape_text(text.as_bytes())).unwrap();
            assert_eq!(text_escaped, escaped, "{text:?}");
        }
    }
}
