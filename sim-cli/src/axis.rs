//! The time axis: round ticks.

use sim_core::time::{decimal, unit_of};

/// A tick of the axis: where, and what stands there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Tick {
    /// Nanoseconds since the start of the run.
    pub at: u64,
    /// The time with its unit.
    pub label: String,
}

/// Ticks at round times from 0 to `extent`, at most `most` (but at least the one at 0), all in one unit.
#[must_use]
pub fn ticks(extent: u64, most: u64) -> Vec<Tick> {
    ticks_between((0, extent), most)
}

/// The same from one time to another; there may be none at the first.
#[must_use]
pub fn ticks_between((from, to): (u64, u64), most: u64) -> Vec<Tick> {
    ticks_at(unit_of(to), (from, to), most)
}

/// Ticks from 0 to `extent` in this unit, which is so many nanoseconds.
#[must_use]
pub fn ticks_in(unit: (&str, u64), extent: u64, most: u64) -> Vec<Tick> {
    ticks_at(unit, (0, extent), most)
}

fn ticks_at((unit, scale): (&str, u64), (from, to): (u64, u64), most: u64) -> Vec<Tick> {
    let step = round_up(to.saturating_sub(from).div_ceil(most.saturating_sub(1).max(1)).max(1));
    let decimals = (1..=9)
        .find(|digits| u128::from(step) * 10u128.pow(*digits) % u128::from(scale) == 0)
        .map_or(0, |digits| if step.is_multiple_of(scale) { 0 } else { digits as usize });
    let label = |at: u64| match at {
        0 => "0".to_owned(),
        _ => format!("{} {unit}", decimal(at, scale, decimals)),
    };
    (from.div_ceil(step)..=to / step).map(|index| Tick { at: index * step, label: label(index * step) }).collect()
}

/// The next of 1, 2, 5, 10, 20, 50, … that is not below `least`.
#[must_use]
pub fn round_up(least: u64) -> u64 {
    let power = 10u64.pow(least.checked_ilog10().unwrap_or(0));
    [1, 2, 5, 10].iter().map(|factor| power.saturating_mul(*factor)).find(|step| *step >= least).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(extent: u64, most: u64) -> String {
        let labels: Vec<String> = ticks(extent, most).into_iter().map(|tick| tick.label).collect();
        labels.join(", ")
    }

    #[test]
    fn ticks_are_round_and_never_too_many() {
        assert_eq!(labels(0, 8), "0");
        assert_eq!(labels(7, 8), "0, 1 ns, 2 ns, 3 ns, 4 ns, 5 ns, 6 ns, 7 ns");
        assert_eq!(labels(25_000_000, 8), "0, 5 ms, 10 ms, 15 ms, 20 ms, 25 ms");
        assert_eq!(labels(1_500_000_000, 6), "0, 0.5 s, 1.0 s, 1.5 s");
        assert_eq!(labels(1_240, 4), "0, 0.5 µs, 1.0 µs");
        assert_eq!(labels(100, 1), "0, 100 ns");
        let between = |from: u64, to: u64| {
            ticks_between((from, to), 5).into_iter().map(|tick| tick.label).collect::<Vec<_>>().join(", ")
        };
        assert_eq!(between(12_300_000, 15_900_000), "13 ms, 14 ms, 15 ms");
        assert_eq!(between(1_000_000_000, 1_000_050_000), "1.00000 s, 1.00002 s, 1.00004 s");
        for extent in (0..64).map(|bits| u64::MAX >> bits) {
            for most in 4..20 {
                let ticks = ticks(extent, most);
                assert!(ticks.len() as u64 <= most && (extent < 2 || ticks.len() > 1), "{extent} {most}: {ticks:?}");
            }
        }
    }
}
