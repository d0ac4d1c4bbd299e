//! Long runs, many runs, and many tasks: what is printed fits a screen, what is kept fits the budget, Ctrl-C ends with what
//! there is, and the bytes do not depend on the number of threads.

use std::fs;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::{sim, skipped, temporary, temporary_folder};

/// Two tasks that take turns: 20 000 slices.
const SLICES: &str = r#"
    until = "20ms"
    [scheduler]
    policy = "round-robin"
    quantum = "1us"
    [[task]]
    name = "a"
    count = 2
    program = [{ cpu = "100s" }]
"#;

/// A run without an end.
pub(crate) const ENDLESS: &str = r#"
    [scheduler]
    policy = "round-robin"
    quantum = "1us"
    [[lock]]
    name = "m"
    [[task]]
    name = "a"
    count = 2
    program = [{ cpu = "2000000h" }]
"#;

/// Draws, so that each seed has an outcome of its own.
const DRAWS: &str = r#"
    [machine]
    processors = 2
    [[device]]
    name = "disk"
    [[task]]
    name = "request"
    count = 30
    arrival = { gap = { exponential = "1ms" } }
    program = [{ cpu = { exponential = "1ms" } }, { io = "disk", for = { exponential = "1ms" } }]
"#;

fn file(name: &str, toml: &str) -> String {
    temporary(name, toml).display().to_string()
}

struct Said {
    code: Option<i32>,
    out: String,
    err: String,
}

fn said(arguments: &[&str]) -> Said {
    let output = sim(arguments);
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    Said { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

#[test]
fn a_timeline_without_room_is_given_up_with_a_word() {
    let slices = file("long-slices", SLICES);
    let whole = said(&["run", &slices]);
    assert!(whole.out.contains("\nprocessor 0 ") && whole.code == Some(0), "{}", whole.out);
    let cut = said(&["run", &slices, "--memory", "1MB"]);
    assert_eq!(cut.code, Some(0));
    let word = "the timeline is longer than the memory budget of 1MB allows: tables only; --memory 4MB may keep it\n";
    assert!(cut.out.ends_with(word), "{}", cut.out);
    assert!(whole.out.starts_with(cut.out.strip_suffix(word).expect("it ends with it").trim_end()), "{}", cut.out);
    // What cannot be given up is refused, and the numbers never depend on the budget.
    for option in ["--timeline", "--explain", "--check"] {
        let refused = said(&["run", &slices, "--memory", "1MB", option]);
        assert_eq!((refused.code, refused.out.as_str()), (Some(2), ""), "{option}");
        assert!(
            refused.err.contains("memory budget of 1MB") && refused.err.contains("--memory 4MB"),
            "{}",
            refused.err
        );
    }
    // Not after the run, which may never end.
    let endless = file("long-refused", ENDLESS);
    for call in
        [["run", &endless, "--explain"].as_slice(), &["run", &endless, "--plot", "endless.png", "--vary", "seed=1,2"]]
    {
        let refused = said(&[call, &["--memory", "1MB"]].concat());
        assert!(refused.code == Some(2) && refused.err.contains("hint: --memory 4MB"), "{}", refused.err);
    }
    let numbers = |memory: &str| said(&["run", &slices, "--json", "--memory", memory]).out;
    assert_eq!(numbers("1MB"), numbers("1GB"));
}

#[test]
fn more_tasks_than_there_is_room_for_are_refused_before_they_are_made() {
    let many = r#"task = [{ name = "a", count = 20000000, program = [{ cpu = "1ns" }] }]"#;
    let spawns = r#"
        [[task]]
        name = "parent"
        program = [{ repeat = 5000, do = [{ spawn = "child" }] }]
        [[task]]
        name = "child"
        arrival = "spawned"
        program = [{ cpu = "1us" }]
    "#;
    let refused = said(&["run", &file("long-many", many)]);
    assert_eq!(refused.code, Some(2));
    assert!(
        refused.err.contains("20000000 tasks take about 20GB") && refused.err.contains("--memory 20GB"),
        "{}",
        refused.err
    );
    let spawns = file("long-spawns", spawns);
    let refused = said(&["run", &spawns, "-q", "--memory", "1MB"]);
    assert_eq!(refused.code, Some(2), "{}", refused.err);
    assert!(refused.err.contains("tasks take about"), "{}", refused.err);
    assert_eq!(said(&["run", &spawns, "-q", "--memory", "10MB"]).code, Some(0));
    let mistyped = said(&["run", &spawns, "--memory", "much"]);
    assert!(mistyped.code == Some(2) && mistyped.err.contains("4GB or 500MB"), "{}", mistyped.err);
}

#[test]
fn tables_hold_what_a_screen_holds_and_full_holds_all() {
    let mut kinds = String::new();
    for number in 0..300 {
        kinds += &format!("[[task]]\nname = \"kind-{number}\"\nprogram = [{{ cpu = \"{}us\" }}]\n", number + 1);
    }
    let kinds = file("long-kinds", &kinds);
    let lines = |arguments: &[&str]| said(arguments).out.lines().count();
    assert!(lines(&["run", &kinds, "--no-timeline"]) < 60, "{}", lines(&["run", &kinds, "--no-timeline"]));
    let full = said(&["run", &kinds, "--no-timeline", "--full"]).out;
    assert!((0..300).all(|number| full.contains(&format!("kind-{number} "))), "{full}");
    assert!(!full.contains("\nprocessor 0 "), "{full}");

    // The extremes of a kind are told by name: instance 7 takes longest.
    let instances = r#"
        [[task]]
        name = "short"
        count = 60
        arrival = { every = "10ms" }
        program = [{ cpu = "1ms" }]
        [[task]]
        name = "long"
        arrival = "69ms"
        program = [{ cpu = "8ms" }]
    "#;
    let text = said(&["run", &file("long-instances", instances), "--no-timeline"]).out;
    let worst = text.lines().find(|line| line.starts_with("short#7 ")).unwrap_or_else(|| panic!("{text}"));
    assert!(worst.contains("worst"), "{text}");
}

#[test]
fn many_runs_are_streamed_and_are_the_same_bytes_on_any_number_of_threads() {
    let draws = file("long-draws", DRAWS);
    let call = ["run", &draws, "--vary", "seed=1..40", "--vary", "machine.processors=1,2"];
    let document = said(&[call.as_slice(), &["--json"]].concat()).out;
    let value: Value = serde_json::from_str(&document).expect("JSON");
    let entries = value["variations"].as_array().expect("a list");
    assert_eq!(entries.len(), 80);
    let seeds = |entry: &Value| (entry["set"]["seed"].clone(), entry["outcome"]["seed"].clone());
    assert_eq!(seeds(&entries[5]), (Value::from("3"), Value::from(3)));
    let lines = said(&[call.as_slice(), &["--jsonl"]].concat()).out;
    let written_at_once = lines.trim_end().replace('\n', ",");
    assert_eq!(document, format!("{{\"format\":1,\"variations\":[{written_at_once}]}}\n"));

    let one = |arguments: &[&str]| {
        let program = env!("CARGO_BIN_EXE_sim");
        Command::new("taskset").args(["-c", "0", program]).args(arguments).output()
    };
    match one(&["--version"]) {
        Ok(output) if output.status.success() => {}
        _ => return skipped("taskset cannot give a program one processor here"),
    }
    let json = [call.as_slice(), &["--json"]].concat();
    assert_eq!(String::from_utf8(one(&json).expect("it ran").stdout).expect("UTF-8"), document);
    assert_eq!(one(&call).expect("it ran").stdout, sim(&call).stdout);
}

#[test]
fn of_many_variations_the_best_the_median_and_the_worst_are_told() {
    let draws = file("long-best", DRAWS);
    let text = said(&["run", &draws, "--vary", "seed=1..101"]).out;
    assert!(text.contains("the best 10, the median 10 and the worst 10 of 101 variations"), "{text}");
    let rows = |text: &str| text.lines().take_while(|line| !line.is_empty()).count();
    assert!(rows(&text) < 40 && text.lines().count() < 120, "{text}");
    let full = said(&["run", &draws, "--vary", "seed=1..101", "--full"]).out;
    assert!((1..=101).all(|seed| full.contains(&format!("\nseed={seed} "))), "{full}");
    let refused = said(&["run", &draws, "--vary", "seed=1,2", "--timeline"]);
    assert!(refused.code == Some(2) && refused.err.contains("--jsonl"), "{}", refused.err);
}

#[test]
fn files_of_one_name_are_told_apart() {
    let folder = temporary_folder("long-apart");
    let path = |name: &str| {
        let path = folder.join(name).join("x.toml");
        fs::create_dir_all(path.parent().expect("a folder")).expect("created");
        fs::write(&path, DRAWS).expect("written");
        path.display().to_string()
    };
    let (a, b) = (path("a"), path("b"));
    let text = said(&["run", &a, &b]).out;
    assert!(text.contains(&format!("\n{a} ")) && text.contains(&format!("\n{b} ")), "{text}");
    let lines = said(&["run", &a, &b, "--jsonl"]).out;
    let files: Vec<Value> =
        lines.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON")["file"].clone()).collect();
    assert_eq!(files, [Value::from(a), Value::from(b)]);
}

/// Starts `sim` and waits until it has a handler for Ctrl-C.
fn started(arguments: &[&str]) -> Child {
    let mut child = Command::new(env!("CARGO_BIN_EXE_sim"))
        .args(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let begun = Instant::now();
    let catches = |status: &str| {
        let mask = status.lines().find_map(|line| line.strip_prefix("SigCgt:"))?;
        Some(u64::from_str_radix(mask.trim(), 16).ok()? & 2 != 0)
    };
    while begun.elapsed() < Duration::from_secs(60) {
        let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        if catches(&status) == Some(true) {
            // It has begun by now, or will look at once.
            thread::sleep(Duration::from_millis(50));
            return child;
        }
        thread::sleep(Duration::from_millis(5));
    }
    let ended = child.kill().and_then(|()| child.wait());
    panic!("it never listened to Ctrl-C, and was killed: {ended:?}");
}

fn interrupt(child: &Child) {
    let sent = Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill is there");
    assert!(sent.success());
}

#[test]
fn ctrl_c_ends_a_run_with_what_there_is() {
    let endless = file("long-endless", ENDLESS);
    for arguments in [vec!["run", &endless, "--memory", "100MB"], vec!["run", &endless, "--json"]] {
        let child = started(&arguments);
        interrupt(&child);
        let output = child.wait_with_output().expect("it ends");
        let text = String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(130), "{text}");
        if arguments.contains(&"--json") {
            let outcome: Value = serde_json::from_str(&text).expect("JSON");
            assert_eq!(outcome["end"], "interrupted");
            let processor = &outcome["processors"][0];
            assert_eq!(processor["running_ns"], outcome["makespan_ns"], "{processor}");
        } else {
            assert!(text.contains("interrupted at ") && text.contains("\na#1 "), "{text}");
        }
    }
}

#[test]
fn ctrl_c_before_anything_is_done_prints_what_there_is_and_no_heading_without_rows() {
    let endless = file("long-endless-first", ENDLESS);
    let interrupted = |arguments: &[&str]| {
        let child = started(arguments);
        interrupt(&child);
        let output = child.wait_with_output().expect("it ends");
        assert_eq!(output.status.code(), Some(130), "{arguments:?}");
        [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).expect("UTF-8"))
    };
    // A single run is told up to there, as a line too.
    let [line, _] = interrupted(&["run", &endless, "--jsonl"]);
    let entry: Value = serde_json::from_str(&line).expect("a line of JSON");
    assert_eq!(entry["outcome"]["end"], "interrupted");
    let [text, _] = interrupted(&["run", &endless, "--explain", "--memory", "100GB"]);
    assert!(text.contains("interrupted at ") && text.contains("WHERE ALL THE TIME WENT"), "{text}");
    let [out, said] = interrupted(&["run", &endless, "--vary", "machine.processors=1,2"]);
    assert_eq!((out.as_str(), said.as_str()), ("", "interrupted: 0 of 2 runs were done\n"));
}

#[test]
fn what_is_too_long_for_a_real_run_is_refused_before_anything_runs() {
    let endless = file("long-compared", ENDLESS);
    for arguments in [
        ["compare", &endless].as_slice(),
        &["compare", &endless, "--set", "until=90s"],
        &["measure", &endless, "--vary", "until=1s,90s"],
    ] {
        let refused = said(arguments);
        assert_eq!((refused.code, refused.out.as_str()), (Some(2), ""), "{arguments:?}: {}", refused.err);
        let has = |words: &str| refused.err.contains(words);
        assert!(has("longer than the time limit 60s") && has("hint: ") && has("--set until="), "{}", refused.err);
    }
}

#[test]
fn ctrl_c_ends_many_runs_with_those_that_are_done() {
    let endless = file("long-endless-vary", ENDLESS);
    // The first has an end, the second has none.
    let child = started(&["run", &endless, "--vary", "until=1ms,2000000h", "--json"]);
    // On one processor the first may not have had its turn yet.
    thread::sleep(Duration::from_millis(500));
    interrupt(&child);
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(130));
    let document: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(document["interrupted"], true);
    let entries = document["variations"].as_array().expect("a list");
    assert!(entries.len() <= 1 && entries.iter().all(|entry| entry["outcome"]["end"] == "horizon"), "{document}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("of 2 runs were done"));
}

#[test]
fn ctrl_c_while_findings_are_looked_for_says_that_not_all_were() {
    let fought = file(
        "long-fought-over",
        "[scheduler]\npolicy = \"round-robin\"\nquantum = \"1ms\"\n[[lock]]\nname = \"m\"\n[[task]]\nname = \"t\"\ncount = 6\n\
         program = [{ repeat = 300, do = [{ cpu = \"1ms\" }, { with = \"m\", do = [{ cpu = \"300us\" }] }] }]\n",
    );
    let arguments = ["run", &fought, "--vary", "machine.context-switch=1us..130us"];
    let begun = Instant::now();
    let whole = said(&arguments);
    let time = begun.elapsed();
    assert_eq!(whole.out.matches("lock convoy: ").count(), 30, "{}", whole.out);
    for part in 1..12 {
        let begun = Instant::now();
        let child = started(&arguments);
        thread::sleep((time * part / 12).saturating_sub(begun.elapsed()));
        interrupt(&child);
        let output = child.wait_with_output().expect("it ends");
        let [text, said] = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).expect("UTF-8"));
        // It may have been over before.
        if output.status.code() == Some(130) {
            assert!(said.contains(" of 130 runs were done\n"), "{said}");
            assert!(text.is_empty() || said.contains("remark: what their timelines show was not looked for"), "{said}");
        } else {
            assert_eq!((output.status.code(), text.as_str()), (Some(0), whole.out.as_str()), "{said}");
        }
    }
}

#[test]
fn tables_fit_the_columns_there_are() {
    let draws = file("long-columns", DRAWS);
    let narrow = |columns: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sim"));
        let output = command.args(["run", &draws]).env("COLUMNS", columns).output().expect("it runs");
        String::from_utf8(output.stdout).expect("UTF-8")
    };
    for columns in [40, 60, 80] {
        let text = narrow(&columns.to_string());
        let too_long = text.lines().skip(2).find(|line| line.chars().count() > columns);
        assert!(too_long.is_none(), "{columns}: {too_long:?}\n{text}");
        assert!(text.contains("  finish"), "{columns}: {text}");
    }
    assert!(narrow("60").contains("left out for want of columns"), "{}", narrow("60"));
    assert!(!narrow("200").contains("left out for want of columns"), "{}", narrow("200"));
}

#[test]
fn control_characters_of_a_file_do_not_reach_the_terminal() {
    let nasty = r#"
        title = "t\u001b]0;x\u0007t"
        [[device]]
        name = "d\u001b[2Jd"
        [[lock]]
        name = "l\r\nl"
        [[task]]
        name = "a\u001b[31mb"
        count = 3
        program = [{ with = "l\r\nl", do = [{ io = "d\u001b[2Jd", for = "1ms" }] }, { cpu = "1ms" }]
        [[task]]
        name = "stuck\u0007"
        program = [{ lock = "l\r\nl" }, { lock = "l\r\nl" }]
    "#;
    let nasty = file("long-nasty", nasty);
    for arguments in [
        vec!["run", &nasty],
        vec!["run", &nasty, "--explain"],
        vec!["run", &nasty, "--timeline"],
        vec!["run", &nasty, &nasty],
        vec!["check", &nasty],
    ] {
        let said = said(&arguments);
        let raw = said.out.chars().chain(said.err.chars()).find(|letter| letter.is_control() && *letter != '\n');
        assert!(raw.is_none(), "{arguments:?}: {raw:?} in\n{}{}", said.out, said.err);
        assert!(!said.out.is_empty(), "{arguments:?}: {}", said.err);
    }
}
