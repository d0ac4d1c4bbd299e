//! Bare loops: one workload each, hand-written, and nothing else. What the machine allows.

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
            Cursor::new(program).take_burst(program, || program_stream(scenario, spec, instance)).ns()
        })
    };
    scenario.specs.ids().flat_map(of_spec).collect()
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
    let mut set = |tree: &mut [u64], cpu: usize, end: u64| {
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
