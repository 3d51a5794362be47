//! Composes the text of a mail in the form in which it is sent (RFC 5322).

use std::time::SystemTime;

use lettre::address::Envelope;
use lettre::message::header::{ContentTransferEncoding, ContentType, HeaderName, HeaderValue};
use lettre::message::{Body, Mailbox, MessageBuilder, MultiPart, SinglePart};
use lettre::{Address, Message};

use super::address::to_address;
use super::kind::MailKind;
use super::language::Language;
use super::settings::MailSettings;
use super::templates::{MailText, TemplateValues, Templates};

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The longest line that is not encoded. RFC 5322 § 2.1.1 allows 998 bytes.
const MAX_LINE_BYTES: usize = 900;

/// A mail to compose.
#[derive(Debug, Clone)]
pub(crate) struct OutgoingMail<'a> {
    /// Identifies the mail: a second attempt to send it has the same `Message-ID`.
    pub(crate) id: &'a str,
    pub(crate) kind: MailKind,
    pub(crate) language: Language,
    pub(crate) recipient: &'a str,
    pub(crate) created_at: SystemTime,
    /// The link with the token, for a kind that carries a token.
    pub(crate) link: Option<String>,
    /// The code, for a kind that has a code.
    pub(crate) code: Option<String>,
    /// The time until which link and code are valid.
    pub(crate) expires_at: SystemTime,
}

/// A mail that is ready to be sent.
#[derive(Debug, Clone)]
pub(crate) struct ComposedMail {
    envelope: Envelope,
    bytes: Vec<u8>,
    /// The name of the kind, or `test`, for the name of a file.
    label: &'static str,
    created_at: SystemTime,
}

impl ComposedMail {
    /// Returns the header and the body.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(super) fn sender(&self) -> &str {
        self.envelope.from().map_or("", AsRef::as_ref)
    }

    pub(super) fn recipient(&self) -> &str {
        self.envelope.to().first().map_or("", AsRef::as_ref)
    }

    pub(super) const fn label(&self) -> &'static str {
        self.label
    }

    pub(super) const fn created_at(&self) -> SystemTime {
        self.created_at
    }
}

/// Composes mails with the templates and the sender of the settings.
pub(crate) struct Composer {
    templates: Templates,
    from: Mailbox,
    reply_to: Option<Mailbox>,
    /// The host of `PUBLIC_URL`, and its port if the URL has one.
    host: String,
}

impl Composer {
    /// Reads the templates, and renders each of them once. The error names the file that cannot be used.
    pub(crate) fn new(settings: &MailSettings, public_url: &str) -> Result<Self, String> {
        let host = public_url
            .split_once("://")
            .map_or(public_url, |(_, host)| host);
        Ok(Self {
            templates: Templates::load(settings.templates.as_deref())?,
            from: settings.from.clone(),
            reply_to: settings.reply_to.clone(),
            host: host.trim_end_matches('/').to_owned(),
        })
    }

    /// Composes a mail. Fails if no mail can be sent to the address, such as one with a local part beyond ASCII, which
    /// an earlier release accepted. Also fails if the link or the code does not fit the kind, or if a template fails.
    pub(crate) fn compose(&self, mail: &OutgoingMail<'_>) -> Result<ComposedMail, BoxError> {
        let has_link = mail.link.is_some() == mail.kind.carries_token();
        if !has_link || mail.code.is_some() != mail.kind.has_code() {
            return Err("the link or the code does not fit the kind of mail".into());
        }
        let values = TemplateValues {
            language: mail.language.as_str(),
            host: &self.host,
            link: mail.link.as_deref(),
            code: mail.code.as_deref(),
            expires: &mail.language.format_time(mail.expires_at),
            subject: "",
        };
        let text = self.templates.render(mail.kind.as_str(), &values)?;
        self.build(
            mail.id,
            mail.recipient,
            mail.created_at,
            mail.language,
            text,
        )
        .map(|(envelope, bytes)| ComposedMail {
            envelope,
            bytes,
            label: mail.kind.as_str(),
            created_at: mail.created_at,
        })
    }

    /// Composes the mail of `api-server mail test`.
    pub(super) fn compose_test(
        &self,
        id: &str,
        recipient: &str,
        now: SystemTime,
    ) -> Result<ComposedMail, BoxError> {
        let language = Language::English;
        let values = TemplateValues {
            language: language.as_str(),
            host: &self.host,
            link: None,
            code: None,
            expires: "",
            subject: "",
        };
        let text = self.templates.render("test", &values)?;
        let (envelope, bytes) = self.build(id, recipient, now, language, text)?;
        Ok(ComposedMail {
            envelope,
            bytes,
            label: "test",
            created_at: now,
        })
    }

    fn build(
        &self,
        id: &str,
        recipient: &str,
        created_at: SystemTime,
        language: Language,
        text: MailText,
    ) -> Result<(Envelope, Vec<u8>), BoxError> {
        let recipient = to_address(recipient).ok_or("no mail can be sent to this address")?;
        let envelope = Envelope::new(Some(self.from.email.clone()), vec![recipient.clone()])?;
        let body = MultiPart::alternative()
            .singlepart(part(ContentType::TEXT_PLAIN, &text.plain))
            .singlepart(part(ContentType::TEXT_HTML, &text.html));
        let message = self
            .start(id, recipient, created_at)
            .subject(text.subject)
            .raw_header(header("Content-Language", language.as_str()))
            .envelope(envelope.clone())
            .multipart(body)?;
        Ok((envelope, message.formatted()))
    }

    fn start(&self, id: &str, recipient: Address, created_at: SystemTime) -> MessageBuilder {
        let domain = self.from.email.domain();
        let builder = Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, recipient))
            .date(created_at)
            .message_id(Some(format!("<{id}@{domain}>")))
            // Tells programs that reply automatically, such as absence notes, not to reply to this mail.
            .raw_header(header("Auto-Submitted", "auto-generated"))
            .raw_header(header("X-Auto-Response-Suppress", "All"));
        match &self.reply_to {
            Some(reply_to) => builder.reply_to(reply_to.clone()),
            None => builder,
        }
    }
}

fn header(name: &'static str, value: &str) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned())
}

/// Creates a part of the body. ASCII text without long lines is not encoded, so that a person can read it in a file.
fn part(content_type: ContentType, text: &str) -> SinglePart {
    let text = text.replace("\r\n", "\n");
    let fits = text.lines().all(|line| line.len() <= MAX_LINE_BYTES);
    let body = if fits && text.is_ascii() && !text.contains(['\r', '\0']) {
        let bytes = text.replace('\n', "\r\n").into_bytes();
        Body::dangerous_pre_encoded(bytes, ContentTransferEncoding::SevenBit)
    } else {
        Body::new(text)
    };
    SinglePart::builder().header(content_type).body(body)
}

#[cfg(test)]
mod tests;
