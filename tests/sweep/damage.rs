//! Damaged and foreign files are refused by name, and left as they are.

use std::fs;
use std::path::Path;

use super::{EXPERIMENT, QUEUE, contents, folder, said, sweep, swept};
use crate::support::sim;

/// What is said when the results have been changed like this; nothing else changes.
fn refused(folder: &Path, change: impl Fn(&mut Vec<String>)) -> String {
    let path = folder.join("out/results.jsonl");
    let text = fs::read_to_string(&path).expect("results");
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    change(&mut lines);
    fs::write(&path, lines.join("\n") + "\n").expect("a file");
    let before = contents(&folder.join("out"));
    let output = sweep(folder, "out", &[]);
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    assert!(contents(&folder.join("out")) == before, "something was changed");
    fs::write(&path, text).expect("a file");
    said(&output)
}

#[test]
fn damaged_lines_are_named() {
    let folder = folder("damaged", QUEUE, EXPERIMENT);
    swept(&folder, "out", &[]);
    let said = refused(&folder, |lines| lines[5] = lines[5].replace("\"makespan\":", "\"makespan\":1"));
    assert!(said.contains("results.jsonl:6: it is damaged: its checksum is another"), "{said}");
    let said = refused(&folder, |lines| lines[7] = String::new());
    assert!(said.contains("results.jsonl:8: it has no checksum"), "{said}");
    let said = refused(&folder, |lines| {
        let half = lines[9].len() / 2;
        lines[9].truncate(half);
    });
    assert!(said.contains("results.jsonl:10: it has no checksum"), "{said}");
    let said = refused(&folder, |lines| lines[3] = lines[4].clone());
    assert!(said.contains("results.jsonl:5: replication 3 of variation 0 is here twice"), "{said}");
    let said = refused(&folder, |lines| lines[0] = lines[1].clone());
    assert!(said.contains("results.jsonl:1: "), "{said}");
    let said = refused(&folder, |lines| lines[0].truncate(20));
    assert!(said.contains("results.jsonl:1: it has no checksum"), "{said}");
    // A line that is missing altogether is a run to do.
    let path = folder.join("out/results.jsonl");
    let text = fs::read_to_string(&path).expect("results");
    let without: String =
        text.lines().enumerate().filter(|(index, _)| *index != 12).map(|(_, line)| format!("{line}\n")).collect();
    fs::write(&path, without).expect("a file");
    swept(&folder, "out", &[]);
    assert_eq!(fs::read_to_string(&path).expect("results"), text);
}

#[test]
fn bytes_that_are_no_text_are_named() {
    let folder = folder("bytes", QUEUE, EXPERIMENT);
    swept(&folder, "out", &[]);
    let path = folder.join("out/results.jsonl");
    let mut bytes = fs::read(&path).expect("results");
    bytes[700] = 0xff;
    fs::write(&path, &bytes).expect("a file");
    let output = sweep(&folder, "out", &[]);
    assert!(said(&output).contains("it is damaged: it is no text"), "{}", said(&output));
    assert_eq!(fs::read(&path).expect("results"), bytes);
}

#[test]
fn results_of_something_else_are_not_continued() {
    let folder = folder("foreign", QUEUE, EXPERIMENT);
    swept(&folder, "out", &[]);
    let before = contents(&folder.join("out"));
    for (name, text, changed) in [
        ("queue.experiment.toml", EXPERIMENT, EXPERIMENT.replace("replications = 6", "replications = 7")),
        ("queue.toml", QUEUE, QUEUE.replace("7ms", "6ms")),
    ] {
        fs::write(folder.join(name), changed).expect("a file");
        let output = sweep(&folder, "out", &[]);
        assert_eq!(output.status.code(), Some(2));
        assert!(
            said(&output).contains("holds results of another experiment, scenario or profile"),
            "{}",
            said(&output)
        );
        assert!(contents(&folder.join("out")) == before);
        fs::write(folder.join(name), text).expect("a file");
    }
    let output = sweep(&folder, "out", &["--shard", "1/2"]);
    assert!(said(&output).contains("results of the whole experiment, not of a shard"), "{}", said(&output));
    // What stands beside the results is what they were made of.
    fs::write(folder.join("out/scenario.toml"), QUEUE.replace("7ms", "6ms")).expect("a file");
    let out = folder.join("out").display().to_string();
    for command in [vec!["reproduce", &out], vec!["run", &out, "--cell", "0"]] {
        let output = sim(&command);
        assert_eq!(output.status.code(), Some(2));
        assert!(said(&output).contains("do not belong together"), "{}", said(&output));
    }
}

#[test]
fn an_experiment_that_is_wrong_is_told_before_the_first_run() {
    for (change, told) in [
        (("\"turnaround.p50\"", "\"turnaround.p5\""), "the outcome of a run has no p5"),
        (("device.server.waited_share", "device.sever.waited_share"), "unknown device `sever`"),
        (("[1, 2]", "[1, \"many\"]"), "[vary] device.server.channels"),
        (("\"shortest\"", "\"shortst\""), "did you mean `shortest`?"),
        (("queue.toml", "cue.toml"), "it is the `scenario` of"),
        (("scenario = \"queue.toml\"", "[[task]]"), "this file is a scenario, not an experiment"),
    ] {
        let folder = folder("wrong", QUEUE, &EXPERIMENT.replace(change.0, change.1));
        let output = sweep(&folder, "out", &[]);
        assert_eq!(output.status.code(), Some(2), "{change:?}: {}", said(&output));
        assert!(said(&output).contains(told), "{change:?}: {}", said(&output));
        assert!(!folder.join("out").exists(), "{change:?}");
    }
    let folder = folder("no-scenario", QUEUE, EXPERIMENT);
    let output = sim(&["run", &folder.join("queue.experiment.toml").display().to_string()]);
    assert!(said(&output).contains("`sim sweep` runs experiments"), "{}", said(&output));
}
