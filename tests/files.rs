//! Files on their way in and out: what is read, what is written, and what is noticed before the work.

use std::fs::{self, File};
use std::io::Write as _;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use crate::support::{root, sim, skipped, temporary, temporary_folder};

const FIVE: &str = "[[task]]\nname = \"a\"\nprogram = [{ cpu = \"5ms\" }]";
const DEADLOCK: &str = r#"
    lock = [{ name = "m" }]
    task = [{ name = "A", program = [{ lock = "m" }, { lock = "m" }] }]
"#;

/// Runs `sim` with this on its standard input.
fn fed(arguments: &[&str], input: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sim"));
    command.args(arguments).current_dir(root()).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("sim starts");
    // Whoever refuses its arguments may be gone before it has read anything.
    let _ = child.stdin.take().expect("a pipe").write_all(input.as_bytes());
    child.wait_with_output().expect("it ends")
}

fn error(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_dash_is_standard_input() {
    let outcome: Value = serde_json::from_slice(&fed(&["run", "-", "--json"], FIVE).stdout).expect("JSON");
    assert_eq!(outcome["makespan_ns"], 5_000_000);
    let output = fed(&["check", "-"], "[[task]]\nname = 5");
    assert!(error(&output).contains("standard input:2:8:"), "{}", error(&output));
    assert!(error(&fed(&["run", "-", "-"], FIVE)).contains("once"));
}

#[test]
fn all_files_are_looked_at_before_the_first_runs() {
    let good = temporary("files-good", FIVE).display().to_string();
    let output = sim(&["run", &good, "missing.toml", "tests/bad/types.toml", "--json"]);
    assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0));
    for word in ["missing.toml", "types.toml:1:9"] {
        assert!(error(&output).contains(word), "{}", error(&output));
    }
}

#[test]
fn an_input_without_end_is_read_to_the_longest_file() {
    let output = sim(&["check", "/dev/zero"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(error(&output).contains("longer than 16777216 bytes"), "{}", error(&output));
}

#[test]
fn what_cannot_be_written_is_said_before_the_work_and_inputs_are_never_overwritten() {
    let folder = temporary_folder("outputs");
    let path = |name: &str| folder.join(name).display().to_string();
    let scenario = path("scenario.svg");
    fs::write(&scenario, FIVE).expect("written");
    for command in ["run", "measure", "compare"] {
        for (plot, why) in [(&scenario, "the scenario itself"), (&path("no/x.svg"), "there is no folder")] {
            let output = sim(&[command, &scenario, "--plot", plot]);
            assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{command}");
            assert!(error(&output).contains(why), "{command}: {}", error(&output));
        }
    }
    assert_eq!(fs::read_to_string(&scenario).expect("still there"), FIVE);
}

#[test]
fn every_file_written_is_named() {
    let folder = temporary_folder("named");
    let path = |name: &str| folder.join(name).display().to_string();
    let scenario = path("x.toml");
    fs::write(&scenario, FIVE).expect("written");
    let (picture, trace) = (path("a.svg"), path("a.json"));
    let several = ["run", &scenario, "--vary", "seed=1,2,3", "--plot", &picture, "--trace", &trace];
    let output = sim(&several);
    assert!(error(&output).contains(&format!("picture: {picture}")), "{}", error(&output));
    assert!(error(&output).contains("a-1.json … ") && error(&output).contains("a-3.json (3 files)"));
    assert!([1, 2, 3].iter().all(|number| folder.join(format!("a-{number}.json")).exists()));
    assert!(error(&sim(&[&several[..], &["-q"]].concat())).is_empty(), "not when asked to be quiet");
}

#[test]
fn a_full_disk_keeps_what_was_there() {
    // The tests run where disks are not full: a limit on the size of files is the same to who writes.
    let folder = temporary_folder("full");
    let (scenario, picture) = (folder.join("x.toml"), folder.join("x.png"));
    fs::write(&scenario, FIVE).expect("written");
    fs::write(&picture, "the old one").expect("written");
    let script = r#"trap "" XFSZ; ulimit -f 1; exec "$0" run "$1" -q --plot "$2""#;
    let mut limited = Command::new("bash");
    limited.args(["-c", script, env!("CARGO_BIN_EXE_sim")]).args([&scenario, &picture]);
    let output = limited.output().expect("bash starts");
    assert_eq!(output.status.code(), Some(2), "{}", error(&output));
    assert!(error(&output).contains("cannot write"), "{}", error(&output));
    assert_eq!(fs::read_to_string(&picture).expect("there"), "the old one");
    assert_eq!(fs::read_dir(&folder).expect("a folder").count(), 2, "and nothing is left beside");
}

#[test]
fn a_standard_error_that_takes_nothing_changes_no_exit_code() {
    let Ok(full) = File::options().write(true).open("/dev/full") else {
        skipped("this system has no /dev/full");
        return;
    };
    let mut command = Command::new(env!("CARGO_BIN_EXE_sim"));
    command.args(["run", "missing.toml"]).current_dir(root()).stderr(full);
    assert_eq!(command.status().expect("sim starts").code(), Some(2));
}

#[test]
fn a_reader_that_leaves_keeps_the_exit_code_of_a_finding() {
    let deadlock = temporary("files-deadlock", DEADLOCK);
    let mut command = Command::new(env!("CARGO_BIN_EXE_sim"));
    command.arg("run").arg(&deadlock).stdout(Stdio::piped());
    let mut child = command.spawn().expect("sim starts");
    drop(child.stdout.take());
    assert_eq!(child.wait().expect("it ends").code(), Some(1));
}

#[test]
fn a_seed_that_json_would_round_is_a_text() {
    let seed_of = |seed: &str| -> Value {
        let output = fed(&["run", "-", "--json"], &format!("seed = {seed}\n{FIVE}"));
        serde_json::from_slice::<Value>(&output.stdout).expect("JSON")["seed"].clone()
    };
    assert_eq!(seed_of("9007199254740991"), 9_007_199_254_740_991_u64, "2^53 - 1 is exact for everybody");
    assert_eq!(seed_of("9007199254740992"), "9007199254740992");
    assert_eq!(seed_of("\"18446744073709551615\""), "18446744073709551615", "and such a text is read again");
    let overridden = fed(&["run", "-", "--json", "--seed", "18446744073709551615"], FIVE);
    let outcome: Value = serde_json::from_slice(&overridden.stdout).expect("JSON");
    assert_eq!(outcome["seed"], "18446744073709551615");
    for wrong in ["\"18446744073709551616\"", "\"-1\"", "\"\"", "-1"] {
        assert_eq!(fed(&["check", "-"], &format!("seed = {wrong}\n{FIVE}")).status.code(), Some(2), "{wrong}");
    }
}

#[test]
fn a_new_scenario_is_right_runs_and_is_never_overwritten() {
    use sim_cli::templates::TEMPLATES;
    for kind in TEMPLATES {
        let folder = crate::support::temporary_folder(&format!("new-{}", kind.name));
        let path = folder.join("begin.toml");
        let file = path.to_str().expect("text");
        let written = sim(&["new", "--kind", kind.name, "-o", file]);
        assert_eq!(String::from_utf8(written.stdout).expect("text"), format!("{file}\n"));
        let text = std::fs::read_to_string(&path).expect("it is there");
        assert!(text.contains("title = \"begin\"") && !text.contains("NAME"), "{text}");
        for command in ["check", "run"] {
            let output = sim(&[command, file]);
            assert_eq!((output.status.code(), output.stderr), (Some(0), Vec::new()), "{command} {}", kind.name);
        }
        // What its comments propose can be run.
        for line in text.lines().filter_map(|line| line.strip_prefix("#   sim ")) {
            let command = line.split("  ").next().expect("a command").replace("begin.toml", file).replace('\'', "");
            let code = sim(&command.split_whitespace().collect::<Vec<_>>()).status.code();
            assert!(code == Some(0) || command.contains("--fail-") && code == Some(1), "{command}: {code:?}");
        }
        let again = sim(&["new", "--kind", kind.name, "-o", file]);
        assert_eq!(again.status.code(), Some(2));
        assert!(String::from_utf8(again.stderr).expect("text").contains("is there already"));
        assert_eq!(std::fs::read_to_string(&path).expect("it is there"), text);
        let printed = sim(&["new", "begin.toml", "--kind", kind.name, "-o", "-"]);
        assert_eq!(String::from_utf8(printed.stdout).expect("text"), text);
    }
}
