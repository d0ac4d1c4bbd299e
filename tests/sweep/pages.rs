//! The pages of an experiment: what they say in words, that they are whole, and that they need nothing else.

use std::fs;
use std::path::Path;

use super::{folder, swept};

const SCENARIO: &str = r#"
[[task]]
name = "job"
count = 8
program = [{ cpu = "10ms" }]
"#;

fn report(name: &str, experiment: &str) -> (String, String, std::path::PathBuf) {
    let folder = folder(name, SCENARIO, experiment);
    swept(&folder, "out", &[]);
    let read = |file: &str| fs::read_to_string(folder.join("out").join(file)).expect("a page");
    (read("report.md"), read("report.html"), folder.join("out"))
}

#[test]
fn what_helps_and_what_it_costs_is_said_in_words() {
    let experiment = r#"
title = "How many processors?"
scenario = "queue.toml"
replications = 2
metrics = ["makespan", "processor.0.utilisation", "context_switches"]
baseline = { "machine.processors" = 1 }
[vary]
"machine.processors" = [1, 2, 4, 8, 16]
"#;
    let (text, _, _) = report("words", experiment);
    for sentence in [
        "10 runs of 5 variations of `queue.toml`. `machine.processors` is 1, 2, 4, 8, 16. The baseline is `machine.processors` = 1.",
        "> every replication came out the same: nothing in the scenario is drawn, and one would do",
        "**Helps:** `processors=8` (−70.0 ms ± 0.0, −88 %), `processors=16` (−70.0 ms ± 0.0, −88 %), `processors=4` (−60.0 ms ± 0.0, −75 %), \
         `processors=2` (−40.0 ms ± 0.0, −50 %).",
        "Along `processors` every step helps up to 8; the next one makes no difference that matters (8 → 16: 0.0 ms).",
        "**Changes nothing:** `processors=2`, `processors=4`, `processors=8` and `processors=16`.",
        "| processors=2 | 40.0 | 0.0 | better | −40.0 | 0.0 | 2 |",
    ] {
        assert!(text.contains(sentence), "{sentence}\n{text}");
    }
}

#[test]
fn without_a_baseline_the_best_and_the_worst_are_named() {
    let experiment = r#"
scenario = "queue.toml"
replications = 2
metrics = ["makespan"]
[vary]
"machine.processors" = [1, 2, 3]
"#;
    let (text, _, _) = report("ranked", experiment);
    let sentence = "The best is `processors=3` with 30.0 ms, the worst `processors=1` with 80.0 ms.";
    assert!(text.contains(sentence), "{text}");
}

#[test]
fn pages_are_whole_and_need_nothing_else() {
    let experiment = r#"
title = "a <b> & \"c\" | d"
scenario = "queue.toml"
replications = 2
metrics = ["makespan", "task.job.turnaround.mean"]
baseline = { "machine.processors" = 1 }
[vary]
"machine.processors" = [1, 2, 4]
"scheduler.policy" = ["fifo", "sjf"]
"#;
    let (text, html, out) = report("whole", experiment);
    // Every picture that is named is there, and is one.
    let named: Vec<&str> = text.split("](").skip(1).filter_map(|rest| rest.split(')').next()).collect();
    assert_eq!(named, ["makespan.png", "task.job.turnaround.mean.png"]);
    for picture in named {
        let bytes = fs::read(Path::new(&out).join(picture)).expect("a picture");
        assert!(bytes.starts_with(b"\x89PNG"), "{picture}");
    }
    // Nothing is fetched: no scripts, no sheets, no addresses but the name of what SVG is.
    for outside in ["<script", "<link", "<img", "src=", "@import", "url("] {
        assert!(!html.contains(outside), "{outside}");
    }
    let addresses = html.matches("http").count();
    assert_eq!(addresses, html.matches("http://www.w3.org/2000/svg").count());
    assert!(html.contains("<title>a &lt;b&gt; &amp; &quot;c&quot; | d</title>"), "the title is not escaped");
    assert_eq!(html.matches("<svg").count(), 2);
    closes_what_it_opens(&html);
}

/// Every element is closed, in order.
fn closes_what_it_opens(html: &str) {
    let mut open: Vec<&str> = Vec::new();
    for tag in html.split('<').skip(1) {
        let tag = tag.split('>').next().expect("a tag ends");
        let name = tag.trim_start_matches('/').split([' ', '\n', '/']).next().unwrap_or_default();
        match tag {
            _ if tag.starts_with('!') || tag.ends_with('/') || name == "meta" => {}
            _ if tag.starts_with('/') => assert_eq!(open.pop(), Some(name), "{tag}"),
            _ => open.push(name),
        }
    }
    assert!(open.is_empty(), "{open:?}");
}
