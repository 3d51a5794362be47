//! Tests when the keys are requested, how long tokens wait, and which keys are in use meanwhile.

use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use super::{MILLISECOND, ScriptedKeySet, Step, document, failure, generate_key, jwks, seconds};
use crate::Error;
use crate::remote::StalePolicy;

#[tokio::test(start_paused = true)]
async fn keys_are_requested_at_once_and_then_at_the_interval_of_the_response() {
    let key = generate_key();
    let hour = Step {
        refresh_interval: seconds(3600),
        ..document(jwks(&[&key]))
    };
    let scripted = ScriptedKeySet::start([document(jwks(&[&key])), hour, document(jwks(&[&key]))]);
    scripted.keys.wait_until_loaded().await;
    assert_eq!(
        scripted.keys.keys().unwrap().keys(),
        [key.public_key().clone()]
    );
    sleep(seconds(4000)).await;
    assert_eq!(scripted.request_times(), [0.0, 300.0, 3900.0]);
    assert_eq!(scripted.keys.last_error(), None);
}

#[tokio::test(start_paused = true)]
async fn failures_are_repeated_after_1_2_4_and_at_most_60_seconds() {
    let scripted = ScriptedKeySet::start([failure()]);
    sleep(seconds(600)).await;
    let times = scripted.request_times();
    let delays: Vec<f64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    for (delay, expected) in delays
        .iter()
        .zip([1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0])
    {
        assert!(
            (expected * 0.5..=expected * 1.5 + 0.01).contains(delay),
            "{delays:?}"
        );
    }
    assert!(delays.len() >= 8 && delays.len() < 25, "{delays:?}");
    assert_eq!(
        scripted.keys.last_error().unwrap(),
        "the server responded 500"
    );
    assert_eq!(scripted.keys.age(), None);
}

#[tokio::test(start_paused = true)]
async fn after_a_success_the_delays_start_again() {
    let good = document(jwks(&[&generate_key()]));
    let steps = [
        failure(),
        failure(),
        failure(),
        failure(),
        good.clone(),
        failure(),
        good,
    ];
    let scripted = ScriptedKeySet::start(steps);
    scripted.keys.wait_until_loaded().await;
    sleep(seconds(310)).await;
    let times = scripted.request_times();
    assert!(times[6] - times[5] <= 1.51, "{times:?}");
    assert_eq!(scripted.keys.last_error(), None);
}

#[tokio::test(start_paused = true)]
async fn the_last_good_keys_stay_in_use_during_failures() {
    let key = generate_key();
    for bad in [
        failure(),
        document(r#"{"keys":[]}"#),
        document("<html>"),
        document(r#"{"keys":[{"kty":"oct","kid":"a","k":"AA"}]}"#),
    ] {
        let scripted = ScriptedKeySet::start([document(jwks(&[&key])), bad]);
        scripted.keys.wait_until_loaded().await;
        sleep(seconds(86_400)).await;
        assert!(scripted.keys.last_error().is_some());
        assert!(scripted.keys.age().unwrap() >= seconds(86_399));
        let key_id = key.public_key().key_id();
        assert_eq!(scripted.keys.find(key_id).as_ref(), Ok(key.public_key()));
    }
}

#[tokio::test(start_paused = true)]
async fn keys_that_are_too_old_are_not_used_if_the_policy_says_so() {
    let key = generate_key();
    let key_id = key.public_key().key_id();
    let scripted = ScriptedKeySet::start([document(jwks(&[&key])), failure()]);
    let policy = StalePolicy::FailClosedAfter(seconds(7200));
    let (open, closed) = (
        scripted.keys.clone(),
        scripted.keys.clone().with_stale_policy(policy),
    );
    assert_eq!(closed.find(key_id), Err(Error::KeysUnavailable));
    closed.wait_until_loaded().await;
    sleep(Duration::from_millis(7_199_999)).await;
    assert!(closed.find(key_id).is_ok());
    sleep(3 * MILLISECOND).await;
    assert_eq!(closed.find(key_id), Err(Error::KeysUnavailable));
    assert!(open.find(key_id).is_ok());
    let reopened = closed.with_stale_policy(StalePolicy::FailOpen);
    assert!(reopened.find(key_id).is_ok());
}

#[tokio::test(start_paused = true)]
async fn an_unchanged_document_makes_the_keys_fresh_again() {
    let key = generate_key();
    let scripted = ScriptedKeySet::start([document(jwks(&[&key])), document("unchanged")]);
    scripted.keys.wait_until_loaded().await;
    sleep(seconds(86_400)).await;
    assert!(scripted.keys.age().unwrap() <= seconds(300));
    assert!(scripted.keys.find(key.public_key().key_id()).is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_response_replaces_the_whole_set() {
    let (old_key, new_key) = (generate_key(), generate_key());
    let scripted =
        ScriptedKeySet::start([document(jwks(&[&old_key])), document(jwks(&[&new_key]))]);
    scripted.keys.wait_until_loaded().await;
    sleep(seconds(301)).await;
    assert!(scripted.keys.find(new_key.public_key().key_id()).is_ok());
    assert_eq!(
        scripted.keys.find(old_key.public_key().key_id()),
        Err(Error::UnknownKey)
    );
}

#[tokio::test(start_paused = true)]
async fn skipped_keys_are_reported_until_the_next_document() {
    let key = generate_key();
    let good = jwks(&[&key]);
    let with_bad_key = good.replacen('[', r#"[{"kty":"oct","kid":"a","k":"AA"},"#, 1);
    let scripted = ScriptedKeySet::start([
        document(with_bad_key),
        document("unchanged"),
        document(good),
    ]);
    assert_eq!(scripted.keys.skipped(), []);
    scripted.keys.wait_until_loaded().await;
    sleep(seconds(301)).await;
    assert_eq!(scripted.keys.skipped().len(), 1);
    sleep(seconds(300)).await;
    assert_eq!(scripted.keys.skipped(), []);
}

#[tokio::test(start_paused = true)]
async fn unknown_keys_cause_one_request_every_10_seconds() {
    let scripted = ScriptedKeySet::start([document(jwks(&[&generate_key()]))]);
    scripted.keys.wait_until_loaded().await;
    for wait in [
        Duration::from_millis(9_999),
        MILLISECOND,
        Duration::from_millis(9_999),
        MILLISECOND,
    ] {
        sleep(wait).await;
        for number in 0..1000 {
            let result = scripted.keys.find(&format!("unknown-{number}"));
            assert_eq!(result, Err(Error::UnknownKey));
        }
        // Lets the background task run, if it was woken.
        sleep(MILLISECOND / 1000).await;
    }
    let times = scripted.request_times();
    assert_eq!(times.len(), 3, "{times:?}");
    assert!((10.0..10.01).contains(&times[1]), "{times:?}");
    assert!((20.0..20.01).contains(&times[2]), "{times:?}");
}

#[tokio::test(start_paused = true)]
async fn failed_requests_count_for_the_interval_too() {
    let scripted = ScriptedKeySet::start([document(jwks(&[&generate_key()])), failure()]);
    scripted.keys.wait_until_loaded().await;
    for _ in 0..600 {
        sleep(seconds(1) / 10).await;
        let _wakes_the_task = scripted.keys.find("unknown");
    }
    // In 60 s: the first request, at most six that tokens cause, and at most five retries before tokens may cause one:
    // only the delays after five failures (0.5 to 1.5, 1 to 3, 2 to 6, 4 to 12, 8 to 24 s) can be shorter than 10 s.
    assert!(
        scripted.request_count() <= 1 + 6 + 5,
        "{:?}",
        scripted.request_times()
    );
}

#[tokio::test(start_paused = true)]
async fn without_keys_tokens_wake_the_task_too() {
    let key = generate_key();
    let key_id = key.public_key().key_id();
    let mut steps = vec![failure(); 9];
    steps.push(document(jwks(&[&key])));
    let scripted = ScriptedKeySet::start(steps);
    sleep(seconds(1)).await;
    let mut waited = 0;
    while scripted.keys.find(key_id) == Err(Error::KeysUnavailable) {
        sleep(seconds(1)).await;
        waited += 1;
    }
    let times = scripted.request_times();
    assert!(
        times.windows(2).all(|pair| pair[1] - pair[0] <= 11.1),
        "{times:?}"
    );
    assert!(waited <= 100, "{times:?}");
}

#[tokio::test(start_paused = true)]
async fn a_token_waits_for_the_request_that_it_causes() {
    let (old_key, new_key) = (generate_key(), generate_key());
    let slow = document(jwks(&[&old_key, &new_key])).taking(seconds(1));
    let scripted = ScriptedKeySet::start([document(jwks(&[&old_key])), slow]);
    scripted.keys.wait_until_loaded().await;
    sleep(seconds(10)).await;
    assert_eq!(
        scripted.keys.find(new_key.public_key().key_id()),
        Err(Error::UnknownKey)
    );
    let waiting_since = Instant::now();
    scripted.keys.pending_refresh().unwrap().await;
    assert_eq!(waiting_since.elapsed(), seconds(1));
    assert!(scripted.keys.find(new_key.public_key().key_id()).is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_token_waits_for_at_most_2_seconds() {
    let scripted = ScriptedKeySet::start([failure().taking(seconds(5))]);
    let waiting_since = Instant::now();
    scripted.keys.pending_refresh().unwrap().await;
    let waited = waiting_since.elapsed();
    assert!(
        (seconds(2)..seconds(2) + 2 * MILLISECOND).contains(&waited),
        "{waited:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn no_token_waits_if_no_request_is_about_to_run() {
    let scripted = ScriptedKeySet::start([document(jwks(&[&generate_key()]))]);
    scripted.keys.wait_until_loaded().await;
    assert!(scripted.keys.pending_refresh().is_none());
    sleep(seconds(9)).await;
    assert_eq!(scripted.keys.find("unknown"), Err(Error::UnknownKey));
    assert!(scripted.keys.pending_refresh().is_none());
    sleep(seconds(1)).await;
    assert!(scripted.keys.pending_refresh().is_none());
    assert_eq!(scripted.keys.find("unknown"), Err(Error::UnknownKey));
    assert!(scripted.keys.pending_refresh().is_some());
}

#[tokio::test(start_paused = true)]
async fn any_number_of_tokens_shares_one_request() {
    let key = generate_key();
    let scripted = ScriptedKeySet::start([document(jwks(&[&key])).taking(seconds(1))]);
    let mut waiting = JoinSet::new();
    for _ in 0..1000 {
        let keys = scripted.keys.clone();
        let key_id = key.public_key().key_id().to_owned();
        waiting.spawn(async move {
            assert_eq!(keys.find(&key_id), Err(Error::KeysUnavailable));
            keys.pending_refresh().unwrap().await;
            keys.find(&key_id)
        });
    }
    assert!(waiting.join_all().await.iter().all(Result::is_ok));
    assert_eq!(scripted.request_count(), 1);
}

#[tokio::test(start_paused = true)]
async fn at_most_1024_tokens_wait() {
    let scripted = ScriptedKeySet::start([failure().taking(seconds(5))]);
    let mut waiting: Vec<_> = (0..1024)
        .map(|_| scripted.keys.pending_refresh().unwrap())
        .collect();
    assert!(scripted.keys.pending_refresh().is_none());
    waiting.pop();
    assert!(scripted.keys.pending_refresh().is_some());
}

#[tokio::test(start_paused = true)]
async fn the_requests_end_with_the_last_clone() {
    let scripted = ScriptedKeySet::start([document(jwks(&[&generate_key()]))]);
    scripted.keys.wait_until_loaded().await;
    let clone = scripted.keys.clone();
    let started_at = scripted.started_at.clone();
    drop(scripted);
    sleep(seconds(301)).await;
    assert_eq!(started_at.lock().unwrap().len(), 2);
    drop(clone);
    sleep(seconds(3000)).await;
    assert_eq!(started_at.lock().unwrap().len(), 2);
}
