//! Constant-bandwidth servers, soft and hard, held against answers by hand and a simulation of its own that knows ticks only.

use sim_core::rng::{Stream, StreamName};

use crate::support::{run, scenario};

/// When the only task, which computes for 5 ms, is done: its server has 2 ms in 10 ms, and nobody else wants the processor.
#[test]
fn a_hard_server_waits_where_nobody_else_wants_to_run() {
    let ends = |hard: &str| {
        let toml = format!(
            "scheduler = {{ policy = 'edf' }}\nserver = [{{ name = 'S', kind = 'constant-bandwidth', budget = '2ms', period = '10ms'{hard} }}]\n\
             task = [{{ name = 'A', server = 'S', program = [{{ cpu = '5ms' }}] }}]"
        );
        run(&scenario(&toml)).0.tasks.iter().next().and_then(|task| task.finish).map(|at| at.ns() / 1_000_000)
    };
    assert_eq!(ends(""), Some(5));
    assert_eq!(ends(", hard = true"), Some(21));
    // What it says at the task alone means the same.
    let toml = "scheduler = { policy = 'edf' }\n\
         task = [{ name = 'A', server = { budget = '2ms', period = '10ms', hard = true }, program = [{ cpu = '5ms' }] }]";
    assert_eq!(run(&scenario(toml)).1.at.ns(), 21_000_000);
}

/// Two tasks share 3 ms in 10 ms beside one of 5 ms in 8 ms: the first goes on until it is done, with budgets of later deadlines.
#[test]
fn several_tasks_share_a_server_first_come_first_served() {
    let ends = |work: [&str; 2]| {
        let toml = format!(
            "until = '40ms'\nscheduler = {{ policy = 'edf' }}\nserver = [{{ name = 'S', kind = 'constant-bandwidth', budget = '3ms', period = '10ms' }}]\n\
             task = [{{ name = 'A', server = 'S', program = [{{ cpu = '{}' }}] }},\n\
             {{ name = 'B', arrival = '1ms', server = 'S', program = [{{ cpu = '{}' }}] }},\n\
             {{ name = 'control', period = '8ms', program = [{{ cpu = '5ms' }}] }}]",
            work[0], work[1]
        );
        let timeline = run(&scenario(&toml)).0;
        timeline.tasks.iter().take(2).map(|task| task.finish.map_or(0, |at| at.ns() / 1_000_000)).collect::<Vec<u64>>()
    };
    assert_eq!(ends(["2ms", "2ms"]), [7, 14]);
    assert_eq!(ends(["4ms", "1ms"]), [14, 15]);
}

/// A task: served, with bursts and the sleeps between them; or periodic.
#[derive(Clone, Debug)]
struct Task {
    /// Budget and period, and whether it is hard.
    server: Option<(u64, u64, bool)>,
    arrival: u64,
    /// Bursts, each with a sleep behind it.
    bursts: Vec<(u64, u64)>,
    period: u64,
}

#[derive(Clone, Default, Debug)]
struct State {
    /// What is left of the burst, or when the next begins.
    left: u64,
    wakes: Option<u64>,
    next: usize,
    deadline: u64,
    budget: u64,
    /// Its place in the queue among equals; none of one that does not want to run.
    place: Option<i64>,
    held_back: bool,
    job: u64,
}

const HORIZON: u64 = 120;

struct World<'a> {
    tasks: &'a [Task],
    states: Vec<State>,
    stamp: i64,
    ends: Vec<Vec<u64>>,
}

impl World<'_> {
    fn queue(&mut self, who: usize, at_head: bool) {
        self.stamp += 1;
        self.states[who].place = Some(if at_head { -self.stamp } else { self.stamp });
    }

    /// A burst begins.
    fn wants(&mut self, who: usize, now: u64) {
        let state = &mut self.states[who];
        if let Some((budget, period, hard)) = self.tasks[who].server {
            let held = hard && state.budget == 0 && now < state.deadline;
            if !held && state.budget * period >= state.deadline.saturating_sub(now) * budget {
                (state.budget, state.deadline) = (budget, now + period);
            }
            state.held_back = held;
        }
        self.queue(who, false);
    }

    /// The burst of who runs is over.
    fn burst_ends(&mut self, who: usize, now: u64) {
        let task = &self.tasks[who];
        let state = &mut self.states[who];
        state.place = None;
        self.ends[who].push(now);
        match task.server {
            Some(_) => {
                let (_, sleep) = task.bursts[state.next - 1];
                state.wakes = (state.next < task.bursts.len()).then_some(now + sleep);
            }
            None => {
                state.job += 1;
                state.wakes = Some((task.arrival + state.job * task.period).max(now));
            }
        }
    }

    /// Who begins a burst now: periodic tasks and those who arrive in the order of the file, then who has slept, in that order too if
    /// they went to sleep at different times.
    fn wakes(&mut self, who: usize, now: u64) {
        let task = &self.tasks[who];
        let state = &mut self.states[who];
        state.wakes = None;
        match task.server {
            Some(_) => {
                state.left = task.bursts[state.next].0;
                state.next += 1;
            }
            None => {
                state.left = task.bursts[0].0;
                state.deadline = task.arrival + (state.job + 1) * task.period;
            }
        }
        self.wants(who, now);
    }

    /// The budget of who runs is used up: its place is behind all others.
    fn runs_out(&mut self, who: usize, now: u64) {
        let Some((budget, period, hard)) = self.tasks[who].server else { return };
        let state = &mut self.states[who];
        state.held_back = hard && now < state.deadline;
        if !state.held_back {
            (state.budget, state.deadline) = (budget, state.deadline + period);
        }
        self.queue(who, false);
    }
}

/// When each burst ends. No two deadlines or wake-ups of different tasks fall together: then `None`.
fn ticks(tasks: &[Task]) -> Option<Vec<Vec<u64>>> {
    let states = tasks.iter().map(|task| State { wakes: Some(task.arrival), ..State::default() }).collect();
    let mut world = World { tasks, states, stamp: 0, ends: vec![Vec::new(); tasks.len()] };
    let mut runs: Option<usize> = None;
    for now in 0..=HORIZON {
        let mut happens = 0;
        if let Some(who) = runs.filter(|who| world.states[*who].left == 0) {
            if tasks[who].server.is_some_and(|(.., hard)| !hard) && world.states[who].budget == 0 {
                let (budget, period, _) = tasks[who].server?;
                let state = &mut world.states[who];
                (state.budget, state.deadline) = (budget, state.deadline + period);
            }
            world.burst_ends(who, now);
            runs = None;
        }
        if now == HORIZON {
            break;
        }
        for (who, task) in tasks.iter().enumerate() {
            let state = &mut world.states[who];
            if state.held_back && state.deadline == now {
                let (budget, period, _) = task.server?;
                (state.budget, state.deadline, state.held_back) = (budget, now + period, false);
                world.queue(who, false);
                happens += 1;
            }
        }
        for who in 0..tasks.len() {
            if world.states[who].wakes == Some(now) {
                world.wakes(who, now);
                happens += 1;
            }
        }
        if let Some(who) = runs.filter(|who| tasks[*who].server.is_some() && world.states[*who].budget == 0) {
            world.runs_out(who, now);
            runs = None;
            happens += 1;
        }
        if happens > 1 {
            return None;
        }
        let ready = (0..tasks.len()).filter(|who| world.states[*who].place.is_some() && !world.states[*who].held_back);
        let best = ready.min_by_key(|who| (world.states[*who].deadline, world.states[*who].place));
        match (runs, best) {
            (Some(who), Some(best)) if world.states[best].deadline < world.states[who].deadline => {
                world.queue(who, true);
                runs = Some(best);
            }
            (None, best) => runs = best,
            _ => {}
        }
        if let Some(who) = runs {
            world.states[who].left -= 1;
            world.states[who].budget = world.states[who].budget.saturating_sub(1);
        }
    }
    Some(world.ends)
}

fn world(chance: &mut Stream) -> Vec<Task> {
    let task = |chance: &mut Stream| {
        if chance.below(3) == 0 {
            let period = 5 + chance.below(20);
            let bursts = vec![(1 + chance.below(period / 2), 0)];
            return Task { server: None, arrival: chance.below(12), bursts, period };
        }
        let period = 3 + chance.below(15);
        let server = Some((1 + chance.below(period / 2), period, chance.below(2) == 0));
        let bursts = (0..1 + chance.below(4)).map(|_| (1 + chance.below(9), 1 + chance.below(15))).collect();
        Task { server, arrival: chance.below(12), bursts, period: 0 }
    };
    (0..2 + chance.below(3)).map(|_| task(chance)).collect()
}

fn text(tasks: &[Task]) -> String {
    let mut text = format!("until = '{HORIZON}ms'\nscheduler = {{ policy = 'edf' }}\n");
    for (number, task) in tasks.iter().enumerate() {
        let Task { server, arrival, bursts, period } = task;
        let urgency = match server {
            Some((budget, period, hard)) => {
                format!("server = {{ budget = '{budget}ms', period = '{period}ms', hard = {hard} }}")
            }
            None => format!("period = '{period}ms'"),
        };
        let op = |(place, (burst, sleep)): (usize, &(u64, u64))| match place + 1 < bursts.len() {
            true => format!("{{ cpu = '{burst}ms' }}, {{ sleep = '{sleep}ms' }}"),
            false => format!("{{ cpu = '{burst}ms' }}"),
        };
        let program = bursts.iter().enumerate().map(op).collect::<Vec<_>>().join(", ");
        text += &format!("[[task]]\nname = 'T{number}'\narrival = '{arrival}ms'\n{urgency}\nprogram = [{program}]\n");
    }
    text
}

#[test]
fn every_burst_ends_when_it_does_tick_by_tick() {
    let (mut hard, mut held) = (0, 0);
    for seed in 0..6000 {
        let tasks = world(&mut StreamName::new(seed).word("bandwidth").stream());
        let Some(expected) = ticks(&tasks) else { continue };
        let text = text(&tasks);
        let (timeline, _) = run(&scenario(&text));
        for (task, ends) in timeline.tasks.ids().zip(&expected) {
            let of_task = |number: usize| number == task.0 as usize;
            let finish = timeline.tasks[task].finish.map(|at| at.ns() / 1_000_000);
            let jobs = timeline.jobs.iter().filter(|job| job.task == task);
            let jobs: Vec<u64> = jobs.filter_map(|job| job.finish).map(|at| at.ns() / 1_000_000).collect();
            match &tasks[task.0 as usize] {
                Task { server: None, .. } => assert_eq!(jobs, *ends, "seed {seed}, task {}:\n{text}", task.0),
                served => {
                    let done = (ends.len() == served.bursts.len()).then(|| ends.last().copied()).flatten();
                    assert_eq!(finish, done, "seed {seed}, task {}:\n{text}", task.0);
                    let (_, period, is_hard) = served.server.expect("served");
                    hard += u32::from(is_hard && of_task(task.0 as usize));
                    held += u32::from(is_hard && done.is_some_and(|done| done > period));
                }
            }
        }
    }
    assert!(hard > 500 && held > 200, "{hard} {held}");
}
