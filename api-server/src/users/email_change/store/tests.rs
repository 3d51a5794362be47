//! Tests the queries of the table `email_undos` on SQLite. The end-to-end tests run these queries on both engines.

use std::time::{Duration, SystemTime};

use super::{NewEmailUndo, insert_undo, is_reserved, is_taken, live_undo_keys, purge, take_undo};
use crate::db::{self, DatabaseUrl, DbConnection, Timestamp};
use crate::users::email::Email;
use crate::users::id::UserId;
use crate::users::store as users;
use crate::users::user::User;

const HOUR: Duration = Duration::from_secs(60 * 60);
const MICROSECOND: Duration = Duration::from_micros(1);

/// A new database whose only users are Ada and Eve.
struct Fixture {
    connection: DbConnection,
    ada: String,
    eve: String,
    now: Timestamp,
    _folder: tempfile::TempDir,
}

impl Fixture {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("auth.db");
        let url = DatabaseUrl::parse(&format!("sqlite://{}", path.display())).unwrap();
        db::migrate(&url).unwrap();
        let mut connection = db::connect(&url).unwrap();
        let now = SystemTime::UNIX_EPOCH + Duration::from_micros(1_795_179_471_869_123);
        let [ada, eve] = ["ada", "eve"].map(|name| {
            let email = Email::parse(&format!("{name}@now.example")).unwrap();
            let user = User::new(&UserId::generate(now), email, None, now.into());
            assert!(users::insert(&mut connection, &user, "hash").unwrap());
            user.id
        });
        Self {
            connection,
            ada,
            eve,
            now: now.into(),
            _folder: folder,
        }
    }

    /// Adds the row of a change of Ada's address at this time.
    fn add(&mut self, key: &str, old_email: &str, changed_at: Timestamp) {
        let undo = NewEmailUndo {
            key: key.to_owned(),
            user_id: self.ada.clone(),
            old_email: old_email.to_owned(),
            changed_at,
            expires_at: changed_at.plus(HOUR),
        };
        insert_undo(&mut self.connection, &undo).unwrap();
    }

    fn keys(&mut self, old_email: &str, now: Timestamp) -> Vec<String> {
        live_undo_keys(&mut self.connection, &self.ada, old_email, now).unwrap()
    }

    fn take(&mut self, user_id: &str, key: &str) -> bool {
        take_undo(&mut self.connection, user_id, key).unwrap()
    }
}

#[test]
fn an_undo_also_undoes_later_changes_even_if_a_clock_was_behind() {
    let mut fixture = Fixture::new();
    let (ada, eve, now) = (fixture.ada.clone(), fixture.eve.clone(), fixture.now);
    fixture.add("first", "a@example.com", now);
    fixture.add("second", "b@example.com", now);
    fixture.add("third", "c@example.com", now.minus(HOUR / 2));
    assert!(!fixture.take(&ada, "unknown"));
    assert!(!fixture.take(&eve, "second"));
    assert!(fixture.take(&ada, "second"));
    assert_eq!(fixture.keys("a@example.com", now), ["first"]);
    for old_email in ["b@example.com", "c@example.com"] {
        assert!(fixture.keys(old_email, now.minus(HOUR)).is_empty());
    }
    assert!(!fixture.take(&ada, "second"));
    assert!(fixture.take(&ada, "first"));
}

#[test]
fn the_keys_of_one_address_are_sorted_by_time_and_end_with_the_expiry() {
    let mut fixture = Fixture::new();
    let now = fixture.now;
    fixture.add("first", "a@example.com", now);
    fixture.add("second", "b@example.com", now);
    fixture.add("third", "a@example.com", now.plus(MICROSECOND));
    assert_eq!(fixture.keys("a@example.com", now), ["third", "first"]);
    let expiry = now.plus(HOUR);
    let before = expiry.minus(MICROSECOND);
    assert_eq!(fixture.keys("a@example.com", before), ["third", "first"]);
    assert_eq!(fixture.keys("a@example.com", expiry), ["third"]);
    let after = expiry.plus(MICROSECOND);
    assert!(fixture.keys("a@example.com", after).is_empty());
    assert!(fixture.keys("A@example.com", now).is_empty());
}

#[test]
fn an_address_is_reserved_for_its_user_in_both_spellings_until_the_expiry() {
    let mut fixture = Fixture::new();
    let (ada, eve, now) = (fixture.ada.clone(), fixture.eve.clone(), fixture.now);
    fixture.add("key", "ada@exämple.de", now);
    let email = Email::parse("ADA@exämple.de").unwrap();
    let connection = &mut fixture.connection;
    let mut is_reserved_for_others =
        |user_id, now| is_reserved(connection, &email, user_id, now).unwrap();
    assert!(is_reserved_for_others(None, now));
    assert!(is_reserved_for_others(Some(eve.as_str()), now));
    assert!(!is_reserved_for_others(Some(ada.as_str()), now));
    let expiry = now.plus(HOUR);
    assert!(is_reserved_for_others(None, expiry.minus(MICROSECOND)));
    assert!(!is_reserved_for_others(None, expiry));
    let connection = &mut fixture.connection;
    assert!(is_taken(connection, &email, &eve, now).unwrap());
    assert!(!is_taken(connection, &email, &eve, expiry).unwrap());
}

#[test]
fn an_address_is_taken_if_another_user_has_it() {
    let mut fixture = Fixture::new();
    let now = fixture.now;
    let mut is_taken = |text: &str, user_id: &str| {
        let email = Email::parse(text).unwrap();
        is_taken(&mut fixture.connection, &email, user_id, now).unwrap()
    };
    assert!(is_taken("Eve@now.example", &fixture.ada));
    assert!(!is_taken("eve@now.example", &fixture.eve));
    assert!(!is_taken("free@now.example", &fixture.ada));
}

#[test]
fn a_batch_of_the_undos_that_expired_before_the_cutoff_is_deleted() {
    let mut fixture = Fixture::new();
    let now = fixture.now;
    for key in ["1", "2", "3"] {
        fixture.add(key, "a@example.com", now);
    }
    fixture.add("4", "a@example.com", now.plus(HOUR));
    let expiry = now.plus(HOUR);
    let mut purge = |cutoff| purge(&mut fixture.connection, cutoff, 2).unwrap();
    assert_eq!(purge(expiry), 0);
    let cutoff = expiry.plus(MICROSECOND);
    assert_eq!([purge(cutoff), purge(cutoff), purge(cutoff)], [2, 1, 0]);
    assert_eq!(fixture.keys("a@example.com", now), ["4"]);
}
