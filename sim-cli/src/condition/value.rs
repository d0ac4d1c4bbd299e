//! Values of conditions: lengths of time, counts, shares, rates.

use std::cmp::Ordering;

use serde_json::Value;
use sim_core::outcome::Unit;
use sim_core::time::Span;

/// What a figure is compared with.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Wanted {
    /// That there is no such figure, such as the end of a task that had none.
    Nothing,
    /// A number, in nanoseconds if it is a time.
    Number {
        number: f64,
        /// What its last digit counts, if it stands behind a decimal point.
        grain: Option<f64>,
        /// Was it written in percent?
        percent: bool,
    },
}

/// Sums of floats that are the same in theory differ by no more than this share.
const NOISE: f64 = 1e-9;

impl Wanted {
    pub(super) fn parse(text: &str, unit: Unit) -> Result<Wanted, String> {
        match (text, unit) {
            ("", _) => Err("the value is missing".to_owned()),
            ("none", _) => Ok(Wanted::Nothing),
            (_, Unit::Nanoseconds) => time(text),
            (_, Unit::Ratio) => ratio(text),
            (_, Unit::PerSecond) => {
                let number = plain(text.strip_suffix("/s").unwrap_or(text).trim_end());
                number.ok_or_else(|| format!("`{text}` is no rate: write how many in a second, such as 12.5"))
            }
            (_, Unit::Count) => {
                plain(text).ok_or_else(|| format!("`{text}` is no number, and this is a count: write 3"))
            }
        }
    }

    /// How a figure is to it; `None` if there is none.
    pub(super) fn compare(&self, figure: &Value) -> Option<Ordering> {
        let (Wanted::Number { number, .. }, Some(found)) = (self, figure.as_f64()) else { return None };
        let noise = if is_whole(figure) { 0.0 } else { NOISE * number.abs() };
        if (found - number).abs() <= noise { Some(Ordering::Equal) } else { found.partial_cmp(number) }
    }

    /// Is the figure that, or does it round to it?
    pub(super) fn is(&self, figure: &Value) -> bool {
        if self.compare(figure) == Some(Ordering::Equal) {
            return true;
        }
        let (Wanted::Number { number, grain: Some(grain), .. }, Some(found)) = (self, figure.as_f64()) else {
            return false;
        };
        !is_whole(figure) && (found - number).abs() <= grain / 2.0 + NOISE * number.abs()
    }

    /// The figure in words, in the unit in which the value was written.
    pub(super) fn show(&self, figure: &Value, unit: Unit) -> String {
        let Some(found) = figure.as_f64() else { return "none".to_owned() };
        match (unit, self) {
            (Unit::Nanoseconds, _) => shown_time(figure, found),
            (_, Wanted::Number { percent: true, .. }) => format!("{}%", short(found * 100.0, 4)),
            (Unit::PerSecond, _) => format!("{}/s", short(found, 6)),
            _ => short(found, 6),
        }
    }
}

fn is_whole(figure: &Value) -> bool {
    figure.is_u64() || figure.is_i64()
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "times are positive, and far below 2^53 ns"
)]
fn shown_time(figure: &Value, found: f64) -> String {
    Span::from_ns(figure.as_u64().unwrap_or(found.round() as u64)).to_string()
}

/// With at most so many decimals.
fn short(number: f64, decimals: usize) -> String {
    let text = format!("{number:.decimals$}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[expect(clippy::cast_precision_loss, reason = "below 2^53 ns, which is a hundred days")]
fn time(text: &str) -> Result<Wanted, String> {
    let span = if text == "0" { Ok(Span::ZERO) } else { Span::parse(text) }?;
    // Of one number with a unit, the last digit behind its point.
    let grain = text.split_once('.').and_then(|(_, rest)| {
        let digits = rest.chars().take_while(char::is_ascii_digit).count();
        let unit = Span::parse(&format!("1{}", rest[digits..].trim())).ok()?;
        Some(unit.ns() as f64 * tenths(digits))
    });
    Ok(Wanted::Number { number: span.ns() as f64, grain, percent: false })
}

/// `0.8`, `80%` or `4/5`.
fn ratio(text: &str) -> Result<Wanted, String> {
    let wrong = || format!("`{text}` is no share: write 0.8, 80% or 4/5");
    if let Some(percent) = text.strip_suffix('%') {
        let Some(Wanted::Number { number, grain, .. }) = plain(percent.trim_end()) else { return Err(wrong()) };
        return Ok(Wanted::Number { number: number / 100.0, grain: grain.map(|grain| grain / 100.0), percent: true });
    }
    if let Some((above, below)) = text.split_once('/') {
        let number = |text: &str| text.trim().parse::<f64>().ok().filter(|number| number.is_finite());
        let (Some(above), Some(below)) = (number(above), number(below).filter(|below| *below != 0.0)) else {
            return Err(wrong());
        };
        return Ok(Wanted::Number { number: above / below, grain: None, percent: false });
    }
    plain(text).ok_or_else(wrong)
}

fn plain(text: &str) -> Option<Wanted> {
    let number = text.replace('_', "").parse::<f64>().ok().filter(|number| number.is_finite())?;
    let grain = text.split_once('.').map(|(_, digits)| tenths(digits.len()));
    Some(Wanted::Number { number, grain, percent: false })
}

fn tenths(digits: usize) -> f64 {
    (0..digits).fold(1.0, |grain, _| grain / 10.0)
}
