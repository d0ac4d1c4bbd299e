//! Shards as a job array of Slurm: of one that misbehaves as real ones were seen to, and of a real one.
//!
//! What is measured of real ones: they forget jobs minutes after their end, lose submissions whose id they give to others,
//! run tasks twice, report success for what never ran, leave clients without an answer, and let jobs wait for ever.

mod real;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::LazyLock;
use std::thread;
use std::time::{Duration, Instant};

use super::{EXPERIMENT, QUEUE, assert_alike, contents, folder, json, said, sweep, swept};
use crate::support::{root, sim};

/// A Slurm that does on demand what real ones do by mischance, and an experiment beside it, computed here.
struct Fake {
    folder: PathBuf,
    slurm: PathBuf,
    local: &'static Local,
}

/// The same experiment computed here, once for all tests.
struct Local {
    folder: PathBuf,
    printed: Vec<u8>,
}

static LOCAL: LazyLock<Local> = LazyLock::new(|| {
    let folder = folder("slurm-local", QUEUE, &small());
    let printed = swept(&folder, "local", &["--no-report"]).stdout;
    Local { folder: folder.join("local"), printed }
});

/// Few metrics: this is not about them.
fn small() -> String {
    EXPERIMENT.replace("\"turnaround.p50\", ", "").replace(", \"device.server.waited_share\"", "")
}

impl Fake {
    /// With these wishes. The folder has a name that shells and Slurm read otherwise.
    fn new(name: &str, wishes: &[(&str, &str)]) -> Fake {
        let folder = folder(&format!("slurm-{name} it's 100%a"), QUEUE, &small());
        let slurm = folder.join("slurm");
        fs::create_dir_all(slurm.join("jobs")).expect("a folder");
        for client in ["sbatch", "squeue", "scancel", "scontrol", "sinfo", "task"] {
            std::os::unix::fs::symlink(
                root().join("tests/slurm/fake").canonicalize().expect("it is there"),
                slurm.join(client),
            )
            .expect("a link");
        }
        let fake = Fake { folder, slurm, local: &LOCAL };
        wishes.iter().for_each(|(wish, text)| fake.wish(wish, text));
        fake
    }

    fn wish(&self, wish: &str, text: &str) {
        fs::write(self.slurm.join(wish), text).expect("a file");
    }

    fn no_more(&self, wish: &str) {
        fs::remove_file(self.slurm.join(wish)).expect("it was wished");
    }

    fn command(&self, options: &str, more: &[&str]) -> Command {
        let path = std::env::var("PATH").unwrap_or_default();
        let mut command = Command::new(env!("CARGO_BIN_EXE_sim"));
        command.arg("sweep").arg(self.folder.join("queue.experiment.toml")).arg("--out").arg(self.folder.join("out"));
        command.args(["--no-report", "--on"]).arg(format!("slurm:poll=0.05,{options}")).args(more);
        command.env("FAKE", &self.slurm).env("PATH", format!("{}:{path}", self.slurm.display()));
        command
    }

    fn sweep(&self, options: &str) -> Output {
        self.command(options, &[]).output().expect("sim starts")
    }

    /// The sweep succeeds, and nobody can tell where its runs were computed.
    fn comes_out_alike(&self, options: &str) -> Output {
        let output = self.sweep(options);
        assert!(output.status.success(), "{}", said(&output));
        assert_alike(&self.local.folder, &self.folder.join("out"));
        assert_eq!(String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&self.local.printed));
        output
    }

    /// The sets of indices that have been submitted.
    fn arrays(&self) -> Vec<String> {
        let array = |line: &str| Some(line.split("--array=").nth(1)?.split(' ').next()?.to_owned());
        self.calls().lines().filter(|line| line.starts_with("sbatch")).filter_map(array).collect()
    }

    fn calls(&self) -> String {
        fs::read_to_string(self.slurm.join("calls")).unwrap_or_default()
    }

    /// Starts a sweep whose tasks wait, and waits until they have been submitted.
    fn started(&self, options: &str) -> std::process::Child {
        let mut command = self.command(options, &[]);
        let child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("sim starts");
        wait_until("the array is submitted", || {
            let record = fs::read_to_string(self.folder.join("out/shards/slurm.json")).unwrap_or_default();
            record.contains("\"id\": 1")
        });
        child
    }
}

fn wait_until(what: &str, is: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is() {
        assert!(begun.elapsed() < Duration::from_secs(60), "{what}, after a minute");
        thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn an_array_gives_the_bytes_of_a_local_sweep() {
    let fake = Fake::new("plain", &[]);
    let output = fake.comes_out_alike("shards=3,time=5,exclusive");
    assert_eq!(fake.arrays(), ["1-3"]);
    assert!(fake.calls().contains(" --time=5 --exclusive "), "{}", fake.calls());
    assert!(said(&output).contains("3 shards given to Slurm as job 11 (sim-"), "{}", said(&output));
    // All that is there is not computed again.
    let again = fake.sweep("shards=3");
    assert!(said(&again).contains("36 runs reused, 0 computed"), "{}", said(&again));
    assert_eq!(fake.arrays().len(), 1);
}

#[test]
fn of_little_work_there_are_few_shards_and_never_more_than_there_are_runs() {
    let fake = Fake::new("few", &[]);
    fake.comes_out_alike("mem=2G");
    assert_eq!(fake.arrays(), ["1"]);
    fs::remove_dir_all(fake.folder.join("out")).expect("it is there");
    fake.comes_out_alike("shards=50");
    assert_eq!(fake.arrays(), ["1", "1-36"]);
}

#[test]
fn what_was_computed_here_is_not_asked_for_elsewhere() {
    let fake = Fake::new("partly", &[]);
    // The first twelve runs are there, in the order in which shards of two take turns.
    fs::create_dir(fake.folder.join("out")).expect("a folder");
    for (name, bytes) in contents(&fake.local.folder) {
        fs::write(fake.folder.join("out").join(name), bytes).expect("a file");
    }
    let results = fake.folder.join("out/results.jsonl");
    let text = fs::read_to_string(&results).expect("results");
    let lines = text.lines().enumerate().filter(|(index, _)| *index == 0 || index % 2 == 1);
    fs::write(&results, lines.map(|(_, line)| format!("{line}\n")).collect::<String>()).expect("a file");
    let output = fake.command("shards=2", &["--json"]).output().expect("sim starts");
    assert_eq!(json(&output)["reused"], 18, "{}", said(&output));
    assert_eq!(fake.arrays(), ["2"]);
    assert_alike(&fake.local.folder, &fake.folder.join("out"));
}

#[test]
fn a_submission_that_is_lost_is_made_again() {
    let fake = Fake::new("lost", &[("lost", "")]);
    fake.comes_out_alike("shards=3");
    assert_eq!(fake.arrays(), ["1-3", "1-3"]);
    assert!(!fake.calls().contains("somebody-else"), "{}", fake.calls());
}

#[test]
fn a_submission_that_is_not_confirmed_is_found_by_its_name() {
    let fake = Fake::new("mute", &[("mute", "")]);
    let output = fake.comes_out_alike("shards=3,patience=2");
    assert_eq!(fake.arrays(), ["1-3"]);
    assert!(said(&output).contains("as a job that it has not confirmed"), "{}", said(&output));
}

#[test]
fn tasks_that_run_twice_at_once_do_no_harm() {
    let fake = Fake::new("twice", &[("twice", "")]);
    fake.comes_out_alike("shards=3");
    assert_eq!(fake.arrays(), ["1-3"]);
}

#[test]
fn what_is_forgotten_may_be_complete() {
    let fake = Fake::new("forget", &[("forget", "")]);
    fake.comes_out_alike("shards=3");
    assert_eq!(fake.arrays(), ["1-3"]);
}

#[test]
fn shards_are_taken_while_slurm_is_away() {
    for (wish, told) in [("hang", "has not answered"), ("away", "Unable to contact slurm controller")] {
        let fake = Fake::new(wish, &[(wish, "")]);
        let output = fake.comes_out_alike("shards=3,patience=1");
        assert!(said(&output).contains("Slurm does not answer"), "{}", said(&output));
        assert!(said(&output).contains(told), "{}", said(&output));
        assert_eq!(fake.arrays(), ["1-3"]);
    }
}

#[test]
fn success_without_files_is_none() {
    let fake =
        Fake::new("lie", &[("lie.2", "COMPLETED"), ("lie.4", "NODE_FAIL"), ("lie.5", "CANCELLED"), ("fail.1", "1")]);
    fake.comes_out_alike("shards=5");
    let arrays = fake.arrays();
    assert_eq!(arrays[0], "1-5");
    // Only those, together if they were seen to be gone at one time.
    let mut again: Vec<u32> = arrays[1..].iter().flat_map(|array| indices(array)).collect();
    again.sort_unstable();
    assert_eq!(again, [1, 2, 4, 5], "{arrays:?}");
}

/// A set of indices: `1-3,7`.
fn indices(array: &str) -> Vec<u32> {
    let part = |part: &str| {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        first.parse().expect("an index")..=last.parse().expect("an index")
    };
    array.split(',').flat_map(part).collect()
}

#[test]
fn what_waits_for_ever_is_told_and_can_be_released() {
    let fake = Fake::new("held", &[("held", "")]);
    let output = fake.sweep("shards=3");
    assert_eq!(output.status.code(), Some(2));
    let told = "Slurm will not run what is missing: 0 of 3 shards are complete; 3 wait for ever: JobHeldUser";
    assert!(said(&output).contains(told) && said(&output).contains("`scontrol release 11`"), "{}", said(&output));
    assert!(!fake.calls().contains("scancel"), "{}", fake.calls());
    fake.no_more("held");
    fake.comes_out_alike("shards=3");
    assert_eq!(fake.arrays(), ["1-3"]);
}

#[test]
fn what_can_never_run_is_cancelled() {
    let fake = Fake::new("never", &[("never", "")]);
    let output = fake.sweep("shards=3,ntasks=100");
    assert_eq!(output.status.code(), Some(2));
    assert!(said(&output).contains("3 wait for ever: PartitionConfig"), "{}", said(&output));
    assert!(fake.calls().contains("scancel --name=sim-"), "{}", fake.calls());
    fake.no_more("never");
    // Nothing is at work, so it can be divided anew.
    fake.comes_out_alike("shards=2");
    assert_eq!(fake.arrays(), ["1-3", "1-2"]);
}

#[test]
fn a_shard_that_fails_always_is_given_up_with_its_last_words() {
    let fake = Fake::new("fails", &[("fail.2", "100")]);
    let output = fake.sweep("shards=3,attempts=2");
    assert_eq!(output.status.code(), Some(2));
    let words = said(&output);
    assert!(words.contains("shard 2/3 was submitted 2 times and never came, the last ended as FAILED"), "{words}");
    assert!(words.contains("log-2.txt ends:\n  the disk of task 2 is full\n  the disk of task 2 is full"), "{words}");
    assert_eq!(fake.arrays(), ["1-3", "2"]);
    fake.no_more("fail.2");
    let output = fake.command("shards=3", &["--json"]).output().expect("sim starts");
    assert_eq!(json(&output)["reused"], 24, "{}", said(&output));
    assert_eq!(fake.arrays(), ["1-3", "2", "2"]);
    assert_alike(&fake.local.folder, &fake.folder.join("out"));
}

#[test]
fn what_takes_too_long_can_be_divided_anew() {
    let fake = Fake::new("too-long", &[("lie.2", "TIMEOUT")]);
    let output = fake.sweep("shards=2,attempts=1");
    assert_eq!(output.status.code(), Some(2));
    let words = said(&output);
    assert!(words.contains("shard 2/2 was submitted once and never came, the last ended as TIMEOUT"), "{words}");
    assert!(words.contains("has nothing: its job never began") && words.contains("more shards take less"), "{words}");
    fake.comes_out_alike("shards=6");
    // Every second run is there by then, so every second shard has none left.
    assert_eq!(fake.arrays(), ["1-2", "2,4,6"]);
}

#[test]
fn a_precision_is_reached_in_as_many_runs_as_here() {
    let fake = Fake::new("precise", &[]);
    let stops =
        small().replace("replications = 6", "stop-when = { half-width = \"20%\", of = \"makespan\", at-most = 40 }");
    fs::write(fake.folder.join("queue.experiment.toml"), stops).expect("a file");
    let local = swept(&fake.folder, "here", &["--no-report"]);
    // Whole variations, of which there are six.
    let output = fake.sweep("shards=50");
    assert!(output.status.success(), "{}", said(&output));
    assert_eq!(fake.arrays(), ["1-6"]);
    assert!(output.stdout == local.stdout);
    assert_alike(&fake.folder.join("here"), &fake.folder.join("out"));
}

#[test]
fn whoever_is_killed_finds_the_jobs_again() {
    let fake = Fake::new("killed", &[("slow", "")]);
    for _ in 0..3 {
        let mut child = fake.started("shards=3");
        child.kill().and_then(|()| child.wait()).expect("it ends");
    }
    fake.no_more("slow");
    fake.comes_out_alike("shards=3");
    assert_eq!(fake.arrays(), ["1-3"]);
}

#[test]
fn ctrl_c_cancels_the_array() {
    let fake = Fake::new("interrupted", &[("slow", "")]);
    let child = fake.started("shards=3");
    let sent = Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill is there");
    assert!(sent.success());
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(130), "{}", said(&output));
    assert!(said(&output).contains("0 of 3 shards are complete; job 11 is cancelled"), "{}", said(&output));
    assert!(said(&output).contains("the same command goes on"), "{}", said(&output));
    fake.no_more("slow");
    fake.comes_out_alike("shards=4");
    assert_eq!(fake.arrays(), ["1-3", "1-4"]);
}

#[test]
fn refusals_help() {
    let fake = Fake::new("refused", &[]);
    let refused = |options: &str, told: &str| {
        let output = fake.sweep(options);
        assert_eq!(output.status.code(), Some(2), "{options}");
        assert!(said(&output).contains(told), "{options}: {}", said(&output));
    };
    refused("shards=2000", "1000 at most (MaxArraySize)");
    refused("shards=none", "`shards` is a whole number above 0");
    refused("array=1-7", "`array` is not yours to set");
    assert!(!fake.folder.join("out").exists());
    refused(
        "partition=nix",
        "Slurm does not take the shards: sbatch: error: Batch job submission failed: Invalid partition",
    );
    fake.comes_out_alike("shards=2");
    let experiment = fake.folder.join("queue.experiment.toml").display().to_string();
    let elsewhere = sim(&["sweep", &experiment, "--on", "slrm"]);
    assert!(said(&elsewhere).contains("did you mean `slurm`?"), "{}", said(&elsewhere));
    let nowhere = fake.folder.join("nowhere");
    let none = Command::new(env!("CARGO_BIN_EXE_sim"))
        .args(["sweep", &experiment, "--on", "slurm", "--out"])
        .arg(&nowhere)
        .env("PATH", &fake.folder)
        .output()
        .expect("sim starts");
    assert_eq!(none.status.code(), Some(2));
    assert!(said(&none).contains("no Slurm here: `sbatch` is not on the PATH"), "{}", said(&none));
    assert!(!nowhere.exists());
}

#[test]
fn a_shard_that_came_damaged_is_named() {
    let fake = Fake::new("damaged", &[("slow", "")]);
    let mut child = fake.started("shards=2");
    child.kill().and_then(|()| child.wait()).expect("it ends");
    let shard = fake.folder.join("out/shards/1-of-2");
    swept(&fake.folder, "out/shards/1-of-2", &["--shard", "1/2"]);
    let path = shard.join("results.jsonl");
    let text = fs::read_to_string(&path).expect("results");
    fs::write(&path, text.replacen("\"makespan\":", "\"makespan\":9", 1)).expect("a file");
    let output = fake.sweep("shards=2");
    assert_eq!(output.status.code(), Some(2));
    assert!(said(&output).contains("1-of-2/results.jsonl:2: it is damaged"), "{}", said(&output));
    fs::remove_dir_all(&shard).expect("it is there");
    fake.no_more("slow");
    fake.comes_out_alike("shards=2");
    assert_eq!(fake.arrays(), ["1-2"]);
}

/// The files of a shard that has been delivered.
fn delivered(folder: &Path, name: &str) -> usize {
    contents(&folder.join(name)).len()
}

#[test]
fn a_shard_is_delivered_once_and_whole() {
    let folder = folder("delivered", QUEUE, EXPERIMENT);
    let to = folder.join("final").display().to_string();
    swept(&folder, "one", &["--shard", "1/2", "--deliver", &to]);
    assert!(!folder.join("one").exists() && delivered(&folder, "final") == 3);
    // Who comes later finds it there.
    swept(&folder, "two", &["--shard", "1/2", "--deliver", &to]);
    assert!(!folder.join("two").exists());
    let other = sweep(&folder, "three", &["--shard", "2/2", "--deliver", &to]);
    assert_eq!(other.status.code(), Some(2));
    assert!(said(&other).contains("final holds shard 1/2"), "{}", said(&other));
    assert!(!folder.join("three").exists());
    let something = sweep(&folder, "four", &["--shard", "2/2", "--deliver", &folder.display().to_string()]);
    assert!(said(&something).contains("something else is there"), "{}", said(&something));
    let whole = sweep(&folder, "five", &["--deliver", &to]);
    assert!(said(&whole).contains("--shard"), "{}", said(&whole));
}

#[test]
fn an_experiment_can_be_gone_on_with_from_its_results_alone() {
    let folder = folder("stored", QUEUE, EXPERIMENT);
    swept(&folder, "whole", &[]);
    swept(&folder, "other", &[]);
    let results = folder.join("other/results.jsonl");
    let text = fs::read_to_string(&results).expect("results");
    let begun: String = text.lines().take(5).map(|line| format!("{line}\n")).collect();
    fs::write(&results, begun).expect("a file");
    fs::remove_file(folder.join("queue.toml")).expect("it was there");
    let other = folder.join("other").display().to_string();
    let output = sim(&["sweep", &other]);
    assert!(said(&output).contains("4 runs reused, 32 computed"), "{}", said(&output));
    assert_alike(&folder.join("whole"), &folder.join("other"));
    let none = sim(&["sweep", &folder.display().to_string()]);
    assert!(said(&none).contains("there are no results in"), "{}", said(&none));
}
