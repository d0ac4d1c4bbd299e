//! Small worlds for theorems: threads on equal processors, written as a scenario file whose times can be stretched.

use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};

use sim_core::policy::Kind;
use sim_core::rng::{Stream, StreamName};
use sim_core::time::Time;
use sim_core::timeline::{Timeline, What};

use crate::support;

/// All times are microseconds, if they are not stretched.
#[derive(Clone, Debug, Default)]
pub(super) struct World {
    pub(super) processors: u64,
    pub(super) switch: u64,
    pub(super) until: Option<u64>,
    /// Keys of `[scheduler]`, with brackets around times: `quantum = <3>`.
    pub(super) scheduler: String,
    pub(super) threads: Vec<Thread>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Thread {
    /// Kept when others are left out.
    pub(super) name: usize,
    pub(super) arrival: u64,
    pub(super) steps: Vec<Step>,
    /// Does it begin again and again?
    pub(super) forever: bool,
    pub(super) priority: i64,
    pub(super) nice: i64,
    pub(super) tickets: u64,
    /// Relative; it has a single job.
    pub(super) deadline: Option<u64>,
    /// Names of threads that must have ended.
    pub(super) after: Vec<usize>,
}

#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Step {
    Cpu(u64),
    Sleep(u64),
    Yield,
}

impl Thread {
    pub(super) fn demand(&self) -> u64 {
        self.steps.iter().map(|step| if let Step::Cpu(length) = step { *length } else { 0 }).sum()
    }

    fn write(&self, toml: &mut String, stretch: u64) {
        let time = |length: u64| format!("\"{}us\"", length * stretch);
        let steps: Vec<String> = self
            .steps
            .iter()
            .map(|step| match step {
                Step::Cpu(length) => format!("{{ cpu = {} }}", time(*length)),
                Step::Sleep(length) => format!("{{ sleep = {} }}", time(*length)),
                Step::Yield => "\"yield\"".to_owned(),
            })
            .collect();
        let mut program = steps.join(", ");
        if self.forever {
            program = format!("{{ repeat = \"forever\", do = [{program}] }}");
        }
        let _ = writeln!(toml, "[[task]]\nname = \"t{}\"\narrival = {}", self.name, time(self.arrival));
        let _ = writeln!(toml, "priority = {}\nnice = {}\ntickets = {}", self.priority, self.nice, self.tickets.max(1));
        if let Some(deadline) = self.deadline {
            let _ = writeln!(toml, "period = {}\njobs = 1", time(deadline));
        }
        if !self.after.is_empty() {
            let names: Vec<String> = self.after.iter().map(|name| format!("t{name}")).collect();
            let _ = writeln!(toml, "after = {names:?}");
        }
        let _ = writeln!(toml, "program = [{program}]");
    }
}

impl World {
    /// One processor, no costs, and these threads.
    pub(super) fn of(scheduler: impl Into<String>, threads: Vec<Thread>) -> World {
        World { processors: 1, scheduler: scheduler.into(), threads, ..World::default() }
    }

    pub(super) fn under(&self, scheduler: impl Into<String>) -> World {
        World { scheduler: scheduler.into(), ..self.clone() }
    }

    /// As a scenario file, all times this many times as long.
    pub(super) fn toml(&self, stretch: u64) -> String {
        let mut toml = String::new();
        if let Some(until) = self.until {
            let _ = writeln!(toml, "until = \"{}us\"", until * stretch);
        }
        let _ = writeln!(toml, "[machine]\nprocessors = {}", self.processors);
        let _ = writeln!(toml, "context-switch = \"{}us\"\n[scheduler]", self.switch * stretch);
        for (number, piece) in self.scheduler.split(['<', '>']).enumerate() {
            // Every second piece stands between brackets.
            match piece.parse::<u64>() {
                Ok(time) if number % 2 == 1 => toml += &format!("\"{}us\"", time * stretch),
                _ => toml += piece,
            }
        }
        toml.push('\n');
        self.threads.iter().for_each(|thread| thread.write(&mut toml, stretch));
        toml
    }

    pub(super) fn run(&self) -> Run {
        self.run_stretched(1)
    }

    pub(super) fn run_stretched(&self, stretch: u64) -> Run {
        let (timeline, _) = support::run(&support::scenario(&self.toml(stretch)));
        Run(timeline)
    }
}

/// What happened. Threads are numbered as in the file; times are microseconds.
pub(super) struct Run(pub(super) Timeline);

impl Run {
    /// Processor, thread, start, end of everything that ran for some time.
    pub(super) fn runs(&self) -> Vec<(usize, usize, u64, u64)> {
        let ran =
            self.0.intervals.iter().filter(|interval| interval.what == What::Run && interval.start < interval.end);
        let mut runs: Vec<_> = ran
            .map(|interval| {
                let thread = self.0.tasks[interval.task].spec as usize;
                (interval.cpu.0 as usize, thread, us(interval.start), us(interval.end))
            })
            .collect();
        runs.sort_by_key(|(cpu, _, start, _)| (*start, *cpu));
        runs
    }

    /// The processor time that each thread has had, at each end of a run.
    pub(super) fn services(&self) -> Vec<Vec<u64>> {
        let runs = self.runs();
        let mut ends: Vec<u64> = runs.iter().map(|(.., end)| *end).collect();
        ends.sort_unstable();
        let of = |thread: usize, until: u64| {
            let own = runs.iter().filter(move |(_, who, ..)| *who == thread);
            own.map(|(_, _, start, end)| until.min(*end).saturating_sub(*start)).sum()
        };
        ends.into_iter().map(|end| (0..self.0.tasks.len()).map(|thread| of(thread, end)).collect()).collect()
    }

    /// The longest time that any thread was ready at a stretch.
    pub(super) fn longest_wait(&self) -> u64 {
        let lanes = self.0.lanes();
        let waits = lanes.iter().flatten().filter(|stretch| stretch.state == sim_core::timeline::lanes::State::Ready);
        waits.map(|stretch| us(stretch.end) - us(stretch.start)).max().unwrap_or(0)
    }

    /// When each thread ended.
    pub(super) fn ends(&self) -> Vec<u64> {
        let mut ends = vec![0; self.0.tasks.len()];
        for life in &self.0.tasks {
            ends[life.spec as usize] = us(life.finish.expect("the world comes to its end"));
        }
        ends
    }

    pub(super) fn makespan(&self) -> u64 {
        self.ends().into_iter().max().unwrap_or(0)
    }

    /// Does every job keep its deadline?
    pub(super) fn in_time(&self) -> bool {
        self.0.jobs.iter().all(|job| !job.missed(self.0.end))
    }
}

fn us(time: Time) -> u64 {
    time.ns() / 1000
}

/// The `[scheduler]` of a policy of the shelf, with the times that scenarios of tens of microseconds need.
pub(super) fn scheduler(kind: &Kind) -> String {
    let mut scheduler = format!("policy = \"{}\"\n", kind.name);
    for parameter in kind.parameters {
        scheduler += match parameter.name {
            "quantum" => "quantum = <2>\n",
            "quanta" => "quanta = [<1>, <2>, <4>]\n",
            "levels" => "levels = [{ quantum = <1>, allotment = 2 }, { quantum = <3> }]\n",
            "boost" => "boost = <20>\n",
            "latency" => "latency = <12>\n",
            "base-slice" => "base-slice = <2>\n",
            "wakeup-granularity" => "wakeup-granularity = <1>\n",
            "tick" => "tick = <1>\n",
            _ => "",
        };
    }
    scheduler
}

/// Tries a theorem on many worlds. One that breaks it is made smaller and saved as a file that `sim run` shows.
pub(super) fn prove(
    theorem: &str,
    cases: u64,
    world: impl Fn(&mut Stream) -> World,
    law: impl Fn(&World) -> Result<(), String>,
) {
    let judge = |world: &World| {
        let judged = catch_unwind(AssertUnwindSafe(|| law(world)));
        judged.unwrap_or_else(|panic| Err(panic.downcast_ref::<String>().cloned().unwrap_or("a panic".to_owned())))
    };
    for seed in 0..cases {
        let mut smallest = world(&mut StreamName::new(seed).word(theorem).stream());
        let Err(mut why) = judge(&smallest) else { continue };
        while let Some((smaller, words)) =
            smaller_worlds(&smallest).into_iter().find_map(|world| judge(&world).err().map(|words| (world, words)))
        {
            (smallest, why) = (smaller, words);
        }
        let name = theorem.replace(' ', "-");
        let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("theorem-{name}-{seed}.toml"));
        let toml = smallest.toml(1);
        std::fs::write(&path, format!("# {}\n{toml}", why.replace('\n', "\n# "))).expect("a file for the case");
        panic!("seed {seed}: {why}\n{toml}\nthe case is saved: sim run {}", path.display());
    }
}

/// Worlds with a thread or a step less, or one that is shorter.
fn smaller_worlds(world: &World) -> Vec<World> {
    let mut smaller = Vec::new();
    let mut with = |change: &dyn Fn(&mut World)| {
        let mut changed = world.clone();
        change(&mut changed);
        smaller.push(changed);
    };
    for thread in 0..world.threads.len() {
        if world.threads.len() > 1 {
            with(&|world| {
                let gone = world.threads.remove(thread).name;
                world.threads.iter_mut().for_each(|thread| thread.after.retain(|name| *name != gone));
            });
        }
        for step in 0..world.threads[thread].steps.len() {
            if world.threads[thread].steps.len() > 1 {
                with(&|world| {
                    world.threads[thread].steps.remove(step);
                });
            }
            if let Step::Cpu(length) = world.threads[thread].steps[step]
                && length > 1
            {
                with(&|world| world.threads[thread].steps[step] = Step::Cpu(length / 2));
            }
        }
        if world.threads[thread].arrival > 0 {
            with(&|world| world.threads[thread].arrival /= 2);
        }
    }
    if world.switch > 0 {
        with(&|world| world.switch = 0);
    }
    smaller
}
