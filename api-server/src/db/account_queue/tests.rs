use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use super::state::RESERVED_FOR_SERVER;
use super::{
    AccountQueue, JobAccount, NextJob, QueueFull, QueueLimits, WaitingJobLimits, account_key,
    network_key, wake,
};

fn queue() -> AccountQueue<&'static str> {
    AccountQueue::new(QueueLimits {
        waiting: WaitingJobLimits::new(6, 3),
        running_per_account: 2,
        running_per_network: 2,
    })
}

fn pop_all(queue: &AccountQueue<&'static str>) -> Vec<&'static str> {
    std::iter::from_fn(|| queue.try_pop())
        .map(|(job, _)| job)
        .collect()
}

/// Takes the next job, which must have an account, and returns the account.
fn pop_account(queue: &AccountQueue<&'static str>) -> JobAccount {
    queue.try_pop().unwrap().1.unwrap()
}

#[test]
fn jobs_of_different_accounts_alternate() {
    let queue = queue();
    for (job, account) in [("a1", 1), ("a2", 1), ("b1", 2), ("b2", 2), ("c1", 3)] {
        queue.push(job, Some(account)).unwrap();
    }
    queue.push("none", None).unwrap();
    assert_eq!(pop_all(&queue), ["a1", "b1", "c1", "none", "a2", "b2"]);
}

#[test]
fn an_account_runs_no_more_jobs_at_a_time_than_the_limit() {
    let queue = queue();
    for job in ["a1", "a2", "a3"] {
        queue.push(job, Some(1)).unwrap();
    }
    let running_job = pop_account(&queue);
    assert_eq!(pop_all(&queue), ["a2"]);
    queue.push("b1", Some(2)).unwrap();
    assert_eq!(pop_all(&queue), ["b1"]);
    queue.finish(&running_job);
    assert_eq!(pop_all(&queue), ["a3"]);
}

#[test]
fn a_network_may_run_more_jobs_at_a_time_than_an_account() {
    let queue = AccountQueue::new(QueueLimits {
        waiting: WaitingJobLimits::new(8, 4),
        running_per_account: 1,
        running_per_network: 3,
    });
    for job in 0..4 {
        queue.push(job, Some(account_key(7))).unwrap();
        queue.push(10 + job, Some(network_key(7))).unwrap();
    }
    let jobs: Vec<_> = std::iter::from_fn(|| queue.try_pop())
        .map(|(job, _)| job)
        .collect();
    assert_eq!(jobs, [0, 10, 11, 12]);
}

#[test]
fn waiting_jobs_are_limited_per_account_and_in_total() {
    let queue = queue();
    for job in ["a1", "a2", "a3"] {
        queue.push(job, Some(1)).unwrap();
    }
    assert_eq!(queue.push("a4", Some(1)).err(), Some(QueueFull::Account));
    for job in ["b1", "b2"] {
        queue.push(job, Some(2)).unwrap();
    }
    queue.push("c1", Some(3)).unwrap();
    assert_eq!(queue.push("d1", Some(4)).err(), Some(QueueFull::Queue));
    assert!(queue.try_pop().is_some());
    queue.push("d1", Some(4)).unwrap();
}

#[test]
fn jobs_of_the_server_wait_even_if_requests_fill_the_queue() {
    let queue = queue();
    for account in 0..6 {
        queue.push("request", Some(account)).unwrap();
    }
    for _ in 0..RESERVED_FOR_SERVER {
        queue.push("none", None).unwrap();
    }
    assert_eq!(queue.push("none", None).err(), Some(QueueFull::Queue));
    assert_eq!(queue.push("a", Some(7)).err(), Some(QueueFull::Queue));
}

#[test]
fn an_account_without_jobs_is_removed() {
    let queue = queue();
    queue.push("a1", Some(1)).unwrap();
    queue.finish(&pop_account(&queue));
    assert!(queue.lock().accounts.is_empty());
}

#[test]
fn the_counter_increases_when_another_job_of_the_account_is_served() {
    let queue = queue();
    queue.push("a1", Some(1)).unwrap();
    queue.push("a2", Some(1)).unwrap();
    let counter = queue.push("a3", Some(1)).unwrap().unwrap();
    let [failed_job, served_job] = [(); 2].map(|()| pop_account(&queue));
    queue.finish(&failed_job);
    assert!(!counter.has_increased());
    served_job.count_served_job();
    queue.finish(&served_job);
    assert!(counter.has_increased());
    // The counter keeps its count after the account is removed from the queue.
    queue.finish(&pop_account(&queue));
    assert!(queue.lock().accounts.is_empty());
    assert!(counter.has_increased());
    let later_counter = queue.push("a4", Some(1)).unwrap().unwrap();
    assert!(!later_counter.has_increased());
}

#[test]
fn a_job_that_ends_after_its_caller_got_the_result_is_not_counted_again() {
    let queue = queue();
    queue.push("a1", Some(1)).unwrap();
    let served_job = pop_account(&queue);
    served_job.count_served_job();
    // The caller of the job already has the result, and queues another job.
    let counter = queue.push("a2", Some(1)).unwrap().unwrap();
    queue.finish(&served_job);
    assert!(!counter.has_increased());
}

#[test]
fn a_closed_queue_returns_its_waiting_jobs_first() {
    let queue = queue();
    assert!(matches!(
        queue.pop(None, Some(Duration::ZERO)),
        NextJob::Idle
    ));
    queue.push("a1", Some(1)).unwrap();
    queue.close();
    assert!(matches!(queue.pop(None, None), NextJob::Job("a1", Some(_))));
    assert!(matches!(queue.pop(None, None), NextJob::Closed));
}

#[test]
fn one_wake_up_is_enough_for_two_jobs_of_an_account() {
    const WAIT: Duration = Duration::from_secs(5);
    for _ in 0..50 {
        let queue = queue();
        let start = Barrier::new(3);
        let worker = || {
            start.wait();
            let started = Instant::now();
            // A worker that is not woken receives the job only at the end of `WAIT`.
            let has_job = matches!(queue.pop(None, Some(WAIT)), NextJob::Job(..));
            has_job && started.elapsed() < WAIT
        };
        thread::scope(|scope| {
            let workers = [scope.spawn(worker), scope.spawn(worker)];
            start.wait();
            thread::yield_now();
            let mut state = queue.lock();
            for job in ["a1", "a2"] {
                state.push(job, Some(1), &queue.limits).unwrap();
            }
            let woken_worker = state.sleeping_workers.pop();
            drop(state);
            wake(woken_worker);
            assert!(workers.map(|worker| worker.join().unwrap()) == [true, true]);
        });
    }
}

#[test]
fn a_sleeping_worker_is_woken_for_a_job_and_for_the_next_job_of_the_same_account() {
    let queue = queue();
    thread::scope(|scope| {
        let workers: Vec<_> = (0..2)
            .map(|_| scope.spawn(|| matches!(queue.pop(None, None), NextJob::Job(..))))
            .collect();
        while queue.lock().sleeping_workers.len() < 2 {
            thread::yield_now();
        }
        queue.push("first", Some(1)).unwrap();
        queue.push("second", Some(1)).unwrap();
        for worker in workers {
            assert!(worker.join().unwrap());
        }
    });
}

#[test]
fn the_worker_that_fell_asleep_last_is_woken_first() {
    let queue = queue();
    thread::scope(|scope| {
        let worker = || match queue.pop(None, None) {
            NextJob::Job(job, _) => job,
            _ => "no job",
        };
        let first = scope.spawn(worker);
        while queue.lock().sleeping_workers.is_empty() {
            thread::yield_now();
        }
        let last = scope.spawn(worker);
        while queue.lock().sleeping_workers.len() < 2 {
            thread::yield_now();
        }
        queue.push("a1", Some(1)).unwrap();
        assert_eq!(last.join().unwrap(), "a1");
        assert_eq!(queue.lock().sleeping_workers.len(), 1);
        queue.close();
        assert_eq!(first.join().unwrap(), "no job");
    });
}

#[test]
fn a_worker_whose_time_is_over_no_longer_sleeps() {
    let queue = queue();
    assert!(matches!(
        queue.pop(None, Some(Duration::from_millis(1))),
        NextJob::Idle
    ));
    assert!(queue.lock().sleeping_workers.is_empty());
}
