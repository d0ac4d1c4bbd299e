//! Many tasks: for each kind how many of it run, are ready, are blocked, over time.

use sim_core::ids::{IdVec, TaskId};
use sim_core::timeline::lanes::Stretch;
use sim_core::timeline::{Life, Timeline};

use super::pen::Mark;
use super::section::{Content, Row};
use super::stack::{Edge, LAYERS, Stack};
use crate::doings::Doing;
use crate::letters::visible;
use crate::picture::View;
use crate::picture::colours;
use crate::picture::sheet::Colour;
use crate::rows::plural;

/// Said where tasks are drawn by kind.
pub(super) const NOTE: &str = "Tasks are drawn by kind: the height of an area is how many of them are in that state.";
/// Tasks are drawn by kind only if kinds have so many of them on average.
const WORTHWHILE: usize = 4;

/// Are the tasks that a timeline has in a part of its time better drawn by kind than in at most so many rows?
pub(super) fn better(timeline: &Timeline, view: View, most: usize) -> bool {
    let kinds = timeline.cast.specs.len();
    let is_there = |life: &&Life| {
        life.arrival.is_none_or(|arrival| arrival < view.to) && life.finish.is_none_or(|finish| finish > view.from)
    };
    let tasks =
        if view == View::default() { timeline.tasks.len() } else { timeline.tasks.iter().filter(is_there).count() };
    tasks > most && tasks >= kinds * WORTHWHILE
}

/// A row for each kind of task, and what is said of those that have none: the most numerous are drawn.
pub(super) fn rows(
    timeline: &Timeline,
    lives: &IdVec<TaskId, Vec<Stretch<Doing>>>,
    tasks_colours: &[Colour],
    most: usize,
) -> (Vec<Row>, Option<String>) {
    let mut of_kind: Vec<Vec<TaskId>> = vec![Vec::new(); timeline.cast.specs.len()];
    timeline.tasks.pairs().for_each(|(task, life)| of_kind[life.spec as usize].push(task));
    let mut order: Vec<usize> = (0..of_kind.len()).collect();
    order.sort_by_key(|kind| std::cmp::Reverse(of_kind[*kind].len()));
    let rest = order.split_off(order.len().min(most));
    order.sort_unstable();
    let row = |kind: usize| {
        let own = of_kind[kind].first().map_or(colours::QUIET, |task| colours::of(tasks_colours, *task));
        let edges = of_kind[kind].iter().flat_map(|task| &lives[*task]).flat_map(edges).collect();
        let stack = Stack::new(layers(own).to_vec(), edges, timeline.extent());
        let stack = Stack { ground: false, ..stack };
        Row { kind: Some(kind), ..Row::new(name(timeline, kind, of_kind[kind].len()), vec![Content::Numbers(stack)]) }
    };
    let tasks: usize = rest.iter().map(|kind| of_kind[*kind].len()).sum();
    let kinds = rest.len();
    let left_out =
        format!("… and {kinds} more kind{} of tasks with {tasks} task{} (not drawn)", plural(kinds), plural(tasks));
    (order.into_iter().map(row).collect(), Some(left_out).filter(|_| kinds > 0))
}

fn name(timeline: &Timeline, kind: usize, count: usize) -> String {
    let spec = &timeline.cast.specs[kind];
    let process = &timeline.cast.processes[spec.process as usize];
    let task = visible(&spec.task);
    let name = if timeline.cast.is_one_process() { task.into_owned() } else { format!("{}/{task}", visible(process)) };
    if count == 1 { name } else { format!("{count} × {name}") }
}

/// From the bottom upwards.
fn layers(own: Colour) -> [(Mark, Colour); LAYERS] {
    [
        (Mark::Running, own),
        (Mark::Overhead, colours::OVERHEAD),
        (Mark::ReadyArea, colours::READY),
        (Mark::ThrottledArea, colours::THROTTLED),
        (Mark::DepletedArea, colours::DEPLETED),
        (Mark::InterpreterArea, colours::INTERPRETER),
        (Mark::QueuedArea, colours::QUEUED),
        (Mark::BlockedArea, colours::BLOCKED),
    ]
}

fn edges(stretch: &Stretch<Doing>) -> [Edge; 2] {
    let layer = match stretch.state {
        Doing::Running => 0,
        Doing::Overhead => 1,
        Doing::Ready => 2,
        Doing::Throttled => 3,
        Doing::Depleted => 4,
        Doing::Interpreter => 5,
        Doing::Queued(_) => 6,
        Doing::Seek(_) | Doing::Blocked(_) | Doing::Blocking(_) => 7,
    };
    [(stretch.start, true, layer), (stretch.end, false, layer)]
}
