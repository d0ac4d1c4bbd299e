//! `eevdf` on one processor, a second time: from the rules alone, over lists, with floating point where the policy has whole
//! numbers. Times are whole microseconds drawn by chance, so that next to nothing coincides but what begins together. Where
//! one that was behind or ahead when it slept comes to be exactly where another is, rounding decides: such worlds are left
//! out.

use std::cell::Cell;
use std::fmt::Write as _;

use sim_core::rng::{Stream, StreamName};
use sim_core::timeline::What;

use crate::support::{run, scenario};

/// Less than any difference that is one, more than any error.
const NOTHING: f64 = 0.01;

#[derive(Clone, Copy, PartialEq, Debug)]
enum Op {
    Cpu(u64),
    Sleep(u64),
    Yield,
}

impl Op {
    fn toml(self) -> String {
        match self {
            Op::Cpu(ns) => format!("{{ cpu = '{ns}ns' }}"),
            Op::Sleep(ns) => format!("{{ sleep = '{ns}ns' }}"),
            Op::Yield => "'yield'".to_owned(),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Away,
    Ready,
    Running,
    /// It sleeps, and makes up for what it had.
    Delayed,
}

#[derive(Debug)]
struct Thread {
    nice: i32,
    slice: u64,
    arrival: u64,
    program: Vec<Op>,
    next: usize,
    left: u64,
    state: State,
    /// Virtual times are nanoseconds at nice 0.
    had: f64,
    deadline: f64,
    alone_until: f64,
    behind: f64,
    /// Did it come with that?
    is_moved: bool,
    queued: u64,
    is_fresh: bool,
    finish: Option<u64>,
}

impl Thread {
    fn new(nice: i32, slice: u64, arrival: u64, program: Vec<Op>) -> Thread {
        Thread {
            nice,
            slice,
            arrival,
            program,
            next: 0,
            left: 0,
            state: State::Away,
            had: 0.0,
            deadline: 0.0,
            alone_until: 0.0,
            behind: 0.0,
            is_moved: false,
            queued: 0,
            is_fresh: false,
            finish: None,
        }
    }

    /// As the kernel's table has it.
    fn weight(&self) -> f64 {
        match self.nice {
            -5 => 3121.0,
            0 => 1024.0,
            _ => 335.0,
        }
    }

    /// How much its virtual time advances by so many nanoseconds.
    fn virtually(&self, ns: u64) -> f64 {
        f64::from(u32::try_from(ns).expect("short")) * 1024.0 / self.weight()
    }

    fn renew(&mut self) {
        if self.had >= self.deadline - NOTHING {
            self.deadline = self.had + self.virtually(self.slice);
        }
    }
}

struct World {
    tick: u64,
    phase: u64,
    now: u64,
    threads: Vec<Thread>,
    /// When who wakes, in the order in which they fell asleep.
    sleepers: Vec<(u64, usize)>,
    /// When whoever runs is looked at.
    look: u64,
    count: u64,
    newcomers: Vec<usize>,
    /// Who ran until now and wants to run on.
    last: Option<usize>,
    runs: Vec<(usize, u64, u64)>,
    /// Did rounding decide something?
    is_close: Cell<bool>,
}

impl World {
    fn new(tick: u64, phase: u64, threads: Vec<Thread>) -> World {
        World {
            tick,
            phase,
            now: 0,
            threads,
            sleepers: Vec::new(),
            look: u64::MAX,
            count: 0,
            newcomers: Vec::new(),
            last: None,
            runs: Vec::new(),
            is_close: Cell::new(false),
        }
    }

    fn simulate(&mut self) {
        loop {
            self.settle();
            let arrivals = self.threads.iter().map(|thread| thread.arrival).filter(|at| *at > self.now);
            let wakes = self.sleepers.iter().map(|(at, _)| *at);
            let ends = self.running().map(|who| (self.now + self.threads[who].left).min(self.look));
            let Some(next) = arrivals.chain(wakes).chain(ends).min() else { return };
            if let Some(who) = self.running() {
                let passed = next - self.now;
                self.threads[who].had += self.threads[who].virtually(passed);
                self.threads[who].left -= passed;
                match self.runs.last_mut() {
                    Some((runs, _, end)) if *runs == who && *end == self.now => *end = next,
                    _ => self.runs.push((who, self.now, next)),
                }
            }
            self.now = next;
        }
    }

    fn running(&self) -> Option<usize> {
        self.threads.iter().position(|thread| thread.state == State::Running)
    }

    /// One instant: bursts end, threads arrive and wake, the timer ticks, and then it is decided who runs.
    fn settle(&mut self) {
        self.last = None;
        self.bursts_end();
        for who in 0..self.threads.len() {
            if self.threads[who].arrival == self.now {
                self.comes(who);
            }
        }
        let (woken, sleepers) = std::mem::take(&mut self.sleepers).into_iter().partition(|(at, _)| *at == self.now);
        self.sleepers = sleepers;
        let woken: Vec<(u64, usize)> = woken;
        for (_, who) in woken {
            if self.threads[who].next == self.threads[who].program.len() {
                // It needs no processor to end.
                self.threads[who].finish = Some(self.now);
            } else {
                self.comes(who);
            }
        }
        if let Some(who) = self.running().filter(|_| self.look == self.now) {
            self.threads[who].renew();
            self.returns(who);
        }
        loop {
            if self.running().is_none() {
                self.pick();
            }
            while let Some(runs) = self.running()
                && !self.newcomers.is_empty()
            {
                let newcomer = self.newcomers.remove(0);
                if self.threads[newcomer].state == State::Ready && self.displaces(newcomer, runs) {
                    self.threads[runs].renew();
                    self.returns(runs);
                    self.pick();
                }
            }
            if !self.bursts_end() {
                return;
            }
        }
    }

    /// Whoever runs and has nothing to compute goes on in its program.
    fn bursts_end(&mut self) -> bool {
        let mut something = false;
        while let Some(who) = self.running().filter(|who| self.threads[*who].left == 0) {
            something = true;
            let thread = &mut self.threads[who];
            let op = thread.program.get(thread.next).copied();
            thread.next += 1;
            match op {
                Some(Op::Cpu(ns)) => thread.left = ns,
                Some(Op::Sleep(ns)) => {
                    self.sleepers.push((self.now + ns, who));
                    self.leaves(who, false);
                }
                Some(Op::Yield) => {
                    thread.renew();
                    if self.present().len() > 1 && self.is_eligible(who) {
                        let thread = &mut self.threads[who];
                        thread.had = thread.deadline;
                        thread.deadline += thread.virtually(thread.slice);
                    }
                    self.returns(who);
                }
                None => {
                    thread.finish = Some(self.now);
                    self.leaves(who, true);
                }
            }
        }
        something
    }

    /// All who count, those who make up among them.
    fn present(&self) -> Vec<usize> {
        (0..self.threads.len()).filter(|who| self.threads[*who].state != State::Away).collect()
    }

    /// The time of the queue.
    fn mean(&self) -> f64 {
        let present = self.present();
        let sum: f64 = present.iter().map(|who| self.threads[*who].had * self.threads[*who].weight()).sum();
        sum / present.iter().map(|who| self.threads[*who].weight()).sum::<f64>()
    }

    fn is_eligible(&self, who: usize) -> bool {
        let ahead = self.threads[who].had - self.mean();
        if ahead.abs() < NOTHING && self.present().len() > 1 {
            self.rounding_decides(who);
        }
        ahead < NOTHING
    }

    fn rounding_decides(&self, who: usize) {
        self.is_close.set(self.is_close.get() || self.threads[who].is_moved);
    }

    /// Takes it out: how far is it behind?
    fn goes(&mut self, who: usize) {
        let behind = self.mean() - self.threads[who].had;
        let thread = &mut self.threads[who];
        let most = thread.virtually(self.tick.max(2 * thread.slice));
        thread.behind = behind.clamp(-most, most);
        thread.state = State::Away;
    }

    fn enters(&mut self, who: usize, state: State) {
        self.count += 1;
        (self.threads[who].queued, self.threads[who].state) = (self.count, state);
    }

    /// One that makes up has done so.
    fn has_made_up(&mut self, who: usize) {
        self.goes(who);
        self.threads[who].behind = self.threads[who].behind.min(0.0);
    }

    fn comes(&mut self, who: usize) {
        let wants = |thread: &Thread| matches!(thread.state, State::Ready | State::Running);
        if !self.threads.iter().any(wants) {
            while let Some(best) = self.best() {
                self.has_made_up(best);
            }
        }
        self.newcomers.push(who);
        self.threads[who].is_fresh = true;
        if self.threads[who].state == State::Delayed {
            self.goes(who);
            if self.threads[who].behind < 0.0 {
                return self.enters(who, State::Ready);
            }
            self.threads[who].behind = 0.0;
        }
        let others: f64 = self.present().iter().map(|other| self.threads[*other].weight()).sum();
        let mean = if others > 0.0 { self.mean() } else { 0.0 };
        let thread = &mut self.threads[who];
        let behind = if others > 0.0 { thread.behind * (others + thread.weight()) / others } else { 0.0 };
        thread.had = mean - behind;
        thread.is_moved = behind != 0.0;
        thread.deadline = thread.had + thread.virtually(thread.slice);
        self.enters(who, State::Ready);
    }

    /// It is put off, or yields.
    fn returns(&mut self, who: usize) {
        self.threads[who].is_fresh = false;
        self.last = Some(who);
        self.newcomers.push(who);
        self.enters(who, State::Ready);
    }

    fn leaves(&mut self, who: usize, is_done: bool) {
        self.threads[who].renew();
        let is_ahead = !self.is_eligible(who);
        self.goes(who);
        if is_ahead && !is_done {
            self.enters(who, State::Delayed);
        }
    }

    /// Of those in the queue that are eligible the one with the earliest deadline, then the one that has been there longest.
    fn best(&self) -> Option<usize> {
        let queued = |who: &usize| matches!(self.threads[*who].state, State::Ready | State::Delayed);
        let eligible = self.present().into_iter().filter(queued).filter(|who| self.is_eligible(*who));
        eligible.reduce(|best, who| {
            let (one, other) = (&self.threads[best], &self.threads[who]);
            let is_tie = (one.deadline - other.deadline).abs() < NOTHING;
            if is_tie {
                self.rounding_decides(best);
                self.rounding_decides(who);
            }
            let stays = if is_tie { one.queued < other.queued } else { one.deadline < other.deadline };
            if stays { best } else { who }
        })
    }

    fn pick(&mut self) {
        let goes_on = |who: &usize| {
            let thread = &self.threads[*who];
            thread.state == State::Ready && thread.had < thread.alone_until - NOTHING
        };
        let who = self.last.filter(goes_on).or_else(|| {
            loop {
                let best = self.best()?;
                if self.threads[best].state == State::Ready {
                    return Some(best);
                }
                self.has_made_up(best);
            }
        });
        let Some(who) = who else { return };
        if self.last != Some(who) {
            let shortest = self.present().iter().map(|who| self.threads[*who].slice).min().expect("it is there");
            let thread = &mut self.threads[who];
            thread.alone_until = thread.deadline.min(thread.had + thread.virtually(shortest));
        }
        self.last = None;
        self.threads[who].state = State::Running;
        let ticks = if self.now < self.phase { 0 } else { (self.now - self.phase) / self.tick + 1 };
        self.look = self.phase + ticks * self.tick;
    }

    /// Does one who has just come take the processor?
    fn displaces(&mut self, newcomer: usize, runs: usize) -> bool {
        if !std::mem::take(&mut self.threads[newcomer].is_fresh) {
            return false;
        }
        let asks_for = self.threads[newcomer].slice;
        let thread = &mut self.threads[runs];
        let had_its_slice = thread.had >= thread.alone_until - NOTHING;
        let asks_for_more = asks_for < thread.slice;
        thread.renew();
        let Some(best) = self.best() else { return false };
        let is_eligible = self.is_eligible(runs);
        let is_first = is_eligible && self.threads[runs].deadline < self.threads[best].deadline - NOTHING;
        let takes = best == newcomer && (asks_for_more || !is_eligible);
        let thread = &mut self.threads[runs];
        if !is_first && (had_its_slice || takes) {
            thread.alone_until = thread.alone_until.min(thread.had);
            return true;
        }
        if asks_for_more {
            thread.alone_until = thread.alone_until.min(thread.had + thread.virtually(asks_for));
        }
        false
    }
}

/// Some threads, each with a few bursts.
fn draw(chance: &mut Stream) -> (World, String) {
    let mut us = |low: u64, high: u64| low + chance.below(high - low + 1);
    let tick = [1000, 4000, 10_000][usize::try_from(us(0, 2)).unwrap_or(0)];
    let (phase, base) = (us(0, tick - 1), us(300, 9000));
    let mut text = format!(
        "machine = {{ tick = '{tick}us', tick-phase = '{phase}us' }}\n\
         scheduler = {{ policy = 'eevdf', base-slice = '{base}us' }}\n"
    );
    let mut threads = Vec::new();
    for number in 0..us(2, 5) {
        let nice = [-5, 0, 0, 5][usize::try_from(us(0, 3)).unwrap_or(0)];
        let arrival = if us(0, 1) == 0 { 0 } else { us(1, 9000) };
        let own = (us(0, 3) == 0).then(|| us(200, 15_000));
        let mut program = Vec::new();
        for _ in 0..us(1, 8) {
            program.push(match us(0, 9) {
                0 => Op::Yield,
                1..4 => Op::Sleep(us(50, 9000) * 1000),
                _ => Op::Cpu(us(50, 14_000) * 1000),
            });
        }
        let ops: Vec<String> = program.iter().map(|op| op.toml()).collect();
        let slice = own.map(|own| format!("slice = '{own}us'\n")).unwrap_or_default();
        let _ = write!(
            text,
            "[[task]]\nname = '{number}'\nnice = {nice}\narrival = '{arrival}us'\n{slice}program = [{}]\n",
            ops.join(", ")
        );
        threads.push(Thread::new(nice, own.unwrap_or(base) * 1000, arrival * 1000, program));
    }
    (World::new(tick * 1000, phase * 1000, threads), text)
}

#[test]
fn eevdf_on_one_processor() {
    let mut close = 0;
    for seed in 0..20_000 {
        let (mut world, text) = draw(&mut StreamName::new(seed).word("naive eevdf").stream());
        world.simulate();
        if world.is_close.get() {
            close += 1;
            continue;
        }
        let timeline = run(&scenario(&text)).0;
        let runs = timeline.intervals.iter().filter(|run| run.what == What::Run && run.start < run.end);
        let runs: Vec<(usize, u64, u64)> =
            runs.map(|run| (usize::try_from(run.task.0).expect("few"), run.start.ns(), run.end.ns())).collect();
        let mut merged: Vec<(usize, u64, u64)> = Vec::new();
        for (who, start, end) in runs {
            match merged.last_mut() {
                Some((last, _, until)) if *last == who && *until == start => *until = end,
                _ => merged.push((who, start, end)),
            }
        }
        let shown = || format!("seed {seed}\n{text}\nnaive: {:?}\nengine: {merged:?}", world.runs);
        assert_eq!(world.runs, merged, "{}", shown());
        for (thread, life) in world.threads.iter().zip(timeline.tasks.iter()) {
            assert_eq!(thread.finish, life.finish.map(|at| at.ns()), "{}", shown());
        }
    }
    assert!(close < 1500, "{close} worlds are left out");
}
