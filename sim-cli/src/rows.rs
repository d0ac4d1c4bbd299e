//! Which rows a diagram has: the processors and tasks that are shown, their names, and what is said of the others.

use sim_core::ids::{CpuId, IdVec, TaskId};
use sim_core::time::Time;
use sim_core::timeline::Timeline;

use crate::letters::{cut, visible};

/// The rows of one kind that are shown.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rows<I> {
    /// Who is shown, in order.
    pub shown: Vec<I>,
    /// A line that says who is left out, if somebody is.
    pub left_out: Option<String>,
}

/// The first `limit` processors.
#[must_use]
pub fn processors(timeline: &Timeline, limit: usize) -> Rows<CpuId> {
    let shown: Vec<CpuId> = timeline.cast.processors.ids().take(limit).collect();
    let more = timeline.cast.processors.len() - shown.len();
    let left_out = (more > 0).then(|| format!("… and {more} more processor{} (not drawn)", plural(more)));
    Rows { shown, left_out }
}

/// At most `limit` tasks, so chosen that every kind of task and all of the run is represented: those that are `wanted`, the
/// first instance of each kind, and of the others, in order of arrival, every so many. Instances that never arrived come
/// last.
#[must_use]
pub fn tasks(timeline: &Timeline, limit: usize, wanted: &[TaskId]) -> Rows<TaskId> {
    let mut shown: Vec<TaskId> = wanted.iter().copied().take(limit).collect();
    let mut seen = vec![false; timeline.cast.specs.len()];
    shown.iter().for_each(|task| seen[timeline.tasks[*task].spec as usize] = true);
    let mut order: Vec<TaskId> = timeline.tasks.ids().filter(|task| !shown.contains(task)).collect();
    order.sort_by_key(|task| timeline.tasks[*task].arrival.unwrap_or(Time::NEVER));
    let is_first = |task: &TaskId| !std::mem::replace(&mut seen[timeline.tasks[*task].spec as usize], true);
    let (firsts, others): (Vec<TaskId>, Vec<TaskId>) = order.into_iter().partition(is_first);
    let arrived = others.partition_point(|task| timeline.tasks[*task].arrival.is_some());
    let (arrived, absent) = others.split_at(arrived);
    let mut rest = Vec::new();
    for group in [&firsts, arrived, absent] {
        let room = limit - shown.len();
        rest.extend(spread(group, room, &mut shown));
    }
    shown.sort_unstable();
    Rows { shown, left_out: left_out(timeline, rest.into_iter()) }
}

/// The tasks that sentences name, in order.
#[must_use]
pub fn named_in(names: &IdVec<TaskId, String>, sentences: &[String]) -> Vec<TaskId> {
    // `req#9` is not named where `req#98` is.
    let goes_on =
        |letter: Option<char>| letter.is_some_and(|letter| letter.is_alphanumeric() || "#_-/".contains(letter));
    let is_named = |name: &str, sentence: &str| {
        sentence.match_indices(name).any(|(at, _)| {
            !goes_on(sentence[..at].chars().next_back()) && !goes_on(sentence[at + name.len()..].chars().next())
        })
    };
    let named = |name: &String| !name.is_empty() && sentences.iter().any(|sentence| is_named(name, sentence));
    names.pairs().filter(|(_, name)| named(name)).map(|(task, _)| task).collect()
}

/// Puts so many of the tasks at equal distances into `shown`, the last among them, and gives back the others.
fn spread(tasks: &[TaskId], room: usize, shown: &mut Vec<TaskId>) -> Vec<TaskId> {
    let mut others = Vec::new();
    for (index, task) in tasks.iter().enumerate() {
        // `room` steps over all tasks: one is taken wherever a step ends.
        let taken = |index: usize| (index as u128 * room as u128) / tasks.len() as u128;
        if room >= tasks.len() || taken(index + 1) > taken(index) { shown.push(*task) } else { others.push(*task) }
    }
    others
}

/// Names are no wider than this in a sentence.
const WIDEST: usize = 24;

/// The sentence about the tasks that are not shown, by kind, the most numerous first.
fn left_out(timeline: &Timeline, rest: impl Iterator<Item = TaskId>) -> Option<String> {
    let mut counts = vec![0usize; timeline.cast.specs.len()];
    rest.for_each(|task| counts[timeline.tasks[task].spec as usize] += 1);
    let total: usize = counts.iter().sum();
    let mut kinds: Vec<(usize, &str)> =
        counts.iter().copied().zip(timeline.cast.specs.iter().map(|spec| spec.task.as_str())).collect();
    kinds.retain(|(count, _)| *count > 0);
    kinds.sort_by_key(|(count, _)| std::cmp::Reverse(*count));
    let mut parts: Vec<String> =
        kinds.iter().take(3).map(|(count, name)| format!("{count} × {}", cut(&visible(name), WIDEST))).collect();
    if kinds.len() > 3 {
        parts.push("…".to_owned());
    }
    (total > 0).then(|| format!("… and {total} more task{} (not drawn): {}", plural(total), parts.join(", ")))
}

/// The short names of all tasks, the same as [`Timeline::short_name`] gives one at a time, as they may be shown.
#[must_use]
pub fn names(timeline: &Timeline) -> IdVec<TaskId, String> {
    let mut several = vec![false; timeline.cast.specs.len()];
    timeline.tasks.iter().for_each(|life| several[life.spec as usize] |= life.instance > 0);
    let one_process = timeline.cast.is_one_process();
    let name = |life: &sim_core::timeline::Life| {
        let spec = &timeline.cast.specs[life.spec as usize];
        let process = &timeline.cast.processes[spec.process as usize];
        let task = &spec.task;
        let name = match (one_process, several[life.spec as usize]) {
            (true, false) => task.clone(),
            (true, true) => format!("{task}#{}", life.instance),
            (false, false) => format!("{process}/{task}"),
            (false, true) => format!("{process}/{task}#{}", life.instance),
        };
        visible(&name).into_owned()
    };
    timeline.tasks.iter().map(name).collect()
}

/// How a row is labelled that shows this processor: a bare number says too little.
#[must_use]
pub fn processor_label(timeline: &Timeline, cpu: CpuId) -> String {
    let name = &timeline.cast.processors[cpu];
    if name.bytes().all(|byte| byte.is_ascii_digit()) {
        format!("processor {name}")
    } else {
        visible(name).into_owned()
    }
}

/// How an interpreter lock is called: by its process if there are several.
#[must_use]
pub fn interpreter_label(timeline: &Timeline, process: u32) -> String {
    match timeline.cast.processes.get(process as usize) {
        Some(name) if !timeline.cast.is_one_process() => format!("interpreter of {}", visible(name)),
        _ => "interpreter lock".to_owned(),
    }
}

/// The ending of a noun that stands behind this number.
#[must_use]
pub fn plural(count: usize) -> &'static str {
    if count == 1 { "" } else { "s" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Story;

    #[test]
    fn every_kind_of_task_is_represented() {
        let timeline = Story::new(1).tasks("web", "request", 50).tasks("web", "cleaner", 1).end(10);
        let rows = tasks(&timeline, 4, &[]);
        assert_eq!(rows.shown, [0, 25, 49, 50].map(TaskId));
        assert_eq!(rows.left_out.as_deref(), Some("… and 47 more tasks (not drawn): 47 × request"));
        assert_eq!(tasks(&timeline, 1, &[]).shown, [TaskId(50)]);
        assert_eq!(tasks(&timeline, 51, &[]).left_out, None);
        assert_eq!(tasks(&timeline, 4, &[TaskId(17), TaskId(33)]).shown, [17, 33, 49, 50].map(TaskId));
    }

    #[test]
    fn all_of_the_run_is_represented() {
        let mut story = Story::new(1).tasks("web", "request", 300);
        for task in 0..300 {
            // They arrive in an order of their own, and the last hundred never.
            story = story.life(task, (task < 200).then_some(u64::from(task * 7 % 200)), None);
        }
        let timeline = story.end(200);
        let mut arrivals: Vec<u64> = tasks(&timeline, 5, &[])
            .shown
            .iter()
            .map(|task| timeline.tasks[*task].arrival.unwrap().ns() / 1_000)
            .collect();
        arrivals.sort_unstable();
        assert_eq!(arrivals, [0, 50, 100, 150, 199]);
        assert_eq!(tasks(&timeline, 250, &[]).shown.len(), 250);
        assert!((0..200).all(|task| tasks(&timeline, 250, &[]).shown.contains(&TaskId(task))));
    }

    #[test]
    fn who_is_named_is_found_and_nobody_else() {
        let timeline = Story::new(1).tasks("web", "req", 100).tasks("web", "re", 1).end(10);
        let sentences = ["starvation: req#98 waited while req (96 instances) ran".to_owned(), "req#7.".to_owned()];
        assert_eq!(named_in(&names(&timeline), &sentences), [TaskId(7), TaskId(98)]);
    }

    #[test]
    fn names_are_the_short_names() {
        let one = Story::new(1).tasks("web", "request", 3).tasks("web", "cleaner", 1).end(10);
        let two = Story::new(1).tasks("web", "request", 1).tasks("db", "query", 2).end(10);
        for timeline in [one, two] {
            for (task, name) in names(&timeline).pairs() {
                assert_eq!(*name, timeline.short_name(task));
            }
        }
    }
}
