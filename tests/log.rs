//! `sim run --log`: every decision in words. `UPDATE_EXPECT=1 cargo test log::` rewrites the logs in `tests/logs`; read each as
//! somebody would who checks a run by hand.

use std::path::{Path, PathBuf};

use sim_core::engine::simulate;
use sim_core::ids::{CpuId, TaskId};
use sim_core::log::{self, Line};
use sim_core::policy::{POLICIES, told};
use sim_core::time::Time;
use sim_core::timeline::{Left, Timeline};

use crate::laws::critical_path::draft;
use crate::support::{scenario, sim, temporary};

/// Two that compute and one that comes later and waits in between.
const THREE: &str = r#"
    device = [{ name = "disk" }]
    task = [
        { name = "A", priority = 1, nice = 0, tickets = 10, program = [{ cpu = "7ms" }] },
        { name = "B", priority = 2, nice = 5, tickets = 30, program = [{ cpu = "5ms" }, { io = "disk", for = "2ms" }, { cpu = "2ms" }] },
        { name = "C", priority = 3, nice = 0, tickets = 20, arrival = "3ms", program = [{ cpu = "4ms" }] },
    ]
"#;

const PERIODIC: &str = r#"
    until = "24ms"
    task = [
        { name = "A", period = "6ms", program = [{ cpu = "3ms" }] },
        { name = "B", period = "8ms", deadline = "7ms", program = [{ cpu = "4ms" }] },
    ]
"#;

const LENT: &str = r#"
    scheduler = { policy = "priority", preemptive = true }
    lock = [{ name = "bus", protocol = "inherit" }]
    task = [
        { name = "low", priority = 1, program = [{ with = "bus", do = [{ cpu = "5ms" }] }, { cpu = "1ms" }] },
        { name = "middle", priority = 2, arrival = "2ms", program = [{ cpu = "4ms" }] },
        { name = "high", priority = 3, arrival = "1ms", program = [{ cpu = "1ms" }, { with = "bus", do = [{ cpu = "2ms" }] }] },
    ]
"#;

const RUNTIME: &str = r#"
    machine = { processors = 2 }
    device = [{ name = "network", channels = "unlimited" }]
    [[process]]
    name = "app"
    executor = EXECUTOR
    [[process.task]]
    name = "request"
    count = 3
    program = [{ cpu = "2ms" }, { io = "network", for = "4ms" }, { cpu = "1ms" }]
    [[process.task]]
    name = "long"
    program = [{ cpu = "6ms" }]
"#;

/// Shares, locks and messages: what is done in no time.
const OBJECTS: &str = r#"
    machine = { processors = 2 }
    lock = [{ name = "db" }]
    channel = [{ name = "inbox", capacity = 1 }]
    task = [
        { name = "A", program = [{ with = "db", do = [{ cpu = "2ms" }] }, { send = "inbox" }] },
        { name = "B", program = [{ cpu = "1ms" }, { with = "db", do = [{ cpu = "1ms" }], within = "500us", else = [{ cpu = "3ms" }] }, { recv = "inbox" }] },
    ]
"#;

fn logs() -> Vec<(&'static str, String)> {
    let three = |scheduler: &str| format!("scheduler = {{ {scheduler} }}\n{THREE}");
    let periodic = |policy: &str| format!("scheduler = {{ policy = \"{policy}\" }}\n{PERIODIC}");
    let runtime = |executor: &str| RUNTIME.replace("EXECUTOR", executor);
    vec![
        ("fifo", three("policy = \"fifo\"")),
        ("round-robin", three("policy = \"round-robin\", quantum = \"2ms\"")),
        ("sjf", three("policy = \"sjf\"")),
        ("srtf", three("policy = \"srtf\"")),
        ("hrrn", three("policy = \"hrrn\"")),
        ("priority", three("policy = \"priority\", aging = \"2ms\"")),
        ("feedback", three("policy = \"feedback\", quanta = [\"1ms\", \"4ms\"]")),
        ("mlfq", three("policy = \"mlfq\", levels = [{ quantum = \"2ms\" }, { quantum = \"4ms\" }], boost = \"10ms\"")),
        ("lottery", three("policy = \"lottery\", quantum = \"2ms\"")),
        ("stride", three("policy = \"stride\", quantum = \"2ms\"")),
        ("cfs", three("policy = \"cfs\"")),
        ("eevdf", three("policy = \"eevdf\"")),
        (
            "queues",
            three("policy = \"round-robin\", quantum = \"2ms\", queues = \"per-processor\"")
                + "\n[machine]\nprocessors = 2",
        ),
        ("edf", periodic("edf")),
        ("llf", periodic("llf")),
        ("rate-monotonic", periodic("rate-monotonic")),
        ("deadline-monotonic", periodic("deadline-monotonic")),
        ("inherited", LENT.to_owned()),
        ("async", runtime("\"async\"")),
        ("work-stealing", runtime("{ kind = \"work-stealing\", workers = 2 }")),
        ("objects", OBJECTS.to_owned()),
    ]
}

#[test]
fn logs_say_what_was_decided_and_why() {
    let folder: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/logs");
    for (name, text) in logs() {
        let file = temporary(&format!("log-{name}"), &text);
        let output = sim(&["run", file.to_str().expect("text"), "--log"]);
        let told = String::from_utf8(output.stderr).expect("text");
        assert!(output.status.success(), "{name}: {told}");
        expect_test::expect_file![folder.join(format!("{name}.txt"))]
            .assert_eq(&String::from_utf8(output.stdout).expect("text"));
    }
}

#[test]
fn a_part_of_a_log_is_that_part() {
    let file = temporary("log-part", &logs()[1].1);
    let log = |arguments: &[&str]| {
        let output = sim(&[&["run", file.to_str().expect("text"), "--log"], arguments].concat());
        String::from_utf8(output.stdout).expect("text")
    };
    let (all, part) = (log(&[]), log(&["--from", "4ms", "--to", "8ms"]));
    let times = |text: &str| text.lines().filter(|line| line.contains("ms  ") || line.contains("ns  ")).count();
    assert!(times(&part) < times(&all) && times(&part) > 3, "{part}");
    let lines = |text: &str| -> Vec<String> {
        text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
    };
    let inside = |line: &&String| ["4ms", "6ms", "8ms", "5ms", "7ms"].iter().any(|at| line.starts_with(at));
    let (all, part) = (lines(&all), lines(&part));
    let expected: Vec<&String> = all.iter().filter(inside).collect();
    assert_eq!(part.iter().filter(inside).collect::<Vec<_>>(), expected);
    let refused = |arguments: &[&str]| sim(&[&["run", file.to_str().expect("text")], arguments].concat()).status.code();
    assert_eq!(refused(&["--from", "4ms"]), Some(2));
    assert_eq!(refused(&["--log", "--json"]), Some(2));
    assert_eq!(refused(&["--log", "--vary", "scheduler.policy=fifo,srtf"]), Some(2));
    assert_eq!(refused(&["--log", "--memory", "1MB"]), Some(0));
}

/// On which processor a task begins or ends a turn, and when.
type Place = (Time, CpuId, TaskId);

fn turns(timeline: &Timeline) -> (Vec<Place>, Vec<Place>) {
    let (mut begun, mut left) = (Vec::new(), Vec::new());
    for row in timeline.by_processor() {
        for (index, interval) in row.iter().enumerate() {
            let before = index.checked_sub(1).map(|before| row[before]);
            let goes_on = before.is_some_and(|before| {
                before.left == Left::Continues && before.end == interval.start && before.task == interval.task
            });
            if !goes_on {
                begun.push((interval.start, interval.cpu, interval.task));
            }
            if interval.left != Left::Continues {
                left.push((interval.end, interval.cpu, interval.task));
            }
        }
    }
    begun.sort_unstable();
    left.sort_unstable();
    (begun, left)
}

/// Whatever the scenario: listening changes nothing, the log is in order, and has each turn once.
#[test]
fn every_turn_is_in_the_log() {
    for kind in POLICIES {
        for seed in 0..40 {
            let plain = scenario(&draft(kind, seed));
            let (heard, told) = told::listen(&plain, 10_000_000);
            let [mut expected, mut timeline] = [Timeline::default(), Timeline::default()];
            simulate(&plain, &mut expected);
            simulate(&heard, &mut timeline);
            assert_eq!(expected, timeline, "{} {seed}: who is listened to decides the same", kind.name);
            let lines = log::lines(&timeline, told.words().expect("there is room"));
            assert!(lines.is_sorted_by_key(|line| line.at), "{} {seed}", kind.name);
            let of = |events: &[&str]| {
                let found = lines.iter().filter(|line| !line.cpu.is_none() && events.contains(&line.event));
                let mut places: Vec<Place> = found.map(|Line { at, cpu, task, .. }| (*at, *cpu, *task)).collect();
                places.sort_unstable();
                places
            };
            let (begun, left) = turns(&timeline);
            assert_eq!(of(&["runs", "starts"]), begun, "{} {seed}: who runs", kind.name);
            assert_eq!(
                of(&["slice ends", "put off", "yields", "waits", "ends"]),
                left,
                "{} {seed}: who leaves",
                kind.name
            );
        }
    }
}
