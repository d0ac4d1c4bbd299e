//! The objects of `threading` and `queue`: who has them how often in a row, in Python and in the simulation.

use std::fmt::Write as _;

use sim_core::document::Source;
use sim_core::engine::simulate;
use sim_core::scenario::lower;
use sim_core::sync::kinds::of_cpython;
use sim_core::timeline::{Timeline, What};

use super::{python, version};
use crate::support::scenario;

/// Two threads take something, work and give it back, over and over, on one processor; writes whose turn it was, each time.
const TURNS: &str = r#"
import os, queue, sys, threading

what, sections, work = sys.stdin.read().split()
os.sched_setaffinity(0, [min(os.sched_getaffinity(0))])
turns = []
if what == "lock":
    thing = threading.Lock()
    take, give = thing.acquire, thing.release
elif what == "semaphore":
    thing = threading.Semaphore(1)
    take, give = thing.acquire, thing.release
else:
    thing = queue.Queue()
    thing.put(None)
    take, give = thing.get, lambda: thing.put(None)
begin = threading.Barrier(2)

def loop(name):
    begin.wait()
    for _ in range(int(sections)):
        take()
        turns.append(name)
        for _ in range(int(work)):
            pass
        give()

threads = [threading.Thread(target=loop, args=name) for name in "AB"]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print("".join(turns))
"#;

/// So often each thread has its turn, and how much it does in each: some 0.1 ms.
const SECTIONS: usize = 300;
const WORK: usize = 3000;

/// The lengths of runs of one letter.
fn runs(turns: &str) -> Vec<usize> {
    let turns = turns.trim().as_bytes();
    turns.chunk_by(|one, other| one == other).map(<[u8]>::len).collect()
}

/// Whose turn it is in the simulation of that, on so many processors with what they cost.
fn simulated(what: &str, processors: usize) -> Vec<usize> {
    in_turns(what, processors, ("3.13", "cpython"), 100)
}

/// The same by the rules of a version, with objects of a kind, in sections of so many microseconds.
fn in_turns(what: &str, processors: usize, (version, kind): (&str, &str), section: u64) -> Vec<usize> {
    let (object, take, give) = match what {
        "lock" => ("[[lock]]", "lock", "unlock"),
        "semaphore" => ("[[semaphore]]\npermits = 1", "acquire", "release"),
        _ => ("[[channel]]\ncapacity = 1", "recv", "send"),
    };
    let mut text = format!(
        "executor = {{ kind = 'threads', rules = 'cpython-{version}' }}\nscheduler = {{ policy = 'linux', tick = '4ms' }}\n\
         [machine]\nprocessors = {processors}\ncontext-switch = '3us'\nblock = '6us'\nwake = '30us'\nlocal-wake = '5us'\n\
         remote-wake = '28us'\noperation = '270ns'\n{object}\nname = 'x'\nkind = '{kind}'\n"
    );
    for name in ["A", "B"] {
        let program = format!(
            "{{ repeat = {SECTIONS}, do = [{{ {take} = 'x' }}, {{ cpu = '{section}us' }}, {{ {give} = 'x' }}] }}"
        );
        writeln!(text, "[[task]]\nname = '{name}'\narrival = '1ms'\nprogram = [{program}]").expect("text");
    }
    if what == "queue" {
        text += "[[task]]\nname = 'token'\nprogram = [{ send = 'x' }]\n";
    }
    let scenario = scenario(&text);
    let mut timeline = Timeline::default();
    simulate(&scenario, &mut timeline);
    timeline.check_simulated(&scenario).expect("all laws hold");
    let mut turns: Vec<(u32, u64)> = Vec::new();
    for interval in timeline.intervals.iter().filter(|interval| interval.what == What::Run) {
        let ran = (interval.end - interval.start).ns();
        // Who looks, and waits again, has not had its turn.
        if ran < 1_000 {
            continue;
        }
        match turns.last_mut() {
            Some((last, sum)) if *last == interval.task.0 => *sum += ran,
            _ => turns.push((interval.task.0, ran)),
        }
    }
    let section = section * 1_000;
    turns.iter().map(|(_, ran)| usize::try_from((ran + section / 2) / section).expect("few")).collect()
}

#[test]
fn a_semaphore_stays_with_one_thread_and_a_lock_changes_hands_with_the_tick() {
    for what in ["semaphore", "queue"] {
        assert_eq!(simulated(what, 1), [SECTIONS; 2], "{what}");
        assert_eq!(simulated(what, 2), [SECTIONS; 2], "{what}");
    }
    // As long as a tick: as measured, 38 and more in a row. The first may begin anywhere in its tick, the second is what it has left of
    // another.
    let locks = simulated("lock", 1);
    let usual = &locks[2..locks.len() - 2];
    assert!(usual.len() > 8 && usual.iter().all(|run| (35..=42).contains(run)), "{locks:?}");
    // Who is woken at another processor comes too late, hundreds of times.
    let locks = simulated("lock", 2);
    assert!(locks.len() <= 5 && locks.iter().max() >= Some(&150), "{locks:?}");
    if version().is_none() {
        return;
    }
    for what in ["semaphore", "queue"] {
        let real = runs(&python(TURNS, &format!("{what} {SECTIONS} {WORK}")));
        // Nearly always [300, 300]; other programs may take the processor at the wrong moment.
        assert!(real.iter().max() >= Some(&(SECTIONS / 2)), "{what}: {real:?}");
    }
    let real = runs(&python(TURNS, &format!("lock {SECTIONS} {WORK}")));
    assert!(real.len() >= 4, "a lock: {real:?}");
}

#[test]
fn threads_that_hold_a_lock_of_3_14_for_longer_than_a_millisecond_take_turns() {
    let alone = |turns: &[usize]| turns.iter().filter(|run| **run == 1).count();
    for processors in [1, 2] {
        let turns = in_turns("lock", processors, ("3.14", "cpython-3.14"), 3_000);
        assert!(alone(&turns) >= turns.len() - 2 && turns.len() > 2 * SECTIONS - 10, "{turns:?}");
        let before = in_turns("lock", processors, ("3.13", "cpython"), 3_000);
        assert!(before.len() < turns.len(), "{before:?}");
    }
    if version().is_none_or(|version| version != "3.14") {
        return;
    }
    // Other programs may keep one from coming back in time.
    let turns = runs(&python(TURNS, &format!("lock 40 {}", 60 * WORK)));
    assert!(2 * alone(&turns) > turns.len(), "{turns:?}");
}

#[test]
fn a_process_of_python_uses_the_objects_of_its_executor() {
    for (executor, kind) in [
        ("'threads'", "cpython"),
        ("'sequential'", "cpython"),
        ("'pool'", "cpython"),
        ("{ kind = 'threads', rules = 'cpython-3.13t' }", "cpython"),
        ("{ kind = 'threads', rules = 'cpython-3.14' }", "cpython-3.14"),
        ("'async'", "asyncio"),
        ("'processes'", "multiprocessing"),
        ("{ kind = 'pool', of = 'processes' }", "multiprocessing"),
    ] {
        let task = "task = [{ name = 'A', program = [{ cpu = '1ms' }] }]";
        let text = format!("[[process]]\nname = 'p'\nruntime = 'cpython'\nexecutor = {executor}\n{task}");
        let scenario = scenario(&text);
        let process = scenario.processes.iter().next().expect("one");
        assert_eq!(of_cpython(&process.executor).name, kind, "{executor}");
    }
}

#[test]
fn what_python_does_not_have_is_refused() {
    let told = |object: &str| {
        let text = format!("{object}\n[[task]]\nname = 'A'\nprogram = [{{ cpu = '1ms' }}]");
        lower::scenario(&Source { file: "case.toml", text: &text }, &[]).expect_err("refused").to_string()
    };
    for kind in ["cpython", "cpython-3.14", "asyncio", "multiprocessing"] {
        let rwlock = told(&format!("[[rwlock]]\nname = 'x'\nkind = '{kind}'"));
        assert!(rwlock.contains(&format!("`{kind}` has no rwlock")), "{rwlock}");
        let channel = told(&format!("[[channel]]\nname = 'x'\ncapacity = 0\nkind = '{kind}'"));
        assert!(channel.contains(&format!("`{kind}` has no channel of capacity 0")), "{channel}");
    }
}
