//! What tasks have for ever that ended themselves: see [`super`].

use std::collections::BTreeMap;

use super::{Finding, Record};
use crate::ids::{SyncId, TaskId};
use crate::time::{Span, Time};
use crate::timeline::Fate;

pub(super) fn find(record: &Record<'_>) -> Vec<Finding> {
    let timeline = record.timeline;
    let mut kept: BTreeMap<SyncId, BTreeMap<TaskId, Time>> = BTreeMap::new();
    for hold in &timeline.holds {
        let life = &timeline.tasks[hold.task];
        if let (Some(Fate::Ended), Some(end)) = (life.ended_as(), life.finish)
            && hold.end > end
        {
            kept.entry(hold.sync).or_default().insert(hold.task, end);
        }
    }
    let finding = |(sync, tasks): (SyncId, BTreeMap<TaskId, Time>)| {
        let first = tasks.values().min().copied().unwrap_or(timeline.end);
        let (who, what) = (record.names(tasks.keys().copied()), &timeline.cast.syncs[sync]);
        let has = if tasks.len() > 1 { "have" } else { "has" };
        let text = format!(
            "never given back: {who} {has} {what} for ever, since \"end\" came before the release, from {} on",
            (first - Time::ZERO).readable()
        );
        let time: Span = tasks.values().map(|end| timeline.end.since(*end)).sum();
        Finding::new("never-given-back", text, time)
    };
    kept.into_iter().map(finding).collect()
}
