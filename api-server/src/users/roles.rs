//! Parses the stored roles of a user, adds and removes roles, and joins roles to a text.

use auth_core::Roles;

/// Returns the roles in the column `roles`, which are separated by spaces. A text with names that this release does not
/// accept, which a later release may have stored, counts as no roles.
pub(crate) fn stored_roles(column: Option<&str>) -> Roles {
    Roles::new(column.unwrap_or_default().split_ascii_whitespace()).unwrap_or_default()
}

/// Returns the names, joined with this separator; `None` if there is no role.
pub(crate) fn join_names(roles: &Roles, separator: &str) -> Option<String> {
    (!roles.is_empty()).then(|| roles.iter().collect::<Vec<_>>().join(separator))
}

/// Returns the roles with `added` and without `removed`, in alphabetical order. The error says what is not acceptable.
pub(crate) fn with_changes(
    roles: &Roles,
    added: &[String],
    removed: &[String],
) -> Result<Roles, String> {
    for name in added.iter().chain(removed) {
        Roles::new([name]).map_err(|error| format!("{name:?}: {error}"))?;
    }
    if let Some(name) = added.iter().find(|name| removed.contains(name)) {
        return Err(format!("{name:?} is to be added and removed"));
    }
    let is_kept = |name: &&str| !removed.iter().any(|removed| removed == name);
    let kept = roles.iter().filter(is_kept);
    let mut names: Vec<&str> = kept.chain(added.iter().map(String::as_str)).collect();
    names.sort_unstable();
    names.dedup();
    let count = names.len();
    Roles::new(names).map_err(|error| format!("the user would have {count} roles: {error}"))
}

#[cfg(test)]
mod tests {
    use auth_core::Roles;

    use super::{join_names, stored_roles, with_changes};

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn roles_are_sorted_and_occur_once() {
        let roles = stored_roles(Some("admin editor"));
        let added = names(&["zoo", "admin", "a", "a"]);
        let roles = with_changes(&roles, &added, &names(&["editor", "absent"])).unwrap();
        assert_eq!(join_names(&roles, " ").as_deref(), Some("a admin zoo"));
        assert_eq!(join_names(&roles, ",").as_deref(), Some("a,admin,zoo"));
    }

    #[test]
    fn no_role_is_stored_as_null() {
        let roles = stored_roles(Some("admin"));
        let roles = with_changes(&roles, &[], &names(&["admin"])).unwrap();
        assert_eq!(roles, stored_roles(None));
        assert_eq!(join_names(&roles, " "), None);
    }

    #[test]
    fn a_name_that_is_not_a_role_is_refused_by_name() {
        for name in ["", "A", "a b", "ä", "a,b", "a\n"] {
            for (added, removed) in [(&[name][..], &[][..]), (&[][..], &[name][..])] {
                let result = with_changes(&Roles::default(), &names(added), &names(removed));
                let error = result.unwrap_err();
                assert!(error.starts_with(&format!("{name:?}: ")), "{error}");
                assert!(error.contains("1 to 64 characters"), "{error}");
            }
        }
    }

    #[test]
    fn a_user_has_at_most_32_roles() {
        let many: Vec<String> = (0..32).map(|number| format!("r{number}")).collect();
        let roles = with_changes(&Roles::default(), &many, &[]).unwrap();
        assert!(with_changes(&roles, &many, &[]).is_ok());
        let another = names(&["another"]);
        let error = with_changes(&roles, &another, &[]).unwrap_err();
        assert!(
            error.starts_with("the user would have 33 roles: "),
            "{error}"
        );
        assert_eq!(
            with_changes(&roles, &another, &names(&["r0"]))
                .unwrap()
                .len(),
            32
        );
    }

    #[test]
    fn a_role_cannot_be_added_and_removed_at_once() {
        let both = names(&["admin"]);
        let error = with_changes(&Roles::default(), &both, &both).unwrap_err();
        assert_eq!(error, "\"admin\" is to be added and removed");
    }
}
