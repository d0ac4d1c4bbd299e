//! Axes of numbers: where a number is, and which round ones are written.

use sim_core::experiment::Unit;
use sim_core::time::unit_of;

/// What the numbers of an axis are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// Nanoseconds.
    Time,
    /// Parts of one.
    Share,
    /// Numbers of something.
    Number,
}

impl Kind {
    /// That of a metric, whose largest figure is known: ratios may be larger than one.
    pub(super) fn of(unit: Unit, largest: f64) -> Kind {
        match unit {
            Unit::Nanoseconds => Kind::Time,
            Unit::Ratio if largest <= 1.0 => Kind::Share,
            _ => Kind::Number,
        }
    }
}

/// An axis from one number to another, drawn from one pixel to another.
#[derive(Clone, Debug)]
pub(super) struct Axis {
    pub(super) kind: Kind,
    low: f64,
    high: f64,
    pub(super) is_log: bool,
    from: i32,
    to: i32,
}

/// Values of more than this many times as much ask for a logarithmic scale.
const WIDE: f64 = 25.0;

impl Axis {
    /// An axis over these numbers; one of figures begins at zero unless it is logarithmic.
    pub(super) fn over(numbers: &[f64], kind: Kind, (from, to): (i32, i32)) -> Axis {
        let least = numbers.iter().copied().filter(|number| *number > 0.0).fold(f64::INFINITY, f64::min);
        let largest = numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let all_positive = numbers.iter().all(|number| *number > 0.0);
        let is_log = all_positive && largest / least > WIDE;
        let smallest = numbers.iter().copied().fold(0.0, f64::min);
        let room = 0.06;
        let (low, high) = if is_log {
            (least / 1.15, largest * 1.15)
        } else {
            (smallest * (1.0 + room), if largest > 0.0 { largest * (1.0 + room) } else { 1.0 })
        };
        Axis { kind, low, high, is_log, from, to }
    }

    /// An axis whose numbers are chosen: just around them, logarithmic where they are.
    pub(super) fn around(numbers: &[f64], kind: Kind, (from, to): (i32, i32)) -> Axis {
        let least = numbers.iter().copied().fold(f64::INFINITY, f64::min);
        let largest = numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let is_log = least > 0.0 && is_geometric(numbers);
        let (low, high) = if is_log {
            let room = (largest / least).powf(0.04).max(1.02);
            (least / room, largest * room)
        } else {
            let room = ((largest - least) * 0.04).max(largest.abs() * 1e-6).max(f64::MIN_POSITIVE);
            (least - room, largest + room)
        };
        Axis { kind, low, high, is_log, from, to }
    }

    /// Where a number is.
    #[expect(clippy::cast_possible_truncation, reason = "pixels")]
    pub(super) fn at(&self, number: f64) -> i32 {
        let share = if self.is_log {
            (number.max(self.low).ln() - self.low.ln()) / (self.high.ln() - self.low.ln())
        } else {
            (number - self.low) / (self.high - self.low)
        };
        self.from + (f64::from(self.to - self.from) * share.clamp(0.0, 1.0)).round() as i32
    }

    /// The numbers that are written, with what is written, about so many.
    pub(super) fn ticks(&self, most: usize) -> Vec<(f64, String)> {
        let numbers = if self.is_log { self.round_log(most) } else { self.round(most) };
        numbers.into_iter().map(|number| (number, self.label(number))).collect()
    }

    /// The values themselves, as far as they have room.
    pub(super) fn chosen(&self, numbers: &[f64], apart: i32) -> Vec<(f64, String)> {
        let mut ticks: Vec<(f64, String)> = Vec::new();
        for number in numbers {
            let has_room = ticks.iter().all(|(other, _)| (self.at(*other) - self.at(*number)).abs() >= apart);
            if has_room {
                ticks.push((*number, self.label(*number)));
            }
        }
        ticks
    }

    #[expect(clippy::cast_precision_loss, reason = "a few ticks")]
    fn round(&self, most: usize) -> Vec<f64> {
        let step = self.step((self.high - self.low) / most.max(1) as f64);
        let first = (self.low / step).ceil();
        (0..).map(|index| (first + f64::from(index)) * step).take_while(|number| *number <= self.high).collect()
    }

    /// The next of 1, 2, 5, 10, … in the unit of the axis.
    fn step(&self, least: f64) -> f64 {
        let (_, scale) = self.unit();
        let in_unit = least / scale;
        let power = 10_f64.powf(in_unit.log10().floor());
        let factor = [1.0, 2.0, 5.0, 10.0].into_iter().find(|factor| factor * power >= in_unit * 0.999).unwrap_or(10.0);
        factor * power * scale
    }

    fn round_log(&self, most: usize) -> Vec<f64> {
        let decades = self.high.log10() - self.low.log10();
        let factors: &[f64] = if decades * 3.0 < 1.5 * most as f64 { &[1.0, 2.0, 5.0] } else { &[1.0] };
        #[expect(clippy::cast_possible_truncation, reason = "exponents of ten")]
        let exponents = self.low.log10().floor() as i32..=self.high.log10().ceil() as i32;
        let all = exponents.flat_map(|exponent| factors.iter().map(move |factor| factor * 10_f64.powi(exponent)));
        all.filter(|number| *number >= self.low && *number <= self.high).collect()
    }

    /// The unit in which the axis is written, and how much it is.
    fn unit(&self) -> (&'static str, f64) {
        match self.kind {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                clippy::cast_precision_loss,
                reason = "to choose a unit by"
            )]
            Kind::Time => {
                let (name, scale) = unit_of(self.high.max(0.0) as u64);
                (name, scale as f64)
            }
            Kind::Share => ("%", 0.01),
            Kind::Number => ("", 1.0),
        }
    }

    /// A number as it is written: in the unit that suits it where scales are wide.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "to choose a unit by"
    )]
    pub(super) fn label(&self, number: f64) -> String {
        let (unit, scale) = match self.kind {
            Kind::Time if self.is_log => {
                let (name, scale) = unit_of(number.round().max(0.0) as u64);
                (name, scale as f64)
            }
            _ => self.unit(),
        };
        let plain = trimmed(number / scale);
        match (plain.as_str(), unit) {
            ("0", _) | (_, "") => plain,
            (_, unit) => format!("{plain} {unit}"),
        }
    }
}

/// A number with no more digits than it needs, at most four.
pub(super) fn trimmed(number: f64) -> String {
    let magnitude = number.abs();
    let decimals = match magnitude {
        _ if magnitude >= 100.0 => 0,
        _ if magnitude >= 10.0 => 1,
        _ if magnitude >= 1.0 => 2,
        _ => 3,
    };
    let text = format!("{number:.decimals$}");
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

/// Are the numbers rather multiples of each other than evenly spaced?
fn is_geometric(numbers: &[f64]) -> bool {
    let mut sorted = numbers.to_vec();
    sorted.sort_by(f64::total_cmp);
    let spread = |steps: Vec<f64>| {
        let largest = steps.iter().copied().fold(0.0, f64::max);
        let least = steps.iter().copied().fold(f64::INFINITY, f64::min);
        largest / least
    };
    let differences = spread(sorted.windows(2).map(|pair| pair[1] - pair[0]).collect());
    let ratios = spread(sorted.windows(2).map(|pair| (pair[1] / pair[0]).ln()).collect());
    sorted.len() > 2 && ratios < differences * 0.7
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(axis: &Axis, most: usize) -> String {
        axis.ticks(most).into_iter().map(|(_, label)| label).collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn ticks_are_round() {
        let axis = Axis::over(&[3.0e6, 21.0e6], Kind::Time, (0, 100));
        assert_eq!(labels(&axis, 6), "0, 5 ms, 10 ms, 15 ms, 20 ms");
        let axis = Axis::over(&[0.2, 0.93], Kind::Share, (0, 100));
        assert_eq!(labels(&axis, 6), "0, 20 %, 40 %, 60 %, 80 %");
        let axis = Axis::over(&[2.0e3, 3.0e9], Kind::Time, (0, 100));
        assert_eq!(labels(&axis, 8), "10 µs, 100 µs, 1 ms, 10 ms, 100 ms, 1 s");
        let axis = Axis::over(&[0.0, 7.0], Kind::Number, (0, 100));
        assert_eq!(labels(&axis, 4), "0, 2, 4, 6");
    }

    #[test]
    fn powers_are_drawn_evenly() {
        let axis = Axis::around(&[1.0, 2.0, 4.0, 8.0, 16.0], Kind::Number, (0, 1000));
        assert!(axis.is_log && (axis.at(4.0) - 500).abs() <= 1);
        let axis = Axis::around(&[1.0, 2.0, 3.0, 4.0, 5.0], Kind::Number, (0, 1000));
        assert!(!axis.is_log && axis.at(3.0) == 500);
        assert!(!Axis::around(&[0.0, 1.0, 2.0, 4.0], Kind::Number, (0, 1000)).is_log);
    }
}
