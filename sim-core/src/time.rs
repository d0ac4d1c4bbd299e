//! Simulated time: integer nanoseconds with lawful arithmetic, read from and printed as `"1.5ms"`.
//!
//! [`Time`] is a point (nanoseconds since the start of the run), [`Span`] a length. Only the sums that make sense
//! exist: `Time + Span`, `Time - Time`, `Span + Span`, `Span * u64`. Floats appear first in the metrics.

use std::fmt;
use std::ops::{Add, AddAssign, Mul, Sub, SubAssign};

/// A point in time: nanoseconds since the start of the run.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct Time(u64);

/// A length of time in nanoseconds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct Span(u64);

impl Time {
    /// The start of the run.
    pub const ZERO: Time = Time(0);
    /// Later than everything that happens: "never".
    pub const NEVER: Time = Time(u64::MAX);

    /// The point `ns` nanoseconds after the start of the run.
    #[must_use]
    pub const fn from_ns(ns: u64) -> Time {
        Time(ns)
    }

    /// Nanoseconds since the start of the run.
    #[must_use]
    pub const fn ns(self) -> u64 {
        self.0
    }

    /// Is this [`Time::NEVER`]?
    #[must_use]
    pub const fn is_never(self) -> bool {
        self.0 == u64::MAX
    }

    /// The length from `earlier` to here; zero if `earlier` is later.
    #[must_use]
    pub const fn since(self, earlier: Time) -> Span {
        Span(self.0.saturating_sub(earlier.0))
    }
}

impl Span {
    /// No time at all.
    pub const ZERO: Span = Span(0);
    /// The longest length a scenario may name: 2^63 - 1 ns, about 292 years.
    pub const MAX: Span = Span(i64::MAX as u64);
    /// Without end: a slice that never expires.
    pub const ENDLESS: Span = Span(u64::MAX);

    /// A length of `ns` nanoseconds.
    #[must_use]
    pub const fn from_ns(ns: u64) -> Span {
        Span(ns)
    }

    /// A length of `us` microseconds.
    #[must_use]
    pub const fn from_us(us: u64) -> Span {
        Span(us * 1_000)
    }

    /// A length of `ms` milliseconds.
    #[must_use]
    pub const fn from_ms(ms: u64) -> Span {
        Span(ms * 1_000_000)
    }

    /// The length in nanoseconds.
    #[must_use]
    pub const fn ns(self) -> u64 {
        self.0
    }

    /// The length in seconds, for printing and plotting.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "for people's eyes only")]
    pub fn seconds(self) -> f64 {
        self.0 as f64 / 1e9
    }

    /// Is it zero?
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// The difference, or zero if `other` is longer.
    #[must_use]
    pub const fn saturating_sub(self, other: Span) -> Span {
        Span(self.0.saturating_sub(other.0))
    }

    /// Reads a duration such as `"250ns"`, `"1.5ms"` or `"1m30s"`.
    ///
    /// Units are `ns`, `us` (or `µs`), `ms`, `s`, `m`, `h`; several parts add up. A fraction must come out as whole
    /// nanoseconds after rounding to the nearest.
    ///
    /// # Errors
    /// A sentence that says what is wrong: no unit, a negative number, more than 2^63 ns, …
    pub fn parse(text: &str) -> Result<Span, String> {
        if let Some(span) = Span::plain(text) {
            return Ok(span);
        }
        let text = text.trim();
        if text.is_empty() {
            return Err("a duration is missing; write a number and a unit, such as \"5ms\"".into());
        }
        if text.starts_with('-') {
            return Err(format!("the duration `{text}` is negative"));
        }
        if text.contains(',') {
            return Err(with_comma(text));
        }
        let mut rest = text;
        let mut total: u128 = 0;
        while !rest.is_empty() {
            let digits = rest.find(|c: char| !(c.is_ascii_digit() || c == '.' || c == '_')).unwrap_or(rest.len());
            let (number, tail) = rest.split_at(digits);
            let tail = tail.trim_start();
            let letters =
                tail.find(|c: char| c.is_ascii_digit() || c == '.' || c.is_whitespace()).unwrap_or(tail.len());
            let (unit, tail) = tail.split_at(letters);
            if number.is_empty() {
                return Err(format!("`{text}` is not a duration; write a number and a unit, such as \"5ms\""));
            }
            let scale: u128 = match unit {
                "ns" => 1,
                "us" | "µs" | "μs" => 1_000,
                "ms" => 1_000_000,
                "s" => 1_000_000_000,
                "m" | "min" => 60_000_000_000,
                "h" => 3_600_000_000_000,
                "" => {
                    return Err(format!(
                        "the duration `{text}` has no unit; write it as \"{text}ms\" or another of ns, us, ms, s, m, h"
                    ));
                }
                other => return Err(format!("`{other}` is not a unit of time; use ns, us, ms, s, m or h")),
            };
            total = parse_scaled(number, scale)
                .and_then(|ns| total.checked_add(ns))
                .filter(|ns| *ns <= u128::from(Span::MAX.0))
                .ok_or_else(|| too_long_or_malformed(text, number))?;
            rest = tail.trim_start();
        }
        Ok(Span(u64::try_from(total).unwrap_or(Span::MAX.0)))
    }

    /// The usual way to write one: some digits and a unit.
    fn plain(text: &str) -> Option<Span> {
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let scale = match text.get(digits..)? {
            "ms" => 1_000_000,
            "us" => 1_000,
            "s" => 1_000_000_000,
            "ns" => 1,
            _ => return None,
        };
        // So few digits of any of these are far from too long.
        let number = text.bytes().take(digits).fold(0, |number: u64, digit| 10 * number + u64::from(digit - b'0'));
        (1..=9).contains(&digits).then(|| Span(number * scale))
    }
}

/// A comma is meant as a point, or there are several durations.
fn with_comma(text: &str) -> String {
    match pointed(text) {
        Some(pointed) => format!("`{text}` has a comma; a fraction has a point: \"{pointed}\""),
        None => format!("`{text}` is not a duration; write a number and a unit, such as \"5ms\""),
    }
}

/// A duration with a decimal comma, with a point instead.
pub(crate) fn pointed(text: &str) -> Option<String> {
    let (whole, fraction) = text.split_once(',')?;
    let digits = whole.ends_with(|c: char| c.is_ascii_digit()) && fraction.starts_with(|c: char| c.is_ascii_digit());
    Some(format!("{whole}.{fraction}")).filter(|pointed| digits && Span::parse(pointed).is_ok())
}

fn too_long_or_malformed(text: &str, number: &str) -> String {
    if number.matches('.').count() > 1 || !number.contains(|c: char| c.is_ascii_digit()) {
        format!("`{number}` is not a number")
    } else {
        format!("the duration `{text}` is longer than 2^63 ns (about 292 years)")
    }
}

/// `number` × `scale`, rounded to the nearest integer; `None` if it is no number or overflows.
fn parse_scaled(number: &str, scale: u128) -> Option<u128> {
    let number = number.replace('_', "");
    let (whole, fraction) = number.split_once('.').unwrap_or((&number, ""));
    if (whole.is_empty() && fraction.is_empty()) || fraction.contains('.') {
        return None;
    }
    let mut ns = if whole.is_empty() { 0 } else { whole.parse::<u128>().ok()?.checked_mul(scale)? };
    // Twenty decimals of an hour are far below a nanosecond: what follows cannot matter.
    let fraction = &fraction[..fraction.len().min(20)];
    if !fraction.is_empty() {
        let divisor = 10u128.pow(u32::try_from(fraction.len()).ok()?);
        ns = ns.checked_add((fraction.parse::<u128>().ok()?.checked_mul(scale)? + divisor / 2) / divisor)?;
    }
    Some(ns)
}

impl Add<Span> for Time {
    type Output = Time;
    /// Saturates at [`Time::NEVER`].
    fn add(self, span: Span) -> Time {
        Time(self.0.saturating_add(span.0))
    }
}

impl AddAssign<Span> for Time {
    fn add_assign(&mut self, span: Span) {
        *self = *self + span;
    }
}

impl Sub for Time {
    type Output = Span;
    fn sub(self, earlier: Time) -> Span {
        debug_assert!(self.0 >= earlier.0, "time went backwards: {self} - {earlier}");
        Span(self.0.wrapping_sub(earlier.0))
    }
}

impl Add for Span {
    type Output = Span;
    fn add(self, other: Span) -> Span {
        Span(self.0.saturating_add(other.0))
    }
}

impl Mul<u64> for Span {
    type Output = Span;
    fn mul(self, times: u64) -> Span {
        Span(self.0.saturating_mul(times))
    }
}

impl AddAssign for Span {
    fn add_assign(&mut self, other: Span) {
        *self = *self + other;
    }
}

impl Sub for Span {
    type Output = Span;
    fn sub(self, other: Span) -> Span {
        debug_assert!(self.0 >= other.0, "a span became negative: {self} - {other}");
        Span(self.0.wrapping_sub(other.0))
    }
}

impl SubAssign for Span {
    fn sub_assign(&mut self, other: Span) {
        *self = *self - other;
    }
}

impl std::iter::Sum for Span {
    fn sum<I: Iterator<Item = Span>>(spans: I) -> Span {
        spans.fold(Span::ZERO, Add::add)
    }
}

impl Span {
    /// The length with four digits at most, for people: `25 ms`, `1.234 s`. Its [`Display`](fmt::Display) is exact.
    #[must_use]
    pub fn readable(self) -> String {
        // Rounded first: what rounds to a thousand milliseconds is a second.
        let digits = self.0.checked_ilog10().map_or(1, |log| log + 1);
        let step = 10_u64.pow(digits.saturating_sub(4));
        let ns = self.0.saturating_add(step / 2) / step * step;
        let (unit, scale) = unit_of(ns);
        let text = decimal(ns, scale, 3);
        let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
        format!("{text} {unit}")
    }
}

impl Time {
    /// The time since the start of the run with four digits at most, for people.
    #[must_use]
    pub fn readable(self) -> String {
        if self.is_never() { "never".to_owned() } else { Span(self.0).readable() }
    }
}

/// The unit in which a time of so many nanoseconds reads well, and how many nanoseconds it has.
#[must_use]
pub fn unit_of(ns: u64) -> (&'static str, u64) {
    match ns {
        0..1_000 => ("ns", 1),
        1_000..1_000_000 => ("µs", 1_000),
        1_000_000..1_000_000_000 => ("ms", 1_000_000),
        _ => ("s", 1_000_000_000),
    }
}

/// `ns / scale` with exactly so many decimals, rounded to the nearest.
#[must_use]
pub fn decimal(ns: u64, scale: u64, decimals: usize) -> String {
    let shift = 10u128.pow(u32::try_from(decimals).unwrap_or(0));
    let digits = (u128::from(ns) * shift + u128::from(scale) / 2) / u128::from(scale);
    match decimals {
        0 => digits.to_string(),
        _ => format!("{}.{:0decimals$}", digits / shift, digits % shift),
    }
}

impl fmt::Display for Span {
    /// The shortest exact form in one unit: `0ns`, `250ns`, `1.5ms`, `90s`. It reads back as the same span.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (unit, scale) = match self.0 {
            0..1_000 => ("ns", 1),
            1_000..1_000_000 => ("us", 1_000),
            1_000_000..1_000_000_000 => ("ms", 1_000_000),
            _ => ("s", 1_000_000_000),
        };
        let (whole, rest) = (self.0 / scale, self.0 % scale);
        let text = if rest == 0 {
            format!("{whole}{unit}")
        } else {
            let width = scale.ilog10() as usize;
            format!("{whole}.{}{unit}", format!("{rest:0width$}").trim_end_matches('0'))
        };
        f.pad(&text)
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_never() { f.pad("never") } else { Span(self.0).fmt(f) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_the_format_promises() {
        for (text, ns) in [
            ("0ms", 0),
            ("250ns", 250),
            ("5us", 5_000),
            ("5µs", 5_000),
            ("1.5ms", 1_500_000),
            ("2s", 2_000_000_000),
            ("1m30s", 90_000_000_000),
            (" 1h ", 3_600_000_000_000),
            ("0.0000005ms", 1),
            ("9223372036854775807ns", i64::MAX as u64),
        ] {
            assert_eq!(Span::parse(text), Ok(Span::from_ns(ns)), "{text}");
        }
    }

    #[test]
    fn refuses_with_a_sentence() {
        for (text, part) in [
            ("", "missing"),
            ("-1ms", "negative"),
            ("5", "has no unit"),
            ("ms", "not a duration"),
            ("5 parsecs", "not a unit"),
            ("5parsecs", "not a unit"),
            ("1.2.3ms", "not a number"),
            ("9223372036854775808ns", "longer than 2^63"),
            ("99999999999999999999999999999999999999999h", "longer than 2^63"),
        ] {
            let error = Span::parse(text).expect_err(text);
            assert!(error.contains(part), "{text}: {error}");
        }
    }

    #[test]
    fn prints_what_it_reads() {
        for ns in [0, 1, 999, 1_000, 1_500, 1_000_001, 20_000_000, 1_234_567_891, i64::MAX as u64] {
            let span = Span::from_ns(ns);
            assert_eq!(Span::parse(&span.to_string()), Ok(span), "{span}");
        }
    }

    #[test]
    fn times_for_people_are_short() {
        for (ns, text) in [
            (0, "0 ns"),
            (999, "999 ns"),
            (1_500, "1.5 µs"),
            (5_961_492, "5.961 ms"),
            (25_000_000, "25 ms"),
            (25_234_567, "25.23 ms"),
            (25_235_000, "25.24 ms"),
            (100_000_000, "100 ms"),
            (999_949_999, "999.9 ms"),
            (999_950_000, "1 s"),
            (1_234_567_890, "1.235 s"),
            (123_456_789_000, "123.5 s"),
        ] {
            assert_eq!(Span::from_ns(ns).readable(), text);
            assert_eq!(Time::from_ns(ns).readable(), text);
        }
        // Too long for four digits and seconds.
        assert_eq!(Span::from_ns(u64::MAX).readable(), "18440000000 s");
    }
}
