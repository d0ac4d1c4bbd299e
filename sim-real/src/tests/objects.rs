//! Everything tasks synchronise with, under every executor: the laws hold, and the same things happen as in a simulation.

use sim_core::engine;
use sim_core::metrics::{Metrics, SyncSums};
use sim_core::time::Span;
use sim_core::timeline::check::Tolerance;

use super::{EXECUTORS, assert_complete, finish, first_run, run, scenario, skip};
use crate::End;

/// Two tasks that can be at it at the same time, and what they share.
pub(super) const SCENES: &[(&str, &str)] = &[
    (
        "rwlock",
        "[[rwlock]]\n name = 'm'\n [[TASK]]\n name = 'writer'\n count = 2\n
         program = [{ repeat = 3, do = [{ write = 'm' }, { cpu = '100us' }, { sleep = '200us' }, { unlock = 'm' }] }]\n
         [[TASK]]\n name = 'reader'\n count = 2\n
         program = [{ repeat = 3, do = [{ read = 'm' }, { cpu = '100us' }, { sleep = '200us' }, { unlock = 'm' }] }]",
    ),
    (
        "semaphore",
        "[[semaphore]]\n name = 's'\n permits = 2\n [[TASK]]\n name = 'a'\n count = 4\n
         program = [{ repeat = 3, do = [{ acquire = 's' }, { cpu = '100us' }, { sleep = '300us' }, { release = 's' }] }]",
    ),
    (
        "added permits",
        "[[semaphore]]\n name = 's'\n permits = 0\n [[TASK]]\n name = 'gives'\n
         program = [{ repeat = 4, do = [{ cpu = '100us' }, { release = 's' }, 'yield'] }]\n
         [[TASK]]\n name = 'uses'\n program = [{ repeat = 4, do = [{ acquire = 's' }, { cpu = '100us' }] }]",
    ),
    (
        "spinning",
        "[[lock]]\n name = 'm'\n spin = '300us'\n [[TASK]]\n name = 'a'\n count = 3\n
         program = [{ repeat = 3, do = [{ with = 'm', do = [{ cpu = '100us' }, { sleep = '200us' }] }, { cpu = '50us' }] }]",
    ),
    (
        "channel",
        "[[channel]]\n name = 'c'\n capacity = CAPACITY\n [[TASK]]\n name = 'producer'\n
         program = [{ repeat = 6, do = [{ cpu = '50us' }, { send = 'c' }] }]\n
         [[TASK]]\n name = 'consumer'\n program = [{ repeat = 6, do = [{ recv = 'c' }, { cpu = '100us' }] }]",
    ),
    (
        "barrier",
        "[[barrier]]\n name = 'b'\n parties = 2\n [[TASK]]\n name = 'a'\n count = 2\n
         program = [{ repeat = 3, do = [{ cpu = '100us' }, { barrier = 'b' }] }]",
    ),
    (
        "condition variable",
        "[[lock]]\n name = 'm'\n [[condvar]]\n name = 'cv'\n [[semaphore]]\n name = 'listens'\n permits = 0\n
         [[TASK]]\n name = 'waiter'\n program = [{ repeat = 3, do = [{ lock = 'm' }, { release = 'listens' },
                    { wait = 'cv', with = 'm' }, { cpu = '100us' }, { unlock = 'm' }] }]\n
         [[TASK]]\n name = 'notifier'\n program = [{ repeat = 3, do = [{ acquire = 'listens' }, { lock = 'm' },
                    { notify-all = 'cv' }, { cpu = '100us' }, { unlock = 'm' }] }]",
    ),
];

/// What one thread can do alone, where who waits for another task waits forever.
pub(super) const ALONE: [&str; 4] = ["rwlock", "semaphore", "added permits", "spinning"];

/// What does not depend on who came when.
fn counts(sums: &SyncSums) -> [u64; 8] {
    let SyncSums { acquisitions, shared, sent, received, added, notifications, lost, arrivals, .. } = *sums;
    [acquisitions, shared, sent, received, added, notifications, lost, arrivals]
}

#[test]
fn every_object_under_every_executor_sees_what_it_sees_in_a_simulation() {
    for executor in EXECUTORS {
        for (name, scene) in SCENES {
            let capacities: &[u32] = match *name {
                "channel" if executor == "'sequential'" => &[6],
                "channel" => &[0, 1, 6],
                name if executor == "'sequential'" && !ALONE.contains(&name) => continue,
                _ => &[0],
            };
            for capacity in capacities {
                let process = format!("[[process]]\n name = 'p'\n executor = {executor}\n [[TASK]]");
                let scene = scene.replace("CAPACITY", &capacity.to_string()).replacen("[[TASK]]", &process, 1);
                sees_what_it_sees_in_a_simulation(&scene.replace("TASK", "process.task"));
            }
        }
    }
}

pub(super) fn sees_what_it_sees_in_a_simulation(text: &str) {
    let measured = run(text);
    assert_eq!(measured.recorded.end, End::Completed, "{text}\n{:#?}", measured.recorded);
    let mut simulated = Metrics::default();
    engine::simulate(&scenario(text), &mut simulated);
    let of = |metrics: &Metrics| metrics.syncs.iter().map(counts).collect::<Vec<_>>();
    assert_eq!(of(&simulated), of(&Metrics::of(&measured.timeline)), "{text}");
}

#[test]
fn the_horizon_may_cut_anything_off() {
    for executor in EXECUTORS {
        let text = format!(
            "until = '7ms'\n [[channel]]\n name = 'c'\n capacity = 0\n [[lock]]\n name = 'm'\n spin = '100us'\n
             [[condvar]]\n name = 'cv'\n [[process]]\n name = 'p'\n executor = {executor}\n
             [[process.task]]\n name = 'a'\n program = [{{ repeat = 'forever', do = [{{ cpu = '20us' }}, {{ send = 'c' }}] }}]\n
             [[process.task]]\n name = 'b'\n program = [{{ repeat = 'forever', do = [{{ recv = 'c' }}, {{ with = 'm', do = ['yield'] }}] }}]\n
             [[process.task]]\n name = 'c'\n
             program = [{{ repeat = 'forever', do = [{{ lock = 'm' }}, {{ wait = 'cv', with = 'm' }}, {{ unlock = 'm' }}] }}]\n
             [[process.task]]\n name = 'd'\n program = [{{ repeat = 'forever', do = [{{ sleep = '50us' }}, {{ notify = 'cv' }}] }}]"
        );
        // Who keeps the only thread keeps it for ever.
        let stops = engine::simulate(&scenario(&text), &mut ()).end == engine::End::Deadlock;
        assert_eq!(stops, executor == "'sequential'", "{executor}");
        let end = if stops { End::Deadlock } else { End::Horizon };
        assert_eq!(run(&text).recorded.end, end, "{executor}");
    }
}

#[test]
fn executors_share_all_kinds_of_objects() {
    let mut text = String::from(
        "[[channel]]\n name = 'c'\n capacity = 1\n [[barrier]]\n name = 'b'\n parties = 8\n [[semaphore]]\n name = 's'\n permits = 2\n",
    );
    // As many who send first as receive first.
    let all = EXECUTORS.iter().filter(|executor| **executor != "'sequential'").chain(&["'threads'"]);
    for (index, executor) in all.enumerate() {
        let [first, second] = if index % 2 == 0 { ["send", "recv"] } else { ["recv", "send"] };
        text += &format!(
            "[[process]]\n name = 'p{index}'\n executor = {executor}\n [[process.task]]\n name = 'a'\n
             program = [{{ barrier = 'b' }}, {{ repeat = 4, do = [{{ cpu = '100us' }}, {{ {first} = 'c' }}] }}, {{ barrier = 'b' }},
                        {{ acquire = 's' }}, {{ sleep = '500us' }}, {{ release = 's' }}, {{ {second} = 'c' }}]\n"
        );
    }
    let measured = run(&text);
    assert_complete(&measured, Span::from_us(3200));
    let metrics = Metrics::of(&measured.timeline);
    let counts: Vec<_> = metrics.syncs.iter().map(|sums| sums.sent + sums.arrivals + sums.acquisitions).collect();
    assert_eq!(counts.iter().sum::<u64>(), 20 + 16 + 8, "{counts:?}");
}

#[test]
fn who_waits_for_the_last_party_waits_until_the_run_is_given_up() {
    for executor in ["'threads'", "'async'", "'processes'"] {
        let measured = run(&format!(
            "[[barrier]]\n name = 'b'\n parties = 3\n [[process]]\n name = 'p'\n executor = {executor}\n
             [[process.task]]\n name = 'a'\n count = 2\n program = [{{ cpu = '100us' }}, {{ barrier = 'b' }}]"
        ));
        assert_eq!(measured.recorded.end, End::Deadlock, "{executor}");
        assert_eq!(Metrics::of(&measured.timeline).syncs.iter().map(|sums| sums.arrivals).sum::<u64>(), 2);
    }
}

#[test]
fn a_spinner_stays_on_its_processor() {
    if crate::sys::affinity().is_ok_and(|cpus| cpus.len() < 2) {
        return skip("there is one processor only");
    }
    let measured = run("[machine]\n processors = 2\n [[lock]]\n name = 'm'\n spin = '500ms'\n
         [[task]]\n name = 'holds'\n program = [{ with = 'm', do = [{ cpu = '3ms' }] }]\n
         [[task]]\n name = 'spins'\n arrival = '1ms'\n program = [{ with = 'm', do = [{ cpu = '1ms' }] }]");
    assert_eq!(measured.recorded.end, End::Completed);
    let timeline = &measured.timeline;
    assert!(timeline.spins.iter().all(|spin| spin.got && !spin.work.is_zero()), "{:?}", timeline.spins);
    assert!(timeline.blocks.is_empty(), "{:?}", timeline.blocks);
    assert_eq!(timeline.holds.len(), 2);
}

#[test]
fn who_holds_a_lock_is_lent_a_priority_and_nobody_in_the_middle_gets_ahead() {
    for (executor, protocol) in [("threads", "inherit"), ("threads", "ceiling"), ("processes", "inherit")] {
        let measured = run(&format!(
            "executor = '{executor}'\n [scheduler]\n policy = 'priority'\n [[lock]]\n name = 'm'\n protocol = '{protocol}'\n
             [[task]]\n name = 'low'\n priority = 1\n program = [{{ with = 'm', do = [{{ cpu = '20ms' }}] }}, {{ cpu = '20ms' }}]\n
             [[task]]\n name = 'middle'\n priority = 2\n arrival = '8ms'\n program = [{{ cpu = '20ms' }}]\n
             [[task]]\n name = 'high'\n priority = 3\n arrival = '4ms'\n program = [{{ with = 'm', do = [{{ cpu = '2ms' }}] }}]"
        ));
        assert_eq!(measured.recorded.end, End::Completed);
        let warned = measured.recorded.warnings.iter().any(|warning| warning.contains("without their protocol"));
        if measured.recorded.policy != "SCHED_FIFO" {
            assert!(warned, "{:#?}", measured.recorded);
            return skip(&measured.recorded.policy);
        }
        assert!(!warned, "{:#?}", measured.recorded);
        let timeline = &measured.timeline;
        let ends = ["high", "middle", "low"].map(|name| finish(timeline, name));
        assert!(first_run(timeline, "middle") >= ends[0], "{executor}, {protocol}: {ends:?}");
        assert!(ends.is_sorted(), "{executor}, {protocol}: who lent it has it back: {ends:?}");
    }
}

#[test]
fn where_no_priority_can_be_lent_that_is_said() {
    let lock = "[[lock]]\n name = 'm'\n protocol = 'inherit'\n
         [[task]]\n name = 'a'\n count = 2\n program = [{ with = 'm', do = [{ cpu = '100us' }] }]";
    for head in ["", "executor = 'async'\n [scheduler]\n policy = 'priority'\n"] {
        let measured = run(&format!("{head} {lock}"));
        let warned = measured.recorded.warnings.iter().filter(|warning| warning.contains("without the"));
        assert_eq!(warned.count(), 1, "{:#?}", measured.recorded);
    }
}

#[test]
fn whoever_notifies_by_hoares_rule_gets_the_lock_back_first() {
    for executor in EXECUTORS.iter().filter(|executor| **executor != "'sequential'") {
        let text = format!(
            "[[lock]]\n name = 'm'\n [[condvar]]\n name = 'cv'\n rule = 'hoare'\n [[variable]]\n name = 'items'\n
             [[process]]\n name = 'p'\n executor = {executor}\n
             [[process.task]]\n name = 'takes'\n program = [{{ repeat = 5, do = [{{ lock = 'm' }},
                {{ if = 'items == 0', do = [{{ wait = 'cv', with = 'm' }}] }}, {{ add = 'items', by = -1 }},
                {{ cpu = '200us' }}, {{ unlock = 'm' }}] }}]\n
             [[process.task]]\n name = 'brings'\n program = [{{ repeat = 5, do = [{{ cpu = '300us' }}, {{ lock = 'm' }},
                {{ add = 'items', by = 1 }}, {{ notify = 'cv' }}, {{ cpu = '50us' }}, {{ unlock = 'm' }}] }}]"
        );
        let measured = run(&text);
        assert_eq!(measured.recorded.end, End::Completed, "{executor}: {:#?}", measured.recorded);
        let scenario = scenario(&text);
        measured.timeline.check_demand(&scenario, Tolerance::within(Span::from_ms(100))).expect("what is seen is so");
        let metrics = Metrics::of(&measured.timeline);
        assert_eq!(metrics.variables.iter().next().map(|variable| variable.value), Some(0), "{executor}");
        let findings = sim_core::findings::of_timeline(&scenario, &measured.timeline);
        assert!(findings.iter().all(|finding| finding.kind != "stolen-wakeup"), "{executor}: {findings:?}");
    }
}

#[test]
fn variables_are_the_same_for_all_whoever_changes_them() {
    for executor in EXECUTORS.iter().filter(|executor| **executor != "'sequential'") {
        let text = format!(
            "[[lock]]\n name = 'm'\n [[condvar]]\n name = 'room'\n [[condvar]]\n name = 'news'\n [[variable]]\n name = 'items'\n
             [[variable]]\n name = 'all'\n [[process]]\n name = 'p'\n executor = {executor}\n
             [[process.task]]\n name = 'producer'\n program = [{{ every = '1ms', times = 8, do = [{{ lock = 'm' }},
                {{ while = 'items == 2', do = [{{ wait = 'room', with = 'm' }}] }}, {{ add = 'items', by = 1 }},
                {{ notify = 'news' }}, {{ unlock = 'm' }}] }}]\n
             [[process.task]]\n name = 'consumer'\n count = 2\n program = [{{ repeat = 4, do = [{{ lock = 'm' }},
                {{ while = 'items == 0', do = [{{ wait = 'news', with = 'm' }}] }}, {{ add = 'items', by = -1 }},
                {{ notify = 'room' }}, {{ unlock = 'm' }}, {{ cpu = '300us' }}, {{ add = 'all', by = 1 }}] }}]"
        );
        let measured = run(&text);
        assert_eq!(measured.recorded.end, End::Completed, "{executor}: {:#?}", measured.recorded);
        measured
            .timeline
            .check_demand(&scenario(&text), Tolerance::within(Span::from_ms(100)))
            .expect("all see the same");
        let metrics = Metrics::of(&measured.timeline);
        let values: Vec<_> = metrics.variables.iter().map(|variable| (variable.value, variable.changes)).collect();
        assert_eq!(values, [(0, 16), (8, 8)], "{executor}");
    }
}
