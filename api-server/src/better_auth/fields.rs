//! Validates fields. The messages have the form of zod's messages, because Better Auth validates with zod.

use actix_web::http::StatusCode;
use serde_json::{Map, Value};

use super::api_error::ApiError;

/// The fields of a body or a query, and the issues found so far.
pub(super) struct Fields<'a> {
    /// `body` or `query`, for the messages.
    source: &'static str,
    values: &'a Map<String, Value>,
    issues: Vec<String>,
}

impl<'a> Fields<'a> {
    pub(super) fn of_body(body: Option<&'a Value>, expected_type: &str) -> Result<Self, ApiError> {
        match body {
            Some(Value::Object(values)) => Ok(Self {
                source: "body",
                values,
                issues: Vec::new(),
            }),
            unexpected => {
                let found_type = type_name(unexpected);
                let types = format!("expected {expected_type}, received {found_type}");
                let issue = format!("[body] Invalid input: {types}");
                Err(validation_error(&[issue]))
            }
        }
    }

    pub(super) fn of_query(values: &'a Map<String, Value>) -> Self {
        Self {
            source: "query",
            values,
            issues: Vec::new(),
        }
    }

    pub(super) fn get(&self, name: &str) -> Option<&'a Value> {
        self.values.get(name)
    }

    /// Returns a required text. If the field is missing or not a string, adds an issue and returns an empty text.
    pub(super) fn text(&mut self, name: &str) -> &'a str {
        match self.values.get(name) {
            Some(Value::String(text)) => text,
            unexpected => {
                self.add_type_issue(name, "string", unexpected);
                ""
            }
        }
    }

    pub(super) fn optional_text(&mut self, name: &str) -> Option<&'a str> {
        match self.values.get(name) {
            None => None,
            Some(Value::String(text)) => Some(text),
            unexpected => {
                self.add_type_issue(name, "string", unexpected);
                None
            }
        }
    }

    pub(super) fn optional_bool(&mut self, name: &str) -> Option<bool> {
        match self.values.get(name) {
            None => None,
            Some(Value::Bool(value)) => Some(*value),
            unexpected => {
                self.add_type_issue(name, "boolean", unexpected);
                None
            }
        }
    }

    pub(super) fn email(&mut self, name: &str) -> &'a str {
        let earlier_issue_count = self.issues.len();
        let text = self.text(name);
        if self.issues.len() == earlier_issue_count && !is_zod_email(text) {
            self.add_issue(name, "Invalid email address");
        }
        text
    }

    pub(super) fn nonempty_text(&mut self, name: &str) -> &'a str {
        let earlier_issue_count = self.issues.len();
        let text = self.text(name);
        if self.issues.len() == earlier_issue_count && text.is_empty() {
            self.add_issue(name, "Too small: expected string to have >=1 characters");
        }
        text
    }

    /// Adds an issue if the text contains NUL, which PostgreSQL cannot store, or has more than `max_chars` characters.
    pub(super) fn check_text(&mut self, name: &str, text: &str, max_chars: usize) {
        if text.contains('\0') {
            self.add_issue(name, "Invalid string: must not contain the NUL character");
        }
        if text.chars().count() > max_chars {
            let message = format!("Too big: expected string to have <={max_chars} characters");
            self.add_issue(name, &message);
        }
    }

    fn add_type_issue(&mut self, name: &str, expected_type: &str, value: Option<&Value>) {
        let found_type = type_name(value);
        let message = format!("Invalid input: expected {expected_type}, received {found_type}");
        self.add_issue(name, &message);
    }

    pub(super) fn add_issue(&mut self, name: &str, message: &str) {
        self.issues
            .push(format!("[{}.{name}] {message}", self.source));
    }

    /// Fails with all issues if there are any.
    pub(super) fn finish(self) -> Result<(), ApiError> {
        if self.issues.is_empty() {
            return Ok(());
        }
        Err(validation_error(&self.issues))
    }
}

fn validation_error(issues: &[String]) -> ApiError {
    let message = issues.join("; ");
    ApiError::new(StatusCode::BAD_REQUEST, "VALIDATION_ERROR", message)
}

const fn type_name(value: Option<&Value>) -> &'static str {
    match value {
        None => "undefined",
        Some(Value::Null) => "null",
        Some(Value::Bool(_)) => "boolean",
        Some(Value::Number(_)) => "number",
        Some(Value::String(_)) => "string",
        Some(Value::Array(_)) => "array",
        Some(Value::Object(_)) => "object",
    }
}

/// Returns whether zod accepts the email address. For example, zod requires ASCII and a domain with a dot.
pub(super) fn is_zod_email(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else {
        return false;
    };
    is_local_part(local) && is_domain(domain)
}

fn is_local_part(local: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_'+-".contains(&byte);
    let is_atom = |part: &str| !part.is_empty() && part.bytes().all(is_allowed);
    local.split('.').all(is_atom) && !local.ends_with('\'')
}

fn is_domain(domain: &str) -> bool {
    let Some((labels, top_level)) = domain.rsplit_once('.') else {
        return false;
    };
    let is_label = |label: &str| {
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        label.starts_with(|first: char| first.is_ascii_alphanumeric())
            && label.bytes().all(is_allowed)
    };
    labels.split('.').all(is_label)
        && top_level.len() >= 2
        && top_level.bytes().all(|byte| byte.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use super::is_zod_email;

    #[test]
    fn an_email_address_is_valid_if_zod_accepts_the_address() {
        for text in [
            "ada@example.com",
            "a.b+c_d-e'f@x-y.example.co",
            "1@1.aa",
            "A@B.CC",
        ] {
            assert!(is_zod_email(text), "{text}");
        }
        for text in [
            "",
            "ada",
            "ada@",
            "@example.com",
            "ada@localhost",
            "ada@example.c",
            "ada@example.c0m",
            " ada@example.com",
            "ada@example.com ",
            "ada@@example.com",
            "a@b@example.com",
            ".ada@example.com",
            "ada.@example.com",
            "a..b@example.com",
            "ada'@example.com",
            "ada@-example.com",
            "ada@example..com",
            "ada@.example.com",
            "adä@example.com",
            "ada@exämple.com",
            "ada@example.com\n",
        ] {
            assert!(!is_zod_email(text), "{text}");
        }
    }
}
