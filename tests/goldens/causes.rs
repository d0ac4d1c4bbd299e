//! Where the time of every task went, and behind whom: each breakdown is judged by hand against the drawing that the
//! same scenario gives.

use expect_test::{Expect, expect};
use sim_cli::gantt;
use sim_core::causes::{Causes, Kind};
use sim_core::outcome::Outcome;
use sim_core::time::Span;
use sim_core::timeline::{Timeline, TimelineHash};

use crate::support::{run, scenario};

mod blocked;
mod runtimes;
mod waiting;

/// The drawing, and the causes of each task as the outcome has them.
#[expect(clippy::needless_pass_by_value, reason = "reads better at the call")]
fn check(toml: &str, expected: Expect) {
    let scenario = scenario(toml);
    let (timeline, ending) = run(&scenario);
    let mut recorder = (sim_core::metrics::Metrics::with_jobs(), TimelineHash::default());
    timeline.replay(&mut recorder);
    let outcome = Outcome::simulated(&scenario, &ending, &recorder.0, recorder.1);
    let outcome = outcome.with_causes(&timeline, &Causes::of(&timeline));
    let mut text = gantt::ascii(&timeline, 100);
    for task in &outcome.tasks {
        let parts = task.causes.iter().flatten().map(|cause| {
            let object = cause.processor.as_ref().or(cause.device.as_ref()).or(cause.object.as_ref());
            let words = [
                Some(cause.kind),
                cause.what,
                object.map(String::as_str),
                cause.behind.as_ref().map(|_| "behind"),
                cause.behind.as_deref().map(|name| name.trim_start_matches("main/")),
                cause.doing,
                cause.doing_for.as_deref(),
            ];
            let words: Vec<&str> = words.into_iter().flatten().collect();
            format!("    {:>5} {}\n", Span::from_ns(cause.ns).to_string(), words.join(" "))
        });
        text += &format!("{}\n{}", task.name.trim_start_matches("main/"), parts.collect::<String>());
    }
    expected.assert_eq(&text);
}

/// The parts of each task add up to its life, whatever the record is like.
fn every_life_is_explained(timeline: &Timeline) {
    let causes = Causes::of(timeline);
    for (task, life) in timeline.tasks.pairs() {
        let end = life.finish.unwrap_or(timeline.end);
        let lived = life.arrival.map_or(Span::ZERO, |arrival| end.since(arrival));
        let kinds = [Kind::Running, Kind::Waiting, Kind::Blocked, Kind::Overhead];
        let sum: Span = kinds.into_iter().map(|kind| causes.sum(task, kind)).sum();
        assert_eq!(sum, lived, "{}", timeline.task_name(task));
    }
}
