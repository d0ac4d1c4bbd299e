//! `sim run --vary` and `--replications`: what a person sees who asks what would be if.

use serde_json::Value;

use crate::support::{sim, temporary};

fn said(arguments: &[&str]) -> (String, String) {
    let output = sim(arguments);
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    let (out, err) = (text(output.stdout), text(output.stderr));
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {err}");
    (out, err)
}

fn json(arguments: &[&str]) -> Value {
    serde_json::from_str(&said(arguments).0).expect("it is JSON")
}

const POOL: &str = r#"
seed = 5
[[process]]
name = "web"
executor = { kind = "pool", workers = 2 }
[[process.task]]
name = "request"
count = 4
arrival = { every = "1ms" }
program = [{ sleep = "3ms" }]
[[process.task]]
name = "late"
arrival = "4ms"
program = [{ sleep = "1ms" }]
"#;

#[test]
fn parameters_that_vary_are_named_as_far_as_tells_them_apart() {
    let text = r#"
        process = [
            { name = "a", executor = { kind = "pool", workers = 1 }, task = [{ name = "A", program = [{ cpu = "1ms" }] }] },
            { name = "b", executor = { kind = "pool", workers = 1 }, task = [{ name = "B", program = [{ cpu = "1ms" }] }] },
        ]
    "#;
    let path = temporary("what-if-apart", text).display().to_string();
    let of = |name: &str| format!("process.{name}.executor.workers=1,2");
    let labels = |arguments: &[&str]| -> Vec<String> {
        let document = json(&[&["run", &path, "--json"], arguments].concat());
        let variations = document["variations"].as_array().expect("a list");
        variations.iter().filter_map(|variation| Some(variation["label"].as_str()?.to_owned())).collect()
    };
    let (a, b) = (of("a"), of("b"));
    let both = labels(&["--vary", &a, "--vary", &b, "--vary", "machine.processors=1"]);
    assert_eq!(both.len(), 4);
    assert_eq!(both[1], "a.executor.workers=1 b.executor.workers=2 processors=1");
    assert_eq!(labels(&["--vary", &a]), ["workers=1", "workers=2"]);
}

#[test]
fn groups_and_variables_have_tables_beside_the_others() {
    let text = r#"
        scheduler = { policy = "stride", quantum = "1ms" }
        variable = [{ name = "done", value = 0 }]
        group = [{ name = "x", weight = 100 }, { name = "y", weight = 300 }]
        process = [
            { name = "a", group = "x", task = [{ name = "A", program = [{ cpu = "3ms" }, { add = "done", by = 2 }] }] },
            { name = "b", group = "y", task = [{ name = "B", program = [{ cpu = "9ms" }] }] },
        ]
    "#;
    let path = temporary("what-if-groups", text).display().to_string();
    let (table, _) = said(&["run", &path, "--vary", "group.y.weight=300,100"]);
    let rows = |heading: &str| -> Vec<String> {
        let lines = table.lines().skip_while(|line| !line.starts_with(heading)).take_while(|line| !line.is_empty());
        lines.map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
    };
    assert_eq!(
        rows("GROUPS (ms)"),
        [
            "GROUPS (ms) weight due of all running",
            "weight=300 x 100 25.0 % 25.0 % 3.0",
            "weight=300 y 300 75.0 % 75.0 % 9.0",
            "weight=100 x 100 50.0 % 25.0 % 3.0",
            "weight=100 y 100 50.0 % 75.0 % 9.0",
        ],
        "{table}"
    );
    assert_eq!(rows("VARIABLES")[1..], ["weight=300 done 2 1 0 2 0.50", "weight=100 done 2 1 0 2 1.17"], "{table}");
}

#[test]
fn who_finds_every_worker_taken_has_waited_for_one() {
    let path = temporary("what-if-pool", POOL).display().to_string();
    // Requests come at 0, 1, 2 and 3 ms and take 3 ms: the third waits from 2 to 3 ms, the fourth from 3 to 4 ms, for at 3 ms
    // one worker goes to the third. Who comes at 4 ms, when a worker is free and goes to the fourth, waits too.
    let document = json(&["run", &path, "--json"]);
    let kind = |index: usize, key: &str| document["kinds"][index][key].clone();
    assert_eq!((kind(0, "waited_for_worker"), kind(0, "waited_share")), (2.into(), 0.5.into()));
    assert_eq!((kind(1, "waited_for_worker"), kind(1, "waited_share")), (1.into(), 1.0.into()));
    assert_eq!(document["summary"]["waited_share"], 0.6);
    let four = json(&["run", &path, "--json", "--set", "process.web.executor.workers=4"]);
    assert_eq!(four["summary"]["waited_share"], 0.0);
    let threads = json(&["run", &path, "--json", "--set", "process.web.executor=threads"]);
    assert_eq!(
        (&threads["summary"]["waited_share"], &threads["kinds"][0]["waited_share"]),
        (&Value::Null, &Value::Null)
    );
    // In the table beside the others.
    let (table, _) = said(&["run", &path, "--vary", "process.web.executor.workers=1..4:log3"]);
    assert!(table.contains("waited for worker"), "{table}");
    let cells = |label: &str| -> Vec<String> {
        let line = table.lines().find(|line| line.starts_with(label)).expect("a row");
        line.split_whitespace().map(str::to_owned).collect()
    };
    assert!(
        cells("workers=2").contains(&"60.0".to_owned()) && cells("workers=4").contains(&"0.0".to_owned()),
        "{table}"
    );
}

#[test]
fn percentiles_stand_beside_the_mean_where_there_is_one_kind_of_task() {
    let vary =
        ["run", "configs/mm1.toml", "--set", "task.request.count=200", "--vary", "device.server.discipline=fifo,lifo"];
    let (table, _) = said(&vary);
    let heading: Vec<&str> = table.lines().next().expect("a heading").split_whitespace().collect();
    assert!(heading.join(" ").contains("makespan turnaround p50 p95 p99 waited worst"), "{table}");
    assert!(!table.contains("KINDS"), "the only kind is told already: {table}");
    let (several, _) = said(&["run", "configs/convoy.toml", "--vary", "machine.processors=1,2"]);
    assert!(!several.lines().next().expect("a heading").contains("p50"), "{several}");
}

#[test]
fn replications_have_intervals_and_paired_differences() {
    let vary = ["run", "configs/mm1.toml", "--vary", "device.server.discipline=fifo,shortest", "--replications", "12"];
    let document = json(&[vary.as_slice(), &["--json"]].concat());
    let variations = document["variations"].as_array().expect("a list");
    let of = |variation: usize, metric: &str| -> Value {
        let rows = variations[variation]["replications"]["rows"].as_array().expect("a list");
        rows.iter().find(|row| row["metric"] == metric).expect("the row").clone()
    };
    // Replication 0 has the seed itself, and all variations have the same seeds.
    let seeds = |variation: usize| variations[variation]["replications"]["seeds"].clone();
    assert_eq!((seeds(0), &seeds(0)[0]), (seeds(1), &6.into()));
    assert_eq!(seeds(0).as_array().map(Vec::len), Some(12));
    assert_eq!(variations[0]["outcome"], json(&["run", "configs/mm1.toml", "--json"]));
    assert_eq!(of(0, "latency.mean")["verdict"], "baseline");
    // In an order or another the server is busy equally long, and the shortest first is quicker in the mean.
    assert_eq!(
        (of(1, "makespan")["difference"].clone(), of(1, "makespan")["verdict"].clone()),
        (0.0.into(), "not distinguishable".into())
    );
    let latency = of(1, "latency.mean");
    assert_eq!((&latency["verdict"], &latency["n"], &latency["unit"]), (&"better".into(), &12.into(), &"ns".into()));
    let number = |row: &Value, key: &str| row[key].as_f64().expect("a number");
    let means = number(&latency, "mean") - number(&of(0, "latency.mean"), "mean");
    assert!((number(&latency, "difference") - means).abs() < 1.0);
    assert!(number(&latency, "difference_low") < means && means < number(&latency, "difference_high"));
    // Pairs see the same chance: their difference is surer than the means are.
    assert!(
        number(&latency, "difference_high") - number(&latency, "difference_low")
            < number(&latency, "high") - number(&latency, "low")
    );
    let (table, _) = said(&vary);
    assert!(table.contains("MEAN LATENCY (ms)") && table.contains("* differs from discipline=fifo"), "{table}");
    assert!(table.lines().all(|line| line.chars().count() <= 100), "{table}");
    // A single replication is what running its seed gives.
    let third = seeds(0)[2].to_string();
    let lines = said(&["run", "configs/mm1.toml", "--replications", "3", "--jsonl"]).0;
    let line: Value = serde_json::from_str(lines.lines().nth(2).expect("three lines")).expect("JSON");
    assert_eq!(
        (&line["outcome"], &line["replication"]),
        (&json(&["run", "configs/mm1.toml", "--seed", &third, "--json"]), &2.into())
    );
}

#[test]
fn one_scenario_replicated_is_one_outcome_with_more() {
    let mut document = json(&["run", "configs/mm1.toml", "--replications", "4", "--json"]);
    let together = document.as_object_mut().expect("an object").remove("replications").expect("they are there");
    assert_eq!(document, json(&["run", "configs/mm1.toml", "--json"]));
    assert_eq!(
        (&together["n"], &together["level"], &together["same_timeline"]),
        (&4.into(), &0.95.into(), &false.into())
    );
    assert_eq!(together["rows"][0].get("verdict"), None);
    let (table, remarks) = said(&["run", "configs/convoy.toml", "--replications", "2"]);
    assert!(table.starts_with("2 SEEDS (ms)"), "{table}");
    assert_eq!(remarks, "remark: every seed gave the same run: nothing in the scenario is drawn\n");
}

#[test]
fn replications_say_how_runs_ended_and_what_they_cannot_do() {
    let deadlock = sim(&["run", "configs/deadlock.toml", "--replications", "3"]);
    assert_eq!(deadlock.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&deadlock.stdout).contains("3 of 3 runs ended in a deadlock"));
    for (arguments, word) in [
        (["--vary", "seed=1,2"], "leave one of them out"),
        (["--plot", "a.png"], "cannot be used with"),
        (["--replications", "1"], "2..=1000000"),
    ] {
        let output = sim(&[
            &["run", "configs/mm1.toml", "--replications", "3"][..if arguments[0] == "--replications" { 2 } else { 4 }],
            &arguments,
        ]
        .concat());
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(said.contains(word), "{said}");
    }
}
