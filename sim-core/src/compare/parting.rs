//! Where two timelines part: the first instant at which a processor does something else.

use std::collections::BTreeMap;

use crate::ids::{CpuId, Id as _, TaskId};
use crate::time::Time;
use crate::timeline::{Timeline, What};

/// The first instant at which a processor does not do the same in both, and what it does.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Parting {
    /// When.
    pub at: Time,
    /// Which processor; of several the first.
    pub cpu: CpuId,
    /// What it does in both: for whom, and whether it switches or runs; `None` is nothing.
    pub does: [Option<(TaskId, What)>; 2],
}

/// Where two timelines part, to the nanosecond and by the names of the tasks; `None` if all processors do the same
/// throughout.
#[must_use]
pub fn parting(a: &Timeline, b: &Timeline) -> Option<Parting> {
    let mut numbers: BTreeMap<String, u32> = BTreeMap::new();
    let [rows_a, rows_b] = [a, b].map(|timeline| rows(timeline, &mut numbers));
    let mut first: Option<Parting> = None;
    for index in 0..rows_a.len().max(rows_b.len()) {
        let [row_a, row_b] = [&rows_a, &rows_b].map(|rows| rows.get(index).map_or(&[][..], Vec::as_slice));
        let Some((at, does)) = first_difference(row_a, row_b) else { continue };
        if first.as_ref().is_none_or(|first| at < first.at) {
            first = Some(Parting { at, cpu: CpuId::from_index(index), does });
        }
    }
    first
}

/// A processor busy with one task, in one way.
#[derive(Clone, Copy, Debug)]
struct Stretch {
    start: Time,
    end: Time,
    /// The number of its name, the same in both timelines.
    name: u32,
    task: TaskId,
    what: What,
}

/// What each processor does; what goes on without a gap is one stretch.
fn rows(timeline: &Timeline, numbers: &mut BTreeMap<String, u32>) -> Vec<Vec<Stretch>> {
    let mut number = |task: TaskId| -> u32 {
        let next = u32::try_from(numbers.len()).unwrap_or(u32::MAX);
        *numbers.entry(timeline.task_name(task)).or_insert(next)
    };
    let names: Vec<u32> = timeline.tasks.ids().map(&mut number).collect();
    let mut rows = timeline.by_processor();
    rows.truncate(timeline.cast.processors.len());
    let stretches = |row: Vec<crate::timeline::Interval>| {
        let mut stretches: Vec<Stretch> = Vec::new();
        for interval in row.iter().filter(|interval| interval.start < interval.end) {
            let name = names.get(interval.task.index()).copied().unwrap_or(u32::MAX);
            match stretches.last_mut() {
                Some(last) if last.end == interval.start && (last.name, last.what) == (name, interval.what) => {
                    last.end = interval.end;
                }
                _ => stretches.push(Stretch {
                    start: interval.start,
                    end: interval.end,
                    name,
                    task: interval.task,
                    what: interval.what,
                }),
            }
        }
        stretches
    };
    rows.into_iter().map(stretches).collect()
}

type Does = Option<(TaskId, What)>;

fn first_difference(a: &[Stretch], b: &[Stretch]) -> Option<(Time, [Does; 2])> {
    let (mut a, mut b, mut now) = (a, b, Time::ZERO);
    loop {
        let (state_a, until_a) = state(&mut a, now);
        let (state_b, until_b) = state(&mut b, now);
        let same = |stretch: &Stretch| (stretch.name, stretch.what);
        if state_a.as_ref().map(same) != state_b.as_ref().map(same) {
            return Some((now, [state_a, state_b].map(|state| state.map(|stretch| (stretch.task, stretch.what)))));
        }
        now = until_a.min(until_b);
        if now.is_never() {
            return None;
        }
    }
}

/// What is done at an instant, and until when.
fn state(row: &mut &[Stretch], now: Time) -> (Option<Stretch>, Time) {
    while row.first().is_some_and(|stretch| stretch.end <= now) {
        *row = &row[1..];
    }
    match row.first() {
        None => (None, Time::NEVER),
        Some(stretch) if stretch.start > now => (None, stretch.start),
        Some(stretch) => (Some(*stretch), stretch.end),
    }
}
