//! Highest response ratio next: short jobs first, but waiting makes up for length.
//!
//! Rule: when the processor becomes free, the ready thread with the highest (wait + burst) / burst runs until it
//! blocks; ties in the order of becoming ready. The wait counts from becoming ready, the length of the next burst is
//! known. Ratios are compared exactly, by cross-multiplication. Source: Brinch Hansen 1971. Cost: `pick` is linear in
//! the number of ready threads, because every ratio grows at a pace of its own and no order of the queue lasts;
//! structures that follow the crossings exist, but cost more than they save at the length of real queues.
//!
//! ```toml
//! scheduler = { policy = "hrrn" }
//! task = [
//!     { name = "A", program = [{ cpu = "3ms" }] },
//!     { name = "B", arrival = "1ms", program = [{ cpu = "6ms" }] },
//!     { name = "C", arrival = "4ms", program = [{ cpu = "2ms" }] },
//!     { name = "D", arrival = "5ms", program = [{ cpu = "1ms" }] },
//! ]
//! ```
//! ```text
//! cpu 0 |AAABBBBBBDCC|    at 9ms the ratios of C and D are 3.5 and 5
//! ```

use std::sync::Arc;

use super::{Kind, Policy, Settings, Setup, Slice, Slot, Theory, Turn, View, Who, Why};
use crate::time::{Span, Time};

/// The entry on the shelf.
pub(super) static KIND: Kind = Kind {
    name: "hrrn",
    summary: "highest (wait + burst) / burst first, decided when the processor becomes free",
    parameters: &[],
    attributes: &[],
    theory: Theory::None,
    on_linux: None,
    read: |_| Arc::new(HighestRatio),
};

#[derive(Debug)]
struct HighestRatio;

impl Settings for HighestRatio {
    fn build(&self, _: &Setup) -> Box<dyn Policy> {
        Box::new(Queue::default())
    }
}

#[derive(Default)]
struct Queue {
    /// In the order of becoming ready.
    ready: Vec<Waiting>,
    /// Who was picked last.
    last: Option<Waiting>,
}

#[derive(Clone, Copy)]
struct Waiting {
    who: Who,
    since: Time,
    burst: Span,
}

impl Waiting {
    /// Is its ratio strictly higher? w₁/s₁ > w₂/s₂, as the ratio is one more than that.
    fn beats(&self, other: &Waiting, now: Time) -> bool {
        let product = |waiting: &Waiting, by: &Waiting| {
            u128::from(now.since(waiting.since).ns()) * u128::from(by.burst.ns().max(1))
        };
        product(self, other) > product(other, self)
    }
}

impl Policy for Queue {
    fn ready(&mut self, who: Who, _: Why, view: &View<'_>) {
        self.ready.push(Waiting { who, since: view.now, burst: view.floor.burst(who) });
    }

    fn pick(&mut self, slot: Slot, view: &View<'_>) -> Option<Turn> {
        let allowed = |waiting: &Waiting| view.free() || view.floor.allowed(waiting.who, slot);
        let candidates = self.ready.iter().enumerate().filter(|(_, waiting)| allowed(waiting));
        let best = candidates.reduce(|best, next| if next.1.beats(best.1, view.now) { next } else { best });
        let (index, _) = best?;
        let picked = self.ready.remove(index);
        self.last = Some(picked);
        Some(Turn { who: picked.who, slice: Slice::Endless })
    }

    fn withdraw(&mut self, who: Who, _: &View<'_>) -> bool {
        self.ready.retain(|waiting| waiting.who != who);
        true
    }

    fn tells(&mut self, who: Who, view: &View<'_>) -> String {
        let waits = self.ready.iter().find(|waiting| waiting.who == who);
        let Some(Waiting { since, burst, .. }) = waits.or(self.last.as_ref()).filter(|last| last.who == who).copied()
        else {
            return String::new();
        };
        let waited = view.now.since(since);
        #[expect(clippy::cast_precision_loss, reason = "for people's eyes")]
        let ratio = (waited.ns() + burst.ns()) as f64 / burst.ns().max(1) as f64;
        format!("ratio {ratio:.2}: ({} waited + {} burst) / burst", waited.readable(), burst.readable())
    }

    fn waiting(&self) -> usize {
        self.ready.len()
    }

    fn is_next(&mut self, who: Who, _: Slot, _: &View<'_>) {
        if let Some(last) = self.ready.pop_if(|last| last.who == who) {
            self.ready.insert(0, last);
        }
    }

    fn changed(&mut self, who: Who, view: &View<'_>) {
        if let Some(waiting) = self.ready.iter_mut().find(|waiting| waiting.who == who) {
            waiting.burst = view.floor.burst(who);
        }
    }
}
