//! Validation with Better Auth's messages, which are those of zod.

use actix_web::http::StatusCode;
use serde_json::{Map, Value};

use super::api_error::ApiError;

/// The fields of a body or a query, and the issues found in them.
pub(super) struct Fields<'a> {
    place: &'static str,
    values: &'a Map<String, Value>,
    issues: Vec<String>,
}

impl<'a> Fields<'a> {
    pub(super) fn of_body(body: Option<&'a Value>, expected: &str) -> Result<Self, ApiError> {
        match body {
            Some(Value::Object(values)) => Ok(Self {
                place: "body",
                values,
                issues: Vec::new(),
            }),
            other => {
                let found = type_name(other);
                let issue = format!("[body] Invalid input: expected {expected}, received {found}");
                Err(validation_error(&[issue]))
            }
        }
    }

    pub(super) fn of_query(values: &'a Map<String, Value>) -> Self {
        Self {
            place: "query",
            values,
            issues: Vec::new(),
        }
    }

    pub(super) fn get(&self, name: &str) -> Option<&'a Value> {
        self.values.get(name)
    }

    /// A required text; empty if it is missing, which is noted as an issue.
    pub(super) fn text(&mut self, name: &str) -> &'a str {
        match self.values.get(name) {
            Some(Value::String(text)) => text,
            other => {
                self.expected(name, "string", other);
                ""
            }
        }
    }

    pub(super) fn optional_text(&mut self, name: &str) -> Option<&'a str> {
        match self.values.get(name) {
            None => None,
            Some(Value::String(text)) => Some(text),
            other => {
                self.expected(name, "string", other);
                None
            }
        }
    }

    pub(super) fn optional_bool(&mut self, name: &str) -> Option<bool> {
        match self.values.get(name) {
            None => None,
            Some(Value::Bool(value)) => Some(*value),
            other => {
                self.expected(name, "boolean", other);
                None
            }
        }
    }

    pub(super) fn email(&mut self, name: &str) -> &'a str {
        let found = self.issues.len();
        let text = self.text(name);
        if self.issues.len() == found && !is_email(text) {
            self.add_issue(name, "Invalid email address");
        }
        text
    }

    pub(super) fn not_empty(&mut self, name: &str) -> &'a str {
        let found = self.issues.len();
        let text = self.text(name);
        if self.issues.len() == found && text.is_empty() {
            self.add_issue(name, "Too small: expected string to have >=1 characters");
        }
        text
    }

    /// Requires text that the database can store, of at most `max` characters.
    pub(super) fn bounded(&mut self, name: &str, text: &str, max: usize) {
        if text.contains('\0') {
            self.add_issue(name, "Invalid string: must not contain the NUL character");
        }
        if text.chars().count() > max {
            let message = format!("Too big: expected string to have <={max} characters");
            self.add_issue(name, &message);
        }
    }

    pub(super) fn expected(&mut self, name: &str, expected: &str, found: Option<&Value>) {
        let found = type_name(found);
        let message = format!("Invalid input: expected {expected}, received {found}");
        self.add_issue(name, &message);
    }

    pub(super) fn add_issue(&mut self, name: &str, message: &str) {
        self.issues
            .push(format!("[{}.{name}] {message}", self.place));
    }

    /// Fails if any issue was found.
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

/// Whether zod accepts the address: untrimmed, ASCII, a dot in the domain.
pub(super) fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else {
        return false;
    };
    is_local_part(local) && is_domain(domain)
}

fn is_local_part(local: &str) -> bool {
    let is_known = |byte: u8| byte.is_ascii_alphanumeric() || b"_'+-".contains(&byte);
    let is_part = |part: &str| !part.is_empty() && part.bytes().all(is_known);
    local.split('.').all(is_part) && !local.ends_with('\'')
}

fn is_domain(domain: &str) -> bool {
    let Some((labels, top)) = domain.rsplit_once('.') else {
        return false;
    };
    let is_label = |label: &str| {
        let is_known = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        label.starts_with(|first: char| first.is_ascii_alphanumeric())
            && label.bytes().all(is_known)
    };
    labels.split('.').all(is_label)
        && top.len() >= 2
        && top.bytes().all(|byte| byte.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use super::is_email;

    #[test]
    fn an_address_is_what_zod_takes_for_one() {
        for text in [
            "ada@example.com",
            "a.b+c_d-e'f@x-y.example.co",
            "1@1.aa",
            "A@B.CC",
        ] {
            assert!(is_email(text), "{text}");
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
            assert!(!is_email(text), "{text}");
        }
    }
}
