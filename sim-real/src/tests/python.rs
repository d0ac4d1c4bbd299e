//! CPython, where there is one: its executors keep the laws, its objects behave as they do, and what it cannot do is refused.

use std::path::Path;
use std::process::Command;

use sim_core::engine;
use sim_core::ids::SyncId;
use sim_core::time::Span;
use sim_core::timeline::{Life, Timeline};

use super::{assert_complete, run, run_with, scenario, skip, task};
use crate::play::python::interpreter;
use crate::{End, Options, feasible, measure};

/// Its executors, each with its runtime, as in the table of a process.
pub(super) const EXECUTORS: [&str; 8] = [
    "'sequential'\n runtime = 'cpython'",
    "'threads'\n runtime = 'cpython'",
    "'async'\n runtime = 'cpython'",
    "'processes'\n runtime = 'cpython'",
    "{ kind = 'processes', start = 'spawn' }\n runtime = 'cpython'",
    "{ kind = 'processes', start = 'forkserver' }\n runtime = 'cpython'",
    "{ kind = 'pool', workers = 3 }\n runtime = 'cpython'",
    "{ kind = 'pool', workers = 3, of = 'processes' }\n runtime = 'cpython'",
];

/// Is there a CPython? If not, that is said.
pub(super) fn is_here() -> bool {
    interpreter::find(None).inspect_err(|missing| skip(&missing.reason)).is_ok()
}

/// A scenario of one process in CPython.
fn in_python(executor: &str, rest: &str) -> String {
    format!("runtime = 'cpython'\n executor = {executor}\n until = '20s'\n {rest}")
}

/// Who had the object one after the other: how many runs of the same one in a row.
fn runs_of_one(timeline: &Timeline) -> usize {
    let mut holds: Vec<_> = timeline.holds.iter().map(|hold| (hold.start, hold.task)).collect();
    holds.sort_unstable();
    holds.chunk_by(|a, b| a.1 == b.1).count()
}

#[test]
fn objects_of_python_are_what_tasks_meet_at() {
    if !is_here() {
        return;
    }
    let rest = "[[lock]]\n name = 'm'\n [[condvar]]\n name = 'c'\n [[channel]]\n name = 'q'\n capacity = 1\n
        [[semaphore]]\n name = 's'\n permits = 1\n
        [[task]]\n name = 'waits'\n program = [{ with = 'm', do = [{ wait = 'c', with = 'm' }, { cpu = '1ms' }] }]\n
        [[task]]\n name = 'tells'\n
        program = [{ sleep = '300ms' }, { with = 'm', do = [{ notify = 'c' }] }, { repeat = 3, do = [{ send = 'q' }] }]\n
        [[task]]\n name = 'takes'\n program = [{ repeat = 3, do = [{ recv = 'q' }, { acquire = 's' }, { cpu = '1ms' }, { release = 's' }] }]";
    for executor in ["'threads'", "'async'", "'processes'", "{ kind = 'pool', workers = 3 }"] {
        let measured = run(&in_python(executor, rest));
        assert_complete(&measured, Span::from_ms(4));
        let timeline = &measured.timeline;
        assert_eq!(
            timeline.holds.iter().filter(|hold| hold.sync == SyncId(0)).count(),
            3,
            "{executor}: with, and again"
        );
        let [waits, tells] = ["waits", "tells"].map(|name| timeline.tasks[task(timeline, name)].finish);
        assert!(waits.is_some() && tells.is_some(), "{executor}");
    }
}

#[test]
fn a_semaphore_of_python_goes_to_one_thread_until_that_has_enough() {
    if !is_here() {
        return;
    }
    let program = "program = [{ repeat = 60, do = [{ acquire = 's' }, { cpu = '500us' }, { release = 's' }] }]";
    let rest = format!("[[semaphore]]\n name = 's'\n permits = 1\n [[task]]\n name = 'a'\n count = 2\n {program}");
    // Whoever waits must get the interpreter lock to look, and finds it taken again: at a time when nobody else uses the
    // processor that makes two runs; a disturbed machine may add a few.
    let measured = run(&in_python("'threads'", &rest));
    assert_complete(&measured, Span::from_ms(60));
    assert!(runs_of_one(&measured.timeline) < 30, "{}", runs_of_one(&measured.timeline));
}

#[test]
fn threads_of_python_take_turns_and_processes_do_not() {
    if !is_here() {
        return;
    }
    let rest = "[[task]]\n name = 'a'\n count = 2\n program = [{ cpu = '40ms' }]";
    let measured = run(&in_python("'threads'", rest));
    assert_complete(&measured, Span::from_ms(80));
    // Each has lost the lock at least once, and never has it at the same time as the other.
    let turns: Vec<_> = measured.timeline.intervals.iter().map(|interval| interval.task).collect();
    assert!(turns.chunk_by(|a, b| a == b).count() > 2, "{turns:?}");
}

#[test]
fn a_deadlock_of_threads_of_python_is_told_in_words() {
    if !is_here() {
        return;
    }
    let rest = "[[lock]]\n name = 'm'\n [[lock]]\n name = 'n'\n
        [[task]]\n name = 'a'\n program = [{ with = 'm', do = [{ sleep = '50ms' }, { with = 'n', do = [{ cpu = '1ms' }] }] }]\n
        [[task]]\n name = 'b'\n program = [{ with = 'n', do = [{ sleep = '50ms' }, { with = 'm', do = [{ cpu = '1ms' }] }] }]";
    for executor in ["'threads'", "'async'", "'processes'"] {
        let measured = run(&in_python(executor, rest));
        assert_eq!(measured.recorded.end, End::Deadlock, "{executor}");
        let told = measured.explanation.unwrap_or_default();
        assert!(told.contains("in a cycle") && told.contains("`m`") && told.contains("`n`"), "{executor}: {told}");
    }
}

#[test]
fn a_deadlock_of_all_just_before_the_horizon_is_one() {
    if !is_here() {
        return;
    }
    let rest = "[[lock]]\n name = 'm'\n [[lock]]\n name = 'n'\n
        [[task]]\n name = 'a'\n program = [{ with = 'm', do = [{ sleep = '60ms' }, { lock = 'n' }] }]\n
        [[task]]\n name = 'b'\n program = [{ with = 'n', do = [{ sleep = '60ms' }, { lock = 'm' }] }]";
    for executor in ["'threads'", "'async'", "'processes'", "{ kind = 'pool', workers = 2 }"] {
        let text = in_python(executor, rest).replace("'20s'", "'140ms'");
        assert_eq!(engine::simulate(&scenario(&text), &mut ()).end, engine::End::Deadlock, "{executor}");
        // On a disturbed machine they may not have come so far.
        let measured = (0..5).map(|_| run(&text)).find(|measured| measured.recorded.end == End::Deadlock);
        let measured = measured.expect("a deadlock");
        assert!(measured.stuck.is_none(), "{executor}");
        assert!(measured.explanation.is_some_and(|told| told.contains("in a cycle")), "{executor}");
    }
    // Who has yet to come might help; and who sleeps.
    let later = "[[task]]\n name = 'c'\n arrival = '1s'\n program = [{ cpu = '1ms' }]";
    let sleeps = "[[task]]\n name = 'c'\n program = [{ sleep = '1s' }]";
    for more in [later, sleeps] {
        let text = in_python("'threads'", &format!("{rest}\n{more}")).replace("'20s'", "'140ms'");
        let mut runs = (0..5).map(|_| run(&text)).inspect(|cut| assert_eq!(cut.recorded.end, End::Horizon, "{more}"));
        assert!(runs.any(|cut| cut.stuck.is_some_and(|stuck| stuck.tasks.len() == 2)), "{more}");
    }
}

#[test]
fn the_horizon_ends_an_interpreter_with_its_children() {
    if !is_here() {
        return;
    }
    for executor in ["'threads'", "'async'", "{ kind = 'processes', start = 'spawn' }"] {
        let text = in_python(
            executor,
            "[[task]]\n name = 'a'\n program = [{ repeat = 'forever', do = [{ cpu = '1ms' }, { sleep = '1ms' }] }]",
        );
        let measured = run(&text.replace("'20s'", "'300ms'"));
        assert_eq!(measured.recorded.end, End::Horizon, "{executor}");
    }
}

#[test]
fn what_python_has_nothing_like_is_refused_by_name() {
    let cases = [
        (
            "[[rwlock]]\n name = 'w'\n [[task]]\n name = 'a'\n program = [{ read = 'w', do = [{ cpu = '1ms' }] }]",
            "`w` has no counterpart",
        ),
        (
            "[[channel]]\n name = 'q'\n capacity = 0\n [[task]]\n name = 'a'\n program = [{ send = 'q' }, { recv = 'q' }]",
            "`q` holds nothing",
        ),
        (
            "[[lock]]\n name = 'm'\n [[condvar]]\n name = 'c'\n [[task]]\n name = 'a'\n program = [{ notify = 'c' }]",
            "without the lock",
        ),
        ("[[task]]\n name = 'a'\n period = '5ms'\n jobs = 2\n program = [{ cpu = '1ms' }]", "`a` is periodic"),
        (
            "[[device]]\n name = 'd'\n discipline = 'lifo'\n [[task]]\n name = 'a'\n program = [{ io = 'd', for = '1ms' }]",
            "the device `d`",
        ),
    ];
    for (rest, words) in cases {
        let scenario = scenario(&in_python("'threads'", rest));
        let refused = feasible(&scenario, &Options::default()).expect_err("that cannot be measured");
        assert!(refused.reason.contains(words), "{refused}");
    }
}

#[test]
fn an_interpreter_that_is_not_there_is_refused_by_name() {
    let rest = "[[task]]\n name = 'a'\n program = [{ cpu = '1ms' }]";
    let scenario = scenario(&in_python("'threads'", rest));
    let options = Options { python: Some("no-such-python"), ..Options::default() };
    let refused = measure(&scenario, &options).expect_err("there is none");
    assert!(refused.reason.contains("no-such-python") && refused.hint.contains("--python"), "{refused}");
}

#[test]
fn every_recorder_sees_python() {
    if !is_here() {
        return;
    }
    for best_recorder in crate::Rung::ALL {
        let text = in_python(
            "'threads'",
            "[[task]]\n name = 'a'\n count = 2\n program = [{ cpu = '20ms' }, { sleep = '1ms' }]",
        );
        let measured = run_with(&text, &Options { best_recorder, ..Options::default() });
        assert_complete(&measured, Span::from_ms(40));
    }
}

#[test]
fn a_loop_of_python_goes_on_while_its_pool_blocks() {
    if !is_here() {
        return;
    }
    let ticks = "[[device]]\n name = 'd'\n channels = 'unlimited'\n [[task]]\n name = 'ticks'\n
        program = [{ sleep = '2ms' }, { cpu = '100us' }]\n [[task]]\n name = 'blocks'\n";
    let blocks = "{ io = 'd', for = '300ms'";
    for (executor, pools, program) in [
        ("'async'", "", format!("{blocks}, blocking = true }}")),
        ("'async'", "pools = { p = 'pool' }", format!("{{ on = 'p', do = [{blocks} }}, {{ cpu = '1ms' }}] }}")),
        ("'async'", "pools = { p = 'threads' }", format!("{{ on = 'p', do = [{blocks} }}, {{ cpu = '1ms' }}] }}")),
        ("'threads'", "pools = { p = 'pool' }", format!("{{ on = 'p', do = [{blocks} }}, {{ cpu = '1ms' }}] }}")),
        ("'sequential'", "pools = { p = 'pool' }", format!("{{ on = 'p', do = [{blocks} }}, {{ cpu = '1ms' }}] }}")),
    ] {
        let rest = format!("{pools}\n {ticks} program = [{{ cpu = '1ms' }}, {program}, {{ cpu = '1ms' }}]");
        let measured = run(&in_python(executor, &rest));
        assert_eq!(measured.recorded.end, End::Completed, "{executor} {pools}");
        let timeline = &measured.timeline;
        let finish = |name: &str| {
            let is_it = |life: &&Life| timeline.cast.specs[life.spec as usize].task == name;
            timeline.tasks.iter().find(is_it).and_then(|life| life.finish).expect("finished")
        };
        // Behind a request that blocks the loop the tick waits for its end; else it comes first.
        let waits = pools.is_empty();
        if executor != "'sequential'" {
            assert_eq!(finish("ticks") > finish("blocks"), waits, "{executor} {pools}");
        }
        if !waits {
            assert!(finish("blocks.p") < finish("blocks"), "{executor} {pools}");
        }
    }
}

#[test]
fn many_uses_of_pools_of_python_are_told_apart() {
    if !is_here() {
        return;
    }
    let rest = "pools = { p = { kind = 'pool', workers = 2 } }\n [[task]]\n name = 'a'\n count = 3\n
        program = [{ repeat = 4, do = [{ on = 'p', do = [{ sleep = { uniform = ['1ms', '5ms'] } }, { cpu = '100us' }] }, { cpu = '100us' }] }]";
    for executor in ["'async'", "'threads'", "{ kind = 'pool', workers = 3 }"] {
        let text = in_python(executor, rest);
        let measured = run(&text);
        assert_eq!(measured.recorded.end, End::Completed, "{executor}");
        let mut simulated = Timeline::default();
        sim_core::engine::simulate(&scenario(&text), &mut simulated);
        let asleep = |timeline: &Timeline| {
            let timers = timeline.blocks.iter().filter(|block| block.cause == sim_core::timeline::Cause::Timer);
            timers.filter(|block| block.task.0 >= 3).count()
        };
        assert_eq!([&measured.timeline, &simulated].map(|timeline| timeline.tasks.len()), [15, 15], "{executor}");
        assert_eq!(asleep(&measured.timeline), asleep(&simulated), "{executor}");
    }
}

#[test]
fn objects_that_a_loop_and_its_pool_share_are_refused() {
    let shared = "[[lock]]\n name = 'm'\n order = 'fifo'\n [[task]]\n name = 'a'\n
        program = [{ with = 'm', do = [] }, { on = 'p', do = [{ with = 'm', do = [] }] }]";
    let text = in_python("'async'", &format!("pools = {{ p = 'pool' }}\n {shared}"));
    let refused = feasible(&scenario(&text), &Options::default()).expect_err("refused");
    assert!(
        refused.reason.contains("the lock `m` is used by tasks of `main` and `on` its pool `p`"),
        "{}",
        refused.reason
    );
}

/// A program that answers as an interpreter of this version does, and is none.
fn pretender(folder: &Path, version: &str, does: &str) -> String {
    let program = folder.join("python3");
    let answer = format!(
        r#"{{"program": "{}", "implementation": "cpython", "version": [{version}], "locked": true}}"#,
        program.display()
    );
    let script = format!("#!/bin/sh\ncase \"$*\" in *json*) echo '{answer}';; *) {does};; esac\n");
    std::fs::write(&program, script).expect("written");
    std::fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("a program");
    program.display().to_string()
}

#[test]
fn a_hint_fits_what_has_gone_wrong() {
    let barrier = "barrier = [{ name = 'm', parties = 1 }]\n [[task]]\n name = 'a'\n program = [{ barrier = 'm' }]";
    let limits = "ulimit";
    for (version, does, reason, hint) in [
        ("3, 10, 2", "exit 3", "asyncio has barriers from Python 3.11 on", "--python PATH"),
        ("3, 11, 2", "echo ValueError: one >&2; exit 3", "ValueError: one", "--python PATH"),
        ("3, 11, 2", "kill -KILL $$", "signal: 9", limits),
        ("3, 11, 2", "echo MemoryError >&2; exit 1", "MemoryError", limits),
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        let python: &str = pretender(folder.path(), version, does).leak();
        let options = Options { python: Some(python), ..Options::default() };
        let refused = measure(&scenario(&in_python("'async'", barrier)), &options).expect_err("that is none");
        assert!(refused.reason.contains(reason) && refused.hint.contains(hint), "{refused}");
        assert_eq!(refused.hint.contains(limits), hint == limits, "{refused}");
    }
}

/// The clock of a machine on which threads compute, and what it counts. While the driver asks how often it was switched, others get
/// the interpreter lock.
const BUSY: &str = "
import sys, types
sys.path.insert(0, sys.argv[1])
import sim_driver as driver

class Machine:
    now, used, count, asked = 1, 0, 0, 0

    def clock(self):
        self.now, self.used = self.now + 1000, self.used + 1000
        if self.used % 2_000_000 == 0:
            self.now, self.count = self.now + 3_000_000, self.count + 1
        return self.now

    def switches(self):
        if self.asked != self.count:
            self.now, self.count = self.now + 5_000_000, self.count + 1
            self.asked = self.count
        return self.count

machine = Machine()
driver.clock, driver.switches, driver.processor = machine.clock, machine.switches, lambda: 0
task = {'spec': 0, 'head': 0, 'rows': 8, 'limit': 990, 'steps': []}
shared = types.SimpleNamespace(tasks=[task], memory=types.SimpleNamespace(words=[0] * 1000), tags={'burst': 0, 'resumed': 1})
driver.ThreadTask(shared, 0).burn(20_000_000)
print(machine.used)
";

#[test]
fn a_burst_of_python_takes_nothing_for_work_that_is_none() {
    if !is_here() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("sim_driver.py"), crate::play::python::DRIVER).expect("written");
    let interpreter = interpreter::find(None).expect("there is one");
    let run = Command::new(&interpreter.program).args(["-c", BUSY]).arg(folder.path()).output().expect("it runs");
    let used: u64 = String::from_utf8_lossy(&run.stdout).trim().parse().unwrap_or_else(|_| panic!("{run:?}"));
    assert!((20_000_000..20_500_000).contains(&used), "asked for 20 ms, used {used} ns");
}
