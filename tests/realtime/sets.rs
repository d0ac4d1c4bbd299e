//! Random sets of periodic tasks, and a simulator of ticks for them.

use std::fmt::Write as _;

use sim_core::rng::Stream;

/// Tasks on some processors. All times are ticks of a millisecond.
#[derive(Clone, Debug)]
pub(super) struct Set {
    pub(super) processors: usize,
    /// How long to look, after all tasks have begun.
    pub(super) hyperperiods: u64,
    pub(super) tasks: Vec<Task>,
}

#[derive(Clone, Debug)]
pub(super) struct Task {
    pub(super) offset: u64,
    pub(super) demand: u64,
    pub(super) period: u64,
    pub(super) deadline: u64,
    /// The only processor that it may use.
    pub(super) processor: Option<u64>,
    priority: u64,
}

/// Their least common multiple is 120.
const PERIODS: [u64; 9] = [4, 5, 6, 8, 10, 12, 20, 24, 40];

impl Set {
    /// Two to five tasks whose deadlines are at most their periods, and which use some processors more or less.
    pub(super) fn random(stream: &mut Stream, processors: usize, offsets: bool) -> Set {
        let count = 2 + stream.below(4);
        let task = |stream: &mut Stream| {
            let period = PERIODS[usize::try_from(stream.below(9)).expect("few")];
            let fair = (period * processors as u64 * 2 / count).clamp(1, period);
            let demand = 1 + stream.below(fair);
            let deadline = if stream.below(2) == 0 { period } else { demand + stream.below(period - demand + 1) };
            let offset = if offsets { stream.below(10) } else { 0 };
            Task { offset, demand, period, deadline, processor: None, priority: stream.below(6) }
        };
        Set { processors, hyperperiods: 2, tasks: (0..count).map(|_| task(stream)).collect() }
    }

    #[expect(clippy::cast_precision_loss, reason = "small numbers")]
    pub(super) fn utilisation(&self) -> f64 {
        self.tasks.iter().map(|task| task.demand as f64 / task.period as f64).sum()
    }

    /// Offsets, and then some hyperperiods.
    fn horizon(&self) -> u64 {
        let offset = self.tasks.iter().map(|task| task.offset).max().unwrap_or(0);
        offset + self.hyperperiods * 120
    }

    pub(super) fn toml(&self, policy: &str) -> String {
        let mut toml = format!(
            "until = \"{}ms\"\n[machine]\nprocessors = {}\n[scheduler]\npolicy = \"{policy}\"\n",
            self.horizon(),
            self.processors
        );
        for (number, task) in self.tasks.iter().enumerate() {
            let Task { offset, demand, period, deadline, priority, processor } = task;
            let affinity = processor.map_or_else(String::new, |processor| format!("affinity = [{processor}]\n"));
            write!(
                toml,
                "[[task]]\nname = \"t{number}\"\narrival = \"{offset}ms\"\nperiod = \"{period}ms\"\n\
                 deadline = \"{deadline}ms\"\npriority = {priority}\n{affinity}program = [{{ cpu = \"{demand}ms\" }}]\n"
            )
            .expect("writing to a string does not fail");
        }
        toml
    }

    /// When each job of each task ends, under fixed priorities: the shorter the length, the more urgent, ties by place.
    pub(super) fn ticks(&self, length: impl Fn(&Task) -> u64) -> Vec<Vec<Option<u64>>> {
        let mut order: Vec<usize> = (0..self.tasks.len()).collect();
        order.sort_by_key(|task| length(&self.tasks[*task]));
        let mut ends: Vec<Vec<Option<u64>>> = vec![Vec::new(); self.tasks.len()];
        let mut work = vec![0; self.tasks.len()];
        for now in 0..self.horizon() {
            for (task, Task { offset, demand, period, .. }) in self.tasks.iter().enumerate() {
                if now >= *offset && (now - offset).is_multiple_of(*period) {
                    work[task] += demand;
                    ends[task].push(None);
                }
            }
            for task in order.iter().filter(|task| work[**task] > 0).take(self.processors).copied().collect::<Vec<_>>()
            {
                work[task] -= 1;
                if work[task].is_multiple_of(self.tasks[task].demand) {
                    *ends[task].iter_mut().find(|end| end.is_none()).expect("a job that works") = Some(now + 1);
                }
            }
        }
        ends
    }
}
