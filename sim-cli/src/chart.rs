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

/// The names of the files of charts, without their extension: the paths of the metrics in letters that any system takes, and a
/// number where two would be the same.
#[must_use]
pub fn names<'p>(paths: impl Iterator<Item = &'p str>) -> Vec<String> {
    let plain = |letter: char| if letter.is_alphanumeric() || "._-".contains(letter) { letter } else { '-' };
    let mut names: Vec<String> = Vec::new();
    for path in paths {
        let name: String = path.chars().filter(|letter| !"\"'".contains(*letter)).map(plain).collect();
        // Some systems take large and small letters for the same.
        let is_taken = |name: &str| names.iter().any(|other| other.to_lowercase() == name.to_lowercase());
        let numbered = (2..).map(|number| format!("{name}-{number}"));
        let free = std::iter::once(name.clone()).chain(numbered).find(|name| !is_taken(name));
        names.push(free.unwrap_or(name));
    }
    names
}
