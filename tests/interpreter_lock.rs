//! What the interpreter lock of CPython does on Linux, in laws that hold for the real one and for the simulated: how long turns
//! are, who has the next one, and how late a thread is that sleeps beside others that compute.

use sim_core::engine::{End, simulate};
use sim_core::metrics::Metrics;
use sim_core::timeline::lanes::Busy;
use sim_core::timeline::{Timeline, What};

use crate::support::{run, scenario};

/// What threads cost on the machine where the real ones were measured, and how its kernel places them.
const MACHINE: &str = r#"
    context-switch = "4us"
    block = "8us"
    local-wake = "8us"
    remote-wake = { uniform = ["20us", "40us"] }
    wake = { uniform = ["30us", "90us"] }
    [scheduler]
    policy = "linux"
    placement = "packed"
    packing = 0.78
    idle-pull = 0.0
    tick-pull = 0.21
"#;

/// Threads under the lock, and what else there is: for three seconds.
struct Case {
    threads: u32,
    processors: u32,
    interval: u64,
}

impl Case {
    fn run(&self, rules: &str, more: &str) -> Timeline {
        let Case { threads, processors, interval } = self;
        let executor = format!(r#"{{ kind = "threads", rules = "{rules}", gil = "{interval}ms" }}"#);
        let work = 3000 / threads;
        let text = format!(
            r#"
            executor = {executor}
            task = [
                {{ name = "H", count = {threads}, program = [{{ cpu = "{work}ms" }}] }},
                {more}
            ]
            [machine]
            processors = {processors}
            {MACHINE}
            base-slice = "1400us"
            "#
        );
        let (scenario, mut timeline) = (scenario(&text), Timeline::default());
        let _ = simulate(&scenario, &mut timeline);
        assert!(timeline.check_simulated(&scenario).is_ok(), "the timeline keeps the laws");
        timeline
    }

    /// Whose turn it was, and how many microseconds from one turn to the next; but the first and the last ones.
    fn turns(&self, rules: &str) -> Vec<(u32, u64)> {
        let mut begun: Vec<(u32, u64)> = Vec::new();
        for stretch in &self.run(rules, "").interpreters()[0].1 {
            let Busy::Run(task) = stretch.state else { continue };
            if begun.last().is_none_or(|(last, _)| *last != task.0) {
                begun.push((task.0, stretch.start.ns() / 1000));
            }
        }
        let turns = begun.windows(2).map(|two| (two[0].0, two[1].1 - two[0].1));
        let turns: Vec<_> = turns.collect();
        turns[3..turns.len() * 3 / 4].to_vec()
    }
}

/// So many of a hundred.
fn share(of: usize, all: usize) -> usize {
    of * 100 / all
}

/// How many turns in a hundred go back to the last but one.
fn goes_back(turns: &[(u32, u64)]) -> usize {
    share(turns.windows(3).filter(|three| three[0].0 == three[2].0).count(), turns.len() - 2)
}

#[test]
fn turns_are_whole_ticks_on_one_processor_and_the_interval_on_two() {
    // Threads, processors, interval, and how long turns are: from, to.
    let table = [
        (2, 1, 1, 7_900, 8_100),
        (2, 1, 5, 11_900, 12_100),
        (2, 1, 20, 23_900, 24_100),
        (3, 1, 5, 7_900, 8_100),
        (4, 1, 20, 23_900, 24_100),
        (2, 2, 1, 1_020, 1_200),
        (2, 2, 5, 5_020, 5_200),
        (2, 2, 20, 20_020, 20_200),
    ];
    for (threads, processors, interval, from, to) in table {
        let turns = Case { threads, processors, interval }.turns("cpython-3.13");
        let within = turns.iter().filter(|(_, length)| (from..to).contains(length)).count();
        assert!(share(within, turns.len()) >= 95, "{threads} on {processors}, {interval} ms: {turns:?}");
    }
}

#[test]
fn on_one_processor_turns_are_in_order_and_on_two_who_asks_mostly_comes_first() {
    // Threads, processors, interval; how many turns of a hundred go back to the last but one, which has asked.
    let table = [(3, 1, 5, 0, 0), (4, 1, 20, 0, 0), (3, 2, 5, 55, 75), (4, 2, 5, 40, 66), (6, 2, 5, 30, 57)];
    for (threads, processors, interval, least, most) in table {
        let case = Case { threads, processors, interval };
        let back = goes_back(&case.turns("cpython-3.13"));
        assert!((least..=most).contains(&back), "{threads} on {processors}: {back} of 100");
    }
}

#[test]
fn who_asks_comes_first_by_chance_alone() {
    let case = Case { threads: 3, processors: 2, interval: 5 };
    let shares = ["0", "0.3", "0.65", "1"].map(|asker| {
        goes_back(&case.turns(&format!(r#"cpython-3.13", gil-asker = {asker}, gil-request = "when-running"#)))
    });
    assert!(shares[0] < 25 && shares[3] > 90 && shares.is_sorted(), "{shares:?}");
}

#[test]
fn a_sleeper_beside_one_that_computes_is_late_by_the_interval() {
    let sleeper = r#"{ name = "S", program = [{ repeat = 100, do = [{ sleep = "1ms" }, { cpu = "100us" }] }] }"#;
    let timeline = Case { threads: 1, processors: 2, interval: 5 }.run("cpython-3.13", sleeper);
    let sleeps: Vec<_> = timeline.blocks.iter().map(|block| block.end).collect();
    assert_eq!(sleeps.len(), 100);
    for end in &sleeps[1..] {
        let next = timeline.intervals.iter().filter(|run| run.what == What::Run && run.task.0 == 1 && run.start > *end);
        let late = next.map(|run| run.start).min().expect("it runs") - *end;
        assert!((5_020_000..5_250_000).contains(&late.ns()), "{late} after {end}");
    }
}

#[test]
fn all_versions_behave_alike() {
    let case = Case { threads: 3, processors: 2, interval: 5 };
    let turns = ["cpython-3.11", "cpython-3.12", "cpython-3.13"].map(|rules| case.turns(rules));
    assert!(turns[0] == turns[1] && turns[1] == turns[2]);
}

/// An interval may end just when the slice of the holder does: it begins another turn at that instant, and is asked all the same.
#[test]
fn intervals_that_end_at_ticks_are_heard() {
    for (tick, interval) in [(4, 4), (4, 8), (4, 20), (1, 5), (1, 1)] {
        let text = format!(
            r#"
            executor = {{ kind = "threads", rules = "cpython-3.13", gil = "{interval}ms" }}
            task = [
                {{ name = "hog", program = [{{ cpu = "100ms" }}] }},
                {{ name = "echo", program = [{{ repeat = 3, do = [{{ sleep = "1ms" }}, {{ cpu = "100us" }}] }}] }},
            ]
            machine = {{ processors = 2 }}
            scheduler = {{ policy = "linux", tick = "{tick}ms" }}
            "#
        );
        let (timeline, _) = crate::support::run(&scenario(&text));
        let finish = timeline.tasks.iter().last().and_then(|echo| echo.finish).map_or(0, |at| at.ns() / 1_000_000);
        // Each of its turns waits for an interval, and for the tick at which it is given a processor at most.
        assert!(finish <= 5 * (interval + tick) + 3, "tick {tick} ms, interval {interval} ms: {finish} ms");
    }
}

/// Who has the lock before the time is over for which it meant to wait is not waited for: a deadlock is when the last of them blocks.
#[test]
fn a_deadlock_is_no_later_for_what_nobody_waits_for() {
    let text = r#"
        executor = { kind = "threads", rules = "cpython-3.13" }
        lock = [{ name = "x" }, { name = "y" }]
        task = [
            { name = "a", program = [{ lock = "x" }, { sleep = "10ms" }, { lock = "y" }] },
            { name = "b", program = [{ lock = "y" }, { sleep = "10ms" }, { lock = "x" }] },
        ]
    "#;
    let (timeline, ending) = crate::support::run(&scenario(text));
    assert_eq!((ending.end.name(), ending.at.ns(), timeline.end.ns()), ("deadlock", 10_000_000, 10_000_000));
}

/// An interval that is shorter than what it takes to get to the lock: whoever has it runs before it is asked for it.
#[test]
fn an_interval_shorter_than_a_switch_keeps_nobody_from_running() {
    let spawns = r#"{ name = "A", program = [{ spawn = "B" }, { cpu = "1us" }] }, { name = "B", arrival = "spawned", program = [] }"#;
    let computes = r#"{ name = "A", count = 3, program = [{ cpu = "2ms" }] }"#;
    for (machine, tasks) in [
        (r#"block = "3us""#, spawns),
        (r#"block = "300us""#, spawns),
        ("processors = 2\nmigration = \"31us\"", computes),
    ] {
        for policy in ["srtf", "fifo", "round-robin\"\nquantum = \"1ms", "eevdf"] {
            let text = format!(
                "until = \"1s\"\nexecutor = {{ kind = \"pool\", workers = 3, gil = \"1us\", gil-request = \"when-running\" }}\ntask = [{tasks}]\n\
                 [machine]\n{machine}\n[scheduler]\npolicy = \"{policy}\""
            );
            let (scenario, mut timeline) = (scenario(&text), Timeline::default());
            let ending = simulate(&scenario, &mut timeline);
            assert_eq!(ending.end, End::Completed, "{text}");
            assert!(timeline.check_simulated(&scenario).is_ok(), "{text}");
        }
    }
}

/// Who yields as soon as the switch to it is over gives the lock up, and its switch was one to it all the same.
#[test]
fn who_yields_at_once_has_had_its_turn() {
    for machine in [
        r#"task-switch = "1us""#,
        r#"operation = "1us""#,
        r#"process-switch = "2us""#,
        r#"local-wake = { uniform = ["0us", "2us"] }"#,
        "context-switch = \"1us\"\nblock = \"1us\"",
    ] {
        for executor in ["pool", "threads"] {
            for processors in 1..=3 {
                let text = format!(
                    "executor = {{ kind = \"{executor}\", gil = \"1us\", gil-request = \"when-running\" }}\n\
                     task = [{{ name = \"A\", count = 4, program = [\"yield\", {{ cpu = \"2us\" }}, \"yield\", \"yield\"] }}]\n\
                     [machine]\nprocessors = {processors}\n{machine}"
                );
                let (scenario, mut timeline) = (scenario(&text), Timeline::default());
                assert_eq!(simulate(&scenario, &mut timeline).end, End::Completed, "{text}");
                let laws = timeline.check_simulated(&scenario);
                assert!(laws.is_ok(), "{text}: {laws:?}");
            }
        }
    }
}

/// Contention is counted once for each acquisition that had to wait, however often it asks again.
#[test]
fn who_asks_again_and_again_for_the_same_thing_has_waited_for_it_once() {
    for object in ["lock", "semaphore"] {
        let text = std::fs::read_to_string(crate::support::root().join("configs/python/starving-semaphore.toml"))
            .expect("readable");
        let text = match object {
            "lock" => text
                .replace("[[semaphore]]", "[[lock]]")
                .replace("permits = 1\n", "")
                .replace("acquire =", "lock =")
                .replace("release =", "unlock ="),
            _ => text,
        };
        for rules in ["cpython-3.11", "cpython-3.14"] {
            let text = text
                .replace("runtime = \"cpython\"", &format!("runtime = {{ kind = \"cpython\", rules = \"{rules}\" }}"));
            let mut timeline = Timeline::default();
            simulate(&scenario(&text), &mut timeline);
            let metrics = sim_core::metrics::Metrics::of(&timeline);
            let sums = metrics.syncs.iter().next().expect("one");
            assert!(0 < sums.contended && sums.contended <= sums.acquisitions, "{object} {rules}: {sums:?}");
            // Each of the others began with a wait that was in vain.
            let first = timeline.blocks.iter().filter(|block| !block.again).count() as u64;
            assert_eq!((sums.waits, sums.contended), (timeline.blocks.len() as u64, first), "{object} {rules}");
        }
    }
}

/// 1000 requests that compute for 5 ms under the lock and ask a database for 5: an M/D/1 queue at a load of 5/6, whose mean wait
/// is 12.5 ms in the long run.
const PUMA: &str = r#"
    machine = { processors = 4 }
    device = [{ name = "db", channels = "unlimited" }]
    [[process]]
    name = "puma"
    executor = { kind = "pool", workers = WORKERS, gil = "100ms" }
    [[process.task]]
    name = "request"
    count = 1000
    arrival = { gap = { exponential = "6ms" } }
    program = [{ cpu = "5ms" }, { io = "db", for = "5ms" }]
"#;

#[test]
#[expect(clippy::cast_precision_loss, reason = "a mean")]
fn more_than_two_threads_of_a_pool_gain_nothing_under_the_lock() {
    let mean = |workers: &str| {
        let sum: f64 = (0..20)
            .map(|seed| {
                let text = format!("seed = {seed}\n{}", PUMA.replace("WORKERS", workers));
                let metrics = Metrics::of(&run(&scenario(&text)).0);
                let turnarounds: Vec<f64> =
                    metrics.tasks.iter().map(|task| (task.finish - task.arrival).ns() as f64 / 1e6).collect();
                turnarounds.iter().sum::<f64>() / turnarounds.len() as f64
            })
            .sum();
        sum / 20.0
    };
    let two = mean("2");
    assert!((20.0..24.0).contains(&two), "{two} ms");
    for workers in ["3", "5", "16"] {
        assert!((mean(workers) - two).abs() < 0.01, "{workers} threads are as two");
    }
    assert!(mean("1") > 10.0 * two, "one thread is none while it waits for the database");
}
