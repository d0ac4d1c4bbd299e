//! An explanation as JSON.

use serde_json::{Value, json};
use sim_core::causes::critical_path::{Does, Link};
use sim_core::ids::SpecId;
use sim_core::outcome::FORMAT;
use sim_core::speedup::Degree;

use super::path::{Part, Told};
use crate::report::gains::{Beside, Trials, Tried};

/// The document of an explanation: the path, and speed-ups if there are any.
#[must_use]
pub fn document(told: &Told<'_>, words: &str, trials: Option<(&Trials, &dyn Beside)>, interrupted: bool) -> Value {
    let mut document = json!({
        "format": FORMAT,
        "title": told.scenario().title,
        "seed": told.scenario().seed,
        "explains": words,
        "critical_path": path(told),
    });
    if let Some((trials, beside)) = trials {
        document["speedups"] = speedups(told, trials, beside);
    }
    if interrupted {
        document["interrupted"] = true.into();
    }
    document
}

fn path(told: &Told<'_>) -> Value {
    let Some(goal) = told.goal() else { return Value::Null };
    json!({
        "task": told.timeline().task_name(goal.task),
        "from_ns": goal.from.ns(),
        "to_ns": goal.to.ns(),
        "length_ns": goal.length().ns(),
        "parts": told.parts().iter().map(|part| self::part(told, part)).collect::<Vec<_>>(),
        "links": told.links().iter().map(|link| self::link(told, link)).collect::<Vec<_>>(),
    })
}

fn part(told: &Told<'_>, part: &Part) -> Value {
    let spec = part.tasks.first().map(|task| SpecId(told.timeline().tasks[*task].spec));
    let mut value = does(told, spec.unwrap_or(SpecId(0)), part.does);
    value["kind"] = told.kind_name_full(part.kind).into();
    value["tasks"] = part.tasks.len().into();
    value["links"] = part.links.into();
    value["ns"] = part.length.ns().into();
    value
}

fn link(told: &Told<'_>, link: &Link) -> Value {
    let timeline = told.timeline();
    let mut value = does(told, SpecId(timeline.tasks[link.task].spec), link.does);
    value["task"] = timeline.task_name(link.task).into();
    value["from_ns"] = link.from.ns().into();
    value["to_ns"] = link.to.ns().into();
    if let Some(held) = link.holds_up {
        let what = held.what.name(timeline).unwrap_or("waiting");
        value["holds_up"] =
            json!({ "task": timeline.task_name(held.task), "what": what, "words": told.awaited(held.what) });
    }
    value
}

/// What somebody does: a word, the operation, the same in words.
fn does(told: &Told<'_>, spec: SpecId, does: Does) -> Value {
    let (what, position) = match does {
        Does::Runs(position) => ("running", position),
        Does::Is(what, position) => (what.name(told.timeline()).unwrap_or(what.kind().name()), position),
        Does::ToCome => ("arrival", None),
    };
    let mut value = json!({ "what": what, "words": told.verb(spec, does, false) });
    if let Some(position) = position {
        value["operation"] = told.scenario().operation(spec, position).into();
        value["path"] = told.scenario().path_of(spec, position).map(|(_, path)| path).into();
    }
    value
}

fn speedups(told: &Told<'_>, trials: &Trials, beside: &dyn Beside) -> Value {
    let baseline = trials.baseline.interval();
    let candidate = |number: usize| {
        let candidate = &trials.candidates[number];
        let mut value = json!({
            "names": candidate.subjects.iter().map(|subject| subject.name(told.scenario())).collect::<Vec<_>>(),
            "share_of_path": beside.share(candidate),
            "changes": trials.of(number).map(|tried| change(trials, tried)).collect::<Vec<_>>(),
        });
        if trials.is_in_vain(number) {
            value["why_not"] = beside.why_not(candidate).into();
        }
        value
    };
    json!({
        "metric": trials.metric.path(),
        "unit": trials.metric.unit().name(),
        "replications": trials.replications,
        "baseline": baseline.map(|now| json!({ "mean": now.mean, "half_width": now.half_width })),
        "runs": trials.runs.1,
        "runs_done": trials.runs.0,
        "candidates": trials.ranked().into_iter().map(candidate).collect::<Vec<_>>(),
    })
}

fn change(trials: &Trials, tried: &Tried) -> Value {
    let sets: Vec<String> = tried.change.sets.iter().map(|(path, value)| format!("{path}={value}")).collect();
    let mut value = json!({
        "set": sets,
        "mean": tried.figures.interval().map(|interval| interval.mean),
        "gain": trials.gain(tried).map(|gain| gain.share),
    });
    match &tried.change.degree {
        Degree::Faster(percent) => value["faster_percent"] = (*percent).into(),
        Degree::To { from, to } => {
            value["from"] = from.as_str().into();
            value["to"] = to.as_str().into();
        }
    }
    if let Some(width) = trials.gain(tried).and_then(|gain| gain.half_width) {
        value["gain_half_width"] = width.into();
    }
    if trials.baseline.gone != [0, 0] || tried.figures.gone != [0, 0] {
        for (key, gone, before) in [("given_up", 0, trials.baseline.gone[0]), ("rejected", 1, trials.baseline.gone[1])]
        {
            value[key] = json!({ "mean": mean(tried.figures.gone[gone], trials), "baseline": mean(before, trials) });
        }
    }
    if let Some(end) = tried.figures.stuck {
        value["end"] = end.into();
    }
    value
}

#[expect(clippy::cast_precision_loss, reason = "a statistic")]
fn mean(all: u64, trials: &Trials) -> f64 {
    all as f64 / trials.replications.max(1) as f64
}
