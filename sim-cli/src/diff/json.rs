//! What differs, as a document.

use serde_json::{Value, json};
use sim_core::ids::TaskId;
use sim_core::outcome::FORMAT;
use sim_core::timeline::{Timeline, What};

use super::words::{difference_ns, headline};
use super::{Diff, Figure, Scale, Side};
use crate::args::Tolerance;

/// The document of `--json`.
#[must_use]
pub fn document(diff: &Diff, tolerances: &[Tolerance], broken: &[String]) -> Value {
    let [a, b] = &diff.sides;
    let distance = diff.distance.as_ref();
    let mut document = json!({
        "format": FORMAT,
        "a": side(a),
        "b": side(b),
        "words": headline(diff),
        "identical": diff.identical,
        "summary": diff.summary.iter().map(figure).collect::<Vec<_>>(),
        "kinds": diff.kinds.iter().map(|(name, [mean, p95, p99])| json!({
            "name": name, "mean": plain(mean), "p95": plain(p95), "p99": plain(p99),
        })).collect::<Vec<_>>(),
        "tasks": diff.tasks.iter().map(task).collect::<Vec<_>>(),
        "only_in_a": diff.alone[0],
        "only_in_b": diff.alone[1],
        "causes": diff.causes.iter().map(|(cause, sides)| json!({
            "kind": cause.kind, "what": cause.what, "of": cause.of,
            "a_ns": sides[0], "b_ns": sides[1], "difference_ns": whole_number(difference_ns(*sides)),
        })).collect::<Vec<_>>(),
        "parting": parting(diff),
        "horizon_ns": distance.and_then(|distance| distance.horizon_ns),
        "agreement": distance.and_then(|distance| distance.agreement),
        "service_distance_ns": distance.and_then(|distance| distance.service_distance_ns),
    });
    if diff.identical && a.timeline.is_some() && b.timeline.is_some() {
        document["agreement"] = 1.0.into();
        document["service_distance_ns"] = 0.into();
    }
    if !tolerances.is_empty() {
        let given: Vec<Value> = tolerances.iter().map(tolerance).collect();
        document["tolerance"] = json!({ "given": given, "broken": broken });
    }
    document
}

fn side(side: &Side) -> Value {
    let reading = &side.reading;
    json!({
        "name": side.name, "source": reading.source, "title": reading.title, "seed": reading.seed, "end": reading.end,
        "makespan_ns": reading.makespan_ns, "timeline_hash": reading.timeline_hash, "has_timeline": side.timeline.is_some(),
        "notes": side.notes,
    })
}

/// A figure of the whole run: times in nanoseconds.
fn figure(figure: &Figure) -> Value {
    let unit = match figure.scale {
        Scale::Time => "ns",
        Scale::Count => "count",
        Scale::Share => "ratio",
        Scale::PerSecond => "1/s",
    };
    json!({
        "metric": figure.name, "unit": unit, "a": figure.a, "b": figure.b, "difference": figure.difference(),
        "relative": figure.relative(),
    })
}

/// A latency, whose name is that of its key.
fn plain(figure: &Figure) -> Value {
    json!({ "a_ns": figure.a, "b_ns": figure.b, "difference_ns": figure.difference(), "relative": figure.relative() })
}

fn task(task: &super::TaskFigure) -> Value {
    let mut value = plain(&task.latency);
    value["name"] = task.name.as_str().into();
    [value["a_fate"], value["b_fate"]] = task.fates.clone().map(Value::from);
    for (key, part) in ["running_ns", "waiting_ns", "blocked_ns", "overhead_ns"].into_iter().zip(task.parts_ns) {
        value[key] = whole_number(part);
    }
    value
}

/// Differences of nanoseconds have 64 bits and a sign, unless a run takes a century.
fn whole_number(ns: i128) -> Value {
    i64::try_from(ns).unwrap_or(i64::MAX).into()
}

fn parting(diff: &Diff) -> Value {
    let Some(parting) = &diff.parting else { return Value::Null };
    let does = |timeline: Option<&Timeline>, does: Option<(TaskId, What)>| match (timeline, does) {
        (Some(timeline), Some((task, what))) => {
            json!({ "task": timeline.task_name(task), "what": what.name() })
        }
        _ => Value::Null,
    };
    let [a, b] = [0, 1].map(|side| does(diff.sides[side].timeline.as_ref(), parting.does[side]));
    json!({ "at_ns": parting.at.ns(), "processor": parting.cpu.0, "a": a, "b": b })
}

fn tolerance(tolerance: &Tolerance) -> Value {
    match tolerance {
        Tolerance::Share(share) => json!({ "share": share }),
        Tolerance::Time(span) => json!({ "ns": span.ns() }),
    }
}
