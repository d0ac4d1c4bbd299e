//! Bare loops: one workload each, hand-written, and nothing else. What the machine allows.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use sim_core::ids::SpecId;
use sim_core::program::{Cursor, program_stream};
use sim_core::scenario::Scenario;

/// Round robin over a shared queue with a quantum of 1000 ns; thread of group `g` needs `quanta + g` quanta.
/// Returns the number of dispatches.
pub(crate) fn round_robin(processors: usize, threads: u32, quanta: u32) -> u64 {
    let mut bursts = Vec::with_capacity(threads as usize);
    for group in 0..7 {
        let count = threads / 7 + u32::from(group < threads % 7);
        bursts.extend((0..count).map(|_| u64::from(quanta + group) * 1000));
    }
    run(processors, &mut bursts)
}

/// The same with the bursts that a scenario draws.
pub(crate) fn random_round_robin(processors: usize, bursts: &[u64]) -> u64 {
    run(processors, &mut bursts.to_vec())
}

/// The bursts that the instances of a scenario draw, drawn as they draw them.
pub(crate) fn draw_bursts(scenario: &Scenario) -> Vec<u64> {
    let of_spec = |spec: SpecId| {
        let program = &scenario.specs[spec].program;
        (0..scenario.specs[spec].count).map(move |instance| {
            Cursor::new(program).take_burst(program, &mut 1, || program_stream(scenario, spec, instance)).ns()
        })
    };
    scenario.specs.ids().flat_map(of_spec).collect()
}

/// One processor, round robin with a quantum of 1 ms; each task alternates 2.5 ms of work and 5 ms of waiting. Returns
/// first run, finish and waiting time of each task.
pub(crate) fn small_scenario(tasks: usize, rounds: u32) -> Vec<[u64; 3]> {
    const QUANTUM: u64 = 1_000_000;
    let mut ready: VecDeque<usize> = (0..tasks).collect();
    let mut waits: BinaryHeap<Reverse<(u64, u64, usize)>> = BinaryHeap::new();
    let mut left = vec![(2_500_000_u64, rounds); tasks];
    let mut since = vec![0; tasks];
    let mut figures = vec![[u64::MAX, 0, 0]; tasks];
    let (mut now, mut started) = (0, 0);
    loop {
        let Some(task) = ready.pop_front() else {
            let Some(Reverse((at, _, task))) = waits.pop() else { return figures };
            now = at;
            wake(task, now, &left, &mut ready, &mut since, &mut figures);
            continue;
        };
        figures[task][0] = figures[task][0].min(now);
        figures[task][2] += now - since[task];
        let (work, rounds) = &mut left[task];
        let slice = (*work).min(QUANTUM);
        *work -= slice;
        now += slice;
        let ended = *work == 0;
        if ended {
            *work = 2_500_000;
            *rounds -= 1;
            waits.push(Reverse((now + 5_000_000, started, task)));
            started += 1;
        }
        while let Some(Reverse((at, _, _))) = waits.peek()
            && *at <= now
        {
            let Some(Reverse((at, _, task))) = waits.pop() else { break };
            wake(task, at, &left, &mut ready, &mut since, &mut figures);
        }
        if !ended {
            since[task] = now;
            ready.push_back(task);
        }
    }
}

fn wake(
    task: usize,
    at: u64,
    left: &[(u64, u32)],
    ready: &mut VecDeque<usize>,
    since: &mut [u64],
    figures: &mut [[u64; 3]],
) {
    if left[task].1 == 0 {
        figures[task][1] = at;
    } else {
        since[task] = at;
        ready.push_back(task);
    }
}

/// A ring of threads, a tournament of processors, and no more state than the work left of each thread.
fn run(processors: usize, left: &mut [u64]) -> u64 {
    const QUANTUM: u64 = 1000;
    let capacity = left.len().next_power_of_two();
    let mut ring: Vec<u32> = (0..left.len() as u32).collect();
    ring.resize(capacity, 0);
    let (mut head, mut tail) = (0, left.len());
    let leaves = processors.next_power_of_two();
    let mut tree = vec![u64::MAX; 2 * leaves];
    let mut running = vec![0_u32; processors];
    let mut dispatches = 0;
    let set = |tree: &mut [u64], cpu: usize, end: u64| {
        let (mut node, mut winner) = (leaves + cpu, end);
        tree[node] = winner;
        while node > 1 {
            winner = winner.min(tree[node ^ 1]);
            node /= 2;
            tree[node] = winner;
        }
    };
    for cpu in 0..processors.min(left.len()) {
        running[cpu] = ring[head];
        head += 1;
        dispatches += 1;
        set(&mut tree, cpu, left[running[cpu] as usize].min(QUANTUM));
    }
    while tree[1] != u64::MAX {
        let now = tree[1];
        let mut node = 1;
        while node < leaves {
            node *= 2;
            node += usize::from(tree[node] != now);
        }
        let cpu = node - leaves;
        let thread = running[cpu];
        let work = &mut left[thread as usize];
        *work -= (*work).min(QUANTUM);
        if *work > 0 {
            ring[tail & (capacity - 1)] = thread;
            tail += 1;
        }
        if head == tail {
            set(&mut tree, cpu, u64::MAX);
            continue;
        }
        let next = ring[head & (capacity - 1)];
        head += 1;
        running[cpu] = next;
        dispatches += 1;
        set(&mut tree, cpu, now + left[next as usize].min(QUANTUM));
    }
    dispatches
}
