//! The command line as its users meet it: exit codes, what goes where, and the shape of JSON.

use std::fs;
use std::io::Read as _;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::support::{root, sim, temporary, temporary_folder};

/// Everything that an outcome speaks of: two processors, a device, a lock, a task that cannot finish in time.
const EVERYTHING: &str = r#"
    title = "Everything"
    seed = 3
    until = "20ms"
    [machine]
    processors = 2
    context-switch = "1us"
    [scheduler]
    policy = "round-robin"
    quantum = "2ms"
    [[device]]
    name = "disk"
    [[lock]]
    name = "m"
    [[process]]
    name = "p"
    [[process.task]]
    name = "A"
    count = 3
    program = [{ cpu = "1ms" }, { io = "disk", for = "2ms" }, { with = "m", do = [{ cpu = "1ms" }] }, { sleep = "0ms" }, { cpu = { exponential = "1ms" } }]
    [[process.task]]
    name = "B"
    arrival = "19ms"
    program = [{ cpu = "9ms" }]
    [[process.task]]
    name = "C"
    arrival = "30ms"
    program = [{ cpu = "1ms" }]
"#;

const DEADLOCK: &str = r#"
    lock = [{ name = "m" }]
    task = [{ name = "A", program = [{ lock = "m" }, { lock = "m" }] }]
"#;

pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// Runs `sim`; no answer may be a panic.
pub(crate) fn said(arguments: &[&str]) -> Said {
    let output = sim(arguments);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let said = Said {
        code: output.status.code().expect("an exit code"),
        out: text(&output.stdout),
        err: text(&output.stderr),
    };
    assert!(!said.err.contains("panicked"), "{arguments:?}: {}", said.err);
    said
}

fn json(arguments: &[&str]) -> Value {
    let said = said(arguments);
    serde_json::from_str(&said.out).unwrap_or_else(|error| panic!("{arguments:?}: {error}\n{}{}", said.out, said.err))
}

fn file(name: &str, toml: &str) -> String {
    temporary(name, toml).display().to_string()
}

/// Exit code 2, nothing on standard output, and these words on standard error.
pub(crate) fn refused(arguments: &[&str], words: &[&str]) {
    let said = said(arguments);
    assert_eq!(said.code, 2, "{arguments:?}: {}", said.err);
    assert!(said.out.is_empty(), "{arguments:?} prints data: {}", said.out);
    for word in words {
        assert!(said.err.contains(word), "{arguments:?}: no {word:?} in\n{}", said.err);
    }
}

#[test]
fn exit_codes_tell_done_finding_and_misuse_apart() {
    let (good, deadlock) = (file("codes-good", EVERYTHING), file("codes-deadlock", DEADLOCK));
    assert_eq!(said(&["run", &good]).code, 0, "the horizon is no finding");
    for arguments in [["run", &deadlock].as_slice(), &["run", &good, &deadlock, "--json"], &["run", &deadlock, "-q"]] {
        assert_eq!(said(arguments).code, 1, "{arguments:?}");
    }
    assert!(said(&["run", &deadlock]).out.contains("held by itself"), "a finding is explained");
    refused(&["run", "no/such/file.toml"], &["no/such/file.toml"]);
    refused(&["run", "configs"], &["configs"]);
    refused(&["run"], &["FILE", "--help"]);
    refused(&["run", &good, "--nonsense"], &["--nonsense"]);
    refused(&["frobnicate"], &["frobnicate", "--help"]);
    refused(&["run", &good, "--seed", "-1"], &["-1"]);
    refused(&["run", &good, "--set", "nonsense"], &["PATH=VALUE"]);
    refused(&["run", &good, "--vary", "seed=1,,2"], &["empty"]);
}

#[test]
fn files_that_are_no_text_are_refused() {
    let path = temporary_folder("latin").join("latin.toml");
    fs::write(&path, b"title = \"caf\xe9\"").expect("written");
    refused(&["run", &path.display().to_string()], &["UTF-8", "byte 12"]);
    refused(&["check", &path.display().to_string()], &["UTF-8"]);
}

#[test]
fn help_has_examples_and_exit_codes() {
    let help = said(&["--help"]);
    assert_eq!(help.code, 0);
    assert!(
        help.out.contains("Examples:") && help.out.contains("Exit codes:\n  0    done\n  1    a deadlock"),
        "{}",
        help.out
    );
    for command in ["run", "measure", "compare", "check", "list", "gallery"] {
        assert!(help.out.contains(&format!("  {command} ")), "--help lists {command}");
        let help = said(&[command, "--help"]);
        assert_eq!(help.code, 0);
        assert!(help.out.contains("Example") && help.out.contains(&format!("sim {command}")), "{}", help.out);
    }
    let version = said(&["--version"]);
    assert_eq!((version.code, version.out.trim()), (0, concat!("sim ", env!("CARGO_PKG_VERSION"))));
}

#[test]
fn check_validates_and_does_nothing_else() {
    let (good, bad) =
        (file("check-good", EVERYTHING), file("check-bad", "task = [{ name = \"A\", program = [{ cqu = \"1ms\" }] }]"));
    let checked = said(&["check", &good]);
    assert_eq!(checked.code, 0);
    assert!(checked.out.contains("valid") && checked.out.contains("round-robin"), "{}", checked.out);
    assert_eq!(said(&["check", &good, "--quiet"]).out, "");
    let checked = said(&["check", &good, &bad]);
    assert_eq!(checked.code, 2);
    assert!(checked.err.contains("1:") && checked.err.contains("`cpu`"), "{}", checked.err);
    refused(&["check", &good, "--set", "machine.processors=0"], &["--set"]);
}

#[test]
fn quiet_prints_nothing() {
    let (good, deadlock) = (file("quiet", EVERYTHING), file("quiet-deadlock", DEADLOCK));
    for arguments in [["run", &good, "--quiet"], ["run", &deadlock, "-q"]] {
        let said = said(&arguments);
        assert!(said.out.is_empty() && said.err.is_empty(), "{}{}", said.out, said.err);
    }
    assert!(!said(&["run", &good, "--quiet", "--json"]).out.is_empty(), "data is data");
}

#[test]
fn overrides_reach_everything() {
    let good = file("set", EVERYTHING);
    let run = |sets: &[&str]| {
        let sets: Vec<&str> = sets.iter().flat_map(|set| ["--set", set]).collect();
        json(&[["run", &good, "--json"].as_slice(), &sets].concat())
    };
    assert_eq!(run(&["machine.processors=5"])["processors"].as_array().map(Vec::len), Some(5));
    assert_eq!(run(&["title=Other words"])["title"], "Other words");
    let sequential = run(&["process.p.executor=sequential"]);
    assert_ne!(sequential["makespan_ns"], Value::Null);
    assert_ne!(sequential["timeline_hash"], run(&[])["timeline_hash"]);
    assert_eq!(run(&["process.p.task.A.count=7"])["tasks"].as_array().map(Vec::len), Some(9));
    assert_eq!(
        run(&["device.disk.channels=2"])["devices"][0]["mean_wait_ns"].as_f64().map(|wait| wait > 0.0),
        Some(true)
    );
    assert_eq!(run(&["device.disk.channels=3"])["devices"][0]["mean_wait_ns"], 0.0);
    assert_eq!(run(&["seed=9"]), json(&["run", &good, "--json", "--seed", "9"]));
    assert_ne!(run(&["seed=9"])["timeline_hash"], run(&[])["timeline_hash"]);
    refused(&["run", &good, "--set", "process.q.executor=threads"], &["`q`"]);
    refused(&["run", &good, "--set", "scheduler.quantum=5"], &["--set"]);
}

#[test]
fn variations_are_all_combinations_in_order() {
    let good = file("vary", EVERYTHING);
    let vary = ["run", &good, "--vary", "scheduler.quantum=1ms,5ms", "--vary", "machine.processors=1,2"];
    let document = json(&[vary.as_slice(), &["--json"]].concat());
    assert_eq!(document["format"], 1);
    let variations = document["variations"].as_array().expect("a list");
    let labels: Vec<&str> = variations.iter().filter_map(|variation| variation["label"].as_str()).collect();
    assert_eq!(
        labels,
        [
            "quantum=1ms processors=1",
            "quantum=1ms processors=2",
            "quantum=5ms processors=1",
            "quantum=5ms processors=2"
        ]
    );
    assert_eq!(variations[1]["set"], serde_json::json!({ "scheduler.quantum": "1ms", "machine.processors": "2" }));
    for variation in variations {
        shape_of_outcome(&variation["outcome"], false);
    }
    // The rows of the table are the same variations.
    let table = said(&vary).out;
    assert!(labels.iter().all(|label| table.contains(label)), "{table}");
    // A variation is what setting the values by hand gives.
    let by_hand = json(&["run", &good, "--set", "scheduler.quantum=5ms", "--set", "machine.processors=1", "--json"]);
    assert_eq!(variations[2]["outcome"], by_hand);
    refused(&["run", &good, "--vary", "scheduler.policy=fifo,fofi"], &["fofi", "`fifo`"]);
}

#[test]
fn several_files_make_one_document() {
    let (one, other) = (file("several-one", EVERYTHING), file("several-other", DEADLOCK));
    let document = json(&["run", &one, &other, "--json"]);
    let variations = document["variations"].as_array().expect("a list");
    assert_eq!(variations.len(), 2);
    assert_eq!((&variations[0]["set"], &variations[1]["outcome"]["end"]), (&serde_json::json!({}), &"deadlock".into()));
    variations.iter().for_each(|variation| shape_of_outcome(&variation["outcome"], false));
}

#[test]
fn pictures_are_what_the_extension_says() {
    let good = file("plot", EVERYTHING);
    let folder = temporary_folder("plot-pictures");
    for (name, begins) in [("a.png", b"\x89PNG".as_slice()), ("a.svg", b"<"), ("A.PNG", b"\x89PNG")] {
        let path = folder.join(name).display().to_string();
        let said = said(&["run", &good, "--quiet", "--plot", &path]);
        assert_eq!((said.code, said.err.as_str()), (0, ""), "{name}");
        assert!(fs::read(&path).expect("drawn").starts_with(begins), "{name}");
    }
    for name in ["a.pdf", "a", "a.json"] {
        let path = folder.join(name);
        refused(&["run", &good, "--plot", &path.display().to_string()], &[".png", ".svg"]);
        assert!(!path.exists());
    }
    refused(&["run", &good, "--plot", "/no/such/folder/a.png"], &["/no/such/folder"]);
}

#[test]
fn traces_are_valid_json() {
    let good = file("trace", EVERYTHING);
    let path = temporary_folder("traces").join("a.json").display().to_string();
    assert_eq!(said(&["run", &good, "--quiet", "--trace", &path]).code, 0);
    let trace: Value = serde_json::from_str(&fs::read_to_string(&path).expect("written")).expect("JSON");
    let events = trace["traceEvents"].as_array().expect("events");
    assert!(events.iter().any(|event| event["ph"] == "X" && event["dur"].is_number()), "slices");
    refused(&["run", &good, "--trace", "a.pdf"], &[".json"]);
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let good = file("pipe", EVERYTHING);
    let mut child = Command::new(env!("CARGO_BIN_EXE_sim"))
        .args(["run", &good, "--json", "--timeline", "--set", "process.p.task.A.count=20000"])
        .current_dir(root())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("sim starts");
    let mut first = [0; 10];
    child.stdout.take().expect("a pipe").read_exact(&mut first).expect("some output");
    // The pipe is closed now.
    let output = child.wait_with_output().expect("sim ends");
    assert_eq!((output.status.code(), output.stderr), (Some(0), Vec::new()));
}

#[test]
fn an_outcome_has_the_shape_of_the_format() {
    let good = file("shape", EVERYTHING);
    let outcome = json(&["run", &good, "--json", "--timeline"]);
    shape_of_outcome(&outcome, true);
    assert_eq!((&outcome["source"], &outcome["end"]), (&"simulated".into(), &"horizon".into()));
    assert_eq!((&outcome["title"], &outcome["seed"]), (&"Everything".into(), &3.into()));
    let task = |index: usize| &outcome["tasks"][index];
    assert_eq!(task(1)["name"], "p/A#1");
    assert_eq!((&task(1)["process"], &task(1)["task"], &task(1)["instance"]), (&"p".into(), &"A".into(), &1.into()));
    // B is cut off, C never came.
    assert!(task(3)["first_run_ns"].is_u64() && task(3)["finish_ns"].is_null() && task(3)["turnaround_ns"].is_null());
    assert!(task(4)["arrival_ns"].is_null() && task(4)["waiting_ns"] == 0);
    assert_eq!(outcome["makespan_ns"], 20_000_000);
    assert!(outcome["summary"]["turnaround_ns"]["p95"].is_null(), "three are too few for a percentile");
    let without = json(&["run", &good, "--json"]);
    assert_eq!(without.get("timeline"), None);
}

#[test]
fn an_entry_of_the_timeline_has_something_between_it_and_the_next() {
    // A sleeps for no time and goes on at once.
    let path = file(
        "entries",
        "task = [{ name = \"A\", program = [{ cpu = \"1ms\" }, { sleep = \"0ms\" }, { cpu = \"1ms\" }] }]",
    );
    let outcome = json(&["run", &path, "--json", "--timeline"]);
    let expected = serde_json::json!([{
        "processor": 0, "task": "main/A#0", "thread": "main/0", "what": "run", "start_ns": 0, "end_ns": 2_000_000
    }]);
    assert_eq!(outcome["timeline"], expected);
}

#[test]
fn the_laws_can_be_checked_on_the_way() {
    let good = file("laws", EVERYTHING);
    assert_eq!(said(&["run", &good, "--check", "--quiet"]).code, 0);
}

/// The types of the scenario format: `n` a whole number, `f` any number, `s` text, `?` or null.
const OUTCOME: &[(&str, &str)] = &[
    ("format", "n"),
    ("source", "s"),
    ("title", "s"),
    ("seed", "n"),
    ("end", "s"),
    ("makespan_ns", "n"),
    ("timeline_hash", "s"),
    ("explanation", "s?"),
    ("tasks", "list"),
    ("processors", "list"),
    ("devices", "list"),
    ("locks", "list"),
    ("summary", "table"),
];
const TASK: &[(&str, &str)] = &[
    ("name", "s"),
    ("process", "s"),
    ("task", "s"),
    ("instance", "n"),
    ("arrival_ns", "n?"),
    ("first_run_ns", "n?"),
    ("finish_ns", "n?"),
    ("first_response_ns", "n?"),
    ("turnaround_ns", "n?"),
    ("waiting_ns", "n"),
    ("running_ns", "n"),
    ("blocked_ns", "n"),
    ("overhead_ns", "n"),
    ("slowdown", "f?"),
    ("voluntary_switches", "n"),
    ("involuntary_switches", "n"),
    ("migrations", "n"),
];
const PROCESSOR: &[(&str, &str)] =
    &[("name", "s"), ("running_ns", "n"), ("overhead_ns", "n"), ("idle_ns", "n"), ("utilisation", "f")];
const DEVICE: &[(&str, &str)] = &[
    ("name", "s"),
    ("requests", "n"),
    ("busy_ns", "n"),
    ("mean_queue", "f"),
    ("mean_wait_ns", "f?"),
    ("utilisation", "f?"),
];
const LOCK: &[(&str, &str)] =
    &[("name", "s"), ("acquisitions", "n"), ("contended", "n"), ("mean_wait_ns", "f?"), ("mean_hold_ns", "f?")];
const SUMMARY: &[(&str, &str)] = &[
    ("throughput_per_s", "f"),
    ("context_switches", "n"),
    ("migrations", "n"),
    ("deadline_misses", "n"),
    ("fairness_jain", "f?"),
    ("turnaround_ns", "table"),
    ("first_response_ns", "table"),
    ("waiting_ns", "table"),
    ("slowdown", "table"),
];
const STATISTICS: &[(&str, &str)] = &[("mean", "f?"), ("p50", "n?"), ("p95", "n?"), ("p99", "n?"), ("max", "n?")];
const ENTRY: &[(&str, &str)] =
    &[("processor", "n"), ("task", "s"), ("thread", "s"), ("what", "s"), ("start_ns", "n"), ("end_ns", "n")];

/// Does an outcome have every key of the format, with its type?
pub(crate) fn shape_of_outcome(outcome: &Value, timeline: bool) {
    shape(outcome, OUTCOME);
    let lists = [("tasks", TASK), ("processors", PROCESSOR), ("devices", DEVICE), ("locks", LOCK)];
    for (key, keys) in lists.into_iter().chain(timeline.then_some(("timeline", ENTRY))) {
        outcome[key].as_array().expect(key).iter().for_each(|element| shape(element, keys));
    }
    shape(&outcome["summary"], SUMMARY);
    for key in ["turnaround_ns", "first_response_ns", "waiting_ns"] {
        shape(&outcome["summary"][key], STATISTICS);
    }
    shape(&outcome["summary"]["slowdown"], &["mean", "p50", "p95", "p99", "max"].map(|key| (key, "f?")));
    let hash = outcome["timeline_hash"].as_str().expect("text");
    assert!(hash.len() == 16 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()), "{hash}");
    assert!(["completed", "horizon", "deadlock", "livelock"].contains(&outcome["end"].as_str().expect("text")));
}

/// Does a table have these keys with these types?
pub(crate) fn shape(table: &Value, keys: &[(&str, &str)]) {
    for (key, wanted) in keys {
        let value = table.get(key).unwrap_or_else(|| panic!("no {key:?} in {table}"));
        let sound = (wanted.ends_with('?') && value.is_null())
            || match wanted.trim_end_matches('?') {
                "n" => value.is_u64(),
                "f" => value.is_number(),
                "s" => value.is_string(),
                "list" => value.is_array(),
                "b" => value.is_boolean(),
                _ => value.is_object(),
            };
        assert!(sound, "{key:?} should be {wanted:?}, and is {value}");
    }
}

#[test]
fn an_explanation_says_why_the_worst_off_was_slow() {
    let said = said(&["run", "configs/convoy.toml", "--explain"]);
    let words: String = said.out.split_whitespace().collect::<Vec<_>>().join(" ");
    for sentence in [
        "short#3 took 366 ms and lost 278 ms of it to others, more than any other of 5 tasks: it waited 260 ms (71 %) \
         for processor 0 behind hog, was served 80 ms (22 %) by network, waited 18 ms (5 %) for processor 0 behind 3 × \
         short, and ran 8 ms (2 %).",
        "71 % processor 0 behind hog",
        "1064 60 % 4 processor 0 behind hog",
        "█ runs ─ waits for a processor ┈ served by a device",
    ] {
        assert!(words.contains(sentence), "no {sentence:?} in\n{}", said.out);
    }
    assert!(!said.out.contains("PROCESSOR"), "the usual tables are left out");
    let widest = said.out.lines().map(|line| line.chars().count()).max();
    assert!(widest <= Some(120) && said.out.lines().count() < 30, "one screen:\n{}", said.out);
}

#[test]
fn certain_advice_is_given() {
    for (config, words) in [
        ("small-pool", "threads that were themselves blocked: more threads"),
        ("blocked-event-loop", "without `blocking = true`"),
        ("cpu-bound-gil", "for the interpreter lock: its threads run one at a time"),
        ("cpu-bound-async", "without giving up control"),
    ] {
        let said = said(&["run", &format!("configs/{config}.toml"), "--explain"]);
        let text: String = said.out.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(text.contains(words), "{config}: no {words:?} in\n{}", said.out);
    }
}

#[test]
fn the_causes_of_each_task_add_up_to_its_turnaround() {
    let path = file("causes", EVERYTHING);
    let outcome = json(&["run", &path, "--json", "--explain"]);
    for task in outcome["tasks"].as_array().expect("a list") {
        let causes = task["causes"].as_array().expect("causes");
        let sum = |kind: &str| -> u64 {
            let of_kind = causes.iter().filter(|cause| kind.is_empty() || cause["kind"] == kind);
            of_kind.map(|cause| cause["ns"].as_u64().expect("nanoseconds")).sum()
        };
        for kind in ["running", "waiting", "blocked", "overhead"] {
            assert_eq!(task[format!("{kind}_ns")], sum(kind), "{kind} of {task}");
        }
        if let Some(turnaround) = task["turnaround_ns"].as_u64() {
            assert_eq!(sum(""), turnaround, "{task}");
        }
    }
    let first = &outcome["tasks"][1]["causes"];
    let queue = first.as_array().expect("causes").iter().find(|cause| cause["what"] == "device-queue");
    let queue = queue.expect("it waits for the disk");
    assert_eq!(
        (&queue["kind"], &queue["device"], &queue["behind"]),
        (&"blocked".into(), &"disk".into(), &"p/A#0".into())
    );
    assert_eq!(json(&["run", &path, "--json"])["tasks"][0].get("causes"), None, "only if asked for");
}

#[test]
fn explanations_of_variations_and_pictures() {
    let folder = temporary_folder("explained");
    let picture = folder.join("why.svg").display().to_string();
    let vary = ["--set", "scheduler.quantum=5ms", "--vary", "scheduler.policy=fifo,round-robin", "--explain"];
    let said_of_both = said(&[["run", "configs/convoy.toml"].as_slice(), &vary].concat());
    assert_eq!(said_of_both.out.matches(" took ").count(), 2, "{}", said_of_both.out);
    assert_eq!(said(&["run", "configs/small-pool.toml", "--explain", "-q", "--plot", &picture]).code, 0);
    let drawn = fs::read_to_string(&picture).expect("a picture");
    for words in ["request#7 took 50", "waits in its runtime", "served by a device", "behind whom"] {
        assert!(drawn.replace('\u{a0}', " ").contains(words), "no {words:?} in the picture");
    }
    refused(&["run", "configs/convoy.toml", "--explain", "--plot", "why.gif"], &["why.gif", ".png"]);
}
