//! Policies that break their contract, each in one way, and what is said of them.

use std::collections::VecDeque;

use super::*;
use crate::document::Source;
use crate::engine::simulate;
use crate::scenario::lower;

/// What is wrong with a policy that is otherwise first come, first served.
#[derive(Clone, Copy, Debug)]
enum Fault {
    None,
    PicksSomebodyTwice,
    PicksNobodyKnown,
    ForgetsAffinity,
    Miscounts,
    SliceOfNothing,
    SliceUntilNow,
    DisplacesOnIdle,
    DisplacesWhereForbidden,
    RecallsSomebodyAway,
    RingsForEver,
}

#[derive(Debug)]
struct Faulty(Fault);

impl Settings for Faulty {
    fn build(&self, _: &Setup) -> Box<dyn Policy> {
        Box::new(Queue { fault: self.0, ready: VecDeque::new(), last: None, rang: false })
    }
}

struct Queue {
    fault: Fault,
    ready: VecDeque<Who>,
    last: Option<Who>,
    rang: bool,
}

impl Policy for Queue {
    fn ready(&mut self, who: Who, _: Why, _: &View<'_>) {
        self.ready.push_back(who);
    }

    fn pick(&mut self, slot: Slot, view: &View<'_>) -> Option<Turn> {
        let allowed = |who: &Who| matches!(self.fault, Fault::ForgetsAffinity) || view.floor.allowed(*who, slot);
        let place = self.ready.iter().position(allowed)?;
        let who = match self.fault {
            Fault::PicksNobodyKnown => Who(77),
            Fault::PicksSomebodyTwice if self.last.is_some() => self.last?,
            _ => self.ready.remove(place)?,
        };
        self.last = Some(who);
        let slice = match self.fault {
            Fault::SliceOfNothing => Slice::For(Span::ZERO),
            Fault::SliceUntilNow => Slice::Until(view.now),
            _ => Slice::Endless,
        };
        Some(Turn { who, slice })
    }

    fn waiting(&self) -> usize {
        self.ready.len() + usize::from(matches!(self.fault, Fault::Miscounts) && self.last.is_some())
    }

    fn traits(&self) -> Traits {
        let has_alarms = matches!(self.fault, Fault::RecallsSomebodyAway | Fault::RingsForEver);
        Traits { preemptive: true, has_alarms, ..Traits::default() }
    }

    fn displaces(&mut self, _: Who, _: &View<'_>) -> Option<Slot> {
        match self.fault {
            Fault::DisplacesOnIdle => Some(Slot(2)),
            Fault::DisplacesWhereForbidden => Some(Slot(0)),
            _ => None,
        }
    }

    fn alarm(&self) -> Time {
        if self.rang { Time::NEVER } else { Time::from_ns(1) }
    }

    fn ring(&mut self, again: &mut Vec<Who>, _: &View<'_>) {
        self.rang = !matches!(self.fault, Fault::RingsForEver);
        again.extend(matches!(self.fault, Fault::RecallsSomebodyAway).then_some(Who(9)));
    }
}

#[test]
fn the_first_breach_is_told_and_the_run_ends() {
    // Processor 2 stays idle: nobody may use it.
    let text = r#"
        machine = { processors = 3 }
        task = [
            { name = "a", affinity = [0], program = [{ cpu = "5ms" }, { sleep = "1ms" }, { cpu = "5ms" }] },
            { name = "b", affinity = [1], program = [{ cpu = "5ms" }, { sleep = "1ms" }, { cpu = "5ms" }] },
            { name = "c", affinity = [1], program = [{ cpu = "5ms" }] },
        ]
    "#;
    let mut scenario = lower::scenario(&Source { file: "test", text }, &[]).expect("valid");
    for (fault, breach) in [
        (Fault::None, ""),
        (Fault::PicksSomebodyTwice, "at 0ns, the policy picks 0 for slot 1, which runs on slot 0"),
        (Fault::PicksNobodyKnown, "at 0ns, the policy picks 77 for slot 0, which is not ready"),
        (Fault::ForgetsAffinity, "at 0ns, the policy picks 2 for slot 2, which it may not use"),
        (Fault::Miscounts, "at 0ns, the policy says after `pick` that 3 are waiting, but 2 are"),
        (Fault::SliceOfNothing, "at 0ns, the policy gives 0 a slice that is over at once"),
        (Fault::SliceUntilNow, "at 0ns, the policy gives 0 a slice that is over at once"),
        (Fault::DisplacesOnIdle, "at 0ns, the policy gives 2 slot 2, on which nobody runs"),
        (Fault::DisplacesWhereForbidden, "at 0ns, the policy gives 2 slot 0, which it may not use"),
        (Fault::RecallsSomebodyAway, "at 1ns, the policy wants 9 to be asked, who is not ready"),
        (Fault::RingsForEver, "at 1ns, the alarm of the policy rings again at once"),
    ] {
        scenario.scheduler.settings = Arc::new(Faulty(fault));
        let (watched, guard) = watch(&scenario);
        simulate(&watched, &mut ());
        assert_eq!(guard.verdict().err().unwrap_or_default(), breach, "{fault:?}");
    }
}

#[test]
fn it_changes_nothing() {
    let timeline = |scenario: &Scenario| {
        let mut timeline = crate::timeline::Timeline::default();
        simulate(scenario, &mut timeline);
        timeline
    };
    for (scheduler, label) in [
        ("policy = 'round-robin', quantum = '2ms'", "round-robin (quantum 2ms)"),
        ("policy = 'priority', aging = '2ms'", "priority (preemptive, aging 2ms)"),
        ("policy = 'mlfq', levels = [{ quantum = '2ms' }], boost = '3ms'", "mlfq (levels 2ms×1, boost 3ms)"),
        ("policy = 'llf', quantum = '2ms'", "llf (quantum 2ms)"),
    ] {
        // Of those who wait for the lock, the most urgent gets it.
        let text = format!(
            r#"
            scheduler = {{ {scheduler} }}
            lock = [{{ name = "m" }}]
            [[task]]
            name = "a"
            count = 3
            program = [{{ with = "m", do = [{{ cpu = "5ms" }}, {{ sleep = "1ms" }}] }}]
            [[task]]
            name = "b"
            arrival = "1ms"
            priority = 1
            period = "9ms"
            jobs = 2
            program = [{{ with = "m", do = [{{ cpu = "1ms" }}] }}]
            "#
        );
        let scenario = lower::scenario(&Source { file: "test", text: &text }, &[]).expect("valid");
        let (watched, guard) = watch(&scenario);
        assert_eq!(timeline(&watched), timeline(&scenario), "{scheduler}");
        assert_eq!(guard.verdict(), Ok(()), "{scheduler}");
        assert_eq!(watched.scheduler.label(), label);
        assert_eq!(watched.scheduler.settings.step(), scenario.scheduler.settings.step(), "{scheduler}");
    }
}
