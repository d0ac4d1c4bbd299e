//! Charts of experiments: one for each metric, of the kind that the shape of the experiment asks for.
//!
//! Over an axis of numbers there are lines with bands, over names dots with intervals, over two axes of many numbers a heat
//! map; what is left of the axes makes small multiples. Intervals are those of the report, at its level.

mod axis;
mod dots;
mod frame;
mod heat;
mod lines;
mod shape;

use crate::picture::sheet::Sheet;
use crate::report::sweep::Report;

use self::shape::Shape;

/// The chart of a metric; `None` if nothing varies, or no run has a figure.
#[must_use]
pub fn chart(report: &Report<'_>, metric: usize) -> Option<Sheet> {
    let any = (0..report.labels.len()).any(|variation| report.of(variation, metric).mean.is_some());
    let shape = Shape::of(report.experiment).filter(|_| any)?;
    Some(match shape {
        Shape::Lines(shape) => lines::draw(report, metric, &shape),
        Shape::Heat(shape) => heat::draw(report, metric, &shape),
        Shape::Dots => dots::draw(report, metric),
    })
}

/// The name of the file of a metric's chart, without its extension: its path in letters that any system takes.
#[must_use]
pub fn name(path: &str) -> String {
    let plain = |letter: char| if letter.is_alphanumeric() || "._-".contains(letter) { letter } else { '-' };
    path.chars().filter(|letter| !"\"'".contains(*letter)).map(plain).collect()
}
