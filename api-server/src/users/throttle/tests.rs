//! Which attempts count for which account and which network.

use std::time::SystemTime;

use crate::network::Network;
use crate::problem::Problem;
use crate::users::throttle::{
    Email, GuessReservation, LOGIN_WINDOW, MAX_FAILURES, NETWORKS_OF_A_SITE, NetworkLimits,
    Throttle,
};

const LIMITS: NetworkLimits = NetworkLimits {
    failed_logins: Some(300),
    registrations: Some(5),
};

struct Scenario {
    throttle: Throttle,
    now: SystemTime,
}

impl Scenario {
    fn new(limits: NetworkLimits) -> Self {
        Self {
            throttle: Throttle::new(limits),
            now: SystemTime::now(),
        }
    }

    fn guess(&self, email: &str, network: &str) -> Result<GuessReservation<'_>, Problem> {
        let email = Email::parse(email).unwrap();
        self.throttle.guess(&email, None, at(network), self.now)
    }

    fn fail(&self, email: &str, network: &str, times: u32) {
        for _ in 0..times {
            self.guess(email, network).unwrap().failed(self.now);
        }
    }

    fn registers(&self, network: &str) -> bool {
        let reserved = self.throttle.registration(at(network), self.now);
        reserved.is_ok_and(|reserved| {
            reserved.spend(self.now);
            true
        })
    }
}

/// `-` for a caller that is not counted as a network.
fn at(address: &str) -> Option<Network> {
    address.parse().ok().map(Network::of)
}

#[test]
fn another_network_and_another_address_are_not_affected() {
    let scenario = Scenario::new(LIMITS);
    scenario.fail("a@b.example", "10.0.0.1", MAX_FAILURES);
    assert!(scenario.guess("A@b.example", "10.0.0.1").is_err());
    assert!(scenario.guess("a@b.example", "10.0.0.2").is_ok());
    assert!(scenario.guess("c@b.example", "10.0.0.1").is_ok());
}

#[test]
fn an_ipv6_neighbour_in_the_same_64_counts_as_the_same_network() {
    let scenario = Scenario::new(LIMITS);
    scenario.fail("a@b.example", "2001:db8::1", MAX_FAILURES);
    assert!(scenario.guess("a@b.example", "2001:db8::ffff").is_err());
    assert!(scenario.guess("a@b.example", "2001:db8:0:1::1").is_ok());
}

#[test]
fn failures_for_any_address_are_counted_per_network() {
    let scenario = Scenario::new(LIMITS);
    for number in 0..299 {
        scenario.fail(&format!("u{number}@b.example"), "10.0.0.1", 1);
    }
    assert!(scenario.guess("last@b.example", "10.0.0.1").is_ok());
    scenario.fail("last@b.example", "10.0.0.1", 1);
    assert!(scenario.guess("more@b.example", "10.0.0.1").is_err());
    assert!(scenario.guess("more@b.example", "10.0.0.2").is_ok());
}

#[test]
fn a_success_clears_the_pair_and_not_the_network() {
    let scenario = Scenario::new(LIMITS);
    for _ in 0..3 {
        scenario.fail("a@b.example", "10.0.0.1", 99);
        let right = scenario.guess("a@b.example", "10.0.0.1").unwrap();
        right.succeeded(scenario.now);
    }
    scenario.fail("a@b.example", "10.0.0.1", 3);
    assert!(scenario.guess("a@b.example", "10.0.0.1").is_err());
}

#[test]
fn successes_alone_are_never_refused() {
    let scenario = Scenario::new(LIMITS);
    for _ in 0..10_000 {
        let right = scenario.guess("a@b.example", "10.0.0.1").unwrap();
        right.succeeded(scenario.now);
    }
}

#[test]
fn a_refused_attempt_reserves_nothing() {
    let scenario = Scenario::new(LIMITS);
    scenario.fail("a@b.example", "10.0.0.1", MAX_FAILURES);
    for _ in 0..1000 {
        assert!(scenario.guess("a@b.example", "10.0.0.1").is_err());
    }
    scenario.fail("c@b.example", "10.0.0.1", MAX_FAILURES);
    scenario.fail("d@b.example", "10.0.0.1", MAX_FAILURES);
    assert!(scenario.guess("e@b.example", "10.0.0.1").is_err());
}

#[test]
fn a_48_has_the_budget_of_four_networks() {
    let scenario = Scenario::new(LIMITS);
    for subnet in 0..300 * NETWORKS_OF_A_SITE {
        scenario.fail("a@b.example", &format!("2001:db8:7:{subnet:x}::1"), 1);
    }
    assert!(scenario.guess("b@b.example", "2001:db8:7:ffff::1").is_err());
    assert!(scenario.guess("b@b.example", "2001:db8:8::1").is_ok());
}

#[test]
fn a_session_is_counted_over_all_networks() {
    let scenario = Scenario::new(LIMITS);
    let email = Email::parse("a@b.example").unwrap();
    let guess = |session, network: &str| {
        let throttle = &scenario.throttle;
        throttle.guess(&email, Some(session), at(network), scenario.now)
    };
    for number in 0..MAX_FAILURES {
        let network = format!("10.0.0.{number}");
        guess("stolen", &network).unwrap().failed(scenario.now);
    }
    assert!(guess("stolen", "10.0.1.1").is_err());
    assert!(guess("stolen", "-").is_err());
    assert!(guess("another", "10.0.1.1").is_ok());
    assert!(scenario.guess("a@b.example", "10.0.0.1").is_ok());
}

#[test]
fn registrations_are_counted_per_network() {
    let scenario = Scenario::new(LIMITS);
    for _ in 0..5 {
        assert!(scenario.registers("10.0.0.1"));
    }
    assert!(!scenario.registers("10.0.0.1"));
    assert!(scenario.registers("10.0.0.2"));
    assert!(scenario.guess("a@b.example", "10.0.0.1").is_ok());
}

#[test]
fn who_is_no_network_and_what_has_no_limit_is_not_counted() {
    let none = NetworkLimits {
        failed_logins: None,
        registrations: None,
    };
    for (scenario, network) in [
        (Scenario::new(LIMITS), "-"),
        (Scenario::new(none), "10.0.0.1"),
    ] {
        for number in 0..1000 {
            assert!(scenario.registers(network));
            scenario.fail(&format!("u{number}@b.example"), network, 1);
        }
    }
}

#[test]
fn the_wait_is_what_is_left_of_the_window_and_never_too_short() {
    let mut scenario = Scenario::new(LIMITS);
    scenario.fail("a@b.example", "10.0.0.1", MAX_FAILURES);
    scenario.now += LOGIN_WINDOW / 3;
    let refused = scenario.guess("a@b.example", "10.0.0.1").err().unwrap();
    assert_eq!(refused.retry_after().unwrap(), "601");
}
