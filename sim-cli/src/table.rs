//! Aligned tables for people, with one readable unit of time for each, as wide as the terminal is.

use crate::letters::{self, visible, wrapped};
use crate::output::Terminal;

/// The first column is not made narrower than this for want of columns.
const NARROWEST_NAME: usize = 12;
/// What stands between two columns.
const GAP: &str = "  ";

/// A table being filled: the first column is text, the others are numbers and stand flush right.
///
/// Where there is less room than it needs, first the names in the first column are shortened, in their middle; then columns
/// are left out, the rightmost first, and a line says which. So the columns of a table stand in the order of what they are
/// worth.
#[derive(Debug, Default)]
pub struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with these headings.
    #[must_use]
    pub fn new<S: Into<String>>(headings: impl IntoIterator<Item = S>) -> Table {
        Table { rows: vec![headings.into_iter().map(Into::into).collect()] }
    }

    /// Adds a row. Cells may hold names from a file.
    pub fn row<S: Into<String>>(&mut self, cells: impl IntoIterator<Item = S>) {
        self.rows.push(cells.into_iter().map(|cell| visible(&cell.into()).into_owned()).collect());
    }

    /// Has it no rows but the headings?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.len() < 2
    }

    /// The text, a line per row.
    #[must_use]
    pub fn render(&self, terminal: &Terminal) -> String {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let width = |column: usize| {
            self.rows.iter().filter_map(|row| row.get(column)).map(|cell| letters::width(cell)).max().unwrap_or(0)
        };
        let mut widths: Vec<usize> = (0..columns).map(width).collect();
        fit(&mut widths, terminal.most_columns.unwrap_or(usize::MAX));
        let mut text = String::new();
        // A heading that is wider than the names beneath it may be has a line of its own.
        let heading = self.rows.first().and_then(|headings| headings.first()).map_or("", String::as_str);
        let stands_alone = widths.first().is_some_and(|first| letters::width(heading) > *first);
        if stands_alone {
            text += &format!("{}\n", terminal.bold(&wrapped(heading, terminal.width)));
        }
        for (index, row) in self.rows.iter().enumerate() {
            let cells = row.iter().zip(&widths).enumerate().map(|(column, (cell, width))| match column {
                0 if index == 0 && stands_alone => " ".repeat(*width),
                0 => letters::fitted(cell, *width),
                _ => letters::right(cell, *width),
            });
            let line = cells.collect::<Vec<_>>().join(GAP);
            let line = line.trim_end();
            text += &if index == 0 { terminal.bold(line) } else { line.to_owned() };
            text.push('\n');
        }
        let left_out = self.rows.first().map_or(&[][..], |headings| &headings[widths.len().min(headings.len())..]);
        if !left_out.is_empty() {
            let note = format!("(left out for want of columns: {})", left_out.join(", "));
            text += &format!("{}\n", wrapped(&note, terminal.width));
        }
        text
    }
}

/// Makes a table of these columns no wider than `most`, if it can be: two columns are always left.
fn fit(widths: &mut Vec<usize>, most: usize) {
    let whole =
        |widths: &[usize]| widths.iter().map(|width| width + GAP.len()).sum::<usize>().saturating_sub(GAP.len());
    loop {
        let too_much = whole(widths).saturating_sub(most);
        if too_much == 0 {
            return;
        }
        let spare = widths[0].saturating_sub(NARROWEST_NAME);
        if spare >= too_much || widths.len() <= 2 {
            widths[0] -= spare.min(too_much);
            return;
        }
        widths.pop();
    }
}

/// A unit of time, and how many decimals all figures of a table take to be exact, or at most three.
#[derive(Clone, Copy, Debug)]
pub struct Unit {
    /// Its name.
    pub name: &'static str,
    /// How many nanoseconds it has.
    pub scale: u64,
    decimals: usize,
}

impl Unit {
    /// The unit in which all these figures (nanoseconds) read well.
    #[must_use]
    pub fn for_all(figures: impl Iterator<Item = u64> + Clone) -> Unit {
        let longest = figures.clone().max().unwrap_or(0);
        let (name, scale) = match longest {
            0..1_000 => ("ns", 1),
            1_000..1_000_000 => ("µs", 1_000),
            1_000_000..100_000_000_000 => ("ms", 1_000_000),
            _ => ("s", 1_000_000_000),
        };
        let exact = |decimals: &usize| {
            let step = scale / 10_u64.pow(*decimals as u32).min(scale);
            figures.clone().all(|figure| figure % step.max(1) == 0)
        };
        let most = if scale == 1 { 0 } else { 3 };
        Unit { name, scale, decimals: (0..most).find(exact).unwrap_or(most) }
    }

    /// This unit, or a smaller one if the largest of these means (nanoseconds) is less than a hundredth of it, so that three
    /// decimals would not tell it: a mean of 3 ms does not read well in seconds.
    #[must_use]
    pub fn or_finer_for(self, means: impl Iterator<Item = Option<f64>>) -> Unit {
        let whole: Vec<u64> = means.flatten().map(whole).collect();
        let longest = whole.iter().copied().max().unwrap_or(0);
        if longest == 0 || longest >= self.scale / 100 {
            return self;
        }
        Unit::for_all(whole.iter().map(|mean| four_digits(*mean, longest)))
    }

    /// A figure (nanoseconds) in this unit, without its name.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "for people's eyes")]
    pub fn show(&self, ns: u64) -> String {
        format!("{:.*}", self.decimals, ns as f64 / self.scale as f64)
    }

    /// A figure that may be missing.
    #[must_use]
    pub fn show_or_dash(&self, ns: Option<u64>) -> String {
        ns.map_or_else(|| "–".to_owned(), |ns| self.show(ns))
    }

    /// An average (nanoseconds), which is not a whole number.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "for people's eyes")]
    pub fn show_mean(&self, ns: Option<f64>) -> String {
        ns.map_or_else(|| "–".to_owned(), |ns| format!("{:.*}", self.decimals.max(1), ns / self.scale as f64))
    }
}

/// A mean (nanoseconds), to choose a unit by.
#[must_use]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "only to choose a unit")]
pub fn whole(mean: f64) -> u64 {
    mean as u64
}

/// A mean rounded to four digits of the longest: it is no whole number of anything.
#[must_use]
pub fn four_digits(ns: u64, longest: u64) -> u64 {
    let step = 10_u64.pow(longest.max(1).ilog10().saturating_sub(3));
    ns.saturating_add(step / 2) / step * step
}

/// A share as a percentage.
#[must_use]
pub fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

/// A share as a percentage with its sign; `–` if there is none.
#[must_use]
pub fn signed_percent(share: Option<f64>) -> String {
    share.map_or_else(|| "–".to_owned(), |share| format!("{:+.2} %", share * 100.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_readable_and_exact_where_three_decimals_suffice() {
        let unit = Unit::for_all([20_000_000, 3_500_000].into_iter());
        assert_eq!((unit.name, unit.show(3_500_000)), ("ms", "3.5".to_owned()));
        let unit = Unit::for_all([20_000_000, 1_234_567].into_iter());
        assert_eq!(unit.show(1_234_567), "1.235");
        let unit = Unit::for_all([7].into_iter());
        assert_eq!((unit.name, unit.show(7)), ("ns", "7".to_owned()));
        assert_eq!(Unit::for_all(std::iter::empty()).show_or_dash(None), "–");
    }

    #[test]
    fn numbers_stand_flush_right() {
        let mut table = Table::new(["TASK", "finish"]);
        table.row(["a", "10"]);
        table.row(["long name", "5"]);
        assert_eq!(table.render(&Terminal::plain(80)), "TASK       finish\na              10\nlong name       5\n");
    }

    #[test]
    fn what_does_not_fit_is_shortened_then_left_out_from_the_right() {
        let mut table = Table::new(["TASK", "finish", "waiting", "switches"]);
        table.row(["an-exceedingly-long-name#12", "10", "200", "3"]);
        table.row(["日本語", "5", "\u{7}", "3"]);
        let terminal = |columns| Terminal { most_columns: Some(columns), ..Terminal::plain(columns) };
        let expected = "\
TASK                 finish  waiting  switches
an-exceeding…ame#12      10      200         3
日本語                    5        \u{FFFD}         3
";
        assert_eq!(table.render(&terminal(46)), expected);
        let expected = "\
TASK           finish  waiting
an-excee…e#12      10      200
日本語              5        \u{FFFD}
(left out for want of columns:
switches)
";
        assert_eq!(table.render(&terminal(30)), expected);
        assert!(table.render(&terminal(1)).lines().all(|line| line.starts_with('(') || letters::width(line) <= 20));
        assert!(table.render(&Terminal::plain(1)).contains("an-exceedingly-long-name#12      10"));
    }
}
