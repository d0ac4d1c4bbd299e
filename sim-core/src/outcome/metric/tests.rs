//! Figures by their paths, held against the outcome that has them.

use std::collections::BTreeSet;

use serde_json::Value;

use super::keys::{self, Key};
use super::*;
use crate::causes::Causes;
use crate::document::Source;
use crate::engine::{cast, simulate};
use crate::metrics::Metrics;
use crate::outcome::Outcome;
use crate::scenario::{Scenario, lower};
use crate::timeline::{Timeline, TimelineHash};

/// A run in which everything occurs that an outcome can have.
const ALL: &str = r#"
until = "200ms"
machine = { processors = 2, context-switch = "10us" }
device = [{ name = "disk", channels = 1 }]
lock = [{ name = "db" }]
rwlock = [{ name = "table" }]
semaphore = [{ name = "permits", permits = 1 }]
channel = [{ name = "inbox", capacity = 2 }]
condvar = [{ name = "ready" }]
barrier = [{ name = "line", parties = 2 }]
variable = [{ name = "items", value = 3 }]

[[process]]
name = "app"
[[process.task]]
name = "worker"
count = 2
program = [
    { cpu = "1ms" }, { io = "disk", for = "2ms" }, { with = "db", do = [{ cpu = "1ms" }] }, { write = "table" }, { cpu = "1ms" },
    { unlock = "table" }, { acquire = "permits" }, { cpu = "1ms" }, { release = "permits" }, { send = "inbox" },
    { recv = "inbox" }, { barrier = "line" }, { notify = "ready" },
    { add = "items", by = -1 },
]

[[process]]
name = "pool"
executor = { kind = "pool", workers = 1 }
task = [{ name = "request", count = 3, program = [{ cpu = "1ms" }] }]

[[process]]
name = "main"
[[process.task]]
name = "clock"
period = "10ms"
program = [{ cpu = "1ms" }]
"#;

/// What is known and not in these tables: at another place of the document, in none, or nothing to be told here.
const BESIDE_THE_DOCUMENT: [&str; 6] = ["makespan", "utilisation", "finished", "unfinished", "reads", "spun"];

struct Run {
    scenario: Scenario,
    metrics: Metrics,
    timeline: Timeline,
    causes: Causes,
    document: Value,
}

fn run() -> Run {
    run_of(ALL)
}

fn run_of(text: &str) -> Run {
    let scenario = lower::scenario(&Source { file: "all.toml", text }, &[]).expect("valid");
    let mut all = ((Metrics::with_jobs(), TimelineHash::default()), Timeline::default());
    let ending = simulate(&scenario, &mut all);
    let ((metrics, hash), timeline) = all;
    let outcome = Outcome::simulated(&scenario, &ending, &metrics, hash);
    let causes = Causes::of(&timeline);
    let document = serde_json::to_value(&outcome).expect("it is JSON");
    Run { scenario, metrics, timeline, causes, document }
}

impl Run {
    fn figure(&self, path: &str) -> Value {
        let metric = Metric::parse(path).unwrap_or_else(|refusal| panic!("{path}: {refusal}"));
        metric.known_to(&cast(&self.scenario)).unwrap_or_else(|refusal| panic!("{path}: {refusal}"));
        metric.of(&Observed::new(&self.scenario, &self.metrics).with_causes(Some((&self.timeline, &self.causes))))
    }

    /// All figures of a table are known, and read off by their paths.
    fn holds_some(&self, prefix: &str, table: &Value, known: &[Key]) -> BTreeSet<String> {
        const BESIDES: [&str; 9] =
            ["name", "process", "task", "instance", "endless", "jobs", "job_summary", "discipline", "fate"];
        let Value::Object(table) = table else { panic!("{prefix} is no table") };
        let mut found = BTreeSet::new();
        for (key, value) in table.iter().filter(|(key, value)| !BESIDES.contains(&key.as_str()) || value.is_u64()) {
            let name = key.strip_suffix("_ns").unwrap_or(key);
            if name == "instance" {
                continue;
            }
            found.insert(name.to_owned());
            match value {
                Value::Object(spread) => {
                    for (which, value) in spread {
                        assert_eq!(self.figure(&format!("{prefix}{name}.{which}")), *value, "{prefix}{name}.{which}");
                    }
                }
                value => assert_eq!(self.figure(&format!("{prefix}{name}")), *value, "{prefix}{name}"),
            }
            let known = known.iter().find(|known| known.name == name).unwrap_or_else(|| panic!("{prefix}{name}"));
            assert_eq!(known.unit == Unit::Nanoseconds, key.ends_with("_ns"), "{prefix}{key}");
            assert_eq!(known.is_spread, value.is_object(), "{prefix}{key}");
        }
        found
    }

    /// The same, and nothing is known that the table has not; nobody spun long enough here to be told.
    fn holds(&self, prefix: &str, table: &Value, known: &[Key]) {
        let found = self.holds_some(prefix, table, known);
        let missing: Vec<&str> = known.iter().map(|key| key.name).filter(|name| !found.contains(*name)).collect();
        assert!(missing.iter().all(|name| BESIDE_THE_DOCUMENT.contains(name)), "{prefix}: {missing:?}");
    }
}

#[test]
fn the_paths_are_those_of_the_outcome() {
    let run = run();
    let of = |list: &str, name: &str| -> Value {
        let all = run.document[list].as_array().expect("a list");
        all.iter().find(|one| one["name"] == name).unwrap_or_else(|| panic!("{list} {name}")).clone()
    };
    run.holds("summary.", &run.document["summary"], keys::RUN);
    assert_eq!(run.figure("makespan"), run.document["makespan_ns"]);
    let mut kind = of("kinds", "main/clock");
    run.holds_some("task.main/clock.", &kind, keys::KIND);
    // What only kinds in pools have, and only periodic ones have not.
    kind = of("kinds", "pool/request");
    run.holds_some("task.request.", &kind, keys::KIND);
    for (name, own) in [("pool/request", "waited_share"), ("main/clock", "response_ns")] {
        assert!(!of("kinds", name)[own].is_null(), "{name} {own}");
    }
    let mut instance = of("tasks", "main/clock#0");
    let summary = instance["job_summary"].take();
    instance.as_object_mut().expect("a table").extend(summary.as_object().expect("a table").clone());
    run.holds("task.main/clock#0.", &instance, keys::INSTANCE);
    run.holds("processor.0.", &of("processors", "0"), keys::PROCESSOR);
    run.holds("device.disk.", &of("devices", "disk"), keys::DEVICE);
    run.holds("variable.items.", &of("variables", "items"), keys::VARIABLE);
    for (word, name) in [
        ("lock", "db"),
        ("rwlock", "table"),
        ("semaphore", "permits"),
        ("channel", "inbox"),
        ("condvar", "ready"),
        ("barrier", "line"),
    ] {
        let list = if word == "rwlock" { "locks".to_owned() } else { format!("{word}s") };
        let (_, known) = keys::OF_SYNCS.iter().find(|(known, _)| *known == word).expect("a kind");
        run.holds(&format!("{word}.{name}."), &of(&list, name), known);
    }
}

/// What only kinds have of which some gave up or were turned away, and groups with quotas.
#[test]
fn figures_of_those_who_went_without_and_of_quotas() {
    let run = run_of(
        r#"
        scheduler = { policy = "cfs" }
        group = [{ name = "half", quota = "5ms", period = "10ms" }, { name = "nobody" }]
        device = [{ name = "desk", queue = 1 }]
        [[process]]
        name = "shop"
        group = "half"
        [[process.task]]
        name = "customer"
        count = 5
        program = [{ io = "desk", for = "8ms", within = "12ms", else = ["end"] }, { cpu = "4ms" }]
        "#,
    );
    let first = |list: &str| run.document[list][0].clone();
    let found = run.holds_some("task.customer.", &first("kinds"), keys::KIND);
    for name in ["given_up_share", "rejected_share", "served", "served_turnaround", "gone", "gone_turnaround"] {
        assert!(found.contains(name), "{name}");
    }
    let mut group = first("groups");
    group.as_object_mut().expect("a table").remove("processes");
    run.holds("group.half.", &group, keys::GROUP);
    run.holds_some("device.desk.", &first("devices"), keys::DEVICE);
    // One is served, one gives up behind it, and for three there is no room; those end.
    for (path, figure) in [("given_up_share", 0.2), ("rejected_share", 0.6)] {
        assert_eq!(run.figure(path), figure, "{path}");
    }
    assert_eq!((run.figure("task.customer.served"), run.figure("task.customer.gone")), (1.into(), 4.into()));
    assert_eq!(run.figure("device.desk.rejected_share"), 0.6);
    assert_eq!(run.figure("task.customer.served_turnaround.max"), 12_000_000);
    assert_eq!(run.figure("task.customer.gone_turnaround.max"), 12_000_000);
    // 4 ms of the 5 of a whole period, and of the 2 that are left of the second.
    let used = run.figure("group.half.quota_share").as_f64().expect("a share");
    assert!((used - 4.0 / 7.0).abs() < 1e-9, "{used}");
}

#[test]
fn causes_of_a_kind_add_up() {
    let run = run();
    let sum = |kind: &str| -> u64 {
        let tasks = run.document["tasks"].as_array().expect("a list");
        tasks.iter().map(|task| task[format!("{kind}_ns")].as_u64().expect("a time")).sum()
    };
    for kind in ["running", "waiting", "blocked", "overhead"] {
        assert_eq!(run.figure(&format!("causes.{kind}")), sum(kind), "{kind}");
    }
    let parts: u64 = ["device-queue", "device-service", "lock", "rwlock", "semaphore", "barrier", "release"]
        .iter()
        .map(|cause| run.figure(&format!("causes.{cause}")).as_u64().expect("a time"))
        .sum();
    assert_eq!(parts, sum("blocked"));
    let of_clock = run.figure("task.clock.causes.release").as_u64().expect("a time");
    assert!(of_clock > 0 && of_clock == run.figure("causes.release").as_u64().expect("a time"));
}

#[test]
fn what_is_meant_is_said() {
    let run = run();
    let refused = |path: &str| {
        let known = Metric::parse(path)
            .and_then(|metric| metric.known_to(&cast(&run.scenario)).and_then(|()| metric.single_in(&run.scenario)));
        known.expect_err(path).to_string().replace("\nhint: ", " | ")
    };
    for (path, said) in [
        ("makespam", "unknown metric `makespam` | did you mean `makespan`?"),
        ("turnaround", "`turnaround` is a distribution | add .mean, .p50, .p95, .p99 or .max"),
        (
            "turnaround.p98",
            "the outcome of a run has no p98 | it has p50, p95 and p99; any quantile over all replications is pooled.PATH.pN",
        ),
        ("turnaround.avg", "unknown figure `avg` of `turnaround` | there is `mean`, `p50`, `p95`, `p99` and `max`"),
        (
            "device.disc.utilisation",
            "unknown device `disc` in the metric `device.disc.utilisation` | did you mean `disk`?",
        ),
        ("device.disk.utilization", "unknown figure `utilization` of a device | did you mean `utilisation`?"),
        (
            "task.app/worker.running.mean",
            "unknown figure `running` of a task | of all together it is `task.app/worker.causes.running`, of one of them it is `task.app/worker#0.running`",
        ),
        (
            "task.worker.migrations",
            "`task.worker.migrations` is a figure of one task, and there are 2 tasks `worker` | of one of them it is `task.worker#0.migrations`",
        ),
        (
            "task.worker.waiting",
            "`task.worker.waiting` is a figure of one task, and there are 2 tasks `worker` | add .mean, .p50, .p95, .p99 or .max; of all together it is `task.worker.causes.waiting`, of one of them it is `task.worker#0.waiting`",
        ),
        ("running.mean", "unknown metric `running` | of all together it is `causes.running`"),
        ("task.worket.turnaround.mean", "unknown task `worket` | did you mean `worker`?"),
        (
            "lock.inbox.mean_wait",
            "unknown lock `inbox` in the metric `lock.inbox.mean_wait` | there is `db` and `table`",
        ),
        (
            "pooled.makespan",
            "`pooled.makespan` has no samples to pool | there are samples of turnaround, first_response, waiting, slowdown and response: pooled.turnaround.p99",
        ),
        (
            "pooled.turnaround.mean",
            "`mean` is no quantile | pooled figures are quantiles, such as p50, p99 or \"p99.9\"",
        ),
        ("a..b", "`a..b` is no path | a path is keys with dots between them, such as `turnaround.p99`"),
        ("makespan.mean", "`makespan.mean` has `mean` too many | a path ends at a figure"),
    ] {
        assert_eq!(refused(path), said);
    }
    assert_eq!(Metric::parse("pooled.turnaround.\"p99.9\"").map(|metric| metric.pooled()), Ok(Some(0.999)));
    let of = |path: &str| run.figure(path).as_f64();
    assert_eq!(of("pooled.task.worker.turnaround.p50"), of("task.worker.turnaround.p50"));
}

#[test]
fn short_names_and_the_only_task_of_a_kind() {
    let run = run();
    for (short, long) in [
        ("p50", "turnaround.p50"),
        ("summary.switches", "context_switches"),
        ("misses", "deadline_misses"),
        ("task.worker.p50", "task.worker.turnaround.p50"),
        ("task.clock.misses", "task.clock#0.missed"),
        ("task.clock.running", "task.main/clock#0.running"),
        ("task.main/clock.waiting_ns", "task.clock#0.waiting"),
    ] {
        assert_eq!(run.figure(short), run.figure(long), "{short}");
        assert!(!run.figure(short).is_null(), "{short}");
    }
    let summed: u64 =
        ["0", "1"].map(|name| run.figure(&format!("processor.{name}.running")).as_u64().expect("a time")).iter().sum();
    let used = run.figure("utilisation").as_f64().expect("a share");
    let end = run.document["end_ns"].as_u64().or_else(|| run.document["makespan_ns"].as_u64()).expect("a time");
    #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
    let expected = summed as f64 / (2.0 * end as f64);
    assert!((used - expected).abs() < 1e-9, "{used} {expected}");
    let worker = |key: &str| run.figure(&format!("task.worker.{key}")).as_u64().expect("a count");
    let request = run.figure("task.request.finished").as_u64().expect("a count");
    assert_eq!(run.figure("finished"), worker("finished") + request);
    assert_eq!(run.figure("unfinished"), worker("instances") - worker("finished"));
}
