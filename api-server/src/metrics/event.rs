//! Lists the events that are counted, with the metric and the label of each.

use std::sync::atomic::{AtomicU64, Ordering};

/// A metric that counts events. Each event has one value of the label; a metric with one event has no label.
#[derive(Debug)]
pub(super) struct CounterFamily {
    pub(super) name: &'static str,
    pub(super) help: &'static str,
    /// The name of the label; empty without a label.
    pub(super) label: &'static str,
    /// The events with their values of the label.
    pub(super) events: &'static [(Event, &'static str)],
}

macro_rules! events {
    ($($name:literal $label:literal $help:literal { $($event:ident $value:literal,)+ })+) => {
        /// An event that is counted.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Event {
            $($($event,)+)+
        }

        /// All metrics that count events.
        pub(super) const FAMILIES: &[CounterFamily] = &[$(CounterFamily {
            name: $name,
            help: $help,
            label: $label,
            events: &[$((Event::$event, $value),)+],
        },)+];

        const EVENT_COUNT: usize = [$($(Event::$event,)+)+].len();
    };
}

events! {
    "api_server_logins_total" "outcome" "Logins with a password, by outcome." {
        LoginSucceeded "succeeded",
        LoginRefused "refused",
        LoginUnverified "unverified",
        LoginThrottled "throttled",
        LoginFailed "failed",
    }
    "api_server_sessions_opened_total" "" "Sessions that were opened." {
        SessionOpened "",
    }
    "api_server_session_refreshes_total" "outcome" "Refresh tokens that were presented, by outcome." {
        RefreshGranted "granted",
        RefreshReused "reused",
        RefreshExpired "expired",
        RefreshUnknown "unknown",
        RefreshBusy "busy",
    }
    "api_server_revocations_followed_total" "" "Revocations that were read from the database." {
        RevocationFollowed "",
    }
    "api_server_database_errors_total" "kind" "Database jobs that failed, by kind of error." {
        DatabaseOverloaded "overloaded",
        DatabaseAccountBusy "account_busy",
        DatabaseUnavailable "unavailable",
        DatabaseQueryFailed "query",
    }
    "api_server_throttled_total" "kind" "Attempts that were rejected with status 429, by the limit that they exceeded." {
        ThrottledGuess "account_guesses",
        ThrottledFailedLogins "network_failed_logins",
        ThrottledRegistrations "network_registrations",
        ThrottledMailRequests "network_mail_requests",
    }
    "api_server_mails_total" "outcome" "Attempts to send a mail, by outcome." {
        MailSent "sent",
        MailPostponed "postponed",
        MailGivenUp "given_up",
    }
}

/// The number of times that each event has happened.
#[derive(Debug)]
pub(super) struct Counters([AtomicU64; EVENT_COUNT]);

impl Default for Counters {
    fn default() -> Self {
        Self([const { AtomicU64::new(0) }; EVENT_COUNT])
    }
}

impl Counters {
    pub(super) fn add(&self, event: Event, count: u64) {
        if let Some(counter) = self.0.get(event as usize) {
            counter.fetch_add(count, Ordering::Relaxed);
        }
    }

    pub(super) fn get(&self, event: Event) -> u64 {
        let counter = self.0.get(event as usize);
        counter.map_or(0, |counter| counter.load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::{Counters, FAMILIES};

    #[test]
    fn an_event_changes_only_its_own_counter() {
        let events: Vec<_> = FAMILIES.iter().flat_map(|family| family.events).collect();
        let counters = Counters::default();
        for (position, (event, _)) in events.iter().enumerate() {
            counters.add(*event, 1 + position as u64);
        }
        for (position, (event, _)) in events.iter().enumerate() {
            assert_eq!(counters.get(*event), 1 + position as u64, "{event:?}");
        }
    }

    #[test]
    fn every_counter_has_a_conventional_name_and_labels_that_differ() {
        for family in FAMILIES {
            assert!(family.name.starts_with("api_server_"), "{}", family.name);
            assert!(family.name.ends_with("_total"), "{}", family.name);
            assert!(family.help.ends_with('.'), "{}", family.name);
            let mut values: Vec<_> = family.events.iter().map(|(_, value)| value).collect();
            values.sort();
            values.dedup();
            assert_eq!(values.len(), family.events.len(), "{}", family.name);
            let needs_label = family.events.len() > 1;
            assert_eq!(needs_label, !family.label.is_empty(), "{}", family.name);
        }
    }
}
