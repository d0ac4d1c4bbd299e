//! What tasks have for ever that ended with it, and what nobody gives back: see [`super`].

use std::collections::BTreeMap;

use super::{Finding, Record};
use crate::ids::{SpecId, SyncId, TaskId};
use crate::scenario::{Scenario, SyncKind};
use crate::time::{Span, Time};
use crate::timeline::Fate;

pub(super) fn find(scenario: &Scenario, record: &Record<'_>) -> Vec<Finding> {
    let timeline = record.timeline;
    let mut kept: BTreeMap<SyncId, BTreeMap<TaskId, Time>> = BTreeMap::new();
    let is_permit = |sync: SyncId| matches!(scenario.syncs[sync].kind, SyncKind::Semaphore { .. });
    for hold in timeline.holds.iter().filter(|hold| is_permit(hold.sync)) {
        let life = &timeline.tasks[hold.task];
        let (Some(fate), Some(end)) = (life.ended_as(), life.finish) else { continue };
        // Who could have given it back, and came to its end, may leave that to others of its kind.
        let forever = match scenario.releases(SpecId(life.spec), hold.sync) {
            true => fate == Fate::Ended && hold.end > end,
            false => matches!(fate, Fate::Ended | Fate::Finished) && scenario.is_lent(hold.sync),
        };
        if forever {
            kept.entry(hold.sync).or_default().insert(hold.task, end);
        }
    }
    let mut findings: Vec<Finding> = kept.into_iter().map(|(sync, tasks)| of(scenario, record, sync, &tasks)).collect();
    findings.extend(timeline.cast.syncs.ids().filter_map(|sync| awaited_in_vain(scenario, record, sync)));
    findings
}

/// These tasks have permits of it since they ended.
fn of(scenario: &Scenario, record: &Record<'_>, sync: SyncId, tasks: &BTreeMap<TaskId, Time>) -> Finding {
    let timeline = record.timeline;
    let first = tasks.values().min().copied().unwrap_or(timeline.end);
    let (who, what) = (record.names(tasks.keys().copied()), &timeline.cast.syncs[sync]);
    let (has, they) = if tasks.len() > 1 { ("have", "they") } else { ("has", "it") };
    let came_too_early = tasks.keys().all(|task| scenario.releases(SpecId(timeline.tasks[*task].spec), sync));
    let since = match came_too_early {
        true => "\"end\" came before the release".to_owned(),
        false => format!("{they} ended without a release"),
    };
    let from = (first - Time::ZERO).readable();
    let time: Span = tasks.values().map(|end| timeline.end.since(*end)).sum();
    Finding::new(
        "never-given-back",
        format!("never given back: {who} {has} {what} for ever, since {since}, from {from} on"),
        time,
    )
}

/// No program ever releases it, and at the end of the run somebody waits for it.
fn awaited_in_vain(scenario: &Scenario, record: &Record<'_>, sync: SyncId) -> Option<Finding> {
    let timeline = record.timeline;
    let waiting = || {
        let lives = |task: TaskId| timeline.tasks[task].finish.is_none();
        record.blocks[sync].iter().filter(move |block| block.end == timeline.end && lives(block.task))
    };
    let first = waiting().map(|block| block.start).min().filter(|_| scenario.is_never_released(sync))?;
    let (who, what) = (record.names(waiting().map(|block| block.task)), &timeline.cast.syncs[sync]);
    let waits = if waiting().nth(1).is_some() { "wait" } else { "waits" };
    let from = (first - Time::ZERO).readable();
    let text = format!("never given back: no program releases {what}, for which {who} {waits} in vain, from {from} on");
    Some(Finding::new("never-given-back", text, waiting().map(|block| timeline.end.since(block.start)).sum()))
}
