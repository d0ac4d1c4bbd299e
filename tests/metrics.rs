//! The numbers of an outcome: what slowdown means, and that each number is defined where a user looks.

use std::collections::BTreeSet;

use serde_json::Value;
use sim_core::engine::simulate;
use sim_core::metrics::Metrics;
use sim_core::outcome::Outcome;
use sim_core::timeline::TimelineHash;

use crate::support::{configs, root, scenario, sim, temporary};

fn outcome(toml: &str) -> Outcome {
    let scenario = scenario(toml);
    let mut recorder = (Metrics::with_jobs(), TimelineHash::default());
    let ending = simulate(&scenario, &mut recorder);
    Outcome::simulated(&scenario, &ending, &recorder.0, recorder.1)
}

fn slowdowns(toml: &str) -> Vec<Option<f64>> {
    outcome(toml).tasks.iter().map(|task| task.slowdown).collect()
}

#[test]
fn alone_nobody_is_slowed_down() {
    let toml = r#"
        device = [{ name = "disk" }]
        lock = [{ name = "m" }]
        task = [{ name = "A", program = [{ cpu = "1ms" }, { io = "disk", for = "3ms" }, { sleep = "2ms" },
                                         { with = "m", do = [{ cpu = "1ms" }] }] },
                { name = "B", after = ["A"], program = [{ cpu = "2ms" }] },
                { name = "C", arrival = "9ms", period = "5ms", jobs = 3, program = [{ cpu = "1ms" }] }]
        "#;
    assert_eq!(slowdowns(toml), [Some(1.0); 3]);
}

#[test]
fn what_others_have_slows_down() {
    // Of the processor: B waits for 2 ms before its 1 ms.
    let of_processor =
        r#"task = [{ name = "A", program = [{ cpu = "2ms" }] }, { name = "B", program = [{ cpu = "1ms" }] }]"#;
    assert_eq!(slowdowns(of_processor), [Some(1.0), Some(3.0)]);
    // Of the device: B is in its queue for 4 ms, and is served for 2 ms.
    let of_device = r#"
        device = [{ name = "disk" }]
        task = [{ name = "A", program = [{ io = "disk", for = "4ms" }] },
                { name = "B", program = [{ io = "disk", for = "2ms" }] }]
        "#;
    assert_eq!(slowdowns(of_device), [Some(1.0), Some(3.0)]);
    // Of the lock: B needs it for 1 ms, and waits for 3 ms although it has a processor of its own.
    let of_lock = r#"
        machine = { processors = 2 }
        lock = [{ name = "m" }]
        task = [{ name = "A", program = [{ with = "m", do = [{ cpu = "3ms" }] }] },
                { name = "B", program = [{ with = "m", do = [{ cpu = "1ms" }] }] }]
        "#;
    assert_eq!(slowdowns(of_lock), [Some(1.0), Some(4.0)]);
    // By switches: 1 ms for 1 ms of work.
    let by_switch = "machine = { context-switch = '1ms' }\ntask = [{ name = 'A', program = [{ cpu = '1ms' }] }]";
    assert_eq!(slowdowns(by_switch), [Some(2.0)]);
}

#[test]
fn without_an_end_or_anything_to_do_there_is_no_slowdown() {
    let toml = r#"
        until = "2ms"
        task = [{ name = "A", program = ["yield"] }, { name = "B", program = [{ cpu = "3ms" }] }]
        "#;
    assert_eq!(slowdowns(toml), [None, None]);
    let summary = outcome(toml).summary.slowdown;
    assert_eq!((summary.mean, summary.max), (None, None));
}

#[test]
fn the_summary_has_the_statistics_of_slowdown() {
    let toml = r#"task = [{ name = "A", count = 4, program = [{ cpu = "2ms" }] }]"#;
    let summary = outcome(toml).summary.slowdown;
    assert_eq!((summary.mean, summary.p50, summary.max), (Some(2.5), Some(2.0), Some(4.0)));
    assert_eq!((summary.p95, summary.p99), (None, None), "four values say nothing of the worst five in a hundred");
}

/// 30 short requests and 20 long ones one after the other: over both mixed, the median is the time of neither.
#[test]
fn each_kind_has_statistics_of_its_own() {
    let toml = r#"
        machine = { processors = 50 }
        [[process]]
        name = "web"
        count = 2
        [[process.task]]
        name = "short"
        count = 15
        program = [{ cpu = "1ms" }]
        [[process.task]]
        name = "long"
        count = 10
        program = [{ cpu = "60ms" }]
        [[process]]
        name = "clock"
        [[process.task]]
        name = "tick"
        period = "10ms"
        jobs = 100
        program = [{ cpu = "2ms" }]
        "#;
    let kinds = outcome(toml).kinds;
    let names: Vec<&str> = kinds.iter().map(|kind| kind.name.as_str()).collect();
    assert_eq!(names, ["web/short", "web/long", "clock/tick"], "the copies of a process are one kind");
    let of = |index: usize| (&kinds[index].turnaround_ns, kinds[index].instances, kinds[index].finished);
    let (short, instances, finished) = of(0);
    assert_eq!((instances, finished), (30, 30));
    assert_eq!(
        (short.p50, short.p95, short.p99),
        (Some(1_000_000), Some(1_000_000), None),
        "30 values are too few for p99"
    );
    let (long, instances, _) = of(1);
    assert_eq!((instances, long.p50, long.p95, long.max), (20, Some(60_000_000), Some(60_000_000), Some(60_000_000)));
    // Behind the fifty others, who leave at 1 ms and at 60 ms.
    let responses = kinds[2].response_ns.as_ref().expect("the tasks are periodic");
    assert_eq!((responses.p50, responses.p99, responses.max), (Some(2_000_000), Some(2_000_000), Some(3_000_000)));
    assert_eq!(kinds[2].latency(), responses);
    assert!(kinds[0].response_ns.is_none());
}

/// All keys of all outcomes of our scenarios, as far as they hold numbers.
#[test]
fn every_number_is_defined() {
    let text = std::fs::read_to_string(root().join("docs/metrics.md")).expect("docs/metrics.md is there");
    let mut keys = BTreeSet::new();
    for config in configs() {
        let toml = std::fs::read_to_string(&config).expect("readable");
        let outcome = serde_json::to_value(outcome(&toml)).expect("an outcome is a document");
        for part in [
            "tasks",
            "kinds",
            "processors",
            "devices",
            "locks",
            "semaphores",
            "channels",
            "condvars",
            "barriers",
            "summary",
        ] {
            numbers(&outcome[part], &mut keys);
        }
    }
    assert!(keys.contains("worst_response_ns") && keys.contains("slowdown"), "{keys:?}");
    let undefined: Vec<&String> = keys.iter().filter(|key| !text.contains(&format!("`{key}`"))).collect();
    assert!(undefined.is_empty(), "docs/metrics.md does not define {undefined:?}");
}

fn numbers(value: &Value, keys: &mut BTreeSet<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| numbers(item, keys)),
        Value::Object(map) => {
            for (key, value) in map {
                if !value.is_string() && key != "instance" {
                    keys.insert(key.clone());
                }
                numbers(value, keys);
            }
        }
        _ => {}
    }
}

#[test]
fn who_finds_something_taken_contends_for_it_however_long_that_lasts() {
    // Both begin to wait when the run ends, for ever.
    let of_a_lock = |kind: &str, take: &str| {
        let outcome = outcome(&format!(
            r#"
            machine = {{ processors = 2 }}
            {kind} = [{{ name = "m" }}, {{ name = "n" }}]
            task = [{{ name = "A", program = [{{ {take} = "m" }}, {{ cpu = "2ms" }}, {{ {take} = "n" }}] }},
                    {{ name = "B", program = [{{ {take} = "n" }}, {{ cpu = "2ms" }}, {{ {take} = "m" }}] }}]
            "#
        ));
        outcome.locks.iter().map(|lock| (lock.contended, lock.mean_wait_ns)).collect::<Vec<_>>()
    };
    for (kind, take) in [("lock", "lock"), ("rwlock", "write")] {
        assert_eq!(of_a_lock(kind, take), [(1, Some(0.0)), (1, Some(0.0))], "{kind}");
    }
    // B asks before A, on a processor with a higher number, gives it back at the same instant.
    let outcome = outcome(
        r#"
        machine = { processors = 2 }
        semaphore = [{ name = "s", permits = 1 }]
        channel = [{ name = "c", capacity = 1 }]
        task = [{ name = "B", program = [{ cpu = "2ms" }, { acquire = "s" }, { recv = "c" }, { recv = "c" }] },
                { name = "A", program = [{ acquire = "s" }, { cpu = "2ms" }, { send = "c" }, { release = "s" }] }]
        "#,
    );
    assert_eq!((outcome.semaphores[0].contended, outcome.semaphores[0].mean_wait_ns), (1, Some(0.0)));
    assert_eq!((outcome.channels[0].contended, outcome.end), (1, "deadlock"));
}

#[test]
fn no_mean_wait_is_longer_than_the_longest_wait() {
    // Three wait for 9 ms, to the end: with the one who got it at once, 27 ms over four.
    let held = outcome(
        r#"
        until = "10ms"
        machine = { processors = 4 }
        lock = [{ name = "m" }]
        semaphore = [{ name = "s", permits = 1 }]
        task = [{ name = "A", program = [{ lock = "m" }, { acquire = "s" }, { cpu = "1s" }, { unlock = "m" }] },
                { name = "B", count = 3, arrival = "1ms", program = [{ lock = "m" }, { cpu = "1ms" }, { unlock = "m" }] }]
        "#,
    );
    let lock = &held.locks[0];
    assert_eq!((lock.acquisitions, lock.contended, lock.mean_wait_ns), (1, 3, Some(6_750_000.0)));
    // One who waits for two permits, one for a message, and nobody who gives either.
    let stuck = outcome(
        r#"
        machine = { processors = 2 }
        semaphore = [{ name = "s", permits = 2 }]
        channel = [{ name = "c", capacity = 1 }]
        task = [{ name = "A", program = [{ acquire = "s" }, { cpu = "4ms" }, { recv = "c" }] },
                { name = "B", program = [{ cpu = "1ms" }, { acquire = "s", count = 2 }, { cpu = "1ms" }] }]
        "#,
    );
    assert_eq!((stuck.end, stuck.semaphores[0].mean_wait_ns), ("deadlock", Some(1_500_000.0)));
    // It was got by whoever waited at the very end: nobody asked twice.
    let got = outcome(
        r#"
        machine = { processors = 2 }
        lock = [{ name = "m" }]
        task = [{ name = "A", program = [{ lock = "m" }, { cpu = "4ms" }, { unlock = "m" }] },
                { name = "B", arrival = "2ms", program = [{ lock = "m" }, { unlock = "m" }] }]
        "#,
    );
    assert_eq!((got.end, got.locks[0].mean_wait_ns), ("completed", Some(1_000_000.0)));
}

/// The first is served at once, the second gives up, and for the third there is no room: their times are no sample of one thing.
#[test]
fn who_was_served_and_who_was_not_stand_apart() {
    let toml = r#"
        device = [{ name = "desk", queue = 1 }]
        task = [{ name = "customer", count = 3, program = [{ io = "desk", for = "8ms", within = "10ms", else = ["end"] }] }]
        "#;
    let outcome = outcome(toml);
    let kind = &outcome.kinds[0];
    let served = kind.served_turnaround_ns.as_ref().and_then(|of| of.mean);
    let gone = kind.gone_turnaround_ns.as_ref().and_then(|of| of.mean);
    assert_eq!((kind.served, served, kind.gone, gone), (Some(1), Some(8e6), Some(2), Some(5e6)));
    let third = Some(1.0 / 3.0);
    assert_eq!((kind.given_up_share, kind.rejected_share), (third, third));
    assert_eq!((outcome.summary.given_up_share, outcome.devices[0].rejected_share), (third, third));
    let path = temporary("apart", toml).display().to_string();
    let text = String::from_utf8(sim(&["run", &path]).stdout).expect("text");
    for row in ["customer                      3", "  served                      1", "  went without                2"]
    {
        assert!(text.contains(row), "{row}: {text}");
    }
    // Where all have what they asked for there is nothing to tell apart.
    let patient = self::outcome(&toml.replace("queue = 1", "queue = 2").replace("10ms", "40ms"));
    assert_eq!((patient.kinds[0].served, patient.kinds[0].given_up_share), (None, None));
    assert_eq!((patient.summary.given_up_share, patient.summary.rejected_share), (Some(0.0), Some(0.0)));
}

#[test]
fn servers_tell_what_they_granted_and_how_often_that_was_not_enough() {
    let toml = r#"
        until = "20ms"
        scheduler = { policy = "priority" }
        server = [{ name = "S", kind = "deferrable", budget = "2ms", period = "10ms", priority = 5 }]
        task = [
            { name = "A", arrival = "1ms", server = "S", program = [{ cpu = "3ms" }] },
            { name = "P", period = "10ms", program = [{ cpu = "4ms" }] },
        ]
        "#;
    let outcome = outcome(toml);
    // It runs from 1 to 3 and from 10 to 11 ms, and waits in between.
    let [server] = outcome.servers.as_slice() else { panic!("one server: {:?}", outcome.servers) };
    assert_eq!((server.name.as_str(), server.kind, server.budget_ns), ("S", "deferrable", 2_000_000));
    assert_eq!((server.running_ns, server.budget_share), (3_000_000, Some(0.75)));
    assert_eq!((server.waits, server.waited_ns), (1, 7_000_000));
    let path = temporary("servers", toml).display().to_string();
    let text = String::from_utf8(sim(&["run", &path]).stdout).expect("text");
    let row = text.lines().find(|line| line.starts_with("S  ")).unwrap_or_else(|| panic!("{text}"));
    let cells: Vec<&str> = row.split_whitespace().collect();
    assert_eq!(cells, ["S", "deferrable", "2", "10", "3", "75.0", "%", "1×", "7"], "{text}");
}

#[test]
fn means_are_of_those_that_finished() {
    // The third has its first slice when the horizon comes.
    let toml = |count: u32| {
        format!("until = '25ms'\ntask = [{{ name = 'A', count = {count}, program = [{{ cpu = '10ms' }}] }}]")
    };
    let rows = |count: u32, start: &str| -> Vec<Vec<String>> {
        let path = temporary("means", &toml(count)).display().to_string();
        let text = String::from_utf8(sim(&["run", &path, "--no-timeline"]).stdout).expect("text");
        let lines = text.lines().skip_while(|line| !line.starts_with("TASK")).take_while(|line| !line.is_empty());
        let rows = lines.filter(|line| line.trim_start().starts_with(start));
        rows.map(|line| line.split("  ").map(|cell| cell.trim().to_owned()).filter(|cell| !cell.is_empty()).collect())
            .collect()
    };
    assert_eq!(rows(3, "mean"), [["mean", "15.0", "10.0", "5.0", "0.0", "0.0"]]);
    assert_eq!(
        rows(50, "A"),
        [["A", "50", "2", "5.0", "15.0", "20", "10.0", "5.0", "0.0", "0.0"]].map(|row| row.to_vec())
    );
}

#[test]
fn variations_tell_how_long_groups_stood_still() {
    let varied = ["run", "configs/container-quota.toml", "--vary", "process.web.executor.workers=2,8"];
    let text = String::from_utf8(sim(&varied).stdout).expect("text");
    let cells = |start: &str| -> Vec<String> {
        let line = text.lines().find(|line| line.starts_with(start)).unwrap_or_else(|| panic!("{start}: {text}"));
        line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).map(str::to_owned).collect()
    };
    let headings = cells("VARIATION");
    let place = headings.iter().position(|heading| heading == "throttled").expect("a column");
    assert_eq!(headings[place + 1], "of quota");
    assert_eq!(cells("workers=2 ")[place..=place + 1], ["0.0", "96.6 %"]);
    assert_eq!(cells("workers=8 ")[place..=place + 1], ["1180.0", "96.6 %"]);
    // Without quotas there are no such columns.
    let other = ["run", "configs/convoy.toml", "--vary", "machine.processors=1,2"];
    assert!(!String::from_utf8(sim(&other).stdout).expect("text").contains("throttled"));
}

#[test]
fn groups_stand_still_as_the_kernel_counts_it() {
    // Periods in which somebody stood still, and the time summed over processors that somebody could have used.
    let stood = |quota: &str, count: u32| {
        let text = format!(
            "machine = {{ processors = 2 }}\ngroup = [{{ name = 'web', {quota} }}]\n\
             task = [{{ name = 'A', count = {count}, program = [{{ cpu = '12ms' }}] }}]"
        );
        let group = &outcome(&text).groups[0];
        (group.throttles, group.throttled_ns / 1_000_000)
    };
    // One thread: 5 of every 10 ms, and 2 at last; the other processor is of no use to it.
    assert_eq!(stood("quota = '5ms', period = '10ms'", 1), (2, 10));
    assert_eq!(stood("quota = '5ms', period = '10ms', slice = '5ms'", 1), (2, 10));
    // Two have 5 of every 20 ms each.
    assert_eq!(stood("quota = '10ms', period = '20ms'", 2), (2, 60));
    assert_eq!(stood("quota = '10ms', period = '20ms', slice = '5ms'", 2), (2, 60));
}

#[test]
fn shares_of_groups_are_ratios_of_whole_numbers() {
    let toml = "
        scheduler = { policy = 'round-robin', quantum = '1ms' }
        group = [{ name = 'a' }, { name = 'b' }]
        process = [
            { name = 'p', group = 'a', task = [{ name = 'x', program = [{ cpu = '100ms' }] }] },
            { name = 'q', group = 'b', task = [{ name = 'y', program = [{ cpu = '300ms' }] }] },
        ]";
    let shares: Vec<Option<f64>> = outcome(toml).groups.iter().map(|group| group.share).collect();
    assert_eq!(shares, [Some(0.25), Some(0.75)]);
}
