//! `sim diff`: two outcomes or scenarios against each other.

use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use sim_core::compare::{compare, parting};
use sim_core::document::Source;
use sim_core::engine::simulate;
use sim_core::metrics::Metrics;
use sim_core::outcome::Outcome;
use sim_core::outcome::reading::Reading;
use sim_core::scenario::lower;
use sim_core::timeline::{Timeline, TimelineHash};

use crate::support::{configs, root, sim, temporary};

const CONVOY: &str = "configs/convoy.toml";
const SRTF: [&str; 2] = ["--set-b", "scheduler.policy=srtf"];

struct Said {
    code: Option<i32>,
    out: String,
    err: String,
}

fn said(arguments: &[&str]) -> Said {
    let output = sim(arguments);
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    Said { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

fn document(arguments: &[&str]) -> Value {
    let said = said(&[&["diff"], arguments, &["--json"]].concat());
    assert!(matches!(said.code, Some(0 | 1)), "{}", said.err);
    serde_json::from_str(&said.out).expect("it is JSON")
}

/// A document that `run` writes, as a file.
fn written(name: &str, arguments: &[&str]) -> String {
    let output = said(&[&["run"], arguments, &["--json"]].concat());
    let file = temporary(&format!("diff-{name}"), &output.out).with_file_name("outcome.json");
    std::fs::write(&file, output.out).expect("written");
    file.display().to_string()
}

#[test]
fn what_is_the_same_is_called_the_same() {
    let twice = said(&["diff", CONVOY, CONVOY]);
    assert_eq!(twice.code, Some(0));
    assert!(twice.out.contains("A and B are the same run: the same timeline (hash "), "{}", twice.out);
    let read = written("same", &[CONVOY, "--timeline"]);
    let document = document(&[&read, CONVOY, "--tolerance", "0"]);
    assert_eq!(
        (&document["identical"], &document["agreement"], &document["parting"]),
        (&true.into(), &1.0.into(), &Value::Null)
    );
    assert_eq!(document["tolerance"], json!({ "given": [{ "share": 0.0 }], "broken": [] }));
}

#[test]
fn two_policies_part_somewhere_and_the_difference_is_told() {
    let both = said(&[&["diff", CONVOY, "--no-timeline"], SRTF.as_slice()].concat());
    assert_eq!(both.code, Some(0), "without a tolerance a difference is no finding");
    for words in [
        "B is faster: it takes 335 ms, 31 ms less (8.5 %) than A with 366 ms.",
        "Most of that is 4 × server/short (-1.088 s)",
        "waiting for a processor: -1.07 s",
        "They part at the start: on processor 0 A runs server/hog#0, and B runs server/short#0",
    ] {
        assert!(both.out.replace('\n', " ").contains(words), "{words}:\n{}", both.out);
    }
    let document = document(&[&[CONVOY], SRTF.as_slice()].concat());
    let makespan = &document["summary"][0];
    assert_eq!(
        (&makespan["metric"], &makespan["unit"], &makespan["difference"]),
        (&"makespan".into(), &"ns".into(), &(-31e6).into())
    );
    assert_eq!(document["parting"]["b"], json!({ "task": "server/short#0", "what": "run" }));
    // The parts of the difference of a task add up to it, the largest difference first.
    let tasks = document["tasks"].as_array().expect("a list");
    let number = |task: &Value, key: &str| task[key].as_f64().expect("a number");
    let sizes: Vec<f64> = tasks.iter().map(|task| number(task, "difference_ns").abs()).collect();
    assert!(sizes.is_sorted_by(|a, b| a >= b), "{sizes:?}");
    for task in tasks {
        let parts = ["running_ns", "waiting_ns", "blocked_ns", "overhead_ns"].map(|key| number(task, key));
        assert_eq!(parts.iter().sum::<f64>(), number(task, "difference_ns"), "{task}");
    }
    // What all tasks lose in the mean they lose together to the causes.
    let sum =
        |key: &str| document["causes"].as_array().expect("a list").iter().map(|cause| number(cause, key)).sum::<f64>();
    assert_eq!(sum("difference_ns"), tasks.iter().map(|task| number(task, "difference_ns")).sum::<f64>());
}

#[test]
fn a_document_with_its_timeline_is_as_good_as_the_scenario() {
    let [fifo, srtf] = ["fifo", "srtf"].map(|policy| {
        let set = format!("scheduler.policy={policy}");
        written(policy, &[CONVOY, "--set", &set, "--timeline", "--explain"])
    });
    let (read, simulated) = (document(&[&fifo, &srtf]), document(&[&[CONVOY], SRTF.as_slice()].concat()));
    for key in
        ["summary", "kinds", "tasks", "causes", "parting", "horizon_ns", "agreement", "service_distance_ns", "words"]
    {
        assert_eq!(read[key], simulated[key], "{key}");
    }
    let numbers = written("numbers", &[CONVOY]);
    let text = said(&["diff", &numbers, &srtf]).out;
    assert!(
        text.contains("A has none; `--json --timeline` writes one")
            && text.contains("known of runs made with --explain"),
        "{text}"
    );
    let only = document(&[&numbers, &srtf]);
    assert_eq!((&only["summary"], &only["agreement"]), (&simulated["summary"], &Value::Null));
}

#[test]
fn every_timeline_is_read_back_from_its_document() {
    for file in configs() {
        let text = std::fs::read_to_string(&file).expect("text");
        let source = Source { file: "scenario.toml", text: &text };
        // Those that name a profile are read with files beside them, which is the command line's business.
        let Ok(scenario) = lower::scenario(&source, &[]) else { continue };
        let mut all = ((Metrics::with_jobs(), TimelineHash::default()), Timeline::default());
        let ending = simulate(&scenario, &mut all);
        let ((metrics, hash), timeline) = all;
        let outcome = Outcome::simulated(&scenario, &ending, &metrics, hash).with_timeline(&timeline);
        let read = Reading::of(&outcome).expect("it reads what it writes").timeline().expect("whole").expect("there");
        assert_eq!(parting(&timeline, &read), None, "{}", file.display());
        let distance = compare(&timeline, std::slice::from_ref(&read));
        assert_eq!((distance.agreement, distance.service_distance_ns), (Some(1.0), Some(0)), "{}", file.display());
        assert_eq!(timeline.makespan(), read.makespan(), "{}", file.display());
        assert_eq!(timeline.jobs.len(), read.jobs.len());
    }
}

#[test]
fn a_tolerance_is_a_gate() {
    let code = |tolerances: &[&str]| {
        let given: Vec<&str> = tolerances.iter().flat_map(|tolerance| ["--tolerance", tolerance]).collect();
        said(&[&["diff", CONVOY, "-q"], SRTF.as_slice(), &given].concat()).code
    };
    // The makespan is off by 31 ms of 366 (8.5 %), the latency of hog by 18 of 317 (5.7 %), that of short by 272 of 363 (75 %).
    assert_eq!([code(&["74%"]), code(&["75%"]), code(&["0.76"])], [Some(1), Some(0), Some(0)]);
    assert_eq!([code(&["271ms"]), code(&["272ms"])], [Some(1), Some(0)]);
    // Broken is what exceeds all of them.
    assert_eq!([code(&["1%", "300ms"]), code(&["80%", "1ms"]), code(&["1%", "1ms"])], [Some(0), Some(0), Some(1)]);
    let why = said(&[&["diff", CONVOY, "-q", "--tolerance", "8%"], SRTF.as_slice()].concat());
    assert_eq!(why.out, "");
    assert!(
        why.err.starts_with("finding: the makespan is 335 ms in B and 366 ms in A (-8.47 %), which is beyond 8 %\n"),
        "{}",
        why.err
    );
    assert!(!why.err.contains("hog"), "that is off by less: {}", why.err);
    let deadlock = said(&["diff", "configs/deadlock.toml", "--set-b", "until=1ms", "-q", "--tolerance", "100%"]);
    assert!(
        deadlock.err.contains("finding: A ended in a deadlock, and B was ended by the horizon"),
        "{}",
        deadlock.err
    );
    // The horizon says nothing of the makespan.
    let horizon =
        document(&["configs/priority-inversion.toml", "--set-b", "lock.bus.protocol=inherit", "--tolerance", "1%"]);
    let broken = horizon["tolerance"]["broken"].to_string();
    assert!(broken.contains("main/bus") && !broken.contains("makespan"), "{broken}");
    assert!(horizon["words"].as_str().expect("words").starts_with("The horizon ends both at 40 ms"), "{horizon}");
}

#[test]
fn who_is_in_one_of_them_only_is_named() {
    let more = ["diff", "configs/mm1.toml", "--set-b", "task.request.count=42", "--no-timeline"];
    let text = said(&more).out;
    assert!(text.contains("only in B, and not in A: main/request#40, main/request#41"), "{text}");
    let document = document(&more[1..4]);
    assert_eq!((&document["only_in_a"], document["only_in_b"].as_array().map(Vec::len)), (&json!([]), Some(2)));
    let processors = said(&["diff", CONVOY, "--set-b", "machine.processors=2", "--no-timeline"]);
    assert!(
        processors.out.contains("on processor 1, which A does not have, B runs server/short#0"),
        "{}",
        processors.out
    );
}

#[test]
fn one_of_several_outcomes_is_chosen() {
    let variations = written("variations", &[CONVOY, "--vary", "machine.processors=1,2", "--timeline"]);
    let two = document(&[&variations]);
    assert_eq!(
        (two["a"]["makespan_ns"].as_u64(), two["b"]["makespan_ns"].as_u64()),
        (Some(366_000_000), Some(303_000_000))
    );
    let turned = document(&[&variations, "--pick-a", "processors=2", "--pick-b", "1"]);
    assert_eq!(turned["b"]["makespan_ns"], 366_000_000);
    assert!(
        said(&["diff", &variations, CONVOY]).err.contains("`processors=1`, `processors=2`\nhint: choose with --pick-a")
    );
    // Of what `compare` writes: what was simulated against the run with the median makespan.
    let outcome = |processors: &str| -> Value {
        let set = format!("machine.processors={processors}");
        serde_json::from_str(&said(&["run", CONVOY, "--set", &set, "--json"]).out).expect("JSON")
    };
    let (mut one, two) = (outcome("1"), outcome("2"));
    one["source"] = "measured".into();
    let compared =
        json!({ "format": 1, "simulated": two, "predicted": [], "measured": [one, two, one], "comparison": {} });
    let file = temporary("diff-compared", &compared.to_string()).display().to_string();
    let text = said(&["diff", &file]).out;
    assert!(
        text.contains("(simulated)") && text.contains("the median of 3 runs with makespans from 303 ms to 366 ms"),
        "{text}"
    );
    assert!(text.replace('\n', " ").contains("The makespan of A lies among those of the 3 runs of B"), "{text}");
    assert!(said(&["diff", &file, CONVOY]).out.contains("(measured)"));
}

#[test]
fn standard_input_is_read_once() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_sim"))
        .args(["diff", "-", CONVOY])
        .current_dir(root())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("sim starts");
    let outcome = said(&["run", CONVOY, "--json", "--timeline"]).out;
    child.stdin.take().expect("a pipe").write_all(outcome.as_bytes()).expect("written");
    let out = String::from_utf8(child.wait_with_output().expect("it ends").stdout).expect("text");
    assert!(out.contains("A: standard input") && out.contains("the same run"), "{out}");
    assert_eq!(said(&["diff", "-", "-"]).code, Some(2));
    assert!(said(&["diff", CONVOY, CONVOY, CONVOY]).err.contains("tip: it takes two"));
}

#[test]
fn what_is_no_outcome_is_refused_with_what_would_be_one() {
    let whole = said(&["run", CONVOY, "--json", "--timeline"]).out;
    let changed = |edit: &dyn Fn(&mut Value)| {
        let mut document: Value = serde_json::from_str(&whole).expect("JSON");
        edit(&mut document);
        document.to_string()
    };
    let lines = said(&["run", "configs/mm1.toml", "--vary", "seed=1,2", "--jsonl"]).out;
    for (name, text, words) in [
        ("cut", whole[..300].to_owned(), "it ends in the middle of the document"),
        ("empty", "{}".to_owned(), "not an outcome: it has no `makespan_ns`\nhint: `sim run FILE --json`"),
        ("lines", lines, "more than one document in it\nhint: --jsonl writes one for each run"),
        (
            "other",
            changed(&|document| document["format"] = 2.into()),
            "it has format 2, and this version reads format 1",
        ),
        ("trace", r#"{"traceEvents": []}"#.to_owned(), "it is a trace"),
        ("poor", r#"{"format": 1, "makespan_ns": 5}"#.to_owned(), "missing field `source`"),
        ("bad", "{bad".to_owned(), "it is no JSON"),
        ("task", changed(&|document| document["timeline"][3]["task"] = "nobody".into()), "entry 4 is of `nobody`"),
        (
            "cpu",
            changed(&|document| document["timeline"][3]["processor"] = 7.into()),
            "entry 4 is of processor 7, and it has 1",
        ),
        (
            "back",
            changed(&|document| document["timeline"][3]["end_ns"] = 1.into()),
            "entry 4 ends at 1 ns, before it begins",
        ),
    ] {
        let file = temporary(&format!("diff-{name}"), &text).display().to_string();
        let said = said(&["diff", &file, CONVOY]);
        assert_eq!(said.code, Some(2), "{name}");
        assert!(said.err.contains(words), "{name}: {}", said.err);
    }
    let numbers = written("refused", &[CONVOY]);
    for (arguments, words) in [
        (vec![CONVOY], "nothing in it that differs\nhint: give another file, or say what differs"),
        (vec![numbers.as_str()], "there is one outcome, and nothing to hold it against"),
        (vec![numbers.as_str(), CONVOY, "--set-a", "seed=1"], "--set-a changes scenarios"),
        (vec![numbers.as_str(), numbers.as_str(), "--seed", "1"], "these are outcomes already"),
        (vec![numbers.as_str(), CONVOY, "--plot", "both.svg"], "--plot draws timelines, and A has none"),
        (vec![CONVOY, CONVOY, "--pick-b", "1"], "--pick-b 1 chooses among outcomes"),
        (vec![CONVOY, CONVOY, "--tolerance", "much"], "write a share such as 5% or 0.05, or a time such as 2ms"),
    ] {
        let said = said(&[vec!["diff"], arguments.clone()].concat());
        assert_eq!((said.code, said.out.as_str()), (Some(2), ""), "{arguments:?}");
        assert!(said.err.contains(words), "{arguments:?}: {}", said.err);
    }
}

#[test]
fn both_are_drawn_on_one_axis() {
    let file = temporary("diff-picture", "").with_file_name("both.svg");
    let plot = file.display().to_string();
    let done = said(&[&["diff", CONVOY, "-q", "--plot", &plot], SRTF.as_slice()].concat());
    assert_eq!((done.code, done.out.as_str()), (Some(0), ""), "{}", done.err);
    let drawn = std::fs::read_to_string(&file).expect("a picture");
    for words in
        ["A: configs/convoy.toml", "B: configs/convoy.toml scheduler.policy=srtf", "the same tasks run", "B is faster"]
    {
        assert!(drawn.contains(words), "{words}");
    }
}

/// The cells of the line that starts so.
fn cells<'t>(text: &'t str, start: &str) -> Vec<&'t str> {
    let line = text.lines().find(|line| line.starts_with(start)).unwrap_or_else(|| panic!("{start}: {text}"));
    line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).collect()
}

#[test]
fn who_went_without_is_told() {
    let text = "machine = { processors = 2 }\ndevice = [{ name = 'd', channels = 'unlimited' }]\n[[process]]\nname = 'web'\n\
                executor = 'async'\npools = { db = { kind = 'pool', workers = 1, queue-limit = 1, when-full = 'block' } }\n\
                [[process.task]]\nname = 'r'\ncount = 4\n\
                program = [{ on = 'db', do = [{ io = 'd', for = '10ms' }], within = '25ms' }]";
    let path = temporary("diff-rejects", text).display().to_string();
    let arguments = [path.as_str(), "--set-b", "process.web.pools.db.when-full=reject", "--no-timeline"];
    let out = said(&[&["diff"], arguments.as_slice()].concat()).out;
    let joined = out.replace('\n', " ");
    assert!(joined.contains("Given up: 2 in A, 0 in B; rejected: 0 in A, 2 in B"), "{out}");
    assert_eq!(cells(&out, "given up "), ["given up", "2", "0", "-2", "-100.00 %"]);
    assert_eq!(cells(&out, "rejected "), ["rejected", "0", "2", "+2", "–"]);
    assert_eq!(cells(&out, "web.db/r.db, finished")[..4], ["web.db/r.db, finished", "4", "2", "-2"]);
    assert_eq!(cells(&out, "web.db/r.db#2")[1..3], ["30.0", "rejected"]);
    let document = document(&arguments[..3]);
    let tasks = document["tasks"].as_array().expect("a list");
    let third = tasks.iter().find(|task| task["name"] == "web.db/r.db#2").expect("the third");
    assert_eq!([&third["a_fate"], &third["b_fate"]], ["finished", "rejected"]);
    let metrics: Vec<&Value> = document["summary"].as_array().expect("a list").iter().map(|of| &of["metric"]).collect();
    assert!(
        ["given_up", "rejected", "task.web.db/r.db.finished"].iter().all(|of| metrics.contains(&&json!(of))),
        "{metrics:?}"
    );
}

#[test]
fn late_jobs_are_told_apart() {
    let text = "until = '40ms'\nscheduler = { policy = 'rate-monotonic' }\n\
                task = [{ name = 'A', period = '10ms', on-miss = 'skip', program = [{ cpu = '15ms' }] }]";
    let path = temporary("diff-jobs", text).display().to_string();
    let out = said(&["diff", &path, "--set-b", "task.A.on-miss=abort", "--no-timeline"]).out;
    assert_eq!(cells(&out, "jobs aborted")[..3], ["jobs aborted", "0", "4"]);
    assert_eq!(cells(&out, "releases skipped")[..3], ["releases skipped", "2", "0"]);
}

#[test]
fn shares_of_groups_are_compared() {
    let text = "until = '400ms'\nscheduler = { policy = 'eevdf' }\ngroup = [{ name = 'red', weight = 100 }, { name = 'blue', weight = 300 }]\n\
                process = [{ name = 'r', group = 'red', task = [{ name = 'A', program = [{ cpu = '1s' }] }] },\n\
                { name = 'b', group = 'blue', task = [{ name = 'B', program = [{ cpu = '1s' }] }] }]";
    let path = temporary("diff-groups", text).display().to_string();
    let even = said(&["diff", &path, "--set-b", "group.blue.weight=100", "--no-timeline"]).out;
    assert_eq!(cells(&even, "red, of all")[..4], ["red, of all", "0.250", "0.500", "+0.250"]);
    // Nobody finishes: the unit is that of the parts.
    assert_eq!(cells(&even, "LATENCY OF TASKS")[0], "LATENCY OF TASKS (ms)");
    assert_eq!(cells(&even, "r/A#0")[1..], ["–", "–", "–", "-100.0", "+100.0"]);
    let limited = said(&["diff", &path, "--set-b", "group.blue.quota=10ms", "--no-timeline"]).out;
    assert_eq!(cells(&limited, "blue, throttled")[..3], ["blue, throttled", "0 ns", "344 ms"]);
    assert_eq!(cells(&limited, "standing still without quota")[1..3], ["0 ns", "344 ms"]);
}
