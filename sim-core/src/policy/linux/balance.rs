//! Who moves to another processor, and when.

use std::cmp::Reverse;

use super::{Cpu, Queues, Rank};
use crate::policy::{Slot, View, Who};
use crate::rng::Stream;
use crate::time::{Span, Time};

/// After the tick at which an idle processor is noticed it takes so long until that takes somebody.
const NOTICED: Span = Span::from_us(80);

impl Queues {
    /// A processor is free of urgent work: does it take some that waits elsewhere?
    pub(super) fn pull_urgent(&mut self, to: Slot, view: &View<'_>) {
        let here = self.cpu(to).first_rank().max(Some(Rank::Fair));
        let mut best: Option<(Rank, Who)> = None;
        for from in self.slots().filter(|from| *from != to) {
            let Some(there) = self.rank_there(from, view) else { continue };
            let may = |who| view.free() || view.floor.allowed(who, to);
            let waits = self.cpu(from).first_urgent(may).filter(|(rank, _)| Some(*rank) > here && *rank <= there);
            if waits.is_some_and(|(rank, _)| best.is_none_or(|(best, _)| rank > best)) {
                best = waits;
            }
        }
        if let Some((_, who)) = best {
            self.moves(who, to, view);
        }
    }

    /// Takes an ordinary thread from the fullest queue.
    pub(super) fn pull_fair(&mut self, to: Slot, view: &View<'_>) -> bool {
        let may = |who| view.free() || view.floor.allowed(who, to);
        let mut others: Vec<Slot> =
            self.slots().filter(|from| *from != to && !self.cpus[from.0 as usize].is_idle()).collect();
        others.sort_by_key(|from| Reverse(self.cpus[from.0 as usize].fair.waiting()));
        let who = others.into_iter().find_map(|from| self.cpu(from).fair.coldest(view.now, may));
        if let Some(who) = who {
            self.moves(who, to, view);
        }
        who.is_some()
    }

    /// If somebody waits while processors are idle, these will be noticed some time.
    pub(super) fn expect_pull(&mut self, now: Time) {
        let waits = |cpu: &Cpu| cpu.running().is_some() && cpu.fair.waiting() > 0;
        if self.cpus.len() == 1 || self.tick.period.is_zero() || !self.cpus.iter().any(waits) {
            return;
        }
        // Who has just been put off, at the very tick, stays: its cache is warm. Of two who wait one has waited longer.
        let is_sure = self.settings.tick_pull > 0.0 && self.cpus.iter().any(|cpu| waits(cpu) && cpu.fair.waiting() > 1);
        for cpu in &mut self.cpus {
            let at = |passed| self.tick.after(now) + self.tick.period * passed + NOTICED;
            if cpu.is_idle() && is_sure {
                cpu.pulls_at = cpu.pulls_at.min(at(0));
            } else if cpu.is_idle() && cpu.pulls_at == Time::NEVER {
                cpu.pulls_at = unnoticed(self.settings.tick_pull, &mut self.chance).map_or(Time::NEVER, at);
            }
        }
    }
}

/// How many ticks do not lead to what each leads to with this probability, before one does; nothing if none ever does. One
/// draw whatever comes of it: a geometric law by inversion.
fn unnoticed(probability: f64, chance: &mut Stream) -> Option<u64> {
    if probability <= 0.0 || probability >= 1.0 {
        return (probability > 0.0).then_some(0);
    }
    let passed = libm::log(chance.positive_unit()) / libm::log1p(-probability);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "not negative, and saturates")]
    Some(passed as u64)
}
