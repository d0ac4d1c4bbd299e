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
    assert_eq!(told(&["run", "a.toml", "-o", "x"]), "sim: `-o` is not supported yet");
    assert_eq!(told(&["measure", "a.toml", "--out", "x"]), "sim: `--out` is not supported yet");
    // What a command is never to have is a mistake, and a file may be called like an option.
    assert!(told(&["check", "a.toml", "--profile", "auto"]).contains("unexpected argument"));
    assert!(told(&["run", "--", "--out"]).contains("cannot read --out"));
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

/// 2 ms of 10 are lost by each of two tasks.
const PAIR: &str = r#"
    scheduler = { policy = "fifo" }
    task = [
        { name = "A", program = [{ cpu = "10ms" }] },
        { name = "B", arrival = "2ms", program = [{ cpu = "20ms" }] },
        { name = "many", count = 3, arrival = "4ms", program = [{ cpu = "10ms" }] },
    ]
"#;

/// Code, standard output and standard error.
fn all_of(arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = sim(arguments);
    let text = |bytes| String::from_utf8(bytes).expect("text");
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn expectations_are_marked() {
    let file = temporary("marked", PAIR);
    let file = file.to_str().expect("text");
    let expect = |conditions: &[&str]| {
        let expects = conditions.iter().flat_map(|condition| ["--expect", condition]);
        all_of(&["check", file].into_iter().chain(expects).collect::<Vec<_>>())
    };
    let right =
        ["makespan=60ms", "task.A.finish=10ms", "task.B.waiting=8ms", "utilisation=100%", "finished=5", "misses=0"];
    let (code, text, _) = expect(&right);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("6 of 6 expectations met") && !text.contains("NOT MET"), "{text}");
    // (0 + 8 + 26 + 36 + 46) / 5
    let (code, text, _) =
        expect(&["waiting.mean=23.2ms", "task.B.finish<30ms", "task.many.p50>=46ms", "makespan!=60ms"]);
    assert_eq!(code, Some(1));
    let marks: Vec<Vec<&str>> = text
        .lines()
        .filter(|line| line.starts_with("  "))
        .map(|line| line.split("  ").filter(|word| !word.trim().is_empty()).map(str::trim).collect())
        .collect();
    assert_eq!(
        marks,
        [
            ["met", "waiting.mean=23.2ms", "it is 23.2ms"],
            ["NOT MET", "task.B.finish<30ms", "it is 30ms"],
            ["met", "task.many.p50>=46ms", "it is 46ms"],
            ["NOT MET", "makespan!=60ms", "it is 60ms"],
        ]
    );
    assert!(text.contains("2 of 4 expectations met"), "{text}");
    let quiet = all_of(&["check", file, "--quiet", "--expect", "makespan<60ms"]);
    assert_eq!(quiet, (Some(1), String::new(), String::new()));
}

#[test]
fn expectations_of_what_is_not_there_say_what_is() {
    let file = temporary("unmarked", PAIR);
    let file = file.to_str().expect("text");
    for (condition, said) in [
        ("makespam=3ms", "did you mean `makespan`?"),
        ("makespan=300", "has no unit; write it as \"300ms\""),
        ("task.C.finish=3ms", "unknown task `C`"),
        ("task.many.finish=3ms", "of one of them it is `task.many#0.finish`"),
        ("makespan", "a comparison"),
    ] {
        for arguments in [["check", file, "--expect", condition], ["run", file, "--fail-if", condition]] {
            let (code, _, told) = all_of(&arguments);
            assert_eq!(code, Some(2), "{arguments:?}");
            assert!(told.contains(said), "{arguments:?}: {told}");
        }
    }
}

#[test]
fn what_never_ends_is_none() {
    let text = "lock = [{ name = \"a\" }, { name = \"b\" }]\n[[task]]\nname = \"x\"\nprogram = [{ lock = \"a\" }, { cpu = \"2ms\" }, { sleep = \"1ms\" }, { lock = \"b\" }, { unlock = \"b\" }, { unlock = \"a\" }]\n[[task]]\nname = \"y\"\nprogram = [{ lock = \"b\" }, { cpu = \"2ms\" }, { sleep = \"1ms\" }, { lock = \"a\" }, { unlock = \"a\" }, { unlock = \"b\" }]";
    let file = temporary("never-ends", text);
    let file = file.to_str().expect("text");
    let (code, text, _) = all_of(&["check", file, "--expect", "task.x.finish=none", "--expect", "unfinished=2"]);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("the run ended in a deadlock"), "{text}");
}

#[test]
fn figures_make_the_exit_code_where_they_are_asked_for() {
    let file = temporary("figures", PAIR);
    let file = file.to_str().expect("text");
    let (exit, _, told) = all_of(&["run", file, "--quiet", "--fail-if", "p50>100ms", "--fail-if", "makespan>=60ms"]);
    assert_eq!((exit, told.as_str()), (Some(1), "finding: makespan>=60ms: it is 60ms (--fail-if)\n"));
    let (exit, _, told) = all_of(&["run", file, "--quiet", "--fail-if", "p99>100ms"]);
    let few = "remark: p99>100ms: there is no such figure: a p95 is known of 20 tasks or more, a p99 of 100\n";
    assert_eq!((exit, told.as_str()), (Some(0), few), "five tasks have no p99, and nobody is misled");
    let (exit, _, told) =
        all_of(&["run", file, "--quiet", "--vary", "machine.processors=1,2", "--fail-if", "makespan>50ms"]);
    let said = "finding: makespan>50ms: in 1 of 2 runs, processors=1: it is 60ms (--fail-if)\n";
    assert_eq!((exit, told.as_str()), (Some(1), said));
    let (exit, _, told) = all_of(&["run", file, "--quiet", "--replications", "3", "--fail-if", "causes.processor>0"]);
    assert_eq!(exit, Some(1));
    assert!(told.contains("in 3 of 3 runs, the first replication 0"), "{told}");
    assert_eq!(code(&["run", file, "--fail-if", "causes.lock>0"]), Some(0));
}

#[test]
fn figures_of_real_runs_make_the_exit_code_too() {
    let file = temporary("figures-real", "task = [{ name = \"a\", program = [{ cpu = \"2ms\" }] }]");
    let file = file.to_str().expect("text");
    assert_eq!(code(&["measure", file, "--quiet", "--fail-if", "makespan<2ms"]), Some(0));
    let (code, _, told) = all_of(&["measure", file, "--quiet", "--fail-if", "makespan>=2ms"]);
    assert_eq!(code, Some(1), "{told}");
    assert!(told.contains("finding: makespan>=2ms: it is "), "{told}");
}

#[test]
fn figures_of_experiments_make_the_exit_code() {
    let folder = crate::support::temporary_folder("figures-experiment");
    std::fs::write(folder.join("pair.toml"), PAIR).expect("written");
    let text = "scenario = \"pair.toml\"\nreplications = 2\nmetrics = [\"makespan\", \"turnaround.p99\"]\n[vary]\n\"machine.processors\" = [1, 2]\n";
    let experiment = folder.join("pair.experiment.toml");
    std::fs::write(&experiment, text).expect("written");
    let [experiment, out] = [experiment, folder.join("out")].map(|path| path.to_str().expect("text").to_owned());
    let sweep = |condition: &str| {
        all_of(&["sweep", &experiment, "--out", &out, "--quiet", "--no-report", "--fail-if", condition])
    };
    let (code, _, told) = sweep("makespan>50ms");
    assert_eq!(code, Some(1), "{told}");
    assert!(
        told.contains(
            "finding: makespan>50ms: in 2 of 4 runs, the first processors=1, replication 0: it is 60ms (--fail-if)"
        ),
        "{told}"
    );
    // A short name is the same figure.
    assert_eq!(sweep("p99>100ms").0, Some(0));
    let (code, _, told) = sweep("migrations>0");
    assert_eq!(code, Some(2));
    assert!(told.contains("no metric of the experiment") && told.contains("makespan, turnaround.p99"), "{told}");
}
