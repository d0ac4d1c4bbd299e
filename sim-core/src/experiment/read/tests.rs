//! Experiments from text: what they mean, and what is said of those that are wrong.

use serde_json::json;

use super::*;

fn read(text: &str) -> Result<Experiment, String> {
    Experiment::read(&Source { file: "e.toml", text }).map_err(|mistakes| {
        let told = |mistake: &crate::document::Mistake| {
            let hint = mistake.hint.as_deref().unwrap_or_default();
            format!("{}: {} | {hint}", mistake.place, mistake.sentence)
        };
        mistakes.iter().map(told).collect::<Vec<_>>().join("\n")
    })
}

#[test]
fn every_combination_the_last_axis_changing_first() {
    let text = r#"
scenario = "a.toml"
baseline = { "machine.processors" = 1 }
[vary]
"machine.processors" = [1, 2]
"process.web.executor" = ["threads", { kind = "work-stealing", workers = 4 }, "async"]
"#;
    let experiment = read(text).expect("valid");
    assert_eq!((experiment.variations(), experiment.replications), (6, 30));
    let sets = |variation| experiment.settings(variation).map(|(_, setting)| setting.toml.clone()).collect::<Vec<_>>();
    assert_eq!(sets(0), ["1", "\"threads\""]);
    assert_eq!(sets(4), ["2", "{ kind = \"work-stealing\", workers = 4 }"]);
    assert_eq!(experiment.axes[1].values[1].json, json!({ "kind": "work-stealing", "workers": 4 }));
    let baselines: Vec<_> = (0..6).map(|variation| experiment.baseline_of(variation)).collect();
    assert_eq!(baselines, [0, 1, 2, 0, 1, 2].map(Some));
}

#[test]
fn paths_may_stand_without_quotes_and_values_as_ranges() {
    let text = r#"
scenario = "a.toml"
[vary]
scheduler.quantum = "1ms..100ms:log3"
process."a.b".count = ["1..3", 8]
baseline = "no table of this level"
"#;
    let experiment = read(text).expect("valid");
    let paths: Vec<&str> = experiment.axes.iter().map(|axis| axis.path.as_str()).collect();
    assert_eq!(paths, ["scheduler.quantum", "process.\"a.b\".count", "baseline"]);
    let values = |axis: usize| experiment.axes[axis].values.iter().map(|value| value.json.clone()).collect::<Vec<_>>();
    assert_eq!(values(0), [json!("1ms"), json!("10ms"), json!("100ms")]);
    assert_eq!(values(1), [1, 2, 3, 8].map(|count| json!(count)));
    assert_eq!(experiment.baseline_of(3), None);
}

#[test]
fn it_is_looked_after_ten_twenty_forty() {
    let text = "scenario = \"a.toml\"\nstop-when = { half-width = \"1%\", of = \"turnaround.p99\", at-most = 100 }";
    let experiment = read(text).expect("valid");
    assert_eq!(experiment.looks(), [10, 20, 40, 80, 100]);
    // What is to be known so surely is asked of every run.
    let stop = experiment.stop_when.as_ref().expect("it stops");
    assert_eq!((stop.half_width, experiment.metrics[stop.of].path()), (HalfWidth::Share(0.01), "turnaround.p99"));
    let least = read(&format!("{text}\nreplications = 30")).expect("valid");
    assert_eq!(least.looks(), [40, 80, 100]);
    assert_eq!(read("scenario = \"a.toml\"\nreplications = 7").expect("valid").looks(), [7]);
}

#[test]
fn what_is_wrong_is_said_at_its_place() {
    for (text, said) in [
        (
            "runs = 3",
            "e.toml:1:1: unknown key `runs` | here that is `replications`\ne.toml: `scenario` is missing: the path of the file that is varied | ",
        ),
        ("metrics = [\"makespam\"]", "e.toml:2:12: unknown metric `makespam` | did you mean `makespan`?"),
        ("metrics = [\"makespan\", \"makespan\"]", "e.toml:2:24: `makespan` stands twice | leave one of them out"),
        ("baseline = { a = 2 }\n[vary]\na = [1]", "e.toml:2:18: `2` is none of the values of `a` | `1`"),
        ("baseline = { b = 1 }\n[vary]\naa = [1]", "e.toml:2:18: `b` does not vary | `aa`"),
        (
            "[vary]\nseed = [1, 2]",
            "e.toml:3:1: the seed does not vary here | `replications` runs every variation with several seeds, and `seed` is the first of them",
        ),
        ("[vary]\na = [1, 2, 1]", "e.toml:3:5: `1` stands twice in `a` | leave one of them out"),
        ("[vary]\ntask.a.count = [1]\ntask.0.count = [2]", "e.toml:4:8: `task.0.count` overrides `task.a.count`"),
        (
            "[vary]\n\"machine.processors\" = [2]\nmachine = [{ processors = 1 }]",
            "e.toml:4:1: `machine` overrides `machine.processors`",
        ),
        ("[vary]\na = 1", "e.toml:3:5: the values of `a` must be a list | write them in square brackets"),
        ("[vary]\na = \"0s..1s:log3\"", "e.toml:3:5: "),
        ("level = 95", "e.toml:2:9: `level` must be between 0.5 and 0.9999 | 0.95 is 95 %"),
        (
            "warm-up = \"automatic\"",
            "e.toml:2:11: `warm-up` cannot be `automatic` | write a duration such as \"10s\", or \"auto\"",
        ),
        ("stop-when = { half-width = \"0%\" }", "e.toml:2:28: `half-width` is a share above 0"),
        ("stop-when = { half-width = 5 }", "e.toml:2:28: `half-width` is a share above 0"),
        (
            "replications = 5000\nstop-when = { half-width = \"1ms\" }",
            "e.toml:2:1: `replications` is 5000, more than `at-most` allows",
        ),
        ("[vary]\na = \"1..100000\"\nb = \"1..100000\"", "e.toml:2:2: this makes 300000000000 runs"),
    ] {
        let whole = if text.starts_with("runs") { text.to_owned() } else { format!("scenario = \"a.toml\"\n{text}") };
        let found = read(&whole).expect_err(text);
        assert!(found.starts_with(said), "{text}:\n{found}\n{said}");
    }
}
