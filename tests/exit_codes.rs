//! Exit codes: what counts as a finding by default, what `--fail-on` adds, and how the end of a run is told.

use crate::support::{sim, temporary};

/// Two jobs in three miss, one task is kept waiting by urgency, and one of two tasks cannot end.
const LATE: &str = r#"
    until = "300ms"
    scheduler = { policy = "priority" }
    lock = [{ name = "m" }]
    task = [
        { name = "slow", priority = 5, period = "10ms", program = [{ cpu = "15ms" }] },
        { name = "kept", priority = 1, program = [{ cpu = "1ms" }] },
    ]
"#;

const HEALTHY: &str = r#"
    until = "1s"
    scheduler = { policy = "rate-monotonic" }
    task = [
        { name = "gyro", period = "10ms", program = [{ cpu = "2ms" }] },
        { name = "gps", period = "200ms", arrival = "150ms", program = [{ cpu = "60ms" }] },
    ]
"#;

fn code(arguments: &[&str]) -> Option<i32> {
    sim(arguments).status.code()
}

#[test]
fn findings_count_if_they_are_asked_for() {
    let file = temporary("late", LATE);
    let file = file.to_str().expect("text");
    for output in ["--quiet", "--json"] {
        let with = |kinds: &str| code(&["run", file, output, "--fail-on", kinds]);
        assert_eq!(code(&["run", file, output]), Some(0), "misses are no failure by default");
        for (kinds, expected) in
            [("misses", 1), ("starvation", 1), ("unfinished", 1), ("convoy,inversion", 0), ("convoy,misses", 1)]
        {
            assert_eq!(with(kinds), Some(expected), "{kinds}");
        }
    }
    let told = String::from_utf8(sim(&["run", file, "--quiet", "--fail-on", "misses,convoy"]).stderr).expect("text");
    assert_eq!(told, "finding: misses (--fail-on)\n");
}

#[test]
fn any_variation_counts() {
    let file = temporary("late-varied", LATE);
    let varied = |values: &str| {
        let vary = format!("task.slow.program.0.cpu={values}");
        code(&["run", file.to_str().expect("text"), "--quiet", "--vary", &vary, "--fail-on", "misses"])
    };
    assert_eq!((varied("1ms,2ms"), varied("1ms,15ms")), (Some(0), Some(1)));
}

#[test]
fn an_unknown_kind_is_refused_with_those_there_are() {
    let file = temporary("late-unknown", LATE);
    let output = sim(&["run", file.to_str().expect("text"), "--fail-on", "mises"]);
    let told = String::from_utf8(output.stderr).expect("text");
    assert_eq!(output.status.code(), Some(2));
    assert!(told.contains("mises") && told.contains("misses") && told.contains("starvation"), "{told}");
}

#[test]
fn periodic_tasks_at_their_horizon_are_no_work_left() {
    let file = temporary("healthy", HEALTHY);
    let file = file.to_str().expect("text");
    let text = String::from_utf8(sim(&["run", file]).stdout).expect("text");
    assert!(text.contains("reached the horizon at 1 s, all 104 jobs due were met, 1 in progress;"), "{text}");
    assert_eq!(code(&["run", file, "--quiet", "--fail-on", "unfinished,misses"]), Some(0));
    let rows = String::from_utf8(sim(&["run", file, "--vary", "seed=1,2"]).stdout).expect("text");
    assert!(!rows.contains("unfinished") && !rows.contains("turnaround"), "{rows}");
    assert!(rows.contains("worst response") && rows.contains(" 76 "), "{rows}");
}

#[test]
fn a_late_or_aborted_job_is_a_miss_and_no_work_left() {
    let text = "until = \"1s\"\nscheduler = { policy = \"rate-monotonic\" }\n\
        task = [{ name = \"a\", period = \"10ms\", program = [{ cpu = \"9ms\" }] },\n\
        { name = \"b\", period = \"50ms\", on-miss = \"abort\", program = [{ cpu = \"6ms\" }] }]";
    let file = temporary("late-at-the-end", text);
    let file = file.to_str().expect("text");
    assert_eq!(code(&["run", file, "--quiet", "--fail-on", "unfinished"]), Some(0));
    let vary = |values: &str| {
        let output = sim(&["run", file, "--vary", &format!("task.b.on-miss={values}"), "--fail-on", "unfinished"]);
        let rows = String::from_utf8(output.stdout).expect("text");
        let words =
            |line: &str| line.split("  ").map(str::trim).filter(|word| !word.is_empty()).map(str::to_owned).collect();
        let rows: Vec<Vec<String>> = rows.lines().take(3).map(words).collect();
        (output.status.code(), rows)
    };
    let (code, rows) = vary("abort,skip");
    assert_eq!(code, Some(0));
    assert_eq!(rows[0][2..7], ["end", "missed", "aborted", "skipped", "jobs"]);
    assert_eq!(rows[1][3..7], ["20", "20", "0", "120"]);
    assert_eq!(rows[2][3..7], ["10", "0", "10", "110"]);
    let (_, rows) = vary("continue,abort");
    assert_eq!(rows[0][2..6], ["end", "missed", "aborted", "jobs"]);
}

#[test]
fn loops_forever_are_no_work_left_and_others_are() {
    let text = |program: &str| {
        let file =
            temporary("forever", &format!("until = \"50ms\"\ntask = [{{ name = \"a\", program = [{program}] }}]"));
        String::from_utf8(sim(&["run", file.to_str().expect("text")]).stdout).expect("text")
    };
    let forever = text(r#"{ repeat = "forever", do = [{ cpu = "1ms" }] }"#);
    assert!(forever.contains("reached the horizon at 50 ms; "), "{forever}");
    let long = text(r#"{ cpu = "60ms" }"#);
    assert!(long.contains("reached the horizon at 50 ms, the one task unfinished; "), "{long}");
}

#[test]
fn options_to_come_are_refused_by_name() {
    let told = |arguments: &[&str]| {
        let output = sim(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        String::from_utf8(output.stderr).expect("text").lines().next().unwrap_or_default().to_owned()
    };
    assert_eq!(told(&["compare", "a.toml", "--fail-if", "makespan>1ms"]), "sim: `--fail-if` is not supported yet");
    assert_eq!(told(&["run", "a.toml", "--fail-if=makespan>5ms"]), "sim: `--fail-if` is not supported yet");
    assert_eq!(told(&["run", "a.toml", "-o", "x"]), "sim: `-o` is not supported yet");
    assert_eq!(told(&["measure", "a.toml", "--out", "x"]), "sim: `--out` is not supported yet");
    // What a command is never to have is a mistake, and a file may be called like an option.
    assert!(told(&["check", "a.toml", "--profile", "auto"]).contains("unexpected argument"));
    assert!(told(&["run", "--", "--fail-if"]).contains("cannot read --fail-if"));
}

#[test]
fn commands_to_come_are_refused_by_name() {
    for (command, hint) in sim_core::scenario::planned::COMMANDS {
        let output = sim(&[command, "a.toml", "--runs", "3"]);
        let told = String::from_utf8(output.stderr).expect("text");
        assert_eq!(told, format!("sim: `{command}` is not supported yet\nhint: {hint}\n"));
        assert_eq!(output.status.code(), Some(2));
    }
}

#[test]
fn who_was_turned_away_is_done_and_did_not_wait() {
    let toml = "[machine]\nprocessors = 3\n[[process]]\nname = \"p\"\nexecutor = { kind = \"pool\", workers = 2, queue-limit = 1, when-full = \"reject\" }\n\
        [[process.task]]\nname = \"J\"\ncount = 5\nprogram = [{ cpu = \"10ms\" }]\n";
    let file = temporary("turned-away", toml);
    let file = file.to_str().expect("text");
    assert_eq!(code(&["run", file, "--quiet", "--fail-on", "unfinished"]), Some(0));
    let summary = |more: &[&str]| {
        let document = sim(&[["run", file, "--json"].as_slice(), more].concat()).stdout;
        let document: serde_json::Value = serde_json::from_slice(&document).expect("JSON");
        (document["summary"]["rejected"].clone(), document["summary"]["waited_share"].as_f64())
    };
    assert_eq!(summary(&[]), (2.into(), Some(1.0 / 3.0)));
    // There two wait in the queue, and two have threads at once.
    let set = "process.p.executor={ kind = \"pool\", core = 1, maximum = 2, queue-limit = 2, when-full = \"reject\" }";
    assert_eq!(summary(&["--set", set]), (1.into(), Some(0.5)));
    let rows = sim(&["run", file, "--vary", "process.p.executor.queue-limit=0,1,2"]).stdout;
    assert!(!String::from_utf8(rows).expect("text").contains("unfinished"));
}
