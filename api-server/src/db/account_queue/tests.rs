use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use super::{AccountQueue, Next, QueueFull, QueueLimits};

fn queue() -> AccountQueue<&'static str> {
    AccountQueue::new(QueueLimits {
        waiting: 6,
        waiting_per_account: 3,
        running_per_account: 2,
    })
}

fn popped(queue: &AccountQueue<&'static str>) -> Vec<&'static str> {
    std::iter::from_fn(|| queue.try_pop())
        .map(|(job, _)| job)
        .collect()
}

#[test]
fn accounts_take_turns() {
    let queue = queue();
    for (job, account) in [("a1", 1), ("a2", 1), ("b1", 2), ("b2", 2), ("c1", 3)] {
        queue.push(job, Some(account)).unwrap();
    }
    queue.push("none", None).unwrap();
    assert_eq!(popped(&queue), ["a1", "b1", "c1", "none", "a2", "b2"]);
}

#[test]
fn an_account_runs_no_more_than_its_share_at_a_time() {
    let queue = queue();
    for job in ["a1", "a2", "a3"] {
        queue.push(job, Some(1)).unwrap();
    }
    assert_eq!(popped(&queue), ["a1", "a2"]);
    queue.push("b1", Some(2)).unwrap();
    assert_eq!(popped(&queue), ["b1"]);
    queue.finish(Some(1), true);
    assert_eq!(popped(&queue), ["a3"]);
}

#[test]
fn places_are_bounded_per_account_and_in_all() {
    let queue = queue();
    for job in ["a1", "a2", "a3"] {
        queue.push(job, Some(1)).unwrap();
    }
    assert_eq!(queue.push("a4", Some(1)).err(), Some(QueueFull::Account));
    for job in ["b1", "b2"] {
        queue.push(job, Some(2)).unwrap();
    }
    queue.push("none", None).unwrap();
    assert_eq!(queue.push("c1", Some(3)).err(), Some(QueueFull::Queue));
    assert_eq!(queue.push("none", None).err(), Some(QueueFull::Queue));
    assert!(queue.try_pop().is_some());
    queue.push("c1", Some(3)).unwrap();
}

#[test]
fn an_account_without_jobs_is_forgotten() {
    let queue = queue();
    queue.push("a1", Some(1)).unwrap();
    assert_eq!(popped(&queue), ["a1"]);
    queue.finish(Some(1), true);
    assert!(queue.lock().accounts.is_empty());
}

#[test]
fn a_caller_learns_whether_its_account_was_served_while_it_waited() {
    let queue = queue();
    queue.push("a1", Some(1)).unwrap();
    queue.push("a2", Some(1)).unwrap();
    let served = queue.push("a3", Some(1)).unwrap().unwrap();
    assert_eq!(popped(&queue), ["a1", "a2"]);
    queue.finish(Some(1), false);
    assert!(!served.has_grown());
    queue.finish(Some(1), true);
    assert!(served.has_grown());
    // Also when the account has nothing in the queue any more.
    assert_eq!(popped(&queue), ["a3"]);
    queue.finish(Some(1), false);
    assert!(queue.lock().accounts.is_empty());
    assert!(served.has_grown());
    let later = queue.push("a4", Some(1)).unwrap().unwrap();
    assert!(!later.has_grown());
}

#[test]
fn a_closed_queue_ends_after_its_last_job() {
    let queue = queue();
    assert!(matches!(queue.pop(Some(Duration::ZERO)), Next::Idle));
    queue.push("a1", Some(1)).unwrap();
    queue.close();
    assert!(matches!(queue.pop(None), Next::Job("a1", Some(1))));
    assert!(matches!(queue.pop(None), Next::Closed));
}

#[test]
fn one_wake_up_is_enough_for_two_jobs_of_an_account() {
    const WAIT: Duration = Duration::from_secs(5);
    for _ in 0..50 {
        let queue = queue();
        let about_to_wait = Barrier::new(3);
        let worker = || {
            about_to_wait.wait();
            let began = Instant::now();
            // A worker that is not woken finds the job when its wait is over.
            let found = matches!(queue.pop(Some(WAIT)), Next::Job(..));
            found && began.elapsed() < WAIT
        };
        thread::scope(|scope| {
            let workers = [scope.spawn(worker), scope.spawn(worker)];
            about_to_wait.wait();
            thread::yield_now();
            let mut turns = queue.lock();
            for job in ["a1", "a2"] {
                turns.push(job, Some(1), &queue.limits).unwrap();
            }
            drop(turns);
            queue.ready.notify_one();
            assert!(workers.map(|worker| worker.join().unwrap()) == [true, true]);
        });
    }
}
