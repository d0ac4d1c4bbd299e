//! The same scenario simulated and for real, under every executor on the shelf: the same things happen, in an order
//! that the rules allow. Nothing here depends on how long anything takes: other programs may disturb a run.

mod any;
mod giving_up;
mod inside;
mod timed;

use std::process::Command;

use serde_json::Value;
use sim_core::causes::critical_path::{CriticalPath, Goal};
use sim_core::causes::{Causes, Kind as Sum};
use sim_core::executor::{EXECUTORS, Kind};
use sim_core::metrics::{Metrics, SyncSums};
use sim_core::outcome::Outcome;
use sim_core::time::Span;
use sim_core::timeline::check::Tolerance;
use sim_core::timeline::{Timeline, TimelineHash};
use sim_real::{Measurement, Options, measure};

use crate::cli::{shape, shape_of_outcome};
use crate::laws::critical_path::is_a_chain;
use crate::support::{configs, run, scenario, sim, skipped, succeeded, temporary, temporary_folder};

/// What a recorder may get wrong: the kernel takes a thread off that long after its last look at the clock.
const RESOLUTION: Tolerance = Tolerance::within(Span::from_us(500));

/// The executors that can be measured: Go's scheduler runs Go programs only.
fn real() -> impl Iterator<Item = &'static Kind> {
    EXECUTORS.iter().copied().filter(|kind| kind.name != "goroutines")
}

/// A bit of everything, for one executor.
fn mixed(executor: &Kind) -> String {
    let workers = if executor.takes("workers") { ", workers = 2" } else { "" };
    format!(
        r#"
        executor = {{ kind = "{}"{workers} }}
        device = [
            {{ name = "disk", discipline = "shortest" }},
            {{ name = "net", channels = "unlimited" }},
            {{ name = "drum", discipline = "look", seek = {{ per-track = "2us", tracks = 100 }} }},
        ]
        lock = [{{ name = "m", spin = "50us" }}]
        rwlock = [{{ name = "rw" }}]
        semaphore = [{{ name = "s", permits = 2 }}]
        channel = [{{ name = "c", capacity = 3 }}]
        condvar = [{{ name = "cv" }}]
        barrier = [{{ name = "b", parties = 1 }}]
        task = [
            {{ name = "A", count = 3, program = [
                {{ cpu = "200us" }}, {{ io = "disk", for = "300us" }}, {{ with = "m", do = [{{ cpu = "100us" }}] }},
                {{ read = "rw" }}, {{ cpu = "50us" }}, {{ unlock = "rw" }}, {{ send = "c" }},
                {{ io = "drum", for = "100us", at = {{ uniform = [0, 99] }} }},
            ] }},
            {{ name = "B", arrival = "1ms", program = [
                {{ repeat = 3, do = [{{ cpu = "100us" }}, {{ io = "net", for = "200us" }}, "yield"] }},
                {{ acquire = "s" }}, {{ write = "rw" }}, {{ cpu = "50us" }}, {{ unlock = "rw" }}, {{ release = "s" }}, {{ notify = "cv" }},
            ] }},
            {{ name = "C", after = ["A"], program = [
                {{ cpu = "100us" }}, {{ sleep = "200us" }}, {{ cpu = {{ exponential = "100us" }} }},
                {{ barrier = "b" }}, {{ repeat = 3, do = [{{ recv = "c" }}] }},
            ] }},
        ]
        "#,
        executor.name
    )
}

/// Both, checked against the laws of timelines and the demand of the programs.
fn both(toml: &str) -> (Timeline, Measurement) {
    let scenario = scenario(toml);
    let (simulated, _) = run(&scenario);
    let measured = measure(&scenario, &Options::default()).unwrap_or_else(|why| panic!("{why}\n{toml}"));
    measured.timeline.check_within(RESOLUTION).unwrap_or_else(|violations| panic!("{violations}\n{toml}"));
    (simulated, measured)
}

/// What was done to each synchronisation object.
fn synchronised(metrics: &Metrics) -> Vec<[u64; 6]> {
    let of =
        |sums: &SyncSums| [sums.acquisitions, sums.shared, sums.sent, sums.received, sums.notifications, sums.arrivals];
    metrics.syncs.iter().map(of).collect()
}

fn add(all: [u64; 6], one: [u64; 6]) -> [u64; 6] {
    std::array::from_fn(|index| all[index] + one[index])
}

#[test]
fn the_same_things_happen_under_every_executor() {
    for executor in real() {
        let (simulated, measured) = both(&mixed(executor));
        let (ours, real) = (Metrics::of(&simulated), Metrics::of(&measured.timeline));
        assert_eq!(simulated.cast, measured.timeline.cast, "{}", executor.name);
        assert!(measured.timeline.tasks.iter().all(|life| life.finish.is_some()), "{}: all finish", executor.name);
        let names = |timeline: &Timeline| timeline.tasks.ids().map(|task| timeline.task_name(task)).collect::<Vec<_>>();
        assert_eq!(names(&simulated), names(&measured.timeline), "{}", executor.name);
        let requests = |metrics: &Metrics| metrics.devices.iter().map(|device| device.requests).collect::<Vec<_>>();
        assert_eq!(requests(&ours), requests(&real), "{}", executor.name);
        assert_eq!(synchronised(&ours), synchronised(&real), "{}", executor.name);
        assert_eq!(synchronised(&real).into_iter().fold([0; 6], add), [8, 4, 3, 3, 1, 1], "{}", executor.name);
        // What starts after others starts after them.
        let last = measured.timeline.tasks.iter().take(3).filter_map(|life| life.finish).max();
        let c = measured.timeline.tasks.ids().last().expect("tasks");
        let first =
            measured.timeline.intervals.iter().filter(|i| i.task == c && i.start < i.end).map(|i| i.start).min();
        assert!(first >= last, "{}: C runs at {first:?}, A's end at {last:?}", executor.name);
    }
}

#[test]
fn a_measured_outcome_adds_up() {
    for executor in real() {
        let toml = mixed(executor);
        let (_, measured) = both(&toml);
        let mut recorder = (Metrics::with_jobs(), TimelineHash::default());
        measured.timeline.replay(&mut recorder);
        let recorded = serde_json::to_value(&measured.recorded).expect("JSON");
        let outcome = Outcome::measured(&scenario(&toml), &measured.timeline, &measured.ending(), recorded);
        assert_eq!((outcome.source, outcome.end), ("measured", "completed"));
        for task in &outcome.tasks {
            let sum = task.running_ns + task.waiting_ns + task.blocked_ns + task.overhead_ns;
            let turnaround = task.turnaround_ns.expect("finished");
            // Where records overlap by what the recorder cannot resolve, the parts are more than the whole.
            assert!(turnaround <= sum && sum <= turnaround + 20 * 500_000, "{}: {sum} of {turnaround}", task.name);
        }
    }
}

/// Clocks of a real run do not quite agree: the path to any end in it is a chain without holes all the same.
#[test]
fn paths_through_measured_runs_are_chains() {
    for executor in real() {
        let toml = mixed(executor);
        let (scenario, timeline) = (scenario(&toml), both(&toml).1.timeline);
        let lives = timeline.tasks.ids().filter_map(|task| Goal::life_of(&timeline, task));
        for goal in lives.chain(Goal::last_finish(&timeline)) {
            let path = CriticalPath::of(&timeline, Some(&scenario), goal);
            is_a_chain(&path).unwrap_or_else(|broken| panic!("{}: {broken}", executor.name));
        }
    }
}

#[test]
fn every_measured_nanosecond_has_a_cause() {
    for executor in real() {
        let (_, measured) = both(&mixed(executor));
        let (timeline, causes) = (&measured.timeline, Causes::of(&measured.timeline));
        let metrics = Metrics::of(timeline);
        for (task, life) in timeline.tasks.pairs() {
            let kinds = [Sum::Running, Sum::Waiting, Sum::Blocked, Sum::Overhead];
            let [running, waiting, blocked, overhead] = kinds.map(|kind| causes.sum(task, kind));
            let lived = life.finish.expect("finished").since(life.arrival.expect("arrived"));
            assert_eq!(
                running + waiting + blocked + overhead,
                lived,
                "{}: {}",
                executor.name,
                timeline.task_name(task)
            );
            // Where records overlap by what the recorder cannot resolve, one of two claims is believed.
            let sums = metrics.tasks.of(task);
            let slack = Span::from_us(20 * 500);
            for (part, sum) in [(running, sums.running), (blocked, sums.blocked), (overhead, sums.overhead)] {
                assert!(part <= sum + slack && sum <= part + slack, "{}: {part} of {sum}", executor.name);
            }
        }
    }
}

#[test]
fn a_measured_run_and_a_comparison_are_explained() {
    let path = temporary("explain-real", &mixed(EXECUTORS[1])).display().to_string();
    let text = |arguments: &[&str]| {
        let output = sim(arguments);
        assert!(succeeded(&output), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let measured = text(&["measure", &path, "--explain"]);
    assert!(measured.contains("WHERE ALL THE TIME WENT") && measured.contains("recorded by"), "{measured}");
    let picture = temporary_folder("explain-picture").join("why.svg").display().to_string();
    let compared = text(&["compare", &path, "--runs", "1", "--explain", "--plot", &picture]);
    assert!(compared.contains("ALL TASKS TOGETHER") && compared.contains("service by disk"), "{compared}");
    assert!(std::fs::read_to_string(&picture).is_ok_and(|drawn| drawn.contains("served by a device")));
}

#[test]
fn measuring_prints_the_shape_of_simulating() {
    let path = temporary("measure", &mixed(EXECUTORS[1])).display().to_string();
    let output = sim(&["measure", &path, "--json", "--timeline", "--quiet"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let outcome: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(outcome["source"], "measured");
    shape_of_outcome(&outcome, true);
    shape(&outcome["recorded"], &[("recorder", "s"), ("executor", "s"), ("policy", "s"), ("foreign_share", "f")]);
}

#[test]
fn a_comparison_has_every_key_of_the_format() {
    let path = temporary("compare", &mixed(EXECUTORS[1])).display().to_string();
    let picture = temporary_folder("compare-picture").join("both.svg");
    let picture_path = picture.display().to_string();
    let output = sim(&["compare", &path, "--runs", "2", "--json", "--quiet", "--anyway", "--plot", &picture_path]);
    assert!(succeeded(&output), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(picture.exists());
    let document: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    shape(&document, &[("format", "n"), ("simulated", "table"), ("measured", "list"), ("comparison", "table")]);
    shape_of_outcome(&document["simulated"], false);
    let measured = document["measured"].as_array().expect("a list");
    measured.iter().for_each(|outcome| shape_of_outcome(outcome, false));
    let figures = [
        ("runs", "n"),
        ("dropped", "n"),
        ("recorder", "s"),
        ("warnings", "list"),
        ("comparable", "b"),
        ("not_comparable", "s?"),
        ("makespan_error", "f"),
        ("makespan_spread", "f?"),
        ("completion_error", "f"),
        ("latency_error", "f"),
        ("agreement", "f"),
        ("agreement_between_runs", "f?"),
        ("service_distance_ns", "n"),
        ("service_distance_between_runs_ns", "n?"),
        ("ratio", "f?"),
    ];
    shape(&document["comparison"], &figures);
    assert_eq!(document["comparison"]["runs"], measured.len());
}

#[test]
fn several_files_are_compared_one_after_the_other() {
    let file = |name: &str, title: &str| {
        temporary(
            name,
            &format!(
                "title = \"{title}\"\nexecutor = \"sequential\"\ntask = [{{ name = \"A\", program = [{{ cpu = \"2ms\" }}] }}]"
            ),
        )
    };
    let files =
        [file("several-one", "the first"), file("several-two", "the second")].map(|path| path.display().to_string());
    let plain = ["compare", &files[0], &files[1], "--runs", "1", "--profile", "none"];
    let folder = temporary_folder("several-compared");
    let output = Command::new(env!("CARGO_BIN_EXE_sim")).args(plain).current_dir(&folder).output().expect("sim starts");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(matches!(output.status.code(), Some(0 | 1)), "{said} {}", String::from_utf8_lossy(&output.stderr));
    let places = ["the first", "the second"].map(|title| said.find(title).unwrap_or_else(|| panic!("{title}: {said}")));
    assert!(places.is_sorted(), "{said}");
    // All are looked at before the first runs, and what is one file is not made of several.
    let missing = sim(&["compare", &files[0], "no-such-file.toml"]);
    assert_eq!((missing.status.code(), missing.stdout.len()), (Some(2), 0));
    let json = sim(&["compare", &files[0], &files[1], "--json"]);
    assert_eq!(json.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&json.stderr).contains("--json is for a single file, and these are 2"));
}

/// Who spins for ever for a lock that is not given back does so until the run is over, and both arms say so.
#[test]
fn a_spin_without_end_ends_with_the_run() {
    let toml = r#"
        until = "200ms"
        machine = { processors = 2 }
        lock = [{ name = "m", spin = "forever" }]
        task = [
            { name = "keeper", program = [{ with = "m", do = [{ cpu = "1ms" }, { sleep = "1h" }] }] },
            { name = "spinner", arrival = "20ms", program = [{ with = "m", do = [{ cpu = "1ms" }] }] },
        ]
    "#;
    let path = temporary("endless-spin", toml).display().to_string();
    for arm in ["run", "measure"] {
        let output = sim(&[arm, &path, "--json"]);
        let outcome: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        assert_eq!(outcome["end"], "horizon", "{arm}");
        let kinds: Vec<&str> =
            outcome["findings"].as_array().expect("a list").iter().filter_map(|f| f["kind"].as_str()).collect();
        assert!(kinds.contains(&"endless-spin"), "{arm}: {kinds:?}");
    }
}

/// Two that spin for each other's locks stand still, and nobody waits for the horizon.
#[test]
fn spins_in_a_circle_end_the_run_at_once() {
    let task = |name: &str, first: &str, then: &str| {
        format!(
            "{{ name = \"{name}\", program = [{{ lock = \"{first}\" }}, {{ cpu = \"1ms\" }}, {{ sleep = \"50ms\" }}, {{ lock = \"{then}\" }}, \
             {{ unlock = \"{then}\" }}, {{ unlock = \"{first}\" }}] }}"
        )
    };
    let toml = format!(
        "until = \"20s\"\nmachine = {{ processors = 2 }}\nlock = [{{ name = \"m\", spin = \"forever\" }}, {{ name = \"n\", spin = \"forever\" }}]\n\
         task = [{}, {}]\n",
        task("A", "m", "n"),
        task("B", "n", "m"),
    );
    let path = temporary("spins-in-a-circle", &toml).display().to_string();
    for arm in ["run", "measure"] {
        let output = sim(&[arm, &path, "--json"]);
        let outcome: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        assert_eq!((&outcome["end"], output.status.code()), (&"livelock".into(), Some(1)), "{arm}");
        assert!(
            outcome["makespan_ns"].as_u64().is_some_and(|ns| ns < 10_000_000_000),
            "{arm}: {}",
            outcome["makespan_ns"]
        );
        let why = outcome["explanation"].as_str().unwrap_or_default();
        assert!(
            why.starts_with("livelock: nobody runs any more but those who spin") && why.contains("A spins since"),
            "{why}"
        );
    }
}

#[test]
fn a_difference_above_the_tolerance_is_a_finding() {
    let path = temporary("tolerance", &mixed(EXECUTORS[1])).display().to_string();
    let compare = |tolerance: &str| sim(&["compare", &path, "--runs", "1", "-q", "--anyway", "--tolerance", tolerance]);
    assert!(succeeded(&compare("1e9")));
    assert_eq!(compare("0").status.code(), Some(1));
}

#[test]
fn where_another_policy_ran_there_is_no_error_but_a_reason() {
    let path = temporary("other-policy", &format!("scheduler = {{ policy = \"sjf\" }}\n{}", mixed(EXECUTORS[1])));
    let path = path.display().to_string();
    let compare = |more: &[&str]| {
        let output = sim(&[&["compare", path.as_str(), "--runs", "1", "--json", "--dispatcher=never"], more].concat());
        let document: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        (document, String::from_utf8_lossy(&output.stderr).into_owned(), output)
    };
    let (document, said, output) = compare(&[]);
    let (comparison, recorded) = (&document["comparison"], &document["measured"][0]["recorded"]);
    let why = comparison["not_comparable"].as_str().expect("a reason");
    assert!(why.contains("the machine ran SCHED_OTHER where `sjf` was asked for"), "{why}");
    assert_eq!((&recorded["policy_realised"], recorded["policy_reason"].as_str()), (&"not".into(), Some(why)));
    assert_eq!((&comparison["comparable"], &comparison["makespan_error"]), (&false.into(), &Value::Null));
    assert!(succeeded(&output) && said.contains("hint: --anyway"), "{said}");
    let (document, ..) = compare(&["--anyway"]);
    let comparison = &document["comparison"];
    assert!(comparison["makespan_error"].is_f64(), "asked for all the same");
    assert_eq!((&comparison["comparable"], comparison["not_comparable"].as_str()), (&false.into(), Some(why)));
    let (_, said, output) = compare(&["--tolerance", "1e9"]);
    assert_eq!(output.status.code(), Some(1), "nothing is known to be within a tolerance");
    assert!(said.contains("finding: no error is known"), "{said}");
}

#[test]
fn each_shipped_scenario_says_whether_the_same_is_compared() {
    let folder = temporary_folder("shipped");
    for file in configs() {
        let output = Command::new(env!("CARGO_BIN_EXE_sim"))
            .args(["compare", "--runs", "1", "--no-timeline"])
            .arg(&file)
            .current_dir(&folder)
            .output()
            .expect("it runs");
        let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
        // What other programs disturbed is not judged.
        if said.contains("the machine is too busy") {
            continue;
        }
        let ways = [
            "note: exactly the policy of the scenario: ",
            "warning: SCHED_",
            "warning: there was a processor for each thread, ",
            "warning: a dispatcher lets threads run as ",
            "; not compared: the machine ran ",
        ];
        let told = ways.iter().filter(|way| said.contains(**way)).count();
        let refused = said.contains("sim: cannot measure: ") && said.contains("\nhint: ");
        assert!(told == usize::from(!refused), "{}: {said}", file.display());
        assert_eq!(output.status.code() == Some(2), refused, "{}: {said}", file.display());
    }
}

#[test]
fn what_the_kernel_counts_of_groups_stands_beside_what_is_simulated() {
    let toml = r#"
        until = "60ms"
        group = [{ name = "web", quota = "5ms", period = "20ms" }]
        task = [{ name = "A", count = 2, program = [{ cpu = "1s" }] }]
    "#;
    let path = temporary("groups", toml).display().to_string();
    let output = sim(&["measure", &path, "--json"]);
    let said = String::from_utf8_lossy(&output.stderr);
    if said.contains("would be a control group") {
        return skipped(&said);
    }
    assert_eq!(output.status.code(), Some(0), "{said}");
    let measured: Value = serde_json::from_slice(&output.stdout).expect("a document");
    let (group, counted) = (&measured["groups"][0], &measured["recorded"]["groups"][0]);
    for key in ["name", "throttles", "throttled_ns"] {
        assert_eq!(group[key], counted[key], "{measured:#}");
    }
    assert_eq!(group["quota_ns"], 5_000_000, "{measured:#}");
    assert_eq!(measured["recorded"]["policy_realised"], "approximated", "{measured:#}");
}

#[test]
fn what_cannot_be_measured_is_refused() {
    let path = temporary("long", r#"task = [{ name = "A", program = [{ cpu = "2h" }] }]"#).display().to_string();
    for command in ["measure", "compare"] {
        let output = sim(&[command, &path]);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(output.stdout.is_empty() && said.contains("time limit"), "{said}");
    }
}

#[test]
fn what_is_too_large_for_this_machine_is_refused_before_anything_is_simulated() {
    let toml = r#"
        machine = { processors = 4096 }
        task = [{ name = "A", count = 10, program = [{ repeat = 1000, do = [{ cpu = "1us" }] }] }]
    "#;
    // Where no picture could be written it is not complained of: none would be.
    let folder = temporary_folder("too-large");
    std::fs::create_dir(folder.join("scenario.compare.png")).expect("a folder");
    let output = Command::new(env!("CARGO_BIN_EXE_sim"))
        .arg("compare")
        .arg(temporary("too-large-for-us", toml))
        .current_dir(&folder)
        .output()
        .expect("it runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.starts_with("sim: cannot measure: the scenario has 4096 processors"), "{said}");
}

#[test]
fn processes_that_arrive_together_start_in_their_order() {
    let kinds = ["threads", "async", "sequential", "processes", "{ kind = 'pool', workers = 1 }"];
    let task = "[[process.task]]\nname = 't'\ncount = 2\nprogram = [{ cpu = '3ms' }]";
    for (index, first) in kinds.iter().enumerate() {
        let second = kinds[(index * 2 + 1) % kinds.len()];
        let text = format!(
            "[[process]]\nname = 'p'\nexecutor = {}\n{task}\n[[process]]\nname = 'q'\nexecutor = {}\n{task}",
            quoted(first),
            quoted(second)
        );
        let file = temporary("start-order", &text).display().to_string();
        // Which of two that are microseconds apart is first can be an accident; not always.
        let in_order = (0..8).any(|_| {
            let output = sim(&["measure", &file, "--json", "--timeline"]);
            let json: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
            let starts = json["timeline"]
                .as_array()
                .expect("a list")
                .iter()
                .map(|stay| (stay["start_ns"].as_u64(), stay["task"].as_str()));
            let ordinary = json["recorded"]["policy"].as_str().is_some_and(|policy| policy.starts_with("SCHED_OTHER"));
            ordinary || starts.min().and_then(|(_, task)| task).is_some_and(|task| task.starts_with("p/"))
        });
        assert!(in_order, "{first} before {second}");
    }
}

fn quoted(executor: &str) -> String {
    if executor.starts_with('{') { executor.to_owned() } else { format!("'{executor}'") }
}

#[test]
fn what_was_measured_is_told_in_the_order_of_the_file() {
    let process = |name: &str, executor: &str, count: u32| {
        format!(
            "[[process]]\nname = \"{name}\"\ncount = {count}\nexecutor = \"{executor}\"\n[[process.task]]\nname = \"t\"\nprogram = [{{ cpu = \"1us\" }}]\n"
        )
    };
    let told = |text: &str| measure(&scenario(text), &Options::default()).expect("it runs").recorded.executor;
    let all = [process("web", "threads", 2), process("cron", "sequential", 1), process("api", "threads", 1)];
    assert_eq!(told(&all.concat()), "web and api in a std thread per task, cron in one std thread");
    assert_eq!(told(&all[0]), "a std thread per task");
}
