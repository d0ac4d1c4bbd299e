//! What goes wrong: deadlocks, and child processes that are killed or stopped by somebody else.

use std::process::Command;
use std::thread;
use std::time::Duration;

use sim_core::ids::TaskId;
use sim_core::timeline::Deed;

use super::{EXECUTORS, run, scenario};
use crate::{End, Options, measure, sys};

#[test]
fn a_deadlock_ends_the_run_by_itself_and_says_who_waits_for_whom() {
    for executor in ["'threads'", "'async'", "'processes'", "{ kind = 'pool', workers = 2 }"] {
        let measured = run(&format!(
            "[[lock]]\n name = 'l'\n [[lock]]\n name = 'r'\n [[process]]\n name = 'p'\n executor = {executor}\n
             [[process.task]]\n name = 'a'\n
             program = [{{ lock = 'l' }}, {{ sleep = '5ms' }}, {{ lock = 'r' }}, {{ unlock = 'r' }}, {{ unlock = 'l' }}]\n
             [[process.task]]\n name = 'b'\n
             program = [{{ lock = 'r' }}, {{ sleep = '5ms' }}, {{ lock = 'l' }}, {{ unlock = 'l' }}, {{ unlock = 'r' }}]"
        ));
        assert_eq!(measured.recorded.end, End::Deadlock, "{executor}");
        assert!(measured.timeline.tasks.iter().all(|life| life.finish.is_none()), "{executor}");
        assert_eq!(measured.timeline.holds.len(), 2, "{executor}");
        let why = measured.explanation.expect("a reason");
        for part in
            ["deadlock in a cycle: a waits since", "for lock `r`, held by b since", "for lock `l`, held by a since"]
        {
            assert!(why.contains(part), "{executor}: {why}");
        }
    }
}

#[test]
fn who_waits_for_a_thread_that_is_kept_for_ever_is_in_the_deadlock() {
    // However many processors there are: an executor without `workers` has one thread.
    for executor in
        ["'sequential'", "{ kind = 'pool', workers = 1 }", "{ kind = 'pool', workers = 1, queue = 'stealing' }"]
    {
        let measured = run(&format!(
            "machine = {{ processors = 2 }}\n barrier = [{{ name = 'b', parties = 2 }}]\n executor = {executor}\n
             task = [{{ name = 'a', count = 2, program = [{{ barrier = 'b' }}] }}]"
        ));
        assert_eq!(measured.recorded.end, End::Deadlock, "{executor}");
        let why = measured.explanation.expect("a reason");
        assert!(why.contains("for a thread of its process, which"), "{executor}: {why}");
    }
}

#[test]
fn the_end_of_those_it_spawned_is_nothing_else_that_an_instance_waits_for() {
    // With a horizon that comes before anybody has looked, and with one that comes after.
    for (executor, until) in EXECUTORS.iter().flat_map(|executor| [(executor, "20ms"), (executor, "10s")]) {
        let measured = run(&format!(
            "until = '{until}'\n channel = [{{ name = 'c', capacity = 1 }}]\n [[process]]\n name = 'p'\n executor = {executor}
             task = [{{ name = 'a', program = [{{ spawn = 'b' }}, {{ recv = 'c' }}] }},
                     {{ name = 'b', arrival = 'spawned', program = [{{ cpu = '1ms' }}] }}]"
        ));
        assert_eq!(measured.recorded.end, End::Deadlock, "{executor}, {until}");
        assert!(measured.timeline.signals.iter().all(|signal| signal.deed != Deed::Received), "{executor}, {until}");
    }
}

#[test]
fn a_deadlock_of_some_is_found_when_time_is_up_for_the_others() {
    for executor in ["'threads'", "'async'", "'processes'", "{ kind = 'pool', workers = 3 }"] {
        let measured = run(&format!(
            "until = '40ms'\n [[lock]]\n name = 'l'\n [[lock]]\n name = 'r'\n [[process]]\n name = 'p'\n executor = {executor}\n
             [[process.task]]\n name = 'a'\n program = [{{ lock = 'l' }}, {{ sleep = '10ms' }}, {{ lock = 'r' }}]\n
             [[process.task]]\n name = 'b'\n program = [{{ lock = 'r' }}, {{ sleep = '10ms' }}, {{ lock = 'l' }}]\n
             [[process.task]]\n name = 'c'\n program = [{{ repeat = 'forever', do = [{{ sleep = '1ms' }}] }}]"
        ));
        assert_eq!((measured.recorded.end, measured.explanation), (End::Horizon, None), "{executor}");
        let stuck = measured.stuck.expect("a deadlock");
        assert_eq!(stuck.tasks, [TaskId(0), TaskId(1)], "{executor}");
        for part in
            ["deadlock of 2 of 3 tasks: a waits since", "`r`, held by b since", "b waits since", "`l`, held by a"]
        {
            assert!(stuck.explanation.contains(part), "{executor}: {}", stuck.explanation);
        }
    }
}

#[test]
fn being_stuck_spreads_to_those_who_wait_for_the_stuck() {
    // Over a join, the end of others, a worker of a pool and a barrier to which too few can come.
    let measured = run("until = '40ms'\n lock = [{ name = 'm' }]\n barrier = [{ name = 'b', parties = 4 }]
         [[process]]\n name = 'p'\n executor = { kind = 'pool', workers = 2 }
         task = [{ name = 'a', program = [{ lock = 'm' }, { sleep = '5ms' }, { lock = 'm' }] },
                 { name = 'p', program = [{ spawn = 'c' }, { join = 'c' }] },
                 { name = 'd', count = 2, after = ['a'], program = [{ cpu = '1ms' }] },
                 { name = 'c', arrival = 'spawned', program = [{ cpu = '1ms' }] }]
         [[process]]\n name = 'far'\n executor = 'threads'
         task = [{ name = 'e', count = 2, program = [{ barrier = 'b' }] },
                 { name = 'f', program = [{ repeat = 'forever', do = [{ sleep = '60ms' }, { barrier = 'b' }] }] }]");
    assert_eq!(measured.recorded.end, End::Horizon);
    let stuck = measured.stuck.expect("a deadlock");
    let told = stuck.explanation;
    for part in [
        "deadlock of 7 of 8 tasks: p/a waits since",
        "for lock `m`, held by itself since",
        "for the `c` it spawned",
        "p/d#0 and p/d#1 wait since",
        "far/e#0 and far/e#1 wait since",
        "for a thread of its process, which p/a keeps",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
}

#[test]
fn who_could_still_be_helped_is_not_stuck() {
    // By somebody who lives, arrives later, or can still be spawned.
    let cases = [
        "semaphore = [{ name = 's', permits = 0 }]
         task = [{ name = 'a', program = [{ acquire = 's' }] },
                 { name = 'b', arrival = '1s', program = [{ release = 's' }] }]",
        "channel = [{ name = 'c', capacity = 1 }]
         task = [{ name = 'a', program = [{ recv = 'c' }] },
                 { name = 'b', arrival = 'spawned', program = [{ send = 'c' }] },
                 { name = 'd', program = [{ sleep = '1s' }, { spawn = 'b' }] }]",
        "barrier = [{ name = 'b', parties = 2 }]
         task = [{ name = 'a', program = [{ barrier = 'b' }] },
                 { name = 'c', program = [{ sleep = '1s' }, { barrier = 'b' }] }]",
        "lock = [{ name = 'm' }]
         task = [{ name = 'a', program = [{ with = 'm', do = [{ sleep = '1s' }] }] },
                 { name = 'b', count = 3, program = [{ with = 'm', do = [{ cpu = '1ms' }] }] },
                 { name = 'c', after = ['b'], program = [{ cpu = '1ms' }] }]",
        "rwlock = [{ name = 'm' }]
         task = [{ name = 'a', program = [{ read = 'm', do = [{ sleep = '1s' }] }] },
                 { name = 'b', arrival = '5ms', program = [{ write = 'm', do = [{ cpu = '1ms' }] }] },
                 { name = 'c', arrival = '9ms', program = [{ read = 'm', do = [{ cpu = '1ms' }] }] }]",
        "executor = { kind = 'pool', workers = 1 }
         task = [{ name = 'a', program = [{ sleep = '1s' }] }, { name = 'b', program = [{ cpu = '1ms' }] }]",
    ];
    for case in cases {
        let measured = run(&format!("until = '30ms'\n{case}"));
        assert_eq!((measured.recorded.end, measured.stuck), (End::Horizon, None), "{case}");
    }
}

#[test]
fn each_way_to_wait_for_ever_has_its_words() {
    let cases = [
        (
            "[[channel]]\n name = 'c'\n capacity = 1\n [[task]]\n name = 'a'\n count = 2\n program = [{ recv = 'c' }]",
            "deadlock without a cycle: a#0 and a#1 wait since",
            "for a message in channel `c`, and nobody is left to help",
        ),
        (
            "[[rwlock]]\n name = 't'\n [[task]]\n name = 'r'\n
             program = [{ read = 't' }, { sleep = '20ms' }, { read = 't' }, { unlock = 't' }, { unlock = 't' }]\n
             [[task]]\n name = 'w'\n arrival = '5ms'\n program = [{ write = 't' }, { unlock = 't' }]",
            "to read rwlock `t` behind w, who wants to write and comes first",
            "w waits since",
        ),
        (
            "[[semaphore]]\n name = 's'\n permits = 3\n [[task]]\n name = 'a'\n
             program = [{ acquire = 's', count = 2 }, { acquire = 's', count = 2 }, { release = 's', count = 4 }]",
            "deadlock in a cycle: a waits since",
            "for 2 permits of semaphore `s`, held by itself since",
        ),
        (
            "executor = { kind = 'pool', workers = 1 }\n [[task]]\n name = 'outer'\n
             program = [{ spawn = 'inner' }, { join = 'inner' }]\n
             [[task]]\n name = 'inner'\n arrival = 'spawned'\n program = [{ cpu = '1ms' }]",
            "outer waits since",
            "for the `inner` it spawned, inner#0 waits since",
        ),
        (
            "[[lock]]\n name = 'm'\n [[condvar]]\n name = 'v'\n [[task]]\n name = 'a'\n
             program = [{ lock = 'm' }, { wait = 'v', with = 'm' }, { unlock = 'm' }]\n
             [[task]]\n name = 'b'\n after = ['a']\n program = [{ notify = 'v' }]",
            "for a notification at condvar `v`; b, which could help, waits itself",
            "b waits since 0 ns for the end of a",
        ),
    ];
    for (text, one, other) in cases {
        let measured = run(text);
        assert_eq!(measured.recorded.end, End::Deadlock, "{text}");
        let why = measured.explanation.expect("a reason");
        assert!(why.contains(one) && why.contains(other), "{why}");
    }
}

#[test]
fn whoever_sleeps_or_is_served_is_no_deadlock() {
    for executor in EXECUTORS {
        // All wait for one that does nothing for much longer than the control thread looks on.
        let measured = run(&format!(
            "[[device]]\n name = 'd'\n channels = 1\n discipline = 'lifo'\n [[lock]]\n name = 'm'\n
             [[process]]\n name = 'p'\n executor = {executor}\n
             [[process.task]]\n name = 'a'\n count = 2\n
             program = [{{ with = 'm', do = [{{ sleep = '130ms' }}, {{ io = 'd', for = '130ms' }}] }}]\n
             [[process.task]]\n name = 'late'\n arrival = '700ms'\n program = [{{ with = 'm', do = [] }}]"
        ));
        assert_eq!(measured.recorded.end, End::Completed, "{executor}: {:?}", measured.explanation);
    }
}

/// Is the process one of ours, and not of the same test that runs elsewhere on this machine?
fn descends_from_us(process: &str) -> bool {
    let parent_of = |process: &str| {
        let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
        // After the name, which may contain anything: the state and the parent.
        stat.rsplit_once(')')?.1.split_whitespace().nth(1).map(str::to_owned)
    };
    let ours = std::process::id().to_string();
    let ancestors = std::iter::successors(parent_of(process), |process| parent_of(process));
    ancestors.into_iter().any(|process| process == ours)
}

/// Sends a signal to the process whose thread has that name, as soon as there is one: the runs of other tests come first.
fn signal_to(name: &str, signal: &str) {
    let patience = sys::now() + 120_000_000_000;
    while sys::now() < patience {
        thread::sleep(Duration::from_millis(2));
        let all = std::fs::read_dir("/proc").into_iter().flatten().flatten();
        let named = |entry: &std::fs::DirEntry| {
            std::fs::read_to_string(entry.path().join("comm")).is_ok_and(|comm| comm.trim() == name)
                && descends_from_us(&entry.file_name().to_string_lossy())
        };
        if let Some(process) = all.into_iter().find(named) {
            let process = process.file_name();
            let sent = Command::new("kill").arg(signal).arg(process).status();
            assert!(sent.is_ok_and(|status| status.success()), "kill {signal}");
            return;
        }
    }
    panic!("there was no process {name}");
}

/// The run of a scenario whose process of that name gets a signal meanwhile fails with this sentence.
fn fails_after(text: &str, name: &str, signal: &str, sentence: &str) {
    let failure = thread::scope(|scope| {
        scope.spawn(|| signal_to(name, signal));
        measure(&scenario(text), &Options::default()).expect_err(sentence)
    });
    assert!(failure.reason.contains(sentence), "{failure}");
    assert!(sys::state_of(std::process::id()).is_some_and(|state| state != 'T'), "we go on");
}

#[test]
fn a_process_that_is_killed_makes_the_run_fail_at_once() {
    let text = "executor = 'processes'\n [[lock]]\n name = 'm'\n
         [[task]]\n name = 'victim'\n program = [{ with = 'm', do = [{ sleep = '20s' }] }]\n
         [[task]]\n name = 'other'\n count = 3\n program = [{ sleep = '10ms' }, { with = 'm', do = [] }]";
    let begun = sys::now();
    fails_after(text, "victim", "-KILL", "the process of `victim` was killed");
    assert!(sys::now() - begun < 15_000_000_000, "it was noticed only when time was up");
}

#[test]
fn a_spawned_process_that_is_killed_makes_the_run_fail_too() {
    let text =
        "executor = 'processes'\n [[task]]\n name = 'parent'\n program = [{ spawn = 'prey' }, { join = 'prey' }]\n
         [[task]]\n name = 'prey'\n arrival = 'spawned'\n program = [{ sleep = '20s' }]";
    fails_after(text, "prey#0", "-KILL", "the process of `prey#0` was killed");
}

#[test]
fn a_process_that_is_stopped_is_killed_when_time_is_up() {
    let text = "until = '400ms'\n executor = 'processes'\n
         [[task]]\n name = 'halted'\n program = [{ sleep = '20s' }]\n
         [[task]]\n name = 'other'\n program = [{ sleep = '10ms' }]";
    fails_after(text, "halted", "-STOP", "the process of `halted` was stopped by a signal");
    let spawned = "until = '400ms'\n executor = 'processes'\n
         [[task]]\n name = 'above'\n program = [{ spawn = 'below' }, { join = 'below' }]\n
         [[task]]\n name = 'below'\n arrival = 'spawned'\n program = [{ sleep = '20s' }]";
    fails_after(spawned, "below#0", "-STOP", "the process of `below#0` was stopped by a signal");
}
