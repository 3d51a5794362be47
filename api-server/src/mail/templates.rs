//! The texts of the mails, as templates. Files in `MAIL_TEMPLATES` replace the built-in files of the same name.

use std::fmt::Write as _;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use minijinja::{AutoEscape, Environment, Output, State, UndefinedBehavior, Value};
use serde::Serialize;

use super::kind::MailKind;
use super::language::Language;

/// The link in the samples with which the templates are tested at start. It has no character that HTML escapes.
const SAMPLE_LINK: &str = "https://host.example/page#token";

/// A built-in file: its name and its content.
macro_rules! built_in {
    ($($part:literal),+) => {
        (concat!($($part),+), include_str!(concat!("templates/", $($part),+)))
    };
}

/// The six built-in files of a kind of mails.
macro_rules! files_of {
    ($kind:literal) => {
        [
            built_in!("en/", $kind, ".subject"),
            built_in!("en/", $kind, ".txt"),
            built_in!("en/", $kind, ".html"),
            built_in!("de/", $kind, ".subject"),
            built_in!("de/", $kind, ".txt"),
            built_in!("de/", $kind, ".html"),
        ]
    };
}

/// The built-in files: their names and their contents.
const FILES: [&[(&str, &str)]; 10] = [
    &[
        built_in!("layout.html"),
        built_in!("en/base.html"),
        built_in!("de/base.html"),
    ],
    &[
        built_in!("en/test.subject"),
        built_in!("en/test.txt"),
        built_in!("en/test.html"),
    ],
    &files_of!("password_reset"),
    &files_of!("email_verification"),
    &files_of!("email_change"),
    &files_of!("account_deletion"),
    &files_of!("password_changed"),
    &files_of!("registration_attempt"),
    &files_of!("email_change_requested"),
    &files_of!("email_changed"),
];

/// The values that a template can use.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct TemplateValues<'a> {
    /// The tag of the language, such as `en`.
    pub(super) language: &'a str,
    /// The host of `PUBLIC_URL`, and its port if the URL has one.
    pub(super) host: &'a str,
    pub(super) link: Option<&'a str>,
    pub(super) code: Option<&'a str>,
    /// The time until which link and code are valid, as text; empty in the test mail.
    pub(super) expires: &'a str,
    /// The subject, which is empty while the subject is rendered.
    pub(super) subject: &'a str,
}

/// The text of one mail.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct MailText {
    pub(super) subject: String,
    pub(super) plain: String,
    pub(super) html: String,
}

/// Templates that have rendered sample values without an error.
#[derive(Debug)]
pub(crate) struct Templates(Environment<'static>);

impl Templates {
    /// Reads the templates and renders each of them with sample values. The error names the file that is broken.
    pub(crate) fn load(folder: Option<&Path>) -> Result<Self, String> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_trim_blocks(true);
        environment.set_lstrip_blocks(true);
        environment.set_formatter(format_value);
        if let Some(folder) = folder {
            reject_unknown_files(folder)?;
        }
        for (name, built_in_text) in FILES.into_iter().flatten().copied() {
            let own_text = folder.map(|folder| read_if_exists(&folder.join(name)));
            let added = match own_text.transpose()?.flatten() {
                Some(text) => environment.add_template_owned(name, text),
                None => environment.add_template(name, built_in_text),
            };
            added.map_err(|error| describe_template_error(&error))?;
        }
        let templates = Self(environment);
        templates.check()?;
        Ok(templates)
    }

    /// Renders the mail with this name: the name of a kind, or `test`.
    pub(super) fn render(
        &self,
        name: &str,
        values: &TemplateValues<'_>,
    ) -> Result<MailText, String> {
        let language = values.language;
        let file = |extension: &str| format!("{language}/{name}.{extension}");
        let subject = self.render_file(&file("subject"), values)?;
        let subject = subject.split_whitespace().collect::<Vec<_>>().join(" ");
        let values = TemplateValues {
            subject: &subject,
            ..*values
        };
        Ok(MailText {
            plain: self.render_file(&file("txt"), &values)?,
            html: self.render_file(&file("html"), &values)?,
            subject,
        })
    }

    fn render_file(&self, name: &str, values: &TemplateValues<'_>) -> Result<String, String> {
        let template = self.0.get_template(name);
        let rendered = template.and_then(|template| template.render(values));
        rendered.map_err(|error| describe_template_error(&error))
    }

    fn check(&self) -> Result<(), String> {
        for language in Language::ALL {
            for kind in MailKind::ALL {
                let values = sample_values(language, kind);
                let text = self.render(kind.as_str(), &values)?;
                check_text(&text, &values, kind)?;
            }
        }
        let values = TemplateValues {
            link: None,
            code: None,
            ..sample_values(Language::English, MailKind::PasswordReset)
        };
        self.render("test", &values).map(drop)
    }
}

fn sample_values(language: Language, kind: MailKind) -> TemplateValues<'static> {
    TemplateValues {
        language: language.as_str(),
        host: "host.example",
        link: kind.carries_token().then_some(SAMPLE_LINK),
        code: kind.has_code().then_some("ABCD2345"),
        expires: "time",
        subject: "",
    }
}

/// Rejects a mail without a subject, and a mail whose link is missing.
fn check_text(text: &MailText, values: &TemplateValues<'_>, kind: MailKind) -> Result<(), String> {
    let file = format!("{}/{}", values.language, kind.as_str());
    if text.subject.is_empty() {
        return Err(format!("{file}.subject: is empty"));
    }
    for (extension, content) in [("txt", &text.plain), ("html", &text.html)] {
        if values.link.is_some_and(|link| !content.contains(link)) {
            return Err(format!("{file}.{extension}: lacks {{{{ link }}}}"));
        }
    }
    Ok(())
}

/// Rejects a file that looks like a template but replaces none, because its name may be misspelled.
fn reject_unknown_files(folder: &Path) -> Result<(), String> {
    for subfolder in ["", "en", "de"] {
        let path = folder.join(subfolder);
        let entries = match fs::read_dir(&path) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound && !subfolder.is_empty() => continue,
            Err(error) => return Err(format!("cannot read {}: {error}", path.display())),
        };
        for entry in entries {
            let entry =
                entry.map_err(|error| format!("cannot read {}: {error}", path.display()))?;
            let name = Path::new(subfolder).join(entry.file_name());
            let extension = name.extension().and_then(|extension| extension.to_str());
            let is_template = matches!(extension, Some("subject" | "txt" | "html"));
            let mut known_files = FILES.into_iter().flatten();
            if is_template && !known_files.any(|(known_name, _)| name == Path::new(known_name)) {
                let name = name.display();
                return Err(format!(
                    "{name}: is not the name of a template; see docs/mails.md"
                ));
            }
        }
    }
    Ok(())
}

fn read_if_exists(path: &Path) -> Result<Option<String>, String> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(format!("cannot read {}: {error}", path.display())),
    }
}

/// Names the file and the line of the innermost error.
fn describe_template_error(error: &minijinja::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    let mut innermost = error;
    while let Some(source) = cause.source() {
        if let Some(template_error) = source.downcast_ref::<minijinja::Error>() {
            innermost = template_error;
        }
        cause = source;
    }
    let name = innermost.name().or(error.name()).unwrap_or("a template");
    let line = innermost.line().unwrap_or_default();
    let detail = innermost.detail().unwrap_or("cannot be rendered");
    format!("{name}, line {line}: {}: {detail}", innermost.kind())
}

/// Writes a value. In HTML, this function escapes only the characters that HTML requires. Unlike minijinja, it does not
/// escape `/`, so that a link can be read in the source of a mail.
fn format_value(
    output: &mut Output<'_>,
    state: &State<'_, '_>,
    value: &Value,
) -> Result<(), minijinja::Error> {
    match value.as_str() {
        Some(text) if state.auto_escape() == AutoEscape::Html && !value.is_safe() => {
            Ok(write_escaped(output, text)?)
        }
        _ => minijinja::escape_formatter(output, state, value),
    }
}

fn write_escaped(output: &mut Output<'_>, text: &str) -> std::fmt::Result {
    for character in text.chars() {
        match character {
            '&' => output.write_str("&amp;")?,
            '<' => output.write_str("&lt;")?,
            '>' => output.write_str("&gt;")?,
            '"' => output.write_str("&quot;")?,
            '\'' => output.write_str("&#39;")?,
            other => output.write_char(other)?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
