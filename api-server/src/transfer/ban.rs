//! Decides whether the ban of a user, from Better Auth's admin plugin, is still in force.

use super::imported_user::RejectReason;
use crate::db::Timestamp;

/// Returns why a user with a ban is not imported; `None` if the ban is over. As in Better Auth, a ban is in force until
/// `end` has passed, and without an `end` for ever.
pub(super) fn ban_rejection(end: Option<Timestamp>, now: Timestamp) -> Option<RejectReason> {
    match end {
        Some(end) if end < now => None,
        Some(end) => Some(format!(
            "it is banned there until {}",
            end.to_rfc3339_micros()
        )),
        None => Some("it is banned there".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::ban_rejection;
    use crate::db::Timestamp;

    const NOW_MICROS: i64 = 1_795_000_000_000_000;

    fn reason_with_end(difference: i64) -> Option<String> {
        let end = Timestamp::from_unix_micros(NOW_MICROS + difference);
        ban_rejection(Some(end), Timestamp::from_unix_micros(NOW_MICROS))
    }

    #[test]
    fn a_ban_is_over_when_its_end_has_passed() {
        assert_eq!(reason_with_end(-1), None);
        assert!(reason_with_end(0).is_some());
        assert_eq!(
            reason_with_end(1).unwrap(),
            "it is banned there until 2026-11-18T11:06:40.000001Z"
        );
    }

    #[test]
    fn a_ban_without_an_end_is_never_over() {
        let now = Timestamp::from_unix_micros(NOW_MICROS);
        assert_eq!(ban_rejection(None, now).unwrap(), "it is banned there");
    }
}
