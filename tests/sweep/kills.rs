//! Whatever ends a sweep, the same command goes on, and in the end nobody can tell.

use std::fs;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use super::{EXPERIMENT, QUEUE, assert_alike, contents, folder, json, said, swept};
use crate::support::{root, temporary_folder};

#[test]
fn a_file_that_is_cut_anywhere_is_completed() {
    let folder = folder("cut", QUEUE, EXPERIMENT);
    swept(&folder, "whole", &[]);
    let whole = fs::read(folder.join("whole/results.jsonl")).expect("results");
    for part in 0..12 {
        let at = whole.len() * part / 11;
        let out = format!("cut-{part}");
        let cut = folder.join(&out);
        fs::create_dir(&cut).expect("a folder");
        for (name, bytes) in contents(&folder.join("whole")) {
            // What is made of complete results is not there yet.
            if name.ends_with(".toml") {
                fs::write(cut.join(name), bytes).expect("a file");
            }
        }
        fs::write(cut.join("results.jsonl"), &whole[..at]).expect("a file");
        let output = swept(&folder, &out, &["--json"]);
        let lines = whole[..at].iter().filter(|byte| **byte == b'\n').count();
        assert_eq!(json(&output)["reused"], lines.saturating_sub(1), "cut at {at}");
        let torn = at > 0 && whole[at - 1] != b'\n';
        assert_eq!(said(&output).contains("cut off in the middle"), torn, "cut at {at}: {}", said(&output));
        assert_alike(&folder.join("whole"), &cut);
    }
}

#[test]
fn twenty_kills_leave_nothing_behind() {
    // So large that a run of it takes a while, also where it is optimised.
    let experiment =
        EXPERIMENT.replace("replications = 6", "replications = 60").replace("\"pooled.turnaround.p95\", ", "");
    let folder = folder("killed", &QUEUE.replace("count = 40", "count = 400"), &experiment);
    swept(&folder, "whole", &[]);
    let killed = folder.join("killed");
    let mut kills = 0;
    for attempt in 0..20_u64 {
        let mut sweep = Command::new(env!("CARGO_BIN_EXE_sim"))
            .args(["sweep", "-q"])
            .arg(folder.join("queue.experiment.toml"))
            .arg("--out")
            .arg(&killed)
            .current_dir(root())
            .stdout(Stdio::null())
            .spawn()
            .expect("sim starts");
        // Anywhere from its first moments on; one that is done by then was not killed.
        thread::sleep(Duration::from_millis(1 + attempt * attempt * 7 % 120));
        kills += u32::from(sweep.kill().is_ok() && !sweep.wait().expect("it ends").success());
    }
    let output = swept(&folder, "killed", &["--json"]);
    assert_eq!(json(&output)["runs"], 360);
    assert!(kills > 0, "nothing was ever killed");
    assert_alike(&folder.join("whole"), &killed);
}

#[test]
fn what_a_kill_left_beside_a_file_goes() {
    let folder = folder("left", QUEUE, EXPERIMENT);
    swept(&folder, "whole", &[]);
    fs::create_dir(folder.join("begun")).expect("a folder");
    // Before there is anything else, and beside results.
    for _ in 0..2 {
        fs::write(folder.join("begun/.sim-4fk2Lq"), "half of").expect("a file");
        swept(&folder, "begun", &[]);
        assert_alike(&folder.join("whole"), &folder.join("begun"));
    }
}

#[test]
fn two_at_once_do_not_share_a_folder() {
    let folder = folder("locked", QUEUE, EXPERIMENT);
    fs::create_dir(folder.join("out")).expect("a folder");
    let lock = fs::File::create(folder.join("out/.lock")).expect("a file");
    lock.lock().expect("locked");
    let output = super::sweep(&folder, "out", &[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(said(&output).contains("another sim works in"), "{}", said(&output));
    drop(lock);
    swept(&folder, "out", &[]);
}

#[test]
fn a_finished_folder_is_left_as_it_is() {
    let folder = folder("finished", QUEUE, EXPERIMENT);
    let first = swept(&folder, "out", &[]);
    let before = contents(&folder.join("out"));
    let again = swept(&folder, "out", &[]);
    assert_eq!(first.stdout, again.stdout);
    assert!(said(&again).contains("36 runs reused, 0 computed"), "{}", said(&again));
    assert!(contents(&folder.join("out")) == before);
    let elsewhere = temporary_folder("sweep-elsewhere");
    fs::write(elsewhere.join("letter.txt"), "to somebody").expect("a file");
    let experiment = folder.join("queue.experiment.toml").display().to_string();
    let output = crate::support::sim(&["sweep", &experiment, "--out", &elsewhere.display().to_string()]);
    assert!(said(&output).contains("is a folder of something else"), "{}", said(&output));
    assert_eq!(contents(&elsewhere).len(), 1);
    // A file that is called as one of ours is, but is somebody's own.
    fs::remove_file(elsewhere.join("letter.txt")).expect("it is there");
    for name in ["experiment.toml", "scenario.toml", "results.jsonl", "report.md"] {
        fs::write(elsewhere.join(name), "mine").expect("a file");
        let output = crate::support::sim(&["sweep", &experiment, "--out", &elsewhere.display().to_string()]);
        assert_eq!(output.status.code(), Some(2), "{name}");
        assert_eq!(fs::read(elsewhere.join(name)).expect("it is there"), b"mine");
        fs::remove_file(elsewhere.join(name)).expect("it is there");
    }
    // Copies that were lost or changed come back.
    fs::remove_file(folder.join("out/scenario.toml")).expect("it is there");
    fs::write(folder.join("out/experiment.toml"), "x = 1").expect("a file");
    swept(&folder, "out", &[]);
    assert!(contents(&folder.join("out")) == before);
}
