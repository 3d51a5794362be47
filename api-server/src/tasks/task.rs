//! Defines a task and the rules for its fields.

use serde::Serialize;
use utoipa::ToSchema;
use validator::ValidationError;

use crate::db::Timestamp;
use crate::problem::violation as validate;
use crate::problem::violation::{FieldViolation, validation_result};

const MAX_TITLE_CHARS: usize = 200;
const MAX_DESCRIPTION_CHARS: usize = 10_000;
const MAX_SEARCH_TEXT_CHARS: usize = 200;

/// A task as the API shows it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Task {
    #[schema(example = 1)]
    pub(crate) id: i64,
    pub(crate) user_id: String,
    #[schema(example = "Buy milk")]
    pub(crate) title: String,
    pub(crate) description: Option<String>,
    pub(crate) completed: bool,
    #[schema(value_type = String, format = DateTime, example = "2026-11-20T12:57:51.869Z")]
    pub(crate) created_at: Timestamp,
    #[schema(value_type = String, format = DateTime, example = "2026-11-20T12:57:51.869Z")]
    pub(crate) updated_at: Timestamp,
}

/// The title of a task: 1 to 200 characters after trimming, without the NUL character.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Title(String);

impl Title {
    pub(crate) fn parse(text: &str) -> Result<Self, FieldViolation> {
        let title = text.trim();
        if title.is_empty() {
            return Err(FieldViolation::new("required", "is required"));
        }
        if title.contains('\0') {
            return Err(FieldViolation::new(
                "invalid_character",
                "must not contain the NUL character",
            ));
        }
        if title.chars().count() > MAX_TITLE_CHARS {
            return Err(FieldViolation::new(
                "too_long",
                "must be at most 200 characters",
            ));
        }
        Ok(Self(title.to_owned()))
    }

    pub(crate) fn into_string(self) -> String {
        self.0
    }
}

pub(crate) fn validate_title(text: &str) -> Result<(), ValidationError> {
    validation_result(Title::parse(text))
}

pub(crate) fn validate_description(text: &str) -> Result<(), ValidationError> {
    validate::text(
        text,
        MAX_DESCRIPTION_CHARS,
        "must be at most 10000 characters",
    )
}

pub(crate) fn validate_search_text(text: &str) -> Result<(), ValidationError> {
    validate::text(
        text,
        MAX_SEARCH_TEXT_CHARS,
        "must be at most 200 characters",
    )
}

/// Parses a task id, a positive number. Only its canonical decimal form is accepted, so that every task id has only one
/// form in paths.
pub(crate) fn parse_id(text: &str) -> Option<i64> {
    let id: i64 = text.parse().ok()?;
    (id > 0 && id.to_string() == text).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::{Title, parse_id};

    #[test]
    fn a_title_is_trimmed_and_has_1_to_200_characters() {
        assert_eq!(Title::parse("  a  ").unwrap().into_string(), "a");
        for (text, is_valid) in [
            (" ".to_owned(), false),
            ("é".repeat(200), true),
            ("é".repeat(201), false),
            (format!("  {}  ", "x".repeat(200)), true),
            ("a\0b".to_owned(), false),
        ] {
            assert_eq!(Title::parse(&text).is_ok(), is_valid, "{text:?}");
        }
    }

    #[test]
    fn only_a_positive_number_in_canonical_form_is_a_task_id() {
        assert_eq!(parse_id("1"), Some(1));
        assert_eq!(parse_id("9223372036854775807"), Some(i64::MAX));
        for text in [
            "",
            "0",
            "-1",
            "+1",
            "01",
            "1.0",
            "1e3",
            "9223372036854775808",
            "x",
            " 1",
            "1\0",
            "١",
        ] {
            assert_eq!(parse_id(text), None, "{text:?}");
        }
    }
}
