//! Checks the settings and the arguments of `users roles` and `users claims`.

use auth_core::{CustomClaimsJson, Roles};
use serde_json::Value;

use super::parse;
use super::parse::ProblemCollector;
use super::{SettingProblems, Settings};
use crate::accounts::access::AccessChange;
use crate::transfer::AccessCommand;
use crate::users::email::LoginEmail;
use crate::users::{custom_claims, roles};

impl Settings {
    /// Checks the arguments of `users roles`, and the settings that the command needs.
    pub(crate) fn check_roles(
        &self,
        email: &str,
        added: &[String],
        removed: &[String],
    ) -> Result<AccessCommand, SettingProblems> {
        let mut problems = ProblemCollector::default();
        // Changes an empty set of roles, only to check the arguments.
        let check = |added: &[String], removed: &[String]| {
            roles::with_changes(&Roles::default(), added, removed).map(|_roles| ())
        };
        let added_check = check(added, &[]);
        let removed_check = check(if added_check.is_ok() { added } else { &[] }, removed);
        problems.record_error("--add", added_check);
        problems.record_error("--remove", removed_check);
        let change = AccessChange::Roles {
            added: added.to_vec(),
            removed: removed.to_vec(),
        };
        self.check_access(email, change, problems)
    }

    /// Checks the arguments of `users claims`, and the settings that the command needs.
    pub(crate) fn check_claims(
        &self,
        email: &str,
        set: &[String],
        removed: &[String],
    ) -> Result<AccessCommand, SettingProblems> {
        let mut problems = ProblemCollector::default();
        let set = problems
            .ok_or_record("--set", parse_claims(set))
            .unwrap_or_default();
        if let Some((name, _)) = set.iter().find(|(name, _)| removed.contains(name)) {
            let message = format!("{name:?} is to be set and removed");
            problems.record_error("--remove", Err(message));
        }
        let change = AccessChange::Claims {
            set,
            removed: removed.to_vec(),
        };
        self.check_access(email, change, problems)
    }

    fn check_access(
        &self,
        email: &str,
        change: AccessChange,
        mut problems: ProblemCollector,
    ) -> Result<AccessCommand, SettingProblems> {
        let url_result = parse::database_url(&self.database_url);
        let database_url = problems.ok_or_record("DATABASE_URL", url_result);
        let lifetime_result = parse::lifetime(&self.access_token_ttl);
        let access_token_ttl = problems.ok_or_record("ACCESS_TOKEN_TTL", lifetime_result);
        let email_result = LoginEmail::parse(email);
        let email_result = email_result.map_err(|_violation| "use an email address".to_owned());
        let email = problems.ok_or_record("ADDRESS", email_result);
        self.check_logging(&mut problems);
        problems.finish(|| {
            Some(AccessCommand {
                database_url: database_url?,
                email: email?,
                change,
                access_token_ttl: access_token_ttl?,
            })
        })
    }
}

/// Parses each `NAME=VALUE`. Rejects claims that no user can have, for example because of a reserved name. Whether
/// they fit beside the user's other claims is checked when they are stored.
fn parse_claims(texts: &[String]) -> Result<Vec<(String, Value)>, String> {
    let members: Result<Vec<_>, String> = texts.iter().map(|text| parse_claim(text)).collect();
    let members = members?;
    custom_claims::with_changes(&CustomClaimsJson::default(), &members, &[])?;
    Ok(members)
}

/// Parses `NAME=VALUE`. A value that is not JSON is a text.
fn parse_claim(text: &str) -> Result<(String, Value), String> {
    let Some((name, value)) = text.split_once('=') else {
        return Err(format!("{text:?} has no '='; use NAME=VALUE"));
    };
    let value = serde_json::from_str(value).unwrap_or_else(|_not_json| Value::from(value));
    Ok((name.to_owned(), value))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::parse_claim;

    #[test]
    fn a_value_is_json_or_else_a_text() {
        for (text, value) in [
            ("a=3", json!(3)),
            ("a=true", json!(true)),
            ("a=pro", json!("pro")),
            ("a=\"3\"", json!("3")),
            ("a=[1,{\"b\":2}]", json!([1, {"b": 2}])),
            ("a=", json!("")),
            ("a=b=c", json!("b=c")),
            ("a=[1", json!("[1")),
        ] {
            assert_eq!(parse_claim(text), Ok(("a".to_owned(), value)), "{text}");
        }
    }

    #[test]
    fn an_argument_without_an_equals_sign_is_refused() {
        let error = parse_claim("plan").unwrap_err();
        assert_eq!(error, "\"plan\" has no '='; use NAME=VALUE");
    }
}
