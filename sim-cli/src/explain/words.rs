//! A reason in words.

use sim_core::causes::Doing;
use sim_core::scenario::SyncKind;
use sim_core::time::Span;
use sim_core::timeline::Cause;

use super::{Class, Detail, Explained, Reason};
use crate::letters::visible;
use crate::rows;

/// A share of a wait below this (in percent) is not worth words.
const WORTH_WORDS: u64 = 5;

impl Explained<'_> {
    /// What a task did for so long: `waited 80 ms (66 %) for processor 0 behind cruncher`.
    pub(super) fn clause(&self, reason: &Reason, amount: &str) -> String {
        let behind = self.behind(reason);
        let after = |word: &str| behind.as_ref().map_or_else(String::new, |behind| format!("{word}{behind}"));
        match reason.key.class {
            Class::Running => format!("ran {amount}"),
            Class::Overhead if reason.key.detail == Detail::Start => format!("lost {amount} to the start of processes"),
            Class::Overhead => format!("lost {amount} to switching and other overhead"),
            Class::Throttled if reason.key.detail == Detail::Budget => {
                format!("waited {amount} for the budget of its server")
            }
            Class::Throttled => format!("waited {amount}, throttled: {}", self.used_up(reason)),
            Class::Nobody => format!("waited {amount} although {} was free", self.processor(reason)),
            Class::Queue => match reason.key.detail {
                Detail::Sharing(_) => format!("lost {amount} to others at {}", self.thing(reason)),
                _ => format!("stood {amount} in {}", self.noun(reason)),
            },
            Class::Seek => format!("waited {amount} for {} to get there", self.thing(reason)),
            Class::Service => format!("was served {amount} by {}", self.thing(reason)),
            Class::Sync if matches!(reason.key.detail, Detail::Spin(_)) => {
                format!("spun {amount} for {}{}", self.thing(reason), after(", held by "))
            }
            Class::Sync => format!("waited {amount} for {}{}", self.noun(reason), self.meanwhile(reason)),
            Class::Others if reason.key.detail == Detail::Join => {
                format!("waited {amount} to join {}{}", behind.as_deref().unwrap_or("tasks"), self.meanwhile(reason))
            }
            Class::Previous => format!("waited {amount} for its previous job to end"),
            Class::Others => {
                let others = behind.as_deref().unwrap_or("other tasks");
                format!("could not start for {amount} before the end of {others}{}", self.meanwhile(reason))
            }
            Class::Sleep if reason.key.detail == Detail::Timer => format!("slept {amount}"),
            Class::Sleep => format!("waited {amount} for its next job to be released"),
            Class::Runtime => match reason.key.detail {
                Detail::Blocking(cause) => {
                    let (behind, cause) = (after(" behind "), self.blocked_on(cause));
                    format!("waited {amount} for a thread of its runtime{behind} (blocked {cause})")
                }
                _ => format!("waited {amount} for a thread of its runtime{}", after(" behind ")),
            },
            Class::Processor | Class::Interpreter => format!("waited {amount} for {}", self.noun(reason)),
        }
    }

    /// The same as a few nouns, for tables: `processor 0 behind cruncher`.
    #[must_use]
    pub fn noun(&self, reason: &Reason) -> String {
        let behind = self.behind(reason);
        let after = |word: &str| behind.as_ref().map_or_else(String::new, |behind| format!("{word}{behind}"));
        match reason.key.class {
            Class::Running => "runs".to_owned(),
            Class::Overhead if reason.key.detail == Detail::Start => "the start of processes".to_owned(),
            Class::Overhead => "switching and other overhead".to_owned(),
            Class::Processor => {
                let starts = if reason.key.detail == Detail::Start { " (start of a process)" } else { "" };
                format!("{}{}{starts}", self.processor(reason), after(" behind "))
            }
            Class::Runtime => match reason.key.detail {
                Detail::Blocking(cause) => {
                    format!("runtime behind {} (blocked {})", after(""), self.blocked_on(cause))
                }
                _ => format!("runtime{}", after(" behind ")),
            },
            Class::Interpreter => format!("the interpreter lock{}", after(", held by ")),
            Class::Throttled if reason.key.detail == Detail::Budget => "the budget of its server".to_owned(),
            Class::Throttled => format!("throttled: {}", self.used_up(reason)),
            Class::Nobody => format!("nobody: {} was free", self.processor(reason)),
            Class::Queue => match reason.key.detail {
                Detail::Sharing(_) => format!("others at {}", self.thing(reason)),
                _ => format!("the queue of {}{}", self.thing(reason), after(" behind ")),
            },
            Class::Seek => format!("the way of {}", self.thing(reason)),
            Class::Service => format!("service by {}", self.thing(reason)),
            Class::Sync => {
                let spins = if matches!(reason.key.detail, Detail::Spin(_)) { "spins for " } else { "" };
                format!("{spins}{}{}", self.thing(reason), after(self.link(reason)))
            }
            Class::Others if reason.key.detail == Detail::Join => {
                format!("join of {}", behind.as_deref().unwrap_or("tasks"))
            }
            Class::Previous => "its previous job".to_owned(),
            Class::Others => format!("start after {}", behind.as_deref().unwrap_or("other tasks")),
            Class::Sleep if reason.key.detail == Detail::Release => "until its next job".to_owned(),
            Class::Sleep => "sleeps".to_owned(),
        }
    }

    /// As short as it can be, for the inside of a bar: who was in the way, or which device.
    #[must_use]
    pub fn tag(&self, reason: &Reason) -> String {
        match (self.behind(reason), reason.key.detail) {
            (Some(behind), Detail::Blocking(cause)) => format!("{behind} (blocked {})", self.blocked_on(cause)),
            (Some(behind), _) => behind,
            (None, Detail::Device(_) | Detail::Seek(_) | Detail::Sync(_)) => self.thing(reason),
            (None, Detail::Sharing(_)) => self.noun(reason),
            (None, Detail::Group(_)) => "throttled".to_owned(),
            (None, Detail::Budget) => "budget".to_owned(),
            (None, Detail::Release) => "next job".to_owned(),
            (None, Detail::Previous) => "previous job".to_owned(),
            (None, Detail::Timer) => "sleeps".to_owned(),
            _ => String::new(),
        }
    }

    /// Who was in the way: one by name, several by number and kind.
    fn behind(&self, reason: &Reason) -> Option<String> {
        let kind = reason.key.behind?;
        Some(match reason.behind.len() {
            1 => reason.behind.first().map_or_else(String::new, |task| self.name(*task).to_owned()),
            several => format!("{several} × {}", visible(&self.kinds.short_name(kind))),
        })
    }

    fn processor(&self, reason: &Reason) -> String {
        match reason.cpus.first() {
            Some(cpu) if reason.cpus.len() == 1 && self.timeline.cast.processors.get(*cpu).is_some() => {
                rows::processor_label(self.timeline, *cpu)
            }
            _ => "a processor".to_owned(),
        }
    }

    /// What of which quota was used up: `group web had used its 50 ms`.
    fn used_up(&self, reason: &Reason) -> String {
        let Detail::Group(group) = reason.key.detail else { return String::new() };
        let group = &self.timeline.cast.groups[group];
        let amount = group.quota.map_or_else(String::new, |quota| format!(" its {}", quota.amount.readable()));
        format!("group `{}` had used{amount}", visible(&group.name))
    }

    /// The device or synchronisation object.
    fn thing(&self, reason: &Reason) -> String {
        let cast = &self.timeline.cast;
        match reason.key.detail {
            Detail::Device(device) | Detail::Seek(device) | Detail::Sharing(device) => {
                visible(&cast.devices[device].name).into_owned()
            }
            Detail::Sync(sync) | Detail::Spin(sync) => visible(&cast.syncs[sync].to_string()).into_owned(),
            _ => String::new(),
        }
    }

    /// What the one in the way is to a synchronisation object: its holder, or the one who ended the wait.
    fn link(&self, reason: &Reason) -> &'static str {
        let (Detail::Sync(sync) | Detail::Spin(sync)) = reason.key.detail else { return "" };
        match self.timeline.cast.syncs[sync].kind {
            SyncKind::Channel { .. } | SyncKind::Condvar | SyncKind::Barrier { .. } => ", ended by ",
            _ => ", held by ",
        }
    }

    fn blocked_on(&self, cause: Cause) -> String {
        let cast = &self.timeline.cast;
        match cause {
            Cause::Device(device) => format!("on {}", visible(&cast.devices[device].name)),
            Cause::Sync(sync) => format!("on {}", visible(&cast.syncs[sync].to_string())),
            Cause::Timer => "asleep".to_owned(),
            Cause::Join => "in a join".to_owned(),
            Cause::After => "until others end".to_owned(),
            Cause::Release => "until its next job".to_owned(),
        }
    }

    /// What the one in the way was doing, unless it simply ran: ` (which was blocked on disk for 3 ms of it)`.
    fn meanwhile(&self, reason: &Reason) -> String {
        let worth = |span: &Span| span.ns().saturating_mul(100) >= reason.length.ns().saturating_mul(WORTH_WORDS);
        let mut doings: Vec<(&Doing, &Span)> = reason.doings.iter().filter(|(_, span)| worth(span)).collect();
        doings.sort_by_key(|(_, span)| std::cmp::Reverse(**span));
        let words = doings.into_iter().map(|(doing, span)| {
            let doing = self.does(doing);
            format!("{doing} for {} of it", span.readable())
        });
        let words: Vec<String> = words.collect();
        if words.is_empty() { String::new() } else { format!(" (which {})", words.join(", ")) }
    }

    /// What the one in the way did: `was blocked on disk`.
    pub(super) fn does(&self, doing: &Doing) -> String {
        match doing {
            Doing::Running => "ran".to_owned(),
            Doing::Switching => "was switched to".to_owned(),
            Doing::Starting => "paid for the start of a process".to_owned(),
            Doing::Waiting => "waited to run".to_owned(),
            Doing::Blocked(cause) => format!("was blocked {}", self.blocked_on(*cause)),
            Doing::Absent => "had not arrived".to_owned(),
        }
    }
}
