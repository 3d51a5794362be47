//! Checks the settings of mails.

use std::path::PathBuf;

use lettre::message::Mailbox;

use super::parse;
use super::parse::ProblemCollector;
use super::{SettingProblems, Settings};
use crate::db::DatabaseUrl;
use crate::mail::address::parse_mailbox;
use crate::mail::settings::{EmailVerification, FOLDER_SENDER, MailSettings};
use crate::mail::smtp_url::SmtpServer;
use crate::mail::templates::Templates;
use crate::origin::Origin;
use crate::users::email::Email;

/// The folder to which mails are written as files, beside a SQLite database.
const FOLDER: &str = "mail";
/// The folder to which mails are written as files with PostgreSQL, relative to the current folder.
const FOLDER_WITH_POSTGRES: &str = "data/mail";

/// The settings and the recipient of `mail test`.
pub(crate) struct TestMailConfig {
    pub(crate) mail: MailSettings,
    pub(crate) public_url: Origin,
    pub(crate) recipient: String,
}

impl Settings {
    /// Checks only the settings that `mail test` needs, and the recipient.
    pub(crate) fn check_test_mail(
        &self,
        recipient: &str,
    ) -> Result<TestMailConfig, SettingProblems> {
        let mut problems = ProblemCollector::default();
        let bind_addr = problems.ok_or_record("BIND_ADDR", parse::socket_address(&self.bind_addr));
        let url_result = self.parse_public_url(bind_addr);
        let public_url = problems.ok_or_record("PUBLIC_URL", url_result);
        let database_url =
            problems.ok_or_record("DATABASE_URL", parse::database_url(&self.database_url));
        let mail = self.check_mail(database_url.as_ref(), &mut problems);
        let recipient_result = Email::parse(recipient).map(Email::into_string);
        let recipient = problems.ok_or_record(
            "--to",
            recipient_result.map_err(|_violation| "use an email address".to_owned()),
        );
        self.check_logging(&mut problems);
        problems.finish(|| {
            Some(TestMailConfig {
                mail: mail?,
                public_url: public_url??,
                recipient: recipient?,
            })
        })
    }

    pub(super) fn check_mail(
        &self,
        database_url: Option<&DatabaseUrl>,
        problems: &mut ProblemCollector,
    ) -> Option<MailSettings> {
        let smtp_result = not_empty(self.smtp_url.as_deref()).map(SmtpServer::parse);
        let smtp_result = smtp_result.transpose().map_err(ToOwned::to_owned);
        let smtp = problems.ok_or_record("SMTP_URL", smtp_result);
        let sends_mails = not_empty(self.smtp_url.as_deref()).is_some();
        let from_result = sender(self.mail_from.as_deref(), sends_mails);
        let from = problems.ok_or_record("MAIL_FROM", from_result);
        let reply_to_result = not_empty(self.mail_reply_to.as_deref()).map(parse_mailbox);
        let reply_to = problems.ok_or_record("MAIL_REPLY_TO", reply_to_result.transpose());
        let templates = not_empty(self.mail_templates.as_deref()).map(PathBuf::from);
        let template_check = Templates::load(templates.as_deref()).map(drop);
        problems.record_error("MAIL_TEMPLATES", template_check);
        Some(MailSettings {
            smtp: smtp?,
            from: from?,
            reply_to: reply_to?,
            templates,
            folder: folder(database_url?),
        })
    }
}

pub(super) fn email_verification(text: &str) -> Result<EmailVerification, String> {
    match text {
        "off" => Ok(EmailVerification::Off),
        "optional" => Ok(EmailVerification::Optional),
        "required" => Ok(EmailVerification::Required),
        _ => Err("use off, optional or required".to_owned()),
    }
}

fn not_empty(text: Option<&str>) -> Option<&str> {
    text.filter(|text| !text.is_empty())
}

/// Parses `MAIL_FROM`. It has a default only if mails are written to files, that is, without `SMTP_URL`.
fn sender(text: Option<&str>, sends_mails: bool) -> Result<Mailbox, String> {
    match not_empty(text) {
        Some(text) => parse_mailbox(text),
        None if sends_mails => Err(
            "is required with SMTP_URL; use an address that this mail server may send from, such as \
             Example <no-reply@example.com>"
                .to_owned(),
        ),
        None => parse_mailbox(FOLDER_SENDER),
    }
}

fn folder(database_url: &DatabaseUrl) -> PathBuf {
    match database_url.file() {
        Some(file) => file.with_file_name(FOLDER),
        None => PathBuf::from(FOLDER_WITH_POSTGRES),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{folder, sender};
    use crate::db::DatabaseUrl;

    #[test]
    fn the_folder_of_mails_is_beside_the_database_file() {
        for (url, path) in [
            ("sqlite://data/auth.db", "data/mail"),
            ("sqlite://auth.db", "mail"),
            ("sqlite:///var/lib/auth.db", "/var/lib/mail"),
            ("postgres://db.example/auth", "data/mail"),
        ] {
            let url = DatabaseUrl::parse(url).unwrap();
            assert_eq!(folder(&url), Path::new(path), "{url}");
        }
    }

    #[test]
    fn the_sender_has_a_default_only_in_a_folder() {
        for text in [None, Some("")] {
            let mailbox = sender(text, false).unwrap();
            assert_eq!(mailbox.to_string(), "api-server <no-reply@localhost>");
            assert!(
                sender(text, true)
                    .unwrap_err()
                    .contains("required with SMTP_URL")
            );
        }
        let mailbox = sender(Some("a@b.example"), true).unwrap();
        assert_eq!(mailbox.email.to_string(), "a@b.example");
    }
}
