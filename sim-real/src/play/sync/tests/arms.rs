//! One random sequence of operations, done to the objects of a measured run and in a simulation: the same tasks wait for the
//! same things from and until the same operations.
//!
//! Operation `n` happens in millisecond `n`, be it by hand here or by a program that sleeps until then. There is a processor
//! for each task, so who may go on does so at once. Some give up what they wait for, each at another moment of a millisecond, and
//! do nothing more.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use sim_core::engine;
use sim_core::ids::{Id as _, TaskId};
use sim_core::rng::{Stream, StreamName};
use sim_core::time::Time;
use sim_core::timeline::{Cause, Timeline};

use super::super::*;
use super::Desk;

const TASKS: usize = 6;
const STEPS: u64 = 60;

/// In nanoseconds: an operation is done in each, and in each of the moments after it one task may give up.
const STEP: u64 = 1_000_000;
const MOMENT: u64 = 10_000;

/// A wait: for what, from which moment until which; the last is open if it lasts.
type Wait = (u32, u64, Option<u64>);

/// What a task is doing.
#[derive(Default)]
struct Task {
    /// Its operations in the words of a file.
    program: String,
    /// From when on nothing is in its way.
    free: u64,
    /// Has it given up, or will it, unless it gets what it waits for?
    is_gone: bool,
    held: Vec<SyncId>,
    waits: Vec<Wait>,
    /// What it waits for, and asks for again.
    op: Option<SyncOp>,
}

struct Both {
    desk: Desk,
    chance: Stream,
    declared: String,
    names: Vec<(SyncKind, String)>,
    priorities: Vec<u64>,
    tasks: Vec<Task>,
}

fn pick<T: Copy>(chance: &mut Stream, of: &[T]) -> T {
    of[usize::try_from(chance.below(of.len() as u64)).expect("few")]
}

/// An object of a random kind, with a random rule.
fn declare(chance: &mut Stream, word: &str, number: usize) -> String {
    let mut text = format!("[[{word}]]\nname = '{word}{number}'\n");
    let order = pick(chance, &["urgent", "fifo", "lifo"]);
    writeln!(text, "order = '{order}'").expect("memory");
    let rules: &[&str] = match word {
        "lock" => &["", "protocol = 'inherit'", "hand-over = 'barging'", "fair-after = '5ms'"],
        "condvar" => &["", "hand-over = 'barging'"],
        "barrier" => &[""],
        _ => &["", "hand-over = 'barging'", "fair-after = '5ms'"],
    };
    let rule = pick(chance, rules);
    let capacity = if rule.is_empty() { pick(chance, &[0, 1, 3]) } else { pick(chance, &[1, 3]) };
    let parameter = match word {
        "rwlock" => format!("prefer = '{}'", pick(chance, &["fifo", "readers", "writers"])),
        "semaphore" => format!("permits = {}", chance.below(3)),
        "channel" => format!("capacity = {capacity}"),
        "barrier" => format!("parties = {}", 1 + chance.below(3)),
        _ => String::new(),
    };
    text + rule + "\n" + &parameter + "\n"
}

impl Both {
    fn new(seed: u64) -> Both {
        let mut chance = StreamName::new(seed).word("both arms").stream();
        let mut declared = String::new();
        for word in ["lock", "rwlock", "semaphore", "channel", "condvar", "barrier"] {
            for number in 0..if word == "lock" { 2 } else { chance.below(2) } {
                declared += &declare(&mut chance, word, usize::try_from(number).expect("few"));
            }
        }
        let priorities: Vec<u64> = (0..TASKS).map(|_| chance.below(3)).collect();
        let desk = Desk::new(&declared);
        let names = scenario(&declared, "[[task]]\nname = 'a'\nprogram = []").syncs;
        let names = names.iter().map(|object| (object.kind, object.name.clone())).collect();
        for (who, priority) in priorities.iter().enumerate() {
            desk.0.waiter(who).set_urgency(i64::try_from(*priority).expect("small"));
        }
        let tasks = (0..TASKS).map(|_| Task::default()).collect();
        Both { desk, chance, declared, names, priorities, tasks }
    }

    /// Something that the task may do.
    fn operation(&mut self, who: usize) -> Option<(SyncOp, String)> {
        let place = usize::try_from(self.chance.below(self.names.len() as u64)).expect("few");
        let (sync, (kind, name)) = (SyncId::from_index(place), &self.names[place]);
        let held = self.tasks[who].held.contains(&sync);
        let plain = |op: SyncOp| (op, format!("{{ {} = '{name}' }}", op.word()));
        let ops = match kind {
            SyncKind::Mutex | SyncKind::RwLock { .. } if held => [SyncOp::Unlock(sync); 2],
            SyncKind::Mutex => [SyncOp::Lock(sync); 2],
            SyncKind::RwLock { .. } => [SyncOp::Read(sync), SyncOp::Write(sync)],
            SyncKind::Semaphore { .. } => {
                let count = 1 + u32::try_from(self.chance.below(2)).expect("small");
                let op = pick(&mut self.chance, &[SyncOp::Acquire(sync, count), SyncOp::Release(sync, count)]);
                return Some((op, format!("{{ {} = '{name}', count = {count} }}", op.word())));
            }
            SyncKind::Channel { .. } => [SyncOp::Send(sync), SyncOp::Receive(sync)],
            SyncKind::Barrier { .. } => [SyncOp::Arrive(sync); 2],
            SyncKind::Condvar => {
                let mut locks = self.tasks[who].held.iter().rev().copied();
                let lock = locks.find(|lock| self.names[lock.index()].0 == SyncKind::Mutex);
                let Some(lock) = lock.filter(|_| self.chance.below(3) > 0) else {
                    return Some(plain(pick(&mut self.chance, &[SyncOp::Notify(sync), SyncOp::NotifyAll(sync)])));
                };
                let with = &self.names[lock.index()].1;
                return Some((SyncOp::Wait { condvar: sync, lock }, format!("{{ wait = '{name}', with = '{with}' }}")));
            }
        };
        Some(plain(pick(&mut self.chance, &ops)))
    }

    /// What the task waits for now.
    fn waits_at(&self, who: usize, op: SyncOp) -> u32 {
        let row = self.desk.0.waiter(who);
        match op {
            SyncOp::Wait { lock, .. } if row.noticed.load(Ordering::Relaxed) > 0 => lock.0,
            op => op.object().0,
        }
    }

    /// The task does this at that moment; so do those who ask again because of it.
    fn does(&mut self, who: usize, op: SyncOp, at: u64) {
        let mut doing = vec![(who, op)];
        while !doing.is_empty() {
            let (who, op) = doing.remove(0);
            let done = self.desk.0.perform_at(who, op, at * MOMENT);
            if done.waits() {
                self.tasks[who].op = Some(op);
                let sync = self.waits_at(who, op);
                self.tasks[who].waits.push((sync, at, None));
            } else {
                self.is_through(who, done.turn);
            }
            doing.extend(self.lets_go(&done));
        }
    }

    /// The task waits no more: it has what it wanted, or does without.
    fn is_through(&mut self, who: usize, turn: Turn) {
        let row = self.desk.0.waiter(who);
        self.tasks[who].is_gone |= turn == Turn::GivesUp || row.left().is_some();
        row.attempts_no_more();
    }

    /// Some go on. Who does its operation again?
    fn lets_go(&mut self, done: &Done) -> Vec<(usize, SyncOp)> {
        let woken: Vec<usize> = self.desk.0.woken(done).collect();
        self.is_notified();
        let mut again = Vec::new();
        for id in woken {
            let row = self.desk.0.waiter(id);
            row.word.store(0, Ordering::Relaxed);
            let at = row.granted.load(Ordering::Relaxed) / MOMENT;
            let task = &mut self.tasks[id];
            task.free = at;
            if let Some(wait) = task.waits.last_mut() {
                wait.2 = Some(at);
            }
            let op = task.op.take().expect("it waits");
            if row.asks_again() {
                again.push((id, op));
            } else {
                self.is_through(id, Turn::GoesOn);
            }
        }
        // They have processors in this order.
        again.sort_by_key(|(id, _)| std::cmp::Reverse(self.priorities[*id]));
        again
    }

    /// Whoever has been notified, or has given that up, waits for its lock instead.
    fn is_notified(&mut self) {
        for who in 0..TASKS {
            let Some(op @ SyncOp::Wait { condvar, lock }) = self.tasks[who].op else { continue };
            let (sync, row) = (self.waits_at(who, op), self.desk.0.waiter(who));
            let (noticed, waits) = (row.noticed.load(Ordering::Relaxed) / MOMENT, &mut self.tasks[who].waits);
            if let Some(last @ (_, since, None)) = waits.last().copied()
                && (last.0, sync) == (condvar.0, lock.0)
                && row.granted.load(Ordering::Relaxed) == 0
            {
                waits.pop();
                waits.extend([(last.0, since, Some(noticed)), (sync, noticed, None)]);
            }
        }
    }

    /// Those give up whose time is up by then.
    fn give_up(&mut self, moment: u64) {
        let done = self.desk.0.deal_at(moment * MOMENT + 1, |_| Turn::GoesOn);
        for (who, op) in self.lets_go(&done) {
            self.does(who, op, moment);
        }
    }

    /// How long the task may wait for that at most, in moments; nothing if for ever.
    fn patience(&mut self, who: usize, op: SyncOp) -> Option<u64> {
        if op.lets_go() || self.chance.below(3) > 0 {
            return None;
        }
        let steps = self.chance.below(12);
        Some(if steps == 0 { 0 } else { steps * (STEP / MOMENT) + who as u64 + 1 })
    }

    fn run(&mut self) {
        let moments = STEP / MOMENT;
        for step in 1..=STEPS {
            (1..=TASKS as u64).for_each(|moment| self.give_up((step - 1) * moments + moment));
            let who = usize::try_from(self.chance.below(TASKS as u64)).expect("few");
            if self.tasks[who].op.is_some() || self.tasks[who].is_gone {
                continue;
            }
            let Some((op, text)) = self.operation(who) else { continue };
            let at = step * moments;
            let patience = self.patience(who, op);
            if let Some(patience) = patience {
                self.desk.0.waiter(who).attempts(at * MOMENT, (at + patience) * MOMENT, false);
            }
            let task = &mut self.tasks[who];
            let terms =
                patience.map(|patience| format!(", within = '{}us', else = [{{ sleep = '20s' }}] }}", patience * 10));
            let text = terms.map_or(text.clone(), |terms| text.replace(" }", &terms));
            write!(task.program, "{{ sleep = '{}us' }}, {text}, ", (at - task.free) * 10).expect("memory");
            task.free = at;
            match op {
                SyncOp::Lock(sync) | SyncOp::Read(sync) | SyncOp::Write(sync) => task.held.push(sync),
                SyncOp::Unlock(sync) => task.held.retain(|held| *held != sync),
                _ => {}
            }
            self.does(who, op, at);
        }
    }

    /// The same as a file: what is left is given back when all is over.
    fn file(&self) -> String {
        let mut text = format!("[machine]\nprocessors = {TASKS}\n[scheduler]\npolicy = 'priority'\n{}", self.declared);
        for (who, task) in self.tasks.iter().enumerate() {
            let give = |sync: &SyncId| format!("{{ unlock = '{}' }}, ", self.names[sync.index()].1);
            let rest: String = task.held.iter().rev().map(give).collect();
            let (program, priority) = (&task.program, self.priorities[who]);
            write!(text, "[[task]]\nname = 't{who}'\npriority = {priority}\n").expect("memory");
            writeln!(text, "program = [{program}{{ sleep = '1s' }}, {rest}]").expect("memory");
        }
        // As long as this one lives, a deadlock of the others does not end the run.
        text + "[[task]]\nname = 'clock'\nprogram = [{ sleep = '10s' }]"
    }
}

fn scenario(declared: &str, tasks: &str) -> Scenario {
    let text = format!("{declared}\n{tasks}");
    sim_core::scenario::lower::scenario(&sim_core::document::Source { file: "test.toml", text: &text }, &[])
        .unwrap_or_else(|mistakes| panic!("{mistakes}\n{text}"))
}

fn simulated(file: &str) -> BTreeMap<usize, Vec<Wait>> {
    let mut timeline = Timeline::default();
    engine::simulate(&scenario(file, ""), &mut timeline);
    let mut waits: BTreeMap<usize, Vec<Wait>> = BTreeMap::new();
    let last = Time::from_ns(STEPS * STEP);
    for block in timeline.blocks.iter().filter(|block| block.start <= last) {
        let (Cause::Sync(sync), TaskId(task)) = (block.cause, block.task) else { continue };
        let end = (block.end <= last).then_some(block.end.ns() / MOMENT);
        waits.entry(task as usize).or_default().push((sync.0, block.start.ns() / MOMENT, end));
    }
    waits.values_mut().for_each(|waits| waits.sort_unstable_by_key(|wait| wait.1));
    waits
}

#[test]
fn both_arms_let_the_same_tasks_wait_and_go_on() {
    let (mut waited, mut gone) = (0, 0);
    for seed in 0..1000 {
        let mut both = Both::new(seed);
        both.run();
        let file = both.file();
        let simulated = simulated(&file);
        for (who, task) in both.tasks.iter().enumerate() {
            let simulated = simulated.get(&who).map_or(&[][..], Vec::as_slice);
            assert_eq!(task.waits, simulated, "seed {seed}, t{who}: here, and simulated\n{file}");
            waited += task.waits.len();
            gone += usize::from(task.is_gone);
        }
    }
    assert!(waited > 7000 && gone > 2000, "only {waited} waits, and {gone} gave up");
}
