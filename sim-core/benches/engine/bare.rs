//! Bare loops: one workload each, hand-written, and nothing else. What the machine allows.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
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

/// A closed network: so many customers go from the processor to one of two disks and back, wait there in the order in which
/// they come, and are served for exponential times of 10 and 20 ms; until the processor has served so many bursts.
pub(crate) fn network(customers: u32, bursts: u64) -> u64 {
    const MEANS: [f64; 3] = [10e6, 20e6, 20e6];
    let mut chance = ChaCha8Rng::seed_from_u64(1);
    let mut exponential = |station: usize| {
        let unit = ((chance.next_u64() >> 11) as f64 + 1.0) * (1.0 / (1_u64 << 53) as f64);
        (-MEANS[station] * libm::log(unit)) as u64
    };
    let mut choices = ChaCha8Rng::seed_from_u64(2);
    let mut queues = [VecDeque::with_capacity(customers as usize), VecDeque::new(), VecDeque::new()];
    queues[0].extend(0..customers);
    // When each station has served who is first in its queue.
    let mut ends = [exponential(0), u64::MAX, u64::MAX];
    let mut served = 0;
    while served < bursts {
        let station = if ends[0] <= ends[1] && ends[0] <= ends[2] { 0 } else { 1 + usize::from(ends[2] < ends[1]) };
        let now = ends[station];
        let customer = queues[station].pop_front().unwrap_or_default();
        served += u64::from(station == 0);
        let next = if station == 0 { 1 + (choices.next_u64() >> 63) as usize } else { 0 };
        ends[station] = if queues[station].is_empty() { u64::MAX } else { now + exponential(station) };
        if queues[next].is_empty() {
            ends[next] = now + exponential(next);
        }
        queues[next].push_back(customer);
    }
    served
}

/// Global EDF: task `i` has the period `periods[i % len]` in milliseconds and needs 6 percent of it; until so many
/// microseconds. Returns the jobs released.
pub(crate) fn global_edf(processors: usize, periods: &[u64], tasks: usize, until: u64) -> u64 {
    let periods: Vec<u64> = (0..tasks).map(|task| periods[task % periods.len()] * 1000).collect();
    // Times stand in the upper bits of a key, and whose they are in the lower ones: the least key is the first event.
    const IDS: u32 = 8;
    let of = |key: u64| (key & ((1 << IDS) - 1)) as usize;
    // The work left of the job of each task: one ends before the next is released.
    let (mut left, mut deadlines) = (vec![0_u64; tasks], vec![0_u64; tasks]);
    let mut releases = Tournament::new(tasks);
    (0..tasks).for_each(|task| releases.set(task, task as u64));
    let mut ready: BinaryHeap<Reverse<u64>> = BinaryHeap::new();
    // Of each processor: the deadline of who runs there, when that one ends, and since when it runs.
    let (mut due, mut ends, mut since) = (vec![u64::MAX; processors], vec![u64::MAX; processors], vec![0; processors]);
    let mut jobs = 0;
    loop {
        let (mut cpu, mut last) = (0, 0);
        for other in 1..processors {
            cpu = if ends[other] < ends[cpu] { other } else { cpu };
            last = if due[other] > due[last] { other } else { last };
        }
        let release = releases.least();
        let now = (release >> IDS).min(ends[cpu]);
        if now >= until {
            return jobs;
        }
        let newcomer = if ends[cpu] == now {
            (due[cpu], ends[cpu], last) = (u64::MAX, u64::MAX, cpu);
            ready.pop().map(|Reverse(key)| key)
        } else {
            let task = of(release);
            jobs += 1;
            left[task] = periods[task] * 6 / 100;
            deadlines[task] = (now + periods[task]) << IDS | task as u64;
            releases.set(task, deadlines[task]);
            Some(deadlines[task])
        };
        // It runs where nobody does, or in the place of who is due last.
        let Some(key) = newcomer else { continue };
        if key >= due[last] {
            ready.push(Reverse(key));
            continue;
        }
        if due[last] != u64::MAX {
            left[of(due[last])] -= now - since[last];
            ready.push(Reverse(due[last]));
        }
        (due[last], since[last], ends[last]) = (key, now, now + left[of(key)]);
    }
}

/// Two processors, round robin with a quantum of 10 ms; each thread has four bursts of 25 ms and sleeps for 15 ms between
/// them. Everything is made anew in each run. Returns the dispatches and when the last ended, in microseconds.
pub(crate) fn small(threads: u32) -> (u64, u64) {
    const QUANTUM: u64 = 10_000;
    let mut ready: VecDeque<u32> = (0..threads).collect();
    let mut left = vec![(25_000_u64, 4_u32); threads as usize];
    let mut running = [u32::MAX; 2];
    let mut ends = [u64::MAX; 2];
    // Those who sleep, and the order in which they began to.
    let mut sleeping: VecDeque<(u64, u32)> = VecDeque::new();
    let (mut now, mut dispatches) = (0, 0);
    loop {
        for cpu in 0..2 {
            if ends[cpu] == u64::MAX
                && let Some(thread) = ready.pop_front()
            {
                running[cpu] = thread;
                ends[cpu] = now + left[thread as usize].0.min(QUANTUM);
                dispatches += 1;
            }
        }
        let wakes = sleeping.front().map_or(u64::MAX, |(at, _)| *at);
        let next = ends[0].min(ends[1]).min(wakes);
        if next == u64::MAX {
            return (dispatches, now);
        }
        now = next;
        if wakes == now {
            // All sleep for the same time: who began first wakes first.
            ready.extend(sleeping.pop_front().map(|(_, thread)| thread));
            continue;
        }
        let cpu = usize::from(ends[1] < ends[0]);
        ends[cpu] = u64::MAX;
        let thread = running[cpu];
        let (work, bursts) = &mut left[thread as usize];
        *work -= (*work).min(QUANTUM);
        if *work > 0 {
            ready.push_back(thread);
            continue;
        }
        *bursts -= 1;
        if *bursts > 0 {
            *work = 25_000;
            sleeping.push_back((now + 15_000, thread));
        }
    }
}

/// A ring of threads, a tournament of processors, and no more state than the work left of each thread.
fn run(processors: usize, left: &mut [u64]) -> u64 {
    const QUANTUM: u64 = 1000;
    let capacity = left.len().next_power_of_two();
    let mut ring: Vec<u32> = (0..left.len() as u32).collect();
    ring.resize(capacity, 0);
    let (mut head, mut tail) = (0, left.len());
    let mut ends = Tournament::new(processors);
    let mut running = vec![0_u32; processors];
    let mut dispatches = 0;
    for cpu in 0..processors.min(left.len()) {
        running[cpu] = ring[head];
        head += 1;
        dispatches += 1;
        ends.set(cpu, left[running[cpu] as usize].min(QUANTUM));
    }
    while ends.least() != u64::MAX {
        let (now, cpu) = (ends.least(), ends.first());
        let thread = running[cpu];
        let work = &mut left[thread as usize];
        *work -= (*work).min(QUANTUM);
        if *work > 0 {
            ring[tail & (capacity - 1)] = thread;
            tail += 1;
        }
        if head == tail {
            ends.set(cpu, u64::MAX);
            continue;
        }
        let next = ring[head & (capacity - 1)];
        head += 1;
        running[cpu] = next;
        dispatches += 1;
        ends.set(cpu, now + left[next as usize].min(QUANTUM));
    }
    dispatches
}

/// The least of some numbers, of which one changes at a time.
struct Tournament {
    leaves: usize,
    tree: Vec<u64>,
}

impl Tournament {
    fn new(leaves: usize) -> Tournament {
        let leaves = leaves.next_power_of_two();
        Tournament { leaves, tree: vec![u64::MAX; 2 * leaves] }
    }

    fn set(&mut self, leaf: usize, number: u64) {
        let (mut node, mut winner) = (self.leaves + leaf, number);
        self.tree[node] = winner;
        while node > 1 {
            winner = winner.min(self.tree[node ^ 1]);
            node /= 2;
            self.tree[node] = winner;
        }
    }

    fn least(&self) -> u64 {
        self.tree[1]
    }

    /// The first leaf that has it.
    fn first(&self) -> usize {
        let mut node = 1;
        while node < self.leaves {
            node *= 2;
            node += usize::from(self.tree[node] != self.tree[1]);
        }
        node - self.leaves
    }
}
