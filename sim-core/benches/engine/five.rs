//! The five workloads, each beside its own bare loop.

use std::hint::black_box;
use std::sync::Arc;

use sim_core::engine::{cast, simulate_as};
use sim_core::metrics::Metrics;
use sim_core::scenario::Scenario;
use sim_core::timeline::{Timeline, TimelineHash};

use super::race::{Contender, Race};
use super::{bare, read};

/// Measures a workload.
type Measure = fn(&mut Race);

/// Their names, and what measures them.
pub(super) const WORKLOADS: [(&str, Measure); 6] =
    [("w1", w1), ("w2", w2), ("w3", w3), ("w4", w4), ("w4-drawn", w4_drawn), ("w5", w5)];

/// Round robin with constant bursts: thread `i` of `threads` needs `base + i % 7` quanta.
pub(super) fn round_robin(processors: u32, threads: u32, quanta: u32) -> String {
    let group = |index: u32| {
        let count = threads / 7 + u32::from(index < threads % 7);
        let cpu = quanta + index;
        format!("[[task]]\nname = \"t{index}\"\ncount = {count}\nprogram = [{{ cpu = \"{cpu}us\" }}]\n")
    };
    let tasks: String = (0..7).map(group).collect();
    format!("[machine]\nprocessors = {processors}\n[scheduler]\npolicy = \"round-robin\"\nquantum = \"1us\"\n{tasks}")
}

pub(super) fn dispatches(threads: u32, quanta: u32) -> u64 {
    (0..7).map(|index| u64::from(threads / 7 + u32::from(index < threads % 7)) * u64::from(quanta + index)).sum()
}

/// A closed network: 100 customers, one processor, two disks, everything exponential.
pub(super) fn network(seconds: u32) -> String {
    let disk = |name: &str| format!("[[device]]\nname = \"{name}\"\nservice = {{ exponential = \"20ms\" }}\n");
    format!(
        "until = \"{seconds}s\"\nscheduler = {{ policy = \"fifo\" }}\n{}{}[[task]]\nname = \"customer\"\ncount = 100\n\
         program = [{{ repeat = \"forever\", do = [{{ cpu = {{ exponential = \"10ms\" }} }}, \
         {{ choose = [[0.5, [{{ io = \"a\" }}]], [0.5, [{{ io = \"b\" }}]]] }}] }}]\n",
        disk("a"),
        disk("b")
    )
}

/// The periods of the tasks of W3 in milliseconds, one after the other; each needs 6 percent of a processor.
pub(super) const PERIODS: [u64; 7] = [5, 8, 10, 20, 25, 40, 50];

/// Tasks that need 6 percent of a processor each, for so many seconds.
pub(super) fn periodic(seconds: u32) -> String {
    let task = |index: usize| {
        let period = PERIODS[index % PERIODS.len()];
        let cpu = period * 60;
        format!("[[task]]\nname = \"t{index}\"\nperiod = \"{period}ms\"\nprogram = [{{ cpu = \"{cpu}us\" }}]\n")
    };
    let tasks: String = (0..50).map(task).collect();
    format!("until = \"{seconds}s\"\n[machine]\nprocessors = 4\n[scheduler]\npolicy = \"edf\"\n{tasks}")
}

/// Ten threads, each with four bursts and three sleeps between them: 120 dispatches.
pub(super) fn small() -> &'static str {
    "[machine]\nprocessors = 2\n[scheduler]\npolicy = \"round-robin\"\nquantum = \"10ms\"\n[[task]]\nname = \"t\"\n\
     count = 10\nprogram = [{ repeat = 3, do = [{ cpu = \"25ms\" }, { sleep = \"15ms\" }] }, { cpu = \"25ms\" }]\n"
}

/// The bare loop and the engine, with what it records; all of them do so many units of work.
fn beside<'a>(scenario: &'a Scenario, units: u64, bare: impl FnMut() -> u64 + 'a) -> Vec<Contender<'a>> {
    let [unheard, summed, kept] = [(); 3].map(|()| Arc::new(cast(scenario)));
    vec![
        Contender::new("bare loop", bare),
        Contender::new("nothing recorded", move || (simulate_as(scenario, &unheard, &mut ()), units).1),
        Contender::keeping("metrics", move || {
            let mut metrics = Metrics::default();
            simulate_as(scenario, &summed, &mut metrics);
            (units, metrics)
        }),
        Contender::keeping("timeline kept", move || {
            let mut both = (Metrics::default(), Timeline::default());
            simulate_as(scenario, &kept, &mut both);
            (units, both)
        }),
    ]
}

fn metrics(scenario: &Scenario) -> Metrics {
    let mut metrics = Metrics::default();
    simulate_as(scenario, &Arc::new(cast(scenario)), &mut metrics);
    metrics
}

fn w1(race: &mut Race) {
    let (processors, threads, quanta) = (4, 64, if race.rounds > 1 { 20_000 } else { 100 });
    let scenario = read(&round_robin(processors, threads, quanta));
    let units = dispatches(threads, quanta);
    assert_eq!(bare::round_robin(processors as usize, threads, quanta), units);
    let names = Arc::new(cast(&scenario));
    let mut contenders = beside(&scenario, units, || bare::round_robin(processors as usize, threads, quanta));
    contenders.push(Contender::new("metrics, hash", || {
        let mut both = (Metrics::default(), TimelineHash::default());
        (simulate_as(&scenario, &names, &mut both), units).1
    }));
    race.run("W1 round robin 4x64", contenders);
}

fn w2(race: &mut Race) {
    let scenario = read(&network(if race.rounds > 1 { 5_000 } else { 10 }));
    // Every request follows a burst.
    let units = metrics(&scenario).devices.iter().map(|device| device.requests).sum();
    race.run("W2 closed network", beside(&scenario, units, || bare::network(100, units)));
}

fn w3(race: &mut Race) {
    let seconds = if race.rounds > 1 { 200 } else { 1 };
    let scenario = read(&periodic(seconds));
    let units = metrics(&scenario).tasks.all_jobs().map(|jobs| jobs.released).sum();
    let bare = || bare::global_edf(4, &PERIODS, 50, u64::from(seconds) * 1_000_000);
    assert_eq!(bare(), units, "the bare loop does the same jobs");
    race.run("W3 global edf, 50 tasks", beside(&scenario, units, bare));
}

/// Processors, threads and quanta of W4.
fn many(race: &Race) -> (u32, u32, u32) {
    if race.rounds > 1 { (1024, 1_000_000, 10) } else { (16, 1000, 3) }
}

fn w4(race: &mut Race) {
    let (processors, threads, quanta) = many(race);
    let scenario = read(&round_robin(processors, threads, quanta));
    let bare = || bare::round_robin(processors as usize, threads, quanta);
    // Before a timeline is kept, which takes more than all else.
    drop(metrics(&scenario));
    print_memory(threads);
    few_rounds(race, |race| race.run("W4 1M threads", beside(&scenario, dispatches(threads, quanta), bare)));
}

fn w4_drawn(race: &mut Race) {
    let (processors, threads, quanta) = many(race);
    let text = round_robin(processors, threads, quanta).replace("us\" }]", "us\" } }]");
    let scenario = read(&text.replace("{ cpu = ", "{ cpu = { exponential = "));
    let bursts = bare::draw_bursts(&scenario);
    let units = bursts.iter().map(|burst| burst.div_ceil(1000).max(1)).sum();
    let bare = || bare::random_round_robin(processors as usize, &bursts);
    few_rounds(race, |race| race.run("W4 1M threads, drawn bursts", beside(&scenario, units, bare)));
}

/// A round takes seconds.
fn few_rounds(race: &mut Race, measure: impl FnOnce(&mut Race)) {
    let rounds = race.rounds;
    race.rounds = rounds.min(3);
    measure(race);
    race.rounds = rounds;
}

/// The most memory this process has had, in bytes per thread of the workload: an upper bound of what a thread costs.
fn print_memory(threads: u32) {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    let kibibytes: f64 = peak.trim().trim_end_matches("kB").trim().parse().unwrap_or_default();
    println!("{:<34} {:>9.0} B", "W4 peak memory per thread", kibibytes * 1024.0 / f64::from(threads));
}

fn w5(race: &mut Race) {
    let scenario = read(small());
    let names = Arc::new(cast(&scenario));
    let sums = metrics(&scenario);
    let switches: u64 = sums.tasks.iter().map(|task| task.voluntary_switches + task.involuntary_switches).sum();
    // The last dispatch of each thread ends with it.
    assert_eq!((switches + 10, bare::small(10)), (120, (120, 500_000)));
    let runs = if race.rounds > 1 { 20_000 } else { 10 };
    let again = |run: &mut dyn FnMut()| {
        (0..runs).for_each(|_| run());
        runs
    };
    let contenders = vec![
        Contender::new("bare loop", || {
            again(&mut || {
                black_box(bare::small(black_box(10)));
            })
        }),
        Contender::new("nothing recorded", || again(&mut || drop(black_box(simulate_as(&scenario, &names, &mut ()))))),
        Contender::new("metrics", || {
            again(&mut || drop(black_box(simulate_as(&scenario, &names, &mut Metrics::default()))))
        }),
        Contender::new("timeline kept", || {
            again(&mut || {
                drop(black_box(simulate_as(&scenario, &names, &mut (Metrics::default(), Timeline::default()))))
            })
        }),
    ];
    race.run("W5 10 tasks, 120 dispatches", contenders);
}
