//! The desk beside the simulator: in a world in which nothing takes time but work and sleep, both decide alike, whatever the
//! policy.

use std::cell::RefCell;
use std::fmt::Write as _;

use sim_core::engine::simulate;
use sim_core::ids::SpecId;
use sim_core::policy::{POLICIES, Slot, Who};
use sim_core::program::{Cursor, Outlook, Step, program_stream};
use sim_core::rng::{Stream, StreamName};
use sim_core::scenario::{OnMiss, Periodic, Scenario};
use sim_core::time::{Span, Time};
use sim_core::timeline::{Job, Timeline};

use super::desk::{Desk, Order, Said};
use super::floor::{Burst, Facts};
use crate::play::world::arrivals;
use crate::tests::scenario;

/// An instance in that world.
struct Actor {
    spec: SpecId,
    number: u32,
    cursor: Cursor,
    /// What is left of its burst.
    work: Span,
    /// How long that was, and since when it is under way.
    burst: Burst,
    taken: Span,
    jobs_left: Option<u64>,
    /// Its processor, and since when it works there.
    place: Option<(Slot, Time)>,
    finished: bool,
}

#[derive(Default)]
struct Stage {
    actors: RefCell<Vec<Actor>>,
    after: Vec<Vec<SpecId>>,
}

impl Facts for Stage {
    fn burst(&self, who: Who) -> Burst {
        self.actors.borrow()[who.0 as usize].burst
    }

    fn taken(&self, who: Who) -> Span {
        self.actors.borrow()[who.0 as usize].taken
    }

    fn lender(&self, _: Who) -> Option<SpecId> {
        None
    }

    fn may_start(&self, spec: SpecId) -> bool {
        let actors = self.actors.borrow();
        self.after[spec.0 as usize]
            .iter()
            .all(|before| actors.iter().all(|actor| actor.spec != *before || actor.finished))
    }
}

/// Who was on which processor, and when; touching pieces are one.
type Stays = Vec<(u32, u32, Time, Time)>;

fn merged(mut stays: Stays) -> Stays {
    stays.retain(|(_, _, start, end)| start < end);
    stays.sort_by_key(|(cpu, _, start, _)| (*cpu, *start));
    let mut merged: Stays = Vec::new();
    for stay in stays {
        match merged.last_mut() {
            Some((cpu, who, _, end)) if (*cpu, *who, *end) == (stay.0, stay.1, stay.2) => *end = stay.3,
            _ => merged.push(stay),
        }
    }
    merged
}

struct Play<'a> {
    scenario: &'a Scenario,
    stage: &'a Stage,
    desk: Desk<'a>,
    now: Time,
    stays: Stays,
}

impl Play<'_> {
    /// Acts until nothing happens any more, or the horizon.
    fn run(mut self) -> (Stays, Vec<Job>) {
        let horizon = self.scenario.until.unwrap_or(Time::NEVER);
        for _ in 0..100_000 {
            for slot in 0..self.scenario.machine.processors.len() {
                self.ends_burst(Slot(u32::try_from(slot).expect("few")));
            }
            self.desk.advance(self.now);
            self.obeys();
            self.desk.dispatch();
            while self.obeys() {
                self.desk.dispatch();
            }
            let ends = self
                .stage
                .actors
                .borrow()
                .iter()
                .filter(|actor| actor.place.is_some())
                .map(|actor| self.now + actor.work)
                .min();
            let next = ends.unwrap_or(Time::NEVER).min(self.desk.next_due());
            if next.is_never() || next >= horizon {
                self.works_until(if next.is_never() { self.now } else { horizon });
                break;
            }
            self.works_until(next);
        }
        (merged(self.stays), self.desk.finish(self.now))
    }

    fn works_until(&mut self, next: Time) {
        for (who, actor) in (0..).zip(self.stage.actors.borrow_mut().iter_mut()) {
            if let Some((slot, _)) = actor.place {
                actor.work = actor.work.saturating_sub(next.since(self.now));
                self.stays.push((slot.0, who, self.now, next));
            }
        }
        self.now = next;
    }

    /// Does what the desk orders; is that anything?
    fn obeys(&mut self) -> bool {
        let orders = self.desk.orders();
        for order in &orders {
            match *order {
                Order::Go(who, slot) => {
                    {
                        let actor = &mut self.stage.actors.borrow_mut()[who.0 as usize];
                        actor.place = Some((slot, self.now));
                        if actor.burst.begun.is_none() {
                            actor.burst.begun = Some(self.now);
                        }
                    }
                    self.desk.began(who, self.now);
                    if self.stage.actors.borrow()[who.0 as usize].work.is_zero() {
                        self.ends_burst(slot);
                    }
                }
                Order::Stop(who) => {
                    self.says(who, Said::StandsAside);
                }
            }
        }
        !orders.is_empty()
    }

    fn says(&mut self, who: Who, said: Said) {
        self.desk.said(who, said, self.now);
        self.stage.actors.borrow_mut()[who.0 as usize].place = None;
    }

    /// Whoever is on the processor, and has done its burst, goes on to the next thing.
    fn ends_burst(&mut self, slot: Slot) {
        let actors = self.stage.actors.borrow();
        let here = (0..).zip(actors.iter()).find(|(_, actor)| actor.place.is_some_and(|(place, _)| place == slot));
        let Some((who, _)) = here.filter(|(_, actor)| actor.work.is_zero()) else { return };
        drop(actors);
        let said = loop {
            let actor = &mut self.stage.actors.borrow_mut()[who as usize];
            let (spec, number) = (actor.spec, actor.number);
            let program = &self.scenario.specs[spec].program;
            match actor.cursor.step(program, || program_stream(self.scenario, spec, number)) {
                Step::Cpu(work) if work.is_zero() => {}
                Step::Cpu(work) => {
                    actor.work = work;
                    actor.taken += work;
                    actor.burst = Burst { length: work, ahead: ahead(self.scenario, actor), begun: Some(self.now) };
                    return;
                }
                Step::Sleep(length) => break Said::Sleeps(self.now + length),
                Step::Yield => break Said::Yields,
                Step::End(_) if actor.jobs_left == Some(0) => {
                    actor.finished = true;
                    break Said::Finishes;
                }
                Step::End(_) => {
                    actor.jobs_left = actor.jobs_left.map(|jobs| jobs - 1);
                    actor.cursor.restart();
                    actor.taken = Span::ZERO;
                    break Said::EndsJob;
                }
                _ => {}
            }
        };
        foresees(self.scenario, &mut self.stage.actors.borrow_mut()[who as usize]);
        self.says(Who(who), said);
        if said == Said::EndsJob && self.desk.release_of(Who(who)).is_never() {
            // It is to go on to its end.
            let actor = &mut self.stage.actors.borrow_mut()[who as usize];
            actor.cursor.go_to(u32::MAX);
            (actor.jobs_left, actor.work) = (Some(0), Span::ZERO);
            actor.burst = Burst { length: Span::ZERO, ahead: Span::ZERO, begun: None };
        }
    }
}

fn foresees(scenario: &Scenario, actor: &mut Actor) {
    let (spec, number) = (actor.spec, actor.number);
    let name = || program_stream(scenario, spec, number);
    let work = actor.cursor.take_burst(&scenario.specs[spec].program, &mut 1000, name);
    actor.taken += work;
    actor.work = work;
    actor.burst = Burst { length: work, ahead: ahead(scenario, actor), begun: None };
}

fn ahead(scenario: &Scenario, actor: &Actor) -> Span {
    let Actor { spec, number: instance, work, ref cursor, .. } = *actor;
    Outlook { scenario, spec, instance, now: Time::ZERO, has_begun: !work.is_zero(), value: |_| 0 }.work_ahead(cursor)
}

fn by_desk(scenario: &Scenario) -> (Stays, Vec<Job>) {
    let mut stage = Stage::default();
    let mut all = Vec::new();
    for (spec, described) in scenario.specs.pairs() {
        stage.after.push(described.after.to_vec());
        for (number, at) in (0..).zip(arrivals(scenario, spec)) {
            let cursor = Cursor::new(&described.program);
            let periodic = described.attributes.periodic.as_ref();
            let is_told = |periodic: &Periodic| periodic.on_miss == OnMiss::Skip;
            let jobs_left =
                |periodic: &Periodic| if is_told(periodic) { None } else { periodic.jobs.map(|jobs| jobs - 1) };
            let jobs_left = periodic.map_or(Some(0), jobs_left);
            let burst = Burst { length: Span::ZERO, ahead: Span::ZERO, begun: None };
            let (work, taken) = (Span::ZERO, Span::ZERO);
            let mut actor = Actor { spec, number, cursor, work, burst, taken, jobs_left, place: None, finished: false };
            foresees(scenario, &mut actor);
            stage.actors.borrow_mut().push(actor);
            all.push((spec, number, at));
        }
    }
    let desk = Desk::new(scenario, &stage, all.into_iter());
    Play { scenario, stage: &stage, desk, now: Time::ZERO, stays: Vec::new() }.run()
}

fn by_simulator(scenario: &Scenario) -> (Stays, Vec<Job>) {
    let mut timeline = Timeline::default();
    simulate(scenario, &mut timeline);
    let stays = timeline.intervals.iter().map(|it| (it.cpu.0, it.task.0, it.start, it.end)).collect();
    (merged(stays), timeline.jobs)
}

/// Some tasks, in whole milliseconds or not, on one processor or several.
fn generated(stream: &mut Stream, policy: &str) -> String {
    let mut up_to = |most: u64| stream.next_u64() % most;
    let quantum = ["1ms", "3ms", "2500us"][usize::try_from(up_to(3)).unwrap_or(0)];
    let parameters = match policy {
        "round-robin" | "lottery" | "stride" => format!("quantum = '{quantum}'"),
        "feedback" => format!("quanta = ['{quantum}', '4ms']"),
        "mlfq" => format!(
            "levels = [{{ quantum = '{quantum}', allotment = 2 }}, {{ quantum = '4ms', allotment = 1 }}], boost = '20ms'"
        ),
        "priority" => ["preemptive = false", "aging = '3ms'", "quantum = '2ms'", ""]
            [usize::try_from(up_to(4)).unwrap_or(0)]
        .into(),
        _ => String::new(),
    };
    let comma = if parameters.is_empty() { "" } else { ", " };
    let mut text = format!("until = '120ms'\nscheduler = {{ policy = '{policy}'{comma}{parameters} }}\n");
    let processors = 1 + up_to(2);
    let _ = writeln!(text, "machine = {{ processors = {processors} }}");
    let periodic = matches!(policy, "edf" | "llf" | "rate-monotonic" | "deadline-monotonic");
    for name in 0..2 + up_to(4) {
        let _ = writeln!(
            text,
            "[[task]]\nname = 't{name}'\npriority = {}\nnice = {}\ntickets = {}",
            up_to(3),
            up_to(5),
            1 + up_to(9)
        );
        if processors > 1 && up_to(5) == 0 {
            let _ = writeln!(text, "affinity = [{}]", up_to(2));
        }
        if periodic {
            let _ = writeln!(
                text,
                "period = '{}us'\njobs = 4\nprogram = [{{ cpu = '{}us' }}]\non-miss = '{}'",
                9000 + up_to(20_000),
                500 + up_to(8000),
                if up_to(2) == 0 { "skip" } else { "continue" }
            );
            continue;
        }
        let _ = writeln!(text, "arrival = '{}us'", up_to(4) * 1500);
        if name > 1 && up_to(4) == 0 {
            let _ = writeln!(text, "after = ['t0']");
        }
        let mut ops = vec![format!("{{ cpu = '{}us' }}", 100 + up_to(9000))];
        for _ in 0..up_to(4) {
            ops.push(match up_to(4) {
                0 => "'yield'".replace('\'', "\""),
                1 => format!("{{ cpu = '{}us' }}", up_to(3000)),
                _ => format!("{{ sleep = '{}us' }}", 100 + up_to(5000)),
            });
            ops.push(format!("{{ cpu = '{}us' }}", 100 + up_to(6000)));
        }
        let _ = writeln!(text, "program = [{}]", ops.join(", "));
    }
    text
}

#[test]
fn the_desk_decides_as_the_simulator_does_under_every_policy() {
    for kind in POLICIES {
        let mut stream = StreamName::new(7).word("desk").word(kind.name).stream();
        for round in 0..60 {
            let text = generated(&mut stream, kind.name);
            let scenario = scenario(&text);
            let (real, simulated) = (by_desk(&scenario), by_simulator(&scenario));
            assert_eq!(real.0, simulated.0, "{} in round {round}:\n{text}", kind.name);
            let sorted = |mut jobs: Vec<Job>| {
                jobs.sort_by_key(|job| (job.task, job.release));
                jobs
            };
            assert_eq!(sorted(real.1), sorted(simulated.1), "{} in round {round}:\n{text}", kind.name);
        }
    }
}

#[test]
fn those_who_are_spawned_at_once_may_be_told_of_in_any_order() {
    let tasks =
        "task = [{ name = 'p', program = [{ spawn = 'c' }] }, { name = 'c', arrival = 'spawned', program = [] }]";
    let scenario = scenario(tasks);
    let stage = Stage { after: vec![Vec::new(); 2], ..Stage::default() };
    let burst = Burst { length: Span::ZERO, ahead: Span::ZERO, begun: None };
    let actor = |spec, number| Actor {
        spec,
        number,
        cursor: Cursor::new(&scenario.specs[spec].program),
        work: Span::ZERO,
        burst,
        taken: Span::ZERO,
        jobs_left: Some(0),
        place: None,
        finished: false,
    };
    let (parent, child) = (SpecId(0), SpecId(1));
    stage.actors.borrow_mut().extend([actor(parent, 0), actor(child, 0), actor(child, 1)]);
    let mut desk = Desk::new(&scenario, &stage, std::iter::once((parent, 0, Time::ZERO)));
    desk.advance(Time::ZERO);
    desk.dispatch();
    desk.spawned(Who(2), (child, 1), Who(0), Time::ZERO);
    desk.spawned(Who(1), (child, 0), Who(0), Time::ZERO);
    let mut order = Vec::new();
    for _ in 0..3 {
        for told in desk.orders() {
            if let Order::Go(who, _) = told {
                order.push(who.0);
                desk.said(who, Said::Finishes, Time::ZERO);
            }
        }
        desk.dispatch();
    }
    assert_eq!(order, [0, 2, 1], "first come, first served");
}
