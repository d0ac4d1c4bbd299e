//! What a candidate for a speed-up has to do with the critical path, and why it gains nothing if it does not.

use std::cell::OnceCell;
use std::collections::BTreeMap;

use sim_core::causes::critical_path::{Does, Link};
use sim_core::causes::{Causes, Kind, What};
use sim_core::ids::{CpuId, DeviceId, KindId, ProcessId, SpecId, TaskId};
use sim_core::scenario::Op;
use sim_core::speedup::{Candidate, Subject};
use sim_core::time::Span;

use super::path::Told;
use super::share;
use crate::letters::visible;
use crate::report::gains::Beside;

/// A critical path and what all tasks waited for.
pub struct Reasons<'a> {
    told: &'a Told<'a>,
    /// Is it the path of the figure that is judged?
    explains: bool,
    /// What the tasks of each kind waited for longest, for how long, and of how much time. Known when it is asked for.
    waits: OnceCell<BTreeMap<KindId, (What, Span, Span)>>,
}

impl<'a> Reasons<'a> {
    /// Of a run and its path, which is that of the figure that is judged, or not.
    #[must_use]
    pub fn new(told: &'a Told<'a>, explains: bool) -> Reasons<'a> {
        Reasons { told, explains, waits: OnceCell::new() }
    }

    fn longest_waits(&self) -> BTreeMap<KindId, (What, Span, Span)> {
        let causes = Causes::of(self.told.timeline());
        let mut sums: BTreeMap<KindId, BTreeMap<What, Span>> = BTreeMap::new();
        for (task, parts) in causes.tasks.pairs() {
            let sums = sums.entry(self.told.kind(task)).or_default();
            for part in parts {
                // One processor is as good as another.
                let any = What::Processor(CpuId(u32::MAX));
                let what = if let What::Processor(_) = part.what { any } else { part.what };
                *sums.entry(what).or_default() += part.length;
            }
        }
        let longest = |sums: BTreeMap<What, Span>| {
            let whole = sums.values().copied().sum();
            let waits = sums.into_iter().filter(|(what, _)| matches!(what.kind(), Kind::Waiting | Kind::Blocked));
            waits.max_by_key(|(_, length)| *length).map(|(what, length)| (what, length, whole))
        };
        sums.into_iter().filter_map(|(kind, sums)| Some((kind, longest(sums)?))).collect()
    }

    /// May links of the path belong to a subject whose places in their programs are not known?
    fn is_unsure(&self, subject: &Subject) -> bool {
        let scenario = self.told.scenario();
        let may_be = |link: &Link, op: &Op| match (link.does, op) {
            (Does::Runs(None), Op::Cpu(_)) | (Does::Is(What::Timer, None), Op::Sleep(_)) => true,
            (Does::Is(What::Service(on) | What::Seek(on), None), Op::Io { device, .. }) => on == *device,
            _ => false,
        };
        let ops = |spec: SpecId| &scenario.specs[spec].program.ops;
        self.told.links().iter().filter(|link| link.position().is_none()).any(|link| match subject {
            Subject::Phase { kind, spec, op } => {
                self.told.kind(link.task) == *kind && may_be(link, &ops(*spec)[*op as usize])
            }
            Subject::Section(sync) => {
                let spec = SpecId(self.told.timeline().tasks[link.task].spec);
                scenario.within(spec, *sync).iter().any(|op| may_be(link, &ops(spec)[*op as usize]))
            }
            _ => false,
        })
    }

    /// How much of the path the links are that belong to a subject; `None` if it has none of its own, or that is not known.
    fn length(&self, subject: &Subject) -> Option<Span> {
        if self.is_unsure(subject) {
            return None;
        }
        let all = |belongs: &dyn Fn(&Link) -> bool| {
            Some(self.told.links().iter().filter(|link| belongs(link)).map(Link::length).sum())
        };
        match subject {
            Subject::Phase { kind, op, .. } => {
                all(&|link| self.told.kind(link.task) == *kind && link.position() == Some(*op))
            }
            Subject::Work => all(&|link| matches!(link.does, Does::Runs(_))),
            Subject::Device(device) => all(&|link| match link.does {
                Does::Is(What::Service(on) | What::Seek(on), _) => on == *device,
                _ => false,
            }),
            Subject::Section(sync) => all(&|link| {
                let spec = SpecId(self.told.timeline().tasks[link.task].spec);
                link.position().is_some_and(|op| self.told.scenario().within(spec, *sync).contains(&op))
            }),
            Subject::Quota(group) => all(&|link| matches!(link.does, Does::Is(What::Throttled(by), _) if by == *group)),
            Subject::Cost(_) => all(&|link| matches!(link.does, Does::Is(What::Overhead, _))),
            _ => None,
        }
    }

    fn device(&self, device: DeviceId) -> String {
        visible(&self.told.scenario().devices[device].name).into_owned()
    }

    /// Does somebody on the path wait for one of these?
    fn waits(&self, is_it: impl Fn(What) -> bool) -> bool {
        self.told.links().iter().any(|link| link.holds_up.is_some_and(|held| is_it(held.what)))
    }

    /// Does somebody on the path wait for a thread of such a process?
    fn waits_in(&self, process: ProcessId) -> bool {
        let scenario = self.told.scenario();
        let is_its = |task: TaskId| {
            let spec = SpecId(self.told.timeline().tasks[task].spec);
            scenario.base_name(scenario.specs[spec].process) == scenario.base_name(process)
        };
        let mut held = self.told.links().iter().filter_map(|link| link.holds_up);
        held.any(|held| held.what == What::Runtime && is_its(held.task))
    }

    /// Why more of something is of no use.
    fn no_more(&self, wanted: bool, thing: &str) -> String {
        if wanted {
            format!("the path waits for {thing}, but what comes then takes as long")
        } else {
            format!("nothing on the critical path waits for {thing}")
        }
    }
}

impl Beside for Reasons<'_> {
    fn explains(&self) -> bool {
        self.explains
    }

    #[expect(clippy::cast_precision_loss, reason = "for people's eyes")]
    fn share(&self, candidate: &Candidate) -> Option<f64> {
        if !self.explains {
            return None;
        }
        let (part, whole) = (self.length(&candidate.subjects[0])?, self.told.length());
        (!whole.is_zero()).then(|| part.ns() as f64 / whole.ns() as f64)
    }

    fn why_not(&self, candidate: &Candidate) -> String {
        let subject = &candidate.subjects[0];
        if !self.explains {
            return "it makes no difference to that".to_owned();
        }
        if let Some(part) = self.length(subject).filter(|part| !part.is_zero()) {
            let share = share(part, self.told.length());
            return format!("it is {share} of the critical path, but without it another chain of events takes as long");
        }
        match subject {
            subject if self.is_unsure(subject) => "how much of the critical path it is, is not known".to_owned(),
            Subject::Phase { kind, .. } => {
                let worth_words = |(_, length, whole): &&(What, Span, Span)| length.ns() > whole.ns() / 20;
                let waits = self.waits.get_or_init(|| self.longest_waits()).get(kind).filter(worth_words).map_or_else(
                    String::new,
                    |(what, length, whole)| {
                        let does = match what {
                            What::Timer => "sleeps".to_owned(),
                            What::Service(device) | What::Seek(device) => format!("waits for {}", self.device(*device)),
                            What::Release => "waits for its next release".to_owned(),
                            what => format!("waits {}", self.told.awaited(*what)),
                        };
                        format!("; {} {does} for {} of its time", self.told.kind_name(*kind), share(*length, *whole))
                    },
                );
                format!("not on the critical path{waits}")
            }
            Subject::Channels(device) => {
                let place = format!("a place at {}", self.device(*device));
                self.no_more(self.waits(|what| what == What::Queue(*device)), &place)
            }
            Subject::Processors => self.no_more(self.waits(|what| matches!(what, What::Processor(_))), "a processor"),
            Subject::Workers(process) | Subject::Limit(process, _) => {
                let name = visible(self.told.scenario().base_name(*process)).into_owned();
                self.no_more(self.waits_in(*process), &format!("a thread of {name}"))
            }
            Subject::Quota(group) => self.no_more(self.waits(|what| what == What::Throttled(*group)), "that quota"),
            Subject::SwitchInterval(_) => {
                self.no_more(self.waits(|what| what == What::Interpreter), "the interpreter lock")
            }
            Subject::Quantum(_) => "how long a turn is makes no difference".to_owned(),
            _ => "not on the critical path".to_owned(),
        }
    }
}
