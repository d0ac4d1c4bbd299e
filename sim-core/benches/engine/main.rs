//! How fast the engine is, beside bare loops that do the same work and nothing else, measured alternately.
//!
//! `cargo bench -p sim-core` prints, for each workload, the median time of one unit of work and the ratio to the bare
//! loop of the same round, and at last a table of these. Machines differ and are noisy; ratios of neighbours in time are what
//! can be compared. `cargo bench -p sim-core -- w2 w5` measures these two.
//!
//! - **W1**: round robin, shared queue, 4 processors, 64 threads; per dispatch.
//! - **W2**: a closed network: 100 customers, a processor and two disks, first come first served, all exponential; per
//!   burst of the processor.
//! - **W3**: global edf, 50 periodic tasks, 4 processors, utilisation 3; per job.
//! - **W4**: as W1 with 1024 processors and 1 000 000 threads, bursts of constant length and drawn; per dispatch.
//! - **W5**: 10 threads that burst and sleep, 2 processors, 120 dispatches, again and again; per run.
//! - **policies**: every policy of the shelf, 4 processors, 64 and 100 000 threads that are nearly all ready; per dispatch.
//! - **devices**: a device with 10 and 10 000 requests in its queue, or sharing it, under every discipline; per request.
//! - **runtimes**: 64 tasks that burst and yield, or are preempted, on one loop or four workers; per task switch, beside
//!   threads that the kernel switches (there is no bare loop).
//! - **syncs**: 64 threads on 4 processors that use a lock, a channel, …; per round and per operation.
//! - **read**: a file of 10 000 tasks, parsed and lowered; per task (beside a loop that only looks at every byte).
//! - **variations**: a small file read in 1000 variations, parsed each time or once; per variation (there is no bare loop).
#![expect(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "a benchmark needs what the library must not have"
)]
#![expect(clippy::print_stdout, reason = "a benchmark prints its results")]
#![expect(clippy::cast_precision_loss, reason = "figures for people")]

mod bare;
mod devices;
mod five;
mod race;
mod reading;
mod syncs;
mod workloads;

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use sim_core::document::Source;
use sim_core::engine::{cast, simulate_as};
use sim_core::metrics::Metrics;
use sim_core::scenario::Scenario;
use sim_core::scenario::lower::scenario;

use self::race::{Contender, Race};

fn main() {
    // `once WORKLOAD LENGTH`: for counting instructions.
    if let [_, once, name, length, ..] = &std::env::args().collect::<Vec<_>>()[..]
        && once == "once"
    {
        return println!("{}", workloads::once(name, length.parse().expect("a number")));
    }
    // `cargo test` runs benchmarks too, to see that they work: one short round is enough for that.
    let rounds = if std::env::args().any(|argument| argument == "--bench") { 7 } else { 1 };
    let wanted = |name: &str| {
        let mut named = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).peekable();
        named.peek().is_none() || named.any(|argument| name.contains(&argument))
    };
    let mut race = Race::new(rounds);
    for (name, measure) in five::WORKLOADS {
        if wanted(name) {
            measure(&mut race);
        }
    }
    if wanted("policies") {
        policies(rounds);
    }
    if wanted("devices") {
        devices::every_discipline(rounds);
    }
    if wanted("runtimes") {
        runtimes(&mut race);
    }
    if wanted("syncs") {
        syncs::every_object(rounds);
    }
    if wanted("read") {
        reading::tasks(&mut race);
    }
    if wanted("variations") {
        reading::variations(&mut race);
    }
    race.table();
    if rounds == 1 {
        workloads::NAMES.iter().for_each(|name| assert!(workloads::once(name, 1) > 0, "{name}"));
    }
}

fn read(text: &str) -> Scenario {
    match scenario(&Source { file: "benchmark", text }, &[]) {
        Ok(scenario) => scenario,
        Err(mistakes) => panic!("{mistakes}"),
    }
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// What it costs to switch tasks on the runtime floor. Tasks wait for a timer, yield, or have slices.
fn runtimes(race: &mut Race) {
    let bursts: u64 = if race.rounds > 1 { 20_000 } else { 100 };
    let scenarios: Vec<(&str, Scenario)> = [
        ("threads, sleep", "\"threads\"", "{ sleep = \"50us\" }"),
        ("async, yield", "\"async\"", "\"yield\""),
        ("async, sleep", "\"async\"", "{ sleep = \"50us\" }"),
        ("work-stealing, yield", "{ kind = \"work-stealing\", workers = 4 }", "\"yield\""),
        ("work-stealing, sleep", "{ kind = \"work-stealing\", workers = 4 }", "{ sleep = \"50us\" }"),
        ("goroutines, yield", "{ kind = \"goroutines\", workers = 4 }", "\"yield\""),
        ("goroutines, slices", "{ kind = \"goroutines\", workers = 4, slice = \"1us\" }", "{ cpu = \"1us\" }"),
        ("goroutines, sleep", "{ kind = \"goroutines\", workers = 4 }", "{ sleep = \"50us\" }"),
    ]
    .into_iter()
    .map(|(name, executor, then)| {
        let text = format!(
            "executor = {executor}\n[machine]\nprocessors = 4\n[[task]]\nname = \"t\"\ncount = 64\n\
             program = [{{ repeat = {bursts}, do = [{{ cpu = \"1us\" }}, {then}] }}]\n"
        );
        (name, read(&text))
    })
    .collect();
    let contenders: Vec<Contender<'_>> = scenarios
        .iter()
        .map(|(name, scenario)| {
            let names = Arc::new(cast(scenario));
            Contender::new(name, move || {
                black_box(simulate_as(scenario, &names, &mut ()));
                64 * bursts
            })
        })
        .collect();
    race.run("runtimes", contenders);
}

/// Every policy, with threads that work 2 us and sleep 5 us for ever, so that dispatches are as many under all.
fn policies(rounds: usize) {
    for kind in sim_core::policy::POLICIES {
        let parameters = match kind.name {
            "round-robin" | "lottery" | "stride" => "quantum = \"1us\"",
            "feedback" => "quanta = [\"1us\", \"2us\", \"4us\"]",
            "mlfq" => "levels = [{ quantum = \"1us\", allotment = 2 }, { quantum = \"2us\", allotment = 2 }]",
            _ => "",
        };
        let figures = [64, if rounds > 1 { 100_000 } else { 100 }].map(|threads| {
            let run = |until: &str| {
                let scenario = read(&format!(
                    "until = \"{until}\"\n[machine]\nprocessors = 4\n[scheduler]\npolicy = \"{}\"\n{parameters}\n\
                     [[task]]\nname = \"t\"\ncount = {threads}\n\
                     program = [{{ repeat = \"forever\", do = [{{ cpu = \"2us\" }}, {{ sleep = \"5us\" }}] }}]\n",
                    kind.name
                ));
                let names = Arc::new(cast(&scenario));
                let mut metrics = Metrics::default();
                let start = Instant::now();
                simulate_as(&scenario, &names, &mut metrics);
                let time = start.elapsed().as_nanos() as f64;
                let switches = metrics.tasks.iter().map(|task| task.voluntary_switches + task.involuntary_switches);
                (time, switches.sum::<u64>() as f64)
            };
            // The difference of a longer and a shorter run is free of what it costs to make the threads.
            let (short, long) = if rounds > 1 { ("2ms", "12ms") } else { ("1us", "20us") };
            let once = |_| {
                let (before, after) = (run(short), run(long));
                (after.0 - before.0) / (after.1 - before.1).max(1.0)
            };
            median((0..rounds.min(3)).map(once).collect())
        });
        println!(
            "{:<34} {:>9.1} ns with 64 threads, {:>9.1} ns with 100 000",
            format!("policy {}", kind.name),
            figures[0],
            figures[1]
        );
    }
}
