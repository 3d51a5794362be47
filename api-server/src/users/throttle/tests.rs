//! Tests how wrong passwords, registrations and requests for mails are counted and limited, for each email address,
//! session and network.

use std::time::SystemTime;

use crate::metrics::Metrics;
use crate::network::Network;
use crate::problem::Problem;
use crate::users::throttle::{
    Email, GuessReservation, LOGIN_WINDOW, MAIL_REQUEST_WINDOW, MAX_FAILED_GUESSES, NetworkLimits,
    SITE_LIMIT_FACTOR, Throttle,
};

const LIMITS: NetworkLimits = NetworkLimits {
    failed_logins: Some(300),
    registrations: Some(5),
    mail_requests: Some(3),
};

struct Scenario {
    throttle: Throttle,
    now: SystemTime,
}

impl Scenario {
    fn new(limits: NetworkLimits) -> Self {
        Self {
            throttle: Throttle::new(limits, &Metrics::default()),
            now: SystemTime::now(),
        }
    }

    fn request_mail(&self, ip_address: &str) -> Result<(), Problem> {
        self.throttle
            .count_mail_request(network_of(ip_address), self.now)
    }

    fn reserve_guess(
        &self,
        email: &str,
        ip_address: &str,
    ) -> Result<GuessReservation<'_>, Problem> {
        let email = Email::parse(email).unwrap();
        self.throttle
            .reserve_guess(&email, None, network_of(ip_address), self.now)
    }

    fn fail_guesses(&self, email: &str, ip_address: &str, times: u32) {
        for _ in 0..times {
            self.reserve_guess(email, ip_address)
                .unwrap()
                .record_failure(self.now);
        }
    }

    fn try_register(&self, ip_address: &str) -> bool {
        let result = self
            .throttle
            .reserve_registration(network_of(ip_address), self.now);
        result.is_ok_and(|reservation| {
            reservation.count(self.now);
            true
        })
    }
}

/// Returns the network of an IP address; `None` for `-`, which stands for a client without a network.
fn network_of(ip_address: &str) -> Option<Network> {
    ip_address.parse().ok().map(Network::of)
}

#[test]
fn failures_do_not_affect_another_network_or_another_email_address() {
    let scenario = Scenario::new(LIMITS);
    scenario.fail_guesses("a@b.example", "10.0.0.1", MAX_FAILED_GUESSES);
    assert!(scenario.reserve_guess("A@b.example", "10.0.0.1").is_err());
    assert!(scenario.reserve_guess("a@b.example", "10.0.0.2").is_ok());
    assert!(scenario.reserve_guess("c@b.example", "10.0.0.1").is_ok());
}

#[test]
fn ip_addresses_of_one_ipv6_64_are_treated_as_one_network() {
    let scenario = Scenario::new(LIMITS);
    scenario.fail_guesses("a@b.example", "2001:db8::1", MAX_FAILED_GUESSES);
    assert!(
        scenario
            .reserve_guess("a@b.example", "2001:db8::ffff")
            .is_err()
    );
    assert!(
        scenario
            .reserve_guess("a@b.example", "2001:db8:0:1::1")
            .is_ok()
    );
}

#[test]
fn failures_for_any_email_address_are_counted_per_network() {
    let scenario = Scenario::new(LIMITS);
    for number in 0..299 {
        scenario.fail_guesses(&format!("u{number}@b.example"), "10.0.0.1", 1);
    }
    assert!(scenario.reserve_guess("last@b.example", "10.0.0.1").is_ok());
    scenario.fail_guesses("last@b.example", "10.0.0.1", 1);
    assert!(
        scenario
            .reserve_guess("more@b.example", "10.0.0.1")
            .is_err()
    );
    assert!(scenario.reserve_guess("more@b.example", "10.0.0.2").is_ok());
}

#[test]
fn a_success_clears_the_failures_of_email_and_network_but_not_of_the_network_alone() {
    let scenario = Scenario::new(LIMITS);
    for _ in 0..3 {
        scenario.fail_guesses("a@b.example", "10.0.0.1", 99);
        let reservation = scenario.reserve_guess("a@b.example", "10.0.0.1").unwrap();
        reservation.record_success(scenario.now);
    }
    scenario.fail_guesses("a@b.example", "10.0.0.1", 3);
    assert!(scenario.reserve_guess("a@b.example", "10.0.0.1").is_err());
}

#[test]
fn logins_without_any_failure_are_never_rejected() {
    let scenario = Scenario::new(LIMITS);
    for _ in 0..10_000 {
        let reservation = scenario.reserve_guess("a@b.example", "10.0.0.1").unwrap();
        reservation.record_success(scenario.now);
    }
}

#[test]
fn a_rejected_attempt_reserves_nothing() {
    let scenario = Scenario::new(LIMITS);
    scenario.fail_guesses("a@b.example", "10.0.0.1", MAX_FAILED_GUESSES);
    for _ in 0..1000 {
        assert!(scenario.reserve_guess("a@b.example", "10.0.0.1").is_err());
    }
    scenario.fail_guesses("c@b.example", "10.0.0.1", MAX_FAILED_GUESSES);
    scenario.fail_guesses("d@b.example", "10.0.0.1", MAX_FAILED_GUESSES);
    assert!(scenario.reserve_guess("e@b.example", "10.0.0.1").is_err());
}

#[test]
fn an_ipv6_48_has_the_budget_of_four_networks() {
    let scenario = Scenario::new(LIMITS);
    for subnet in 0..300 * SITE_LIMIT_FACTOR {
        scenario.fail_guesses("a@b.example", &format!("2001:db8:7:{subnet:x}::1"), 1);
    }
    assert!(
        scenario
            .reserve_guess("b@b.example", "2001:db8:7:ffff::1")
            .is_err()
    );
    assert!(
        scenario
            .reserve_guess("b@b.example", "2001:db8:8::1")
            .is_ok()
    );
}

#[test]
fn failures_of_one_session_are_counted_over_all_networks() {
    let scenario = Scenario::new(LIMITS);
    let email = Email::parse("a@b.example").unwrap();
    let guess = |session, ip_address: &str| {
        let throttle = &scenario.throttle;
        throttle.reserve_guess(&email, Some(session), network_of(ip_address), scenario.now)
    };
    for number in 0..MAX_FAILED_GUESSES {
        let ip_address = format!("10.0.0.{number}");
        guess("stolen", &ip_address)
            .unwrap()
            .record_failure(scenario.now);
    }
    assert!(guess("stolen", "10.0.1.1").is_err());
    assert!(guess("stolen", "-").is_err());
    assert!(guess("another", "10.0.1.1").is_ok());
    assert!(scenario.reserve_guess("a@b.example", "10.0.0.1").is_ok());
}

#[test]
fn registrations_are_counted_per_network() {
    let scenario = Scenario::new(LIMITS);
    for _ in 0..5 {
        assert!(scenario.try_register("10.0.0.1"));
    }
    assert!(!scenario.try_register("10.0.0.1"));
    assert!(scenario.try_register("10.0.0.2"));
    assert!(scenario.reserve_guess("a@b.example", "10.0.0.1").is_ok());
}

#[test]
fn every_request_for_a_mail_is_counted_for_an_hour() {
    let mut scenario = Scenario::new(LIMITS);
    for _ in 0..3 {
        assert!(scenario.request_mail("10.0.0.1").is_ok());
    }
    let problem = scenario.request_mail("10.0.0.1").unwrap_err();
    assert_eq!(problem.retry_after().unwrap(), "3601");
    assert!(scenario.request_mail("10.0.0.2").is_ok());
    assert!(scenario.try_register("10.0.0.1"));
    scenario.now += MAIL_REQUEST_WINDOW;
    assert!(scenario.request_mail("10.0.0.1").is_ok());
}

#[test]
fn nothing_is_counted_per_network_without_a_network_or_without_a_limit() {
    let no_limits = NetworkLimits {
        failed_logins: None,
        registrations: None,
        mail_requests: None,
    };
    for (scenario, ip_address) in [
        (Scenario::new(LIMITS), "-"),
        (Scenario::new(no_limits), "10.0.0.1"),
    ] {
        for number in 0..1000 {
            assert!(scenario.try_register(ip_address));
            assert!(scenario.request_mail(ip_address).is_ok());
            scenario.fail_guesses(&format!("u{number}@b.example"), ip_address, 1);
        }
    }
}

#[test]
fn retry_after_is_one_second_more_than_the_rest_of_the_window() {
    let mut scenario = Scenario::new(LIMITS);
    scenario.fail_guesses("a@b.example", "10.0.0.1", MAX_FAILED_GUESSES);
    scenario.now += LOGIN_WINDOW / 3;
    let problem = scenario
        .reserve_guess("a@b.example", "10.0.0.1")
        .err()
        .unwrap();
    assert_eq!(problem.retry_after().unwrap(), "601");
}
