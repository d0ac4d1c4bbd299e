//! How runs start alike: repeats of a run whose start is left to chance differ by more than a model is off.
//!
//! Runs begin at the same distance from a tick of the kernel's clock. Before that, threads with a task each have run alone for a
//! moment, so that the scheduler owes nobody anything, and are put onto the processors on which they begin: one that wakes stays
//! where it was last, if nobody is there. Runtimes whose timers ring at whole milliseconds begin to count at the same phase.
//! [`Options::naive_start`](crate::Options::naive_start) leaves all this to chance.

use sim_core::executor::Threads;
use sim_core::ids::ProcessId;
use sim_core::scenario::{Process, Scenario};

use crate::play::burn;
use crate::play::world::World;
use crate::sys;

/// The kernel's clock ticks come every 4 ms (at 250 Hz), at whole multiples of its own clock.
const TICK: u64 = 4_000_000;

/// Runs start this long after a tick, so that repeated runs meet the ticks alike.
const PHASE: u64 = 400_000;

/// How long each thread's turn is in which it settles.
const TURN: u64 = 250_000;

/// So many turns lie between two ticks. There is room for one more, but a tick is in it.
const TURNS: u64 = TICK / TURN - 1;

/// With more threads than this, nobody can tell who is owed what anyway.
const MOST_SETTLED: usize = 400;

/// Runtimes that count whole milliseconds begin this long before a whole number of them ahead of the start. Were it at such a
/// number, microseconds would decide at which millisecond a round length of time is over.
const AHEAD: u64 = 50_000;

const MILLISECOND: u64 = 1_000_000;

/// The ordinary scheduler has no queue in the order of arrival: a thread is there first if it is on the processor
/// before the next one wakes, which takes up to about 0.1 ms.
const APART: u64 = 120_000;

/// Real-time classes queue threads in the order in which they wake.
const APART_IN_LINE: u64 = 20_000;

/// Workers of a pool are woken by a thread that is woken itself.
const HAND_OVER: u64 = 300_000;

/// However many arrive at the same time, the last one is not later than this.
const LONGEST_QUEUE: u64 = 2_000_000;

/// When a run begins that has so many threads to settle, if that is not left to chance.
pub(crate) fn instant(threads: usize, naive: bool) -> u64 {
    let settled = threads.min(MOST_SETTLED);
    let earliest = sys::now() + 3_000_000 + 50_000 * threads as u64 + turn_before(settled);
    if naive { earliest } else { earliest.div_ceil(TICK) * TICK + PHASE }
}

/// Takes its turn among the threads with a task each to settle before the start, on the processor on which it begins; `order`
/// counts these threads.
pub(crate) fn settle(world: &World, start: u64, order: usize, cpus: &[u32]) {
    if order < MOST_SETTLED && !world.plan.naive_start {
        sys::sleep_until(start.saturating_sub(turn_before(order)));
        burn::settle();
        stay(world, order, cpus);
    }
}

/// Puts the calling thread onto the processor on which it begins, and leaves it free to go where it may: whoever woke it may have
/// had it moved.
pub(crate) fn stay(world: &World, order: usize, cpus: &[u32]) {
    if cpus.len() > 1 && !world.plan.naive_start {
        let first = cpus[order % cpus.len()];
        let _ = sys::set_affinity(&[first]);
        let _ = sys::set_affinity(cpus);
    }
}

/// How long before the start a thread of that order settles; 0: it does not.
pub(crate) fn settles_before(world: &World, order: usize) -> u64 {
    if order < MOST_SETTLED && !world.plan.naive_start { turn_before(order) } else { 0 }
}

/// How long before the start a thread takes its turn: no tick comes in it, which would take what it runs from its first slice.
fn turn_before(order: usize) -> u64 {
    let order = order as u64;
    // The first is between the last tick and the start; the turn before that has the tick in it, and so on.
    let with_a_tick = order.div_ceil(TURNS);
    (order + 1 + with_a_tick) * TURN
}

/// Waits until a runtime whose timers count whole milliseconds from when it is made can be made.
pub(crate) fn await_phase(world: &World) {
    if world.plan.naive_start {
        return;
    }
    let phase = PHASE - AHEAD;
    let at = (sys::now() + MILLISECOND).div_ceil(MILLISECOND) * MILLISECOND + phase;
    // Who sleeps wakes late by how deep the processor slept: the rest is spent awake.
    sys::sleep_until(at - 200_000);
    while sys::now() < at {
        std::hint::spin_loop();
    }
}

/// When each instance's thread wakes: at its arrival, and a little later for each that arrives at the same time before
/// it, in its process or in one before that, so that they get in line in their order. `tasks` are those of a process in the order
/// of arrival.
pub(crate) fn wake_times(world: &World, process: ProcessId, tasks: &[usize], start: u64) -> Vec<u64> {
    let mut times = Vec::with_capacity(tasks.len());
    for crowd in tasks.chunk_by(|a, b| world.offset(*a) == world.offset(*b)) {
        let offset = world.offset(crowd[0]);
        let before = threads_before(world, process, offset);
        let apart = apart(world, before + crowd.len() as u64);
        let begin = start + offset + handed_before(world, process, offset);
        times.extend((before..).zip(crowd).map(|(place, _)| begin + place * apart));
    }
    times
}

/// When the threads of a runtime wake that carry whichever task is there at the start.
pub(crate) fn turn(world: &World, process: ProcessId, start: u64) -> u64 {
    let before = threads_before(world, process, 0);
    start + handed_before(world, process, 0) + before * apart(world, before + 1)
}

/// How long the pools before this process take until their workers, which are woken by somebody else, are in line.
fn handed_before(world: &World, process: ProcessId, offset: u64) -> u64 {
    if offset > 0 || world.plan.naive_start {
        return 0;
    }
    let is_pool = |process: &Process| process.executor.kind.threads == Threads::Workers;
    let pools = world.scenario.processes.pairs().filter(|(id, other)| *id < process && is_pool(other));
    (pools.count() as u64 * HAND_OVER).min(LONGEST_QUEUE)
}

/// How far apart so many wake that arrive at the same time.
fn apart(world: &World, crowd: u64) -> u64 {
    let apart = match world.plan.class {
        _ if world.plan.naive_start => 0,
        Some(_) => APART_IN_LINE,
        None => APART,
    };
    apart.min(LONGEST_QUEUE / crowd.max(1))
}

/// How many threads of the processes before this one wake at the same time after the start.
fn threads_before(world: &World, process: ProcessId, offset: u64) -> u64 {
    let Scenario { processes, specs, .. } = &world.scenario;
    let own = |id: &usize| {
        let of = specs[world.identity(*id).0].process;
        of < process && processes[of].executor.own_threads().is_none() && world.offset(*id) == offset
    };
    let of_tasks = (0..world.fixed()).filter(own).count() as u64;
    let of_runtimes = processes.pairs().filter(|(id, _)| *id < process && offset == 0);
    of_tasks + of_runtimes.filter_map(|(_, process)| process.executor.own_threads()).map(u64::from).sum::<u64>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_know_where_the_steps_of_a_runtime_lie() {
        let text =
            "executor = { kind = 'async', rules = 'tokio-1.54' }\n[[task]]\nname = 'A'\nprogram = [{ cpu = '1ms' }]";
        let scenario = crate::tests::scenario(text);
        let timers = scenario.processes.iter().next().expect("one").executor.timers;
        assert_eq!((timers.epoch.ns(), timers.step.ns()), (AHEAD, MILLISECOND));
    }

    #[test]
    fn no_turn_has_a_tick_in_it_and_no_two_are_at_the_same_time() {
        let start = 100 * TICK + PHASE;
        let turns: Vec<u64> = (0..MOST_SETTLED).map(|order| start - turn_before(order)).collect();
        assert!(turns.windows(2).all(|pair| pair[0] >= pair[1] + TURN), "{turns:?}");
        // A tick comes some 20 us after a multiple; a thread wakes late by up to 50, and settles for 100.
        assert!(turns.iter().all(|turn| (100_000..TICK - 200_000).contains(&(turn % TICK))), "{turns:?}");
        assert_eq!(start - turns[0], TURN);
    }
}
