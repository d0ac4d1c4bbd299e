//! Virtual speed-ups: each is the run of a file that was edited by hand, and nothing else.

use serde_json::Value;
use sim_core::document::{Override, Source};
use sim_core::engine::simulate;
use sim_core::policy::POLICIES;
use sim_core::scenario::{Op, Scenario, lower};
use sim_core::speedup::{Degree, Set, Subject, candidates};
use sim_core::timeline::TimelineHash;

use crate::laws::critical_path::draft;
use crate::support::{configs, scenario, sim, temporary};

fn lowered(text: &str, sets: &[Set]) -> Option<Scenario> {
    let sets: Vec<Override> = sets.iter().map(|(path, value)| Override::new(path, value)).collect();
    lower::scenario(&Source { file: "test.toml", text }, &sets).ok()
}

fn hash(scenario: &Scenario) -> String {
    let mut hash = TimelineHash::default();
    simulate(scenario, &mut hash);
    hash.hex()
}

/// The changes of a scenario by the names of their candidates: `NAME at 50 %`, `NAME to 2`.
fn changes(text: &str) -> Vec<(String, Scenario)> {
    let scenario = scenario(text);
    let mut found = Vec::new();
    for candidate in candidates(&scenario, &[50, 100], &|sets| lowered(text, sets).is_some()) {
        for change in candidate.changes {
            let degree = match change.degree {
                Degree::Faster(percent) => format!("at {percent} %"),
                Degree::To { to, .. } => format!("to {to}"),
            };
            let changed = lowered(text, &change.sets).expect("it was said to work");
            found.extend(
                candidate
                    .subjects
                    .iter()
                    .map(|subject| (format!("{} {degree}", subject.name(&scenario)), changed.clone())),
            );
        }
    }
    found
}

/// A change with this name gives the timeline of the text with this edit.
#[track_caller]
fn is_the_edit(text: &str, name: &str, from: &str, to: &str) {
    assert!(text.contains(from), "{from} is there");
    let changes = changes(text);
    let names: Vec<&str> = changes.iter().map(|(name, _)| name.as_str()).collect();
    let (_, changed) = changes.iter().find(|(known, _)| known == name).unwrap_or_else(|| panic!("{name}: {names:?}"));
    let edited = scenario(&text.replace(from, to));
    assert_eq!(hash(changed), hash(&edited), "{name}");
    assert_ne!(hash(changed), hash(&scenario(text)), "{name} makes a difference");
}

const SERVER: &str = r#"
    seed = 3
    machine = { processors = 2, context-switch = "100us" }
    scheduler = { policy = "round-robin", quantum = "1ms" }
    device = [{ name = "disk", channels = 1 }]
    lock = [{ name = "table" }]
    [[process]]
    name = "web"
    executor = { kind = "pool", workers = 3 }
    [[process.task]]
    name = "request"
    count = 8
    arrival = { every = "500us" }
    program = [
        { cpu = "2ms" },
        { io = "disk", for = { exponential = "4ms" } },
        { repeat = 2, do = [{ with = "table", do = [{ cpu = "1200us" }] }] },
        { choose = [[0.5, [{ cpu = "700us" }]], [0.5, [{ sleep = "300us" }]]] },
    ]
"#;

#[test]
fn each_change_is_an_edit_of_the_file() {
    is_the_edit(SERVER, "request 1. cpu 2ms at 50 %", "\"2ms\"", "\"1ms\"");
    is_the_edit(SERVER, "request 1. cpu 2ms at 100 %", "\"2ms\"", "\"0ms\"");
    is_the_edit(SERVER, "request 2. io disk exponential 4ms at 50 %", "\"4ms\"", "\"2ms\"");
    is_the_edit(SERVER, "device disk at 50 %", "\"4ms\"", "\"2ms\"");
    is_the_edit(SERVER, "request 3.1.1. cpu 1.2ms at 50 %", "1200us", "600us");
    is_the_edit(SERVER, "while lock table is held at 50 %", "1200us", "600us");
    is_the_edit(SERVER, "request 4a.1. cpu 700us at 50 %", "700us", "350us");
    is_the_edit(SERVER, "request 4b.1. sleep 300us at 50 %", "300us", "150us");
    is_the_edit(SERVER, "channels of disk to 2", "channels = 1", "channels = 2");
    is_the_edit(SERVER, "processors to 3", "processors = 2", "processors = 3");
    is_the_edit(SERVER, "workers of web to 6", "workers = 3", "workers = 6");
    is_the_edit(SERVER, "quantum to 500us", "\"1ms\"", "\"500us\"");
    is_the_edit(SERVER, "context-switch at 50 %", "100us", "50us");
}

#[test]
fn a_quota_can_be_half_or_twice_as_much() {
    let text = r#"
        [[group]]
        name = "a web"
        quota = "3ms"
        period = "10ms"
        [[process]]
        name = "p"
        group = "a web"
        [[process.task]]
        name = "A"
        program = [{ cpu = "8ms" }]
    "#;
    is_the_edit(text, "quota of a web to 6ms", "quota = \"3ms\"", "quota = \"6ms\"");
    is_the_edit(text, "quota of a web to 1.5ms", "quota = \"3ms\"", "quota = \"1500us\"");
    let file = temporary("quota", text);
    let said = String::from_utf8(sim(&["explain", file.to_str().expect("text")]).stdout).expect("text");
    let row = said.lines().find(|line| line.starts_with("quota of a web ")).unwrap_or_else(|| panic!("{said}"));
    let cells: Vec<&str> = row.split_whitespace().collect();
    // 8 ms of work end at 22 ms; with 6 ms of every 10 at 12, with 1.5 at 50.5.
    assert_eq!(cells[4..], ["3ms", "1.5ms", "2.3×", "as", "long", "6ms", "45", "%"], "{said}");
}

#[test]
fn fewer_workers_are_tried_as_many_as_a_quota_feeds_among_them() {
    let text = |quota: &str| {
        format!(
            r#"
            machine = {{ processors = 8 }}
            [[group]]
            name = "web"
            {quota}
            [[process]]
            name = "p"
            group = "web"
            executor = {{ kind = "pool", workers = 8 }}
            [[process.task]]
            name = "A"
            count = 9
            program = [{{ cpu = "8ms" }}]
            "#
        )
    };
    let workers = |quota: &str| -> Vec<String> {
        let names = changes(&text(quota)).into_iter().map(|(name, _)| name);
        names.filter_map(|name| Some(name.strip_prefix("workers of p to ")?.to_owned())).collect()
    };
    assert_eq!(workers(""), ["4", "7", "9", "16"]);
    assert_eq!(workers("quota = '150ms'"), ["2", "4", "9", "16"]);
    // Of what gains anything the best is told as a command, not the first.
    let file = temporary("fewer", &text("quota = '15ms'\nperiod = '10ms'"));
    let said = String::from_utf8(sim(&["explain", file.to_str().expect("text")]).stdout).expect("text");
    assert!(said.contains("workers of p"), "{said}");
}

#[test]
fn the_figure_of_the_speed_ups_is_told_beside_the_one_explained() {
    let text = "seed = 3\ntask = [{ name = 'A', count = 5, program = [{ cpu = { exponential = '5ms' } }] }]";
    let file = temporary("beside", text);
    let said = String::from_utf8(sim(&["explain", file.to_str().expect("text")]).stdout).expect("text");
    let makespan = said.split("The makespan is ").nth(1).and_then(|rest| rest.split(',').next()).expect("a headline");
    let (flat, own) =
        (said.split_whitespace().collect::<Vec<_>>().join(" "), format!("in the mean ({makespan} in the run above)"));
    assert!(flat.contains(&own), "{own}: {flat}");
}

#[test]
fn what_a_file_leaves_out_can_be_changed_as_well() {
    let text = r#"
        device = [{ name = "disk", channels = 1, service = "3ms" }]
        executor = "pool"
        machine = { processors = 1 }
        task = [{ name = "a", count = 3, program = [{ io = "disk" }, { cpu = "1ms" }] }]
    "#;
    is_the_edit(text, "device disk at 50 %", "\"3ms\"", "\"1500us\"");
    is_the_edit(text, "workers of main to 2", "\"pool\"", "{ kind = \"pool\", workers = 2 }");
    let gil = r#"
        process = [{ name = "main", executor = { kind = "threads", gil = "2ms" }, task = [{ name = "a.b", count = 2, program = [{ cpu = "5ms" }] }] }]
    "#;
    is_the_edit(gil, "switch interval of main to 1ms", "\"2ms\"", "\"1ms\"");
    is_the_edit(gil, "a.b 1. cpu 5ms at 50 %", "\"5ms\"", "\"2500us\"");
}

/// On generated scenarios: an edit changes the operations that are meant, and no other.
#[test]
fn an_edit_changes_what_is_meant_and_nothing_else() {
    let mut phases = 0;
    for seed in 0..200 {
        let kind = POLICIES[usize::try_from(seed).expect("small") % POLICIES.len()];
        let text = draft(kind, seed);
        let scenario = scenario(&text);
        for candidate in candidates(&scenario, &[50], &|sets| lowered(&text, sets).is_some()) {
            let Subject::Phase { spec, op, .. } = candidate.subjects[0] else { continue };
            let kin = |of: &sim_core::scenario::Spec| {
                of.name == scenario.specs[spec].name && of.process == scenario.specs[spec].process
            };
            let changed = lowered(&text, &candidate.changes[0].sets).expect("it was said to work");
            phases += 1;
            for (before, after) in scenario.specs.iter().zip(&changed.specs) {
                for (place, (old, new)) in (0..).zip(before.program.ops.iter().zip(&after.program.ops)) {
                    let wanted = match old {
                        Op::Cpu(work) if kin(before) && place == op => Op::Cpu(work.faster(50)),
                        Op::Sleep(time) if kin(before) && place == op => Op::Sleep(time.faster(50)),
                        Op::Io { device, service, at, blocking } if kin(before) && place == op => {
                            let (device, at, blocking) = (*device, at.clone(), *blocking);
                            Op::Io { device, service: service.faster(50), at, blocking }
                        }
                        other => other.clone(),
                    };
                    // Copies of a process have the same edit.
                    assert!(
                        *new == wanted || before.process != scenario.specs[spec].process,
                        "{new:?}, {wanted:?}\n{text}"
                    );
                }
            }
        }
    }
    assert!(phases > 400, "{phases} phases are few");
}

fn explained(file: &str, more: &[&str]) -> Value {
    let output = sim(&[&["explain", file, "--json"], more].concat());
    assert!(output.status.code().is_some_and(|code| code < 2), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

/// For all scenarios of the folder the links add up, and what is told of the best change comes out of `sim run --set`.
#[test]
fn what_is_told_comes_out_of_a_run() {
    for file in configs() {
        let file = file.display().to_string();
        let told = explained(&file, &["--by", "50", "--replications", "1"]);
        let path = &told["critical_path"];
        let links = path["links"].as_array().cloned().unwrap_or_default();
        let ns = |value: &Value| value.as_u64().expect("a number");
        let sum: u64 = links.iter().map(|link| ns(&link["to_ns"]) - ns(&link["from_ns"])).sum();
        assert!(path.is_null() || sum == ns(&path["length_ns"]), "{file}");
        let speedups = &told["speedups"];
        let best = &speedups["candidates"][0];
        let Some(change) = best["changes"].as_array().and_then(|changes| changes.first()) else { continue };
        if speedups["metric"] != "makespan" || change["mean"].is_null() {
            continue;
        }
        let mut arguments = vec!["run", file.as_str(), "--json"];
        let sets: Vec<String> = change["set"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|set| set.as_str().expect("text").to_owned())
            .collect();
        sets.iter().for_each(|set| arguments.extend(["--set", set.as_str()]));
        let outcome: Value = serde_json::from_slice(&sim(&arguments).stdout).expect("JSON");
        assert_eq!(outcome["makespan_ns"].as_f64(), change["mean"].as_f64(), "{file}: {sets:?}");
    }
}

/// Two stages of a pipe, of which the second waits for a disk and is three times as slow.
const PIPE: &str = r#"
    machine = { processors = 2 }
    device = [{ name = "disk", channels = 1 }]
    channel = [{ name = "c", capacity = 100 }]
    task = [
        { name = "parse", program = [{ repeat = 10, do = [{ cpu = "1ms" }, { send = "c" }] }] },
        { name = "store", program = [{ recv = "c" }, { sleep = "1ms" }, { repeat = 9, do = [{ recv = "c" }, { io = "disk", for = "3ms" }] }] },
    ]
"#;

#[test]
fn what_gains_nothing_is_told_with_the_reason() {
    let file = temporary("pipe", PIPE).display().to_string();
    let output = sim(&["explain", &file]);
    let text = String::from_utf8(output.stdout).expect("text").replace('\u{a0}', " ");
    assert!(output.status.success(), "{text}");
    // The disk serves for 27 of 29 ms; the first message takes one, the sleep another.
    for words in ["The makespan is 29 ms", "93 %  27 ms  store is served by disk", "FASTER BY", "THESE GAIN NOTHING"] {
        assert!(text.contains(words), "{words}:\n{text}");
    }
    let gains = text.lines().find(|line| line.starts_with("store 3.2. io disk 3ms = device disk")).expect("a row");
    assert!(gains.ends_with("93 %") && gains.contains(" 9.3 %"), "{gains}");
    let processors = text.lines().find(|line| line.starts_with("processors to 3 or 4: ")).expect("a line");
    assert!(processors.ends_with("nothing on the critical path waits for a processor"), "{processors}");
    let json = explained(&file, &["--by", "50"]);
    let names = |row: &Value| row["names"][0].as_str().expect("a name").to_owned();
    let rows = json["speedups"]["candidates"].as_array().expect("a list");
    let gain = |name: &str| rows.iter().find(|row| names(row) == name).map(|row| row["changes"][0]["gain"].as_f64());
    assert_eq!(gain("store 3.2. io disk 3ms").flatten(), Some(13.5 / 29.0));
    assert_eq!(gain("parse 1.1. cpu 1ms").flatten(), Some(0.5 / 29.0), "only its first message is waited for");
}

#[test]
fn tasks_are_found_by_as_much_of_their_names_as_tells_them_apart() {
    let explain = |more: &[&str]| {
        let output = sim(&[&["explain", "configs/pool-sizing.toml", "--no-speedups"], more].concat());
        let words = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8(words).expect("text").replace('\u{a0}', " "))
    };
    for name in ["server/request#3", "request#3"] {
        let (code, text) = explain(&["--task", name]);
        assert!(code == Some(0) && text.contains("request#3 took 18.02 ms from its arrival at 3 ms."), "{text}");
    }
    let (_, text) = explain(&["--task", "request"]);
    assert!(text.contains("request#23 took"), "the last to finish: {text}");
    let (_, text) = explain(&["--task", "request", "--of", "p95"]);
    assert!(text.contains("The p95 of turnaround of 24 tasks is that of request#"), "{text}");
    for (more, words) in [
        (&["--task", "reqest"][..], "hint: there is request"),
        (&["--task", "request#99"], "hint: instances are counted from 0"),
        (&["--of", "p99"], "hint: it takes 100; --of max is the longest"),
        (&["--metric", "makspan"], "hint: did you mean `makespan`?"),
    ] {
        let (code, text) = explain(more);
        assert!(code == Some(2) && text.contains(words), "{more:?}: {text}");
    }
}

/// The commands that are printed are the runs: with the edits that were asked for beside them.
#[test]
fn commands_by_hand_have_all_that_was_set() {
    let file = temporary("by-hand", PIPE).display().to_string();
    let set = "task.store.program.1.sleep=2ms";
    let output = sim(&["explain", &file, "--set", set, "--seed", "5", "--by", "50"]);
    let text = String::from_utf8(output.stdout).expect("text");
    let line = text.lines().find(|line| line.trim_start().starts_with("sim run ")).expect("a command");
    assert_eq!(line.trim(), format!("sim run {file} --set {set} --seed 5 --set task.store.program.2.do.1.for=1.5ms"));
}

#[test]
fn chance_is_told_from_what_is_not() {
    let certain = explained("configs/convoy.toml", &["--by", "50"]);
    assert_eq!(certain["speedups"]["replications"], 1);
    let drawn = explained("configs/mm1.toml", &["--by", "50", "--replications", "5"]);
    assert_eq!(drawn["speedups"]["replications"], 5);
    let change = &drawn["speedups"]["candidates"][0]["changes"][0];
    assert!(change["gain_half_width"].as_f64().is_some_and(|width| width > 0.0), "{change}");
}

#[test]
fn a_deadlock_is_a_finding_and_told_what_ends_it() {
    let output = sim(&["explain", "configs/deadlock.toml"]);
    let text = String::from_utf8(output.stdout).expect("text").replace('\u{a0}', " ");
    assert_eq!(output.status.code(), Some(1));
    assert!(text.contains("No task finished: no chain of events leads to an end."), "{text}");
    let row = text.lines().find(|line| line.starts_with("Plato 2. cpu 2ms")).expect("a row");
    assert!(row.contains("deadlock  deadlock") && row.contains("7 ms      6 ms"), "{row}");
    assert_eq!(sim(&["explain", "configs/deadlock.toml", "-q"]).stdout, Vec::<u8>::new());
}

#[test]
fn the_path_is_drawn_over_the_timeline() {
    let file = temporary("path-drawn", PIPE);
    let picture = file.with_file_name("path.svg");
    let output = sim(&["explain", &file.display().to_string(), "-q", "--plot", &picture.display().to_string()]);
    assert!(output.status.success() && output.stdout.is_empty() && output.stderr.is_empty(), "{output:?}");
    let drawn = std::fs::read_to_string(&picture).expect("a picture").replace('\u{a0}', " ");
    for words in
        ["path: processors", "path: disk", "the critical path", "The makespan is 29 ms, as store finishes last."]
    {
        assert!(drawn.contains(words), "no {words:?} in the picture");
    }
    // The line: its halo and itself, for each of the parts.
    assert!(drawn.to_lowercase().matches("#d6003d").count() >= 5, "a line through the rows");
}

/// Where another figure is judged than the one whose path is shown, shares of the path say nothing of it.
#[test]
fn another_figure_has_no_shares_of_the_path() {
    let file = temporary("other-figure", PIPE).display().to_string();
    let told = |more: &[&str]| {
        let output = sim(&[&["explain", &file], more].concat());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("text")
    };
    assert!(told(&[]).contains("of path") && told(&["--metric", "makespan"]).contains("of path"));
    let other = told(&["--metric", "device.disk.mean_wait"]);
    assert!(!other.contains("of path") && other.contains("device.disk.mean_wait"), "{other}");
}

/// Ctrl-C: what has been run by then is told, and how much of it that is.
#[test]
fn an_interrupted_search_tells_what_it_has() {
    let text = "until = '4s'\nmachine = { processors = 2 }\ntask = [{ name = 'a', count = 4000, arrival = { gap = { exponential = '1ms' } }, program = [{ cpu = { exponential = '1500us' } }] }]";
    let file = temporary("interrupted-search", text).display().to_string();
    let sim = env!("CARGO_BIN_EXE_sim");
    let call =
        format!("timeout --foreground --preserve-status -s INT 4 {sim} explain {file} --replications 100000 --json");
    let output = std::process::Command::new("sh").args(["-c", &call]).output().expect("a shell");
    assert_eq!(output.status.code(), Some(130), "{}", String::from_utf8_lossy(&output.stderr));
    let told: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(told["interrupted"], true);
    let done = |key: &str| told["speedups"][key].as_u64().expect("a count");
    assert!(done("runs_done") < done("runs"), "{}", told["speedups"]);
    assert!(!told["critical_path"]["links"].as_array().expect("links").is_empty());
}

/// The lengths of slices that a policy tells have places in files: else nobody could try others.
#[test]
fn every_quantum_can_be_set() {
    let mut quanta = 0;
    for file in configs() {
        let text = std::fs::read_to_string(&file).expect("readable");
        let scenario = scenario(&text);
        for (path, length) in scenario.scheduler.settings.quanta() {
            let twice = sim_core::time::Span::from_ns(2 * length.ns());
            let changed = lowered(&text, &[(format!("scheduler.{path}"), twice.to_string())]);
            let changed = changed.unwrap_or_else(|| panic!("{}: {path}", file.display()));
            assert!(changed.scheduler.settings.quanta().contains(&(path.clone(), twice)), "{}: {path}", file.display());
            quanta += 1;
        }
    }
    assert!(quanta >= 10, "{quanta} are few");
}

/// Nothing comes to an end, and without work an instant never ends: both are said.
#[test]
fn endless_work_needs_a_figure_that_it_has() {
    let text = "until = '20ms'\ntask = [{ name = 'a', program = [{ repeat = 'forever', do = [{ cpu = '1ms' }] }] }]";
    let file = temporary("endless-work", text).display().to_string();
    let output = sim(&["explain", &file]);
    let (data, talk) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && data.contains("The run is cut at") && !data.contains("SPEED-UPS"), "{data}");
    assert!(talk.contains("no speed-ups: this run has no turnaround.mean"), "{talk}");
    let json = explained(&file, &["--metric", "processor.0.utilisation"]);
    let changes = &json["speedups"]["candidates"][0]["changes"];
    let ends: Vec<Option<&str>> = (0..4).map(|number| changes[number]["end"].as_str()).collect();
    assert_eq!(ends, [None, None, None, Some("livelock")], "{changes}");
}

/// A pool with these limits, and more to do than it has room for.
fn pool(limits: &str) -> String {
    format!(
        r#"
        machine = {{ processors = 4 }}
        device = [{{ name = "backend", channels = "unlimited" }}]
        [[process]]
        name = "svc"
        executor = {{ kind = "pool", {limits} }}
        [[process.task]]
        name = "request"
        count = 60
        arrival = {{ every = "500us" }}
        program = [{{ cpu = "1ms" }}, {{ io = "backend", for = "9ms" }}]
        "#
    )
}

#[test]
fn of_a_pool_with_limits_each_that_is_written_is_tried() {
    let java = pool(r#"core = 2, maximum = 8, queue-limit = 10, when-full = "reject""#);
    is_the_edit(&java, "core of svc to 3", "core = 2", "core = 3");
    is_the_edit(&java, "maximum of svc to 16", "maximum = 8", "maximum = 16");
    is_the_edit(&java, "queue-limit of svc to 20", "queue-limit = 10", "queue-limit = 20");
    assert!(changes(&java).iter().all(|(name, _)| !name.contains("workers")), "they mean nothing beside `maximum`");
    // All threads are of the core: more of them are more of that.
    let fixed = pool("core = 4, maximum = 4");
    is_the_edit(&fixed, "maximum of svc to 8", "core = 4, maximum = 4", "core = 8, maximum = 8");
    is_the_edit(&pool("core = 4"), "core of svc to 8", "core = 4", "core = 8");
    is_the_edit(&pool(r#"workers = 4, queue-limit = 9"#), "workers of svc to 8", "workers = 4", "workers = 8");
    // What rules say stays as they say it.
    let tokio = changes(&pool(r#"rules = "tokio-1.54", maximum = 3"#));
    let names: Vec<&str> = tokio.iter().map(|(name, _)| name.as_str()).filter(|name| name.contains("svc")).collect();
    assert_eq!(names, ["maximum of svc to 1", "maximum of svc to 2", "maximum of svc to 4", "maximum of svc to 6"]);
}

#[test]
fn who_waits_for_a_thread_waits_for_one_of_its_own_pool() {
    let path = temporary(
        "own-pool",
        r#"
        machine = { processors = 4 }
        device = [{ name = "d", channels = "unlimited" }]
        [[process]]
        name = "svc"
        executor = "async"
        pools = { busy = { kind = "pool", workers = 1 }, spare = { kind = "pool", workers = 4 } }
        [[process.task]]
        name = "t"
        count = 4
        program = [{ on = "busy", do = [{ cpu = "5ms" }] }]
        [[process.task]]
        name = "u"
        program = [{ on = "spare", do = [{ io = "d", for = "1ms" }] }]
        "#,
    );
    let run = sim(&["explain", &path.display().to_string()]);
    let text = String::from_utf8_lossy(&run.stdout).split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains("nothing on the critical path waits for a thread of svc.spare"), "{text}");
    assert!(text.contains("workers of svc.busy 1 2"), "{text}");
}
