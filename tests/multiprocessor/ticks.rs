//! Round robin with a global timer on processors with caches, tick by tick: the rules and nothing else.

use sim_core::rng::Stream;

/// A task that arrives at 0 and computes.
#[derive(Clone, Debug)]
pub(super) struct Job {
    pub(super) work: u64,
    pub(super) set: u32,
    pub(super) affinity: Vec<usize>,
}

#[derive(Clone, Debug)]
pub(super) struct Case {
    pub(super) processors: usize,
    pub(super) quantum: u64,
    pub(super) size: u32,
    pub(super) warm_up: u64,
    pub(super) warm_speed: u64,
    pub(super) jobs: Vec<Job>,
}

/// The cache of a processor.
#[derive(Clone, Default)]
struct Cache {
    /// The warm jobs, the last that entered first.
    warm: Vec<usize>,
    /// Ticks each job has run here since it was last warm.
    ran: Vec<u64>,
    /// Whether it was ever crowded out.
    evicted: Vec<bool>,
}

impl Cache {
    fn run(&mut self, job: usize, case: &Case) -> u64 {
        if self.warm.contains(&job) {
            return case.warm_speed;
        }
        if case.warm_up == 0 && !self.evicted[job] && self.enter(job, case) {
            return case.warm_speed;
        }
        self.ran[job] += 1;
        if self.ran[job] >= case.warm_up {
            self.enter(job, case);
        }
        1
    }

    fn enter(&mut self, job: usize, case: &Case) -> bool {
        self.ran[job] = 0;
        self.warm.insert(0, job);
        while self.warm.iter().map(|job| case.jobs[*job].set).sum::<u32>() > case.size {
            let evicted = self.warm.pop().expect("none takes anything");
            self.evicted[evicted] = true;
        }
        self.warm.contains(&job)
    }
}

/// Which job each processor runs in each tick, until all are done.
pub(super) fn simulate(case: &Case) -> Vec<Vec<Option<usize>>> {
    let mut queue: Vec<usize> = (0..case.jobs.len()).collect();
    let mut left: Vec<u64> = case.jobs.iter().map(|job| job.work).collect();
    let mut on: Vec<Option<usize>> = vec![None; case.processors];
    let mut caches =
        vec![
            Cache { warm: Vec::new(), ran: vec![0; case.jobs.len()], evicted: vec![false; case.jobs.len()] };
            case.processors
        ];
    let mut ticks = Vec::new();
    while left.iter().any(|left| *left > 0) {
        if (ticks.len() as u64).is_multiple_of(case.quantum) {
            queue.extend(on.iter_mut().filter_map(Option::take));
        }
        for (cpu, on) in on.iter_mut().enumerate().filter(|(_, on)| on.is_none()) {
            let allowed = |job: &usize| {
                let affinity = &case.jobs[*job].affinity;
                affinity.is_empty() || affinity.contains(&cpu)
            };
            *on = queue.iter().position(allowed).map(|place| queue.remove(place));
        }
        ticks.push(on.clone());
        for (cpu, on) in on.iter_mut().enumerate() {
            if let Some(job) = *on {
                left[job] = left[job].saturating_sub(caches[cpu].run(job, case));
                if left[job] == 0 {
                    *on = None;
                }
            }
        }
    }
    ticks
}

impl Case {
    pub(super) fn random(chance: &mut Stream) -> Case {
        let mut any = |from: u64, to: u64| from + chance.below(to - from + 1);
        let processors = any(1, 4) as usize;
        let mut job = || Job {
            work: any(1, 60),
            set: any(0, 12) as u32 * 10,
            affinity: if any(0, 3) == 0 { vec![any(0, processors as u64 - 1) as usize] } else { Vec::new() },
        };
        let jobs = (0..7).map(|_| job()).collect::<Vec<_>>();
        let jobs = jobs[..any(1, 7) as usize].to_vec();
        let (quantum, warm_up, warm_speed) = (any(1, 12), if any(0, 3) == 0 { 0 } else { any(0, 15) }, any(1, 4));
        Case { processors, quantum, size: any(3, 20) as u32 * 10, warm_up, warm_speed, jobs }
    }

    pub(super) fn toml(&self) -> String {
        let Case { processors, quantum, size, warm_up, warm_speed, .. } = self;
        let mut text = format!(
            "[machine]\nprocessors = {processors}\n\
             cache = {{ size = {size}, warm-up = \"{warm_up}ms\", warm-speed = {warm_speed} }}\n\
             [scheduler]\npolicy = \"round-robin\"\nquantum = \"{quantum}ms\"\ntimer = \"global\"\n\
             ties = \"preempted-first\"\n"
        );
        for (index, job) in self.jobs.iter().enumerate() {
            let affinity =
                if job.affinity.is_empty() { String::new() } else { format!("affinity = {:?}\n", job.affinity) };
            text += &format!(
                "[[task]]\nname = \"{index}\"\nworking-set = {}\n{affinity}program = [{{ cpu = \"{}ms\" }}]\n",
                job.set, job.work
            );
        }
        text
    }
}
