//! What the processors did, as the outcome tells it: one entry after the other, made when it is written.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

use crate::ids::{Id as _, ThreadId};
use crate::timeline::{Interval, Intervals, Timeline};

/// What the processors did, by time. Of a long run the entries are a hundred times as long as what they are made of.
#[derive(Clone, PartialEq, Debug)]
pub struct Entries {
    /// By their starts; what merely goes on is one.
    intervals: Intervals,
    tasks: Vec<String>,
    threads: BTreeMap<ThreadId, String>,
}

/// A stretch of a processor with one task.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct TimelineEntry<'a> {
    pub processor: u32,
    pub task: &'a str,
    pub thread: &'a str,
    /// `run`, `switch` or `start`.
    pub what: &'static str,
    pub start_ns: u64,
    pub end_ns: u64,
}

impl Entries {
    pub(super) fn of(timeline: &Timeline) -> Entries {
        let mut intervals: Vec<Interval> = Vec::with_capacity(timeline.intervals.len());
        for mut row in timeline.by_processor() {
            row.retain(|interval| interval.end > interval.start);
            // A task that left and came back at one instant, with nothing in between, is one entry.
            row.dedup_by(|next, before| {
                let key = |interval: &Interval| (interval.cpu, interval.task, interval.thread, interval.what);
                let continues = key(before) == key(next) && before.end == next.start;
                if continues {
                    before.end = next.end;
                }
                continues
            });
            intervals.append(&mut row);
        }
        intervals.sort_by_key(|interval| (interval.start, interval.cpu, interval.end));
        Entries {
            intervals: intervals.into(),
            tasks: timeline.tasks.ids().map(|task| timeline.task_name(task)).collect(),
            threads: timeline.thread_names(),
        }
    }

    /// The entries, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = TimelineEntry<'_>> {
        self.intervals.iter().map(|interval| TimelineEntry {
            processor: interval.cpu.0,
            task: &self.tasks[interval.task.index()],
            thread: self.threads.get(&interval.thread).map_or("", String::as_str),
            what: interval.what.name(),
            start_ns: interval.start.ns(),
            end_ns: interval.end.ns(),
        })
    }
}

impl Serialize for Entries {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}
