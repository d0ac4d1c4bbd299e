//! Where the time of all tasks went, in both runs.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use sim_core::causes::{Causes, What};
use sim_core::outcome::reading::{Reading, TaskReading};
use sim_core::timeline::Timeline;

use super::Side;
use crate::letters::visible;

/// What time went to: the words of the outcome, without behind whom and on which processor.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Cause {
    /// `running`, `waiting`, `blocked` or `overhead`.
    pub kind: String,
    /// More exactly, if there is more to say.
    pub what: Option<String>,
    /// The device or the synchronisation object.
    pub of: Option<String>,
}

impl Cause {
    /// The whole of a kind.
    fn sum(kind: &str) -> Cause {
        Cause { kind: kind.to_owned(), what: None, of: None }
    }

    /// For people: `waiting for a processor`, `in the queue of disk`.
    #[must_use]
    pub fn words(&self) -> String {
        let of = self.of.as_deref().map(visible).unwrap_or_default();
        match (self.kind.as_str(), self.what.as_deref()) {
            ("overhead", Some(_)) => "starting processes".to_owned(),
            ("overhead", None) => "switching and other overhead".to_owned(),
            (_, Some("spin")) => format!("spinning for {of}"),
            (_, Some("processor")) => "waiting for a processor".to_owned(),
            (_, Some("runtime")) => "waiting in a runtime".to_owned(),
            (_, Some("interpreter")) => "waiting for the interpreter lock".to_owned(),
            (_, Some("throttled")) => "standing still without quota".to_owned(),
            (_, Some("budget")) => "waiting for the budget of a server".to_owned(),
            (_, Some("nobody")) => "waiting beside a free processor".to_owned(),
            (_, Some("device-queue")) => format!("in the queue of {of}"),
            (_, Some("device-seek")) => format!("the way of {of}"),
            (_, Some("device-service")) => format!("served by {of}"),
            (_, Some("device-sharing")) => format!("sharing {of} with others"),
            (_, Some("timer")) => "sleeping".to_owned(),
            (_, Some("join")) => "joining others".to_owned(),
            (_, Some("after")) => "coming after others".to_owned(),
            (_, Some("release")) => "until the next job".to_owned(),
            (_, Some("previous-job")) => "waiting for the previous job".to_owned(),
            (_, Some(word)) => format!("waiting for {word} {of}"),
            (kind, None) => kind.to_owned(),
        }
    }
}

/// The causes of a run that is known as a whole, summed over its tasks.
#[must_use]
pub fn of_timeline(timeline: &Timeline) -> BTreeMap<Cause, u64> {
    let mut sums: BTreeMap<Cause, u64> = BTreeMap::new();
    for part in Causes::of(timeline).tasks.iter().flatten() {
        let of = match part.what {
            What::Queue(id) | What::Seek(id) | What::Service(id) | What::Sharing(id) => {
                Some(&timeline.cast.devices[id].name)
            }
            What::Sync(sync) | What::Spin(sync) => Some(&timeline.cast.syncs[sync].name),
            _ => None,
        };
        let what = part.what.name(timeline).map(str::to_owned);
        let cause = Cause { kind: part.what.kind().name().to_owned(), what, of: of.cloned() };
        *sums.entry(cause).or_default() += part.length.ns();
    }
    sums
}

/// The causes that a document has, summed over its tasks; `None` if it has none.
#[must_use]
pub fn of_reading(reading: &Reading) -> Option<BTreeMap<Cause, u64>> {
    let mut sums: BTreeMap<Cause, u64> = BTreeMap::new();
    for task in &reading.tasks {
        for part in task.causes.as_ref()? {
            let of = part.device.clone().or_else(|| part.object.clone());
            let cause = Cause { kind: part.kind.clone(), what: part.what.clone(), of };
            *sums.entry(cause).or_default() += part.ns;
        }
    }
    Some(sums)
}

/// Those of both, what differs most first; and are they no more than the sums that every outcome has?
pub(super) fn both(sides: &[Side; 2]) -> (Vec<(Cause, [u64; 2])>, bool) {
    let known = sides[0].causes.as_ref().zip(sides[1].causes.as_ref());
    let only_sums = known.is_none();
    let of_sides: [BTreeMap<Cause, u64>; 2] = match known {
        Some((a, b)) => [a.clone(), b.clone()],
        None => [sums(&sides[0].reading), sums(&sides[1].reading)],
    };
    let mut rows: BTreeMap<Cause, [u64; 2]> = BTreeMap::new();
    for (side, sums) in of_sides.into_iter().enumerate() {
        sums.into_iter().for_each(|(cause, ns)| rows.entry(cause).or_default()[side] = ns);
    }
    let mut rows: Vec<(Cause, [u64; 2])> = rows.into_iter().filter(|(_, sides)| *sides != [0, 0]).collect();
    rows.sort_by_key(|(_, [a, b])| Reverse(a.abs_diff(*b)));
    (rows, only_sums)
}

fn sums(reading: &Reading) -> BTreeMap<Cause, u64> {
    let sum = |of: fn(&TaskReading) -> u64| reading.tasks.iter().map(of).sum();
    [
        (Cause::sum("running"), sum(|task| task.running_ns)),
        (Cause::sum("waiting"), sum(|task| task.waiting_ns)),
        (Cause::sum("blocked"), sum(|task| task.blocked_ns)),
        (Cause::sum("overhead"), sum(|task| task.overhead_ns)),
    ]
    .into()
}
