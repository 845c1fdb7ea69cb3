//! Outlets with real spools, and with receivers and clocks that the tests control.

use super::*;
use crate::engine::indicator::Timestamp;
use crate::sensor::deliver::{
    Class, Clock, Deliver, DeliveryError, Outcome, Pace, Timeouts, Verdict,
};
use crate::sensor::halt::{Halt, Stopper};
use crate::sensor::spool::{Limits, Record, RecordRef, Sink, Spool, Stored};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tempfile::TempDir;

/// A clock that only advances where the test says so.
#[derive(Debug, Default)]
struct HandClock(Mutex<Duration>);

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.uptime().as_micros() as i64)
    }

    fn uptime(&self) -> Duration {
        *self.0.lock().unwrap()
    }

    fn wait(&self, time: Duration, _: &Halt) {
        *self.0.lock().unwrap() += time;
    }
}

type Judge = Box<dyn FnMut(&[u8]) -> Outcome + Send>;

/// Stores what it was sent, and answers as scripted; without a script, it accepts everything.
#[derive(Clone, Default)]
struct Double {
    sent: Arc<Mutex<Vec<Vec<u8>>>>,
    scripts: Arc<Mutex<VecDeque<Judge>>>,
    renewed: Arc<Mutex<usize>>,
}

impl Deliver for Double {
    fn deliver(&mut self, batch: &[RecordRef<'_>]) -> Outcome {
        let ids: Vec<u8> = batch.iter().map(|record| record.id[15]).collect();
        self.sent.lock().unwrap().push(ids.clone());
        let judge = self.scripts.lock().unwrap().pop_front();
        judge.map_or_else(|| Outcome::delivered(batch.len()), |mut judge| judge(&ids))
    }

    fn renew(&mut self) {
        *self.renewed.lock().unwrap() += 1;
    }
}

struct Bench {
    folder: TempDir,
    spool: Spool,
    clock: Arc<HandClock>,
    double: Double,
    outlet: Outlet,
    stopper: Option<Stopper>,
}

impl Bench {
    fn new(change: impl FnOnce(&mut Settings)) -> Bench {
        let folder = tempfile::tempdir().unwrap();
        let sinks = [("s".to_string(), Sink::default())];
        let spool_folder = folder.path().join("spool");
        let (spool, _) = Spool::open(&spool_folder, Limits::default(), sinks).unwrap();
        let clock = Arc::new(HandClock::default());
        let (halt, stopper) = Halt::new().unwrap();
        let mut settings = Settings::new("s", folder.path());
        settings.retry = Retry::new(Box::new(|max| max));
        change(&mut settings);
        let double = Double::default();
        let pace = Pace::new(clock.clone(), halt, Timeouts::default());
        let outlet = Outlet::new(settings, spool.clone(), Box::new(double.clone()), pace);
        Bench { folder, spool, clock, double, outlet, stopper: Some(stopper) }
    }

    fn append(&self, numbers: impl IntoIterator<Item = u8>) {
        for number in numbers {
            let id = u128::from(number).to_be_bytes();
            let severity = number % 4 + 1;
            let record = Record::new(id, severity, Timestamp(0), b"{\"severity\":1}");
            assert_eq!(self.spool.append(&record, self.clock.now(), true).unwrap(), Stored::Yes);
        }
    }

    fn script(&self, judge: impl FnMut(&[u8]) -> Outcome + Send + 'static) {
        self.double.scripts.lock().unwrap().push_back(Box::new(judge));
    }

    /// Runs steps until there is nothing to do now; returns the last one.
    fn settle(&mut self) -> Step {
        for _ in 0..1000 {
            match self.outlet.step() {
                Step::Next => {}
                step => return step,
            }
        }
        panic!("it never becomes idle");
    }

    fn pass(&self, seconds: f64) {
        *self.clock.0.lock().unwrap() += Duration::from_secs_f64(seconds);
    }

    fn sent(&self) -> Vec<Vec<u8>> {
        std::mem::take(&mut *self.double.sent.lock().unwrap())
    }

    fn snapshot(&self) -> Snapshot {
        self.outlet.counters().snapshot()
    }

    fn dead(&self) -> Vec<String> {
        let path = self.folder.path().join("dead-letter/s.ndjson");
        std::fs::read_to_string(path).unwrap_or_default().lines().map(String::from).collect()
    }
}

fn again(class: Class) -> impl FnMut(&[u8]) -> Outcome + Send {
    move |ids| Outcome::again(ids.len(), DeliveryError::new(class, "why"))
}

#[test]
fn a_batch_goes_when_it_is_full_or_old_enough() {
    let mut bench = Bench::new(|settings| settings.batching.max_records = 3);
    assert_eq!(bench.settle(), Step::Idle);
    bench.append([1, 2]);
    assert_eq!(bench.settle(), Step::Wait(Duration::from_millis(100)));
    bench.pass(0.95);
    assert_eq!(bench.settle(), Step::Wait(Duration::from_millis(50)));
    assert_eq!(bench.snapshot().waiting_since, None, "zero is the start of the clock");
    bench.append([3, 4]);
    assert!(matches!(bench.settle(), Step::Wait(_)));
    assert_eq!(bench.sent(), [[1, 2, 3]]);
    bench.pass(1.0);
    assert_eq!(bench.settle(), Step::Idle);
    assert_eq!(bench.sent(), [[4]]);
    assert_eq!(bench.spool.backlog("s").bytes, 0);
    let snapshot = bench.snapshot();
    assert_eq!((snapshot.records, snapshot.batches, snapshot.retries), (4, 2, 0));
    // Two waited 950 ms, one didn't wait, and one waited a second.
    assert_eq!(snapshot.latency, Duration::from_millis(2900));
    assert_eq!(snapshot.latencies.iter().sum::<u64>(), 4);
    assert_eq!(snapshot.latencies[6], 3);
}

#[test]
fn bytes_count_too() {
    let mut bench = Bench::new(|settings| settings.batching.max_bytes = 200);
    bench.append(0..20);
    bench.settle();
    bench.pass(1.0);
    bench.settle();
    let sent = bench.sent();
    assert!(sent.len() > 5 && sent.iter().all(|batch| batch.len() <= 4), "{sent:?}");
    assert_eq!(sent.concat(), (0..20).collect::<Vec<u8>>());
}

#[test]
fn what_is_not_wanted_moves_the_cursor_and_fills_no_batch() {
    let mut bench = Bench::new(|settings| {
        settings.batching.max_records = 5;
        settings.filter.severity = 4;
    });
    bench.append([0, 1, 2]);
    assert_eq!(bench.settle(), Step::Idle);
    assert_eq!(bench.spool.backlog("s").bytes, 0);
    bench.append(3..19);
    assert!(matches!(bench.settle(), Step::Wait(_)));
    bench.pass(1.0);
    bench.settle();
    assert_eq!(bench.sent(), [[3, 7, 11, 15]]);
    assert_eq!((bench.snapshot().records, bench.snapshot().filtered), (4, 15));
    assert_eq!(bench.spool.backlog("s").bytes, 0);
}

#[test]
fn tries_come_after_growing_pauses_and_new_records_wait_for_their_turn() {
    let mut bench = Bench::new(|settings| settings.batching.max_age = Duration::ZERO);
    for _ in 0..3 {
        bench.script(again(Class::Server));
    }
    bench.append([1, 2]);
    let mut pauses = Vec::new();
    while let Step::Wait(pause) = bench.settle() {
        pauses.push(pause.as_secs());
        assert_eq!(bench.snapshot().health, Health::Retrying);
        assert_eq!(bench.snapshot().trouble.as_deref(), Some("why"));
        bench.append([3]);
        bench.pass(pause.as_secs_f64() / 2.0);
        assert!(matches!(bench.settle(), Step::Wait(_)), "not too early");
        bench.pass(pause.as_secs_f64() / 2.0);
    }
    assert_eq!(pauses, [1, 2, 4]);
    assert_eq!(bench.sent(), [vec![1, 2], vec![1, 2], vec![1, 2], vec![1, 2], vec![3, 3, 3]]);
    let snapshot = bench.snapshot();
    assert_eq!((snapshot.retries, snapshot.health, snapshot.trouble), (3, Health::Good, None));
    let errors = snapshot.errors.iter().find(|(class, _)| *class == Class::Server);
    assert_eq!(errors, Some(&(Class::Server, 3)));
}

#[test]
fn only_what_did_not_arrive_is_sent_again_and_the_cursor_waits_for_all() {
    let mut bench = Bench::new(|settings| settings.batching.max_age = Duration::ZERO);
    bench.script(|ids| {
        let mut outcome = again(Class::Busy)(ids);
        outcome.verdicts[0] = Verdict::Delivered;
        outcome.verdicts[2] = Verdict::Refused { status: 400, reason: "bad".into() };
        outcome.error.as_mut().unwrap().after = Some(Duration::from_secs(42));
        outcome
    });
    bench.append([1, 2, 3, 4]);
    assert_eq!(
        bench.settle(),
        Step::Wait(Duration::from_secs(42)),
        "the receiver's Retry-After takes precedence"
    );
    let cursor = bench.spool.cursor("s");
    assert!(bench.spool.wait(cursor, Duration::ZERO), "the cursor is where it was");
    bench.pass(42.0);
    assert_eq!(bench.settle(), Step::Idle);
    assert_eq!(bench.sent(), [vec![1, 2, 3, 4], vec![2, 4]]);
    assert_eq!(bench.spool.backlog("s").bytes, 0);
    let dead = bench.dead();
    assert_eq!(dead.len(), 1);
    assert!(
        dead[0].contains(
            "\"status\":400,\"reason\":\"bad\",\"id\":\"00000000000000000000000000000003\""
        )
    );
    assert_eq!((bench.snapshot().records, bench.snapshot().dead), (3, 1));
}

#[test]
fn without_a_dead_letter_nothing_is_dropped() {
    let mut bench = Bench::new(|settings| settings.batching.max_age = Duration::ZERO);
    let place = bench.folder.path().join("dead-letter");
    std::fs::write(&place, "not a folder").unwrap();
    for _ in 0..2 {
        bench.script(|ids| Outcome::refused(ids.len(), 400, "bad"));
    }
    bench.append([1]);
    assert!(matches!(bench.settle(), Step::Wait(_)));
    let trouble = bench.snapshot().trouble.unwrap();
    assert!(trouble.starts_with("cannot write a dead letter:"), "{trouble}");
    std::fs::remove_file(&place).unwrap();
    bench.pass(10.0);
    assert_eq!(bench.settle(), Step::Idle);
    assert_eq!((bench.dead().len(), bench.snapshot().dead), (1, 1));
}

#[test]
fn a_denied_sink_holds_until_it_is_accepted_again() {
    let mut bench = Bench::new(|settings| settings.batching.max_age = Duration::ZERO);
    for _ in 0..2 {
        bench.script(again(Class::Denied));
    }
    bench.append([1]);
    assert_eq!(bench.settle(), Step::Wait(Duration::from_secs(60)));
    assert_eq!(bench.snapshot().health, Health::Held);
    bench.pass(60.0);
    assert_eq!(bench.settle(), Step::Wait(Duration::from_secs(120)));
    bench.outlet.renewal().store(true, std::sync::atomic::Ordering::Relaxed);
    assert_eq!(bench.settle(), Step::Idle);
    assert_eq!(*bench.double.renewed.lock().unwrap(), 1);
    assert_eq!(bench.snapshot().health, Health::Good);
}

#[test]
fn batches_keep_a_distance() {
    let mut bench = Bench::new(|settings| {
        settings.batching.max_records = 1;
        settings.batching.min_interval = Duration::from_secs(1);
    });
    bench.append([1, 2]);
    assert_eq!(bench.settle(), Step::Wait(Duration::from_secs(1)));
    assert_eq!(bench.sent(), [[1]]);
    bench.pass(1.0);
    bench.settle();
    assert_eq!(bench.sent(), [[2]]);
}

#[test]
fn a_halt_sends_what_is_there_at_once_and_tries_once() {
    let mut bench = Bench::new(|settings| settings.batching.max_age = Duration::from_secs(600));
    bench.append([1, 2]);
    assert!(matches!(bench.settle(), Step::Wait(_)));
    bench.append([3]);
    bench.stopper.take().unwrap().stop();
    assert_eq!(bench.settle(), Step::Done);
    assert_eq!(bench.sent(), [[1, 2, 3]]);
    assert_eq!(bench.spool.backlog("s").bytes, 0);

    let mut bench = Bench::new(|settings| settings.batching.max_age = Duration::ZERO);
    bench.script(again(Class::Connection));
    bench.script(again(Class::Connection));
    bench.append([1]);
    assert!(matches!(bench.settle(), Step::Wait(_)));
    bench.stopper.take().unwrap().stop();
    assert_eq!(bench.settle(), Step::Done);
    assert_eq!(bench.sent().len(), 2, "one more attempt, without a pause");
    assert!(bench.spool.backlog("s").bytes > 0, "it is kept for the next start");
}

#[test]
fn a_deliver_that_answers_too_little_loses_nothing() {
    let mut bench = Bench::new(|settings| settings.batching.max_age = Duration::ZERO);
    bench.script(|_| Outcome::delivered(1));
    bench.append([1, 2]);
    assert!(matches!(bench.settle(), Step::Wait(_)));
    bench.pass(1.0);
    bench.settle();
    assert_eq!(bench.sent(), [vec![1, 2], vec![2]]);
}

#[test]
fn a_cursor_that_the_spool_moved_is_followed() {
    let mut bench = Bench::new(|settings| settings.batching.max_age = Duration::ZERO);
    bench.script(again(Class::Connection));
    bench.append([1]);
    bench.settle();
    bench.append([2]);
    bench.spool.advance("s", bench.spool.end());
    bench.append([3]);
    bench.pass(1.0);
    bench.settle();
    assert_eq!(bench.sent(), [[1], [1], [3]]);
}

#[test]
fn a_thread_delivers_and_ends_with_the_halt() {
    let folder = tempfile::tempdir().unwrap();
    let sinks = [("s".to_string(), Sink::default())];
    let (spool, _) = Spool::open(folder.path(), Limits::default(), sinks).unwrap();
    let (halt, stopper) = Halt::new().unwrap();
    let system = Arc::new(crate::sensor::deliver::SystemClock::default());
    let pace = Pace::new(system, halt, Timeouts::default());
    let double = Double::default();
    let settings = Settings::new("s", folder.path());
    let outlet = Outlet::new(settings, spool.clone(), Box::new(double.clone()), pace);
    let running = Running::start(outlet).unwrap();
    for number in 0..100u8 {
        let record = Record::new(u128::from(number).to_be_bytes(), 1, Timestamp(0), b"{}");
        assert_eq!(spool.append(&record, Timestamp(0), true).unwrap(), Stored::Yes);
    }
    assert!(running.is_alive());
    running.renew();
    stopper.stop();
    let counters = running.counters().snapshot();
    assert!(counters.records <= 100);
    assert!(running.finish(Duration::from_secs(20)));
    assert_eq!(double.sent.lock().unwrap().concat(), (0..100).collect::<Vec<u8>>());
    assert_eq!(spool.backlog("s").bytes, 0);
}
