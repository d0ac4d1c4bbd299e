//! Objects that are not handed over as ours are: locks of libraries, and our own that barge. Each is held against its
//! simulated rule: by who is next, by how often, and by how many times in a row one has a lock.

use sim_core::engine;
use sim_core::timeline::{Deed, Timeline};

use super::objects::{ALONE, SCENES, sees_what_it_sees_in_a_simulation};
use super::{EXECUTORS, run, scenario, skip};
use crate::{End, Options, Realised, feasible};

/// Which libraries have what, by the names of the scenes.
const HAVE: &[(&str, &[&str])] = &[
    ("lock", &["std", "parking-lot", "tokio"]),
    ("rwlock", &["std", "parking-lot", "tokio"]),
    ("semaphore", &["tokio"]),
    ("added permits", &["tokio"]),
    ("channel", &["std", "crossbeam", "flume", "tokio"]),
    ("barrier", &["std", "tokio"]),
    ("condition variable", &["std", "parking-lot"]),
];

/// Who takes a lock again and again.
const LOCK: (&str, &str) = (
    "lock",
    "[[lock]]\n name = 'm'\n [[TASK]]\n name = 'a'\n count = 4\n
     program = [{ repeat = 5, do = [{ with = 'm', do = [{ cpu = '100us' }, { sleep = '200us' }] }, { cpu = '50us' }] }]",
);

/// Which objects of libraries each executor can use.
fn uses(executor: &str, scene: &str) -> Vec<&'static str> {
    let of_scene = HAVE.iter().filter(|(name, _)| *name == scene).flat_map(|(_, kinds)| *kinds).copied();
    let is_async = executor.contains("async") || executor.contains("work-stealing");
    of_scene.filter(|kind| executor != "'processes'" && (!is_async || *kind == "tokio")).collect()
}

/// The scene with all that a library can have of it.
fn of_library(scene: &str, kind: &str) -> String {
    let mut text = scene.to_owned();
    for word in ["lock", "rwlock", "channel", "barrier", "condvar"] {
        text = text.replace(&format!("[[{word}]]\n"), &format!("[[{word}]]\n kind = '{kind}'\n"));
    }
    if kind == "tokio" { text.replace("[[semaphore]]\n", "[[semaphore]]\n kind = 'tokio'\n") } else { text }
}

#[test]
fn every_object_of_a_library_sees_what_it_sees_in_a_simulation() {
    for executor in EXECUTORS {
        for (name, scene) in [LOCK].iter().chain(SCENES) {
            if executor == "'sequential'" && !ALONE.contains(name) {
                continue;
            }
            for kind in uses(executor, name) {
                let capacities: &[u32] = match *name {
                    "channel" if kind == "tokio" => &[1, 6, 100_000],
                    "channel" => &[0, 1, 6, 100_000],
                    _ => &[0],
                };
                for capacity in capacities {
                    let process = format!("[[process]]\n name = 'p'\n executor = {executor}\n [[TASK]]");
                    let scene = of_library(scene, kind).replace("CAPACITY", &capacity.to_string());
                    let text = scene.replacen("[[TASK]]", &process, 1).replace("TASK", "process.task");
                    sees_what_it_sees_in_a_simulation(&text);
                }
            }
        }
    }
}

#[test]
fn every_object_of_ours_may_barge_under_every_executor() {
    for executor in EXECUTORS.iter().filter(|executor| **executor != "'sequential'") {
        for (_, scene) in SCENES {
            let mut text = scene.replace("CAPACITY", "2");
            for word in ["lock", "rwlock", "semaphore", "channel", "condvar"] {
                let rule = "hand-over = 'barging'\n order = 'lifo'";
                text = text.replace(&format!("[[{word}]]\n"), &format!("[[{word}]]\n {rule}\n"));
            }
            let process = format!("[[process]]\n name = 'p'\n executor = {executor}\n [[TASK]]");
            text = text.replacen("[[TASK]]", &process, 1).replace("TASK", "process.task");
            sees_what_it_sees_in_a_simulation(&text);
            let yields = text.replace("name = 'm'\n spin", "name = 'm'\n yields = 2\n spin");
            sees_what_it_sees_in_a_simulation(&yields);
        }
    }
}

/// Who had the lock, one after the other.
fn holders(timeline: &Timeline) -> Vec<String> {
    let mut holds: Vec<_> = timeline.holds.iter().collect();
    holds.sort_by_key(|hold| (hold.start, hold.end));
    holds.iter().map(|hold| timeline.short_name(hold.task)).collect()
}

/// What four wait for that one gives: of which libraries, declared how, what they do, and what that one does.
const QUEUES: &[(&[&str], &str, &str, &str)] = &[
    (
        &["std", "parking-lot", "tokio"],
        "[[lock]]\n name = 'm'",
        "{ with = 'm', do = [{ cpu = '1ms' }] }",
        "{ with = 'm', do = [{ sleep = '60ms' }] }",
    ),
    (
        &["std", "parking-lot", "tokio"],
        "[[rwlock]]\n name = 'm'",
        "{ WHAT = 'm' }, { cpu = '1ms' }, { unlock = 'm' }",
        "{ write = 'm' }, { sleep = '60ms' }, { unlock = 'm' }",
    ),
    (
        &["std", "parking-lot", "tokio"],
        "[[rwlock]]\n name = 'm'",
        "{ WHAT = 'm' }, { cpu = '1ms' }, { unlock = 'm' }",
        "{ read = 'm' }, { sleep = '60ms' }, { unlock = 'm' }",
    ),
    (
        &["tokio"],
        "[[semaphore]]\n name = 's'\n permits = 0",
        "{ acquire = 's' }, { cpu = '1ms' }",
        "{ sleep = '60ms' }, { repeat = 4, do = [{ release = 's' }, { sleep = '5ms' }] }",
    ),
    (
        &["crossbeam", "flume"],
        "[[channel]]\n name = 'c'\n capacity = 1",
        "{ recv = 'c' }, { cpu = '1ms' }",
        "{ sleep = '60ms' }, { repeat = 4, do = [{ send = 'c' }, { sleep = '5ms' }] }",
    ),
    (
        &["std", "crossbeam", "flume"],
        "[[channel]]\n name = 'c'\n capacity = 0",
        "{ send = 'c' }, { cpu = '1ms' }",
        "{ sleep = '60ms' }, { repeat = 4, do = [{ recv = 'c' }, { sleep = '5ms' }] }",
    ),
    (
        &["std", "crossbeam", "flume", "tokio"],
        "[[channel]]\n name = 'c'\n capacity = 1",
        "{ send = 'c' }, { cpu = '1ms' }",
        "{ send = 'c' }, { sleep = '60ms' }, { repeat = 4, do = [{ recv = 'c' }, { sleep = '5ms' }] }",
    ),
    (
        &["std", "parking-lot"],
        "[[lock]]\n name = 'm'\n [[condvar]]\n name = 'v'",
        "{ lock = 'm' }, { wait = 'v', with = 'm' }, { unlock = 'm' }, { cpu = '1ms' }",
        "{ sleep = '60ms' }, { repeat = 4, do = [{ with = 'm', do = [{ notify = 'v' }] }, { sleep = '5ms' }] }",
    ),
    (
        &["std", "parking-lot"],
        "[[lock]]\n name = 'm'\n [[condvar]]\n name = 'v'",
        "{ lock = 'm' }, { wait = 'v', with = 'm' }, { cpu = '1ms' }, { unlock = 'm' }",
        "{ sleep = '60ms' }, { with = 'm', do = [{ notify-all = 'v' }] }",
    ),
    (
        // At one of tokio the order is left to chance.
        &["std"],
        "[[barrier]]\n name = 'b'\n parties = 5",
        "{ barrier = 'b' }, { cpu = '1ms' }",
        "{ sleep = '60ms' }, { barrier = 'b' }",
    ),
];

/// In which order tasks get it, where it can be held, or else come to their end: who gives a lock back may be put off by
/// whom that wakes before it ends.
fn order(timeline: &Timeline) -> Vec<String> {
    if !timeline.holds.is_empty() {
        return holders(timeline);
    }
    let mut tasks: Vec<_> = timeline.tasks.pairs().collect();
    tasks.sort_by_key(|(_, life)| life.finish);
    tasks.into_iter().map(|(id, _)| timeline.short_name(id)).collect()
}

/// The four come one after the other with these priorities, the one that gives is there before.
fn queue(declared: &str, waits: &str, gives: &str, priorities: [u32; 4]) -> String {
    let mut text = format!(
        "[scheduler]\n policy = 'priority'\n {declared}\n [[task]]\n name = 'gives'\n priority = 50\n program = [{gives}]\n"
    );
    for (number, (priority, what)) in priorities.iter().zip(["write", "read", "write", "read"]).enumerate() {
        text += &format!(
            "[[task]]\n name = 't{number}'\n priority = {priority}\n arrival = '{}ms'\n program = [{}]\n",
            10 * (number + 1),
            waits.replace("WHAT", what)
        );
    }
    text
}

#[test]
fn who_is_next_at_an_object_is_who_is_next_in_a_simulation() {
    for (kinds, declared, waits, gives) in QUEUES {
        let ours = ["order = 'fifo'", "order = 'lifo'", ""].map(str::to_owned);
        let ours = ours.into_iter().filter(|_| declared.starts_with("[[lock]]") && !declared.contains("condvar"));
        for kind in kinds.iter().map(|kind| format!("kind = '{kind}'")).chain(ours) {
            for priorities in [[10, 40, 20, 30], [10, 10, 10, 10]] {
                let declared = declared.replace("]]\n", &format!("]]\n {kind}\n"));
                let text = queue(&declared, waits, gives, priorities);
                let mut simulated = Timeline::default();
                engine::simulate(&scenario(&text), &mut simulated);
                let mut measured = Vec::new();
                // A machine that is taken away for a while lets others come first, but not again and again.
                while measured.len() < 3 && measured.last() != Some(&order(&simulated)) {
                    let run = run(&text);
                    if run.recorded.policy != "SCHED_FIFO" {
                        return skip(&run.recorded.policy);
                    }
                    measured.push(order(&run.timeline));
                }
                assert_eq!(measured.last(), Some(&order(&simulated)), "{text}\n{measured:?}");
            }
        }
    }
}

#[test]
fn who_is_next_at_the_lock_of_a_library_is_the_most_urgent_only_with_std() {
    for (kind, by_urgency) in [("std", true), ("parking-lot", false), ("tokio", false)] {
        let (_, declared, waits, gives) = QUEUES[0];
        let declared = declared.replace("]]\n", &format!("]]\n kind = '{kind}'\n"));
        let measured = run(&queue(&declared, waits, gives, [10, 40, 20, 30]));
        if measured.recorded.policy != "SCHED_FIFO" {
            return skip(&measured.recorded.policy);
        }
        let expected = if by_urgency { ["gives", "t1", "t3", "t2", "t0"] } else { ["gives", "t0", "t1", "t2", "t3"] };
        assert_eq!(holders(&measured.timeline), expected, "{kind}");
    }
}

/// How often another comes than the one before.
fn changes(names: &[String]) -> usize {
    names.windows(2).filter(|two| two[0] != two[1]).count()
}

/// How often what two do is in the other's way: a lock goes to another than before, or somebody waits.
fn turns(timeline: &Timeline) -> usize {
    if timeline.holds.is_empty() { timeline.blocks.len() } else { changes(&holders(timeline)) + 1 }
}

/// What two do again at once: of which libraries, declared how, and what each does.
const AGAIN: &[(&[&str], &str, [&str; 2])] = &[
    (
        &["std", "parking-lot", "tokio"],
        "[[lock]]\n name = 'm'",
        ["{ with = 'm', do = [{ cpu = '1ms' }] }", "{ with = 'm', do = [{ cpu = '1ms' }] }"],
    ),
    (
        &["std", "parking-lot", "tokio"],
        "[[rwlock]]\n name = 'm'",
        ["{ write = 'm' }, { cpu = '1ms' }, { unlock = 'm' }", "{ write = 'm' }, { cpu = '1ms' }, { unlock = 'm' }"],
    ),
    (
        &["tokio"],
        "[[semaphore]]\n name = 's'\n permits = 1",
        [
            "{ acquire = 's' }, { cpu = '1ms' }, { release = 's' }",
            "{ acquire = 's' }, { cpu = '1ms' }, { release = 's' }",
        ],
    ),
    (
        &["std", "crossbeam", "flume", "tokio"],
        "[[channel]]\n name = 'c'\n capacity = 4",
        ["{ send = 'c' }, { cpu = '100us' }", "{ recv = 'c' }, { cpu = '100us' }"],
    ),
];

#[test]
fn two_that_do_it_again_at_once_do_it_as_often_in_a_row_as_in_a_simulation() {
    let cases = [1, 2].iter().flat_map(|count| AGAIN.iter().map(move |it| (*count, it)));
    // Where both are never in each other's way there is nothing to count.
    let cases = cases.filter(|(count, (_, declared, _))| *count == 1 || !declared.contains("channel"));
    for (processors, (kinds, declared, does)) in cases {
        for kind in *kinds {
            let [one, other] = does;
            let text = format!(
                "[machine]\n processors = {processors}\n [scheduler]\n policy = 'round-robin'\n quantum = '4ms'\n
                 {declared}\n kind = '{kind}'\n [[task]]\n name = 'a'\n program = [{{ repeat = 60, do = [{one}] }}]\n
                 [[task]]\n name = 'b'\n program = [{{ repeat = 60, do = [{other}] }}]"
            );
            if let Err(reason) = feasible(&scenario(&text), &Options::default()) {
                skip(&reason.to_string());
                continue;
            }
            let mut simulated = Timeline::default();
            engine::simulate(&scenario(&text), &mut simulated);
            let runs = turns(&simulated);
            let all: Vec<_> = (0..5).map(|_| run(&text)).collect();
            if let Some(other) = all.iter().find(|run| run.recorded.policy_realised == Realised::Not) {
                return skip(&other.recorded.policy);
            }
            let mut measured: Vec<usize> = all.iter().map(|run| turns(&run.timeline)).collect();
            measured.sort_unstable();
            // The first and the last run are cut off by chance: by which, two that hardly ever change may differ.
            let off = measured[2].abs_diff(runs).saturating_sub(2);
            assert!(
                5 * off <= runs,
                "{processors} processors, {kind}, {declared}: {runs} simulated, measured {measured:?}"
            );
        }
    }
}

#[test]
fn several_that_send_into_a_full_channel_change_as_often_as_in_a_simulation() {
    let senders = |timeline: &Timeline| {
        let mut sent: Vec<_> = timeline.signals.iter().filter(|signal| signal.deed == Deed::Sent).collect();
        sent.sort_by_key(|signal| signal.at);
        changes(&sent.into_iter().map(|signal| timeline.short_name(signal.task)).collect::<Vec<_>>())
    };
    for kind in ["std", "crossbeam", "flume", "tokio"] {
        let text = format!(
            "[scheduler]\n policy = 'round-robin'\n quantum = '4ms'\n [[channel]]\n name = 'c'\n capacity = 4\n kind = '{kind}'\n
             [[task]]\n name = 'sends'\n count = 3\n program = [{{ repeat = 40, do = [{{ send = 'c' }}, {{ cpu = '50us' }}] }}]\n
             [[task]]\n name = 'receives'\n program = [{{ repeat = 120, do = [{{ recv = 'c' }}, {{ cpu = '50us' }}] }}]"
        );
        let mut simulated = Timeline::default();
        engine::simulate(&scenario(&text), &mut simulated);
        let all: Vec<_> = (0..5).map(|_| run(&text)).collect();
        if let Some(other) = all.iter().find(|run| run.recorded.policy_realised == Realised::Not) {
            return skip(&other.recorded.policy);
        }
        let mut measured: Vec<usize> = all.iter().map(|run| senders(&run.timeline)).collect();
        measured.sort_unstable();
        let simulated = senders(&simulated);
        // Where one sends on and on until it is done, who is at the end of a slice changes a few more times. Where the slices of a
        // run fall decides between patterns of 34 and 43 changes (flume), both seen run after run; the simulation is one of them.
        let nearest = measured.iter().map(|changes| changes.abs_diff(simulated)).min().unwrap_or(usize::MAX);
        let off = nearest.saturating_sub(4);
        assert!(5 * off <= simulated, "{kind}: {simulated} simulated, measured {measured:?}");
    }
}

#[test]
fn a_deadlock_at_locks_of_a_library_ends_the_run_and_says_who_waits_for_whom() {
    let takers = EXECUTORS.iter().filter(|executor| !executor.contains("sequential"));
    for (executor, kind) in
        takers.flat_map(|executor| uses(executor, "lock").into_iter().map(move |kind| (executor, kind)))
    {
        let measured = run(&format!(
            "[[lock]]\n name = 'l'\n kind = '{kind}'\n [[lock]]\n name = 'r'\n kind = '{kind}'\n
             [[process]]\n name = 'p'\n executor = {executor}\n [[process.task]]\n name = 'a'\n
             program = [{{ lock = 'l' }}, {{ sleep = '5ms' }}, {{ lock = 'r' }}, {{ unlock = 'r' }}, {{ unlock = 'l' }}]\n
             [[process.task]]\n name = 'b'\n
             program = [{{ lock = 'r' }}, {{ sleep = '5ms' }}, {{ lock = 'l' }}, {{ unlock = 'l' }}, {{ unlock = 'r' }}]"
        ));
        assert_eq!(measured.recorded.end, End::Deadlock, "{executor}, {kind}");
        let why = measured.explanation.expect("a reason");
        for part in ["for lock `r`, held by b since", "for lock `l`, held by a since"] {
            assert!(why.contains(part), "{executor}, {kind}: {why}");
        }
    }
}

#[test]
fn what_cannot_be_measured_of_a_library_is_refused_with_what_can() {
    let refused = |declared: &str, executor: &str, op: &str| {
        let text = format!(
            "{declared}\n [[process]]\n name = 'p'\n executor = {executor}\n [[process.task]]\n name = 'a'\n program = [{op}]"
        );
        feasible(&scenario(&text), &Options::default()).expect_err(declared).to_string()
    };
    let with = "{ with = 'm', do = [] }";
    let lock = |rest: &str| format!("[[lock]]\n name = 'm'\n {rest}");
    let not_yet = refused(&lock("kind = 'futures'"), "'threads'", with);
    assert!(not_yet.contains("the lock `m` of the kind `futures` is simulated, but not measured yet"), "{not_yet}");
    assert!(not_yet.contains("hint: measured are `std`, `parking-lot`, `tokio`; or write `order`"), "{not_yet}");
    let stays = [
        (refused(&lock("kind = 'std'"), "'async'", with), "is a std::sync::Mutex, for which a thread waits"),
        (
            refused(&lock("kind = 'parking-lot'"), "'processes'", with),
            "is a parking_lot::Mutex, which lives in one process",
        ),
        (
            refused(
                &(lock("kind = 'std'") + "\n [[condvar]]\n name = 'c'"),
                "'threads'",
                "{ lock = 'm' }, { wait = 'c', with = 'm' }, { unlock = 'm' }",
            ),
            "the condvar `c` is of no `kind`, and the lock `m` is of the kind `std`",
        ),
        (
            refused(
                "[[channel]]\n name = 'c'\n capacity = 1\n kind = 'std'",
                "'threads'",
                "{ recv = 'c' }]\n count = 2\n [[process.task]]\n name = 'b'\n program = [{ repeat = 2, do = [{ send = 'c' }] }",
            ),
            "the channel `c` is a std::sync::mpsc::sync_channel, from which one task receives",
        ),
    ];
    for (text, part) in stays {
        assert!(text.contains(part) && text.contains("hint: "), "{text}");
    }
    let others = [
        refused(&lock("kind = 'std'\n order = 'fifo'"), "'threads'", with),
        refused(&lock("kind = 'std'\n spin = '1ms'"), "'threads'", with),
    ];
    for other in others {
        assert!(
            other.contains("the lock `m` is of the kind `std`, and the file has it handed on in another way"),
            "{other}"
        );
    }
}

#[test]
fn who_waits_in_a_library_when_time_is_up_does_not_keep_the_run() {
    let scenes: [(&[&str], &str); 4] = [
        (&["std", "crossbeam", "flume", "tokio"], "[[channel]]\n name = 'm'\n capacity = 1|{ recv = 'm' }"),
        (
            &["std", "crossbeam", "flume", "tokio"],
            "[[channel]]\n name = 'm'\n capacity = 1|{ repeat = 2, do = [{ send = 'm' }] }",
        ),
        (&["tokio"], "[[semaphore]]\n name = 'm'\n permits = 0|{ acquire = 'm' }"),
        (
            &["std"],
            "[[lock]]\n name = 'l'\n kind = 'std'\n [[condvar]]\n name = 'm'|{ lock = 'l' }, { wait = 'm', with = 'l' }, { unlock = 'l' }",
        ),
    ];
    for (kinds, scene) in scenes {
        let (declared, waits) = scene.split_once('|').expect("two parts");
        for kind in kinds {
            let measured = run(&format!(
                "until = '20ms'\n {declared}\n kind = '{kind}'\n [[task]]\n name = 'a'\n program = [{waits}]\n
                 [[task]]\n name = 'b'\n program = [{{ repeat = 'forever', do = [{{ sleep = '1ms' }}] }}]"
            ));
            assert_eq!(measured.recorded.end, End::Horizon, "{kind}: {declared}");
            let a = super::task(&measured.timeline, "a");
            assert_eq!(measured.timeline.tasks[a].finish, None, "{kind}: {declared}");
        }
    }
}

#[test]
fn what_an_object_of_ours_gave_is_not_taken_for_what_a_library_did_not() {
    let measured = run("[[semaphore]]\n name = 's'\n permits = 0\n [[lock]]\n name = 'm'\n kind = 'std'\n
         [[task]]\n name = 'a'\n program = [{ lock = 'm' }, { sleep = '2ms' }, { release = 's' }, { lock = 'm' }]\n
         [[task]]\n name = 'b'\n program = [{ acquire = 's' }, { lock = 'm' }, { unlock = 'm' }]");
    assert_eq!(measured.recorded.end, End::Deadlock);
    let locks = measured.timeline.holds.iter().filter(|hold| !hold.shared);
    assert_eq!(locks.map(|hold| measured.timeline.short_name(hold.task)).collect::<Vec<_>>(), ["a"]);
}
