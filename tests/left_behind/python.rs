//! The same of interpreters, which have children of their own; and what is said when one of these is killed.

use std::fs;
use std::io::Read as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::{Ends, Victim, WAYS};
use crate::support::{skipped, temporary, temporary_folder};

/// Ways to have processes of Python: the executor, and whether these can start others.
const RUNS: [(&str, &str, bool); 5] = [
    ("py-fork", "{ kind = 'processes', start = 'fork' }", true),
    ("py-spawn", "{ kind = 'processes', start = 'spawn' }", true),
    ("py-forkserver", "{ kind = 'processes', start = 'forkserver' }", true),
    ("py-pool", "{ kind = 'pool', workers = 2, of = 'processes' }", false),
    ("py-threads", "'threads'", true),
];

/// Tasks that start others, where that can be, and one that computes at the end.
fn scenario(name: &str, executor: &str, nested: bool) -> PathBuf {
    let computes = "{ repeat = 4000, do = [{ cpu = '10ms' }] }";
    let tasks = if nested {
        format!(
            "{{ name = 'outer', program = [{{ spawn = 'middle' }}, {{ join = 'middle' }}] }},
             {{ name = 'middle', arrival = 'spawned', program = [{{ spawn = 'inner' }}, {{ join = 'inner' }}] }},
             {{ name = 'inner', arrival = 'spawned', program = [{computes}] }}"
        )
    } else {
        format!("{{ name = 'inner', program = [{computes}] }}, {{ name = 'sleeps', program = [{{ sleep = '40s' }}] }}")
    };
    temporary(name, &format!("runtime = 'cpython'\nexecutor = {executor}\ntask = [{tasks}]"))
}

/// Is there a Python?
fn is_here() -> bool {
    let answers = Command::new("python3").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    let is_here = answers.is_ok_and(|status| status.success());
    if !is_here {
        skipped("there is no python3");
    }
    is_here
}

impl Victim {
    /// Waits until one of its processes computes, and has done so for longer than an interpreter's start takes: that one.
    fn computes(&mut self) -> PathBuf {
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(60) {
            thread::sleep(Duration::from_millis(20));
            self.has_not_ended();
            let used = |process: &PathBuf| {
                let stat = fs::read_to_string(process.join("schedstat")).unwrap_or_default();
                stat.split_whitespace().next().and_then(|ns| ns.parse::<u64>().ok()).unwrap_or(0)
            };
            let before: Vec<(PathBuf, u64)> =
                self.processes().into_iter().map(|process| (process.clone(), used(&process))).collect();
            thread::sleep(Duration::from_millis(400));
            // Two processors are for all tests: of 400 ms it gets a part.
            let grown = |(process, before): &(PathBuf, u64)| {
                *before > 1_000_000_000 && used(process).saturating_sub(*before) > 60_000_000
            };
            let mut busy = before.iter().filter(|one| grown(one));
            if let (Some((process, _)), None) = (busy.next(), busy.next())
                && before.len() > 3
            {
                return process.clone();
            }
        }
        panic!("{}: it never got under way", self.mark);
    }
}

#[test]
fn no_process_of_an_interpreter_outlives_a_killed_measurement() {
    if !is_here() {
        return;
    }
    for (name, executor, nested) in &RUNS {
        let file = scenario(name, executor, *nested);
        for (number, way) in WAYS.iter().enumerate().filter(|(_, way)| matches!(way.ends, Ends::Signal(9))) {
            let mut victim = Victim::start(&format!("{name}-{number}"), &file);
            if *executor == "'threads'" {
                thread::sleep(Duration::from_millis(700));
            } else {
                victim.computes();
            }
            victim.send(way);
            victim.leaves_nothing();
        }
    }
}

#[test]
fn a_killed_process_of_an_interpreter_is_named_and_ends_the_run() {
    if !is_here() {
        return;
    }
    for (name, executor, nested) in RUNS.iter().filter(|(_, executor, _)| *executor != "'threads'") {
        let file = scenario(&format!("{name}-killed"), executor, *nested);
        let mut victim = Victim::start(&format!("{name}-killed"), &file);
        let process = victim.computes();
        let number = process.file_name().expect("a number").to_string_lossy().into_owned();
        let sent = Command::new("kill").args(["-9", &number]).status().expect("kill");
        assert!(sent.success());
        let mut told = String::new();
        victim.sim.stderr.take().expect("piped").read_to_string(&mut told).expect("text");
        let status = victim.leaves_nothing();
        // A run that goes on without it ends at its time limit, and has nothing to complain of.
        assert!(!status.success() && told.contains("was killed, or died, before"), "{name}: {told}");
        assert!(!told.contains("Traceback") && !told.contains("File \""), "{name}: {told}");
        assert!(!nested || told.contains("inner"), "{name}: {told}");
    }
}

#[test]
fn a_server_of_processes_finds_room_for_its_address_whatever_the_temporary_folder_is_called() {
    if !is_here() {
        return;
    }
    let file = temporary(
        "py-long",
        "runtime = 'cpython'\nexecutor = { kind = 'processes', start = 'forkserver' }\ntask = [{ name = 'A', program = [{ cpu = '1ms' }] }]",
    );
    let folder = temporary_folder(&format!("py-{}", "long".repeat(30)));
    let mut command = Command::new(env!("CARGO_BIN_EXE_sim"));
    let output = command.arg("measure").arg(file).env("TMPDIR", &folder).output().expect("it starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(fs::read_dir(&folder).expect("a folder").count(), 0);
}
