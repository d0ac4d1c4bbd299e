//! What theory says of runtimes, on random fork-join programs: Brent's and Graham's bounds, and what must hold where a
//! runtime is not greedy.
//!
//! A program of work `T1` and span `T∞` takes at least `max(T1 / P, T∞)` on P workers, and at most
//! `T1 / P + T∞ (P - 1) / P` if it is scheduled greedily: no worker is idle while a strand of the program is ready (Graham
//! 1966, Brent 1974). Work stealing without a LIFO slot, one queue for all, and goroutines are greedy. A LIFO slot is not,
//! nor is helping (the task below another one on its worker waits for that one): these promise no more than that somebody
//! always works, so they take `T1` at most.

use std::fmt::Write as _;

use sim_core::engine::End;
use sim_core::rng::{Stream, StreamName};
use sim_core::time::Span;
use sim_core::timeline::What;

use crate::support::{run, scenario};

/// A task of a program: it computes, spawns its children, computes, joins them, computes.
struct Node {
    work: [u64; 3],
    children: Vec<usize>,
}

/// A tree of tasks; the first is the root, and children come after their parents.
struct Tree {
    nodes: Vec<Node>,
}

impl Tree {
    fn random(chance: &mut Stream) -> Tree {
        let mut below = |bound: u64| chance.below(bound);
        let count = 2 + below(14);
        let mut nodes: Vec<Node> = Vec::new();
        for number in 0..count {
            if number > 0 {
                let parent = usize::try_from(below(number)).expect("small");
                nodes[parent].children.push(usize::try_from(number).expect("small"));
            }
            let work = [below(3), below(9), below(3)];
            nodes.push(Node { work, children: Vec::new() });
        }
        Tree { nodes }
    }

    fn work(&self) -> u64 {
        self.nodes.iter().flat_map(|node| node.work).sum()
    }

    /// The longest chain of work in which each piece must wait for the one before.
    fn span(&self, node: usize) -> u64 {
        let Node { work: [before, meanwhile, after], children } = &self.nodes[node];
        let children = children.iter().map(|child| self.span(*child)).max().unwrap_or(0);
        before + children.max(*meanwhile) + after
    }

    fn toml(&self, executor: &str, processors: u64) -> String {
        let mut toml = format!("executor = {executor}\nmachine = {{ processors = {processors} }}\n");
        for (number, Node { work, children }) in self.nodes.iter().enumerate() {
            let arrival = if number == 0 { "0ms" } else { "spawned" };
            let [before, meanwhile, after] = work.map(|ticks| format!("{{ cpu = \"{ticks}ms\" }}"));
            let [spawns, joins] = ["spawn", "join"]
                .map(|op| children.iter().map(|child| format!("{{ {op} = \"t{child}\" }}, ")).collect::<String>());
            let program = format!("{before}, {spawns}{meanwhile}, {joins}{after}");
            let _ = writeln!(toml, "[[task]]\nname = \"t{number}\"\narrival = \"{arrival}\"\nprogram = [{program}]");
        }
        toml
    }
}

/// How long the program takes, in ticks.
fn time(toml: &str) -> u64 {
    let (timeline, ending) = run(&scenario(toml));
    assert_eq!(ending.end, End::Completed, "{toml}");
    timeline.end.ns() / Span::from_ms(1).ns()
}

/// Random programs on so many workers, under these executors; `judge` gets the time, the work, the span, and P.
fn programs(executors: &[&str], judge: fn(u64, u64, u64, u64) -> bool) {
    for seed in 0..1_500 {
        let tree = Tree::random(&mut StreamName::new(seed).word("fork and join").stream());
        let (work, span) = (tree.work(), tree.span(0));
        for executor in executors {
            let workers = 1 + seed % 4;
            let toml = tree.toml(&executor.replace('P', &workers.to_string()), workers);
            let time = time(&toml);
            let least = work.div_ceil(workers).max(span);
            assert!(time >= least, "faster than possible: {time} < {least}\n{toml}");
            assert!(judge(time, work, span, workers), "seed {seed}: {time}, work {work}, span {span}\n{toml}");
        }
    }
}

#[test]
fn greedy_runtimes_keep_the_bounds_of_brent_and_graham() {
    let executors = [
        "{ kind = \"work-stealing\", workers = P, lifo-slot = false }",
        "{ kind = \"work-stealing\", workers = P, lifo-slot = false, steal = \"one\", victims = \"random\" }",
        "{ kind = \"work-stealing\", workers = P, queue = \"shared\" }",
        "{ kind = \"goroutines\", workers = P }",
        "{ kind = \"goroutines\", workers = P, slice = \"1ms\", victims = \"random\" }",
    ];
    programs(&executors, |time, work, span, workers| workers * time <= work + span * (workers - 1));
}

#[test]
fn in_runtimes_that_are_not_greedy_somebody_works() {
    let executors = [
        "{ kind = \"work-stealing\", workers = P }",
        "{ kind = \"pool\", workers = P, queue = \"stealing\" }",
        "{ kind = \"pool\", workers = P, queue = \"stealing\", victims = \"random\" }",
    ];
    programs(&executors, |time, work, _, _| time <= work);
}

#[test]
fn on_one_worker_all_take_the_work() {
    for seed in 0..200 {
        let tree = Tree::random(&mut StreamName::new(seed).word("one worker").stream());
        for executor in [
            "\"async\"",
            "{ kind = \"async\", policy = \"sjf\" }",
            "{ kind = \"work-stealing\", workers = 1 }",
            "{ kind = \"goroutines\", workers = 1, slice = \"2ms\" }",
            "{ kind = \"pool\", workers = 1, queue = \"stealing\" }",
        ] {
            assert_eq!(time(&tree.toml(executor, 2)), tree.work(), "{executor}, seed {seed}");
        }
    }
}

#[test]
fn a_pool_with_one_queue_keeps_grahams_bound_for_lists() {
    // Tasks that come all at once, and wait for nobody: at most 2 - 1/P times the best.
    for seed in 0..500 {
        let chance = &mut StreamName::new(seed).word("a list").stream();
        let (workers, count) = (1 + seed % 4, 1 + chance.below(12));
        let lengths: Vec<u64> = (0..count).map(|_| 1 + chance.below(20)).collect();
        for executor in ["{ kind = \"pool\", workers = P }", "{ kind = \"pool\", workers = P, queue = \"stealing\" }"] {
            let mut toml = format!("executor = {executor}\nmachine = {{ processors = {workers} }}\n");
            toml = toml.replace('P', &workers.to_string());
            for (number, length) in lengths.iter().enumerate() {
                let _ = writeln!(toml, "[[task]]\nname = \"t{number}\"\nprogram = [{{ cpu = \"{length}ms\" }}]");
            }
            let (work, longest) = (lengths.iter().sum::<u64>(), lengths.iter().max().copied().unwrap_or(0));
            assert!(workers * time(&toml) <= work + longest * (workers - 1), "{toml}");
        }
    }
}

/// Work that is done although a switch takes as long as a slice, and slices pass while the thread that has them is off
/// its processor: a slice begins when its task first runs, and who is put off in the middle of the switch has not run.
#[test]
fn slices_no_longer_than_a_switch_end_in_time() {
    // A quantum of the kernel's may be over with the switch to another task, so that it takes two for a slice.
    let quantum = |policy| (policy, r#", quantum = "1us""#, 2);
    let plain = ["fifo", "srtf", "sjf", "hrrn", "priority", "cfs"].map(|policy| (policy, "", 1));
    for (policy, settings, turns) in plain.into_iter().chain(["round-robin", "priority", "lottery"].map(quantum)) {
        for (executor, slices) in [
            (r#"{ kind = "goroutines", workers = 2, slice = "2us", poll-interval = "5us" }"#, 2),
            (r#"{ kind = "goroutines", workers = 3, slice = "1us", poll-interval = "1us" }"#, 1),
            (r#"{ kind = "threads", gil = "1us" }"#, 1),
        ] {
            for cost in 1..=4 {
                let toml = format!(
                    r#"
                    until = "10ms"
                    machine = {{ context-switch = "{cost}us", task-switch = "{cost}us", thread-start = "{cost}us" }}
                    scheduler = {{ policy = "{policy}"{settings} }}
                    process = [{{ name = "p", count = 2, executor = {executor}, task = [
                        {{ name = "t", count = 3, program = [{{ cpu = "6us" }}] }},
                    ] }}]
                    "#
                );
                let (_, ending) = run(&scenario(&toml));
                assert_eq!(ending.end, End::Completed, "{policy} {executor} {cost}");
                // 36 us of work in turns of a slice each, each behind a switch of both kinds, and half as many without any.
                let slices = if turns == 1 { 36 / slices * 3 / 2 } else { 36 * turns };
                let most = 36 + (slices + 12) * 3 * cost;
                assert!(ending.at.ns() <= most * 1000, "{policy} {executor} {cost}: {} and not {most}us", ending.at);
            }
        }
    }
}

#[test]
fn a_worker_may_go_on_with_its_next_task_without_leaving_its_processor() {
    let order = |next: &str| {
        let text = format!(
            "executor = {{ kind = 'pool', workers = 2, next = '{next}' }}\n\
             [[task]]\nname = 'A'\nprogram = [{{ cpu = '2ms' }}]\n\
             [[task]]\nname = 'B'\ncount = 2\nprogram = [{{ cpu = '1ms' }}]"
        );
        let timeline = run(&scenario(&text)).0;
        let runs = timeline.intervals.iter().filter(|stay| stay.what == What::Run);
        let mut told: Vec<_> =
            runs.map(|stay| (stay.start.ns() / 1_000_000, timeline.short_name(stay.task).to_string())).collect();
        told.sort();
        told.into_iter().map(|(_, name)| name).collect::<Vec<_>>().join(" ")
    };
    // The second worker waits for the processor with the first B. The first goes on with the second B, or queues behind.
    assert_eq!(order("queued"), "A B#0 B#1");
    assert_eq!(order("at-once"), "A B#1 B#0");
}
