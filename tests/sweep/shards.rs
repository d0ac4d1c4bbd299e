//! Parts of an experiment, on any machines, are joined to what one would have given.

use std::fs;
use std::path::Path;

use super::{EXPERIMENT, QUEUE, assert_alike, folder, said, sweep, swept};
use crate::support::sim;

fn merge(folder: &Path, shards: &[&str], out: &str) -> std::process::Output {
    let path = |name: &str| folder.join(name).display().to_string();
    let shards: Vec<String> = shards.iter().map(|name| path(name)).collect();
    let mut arguments = vec!["merge"];
    arguments.extend(shards.iter().map(String::as_str));
    let out = path(out);
    arguments.extend(["--out", &out]);
    sim(&arguments)
}

#[test]
fn shards_join_to_the_same_bytes() {
    let stops =
        EXPERIMENT.replace("replications = 6", "stop-when = { half-width = \"20%\", of = \"makespan\", at-most = 40 }");
    for (name, experiment) in [("dealt", EXPERIMENT), ("stopped", &stops)] {
        let folder = folder(&format!("shards-{name}"), QUEUE, experiment);
        let whole = swept(&folder, "whole", &[]);
        for shard in 1..=3 {
            swept(&folder, &format!("part-{shard}"), &["--shard", &format!("{shard}/3")]);
        }
        // In any order.
        let merged = merge(&folder, &["part-3", "part-1", "part-2"], "merged");
        assert!(merged.status.success(), "{}", said(&merged));
        assert_eq!(merged.stdout, whole.stdout, "{name}");
        assert_alike(&folder.join("whole"), &folder.join("merged"));
    }
}

#[test]
fn what_does_not_belong_together_is_not_joined() {
    let folder = folder("unjoined", QUEUE, EXPERIMENT);
    swept(&folder, "whole", &[]);
    swept(&folder, "one", &["--shard", "1/2"]);
    swept(&folder, "two", &["--shard", "2/2"]);
    swept(&folder, "third", &["--shard", "2/3"]);
    let refused = |shards: &[&str], told: &str| {
        let output = merge(&folder, shards, "out");
        assert_eq!(output.status.code(), Some(2), "{shards:?}");
        assert!(said(&output).contains(told), "{shards:?}: {}", said(&output));
        assert!(!folder.join("out").exists(), "{shards:?}");
    };
    refused(&["one"], "shard 2/2 is missing");
    refused(&["one", "two", "one"], "shard 1/2 is there twice");
    refused(&["one", "third"], "do not belong together");
    refused(&["one", "whole"], "holds the whole experiment, not a shard");
    refused(&["one", "nowhere"], "there are no results in");
    let path = folder.join("two/results.jsonl");
    let text = fs::read_to_string(&path).expect("results");
    let shorter: String = text.lines().take(10).map(|line| format!("{line}\n")).collect();
    fs::write(&path, shorter).expect("a file");
    refused(&["one", "two"], "shard 2/2 is not complete: of its runs 9 or more are missing");
    fs::write(&path, text.replacen("\"makespan\":", "\"makespan\":9", 1)).expect("a file");
    refused(&["one", "two"], "results.jsonl:2: it is damaged");
    fs::write(&path, text).expect("a file");
    assert!(merge(&folder, &["one", "two"], "out").status.success());
    // Once more is no harm, and one that was cut off goes on.
    assert!(merge(&folder, &["one", "two"], "out").status.success());
    let whole = fs::read(folder.join("out/results.jsonl")).expect("results");
    fs::write(folder.join("out/results.jsonl"), &whole[..whole.len() / 2]).expect("a file");
    assert!(merge(&folder, &["one", "two"], "out").status.success());
    assert_alike(&folder.join("whole"), &folder.join("out"));
    let none = sweep(&folder, "none", &["--shard", "0/2"]);
    assert!(said(&none).contains("counted from 1"), "{}", said(&none));
}
