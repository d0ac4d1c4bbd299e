//! Theorems about the policies, each as one test that says the sentence it proves.
//!
//! What holds for every policy and every scenario is in `laws.rs`; what theory says of periodic tasks, in `realtime.rs`.
//! Here are the promises of single policies (optimality, held against brute force; bounds of waiting; fairness) and what
//! whole families have in common.

mod brute_force;
mod fairness;
mod families;
mod optimality;
mod waiting;
mod world;

use sim_core::policy::{Kind, POLICIES};
use sim_core::rng::Stream;

use world::{Step, Thread, World, scheduler};

type Verdict = Result<(), String>;

fn ensure(law: bool, words: impl FnOnce() -> String) -> Verdict {
    if law { Ok(()) } else { Err(words()) }
}

/// So many threads that compute once.
fn bursts(stream: &mut Stream, most: u64, longest: u64, spread: u64) -> Vec<Thread> {
    let thread = |stream: &mut Stream, name| Thread {
        name,
        arrival: stream.below(spread + 1),
        steps: vec![Step::Cpu(1 + stream.below(longest))],
        ..Thread::default()
    };
    (0..=stream.below(most)).map(|name| thread(stream, usize::try_from(name).expect("few"))).collect()
}

/// Threads that are there from the beginning and always want to run: of one burst that does not end, or of short ones.
fn endless(stream: &mut Stream, most: u64, bursts: Option<u64>) -> Vec<Thread> {
    let steps = |stream: &mut Stream| match bursts {
        Some(longest) => vec![Step::Cpu(1 + stream.below(longest)), Step::Yield],
        None => vec![Step::Cpu(1_000_000)],
    };
    let thread = |stream: &mut Stream, name| Thread {
        name,
        steps: steps(stream),
        forever: true,
        priority: i64::try_from(stream.below(4)).expect("few"),
        nice: i64::try_from(stream.below(11)).expect("few") - 5,
        tickets: 1 + stream.below(9),
        ..Thread::default()
    };
    (0..=stream.below(most)).map(|name| thread(stream, usize::try_from(name).expect("few"))).collect()
}

/// Threads of several bursts, with sleeps and yields between them.
fn mixed(stream: &mut Stream, most: u64) -> Vec<Thread> {
    let mut threads = bursts(stream, most, 9, 20);
    for thread in &mut threads {
        for _ in 0..stream.below(3) {
            let pause = if stream.below(2) == 0 { Step::Yield } else { Step::Sleep(1 + stream.below(9)) };
            thread.steps.extend([pause, Step::Cpu(1 + stream.below(9))]);
        }
    }
    threads
}

/// The same with priorities and deadlines.
fn urgent(stream: &mut Stream, most: u64) -> Vec<Thread> {
    let mut threads = mixed(stream, most);
    for thread in &mut threads {
        thread.priority = i64::try_from(stream.below(4)).expect("few");
        thread.deadline = (stream.below(4) > 0).then(|| 1 + stream.below(40));
    }
    threads
}

/// The number that follows these words.
fn number_after(text: &str, words: &str) -> u64 {
    let rest = &text[text.find(words).expect("it is there") + words.len()..];
    rest[..rest.find('>').expect("a bracket")].parse().expect("a number")
}

/// Every policy of the shelf is among those that theorems for all are tried on.
#[test]
fn every_policy_has_a_scheduler_here() {
    for kind in POLICIES.iter().copied() {
        let of =
            |kind: &Kind| World::of(scheduler(kind), vec![Thread { steps: vec![Step::Cpu(1)], ..Thread::default() }]);
        assert_eq!(of(kind).run().makespan(), 1, "{}", kind.name);
    }
}
