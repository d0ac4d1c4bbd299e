//! The figures of a run that stand on its page: sums over its timeline, as reports have them.

use sim_core::metrics::Metrics;
use sim_core::time::Span;
use sim_core::timeline::Timeline;

use crate::reached::Reached;
use crate::table::percent;

/// What each is called, and what it is.
pub(super) fn of(timeline: &Timeline) -> Vec<(&'static str, String)> {
    let metrics = Metrics::of(timeline);
    let whole = metrics.end.ns() as f64 * metrics.processors.len() as f64;
    let share = |span: Span| if whole > 0.0 { percent(span.ns() as f64 / whole) } else { "–".to_owned() };
    let sums = || metrics.tasks.iter();
    let finished: Vec<Span> = sums().filter(|task| !task.finish.is_never()).map(|task| metrics.life(&task)).collect();
    let arrived = sums().filter(|task| !task.arrival.is_never()).count();
    let waiting: Vec<Span> =
        sums().filter(|task| !task.arrival.is_never()).map(|task| metrics.waiting(&task)).collect();
    let mut figures = vec![
        (
            if finished.len() == timeline.tasks.len() { "makespan" } else { "end of the run" },
            timeline.makespan().readable(),
        ),
        ("tasks that ended", format!("{} of {}", finished.len(), timeline.tasks.len())),
        ("processors run tasks", share(metrics.processors.iter().map(|sums| sums.running).sum())),
        ("overhead", share(metrics.processors.iter().map(|sums| sums.overhead).sum())),
        ("context switches", metrics.processors.iter().map(|sums| sums.context_switches).sum::<u64>().to_string()),
        ("migrations", sums().map(|task| task.migrations).sum::<u64>().to_string()),
        ("mean turnaround", mean(&finished)),
        ("mean waiting", mean(&waiting)),
    ];
    if arrived < timeline.tasks.len() {
        figures.push(("tasks that arrived", arrived.to_string()));
    }
    if !timeline.jobs.is_empty() {
        let reached = Reached::of_timeline(timeline);
        figures.push(("jobs that missed", format!("{} of {}", reached.missed, reached.due)));
    }
    figures
}

fn mean(spans: &[Span]) -> String {
    let sum: u128 = spans.iter().map(|span| u128::from(span.ns())).sum();
    let mean = sum.checked_div(spans.len() as u128).map(|mean| Span::from_ns(u64::try_from(mean).unwrap_or(u64::MAX)));
    mean.map_or_else(|| "–".to_owned(), Span::readable)
}
