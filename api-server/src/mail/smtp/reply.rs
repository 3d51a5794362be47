//! The replies of an SMTP server, and the errors of a session.

use std::fmt;
use std::io;

use super::super::transport::excerpt;

/// The reply of the server to one command: a code and at least one line of text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reply {
    pub(super) code: u16,
    pub(super) lines: Vec<String>,
}

impl Reply {
    /// Returns whether the command succeeded, or the server waits for the rest of the command.
    pub(super) const fn is_positive(&self) -> bool {
        matches!(self.code, 200..=399)
    }
}

/// Prints the code and the text in one line without control characters, shortened.
impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = excerpt(&self.lines.join(" "));
        write!(f, "{} {text}", self.code)
    }
}

/// One line of a reply, such as `250-SIZE 100`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ReplyLine {
    pub(super) code: u16,
    /// Whether no further line follows.
    pub(super) is_last: bool,
    pub(super) text: String,
}

impl ReplyLine {
    /// Parses a line with or without its line end. Returns `None` if it is not a line of a reply.
    pub(super) fn parse(line: &[u8]) -> Option<Self> {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let (digits, rest) = line.split_at_checked(3)?;
        let is_code =
            digits.iter().all(u8::is_ascii_digit) && matches!(digits.first(), Some(b'2'..=b'5'));
        let (is_last, text) = match rest.split_first() {
            None => (true, &[][..]),
            Some((b' ', text)) => (true, text),
            Some((b'-', text)) => (false, text),
            Some(_) => return None,
        };
        let code = std::str::from_utf8(digits).ok()?.parse().ok()?;
        is_code.then(|| Self {
            code,
            is_last,
            text: String::from_utf8_lossy(text).into_owned(),
        })
    }
}

/// The step at which a session failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SmtpStep {
    Connect,
    Tls,
    Greeting,
    Hello,
    StartTls,
    Login,
    Sender,
    Recipient,
    Data,
    Text,
}

impl SmtpStep {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Connect => "cannot connect",
            Self::Tls => "the TLS handshake failed",
            Self::Greeting => "the greeting",
            Self::Hello => "the reply to EHLO",
            Self::StartTls => "the reply to STARTTLS",
            Self::Login => "the reply to AUTH (user and password of SMTP_URL)",
            Self::Sender => "the reply to MAIL FROM (the address in MAIL_FROM)",
            Self::Recipient => "the reply to RCPT TO",
            Self::Data => "the reply to DATA",
            Self::Text => "the reply to the text of the mail",
        }
    }
}

/// The error that ended a session.
#[derive(Debug)]
pub(super) struct SmtpError {
    pub(super) step: SmtpStep,
    pub(super) cause: SmtpErrorCause,
}

#[derive(Debug)]
pub(super) enum SmtpErrorCause {
    /// The connection failed, or a time limit passed.
    Io(io::Error),
    /// The server rejected the command.
    Rejected(Reply),
    /// The server sent something other than a valid reply for this step.
    UnexpectedReply(String),
    /// The server lacks something that the settings require.
    Unsupported(&'static str),
}

impl SmtpError {
    /// Returns whether every further attempt would fail as well: the server rejected this recipient or this mail for
    /// good. A rejected login or sender is an error of the settings, which the operator can correct before the next
    /// attempt.
    pub(super) fn is_permanent(&self) -> bool {
        let concerns_mail = matches!(
            self.step,
            SmtpStep::Recipient | SmtpStep::Data | SmtpStep::Text
        );
        match &self.cause {
            // 530: the server requires a login, which the operator can add to the settings.
            SmtpErrorCause::Rejected(reply) => {
                concerns_mail && reply.code >= 500 && reply.code != 530
            }
            SmtpErrorCause::Io(_)
            | SmtpErrorCause::UnexpectedReply(_)
            | SmtpErrorCause::Unsupported(_) => false,
        }
    }
}

impl fmt::Display for SmtpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let step = self.step.as_str();
        match &self.cause {
            SmtpErrorCause::Io(error) => write!(f, "{step}: {}", excerpt(&error.to_string())),
            SmtpErrorCause::Rejected(reply) => write!(f, "{step} was {reply}"),
            SmtpErrorCause::UnexpectedReply(text) => {
                let text = excerpt(text);
                write!(f, "{step} is not a reply of an SMTP server: {text:?}")
            }
            SmtpErrorCause::Unsupported(text) => f.write_str(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::{Reply, ReplyLine, SmtpError, SmtpErrorCause, SmtpStep};

    fn line(code: u16, is_last: bool, text: &str) -> ReplyLine {
        let text = text.to_owned();
        ReplyLine {
            code,
            is_last,
            text,
        }
    }

    fn rejected(step: SmtpStep, code: u16) -> SmtpError {
        let cause = SmtpErrorCause::Rejected(Reply {
            code,
            lines: vec!["no".to_owned()],
        });
        SmtpError { step, cause }
    }

    #[test]
    fn a_line_has_a_code_and_says_whether_it_is_the_last() {
        assert_eq!(
            ReplyLine::parse(b"250 2.0.0 Ok\r\n").unwrap(),
            line(250, true, "2.0.0 Ok")
        );
        assert_eq!(
            ReplyLine::parse(b"250-SIZE 100\r\n").unwrap(),
            line(250, false, "SIZE 100")
        );
        assert_eq!(ReplyLine::parse(b"354\r\n").unwrap(), line(354, true, ""));
        assert_eq!(
            ReplyLine::parse(b"550 no\n").unwrap(),
            line(550, true, "no")
        );
        assert_eq!(ReplyLine::parse(b"550-\r\n").unwrap(), line(550, false, ""));
        assert_eq!(
            ReplyLine::parse(b"421 \xff\r\n").unwrap(),
            line(421, true, "\u{fffd}")
        );
    }

    #[test]
    fn other_lines_are_not_replies() {
        let lines: [&[u8]; 9] = [
            b"",
            b"\r\n",
            b"25",
            b"2500 x\r\n",
            b"abc x\r\n",
            b"150 x\r\n",
            b"650 x\r\n",
            b" 250 x\r\n",
            b"HTTP/1.1 400 Bad Request\r\n",
        ];
        for bytes in lines {
            assert_eq!(ReplyLine::parse(bytes), None, "{bytes:?}");
        }
    }

    #[test]
    fn only_a_rejected_recipient_or_text_is_permanent() {
        for step in [SmtpStep::Recipient, SmtpStep::Data, SmtpStep::Text] {
            for code in [500, 550, 551, 552, 553, 554] {
                assert!(rejected(step, code).is_permanent(), "{step:?} {code}");
            }
            for code in [421, 450, 451, 452, 530] {
                assert!(!rejected(step, code).is_permanent(), "{step:?} {code}");
            }
        }
        for step in [
            SmtpStep::Greeting,
            SmtpStep::Hello,
            SmtpStep::StartTls,
            SmtpStep::Login,
            SmtpStep::Sender,
        ] {
            for code in [421, 454, 530, 535, 550, 554] {
                assert!(!rejected(step, code).is_permanent(), "{step:?} {code}");
            }
        }
    }

    #[test]
    fn a_failed_connection_is_never_permanent() {
        for cause in [
            SmtpErrorCause::Io(io::ErrorKind::TimedOut.into()),
            SmtpErrorCause::UnexpectedReply("550".to_owned()),
            SmtpErrorCause::Unsupported("STARTTLS"),
        ] {
            let step = SmtpStep::Recipient;
            assert!(!SmtpError { step, cause }.is_permanent());
        }
    }

    #[test]
    fn a_printed_reply_is_one_short_line() {
        let reply = Reply {
            code: 550,
            lines: vec!["5.1.1 <ada>:\tno\u{1b}[2J".to_owned(), "x".repeat(1000)],
        };
        let printed = reply.to_string();
        assert!(
            printed.starts_with("550 5.1.1 <ada>: no [2J xxx"),
            "{printed}"
        );
        assert!(printed.chars().count() <= 305, "{printed}");
    }
}
