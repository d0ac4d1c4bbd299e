//! Objects that are not handed over as ours are: locks of libraries, and our own that barge. Each is held against its
//! simulated rule: by who is next, by how often, and by how many times in a row one has a lock.

use sim_core::engine;
use sim_core::timeline::Timeline;

use super::objects::{SCENES, sees_what_it_sees_in_a_simulation};
use super::{EXECUTORS, run, scenario, skip};
use crate::{End, Options, Realised, feasible};

/// Which locks of libraries each executor can take.
const TAKERS: [(&str, &str); 5] = [
    ("'threads'", "std"),
    ("'threads'", "parking-lot"),
    ("'threads'", "tokio"),
    ("'async'", "tokio"),
    ("{ kind = 'work-stealing', workers = 2 }", "tokio"),
];

#[test]
fn every_lock_of_a_library_sees_what_it_sees_in_a_simulation() {
    for (executor, kind) in TAKERS {
        sees_what_it_sees_in_a_simulation(&format!(
            "[[lock]]\n name = 'm'\n kind = '{kind}'\n [[process]]\n name = 'p'\n executor = {executor}\n
             [[process.task]]\n name = 'a'\n count = 4\n
             program = [{{ repeat = 5, do = [{{ with = 'm', do = [{{ cpu = '100us' }}, {{ sleep = '200us' }}] }}, {{ cpu = '50us' }}] }}]"
        ));
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

fn simulated(text: &str) -> Vec<String> {
    let mut timeline = Timeline::default();
    engine::simulate(&scenario(text), &mut timeline);
    holders(&timeline)
}

#[test]
fn who_is_next_at_a_lock_is_who_is_next_in_a_simulation() {
    for kind in ["kind = 'std'", "kind = 'parking-lot'", "kind = 'tokio'", "order = 'fifo'", "order = 'lifo'", ""] {
        let mut text = format!(
            "[scheduler]\n policy = 'priority'\n [[lock]]\n name = 'm'\n {kind}\n [[task]]\n name = 'first'\n priority = 50\n
             program = [{{ with = 'm', do = [{{ sleep = '60ms' }}] }}]\n"
        );
        for (number, priority) in [10, 40, 20, 30].iter().enumerate() {
            text += &format!(
                "[[task]]\n name = 't{number}'\n priority = {priority}\n arrival = '{}ms'\n
                 program = [{{ with = 'm', do = [{{ cpu = '1ms' }}] }}]\n",
                10 * (number + 1)
            );
        }
        let order = simulated(&text);
        let measured = run(&text);
        if measured.recorded.policy != "SCHED_FIFO" {
            return skip(&measured.recorded.policy);
        }
        assert_eq!(holders(&measured.timeline), order, "{kind}");
        let by_urgency = ["first", "t1", "t3", "t2", "t0"];
        assert_eq!(order == by_urgency, kind.is_empty() || kind.contains("std"), "{kind}: {order:?}");
    }
}

/// How often a lock comes to another than the one that had it before.
fn changes(holders: &[String]) -> usize {
    holders.windows(2).filter(|two| two[0] != two[1]).count()
}

#[test]
fn two_that_lock_again_at_once_have_a_lock_as_often_in_a_row_as_in_a_simulation() {
    for processors in [1, 2] {
        for kind in ["std", "parking-lot", "tokio"] {
            let text = format!(
                "[machine]\n processors = {processors}\n [scheduler]\n policy = 'round-robin'\n quantum = '4ms'\n
                 [[lock]]\n name = 'm'\n kind = '{kind}'\n [[task]]\n name = 'a'\n count = 2\n
                 program = [{{ repeat = 100, do = [{{ with = 'm', do = [{{ cpu = '1ms' }}] }}] }}]"
            );
            if let Err(reason) = feasible(&scenario(&text), &Options::default()) {
                skip(&reason.to_string());
                continue;
            }
            let runs = changes(&simulated(&text)) + 1;
            let all: Vec<_> = (0..5).map(|_| run(&text)).collect();
            if let Some(other) = all.iter().find(|run| run.recorded.policy_realised == Realised::Not) {
                return skip(&other.recorded.policy);
            }
            let mut measured: Vec<usize> = all.iter().map(|run| changes(&holders(&run.timeline)) + 1).collect();
            measured.sort_unstable();
            // The first and the last run are cut off by chance: by which, two that hardly ever change may differ.
            let off = measured[2].abs_diff(runs).saturating_sub(2);
            assert!(5 * off <= runs, "{processors} processors, {kind}: {runs} simulated, measured {measured:?}");
        }
    }
}

#[test]
fn a_deadlock_at_locks_of_a_library_ends_the_run_and_says_who_waits_for_whom() {
    for (executor, kind) in TAKERS {
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
    let not_yet = [
        refused(&lock("kind = 'futures'"), "'threads'", with),
        refused("[[rwlock]]\n name = 'm'\n kind = 'std'", "'threads'", "{ read = 'm', do = [] }"),
        refused(&lock("kind = 'std'"), "'async'", with),
        refused(&lock("kind = 'tokio'"), "{ kind = 'pool', workers = 2 }", with),
        refused(&lock("kind = 'parking-lot'"), "'processes'", with),
        refused(&lock("kind = 'std'"), "{ kind = 'threads', gil = '5ms' }", with),
        refused(
            &(lock("kind = 'std'") + "\n [[condvar]]\n name = 'c'"),
            "'threads'",
            "{ lock = 'm' }, { wait = 'c', with = 'm' }, { unlock = 'm' }",
        ),
    ];
    for text in not_yet {
        assert!(text.contains("not supported yet") && text.contains("hint: "), "{text}");
    }
    let other = refused(&lock("kind = 'std'\n order = 'fifo'"), "'threads'", with);
    assert!(
        other.contains("the lock `m` is of the kind `std`, and the file has it handed on in another way"),
        "{other}"
    );
}
