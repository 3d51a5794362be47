//! Defines validation rules, and converts errors of the `validator` crate into [`FieldError`]s.

use std::borrow::Cow;

use validator::{ValidationError, ValidationErrors};

use super::{FieldError, Problem};

/// A broken validation rule. [`at`](Self::at) adds the name of the field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FieldViolation {
    pub(crate) code: &'static str,
    pub(crate) message: &'static str,
}

impl FieldViolation {
    pub(crate) const fn new(code: &'static str, message: &'static str) -> Self {
        Self { code, message }
    }

    /// Creates an error with status 422 for a field that a handler parses itself, without the `validator` crate.
    pub(crate) fn at(self, field: &str) -> Problem {
        Problem::validation(vec![FieldError {
            field: field.to_owned(),
            code: self.code.into(),
            message: self.message.into(),
        }])
    }
}

impl From<FieldViolation> for ValidationError {
    fn from(violation: FieldViolation) -> Self {
        Self::new(violation.code).with_message(violation.message.into())
    }
}

/// Converts the result of a constructor into the result of a rule for `#[validate(custom(function = …))]`.
pub(crate) fn validation_result<T>(
    result: Result<T, FieldViolation>,
) -> Result<(), ValidationError> {
    result.map(drop).map_err(ValidationError::from)
}

/// Rejects text with NUL, which PostgreSQL cannot store. Rejects text of more than `max` characters with `message`.
pub(crate) fn text(value: &str, max: usize, message: &'static str) -> Result<(), ValidationError> {
    if value.contains('\0') {
        return Err(
            FieldViolation::new("invalid_character", "must not contain the NUL character").into(),
        );
    }
    if value.chars().count() > max {
        return Err(FieldViolation::new("too_long", message).into());
    }
    Ok(())
}

/// Returns an error for each broken rule, sorted by the field name, so that equal requests get equal responses.
pub(crate) fn field_errors(errors: &ValidationErrors) -> Vec<FieldError> {
    let mut field_errors: Vec<_> = errors
        .field_errors()
        .into_iter()
        .flat_map(|(field, violations)| {
            violations
                .iter()
                .map(move |violation| field_error(&field, violation))
        })
        .collect();
    field_errors.sort_by(|first, second| first.field.cmp(&second.field));
    field_errors
}

fn field_error(field: &str, error: &ValidationError) -> FieldError {
    FieldError {
        field: field.to_owned(),
        code: error.code.clone(),
        message: error
            .message
            .clone()
            .unwrap_or(Cow::Borrowed("is not acceptable")),
    }
}
