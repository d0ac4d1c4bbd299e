//! Stolen wake-ups: who was notified found that what it had waited for was gone, and did not look again.

use std::collections::BTreeMap;

use super::Finding;
use crate::ids::{IdVec, SpecId, SyncId, TaskId, VariableId};
use crate::scenario::{Condition, Op, Scenario, SyncOp};
use crate::time::{Span, Time};
use crate::timeline::{Access, Block, Cause, Hold, Timeline, Use};

/// An `if` in which a task waited at a condition variable, and had its lock back.
struct Look<'a> {
    task: TaskId,
    op: u32,
    condition: &'a Condition,
    /// When it was notified, and when it had the lock back.
    woken: Time,
    got: Time,
    waited: Span,
    /// So many accesses were before it went on.
    before: usize,
}

/// For each task and each `if`: how often it went on though the condition held, for which it had waited that it should not.
pub(super) fn find(scenario: &Scenario, timeline: &Timeline) -> Vec<Finding> {
    let mut looks = looks(scenario, timeline);
    looks.sort_by_key(|look| look.before);
    let mut values: IdVec<VariableId, i64> = timeline.cast.variables.iter().map(|variable| variable.value).collect();
    let mut thieves: IdVec<VariableId, Option<(TaskId, Time)>> = timeline.cast.variables.iter().map(|_| None).collect();
    let mut found: BTreeMap<(TaskId, u32), (Span, usize, String)> = BTreeMap::new();
    let mut done = 0;
    for look in looks {
        for Access { task, at, how } in &timeline.accesses[done..look.before] {
            if let Use::Changed { variable, value, .. } = *how {
                values[variable] = value;
                thieves[variable] = Some((*task, *at));
            }
        }
        done = look.before;
        if look.condition.holds(|variable| values[variable]) {
            let last = look.condition.variables().filter_map(|variable| thieves[variable]);
            let thief = last.max_by_key(|(_, at)| *at).filter(|(task, at)| *task != look.task && *at >= look.woken);
            let entry = found.entry((look.task, look.op));
            let (sum, times, _) = entry.or_insert_with(|| (Span::ZERO, 0, sentence(scenario, timeline, &look, thief)));
            (*sum, *times) = (*sum + look.waited, *times + 1);
        }
    }
    let told = found.into_values().map(|(waited, times, text)| {
        let text = if times > 1 { format!("{text} ({times} times)") } else { text };
        Finding::new("stolen-wakeup", text, waited)
    });
    told.collect()
}

fn sentence(scenario: &Scenario, timeline: &Timeline, look: &Look<'_>, thief: Option<(TaskId, Time)>) -> String {
    let who = timeline.short_name(look.task);
    let spec = SpecId(timeline.tasks[look.task].spec);
    let number = scenario.number_of(spec, look.op);
    let condition = scenario.condition(look.condition);
    let since = match thief {
        Some((thief, at)) => {
            let thief = timeline.short_name(thief);
            format!("again, since {thief} had come first at {}", at.readable())
        }
        None => "still".to_owned(),
    };
    format!(
        "stolen wake-up: {who} was woken at {} and had the lock at {}, when `{condition}` held {since}; it went on all the same, as \
         it looks only once (operation {number}: write `while` instead of `if`)",
        look.woken.readable(),
        look.got.readable()
    )
}

/// All of them in a run, as far as their tasks had the lock back.
fn looks<'a>(scenario: &'a Scenario, timeline: &Timeline) -> Vec<Look<'a>> {
    let mut looks = Vec::new();
    if !scenario.specs.iter().any(|spec| spec.program.ops.iter().any(|op| matches!(op, Op::Test { .. }))) {
        return looks;
    }
    let all = Waits::of(timeline);
    let mut own: IdVec<TaskId, Vec<usize>> = timeline.tasks.iter().map(|_| Vec::new()).collect();
    for (index, access) in timeline.accesses.iter().enumerate() {
        own[access.task].push(index);
    }
    for (task, own) in own.pairs() {
        let program = &scenario.specs[SpecId(timeline.tasks[task].spec)].program;
        for (place, index) in own.iter().enumerate() {
            let Access { at, how: Use::Tested { op, holds: true }, .. } = timeline.accesses[*index] else { continue };
            let Some(Op::Test { condition, otherwise }) = program.ops.get(op as usize) else { continue };
            let waits = |op: &Op| {
                if let Op::Sync(SyncOp::Wait { condvar, lock }) = op { Some((*condvar, *lock)) } else { None }
            };
            let inside = program.ops[op as usize..*otherwise as usize].iter().find_map(waits);
            let Some(there) = inside.filter(|_| !program.is_while(op)) else { continue };
            let Some((start, woken, got)) = all.first(task, at, there) else { continue };
            let next = own.get(place + 1).copied().unwrap_or(timeline.accesses.len());
            let before = next.min(timeline.accesses.partition_point(|access| access.at <= got));
            looks.push(Look { task, op, condition, woken, got, waited: got - start, before });
        }
    }
    looks
}

/// Of each task, when it was blocked at synchronisation objects, and what it held, by time.
struct Waits<'a> {
    blocks: IdVec<TaskId, Vec<&'a Block>>,
    holds: IdVec<TaskId, Vec<&'a Hold>>,
}

impl<'a> Waits<'a> {
    fn of(timeline: &'a Timeline) -> Waits<'a> {
        let mut blocks: IdVec<TaskId, Vec<&Block>> = timeline.tasks.iter().map(|_| Vec::new()).collect();
        let mut holds: IdVec<TaskId, Vec<&Hold>> = timeline.tasks.iter().map(|_| Vec::new()).collect();
        timeline.blocks.iter().for_each(|block| blocks[block.task].push(block));
        timeline.holds.iter().for_each(|hold| holds[hold.task].push(hold));
        blocks.iter_mut().for_each(|blocks| blocks.sort_by_key(|block| block.start));
        holds.iter_mut().for_each(|holds| holds.sort_by_key(|hold| hold.asked));
        Waits { blocks, holds }
    }

    /// The first time that a task waited there from then on: since when, when it was notified, and when it had the lock.
    fn first(&self, task: TaskId, from: Time, (condvar, lock): (SyncId, SyncId)) -> Option<(Time, Time, Time)> {
        let blocks = &self.blocks[task];
        let later = &blocks[blocks.partition_point(|block| block.start < from)..];
        let block = later.iter().find(|block| block.cause == Cause::Sync(condvar))?;
        let holds = &self.holds[task];
        let later = &holds[holds.partition_point(|hold| hold.asked < block.end)..];
        let hold = later.iter().find(|hold| hold.sync == lock)?;
        Some((block.start, block.end, hold.start))
    }
}
