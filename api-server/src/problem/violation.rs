//! Between the `validator` crate and our problems.

use std::borrow::Cow;

use validator::{ValidationError, ValidationErrors};

use super::{FieldError, Problem};

/// One broken rule, not yet tied to a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FieldViolation {
    pub(crate) code: &'static str,
    pub(crate) message: &'static str,
}

impl FieldViolation {
    pub(crate) const fn new(code: &'static str, message: &'static str) -> Self {
        Self { code, message }
    }

    /// As a problem about one field; for values that are only parsed in the handler.
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

/// A rule for `#[validate(custom(function = …))]` from a fallible constructor.
pub(crate) fn rule<T>(outcome: Result<T, FieldViolation>) -> Result<(), ValidationError> {
    outcome.map(drop).map_err(ValidationError::from)
}

/// Text that both engines can keep, of at most `max` characters.
pub(crate) fn text(value: &str, max: usize, too_long: &'static str) -> Result<(), ValidationError> {
    if value.contains('\0') {
        return Err(
            FieldViolation::new("invalid_character", "must not contain the NUL character").into(),
        );
    }
    if value.chars().count() > max {
        return Err(FieldViolation::new("too_long", too_long).into());
    }
    Ok(())
}

/// All broken rules, ordered by field, so that the answer is the same every time.
pub(crate) fn field_errors(errors: &ValidationErrors) -> Vec<FieldError> {
    let mut found: Vec<_> = errors
        .field_errors()
        .into_iter()
        .flat_map(|(field, violations)| {
            violations
                .iter()
                .map(move |violation| field_error(&field, violation))
        })
        .collect();
    found.sort_by(|a, b| a.field.cmp(&b.field));
    found
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
