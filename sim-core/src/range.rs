//! Ranges: many values in a few letters, for whoever varies a value.
//!
//! | written | stands for |
//! |---|---|
//! | `1..30` | every whole number from 1 to 30 |
//! | `1ms..10ms` | the same with a unit |
//! | `0..100..25` | every 25th: 0, 25, 50, 75, 100 |
//! | `100us..10ms:log5` | five values evenly spaced on a logarithmic scale: 100us, 316us, 1ms, 3.16ms, 10ms |
//! | `0.5..1:lin6` | six values evenly spaced: 0.5, 0.6, 0.7, 0.8, 0.9, 1 |
//!
//! The ends of a spacing (`:logN`, `:linN`) are numbers or durations, whose units may differ; both are included as they are
//! written. The values between them are rounded: to three significant digits, or to as many as it takes for the rounding to
//! stay below a twentieth of the distance to the neighbours. Between whole numbers lie whole numbers, between durations
//! whole nanoseconds; values that are the same then are one.

use crate::time::Span;

/// Longer ranges are mistyped.
const LONGEST: u64 = 1_000_000;

/// The values of a range, in order; a text that is no range stands for itself.
///
/// ```
/// use sim_core::range::values;
/// assert_eq!(values("1ms..3ms").unwrap(), ["1ms", "2ms", "3ms"]);
/// assert_eq!(values("1..16:log5").unwrap(), ["1", "2", "4", "8", "16"]);
/// assert_eq!(values("round-robin").unwrap(), ["round-robin"]);
/// assert!(values("0s..1s:log5").is_err());
/// ```
///
/// # Errors
/// A sentence that says what is wrong: different units, no number in the range, more than a million, a logarithmic scale
/// from zero, …
pub fn values(text: &str) -> Result<Vec<String>, String> {
    if let Some(spaced) = Spaced::read(text)? {
        return spaced.values();
    }
    let parts: Vec<&str> = text.split("..").collect();
    let (first, last, step) = match parts[..] {
        [first, last] => (first, last, "1"),
        [first, last, step] => (first, last, step),
        _ => return Ok(vec![text.to_owned()]),
    };
    let (Some((first, unit)), Some((last, other)), Some((step, step_unit))) =
        (number(first), number(last), number(step))
    else {
        return Ok(vec![text.to_owned()]);
    };
    let alike = unit == other && (step_unit == unit || step_unit.is_empty());
    if !alike {
        return Err(format!(
            "the numbers of the range `{text}` have different units; give them one unit, or say how many values there are to \
             be: {}:log5",
            parts[..2].join("..")
        ));
    }
    if first > last || step == 0 {
        return Err(format!("the range `{text}` has no number in it: write the smaller one first, and a step above 0"));
    }
    let count = (last - first) / step;
    if count >= LONGEST {
        return Err(format!("the range `{text}` has more than {LONGEST} numbers"));
    }
    Ok((0..=count).map(|index| format!("{}{unit}", first + index * step)).collect())
}

/// A whole number and its unit.
fn number(text: &str) -> Option<(u64, &str)> {
    let unit = text.trim_start_matches(|letter: char| letter.is_ascii_digit());
    let is_unit = unit.chars().all(char::is_alphabetic);
    Some((text[..text.len() - unit.len()].parse().ok().filter(|_| is_unit)?, unit))
}

/// `FIRST..LAST:logN` or `:linN`.
struct Spaced<'a> {
    text: &'a str,
    ends: [&'a str; 2],
    logarithmic: bool,
    count: u64,
}

/// What the ends of a range are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Whole,
    /// Counted in [`DECIMALS`].
    Decimal,
    Duration,
}

/// So many decimals of a number that is not whole count.
const DECIMALS: u32 = 9;

/// So many significant digits have values, unless more are needed to tell them apart.
const DIGITS: i32 = 3;

/// Rounding moves a value by no more than half of this share of the distance to its neighbours.
const SHARE: f64 = 0.1;

impl<'a> Spaced<'a> {
    /// `None` if the text says nothing of a spacing.
    fn read(text: &'a str) -> Result<Option<Spaced<'a>>, String> {
        let Some((range, spacing)) = text.rsplit_once(':') else { return Ok(None) };
        let digits = spacing.trim_start_matches(|letter: char| letter.is_ascii_alphabetic());
        let scale = &spacing[..spacing.len() - digits.len()];
        let is_spacing = digits.bytes().all(|digit| digit.is_ascii_digit());
        let parts: Vec<&str> = range.split("..").map(str::trim).collect();
        let begins_with_number = parts[0].starts_with(|letter: char| letter.is_ascii_digit() || "-.".contains(letter));
        if parts.len() < 2 || !is_spacing || !begins_with_number {
            return Ok(None);
        }
        let [first, last] = parts[..] else {
            return Err(format!("the range `{text}` has a step and `:{spacing}`; leave one of them out"));
        };
        let logarithmic = match scale {
            "log" => true,
            "lin" => false,
            _ => {
                return Err(format!(
                    "`:{spacing}` says nothing of the range `{range}`; write :logN or :linN for N values, evenly spaced on a \
                     logarithmic scale or evenly"
                ));
            }
        };
        if digits.is_empty() {
            return Err(format!("how many values is `{text}` to have? Write a number behind it: {range}:{scale}5"));
        }
        let count = digits.parse().unwrap_or(u64::MAX);
        if count < 2 {
            return Err(format!("the range `{text}` has two ends, so it has at least 2 values"));
        }
        if count > LONGEST {
            return Err(format!("the range `{text}` has more than {LONGEST} values"));
        }
        Ok(Some(Spaced { text, ends: [first, last], logarithmic, count }))
    }

    fn values(&self) -> Result<Vec<String>, String> {
        let (kind, [first, last]) = self.amounts()?;
        let text = self.text;
        if first > last {
            return Err(format!("the range `{text}` has no value in it: write the smaller one first"));
        }
        if self.logarithmic && first == 0 {
            return Err(format!(
                "the range `{text}` begins at zero, which no logarithmic scale has; begin above it, or write {}..{}:lin{}",
                self.ends[0], self.ends[1], self.count
            ));
        }
        let mut values = vec![(first, self.ends[0].to_owned())];
        for index in 1..self.count - 1 {
            let value = self.rounded(index, first, last);
            let before = values.last().map_or(first, |(value, _)| *value);
            if value > before && value < last {
                values.push((value, written(kind, value)));
            }
        }
        if last > first {
            values.push((last, self.ends[1].to_owned()));
        }
        Ok(values.into_iter().map(|(_, text)| text).collect())
    }

    /// The ends as whole numbers of something.
    fn amounts(&self) -> Result<(Kind, [u64; 2]), String> {
        let whole = self.ends.map(|end| end.parse::<u64>().ok());
        if let [Some(first), Some(last)] = whole {
            return Ok((Kind::Whole, [first, last]));
        }
        let decimal = self.ends.map(decimal);
        if let [Some(first), Some(last)] = decimal {
            return Ok((Kind::Decimal, [first, last]));
        }
        let duration = |end: usize| {
            // Zero needs no unit, and of one end alone without a unit it is said what is missing.
            Span::parse(self.ends[end]).map(Span::ns).map_err(|why| format!("in the range `{}`: {why}", self.text))
        };
        Ok((Kind::Duration, [duration(0)?, duration(1)?]))
    }

    /// The value of this number between the ends.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it is rounded to a few digits, and what is too large for that is kept between its neighbours"
    )]
    fn rounded(&self, index: u64, first: u64, last: u64) -> u64 {
        let (first, last) = (first as f64, last as f64);
        let exact = |index: u64| {
            let share = index as f64 / (self.count - 1) as f64;
            if self.logarithmic { first * libm::pow(last / first, share) } else { first + (last - first) * share }
        };
        let value = exact(index);
        let gap = (value - exact(index - 1)).min(exact(index + 1) - value);
        let power = libm::floor(libm::log10(value.max(1.0))) as i32 + 1 - DIGITS;
        let enough = |power: &i32| libm::pow(10.0, f64::from(*power)) <= gap * SHARE;
        let power = (1..=power).rev().find(enough).unwrap_or(0);
        let step = 10_u64.pow(power.unsigned_abs());
        (libm::round(value / step as f64) as u64).saturating_mul(step)
    }
}

/// A number with decimals, counted in [`DECIMALS`].
fn decimal(text: &str) -> Option<u64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let all_digits = whole.bytes().chain(fraction.bytes()).all(|digit| digit.is_ascii_digit());
    if whole.is_empty()
        || !all_digits
        || fraction.len() > DECIMALS as usize
        || (text.contains('.') && fraction.is_empty())
    {
        return None;
    }
    let fraction: u64 = format!("{fraction:0<9}").parse().ok()?;
    whole.parse::<u64>().ok()?.checked_mul(10_u64.pow(DECIMALS))?.checked_add(fraction)
}

fn written(kind: Kind, value: u64) -> String {
    match kind {
        Kind::Whole => value.to_string(),
        Kind::Duration => Span::from_ns(value).to_string(),
        Kind::Decimal => {
            let scale = 10_u64.pow(DECIMALS);
            let text = format!("{}.{:09}", value / scale, value % scale);
            text.trim_end_matches('0').trim_end_matches('.').to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> String {
        values(text).map_or_else(|why| format!("error: {why}"), |values| values.join(" "))
    }

    #[test]
    fn ranges_are_lists_of_whole_numbers() {
        assert_eq!(of("1..4"), "1 2 3 4");
        assert_eq!(of("1ms..3ms"), "1ms 2ms 3ms");
        assert_eq!(of("0us..100us..40us"), "0us 40us 80us");
        assert_eq!(of("5..5"), "5");
        // Not ranges, whatever they are: the scenario says what is wrong with them.
        for text in [
            "",
            "..",
            "1..",
            "a..b",
            "1.5..2",
            "1...3",
            "{ x = \"1..2\" }",
            "\"1..3:log2\"",
            "a:b",
            "{ x = \"1..2:log3\" }",
        ] {
            assert_eq!(of(text), text);
        }
        for text in ["3..1", "1..9..0", "1ms..3us", "1..3..1ms", "1..100000000", "0..18446744073709551615"] {
            assert!(values(text).is_err(), "{text}");
        }
        assert_eq!(of("18446744073709551615..18446744073709551615"), "18446744073709551615");
    }

    #[test]
    fn spacings_have_both_ends_and_so_many_values() {
        for (text, expected) in [
            ("1..16:log5", "1 2 4 8 16"),
            ("1..1000:log4", "1 10 100 1000"),
            ("100us..10ms:log5", "100us 316us 1ms 3.16ms 10ms"),
            ("1ms..100ms:log5", "1ms 3.16ms 10ms 31.6ms 100ms"),
            ("1s..2m:log3", "1s 11s 2m"),
            ("0..100:lin5", "0 25 50 75 100"),
            ("0s..1s:lin3", "0s 500ms 1s"),
            ("1ms..10ms:lin4", "1ms 4ms 7ms 10ms"),
            ("1ms..2ms:lin4", "1ms 1.33ms 1.67ms 2ms"),
            ("0.5..1:lin6", "0.5 0.6 0.7 0.8 0.9 1"),
            ("0.1..10:log5", "0.1 0.316 1 3.16 10"),
            ("1..30:lin4", "1 11 20 30"),
            ("7ms..7ms:log3", "7ms"),
            ("1000us..9ms:log2", "1000us 9ms"),
        ] {
            assert_eq!(of(text), expected, "{text}");
        }
    }

    #[test]
    fn rounding_never_makes_two_values_one() {
        // Whole numbers and nanoseconds cannot be divided.
        assert_eq!(of("1..4:lin9"), "1 2 3 4");
        assert_eq!(of("1..8:log20"), "1 2 3 4 5 6 7 8");
        assert_eq!(of("1ns..3ns:lin5"), "1ns 2ns 3ns");
        // Three digits would be too few.
        assert_eq!(of("1000ms..1001ms:lin3"), "1000ms 1.0005s 1001ms");
        assert_eq!(of("1000..1100:lin5"), "1000 1025 1050 1075 1100");
        assert_eq!(values("1s..1001ms:log1000").map(|values| values.len()), Ok(1000));
        assert_eq!(values("1ms..1s:log500").map(|values| values.len()), Ok(500));
        let far = values("1..18446744073709551615:log64").expect("a range");
        assert_eq!((far.len(), far[63].as_str(), far[1].as_str()), (64, "18446744073709551615", "2"));
    }

    #[test]
    fn every_value_reads_back() {
        let read = values("17us..3h:log99").expect("a range");
        let spans: Vec<Span> = read.iter().map(|value| Span::parse(value).expect("a duration")).collect();
        assert!(spans.is_sorted() && spans.len() == 99);
    }

    #[test]
    fn what_is_wrong_with_a_spacing_is_said() {
        for (text, word) in [
            ("0..10:log5", "write 0..10:lin5"),
            ("0s..1s:log5", "begins at zero"),
            ("1..10:log1", "at least 2 values"),
            ("1..10:log", "1..10:log5"),
            ("1..10:geo5", ":logN or :linN"),
            ("10..1:lin3", "the smaller one first"),
            ("1..10..2:lin3", "leave one of them out"),
            ("1..10ms:log3", "has no unit"),
            ("1ms..10:log3", "has no unit"),
            ("1ms..tens:lin3", "is not a duration"),
            ("-1..5:lin3", "negative"),
            ("1ms..2parsecs:lin3", "unit of time"),
            ("1..10:lin1000001", "more than 1000000"),
            ("1ms..10s", "1ms..10s:log5"),
        ] {
            assert!(of(text).starts_with("error: ") && of(text).contains(word), "{text}: {}", of(text));
        }
    }
}
