//! Parses, changes and serializes the claims that an operator adds to the tokens of a user.

use auth_core::CustomClaimsJson;
use serde_json::{Map, Value};

/// Returns the claims in the column `custom_claims`. A text that this release does not accept, which a later release
/// may have stored, counts as no claims.
pub(crate) fn stored_claims(column: Option<&str>) -> CustomClaimsJson {
    let parsed = column.map(CustomClaimsJson::parse).transpose();
    parsed.ok().flatten().unwrap_or_default()
}

/// Returns the text for the column `custom_claims`; `None` if there are no claims.
pub(crate) fn to_column(claims: &CustomClaimsJson) -> Option<&str> {
    (!claims.is_empty()).then(|| claims.as_str())
}

/// Returns the claims after removing the members that `removed` names and then setting the members of `set`. The error
/// says what is not acceptable.
pub(crate) fn with_changes(
    claims: &CustomClaimsJson,
    set: &[(String, Value)],
    removed: &[String],
) -> Result<CustomClaimsJson, String> {
    let parsed = serde_json::from_str(claims.as_str());
    let mut members: Map<String, Value> = parsed.map_err(|error| error.to_string())?;
    for name in removed {
        members.remove(name);
    }
    members.extend(set.iter().cloned());
    CustomClaimsJson::new(&members).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use auth_core::CustomClaimsJson;
    use serde_json::{Value, json};

    use super::{stored_claims, to_column, with_changes};

    fn set(name: &str, value: Value) -> Result<CustomClaimsJson, String> {
        with_changes(
            &CustomClaimsJson::default(),
            &[(name.to_owned(), value)],
            &[],
        )
    }

    #[test]
    fn members_are_added_replaced_and_removed() {
        let claims = set("plan", json!("free")).unwrap();
        let members = [("plan", json!("pro")), ("seats", json!(3))];
        let members = members.map(|(name, value)| (name.to_owned(), value));
        let claims = with_changes(&claims, &members, &[]).unwrap();
        assert_eq!(to_column(&claims), Some(r#"{"plan":"pro","seats":3}"#));
        let claims = with_changes(&claims, &[], &["plan".to_owned()]).unwrap();
        assert_eq!(to_column(&claims), Some(r#"{"seats":3}"#));
        let removed = ["seats".to_owned(), "absent".to_owned()];
        assert_eq!(
            to_column(&with_changes(&claims, &[], &removed).unwrap()),
            None
        );
    }

    #[test]
    fn the_column_is_read_back() {
        let claims = set("plan", json!({ "name": "pro" })).unwrap();
        assert_eq!(stored_claims(to_column(&claims)), claims);
        for column in [None, Some("[]"), Some("{"), Some(r#"{"sub":"1"}"#)] {
            assert_eq!(stored_claims(column), CustomClaimsJson::default());
        }
    }

    #[test]
    fn a_reserved_name_and_too_much_text_are_refused() {
        for name in ["sub", "roles", "scope", "email", "sid", "client_id"] {
            let error = set(name, json!("x")).unwrap_err();
            assert!(error.contains(name), "{error}");
        }
        let text = "x".repeat(1024 - r#"{"a":""}"#.len());
        assert!(set("a", json!(text)).is_ok());
        let error = set("a", json!(format!("{text}x"))).unwrap_err();
        assert!(error.contains("1024 bytes"), "{error}");
    }
}
