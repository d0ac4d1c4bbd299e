//! How fast the engine is, beside a bare loop that does the same work and nothing else, measured alternately.
//!
//! `cargo bench -p sim-core` prints, for each workload, the median time of one unit of work and the ratio to the bare
//! loop of the same round. Machines differ and are noisy; ratios of neighbours in time are what can be compared.
//!
//! - **W1**: round robin, shared queue, 4 processors, 64 threads; per dispatch.
//! - **W3**: global edf, 50 periodic tasks, 4 processors, utilisation 3; per job (beside a run that records nothing).
//! - **W4**: the same with 1024 processors and 1 000 000 threads, bursts of constant and of random length; per dispatch.
//! - **policies**: every policy of the shelf, 4 processors, 64 and 100 000 threads that are nearly all ready; per dispatch.
//! - **devices**: a device with 10 and 10 000 requests in its queue, or sharing it, under every discipline; per request.
//! - **runtimes**: 64 tasks that burst and yield, or are preempted, on one loop or four workers; per task switch, beside
//!   threads that the kernel switches (there is no bare loop).
//! - **syncs**: 64 threads on 4 processors that use a lock, a channel, …; per round and per operation.
//! - **W5**: a scenario of 10 tasks and 120 dispatches, again and again; per run.
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
mod reading;
mod syncs;
mod workloads;

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use sim_core::engine::{cast, simulate_as};
use sim_core::metrics::Metrics;
use sim_core::scenario::Scenario;
use sim_core::scenario::lower::scenario;
use sim_core::scenario::raw::Source;
use sim_core::timeline::{Timeline, TimelineHash};

fn main() {
    // `once WORKLOAD LENGTH`: for counting instructions.
    if let [_, once, name, length, ..] = &std::env::args().collect::<Vec<_>>()[..]
        && once == "once"
    {
        return println!("{}", workloads::once(name, length.parse().expect("a number")));
    }
    // `cargo test` runs benchmarks too, to see that they work: one short round is enough for that.
    let rounds = if std::env::args().any(|argument| argument == "--bench") { 7 } else { 1 };
    println!("{:<34} {:>12} {:>8} {:>8}", "workload", "per unit", "x bare", "spread");
    let wanted = |name: &str| {
        let mut named = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).peekable();
        named.peek().is_none() || named.any(|argument| name.contains(&argument))
    };
    if wanted("w1") {
        w1(rounds);
    }
    if wanted("w3") {
        w3(rounds);
    }
    if wanted("w4") {
        w4(rounds.min(3), false);
        w4(rounds.min(3), true);
    }
    if wanted("policies") {
        policies(rounds);
    }
    if wanted("devices") {
        devices::every_discipline(rounds);
    }
    if wanted("runtimes") {
        runtimes(rounds);
    }
    if wanted("syncs") {
        syncs::every_object(rounds);
    }
    if wanted("w5") {
        w5(rounds);
    }
    if wanted("read") {
        reading::tasks(rounds);
    }
    if wanted("variations") {
        reading::variations(rounds);
    }
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

/// One contender: its name and what it does, returning the units of work done.
type Contender<'a> = (&'a str, Box<dyn FnMut() -> u64 + 'a>);

/// Runs the contenders alternately and prints the median time per unit; the first is the bare loop.
fn race(workload: &str, rounds: usize, contenders: &mut [Contender<'_>]) {
    let mut times = vec![Vec::new(); contenders.len()];
    for _ in 0..rounds {
        for (contender, times) in contenders.iter_mut().zip(&mut times) {
            let start = Instant::now();
            let units = black_box((contender.1)());
            times.push(start.elapsed().as_nanos() as f64 / units as f64);
        }
    }
    let bare = median(times[0].clone());
    for ((name, _), times) in contenders.iter().zip(times) {
        let ratios = times.iter().copied().map(|time| time / bare);
        let (least, most) =
            ratios.fold((f64::MAX, 0.0_f64), |(least, most), ratio| (least.min(ratio), most.max(ratio)));
        let time = median(times);
        println!(
            "{:<34} {time:>9.1} ns {:>8.2} {:>8}",
            format!("{workload} {name}"),
            time / bare,
            format!("{least:.1}–{most:.1}")
        );
    }
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// Round robin with constant bursts: thread `i` of `threads` needs `base + i % 7` quanta.
fn round_robin(processors: u32, threads: u32, quanta: u32) -> String {
    let group = |index: u32| {
        let count = threads / 7 + u32::from(index < threads % 7);
        let cpu = quanta + index;
        format!("[[task]]\nname = \"t{index}\"\ncount = {count}\nprogram = [{{ cpu = \"{cpu}us\" }}]\n")
    };
    let tasks: String = (0..7).map(group).collect();
    format!("[machine]\nprocessors = {processors}\n[scheduler]\npolicy = \"round-robin\"\nquantum = \"1us\"\n{tasks}")
}

fn dispatches(threads: u32, quanta: u32) -> u64 {
    (0..7).map(|index| u64::from(threads / 7 + u32::from(index < threads % 7)) * u64::from(quanta + index)).sum()
}

/// What it costs to switch tasks on the runtime floor. Tasks wait for a timer, yield, or have slices.
fn runtimes(rounds: usize) {
    let bursts: u64 = if rounds > 1 { 20_000 } else { 100 };
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
    let mut contenders: Vec<Contender<'_>> = scenarios
        .iter()
        .map(|(name, scenario)| {
            let names = Arc::new(cast(scenario));
            let run = move || {
                black_box(simulate_as(scenario, &names, &mut ()));
                64 * bursts
            };
            (*name, Box::new(run) as Box<dyn FnMut() -> u64>)
        })
        .collect();
    race("runtimes", rounds, &mut contenders);
}

fn w1(rounds: usize) {
    let (processors, threads, quanta) = (4, 64, if rounds > 1 { 20_000 } else { 100 });
    let scenario = read(&round_robin(processors, threads, quanta));
    let names = Arc::new(cast(&scenario));
    let units = dispatches(threads, quanta);
    race(
        "W1 round robin 4x64",
        rounds,
        &mut [
            ("bare loop", Box::new(|| bare::round_robin(processors as usize, threads, quanta))),
            ("nothing recorded", Box::new(|| (simulate_as(&scenario, &names, &mut ()), units).1)),
            ("metrics", Box::new(|| (simulate_as(&scenario, &names, &mut Metrics::default()), units).1)),
            (
                "metrics, hash",
                Box::new(|| {
                    (simulate_as(&scenario, &names, &mut (Metrics::default(), TimelineHash::default())), units).1
                }),
            ),
            (
                "metrics, timeline kept",
                Box::new(|| (simulate_as(&scenario, &names, &mut (Metrics::default(), Timeline::default())), units).1),
            ),
        ],
    );
}

/// Tasks that need 6 percent of a processor each, for so many seconds.
fn periodic(seconds: u32) -> String {
    let periods = [5, 8, 10, 20, 25, 40, 50];
    let task = |index: usize| {
        let period = periods[index % periods.len()];
        let cpu = period * 60;
        format!("[[task]]\nname = \"t{index}\"\nperiod = \"{period}ms\"\nprogram = [{{ cpu = \"{cpu}us\" }}]\n")
    };
    let tasks: String = (0..50).map(task).collect();
    format!("until = \"{seconds}s\"\n[machine]\nprocessors = 4\n[scheduler]\npolicy = \"edf\"\n{tasks}")
}

fn w3(rounds: usize) {
    let scenario = read(&periodic(if rounds > 1 { 200 } else { 1 }));
    let names = Arc::new(cast(&scenario));
    let mut metrics = Metrics::default();
    simulate_as(&scenario, &names, &mut metrics);
    let units = metrics.jobs.len() as u64;
    race(
        "W3 global edf, 50 tasks",
        rounds,
        &mut [
            ("nothing recorded", Box::new(|| (simulate_as(&scenario, &names, &mut ()), units).1)),
            ("metrics", Box::new(|| (simulate_as(&scenario, &names, &mut Metrics::default()), units).1)),
        ],
    );
}

fn w4(rounds: usize, random: bool) {
    let (processors, threads, quanta) = if rounds > 1 { (1024, 1_000_000, 10) } else { (16, 1000, 3) };
    let text = round_robin(processors, threads, quanta);
    let text = if random {
        text.replace("us\" }]", "us\" } }]").replace("{ cpu = ", "{ cpu = { exponential = ")
    } else {
        text
    };
    let scenario = read(&text);
    let names = Arc::new(cast(&scenario));
    let bursts = if random { bare::draw_bursts(&scenario) } else { Vec::new() };
    let units =
        if random { bursts.iter().map(|burst| burst.div_ceil(1000).max(1)).sum() } else { dispatches(threads, quanta) };
    let workload = if random { "W4 1M threads, random bursts" } else { "W4 1M threads, constant bursts" };
    race(
        workload,
        rounds,
        &mut [
            (
                "bare loop",
                Box::new(|| {
                    if random {
                        bare::random_round_robin(processors as usize, &bursts)
                    } else {
                        bare::round_robin(processors as usize, threads, quanta)
                    }
                }),
            ),
            ("metrics", Box::new(|| (simulate_as(&scenario, &names, &mut Metrics::default()), units).1)),
        ],
    );
    print_memory(threads);
}

/// The most memory this process has had, in bytes per thread of the workload: an upper bound of what a thread costs.
fn print_memory(threads: u32) {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    let kibibytes: f64 = peak.trim().trim_end_matches("kB").trim().parse().unwrap_or_default();
    println!("{:<34} {:>9.0} B", "W4 peak memory per thread", kibibytes * 1024.0 / f64::from(threads));
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

/// Ten tasks that run and wait in turn: 120 dispatches.
fn small() -> &'static str {
    "[scheduler]\npolicy = \"round-robin\"\nquantum = \"1ms\"\n[[device]]\nname = \"disk\"\nchannels = \"unlimited\"\n\
     [[task]]\nname = \"t\"\ncount = 10\n\
     program = [{ repeat = 4, do = [{ cpu = \"2500us\" }, { io = \"disk\", for = \"5ms\" }] }]\n"
}

fn w5(rounds: usize) {
    let scenario = read(small());
    let names = Arc::new(cast(&scenario));
    let runs = if rounds > 1 { 20_000 } else { 10 };
    let again = |run: &mut dyn FnMut()| {
        (0..runs).for_each(|_| run());
        runs
    };
    race(
        "W5 10 tasks, 120 dispatches",
        rounds,
        &mut [
            ("bare loop", Box::new(|| again(&mut || drop(black_box(bare::small_scenario(black_box(10), 4)))))),
            (
                "metrics",
                Box::new(|| again(&mut || drop(black_box(simulate_as(&scenario, &names, &mut Metrics::default()))))),
            ),
            (
                "metrics, timeline kept",
                Box::new(|| {
                    again(&mut || {
                        drop(black_box(simulate_as(&scenario, &names, &mut (Metrics::default(), Timeline::default()))))
                    })
                }),
            ),
        ],
    );
}
