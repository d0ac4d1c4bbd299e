//! A real Slurm of one node, where one can be started: as root, with Debian's `slurm-wlm` and `munge` or the like.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::super::{EXPERIMENT, QUEUE, assert_alike, folder, said, swept};
use super::small;
use crate::support::{root, skipped};

/// A Slurm in a folder of its own. Whatever happens, it is ended.
struct Slurm {
    folder: tempfile::TempDir,
}

impl Drop for Slurm {
    fn drop(&mut self) {
        let _ = Command::new(root().join("tests/slurm/stop.sh")).arg(self.folder.path()).output();
    }
}

impl Slurm {
    /// Starts one. Where that cannot be, it says why.
    fn start() -> Option<Slurm> {
        // Its own rights must be open above its socket, which is not given everywhere below the target folder.
        let slurm = Slurm { folder: tempfile::tempdir().expect("a folder") };
        let output = Command::new(root().join("tests/slurm/start.sh")).arg(slurm.folder.path()).output();
        match output {
            Ok(output) if output.status.success() => return Some(slurm),
            Ok(output) => skipped(said(&output).trim_end()),
            Err(error) => skipped(&format!("tests/slurm/start.sh does not start: {error}")),
        }
        None
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.env("SLURM_CONF", self.folder.path().join("slurm.conf"));
        command
    }

    /// The tasks that run: `12_3`.
    fn running(&self) -> Vec<String> {
        let arguments = ["-h", "-r", "-t", "running", "-o", "%F_%K"];
        let output = self.command("squeue").args(arguments).output().expect("squeue starts");
        String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect()
    }

    fn sweep(&self, folder: &Path, options: &str) -> Child {
        let mut command = self.command(env!("CARGO_BIN_EXE_sim"));
        command.arg("sweep").arg(folder.join("queue.experiment.toml")).arg("--out").arg(folder.join("out"));
        command.args(["--no-report", "--on"]).arg(format!("slurm:{options}"));
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("sim starts")
    }
}

/// An experiment whose shards take long enough to be met, computed here.
fn long_enough(name: &str) -> (PathBuf, Output) {
    let experiment =
        small().replace("replications = 6", "replications = 60").replace(", \"pooled.turnaround.p95\"", "");
    assert_ne!(experiment, EXPERIMENT);
    let folder = folder(&format!("slurm-real-{name}"), &QUEUE.replace("count = 40", "count = 400"), &experiment);
    let local = swept(&folder, "local", &["--no-report"]);
    (folder, local)
}

/// The process that computes this shard of the results in that folder, once there is one. It is stopped then, so that it
/// does not end before something happens to it.
fn stopped(shard: &str, folder: &Path, sweep: &mut Child) -> u32 {
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(120) {
        for entry in fs::read_dir("/proc").expect("processes").flatten() {
            let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
            let command = fs::read(entry.path().join("cmdline")).unwrap_or_default();
            let command = String::from_utf8_lossy(&command).replace('\0', " ");
            if command.contains(&format!("--shard {shard} ")) && command.contains(&*folder.to_string_lossy()) {
                signal("STOP", pid);
                return pid;
            }
        }
        if let Some(status) = sweep.try_wait().expect("it can be asked") {
            panic!("the sweep ended ({status}) before shard {shard} was met");
        }
        thread::sleep(Duration::from_millis(2));
    }
    panic!("no process computes shard {shard}");
}

fn signal(name: &str, process: u32) {
    let sent = Command::new("kill").args(["-s", name, &process.to_string()]).status().expect("kill is there");
    assert!(sent.success(), "{process} has gone by itself");
}

/// The sweep ends well, and nobody can tell where its runs were computed.
fn assert_ends_alike(sweep: Child, folder: &Path, local: &Output) -> String {
    let output = sweep.wait_with_output().expect("it ends");
    assert!(output.status.success(), "{}", said(&output));
    assert_alike(&folder.join("local"), &folder.join("out"));
    assert_eq!(String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&local.stdout));
    said(&output)
}

#[test]
fn a_shard_that_is_killed_is_computed_again() {
    let Some(slurm) = Slurm::start() else { return };
    let (folder, local) = long_enough("killed");
    let mut sweep = slurm.sweep(&folder, "shards=2,poll=0.2,time=10");
    signal("KILL", stopped("1/2", &folder, &mut sweep));
    let told = assert_ends_alike(sweep, &folder, &local);
    assert!(told.contains("2 shards given to Slurm as job 1 ") && told.contains("1 of 2 shards given"), "{told}");
}

/// Slurm lets two minutes pass before it starts a task again.
#[test]
#[ignore = "takes three minutes; .ci/long runs it"]
fn a_shard_that_is_requeued_comes_later() {
    let Some(slurm) = Slurm::start() else { return };
    let (folder, local) = long_enough("requeued");
    let mut sweep = slurm.sweep(&folder, "shards=3,time=10");
    let killed = stopped("1/3", &folder, &mut sweep);
    stopped("2/3", &folder, &mut sweep);
    let task = slurm.running().into_iter().find(|task| task.ends_with("_2")).expect("it runs");
    let requeued = slurm.command("scontrol").args(["requeue", &task]).output().expect("scontrol starts");
    assert!(requeued.status.success(), "{}", said(&requeued));
    signal("KILL", killed);
    let told = assert_ends_alike(sweep, &folder, &local);
    // The one was submitted again; the other was waited for.
    assert!(told.contains("1 of 3 shards given to Slurm") && told.contains("wait"), "{told}");
}

#[test]
fn ctrl_c_leaves_nothing_in_the_queue() {
    let Some(slurm) = Slurm::start() else { return };
    let (folder, local) = long_enough("interrupted");
    let mut sweep = slurm.sweep(&folder, "shards=2,poll=0.2,time=10");
    stopped("2/2", &folder, &mut sweep);
    signal("INT", sweep.id());
    let output = sweep.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(130), "{}", said(&output));
    assert!(said(&output).contains("shards are complete; job 1 is cancelled"), "{}", said(&output));
    super::wait_until("nothing runs", || slurm.running().is_empty());
    assert_ends_alike(slurm.sweep(&folder, "shards=2,poll=0.2,time=10"), &folder, &local);
}
