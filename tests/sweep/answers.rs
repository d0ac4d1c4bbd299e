//! What experiments say, held against what is known.

use serde_json::Value;

use super::{EXPERIMENT, QUEUE, folder, json, said, swept};

/// The rows of a metric.
fn rows<'d>(document: &'d Value, metric: &str) -> Vec<&'d Value> {
    let rows = document["rows"].as_array().expect("rows");
    rows.iter().filter(|row| row["metric"] == metric).collect()
}

#[test]
fn rows_are_what_the_format_says() {
    let folder = folder("rows", QUEUE, EXPERIMENT);
    let document = json(&swept(&folder, "out", &["--json"]));
    assert_eq!((&document["format"], &document["runs"], &document["reused"]), (&1.into(), &36.into(), &0.into()));
    let makespans = rows(&document, "makespan");
    assert_eq!(makespans.len(), 6);
    let verdicts: Vec<&str> = makespans.iter().filter_map(|row| row["verdict"].as_str()).collect();
    assert_eq!((verdicts[0], verdicts[3]), ("baseline", "baseline"));
    // One server works off the same work in any order, and is never idle with work to do.
    assert_eq!(makespans[1]["difference"], 0.0);
    assert_eq!(verdicts[1], "not distinguishable");
    for row in &makespans {
        let of = |key: &str| row[key].as_f64().expect("a number");
        assert!(of("low") < of("mean") && of("mean") < of("high"));
        assert_eq!((&row["n"], &row["unit"]), (&6.into(), &"ns".into()));
    }
    // Without a baseline there are no differences.
    let folder = self::folder("no-baseline", QUEUE, &EXPERIMENT.replace("baseline = ", "# "));
    let document = json(&swept(&folder, "out", &["--json"]));
    assert!(rows(&document, "makespan").iter().all(|row| row["verdict"].is_null() && row["difference"].is_null()));
}

#[test]
fn a_figure_that_a_variation_has_not_is_null() {
    let experiment = r#"
scenario = "queue.toml"
replications = 2
metrics = ["processor.1.utilisation", "turnaround.p99"]
[vary]
"machine.processors" = [1, 2]
"#;
    let folder = folder("null", QUEUE, experiment);
    let document = json(&swept(&folder, "out", &["--json"]));
    let second = rows(&document, "processor.1.utilisation");
    assert_eq!((&second[0]["n"], &second[0]["mean"]), (&0.into(), &Value::Null));
    assert_eq!(second[1]["n"], 2);
    // Forty requests have no p99.
    assert!(rows(&document, "turnaround.p99").iter().all(|row| row["mean"].is_null()));
}

#[test]
fn a_warm_up_is_left_out_of_every_run() {
    // Before 200 ms requests come one by one, later in pairs, of which one waits.
    let scenario = r#"
[[device]]
name = "server"
[[task]]
name = "early"
count = 20
arrival = { every = "10ms" }
program = [{ io = "server", for = "4ms" }]
[[task]]
name = "late"
count = 40
arrival = ["200ms", "200ms"]
program = [{ io = "server", for = "4ms" }]
"#;
    let arrivals: Vec<String> = (0..40).map(|index| format!("\"{}ms\"", 200 + index / 2 * 10)).collect();
    let scenario = scenario.replace("[\"200ms\", \"200ms\"]", &format!("[{}]", arrivals.join(", ")));
    let experiment = |warm_up: &str| {
        let metrics =
            "[\"turnaround.mean\", \"device.server.utilisation\", \"device.server.waited_share\", \"makespan\"]";
        format!("scenario = \"queue.toml\"\nreplications = 1\nmetrics = {metrics}\nwarm-up = \"{warm_up}\"")
    };
    let of = |warm_up: &str| {
        let folder = folder(&format!("warm-{warm_up}"), &scenario, &experiment(warm_up));
        let output = swept(&folder, "out", &["--json"]);
        let document = json(&output);
        let mean = |metric: &str| rows(&document, metric)[0]["mean"].as_f64().expect("a number");
        (
            (mean("turnaround.mean"), mean("device.server.utilisation"), mean("device.server.waited_share")),
            mean("makespan"),
            said(&output),
        )
    };
    // Pairs take 4 and 8 ms; the last ends at 398 ms, so of 198 ms 160 are busy.
    let (figures, makespan, _) = of("200ms");
    assert_eq!((figures, makespan), ((6e6, 160.0 / 198.0, 0.5), 398e6));
    let (figures, makespan, _) = of("0ms");
    assert_eq!((figures, makespan), (((20.0 * 4.0 + 40.0 * 6.0) / 60.0 * 1e6, 240.0 / 398.0, 20.0 / 60.0), 398e6));
    let (_, _, told) = of("auto");
    assert!(told.contains("left out of every run (MSER-5 on 1 runs)"), "{told}");
}

#[test]
fn one_is_run_until_its_mean_is_known() {
    let experiment = r#"
scenario = "queue.toml"
metrics = ["makespan"]
stop-when = { half-width = "10%", of = "turnaround.mean", at-most = 60 }
[vary]
"device.server.service" = [{ constant = "7ms" }, { exponential = "7ms" }]
"#;
    let folder =
        folder("stop", &QUEUE.replace("{ exponential = \"10ms\" }", "{ uniform = [\"9ms\", \"11ms\"] }"), experiment);
    let output = swept(&folder, "out", &["--json"]);
    let document = json(&output);
    let latencies = rows(&document, "turnaround.mean");
    // Of a constant service nearly nothing is left to chance.
    assert_eq!((&latencies[0]["n"], &latencies[1]["n"]), (&10.into(), &60.into()));
    let notes = document["notes"].to_string();
    assert!(
        notes.contains("after 60 runs turnaround.mean is not known so surely as was asked; you would need about"),
        "{notes}"
    );
}

#[test]
fn a_deadlock_is_a_finding() {
    let scenario = fs_read("configs/deadlock.toml");
    let experiment = "scenario = \"queue.toml\"\nreplications = 2\nmetrics = [\"makespan\"]";
    let folder = folder("deadlock", &scenario, experiment);
    let output = super::sweep(&folder, "out", &["--json"]);
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(json(&output)["notes"].to_string().contains("ended in a deadlock"));
}

fn fs_read(file: &str) -> String {
    std::fs::read_to_string(crate::support::root().join(file)).expect("it is there")
}

#[test]
fn one_replication_is_told_to_be_too_few() {
    let folder = folder("single", QUEUE, &EXPERIMENT.replace("replications = 6", "replications = 1"));
    let document = json(&swept(&folder, "out", &["--json"]));
    assert!(document["notes"].to_string().contains("one replication says nothing of chance"), "{}", document["notes"]);
}
