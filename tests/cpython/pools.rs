//! The pools of `multiprocessing`: which tasks a worker takes together, in Python and in the simulation.

use std::fmt::Debug;

use serde_json::Value;
use sim_core::ids::ProcessId;

use super::{python, version};
use crate::support::{run, scenario};

/// A pool of two maps a function over so many numbers: who did each, and when.
const MAP: &str = r#"
import json, multiprocessing, os, sys, time

def work(number):
    began = time.monotonic_ns()
    time.sleep(0.001)
    return os.getpid(), began

with multiprocessing.get_context("fork").Pool(2) as pool:
    json.dump([pool.map(work, range(int(count))) for count in sys.stdin.read().split()], sys.stdout)
"#;

/// Each chunk is one worker's, in order and with nothing between, and begins no earlier than the one before.
fn are_chunks<W: PartialEq + Debug>(done: &[(W, u64)], length: usize) {
    let chunks: Vec<&[(W, u64)]> = done.chunks(length).collect();
    for chunk in &chunks {
        assert!(chunk.iter().all(|(worker, _)| *worker == chunk[0].0), "chunks of {length}: {done:?}");
        assert!(chunk.is_sorted_by_key(|(_, began)| *began), "in order: {done:?}");
        let within = chunk[0].1..=chunk[chunk.len() - 1].1;
        let others = chunks.iter().filter(|other| other[0].0 == chunk[0].0 && other[0].1 != chunk[0].1);
        assert!(others.flat_map(|other| *other).all(|(_, began)| !within.contains(began)), "{done:?}");
    }
}

fn simulated(count: usize) -> Vec<(u32, u64)> {
    let scenario = scenario(&format!(
        "executor = {{ kind = 'pool', workers = 2, chunk = 'map', next = 'at-once' }}\nmachine = {{ processors = 2 }}\n\
         [[task]]\nname = 'work'\ncount = {count}\nprogram = [{{ cpu = '2ms' }}]"
    ));
    let (timeline, _) = run(&scenario);
    let mut done: Vec<_> = timeline.intervals.iter().map(|it| (it.task, (it.thread.0, it.start.ns()))).collect();
    done.sort_unstable();
    assert_eq!(done.len(), count);
    done.into_iter().map(|(_, how)| how).collect()
}

#[test]
fn map_hands_out_a_quarter_of_a_share_at_a_time() {
    /// How many tasks, and how many of them make a chunk.
    const CASES: [(usize, usize); 6] = [(1, 1), (7, 1), (8, 1), (10, 2), (20, 3), (100, 13)];
    for (count, length) in CASES {
        are_chunks(&simulated(count), length);
    }
    // Seven chunks of 13 and one of 9: 4 x 13 are one worker's, the others the other's.
    let ends = simulated(100).iter().map(|(_, began)| began + 2_000_000).max();
    assert_eq!(ends, Some(104_000_000));
    if version().is_none() {
        return;
    }
    let counts: Vec<String> = CASES.iter().map(|(count, _)| count.to_string()).collect();
    let played: Value = serde_json::from_str(&python(MAP, &counts.join(" "))).expect("JSON");
    for ((_, length), done) in CASES.iter().zip(played.as_array().expect("a list")) {
        let number = |value: &Value| value.as_u64().expect("a number");
        let done = done.as_array().expect("a list").iter().map(|one| (number(&one[0]), number(&one[1])));
        are_chunks(&done.collect::<Vec<_>>(), *length);
    }
}

#[test]
fn a_pool_has_as_many_threads_as_python_gives_it() {
    let workers = |executor: &str, processors: u32| {
        let text = format!(
            "runtime = \"cpython\"\nexecutor = {executor}\nmachine = {{ processors = {processors} }}\n\
             [[task]]\nname = \"t\"\nprogram = [{{ cpu = \"1ms\" }}]\n"
        );
        scenario(&text).processes[ProcessId(0)].executor.workers
    };
    assert_eq!([workers("\"pool\"", 2), workers("\"pool\"", 40)], [6, 32]);
    assert_eq!(workers("{ kind = \"pool\", workers = 3 }", 2), 3);
    assert_eq!(workers("{ kind = \"pool\", rules = \"cpython-3.13t\" }", 2), 6);
    assert_eq!(workers("{ kind = \"pool\", of = \"processes\" }", 3), 3);
}

#[test]
fn what_its_rules_say_of_a_loop_is_nothing_that_the_file_says() {
    let own_rules = |executor: &str| {
        let text = format!(
            "runtime = \"cpython\"\nexecutor = {executor}\n[[task]]\nname = \"t\"\nprogram = [{{ cpu = \"1ms\" }}]\n"
        );
        scenario(&text).processes[ProcessId(0)].executor.own_rules.clone()
    };
    assert!(own_rules("\"async\"").is_empty());
    assert!(own_rules("{ kind = \"async\", rules = \"cpython-3.11\" }").is_empty());
    assert_eq!(own_rules("{ kind = \"async\", budget = 7 }"), ["budget"]);
}
