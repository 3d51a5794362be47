//! Checks that the database can be reached and written, that its schema fits this program, and that the clocks agree.

use std::time::{Duration, SystemTime};

use super::{Finding, files};
use crate::db::{DatabaseUrl, Inspection, Timestamp, inspect};

/// The largest accepted difference between the clocks: the leeway of this server when it checks the times in tokens.
const MAX_CLOCK_DIFFERENCE: Duration = Duration::from_secs(5);

pub(super) fn check(url: &DatabaseUrl, now: SystemTime) -> Vec<Finding> {
    const CHECKED_PART: &str = "database";
    if let Some(file) = url.file()
        && !file.exists()
    {
        let folder = file.parent().unwrap_or(file).display();
        return vec![if files::is_writable_or_creatable(file) {
            Finding::ok(
                CHECKED_PART,
                format!("{url} does not exist yet, the first start creates it"),
            )
        } else {
            Finding::wrong(
                CHECKED_PART,
                format!(
                    "{url} does not exist, and the folder {folder} is not writable; \
                make it writable, or correct DATABASE_URL"
                ),
            )
        }];
    }
    match inspect(url) {
        Err(error) => vec![Finding::wrong(
            CHECKED_PART,
            format!(
                "{url} cannot be read: {error}; check DATABASE_URL, and that the database runs"
            ),
        )],
        Ok(state) => vec![
            check_access(url, &state),
            check_schema(&state),
            check_clock(&state, now.into()),
        ],
    }
}

fn check_access(url: &DatabaseUrl, state: &Inspection) -> Finding {
    const CHECKED_PART: &str = "database";
    if state.is_standby {
        return Finding::wrong(
            CHECKED_PART,
            format!(
                "{url} accepts no writes, because it is a standby; name the primary in DATABASE_URL"
            ),
        );
    }
    Finding::ok(CHECKED_PART, format!("{url} responds"))
}

fn check_schema(state: &Inspection) -> Finding {
    const CHECKED_PART: &str = "schema";
    let pending_count = state.pending_count;
    match state.unknown_versions.as_slice() {
        [] if pending_count == 0 => Finding::ok(CHECKED_PART, "it is the one of this version"),
        [] if state.may_create_tables => Finding::ok(
            CHECKED_PART,
            format!("the next start runs {pending_count} migrations; take a backup first"),
        ),
        [] => Finding::wrong(
            CHECKED_PART,
            format!(
                "{pending_count} migrations must run, but the user of DATABASE_URL may not create tables; as the \
                 owner of the database run: GRANT CREATE ON SCHEMA public TO the user"
            ),
        ),
        versions => Finding::wrong(
            CHECKED_PART,
            format!(
                "a newer version of api-server has migrated the database ({}); run that version again, if this one is \
                 not of the same minor version (such as 0.1)",
                versions.join(", ")
            ),
        ),
    }
}

/// Compares the clock of the database with `now`. Several servers share sessions and tokens, so their clocks must
/// agree.
fn check_clock(state: &Inspection, now: Timestamp) -> Finding {
    const CHECKED_PART: &str = "clock";
    let (ahead, behind) = (now.since(state.now), state.now.since(now));
    if ahead.max(behind) <= MAX_CLOCK_DIFFERENCE {
        return Finding::ok(CHECKED_PART, "it agrees with the clock of the database");
    }
    let (difference, direction) = if ahead > behind {
        (ahead, "ahead of")
    } else {
        (behind, "behind")
    };
    let seconds = difference.as_secs();
    Finding::wrong(
        CHECKED_PART,
        format!(
            "the clock of this machine is {seconds} s {direction} the clock of the database; set both by a time \
             service, such as chrony or systemd-timesyncd"
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::{check_access, check_clock, check_schema};
    use crate::db::{DatabaseUrl, Inspection, Timestamp};

    const NOW_MICROS: i64 = 1_795_000_000_000_000;

    fn state() -> Inspection {
        Inspection {
            now: Timestamp::from_unix_micros(NOW_MICROS),
            is_standby: false,
            may_create_tables: true,
            run_count: 9,
            pending_count: 0,
            unknown_versions: Vec::new(),
        }
    }

    #[test]
    fn a_difference_of_the_clocks_beyond_five_seconds_is_wrong() {
        for (difference, text) in [
            (0, None),
            (5_000_000, None),
            (-5_000_000, None),
            (5_000_001, Some("5 s ahead of")),
            (-5_000_001, Some("5 s behind")),
            (-3_600_000_000, Some("3600 s behind")),
        ] {
            let now = Timestamp::from_unix_micros(NOW_MICROS + difference);
            match (check_clock(&state(), now).outcome, text) {
                (Ok(_), None) => {}
                (Err(remedy), Some(text)) => assert!(remedy.contains(text), "{remedy}"),
                (outcome, _) => panic!("{difference}: {outcome:?}"),
            }
        }
    }

    #[test]
    fn pending_migrations_are_wrong_only_if_the_user_may_not_create_tables() {
        let pending = Inspection {
            pending_count: 3,
            ..state()
        };
        let outcome = check_schema(&pending).outcome.unwrap();
        assert!(outcome.contains("3 migrations"), "{outcome}");
        let forbidden = Inspection {
            may_create_tables: false,
            ..pending
        };
        let remedy = check_schema(&forbidden).outcome.unwrap_err();
        assert!(remedy.contains("GRANT CREATE"), "{remedy}");
        let current = Inspection {
            may_create_tables: false,
            ..state()
        };
        check_schema(&current).outcome.unwrap();
    }

    #[test]
    fn a_schema_of_a_newer_version_is_wrong() {
        let unknown_versions = vec!["20990101000000".to_owned()];
        let newer = Inspection {
            unknown_versions,
            ..state()
        };
        let remedy = check_schema(&newer).outcome.unwrap_err();
        assert!(remedy.contains("20990101000000"), "{remedy}");
    }

    #[test]
    fn a_standby_is_wrong() {
        let url = DatabaseUrl::parse("postgres://ada:hunter2@db.example/auth").unwrap();
        check_access(&url, &state()).outcome.unwrap();
        let standby = Inspection {
            is_standby: true,
            ..state()
        };
        let remedy = check_access(&url, &standby).outcome.unwrap_err();
        assert!(
            remedy.contains("standby") && !remedy.contains("hunter2"),
            "{remedy}"
        );
    }
}
