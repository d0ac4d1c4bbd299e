//! Times of other tools as durations of a scenario: range checked, and written so that nothing is lost.

use sim_core::time::Span;

/// Nanoseconds of a second, a millisecond, a microsecond.
pub(crate) const SECOND: u64 = 1_000_000_000;
pub(crate) const MILLISECOND: u64 = 1_000_000;
pub(crate) const MICROSECOND: u64 = 1_000;

/// Longer times than these ten years are mistakes, and would not add up.
const LONGEST: f64 = 3.2e17;

/// A number of units as nanoseconds.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "in range")]
pub(crate) fn scaled(number: f64, unit: u64) -> Result<u64, String> {
    let ns = number * unit as f64;
    if !ns.is_finite() || ns > LONGEST {
        return Err(format!("the time {number:?} is too long: ten years is the most"));
    }
    if ns < 0.0 {
        return Err(format!("the time {number:?} is negative"));
    }
    Ok(ns.round() as u64)
}

/// A time as people write it: a number of units, or with a unit of its own (`5ms`).
pub(crate) fn read(text: &str, unit: u64) -> Result<u64, String> {
    let text = text.trim();
    if let Ok(number) = text.parse::<f64>() {
        return scaled(number, unit);
    }
    match Span::parse(text) {
        Ok(span) => scaled(f64_of(span.ns()), 1),
        Err(_) => Err(format!("`{}` is no time", shortened(text))),
    }
}

#[expect(clippy::cast_precision_loss, reason = "beyond 2^53 ns a nanosecond is nothing")]
pub(crate) fn f64_of(number: u64) -> f64 {
    number as f64
}

/// A duration in quotes, in the largest unit in which it has few digits.
pub(crate) fn quoted(ns: u64) -> String {
    format!("\"{}\"", plain(ns))
}

/// The same without quotes.
pub(crate) fn plain(ns: u64) -> String {
    match ns {
        0 => "0ms".to_owned(),
        _ if ns.is_multiple_of(SECOND) => format!("{}s", ns / SECOND),
        MILLISECOND.. => decimal(ns, MILLISECOND, 6) + "ms",
        MICROSECOND.. => decimal(ns, MICROSECOND, 3) + "us",
        _ => format!("{ns}ns"),
    }
}

fn decimal(ns: u64, unit: u64, digits: usize) -> String {
    let text = format!("{}.{:0digits$}", ns / unit, ns % unit);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A foreign text in a message: its beginning, without control characters.
pub(crate) fn shortened(text: &str) -> String {
    let mut short: String =
        text.chars().take(40).map(|letter| if letter.is_control() { '?' } else { letter }).collect();
    if text.chars().nth(40).is_some() {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_so_that_they_are_read_back() {
        for ns in [0, 1, 999, 1_000, 1_500, 999_999, 1_000_000, 1_234_567, 2_500_000_000, 3_000_000_000, u64::MAX / 4] {
            assert_eq!(Span::parse(&plain(ns)).map(Span::ns), Ok(ns), "{}", plain(ns));
        }
        assert_eq!(plain(2_500_000_000), "2500ms");
    }

    #[test]
    fn times_that_cannot_be_are_refused() {
        for wrong in ["-1", "1e300", "NaN", "inf", "x", ""] {
            assert!(read(wrong, MILLISECOND).is_err(), "{wrong}");
        }
        assert_eq!(read("2.5", MILLISECOND), Ok(2_500_000));
        assert_eq!(read("3us", MILLISECOND), Ok(3_000));
    }
}
