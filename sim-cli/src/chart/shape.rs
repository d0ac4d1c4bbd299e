//! Which axis of an experiment is which of a chart.

use serde_json::Value;
use sim_core::experiment::{Axis, Experiment};
use sim_core::time::Span;

/// The kind of chart, and what it needs to know of the axes.
#[derive(Debug)]
pub(super) enum Shape {
    /// Lines over an axis of numbers.
    Lines(Lines),
    /// Colours over two axes of many numbers.
    Heat(Heat),
    /// A row for each variation.
    Dots,
}

/// Lines over numbers. Axes by their number in the experiment.
#[derive(Debug)]
pub(super) struct Lines {
    pub(super) x: usize,
    /// What colours tell apart.
    pub(super) series: Option<usize>,
    /// What panels tell apart.
    pub(super) panels: Vec<usize>,
}

/// A map over two axes of numbers.
#[derive(Debug)]
pub(super) struct Heat {
    pub(super) x: usize,
    pub(super) y: usize,
}

/// So many colours can be told apart.
const MOST_SERIES: usize = 8;
/// Two axes of at least so many numbers make a map.
const MAP: usize = 4;
/// More panels are none to look at.
pub(super) const MOST_PANELS: usize = 12;

impl Shape {
    /// That of an experiment; `None` if nothing varies.
    pub(super) fn of(experiment: &Experiment) -> Option<Shape> {
        let axes = &experiment.axes;
        let mut varying: Vec<usize> = (0..axes.len()).filter(|axis| axes[*axis].values.len() > 1).collect();
        if varying.is_empty() {
            return None;
        }
        let mut numeric: Vec<usize> =
            varying.iter().copied().filter(|axis| numbers(&axes[*axis]).is_some_and(|found| found.len() > 2)).collect();
        // The longest; of several the first.
        numeric.sort_by_key(|axis| std::cmp::Reverse(axes[*axis].values.len()));
        let Some(&x) = numeric.first() else { return Some(Shape::Dots) };
        varying.retain(|axis| *axis != x);
        if let Some(&y) = numeric.get(1)
            && axes[x].values.len() >= MAP
            && axes[y].values.len() >= MAP
            && varying.len() == 1
        {
            return Some(Shape::Heat(Heat { x, y }));
        }
        // Few names are colours rather than panels.
        let mut by_size = varying.clone();
        by_size.sort_by_key(|axis| (numeric.contains(axis), std::cmp::Reverse(axes[*axis].values.len())));
        let series = by_size.into_iter().find(|axis| axes[*axis].values.len() <= MOST_SERIES);
        varying.retain(|axis| Some(*axis) != series);
        Some(Shape::Lines(Lines { x, series, panels: varying }))
    }
}

/// The values of an axis as numbers (durations in nanoseconds), if that is what they are.
pub(super) fn numbers(axis: &Axis) -> Option<Vec<f64>> {
    #[expect(clippy::cast_precision_loss, reason = "a place in a picture")]
    let number = |value: &Value| match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => Span::parse(text).ok().map(|span| span.ns() as f64),
        _ => None,
    };
    axis.values.iter().map(|setting| number(&setting.json)).collect()
}

/// Are its values lengths of time?
pub(super) fn is_time(axis: &Axis) -> bool {
    axis.values.iter().all(|setting| setting.json.is_string())
}

/// The variations of each panel, with what the panel is called: all values of the axes that panels tell apart.
pub(super) fn panels(experiment: &Experiment, axes: &[usize]) -> Vec<(String, Vec<usize>)> {
    let mut panels: Vec<(Vec<usize>, Vec<usize>)> = Vec::new();
    for variation in 0..experiment.variations() {
        let choice = experiment.choice(variation);
        let key: Vec<usize> = axes.iter().map(|axis| choice[*axis]).collect();
        match panels.iter_mut().find(|(known, _)| *known == key) {
            Some((_, variations)) => variations.push(variation),
            None => panels.push((key, vec![variation])),
        }
    }
    let named = |(key, variations): (Vec<usize>, Vec<usize>)| {
        let words = axes.iter().zip(key).map(|(axis, index)| {
            let axis = &experiment.axes[*axis];
            format!("{} = {}", axis.word(), axis.name(index))
        });
        (words.collect::<Vec<_>>().join(", "), variations)
    };
    panels.into_iter().map(named).collect()
}

#[cfg(test)]
mod tests {
    use sim_core::document::Source;

    use super::*;

    fn shape(vary: &str) -> String {
        let text = format!("scenario = \"a.toml\"\n[vary]\n{vary}");
        let experiment = Experiment::read(&Source { file: "e.toml", text: &text }).expect("valid");
        format!("{:?}", Shape::of(&experiment))
    }

    #[test]
    fn the_axes_choose_the_chart() {
        assert_eq!(shape("a = [1]"), "None");
        assert_eq!(shape("a = [\"x\", \"y\"]"), "Some(Dots)");
        assert_eq!(shape("a = [1, 2]"), "Some(Dots)");
        assert_eq!(shape("a = [1, 2, 3]"), "Some(Lines(Lines { x: 0, series: None, panels: [] }))");
        assert_eq!(
            shape("a = [\"x\", \"y\"]\nb = [\"1ms\", \"2ms\", \"4ms\"]\nc = [1, 2]"),
            "Some(Lines(Lines { x: 1, series: Some(0), panels: [2] }))"
        );
        assert_eq!(shape("a = [1, 2, 3, 4]\nb = \"1ms..1s:log6\""), "Some(Heat(Heat { x: 1, y: 0 }))");
    }
}
