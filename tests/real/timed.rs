//! Who gives up waiting for objects of libraries, for real: laws and orders.

use std::collections::BTreeMap;

use sim_core::time::Span;
use sim_core::timeline::{Cause, Fate, How, Timeline};
use sim_real::{Measurement, Options, measure};

use crate::support::scenario;

/// How long everybody waits.
const WITHIN: Span = Span::from_ms(5);

fn run(toml: &str) -> Measurement {
    let measured = measure(&scenario(toml), &Options::default()).expect("it can be measured");
    assert_eq!(measured.recorded.end, sim_real::End::Completed, "{:?}", measured.explanation);
    measured
}

/// How many of each task went without, having waited for long enough, and never holding what they went without.
fn went_without(timeline: &Timeline) -> BTreeMap<String, usize> {
    let mut went = BTreeMap::new();
    for leave in timeline.leaves.iter().filter(|leave| leave.how == How::GaveUp) {
        let name = timeline.short_name(leave.task);
        assert!(leave.at.since(leave.asked) >= WITHIN, "{name} gives up after {}", leave.at.since(leave.asked));
        if let Cause::Sync(sync) = leave.cause {
            let has = timeline.holds.iter().any(|hold| (hold.sync, hold.task) == (sync, leave.task));
            assert!(!has || timeline.cast.syncs[sync].name == "cv", "{name} has what it gave up");
        }
        *went.entry(name.split('#').next().unwrap_or_default().to_owned()).or_default() += 1;
    }
    went
}

fn expected(names: &[(&str, usize)]) -> BTreeMap<String, usize> {
    names.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect()
}

/// One holds a lock for half a second: who wants it meanwhile leaves, and who wants it afterwards has it.
#[test]
fn locks_of_parking_lot_are_given_up() {
    let measured = run("
        executor = 'threads'
        machine = { processors = 2 }
        lock = [{ name = 'm', kind = 'parking-lot' }]
        rwlock = [{ name = 'rw', kind = 'parking-lot' }]
        [[task]]
        name = 'holder'
        program = [{ lock = 'm' }, { write = 'rw' }, { sleep = '500ms' }, { unlock = 'rw' }, { unlock = 'm' }]
        [[task]]
        name = 'lock'
        count = 3
        arrival = '100ms'
        program = [{ with = 'm', within = '5ms', do = [{ cpu = '50us' }], else = ['end'] }]
        [[task]]
        name = 'read'
        arrival = '100ms'
        program = [{ read = 'rw', within = '5ms', else = ['end'] }, { unlock = 'rw' }]
        [[task]]
        name = 'write'
        arrival = '100ms'
        program = [{ write = 'rw', within = '5ms', else = ['end'] }, { unlock = 'rw' }]
        [[task]]
        name = 'later'
        after = ['holder']
        program = [{ with = 'm', within = '5ms', do = [{ write = 'rw', within = '5ms', do = [{ cpu = '50us' }] }] }]");
    let timeline = &measured.timeline;
    assert_eq!(went_without(timeline), expected(&[("lock", 3), ("read", 1), ("write", 1)]));
    let ended = timeline.tasks.iter().filter(|life| life.fate == Fate::Ended).count();
    assert_eq!((ended, timeline.holds.len()), (5, 4));
}

/// The first waits until it gives up, then the second until it is notified: each has the lock back when it goes on.
#[test]
fn waits_at_condition_variables_are_given_up() {
    for kind in ["std", "parking-lot"] {
        let measured = run(&format!(
            "executor = 'threads'
             machine = {{ processors = 2 }}
             lock = [{{ name = 'm', kind = '{kind}' }}]
             condvar = [{{ name = 'cv', kind = '{kind}' }}]
             [[variable]]
             name = 'lost'
             [[task]]
             name = 'first'
             program = [{{ with = 'm', do = [{{ wait = 'cv', with = 'm', within = '5ms', else = [{{ add = 'lost', by = 1 }}] }}, {{ cpu = '50us' }}] }}]
             [[task]]
             name = 'second'
             after = ['first']
             program = [{{ with = 'm', do = [{{ wait = 'cv', with = 'm', within = '30s', else = [{{ add = 'lost', by = 9 }}] }}, {{ cpu = '50us' }}] }}]
             [[task]]
             name = 'notifier'
             after = ['first']
             program = [{{ sleep = '2s' }}, {{ with = 'm', do = [{{ notify = 'cv' }}] }}]"
        ));
        let timeline = &measured.timeline;
        assert_eq!(went_without(timeline), expected(&[("first", 1)]), "{kind}");
        let of_first = timeline.holds.iter().filter(|hold| timeline.short_name(hold.task).starts_with("first"));
        assert_eq!(of_first.count(), 2, "{kind}: before the wait, and after it");
        assert_eq!(timeline.accesses.len(), 1, "{kind}: only the first does what it does instead");
    }
}

/// Nobody receives, and nobody sends: both leave, and what is there is had.
#[test]
fn messages_are_given_up() {
    for (kind, sends) in [("crossbeam", true), ("flume", true), ("std", false)] {
        let full = "[[task]]
            name = 'send'
            program = [{ send = 'full' }, { send = 'full', within = '5ms', else = ['end'] }, { send = 'full' }]";
        let measured = run(&format!(
            "executor = 'threads'
             machine = {{ processors = 2 }}
             channel = [{{ name = 'full', capacity = 1, kind = '{kind}' }}, {{ name = 'empty', capacity = 1, kind = '{kind}' }}]
             [[task]]
             name = 'recv'
             program = [{{ recv = 'empty', within = '5ms' }}, {{ send = 'empty', within = '0ms' }}, {{ recv = 'empty', within = '5ms' }}]
             {}",
            if sends { full } else { "" }
        ));
        let all: &[(&str, usize)] = if sends { &[("recv", 1), ("send", 1)] } else { &[("recv", 1)] };
        assert_eq!(went_without(&measured.timeline), expected(all), "{kind}");
    }
}

/// Locks of std can be tried, and no more; who has come to a barrier stays.
#[test]
fn what_a_library_does_not_have_is_refused_by_name() {
    let program = |object: &str, op: &str| format!("{object}\n[[task]]\nname = 'a'\nprogram = [{{ {op} }}]");
    let refused = |object: &str, op: &str| {
        measure(&scenario(&program(object, op)), &Options::default()).expect_err("refused").to_string()
    };
    let lock = "lock = [{ name = 'm', kind = 'std' }]";
    let told = refused(lock, "with = 'm', within = '1ms', do = []");
    assert!(told.contains("the lock `m` of the kind `std`, a std::sync::Mutex: it can be tried"), "{told}");
    run(&program(lock, "with = 'm', within = '0ms', do = []"));
    let channel = "channel = [{ name = 'c', capacity = 1, kind = 'std' }]";
    let told = refused(channel, "send = 'c', within = '1ms'");
    assert!(told.contains("a std::sync::mpsc::sync_channel: it can be tried"), "{told}");
    let told = refused("barrier = [{ name = 'b', parties = 1, kind = 'std' }]", "barrier = 'b', within = '0ms'");
    assert!(told.contains("a std::sync::Barrier: it has to be waited for as long as it takes"), "{told}");
    let told = refused(
        "executor = 'async'\nbarrier = [{ name = 'b', parties = 1, kind = 'tokio' }]",
        "barrier = 'b', within = '1ms'",
    );
    assert!(told.contains("a tokio::sync::Barrier: who has come to it has come"), "{told}");
}
