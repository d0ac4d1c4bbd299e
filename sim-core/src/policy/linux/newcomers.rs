//! Where a thread goes that another has just made.
//!
//! Rule: to a processor that is idle, if there is one. Else the one of its maker counts as busy, and another has room as long as
//! it has not been in use for more than 85 % of its time, of late and by what is expected: each thread that comes new there is
//! expected to use half of what is left. So several that are made within milliseconds come to one processor, while their maker has
//! the other: the first three, for the fourth finds it full. Where none has room, the load decides, and a sixth more is none.
//!
//! Source: `sched_balance_find_dst_group` and `post_init_entity_util_avg` in kernel/sched/fair.c of Linux 6.18, recorded with
//! `sched_wakeup_new` for interpreters that fork four times on two processors: 9 of 12 did as said. Where we depart: a maker has
//! always been busy (the kernel remembers for how long it ran before it slept last); what of the utilisation is whose is not known,
//! so nothing of it moves with a thread.

use super::Queues;
use super::cpu::Cpu;
use crate::policy::Slot;
use crate::time::{Span, Time};

/// The utilisation of a processor that is never idle.
const FULL: f64 = 1024.0;

/// From here on a processor has no room: 117 % of what is used are more than there is.
const ROOM: f64 = FULL * 100.0 / 117.0;

/// After so long half of what was is forgotten: 32 periods of 1024 us.
const HALF: Span = Span::from_us(32 * 1024);

/// How much a processor has been in use of late.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Utilisation {
    /// At the time when somebody asked last, and of [`FULL`].
    value: f64,
    at: Time,
    /// For how long it has been in use since then.
    used: Span,
}

impl Utilisation {
    /// Somebody has run from then until now.
    pub(super) fn adds(&mut self, since: Time, now: Time) {
        self.used += now.since(since.max(self.at));
    }

    /// What it is now. Where somebody runs, since when?
    fn is_asked(&mut self, runs_since: Option<Time>, now: Time) {
        runs_since.into_iter().for_each(|since| self.adds(since, now));
        let idle = now.since(self.at).saturating_sub(self.used);
        // As if all use had come last: for those who ask every few milliseconds it makes no difference.
        let value = FULL - (FULL - self.value * remains(idle)) * remains(self.used);
        *self = Utilisation { value, at: now, used: Span::ZERO };
    }

    /// A new thread comes, of which nothing is known.
    fn expects_more(&mut self) {
        self.value += ((FULL - self.value) / 2.0).max(0.0);
    }
}

/// What remains after so long.
#[expect(clippy::cast_precision_loss, reason = "a ratio")]
fn remains(after: Span) -> f64 {
    libm::exp2(-(after.ns() as f64) / HALF.ns() as f64)
}

/// How much room a processor has; the less, the larger.
#[derive(Clone, Copy, PartialEq, PartialOrd, Debug)]
enum Standing {
    /// There is room; so much is in use.
    Room(f64),
    /// One thread needs all of it.
    Full,
    /// So many threads need more than all of it.
    Over(usize),
}

impl Standing {
    fn of(cpu: &Cpu) -> Standing {
        match cpu.load() {
            _ if cpu.utilisation.value < ROOM => Standing::Room(cpu.utilisation.value),
            0 | 1 => Standing::Full,
            load => Standing::Over(load),
        }
    }
}

impl Queues {
    /// Where one goes that has been made on this processor.
    pub(super) fn place_newcomer(&mut self, maker: Slot, allowed: &[Slot], now: Time) -> Slot {
        for cpu in &mut self.cpus {
            let since = cpu.running_since();
            cpu.utilisation.is_asked(since, now);
        }
        let slot = self.roomiest(maker, allowed);
        self.cpu(slot).utilisation.expects_more();
        slot
    }

    fn roomiest(&self, maker: Slot, allowed: &[Slot]) -> Slot {
        let cpu = |slot: &Slot| &self.cpus[slot.0 as usize];
        let mut others = allowed.iter().filter(|slot| **slot != maker);
        if let Some(idle) = others.clone().find(|slot| cpu(slot).is_idle()) {
            return *idle;
        }
        let Some(mut best) = others.next() else { return maker };
        for other in others {
            if Standing::of(cpu(other)) < Standing::of(cpu(best)) {
                best = other;
            }
        }
        // Who has slept long before it makes others is no load yet.
        let here = cpu(&maker).load().saturating_sub(1);
        let goes = match Standing::of(cpu(best)) {
            Standing::Room(_) => true,
            Standing::Full => here > 0,
            Standing::Over(there) => here > 0 && 100 * here > 117 * there,
        };
        if goes || !allowed.contains(&maker) { *best } else { maker }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_is_forgotten_in_32_periods_and_a_newcomer_expects_half_of_the_rest() {
        let at = |us| Time::ZERO + Span::from_us(us);
        let mut utilisation = Utilisation::default();
        utilisation.adds(at(0), at(32_768));
        utilisation.is_asked(None, at(32_768));
        assert!((utilisation.value - 512.0).abs() < 1e-9, "{utilisation:?}");
        utilisation.is_asked(None, at(65_536));
        assert!((utilisation.value - 256.0).abs() < 1e-9, "{utilisation:?}");
        utilisation.is_asked(Some(at(65_536)), at(98_304));
        assert!((utilisation.value - 640.0).abs() < 1e-9, "{utilisation:?}");
        // What was asked for is not counted again when whoever runs leaves.
        utilisation.adds(at(65_536), at(98_304));
        utilisation.is_asked(None, at(98_304));
        utilisation.expects_more();
        assert!((utilisation.value - 832.0).abs() < 1e-9, "{utilisation:?}");
    }
}
