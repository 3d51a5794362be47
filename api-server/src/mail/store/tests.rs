//! Tests the queries of the outbox on SQLite. The end-to-end tests run them on both engines.

use std::net::IpAddr;
use std::time::{Duration, SystemTime};

use super::{
    MAX_WAITING_NOTICES, SentCounts, begin_attempt, cancel_token_mails, count_rows, count_sent,
    due_ids, end_lease, insert, insert_notice, lease, purge,
};
use crate::db::{self, DatabaseUrl, DbConnection, Timestamp};
use crate::mail::challenge::store::{count_code_attempt, uncount_code_attempt};
use crate::mail::kind::MailKind;
use crate::mail::language::Language;
use crate::mail::outbox::{LeasedMail, NewMail, OutboxCounts};
use crate::network::Network;
use crate::users::email::Email;
use crate::users::id::UserId;
use crate::users::store as users;
use crate::users::user::User;

const LEASE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(60 * 60);

/// A new database with one user.
struct Fixture {
    connection: DbConnection,
    user_id: String,
    now: SystemTime,
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
        let id = UserId::generate(now);
        let email = Email::parse("ada@example.com").unwrap();
        let mut user = User::new(&id, email, None, now.into());
        user.language = Some("de".to_owned());
        assert!(users::insert(&mut connection, &user, "hash").unwrap());
        Self {
            connection,
            user_id: user.id,
            now,
            _folder: folder,
        }
    }

    fn add(&mut self, kind: MailKind) -> NewMail {
        let mail = NewMail::new(kind, "ada@example.com", self.now);
        insert(&mut self.connection, &mail).unwrap();
        mail
    }

    fn due(&mut self) -> Vec<String> {
        due_ids(&mut self.connection, self.now.into(), 10).unwrap()
    }

    fn lease(&mut self, mail: &NewMail) -> Option<LeasedMail> {
        let ids = [mail.id.clone()];
        lease(&mut self.connection, &ids, self.now.into(), LEASE).unwrap()
    }

    fn begin(&mut self, mail: &LeasedMail) -> bool {
        let user_id = self.user_id.clone();
        begin_attempt(&mut self.connection, mail, &user_id, "ada@example.com").unwrap()
    }

    fn end(&mut self, mail: &LeasedMail, next: Option<SystemTime>) {
        end_lease(&mut self.connection, mail, next.map(Timestamp::from)).unwrap();
    }
}

#[test]
fn a_mail_is_read_as_it_was_written() {
    let mut fixture = Fixture::new();
    let address: IpAddr = "2001:db8:7::1".parse().unwrap();
    let mail = NewMail {
        language: Some(Language::German),
        new_email: Some("new@example.com".to_owned()),
        callback_url: Some("/done".to_owned()),
        network: Some(Network::of(address)),
        ..NewMail::to_user(
            MailKind::EmailChange,
            &fixture.user_id,
            "old@example.com",
            fixture.now,
        )
    };
    insert(&mut fixture.connection, &mail).unwrap();
    let leased = fixture.lease(&mail).unwrap();
    assert_eq!(
        leased,
        LeasedMail {
            id: mail.id,
            kind: MailKind::EmailChange,
            recipient: "old@example.com".to_owned(),
            user_id: Some(fixture.user_id),
            language: Some(Language::German),
            new_email: Some("new@example.com".to_owned()),
            callback_url: Some("/done".to_owned()),
            network: Some("2001:db8:7::/64".to_owned()),
            created_at: fixture.now.into(),
            expires_at: (fixture.now + HOUR).into(),
            attempts: 0,
            leased_until: leased.leased_until,
        }
    );
}

#[test]
fn a_leased_mail_is_neither_due_nor_leased_again() {
    let mut fixture = Fixture::new();
    let mail = fixture.add(MailKind::PasswordReset);
    assert_eq!(fixture.due(), [mail.id.as_str()]);
    let leased = fixture.lease(&mail).unwrap();
    assert!(fixture.due().is_empty());
    assert_eq!(fixture.lease(&mail), None);
    fixture.end(&leased, Some(fixture.now + HOUR));
    assert!(fixture.due().is_empty());
    assert_eq!(fixture.lease(&mail), None);
    fixture.now += HOUR;
    assert_eq!(fixture.due(), [mail.id.as_str()]);
    let leased_again = fixture.lease(&mail).unwrap();
    fixture.end(&leased_again, None);
    assert!(fixture.due().is_empty());
}

#[test]
fn the_mails_that_are_due_for_longest_come_first() {
    let mut fixture = Fixture::new();
    let second = fixture.add(MailKind::PasswordReset);
    fixture.now -= HOUR;
    let first = fixture.add(MailKind::PasswordChanged);
    fixture.now += 2 * HOUR;
    assert_eq!(fixture.due(), [first.id, second.id]);
}

#[test]
fn a_process_whose_lease_is_over_changes_nothing() {
    let mut fixture = Fixture::new();
    let mail = fixture.add(MailKind::PasswordReset);
    let old = fixture.lease(&mail).unwrap();
    fixture.end(&old, Some(fixture.now));
    let ids = [mail.id.clone()];
    let other_lease = LEASE + Duration::from_secs(1);
    let new = lease(
        &mut fixture.connection,
        &ids,
        fixture.now.into(),
        other_lease,
    );
    let new = new.unwrap().unwrap();
    assert!(!fixture.begin(&old));
    fixture.end(&old, None);
    assert!(fixture.begin(&new));
    fixture.end(&new, Some(fixture.now));
    let leased = fixture.lease(&mail).unwrap();
    assert_eq!(leased.attempts, 1);
    assert_eq!(leased.user_id, Some(fixture.user_id));
}

#[test]
fn only_mails_of_the_last_hour_or_day_that_were_tried_count() {
    let mut fixture = Fixture::new();
    let network = Network::of("192.0.2.1".parse().unwrap());
    for (age, is_tried, kind) in [
        (Duration::ZERO, true, MailKind::PasswordReset),
        (HOUR / 2, true, MailKind::EmailVerification),
        (HOUR, true, MailKind::PasswordReset),
        (23 * HOUR, true, MailKind::PasswordReset),
        (24 * HOUR, true, MailKind::PasswordReset),
        (Duration::ZERO, false, MailKind::PasswordReset),
        (Duration::ZERO, true, MailKind::PasswordChanged),
    ] {
        let mail = NewMail {
            network: Some(network),
            ..NewMail::new(kind, "ada@example.com", fixture.now - age)
        };
        insert(&mut fixture.connection, &mail).unwrap();
        let leased = fixture.lease(&mail).unwrap();
        if is_tried {
            assert!(fixture.begin(&leased));
        }
        fixture.end(&leased, None);
    }
    let kinds = ["password_reset", "email_verification"];
    let now = Timestamp::from(fixture.now);
    let mut count = |recipient: &str, network: Option<&str>| {
        let counts = count_sent(&mut fixture.connection, recipient, network, &kinds, now);
        let SentCounts {
            to_recipient_in_hour,
            to_recipient_in_day,
            from_network_in_hour,
        } = counts.unwrap();
        [
            to_recipient_in_hour,
            to_recipient_in_day,
            from_network_in_hour,
        ]
    };
    assert_eq!(count("ada@example.com", Some("192.0.2.1")), [2, 4, 2]);
    assert_eq!(count("ada@example.com", None), [2, 4, 0]);
    assert_eq!(count("eve@example.com", Some("192.0.2.2")), [0, 0, 0]);
}

#[test]
fn a_user_who_repeats_a_change_fills_the_outbox_with_a_few_notices_only() {
    let mut fixture = Fixture::new();
    let mut add_notice = |kind| {
        let notice = NewMail::new(kind, "ada@example.com", fixture.now);
        insert_notice(&mut fixture.connection, &notice).unwrap();
        count_rows(&mut fixture.connection).unwrap().waiting
    };
    for expected in 1..=MAX_WAITING_NOTICES {
        assert_eq!(add_notice(MailKind::PasswordChanged), expected);
    }
    assert_eq!(add_notice(MailKind::PasswordChanged), MAX_WAITING_NOTICES);
    let other_kind = add_notice(MailKind::EmailChangeRequested);
    assert_eq!(other_kind, MAX_WAITING_NOTICES + 1);
}

#[test]
fn a_notice_of_a_change_that_was_never_tried_leaves_no_row() {
    for (kind, is_tried, row_count) in [
        (MailKind::PasswordChanged, false, 0),
        (MailKind::EmailChangeRequested, false, 0),
        (MailKind::PasswordChanged, true, 1),
        // The row of a mail with a code stays, because it counts the wrong codes.
        (MailKind::PasswordReset, false, 1),
    ] {
        let mut fixture = Fixture::new();
        let mail = fixture.add(kind);
        let leased = fixture.lease(&mail).unwrap();
        assert!(!is_tried || fixture.begin(&leased));
        fixture.end(&leased, None);
        let counts = count_rows(&mut fixture.connection).unwrap();
        let expected = OutboxCounts {
            waiting: 0,
            total: row_count,
        };
        assert_eq!(counts, expected, "{kind:?} {is_tried}");
    }
}

#[test]
fn only_mails_with_a_token_of_the_mail_key_are_cancelled() {
    let mut fixture = Fixture::new();
    let (user_id, now) = (fixture.user_id.clone(), fixture.now);
    let mut ids = Vec::new();
    for kind in MailKind::ALL {
        let mail = NewMail::to_user(kind, &user_id, "ada@example.com", now);
        insert(&mut fixture.connection, &mail).unwrap();
        ids.push((kind, mail.id));
    }
    let unresolved = fixture.add(MailKind::PasswordReset);
    cancel_token_mails(&mut fixture.connection, &user_id).unwrap();
    let due_ids = fixture.due();
    for (kind, id) in ids {
        assert_eq!(due_ids.contains(&id), !kind.uses_mail_key(), "{kind:?}");
    }
    assert!(due_ids.contains(&unresolved.id));
}

#[test]
fn five_codes_are_compared_and_a_right_code_is_not_counted() {
    let mut fixture = Fixture::new();
    let mail = fixture.add(MailKind::PasswordReset);
    let connection = &mut fixture.connection;
    let mut is_open = |kind| {
        let challenge = count_code_attempt(connection, &mail.id, kind).unwrap();
        if let Some(challenge) = &challenge {
            assert_eq!(challenge.expires_at, mail.expires_at());
            assert_eq!(challenge.user_id, None);
        }
        challenge.is_some()
    };
    assert!(!is_open(MailKind::EmailVerification));
    assert_eq!(
        [(); 6].map(|()| is_open(MailKind::PasswordReset)),
        [true, true, true, true, true, false]
    );
    uncount_code_attempt(connection, &mail.id).unwrap();
    let challenge = count_code_attempt(connection, &mail.id, MailKind::PasswordReset);
    assert!(challenge.unwrap().is_some());
    let change = NewMail {
        new_email: Some("new@example.com".to_owned()),
        ..NewMail::new(MailKind::EmailChange, "new@example.com", fixture.now)
    };
    insert(connection, &change).unwrap();
    let challenge = count_code_attempt(connection, &change.id, MailKind::EmailChange);
    assert_eq!(challenge.unwrap().unwrap().new_email, change.new_email);
    let challenge = count_code_attempt(connection, "unknown", MailKind::PasswordReset);
    assert_eq!(challenge.unwrap(), None);
    uncount_code_attempt(connection, "unknown").unwrap();
}

#[test]
fn rows_are_deleted_when_they_are_old_and_have_expired() {
    let mut fixture = Fixture::new();
    for kind in [
        MailKind::PasswordReset,
        MailKind::PasswordReset,
        MailKind::PasswordChanged,
    ] {
        fixture.add(kind);
    }
    let mut purge_at = |age: Duration, limit| {
        let now = Timestamp::from(fixture.now + age);
        let deleted = purge(&mut fixture.connection, now.minus(24 * HOUR), now, limit);
        (
            deleted.unwrap(),
            count_rows(&mut fixture.connection).unwrap().total,
        )
    };
    let microsecond = Duration::from_micros(1);
    assert_eq!(purge_at(24 * HOUR, 10), (0, 3));
    assert_eq!(purge_at(24 * HOUR + microsecond, 1), (1, 2));
    assert_eq!(purge_at(24 * HOUR + microsecond, 10), (1, 1));
    // A notice of a changed password expires after two days.
    assert_eq!(purge_at(48 * HOUR, 10), (0, 1));
    assert_eq!(purge_at(48 * HOUR + microsecond, 10), (1, 0));
}

#[test]
fn sent_mails_are_rows_that_do_not_wait() {
    let mut fixture = Fixture::new();
    let mail = fixture.add(MailKind::PasswordReset);
    fixture.add(MailKind::PasswordReset);
    let leased = fixture.lease(&mail).unwrap();
    fixture.end(&leased, None);
    let counts = count_rows(&mut fixture.connection).unwrap();
    assert_eq!(
        counts,
        OutboxCounts {
            waiting: 1,
            total: 2
        }
    );
}
