//! Statistics of a few figures: means, quantiles, how sure they are, which figures stand far from the others, which of
//! several differences can be told from chance, and when a run has come to rest.

mod holm;
mod interval;
mod mser;
mod order;
mod student;

pub use holm::holm;
pub use interval::Interval;
pub use mser::{BATCH, mser5};
pub use order::quantile_interval;
pub use student::{significance, student};

/// What repeated runs say of one figure.
#[derive(Clone, PartialEq, Debug)]
pub struct Sample {
    /// How many figures.
    pub count: usize,
    /// Their mean.
    pub mean: f64,
    /// The true mean lies so far above or below, with a confidence of 95 % (Student); `None` with fewer than two
    /// figures. It takes the figures as independent and not too far from normally distributed.
    pub half_width: Option<f64>,
    /// The smallest.
    pub min: f64,
    /// The one in the middle.
    pub median: f64,
    /// The largest.
    pub max: f64,
    /// The indices of figures beyond Tukey's outer fences: more than three times the distance of the quartiles below
    /// the lower one or above the upper one. Fewer than five figures have none, and what differs from the median by no
    /// more than a hundredth of it is none, however close the others are.
    pub outliers: Vec<usize>,
}

/// By more than this share of the median an outlier differs from it.
const MATTERS: f64 = 0.01;

impl Sample {
    /// The statistics of these figures; `None` without any.
    #[must_use]
    pub fn of(figures: &[f64]) -> Option<Sample> {
        let ordered = sorted(figures.iter().copied());
        let (lower, median, upper) = (quantile(&ordered, 0.25)?, quantile(&ordered, 0.5)?, quantile(&ordered, 0.75)?);
        let interval = Interval::of(figures, 0.95)?;
        let fence = 3.0 * (upper - lower);
        let beyond = |figure: f64| figure < lower - fence || figure > upper + fence;
        let far = |figure: f64| beyond(figure) && (figure - median).abs() > MATTERS * median.abs();
        Some(Sample {
            count: figures.len(),
            mean: interval.mean,
            half_width: interval.half_width,
            min: ordered[0],
            median,
            max: ordered[ordered.len() - 1],
            outliers: (0..figures.len()).filter(|index| far(figures[*index])).collect(),
        })
    }
}

/// The mean; `None` without figures.
#[must_use]
pub fn mean(figures: impl Iterator<Item = f64>) -> Option<f64> {
    let (count, sum) = figures.fold((0_u32, 0.0), |(count, sum), figure| (count + 1, sum + figure));
    (count > 0).then(|| sum / f64::from(count))
}

/// The median; `None` without figures.
#[must_use]
pub fn median(figures: impl Iterator<Item = f64>) -> Option<f64> {
    quantile(&sorted(figures), 0.5)
}

/// How far apart the figures lie: (p90 − p10) / median; `None` without figures, or if the median is zero.
#[must_use]
pub fn spread(sorted: &[f64]) -> Option<f64> {
    let (low, middle, high) = (quantile(sorted, 0.1)?, quantile(sorted, 0.5)?, quantile(sorted, 0.9)?);
    (middle > 0.0).then(|| (high - low) / middle)
}

/// The figures in order.
#[must_use]
pub fn sorted(figures: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut figures: Vec<f64> = figures.collect();
    figures.sort_by(f64::total_cmp);
    figures
}

/// The quantile of sorted figures, interpolated between the two nearest; `None` without figures.
#[must_use]
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "an index into a list, far below 2^52"
)]
pub fn quantile(sorted: &[f64], share: f64) -> Option<f64> {
    let position = share * sorted.len().checked_sub(1)? as f64;
    let low = sorted[position.floor() as usize];
    let high = sorted[position.ceil() as usize];
    Some(low + (high - low) * position.fract())
}

/// The value that this share of the sorted figures do not exceed, as [`crate::metrics::percentile`] has it (nearest rank), however
/// few there are; `None` without any.
#[must_use]
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "an index into a list, far below 2^52"
)]
pub fn nearest_rank(sorted: &[f64], share: f64) -> Option<f64> {
    // The product of a share that has no exact binary form may lie just above a whole number.
    let rank = (share * sorted.len() as f64 - 1e-9).ceil().max(1.0) as usize;
    sorted.get(rank - 1).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_of_the_mean() {
        // Mean 3, squares of the deviations 4 + 1 + 0 + 1 + 4 = 10, variance 10/4, t(4) = 2.7764.
        let sample = Sample::of(&[5.0, 1.0, 4.0, 2.0, 3.0]).expect("figures");
        assert_eq!((sample.count, sample.mean, sample.min, sample.median, sample.max), (5, 3.0, 1.0, 3.0, 5.0));
        let expected = 2.776_445 * (2.5_f64 / 5.0).sqrt();
        assert!((sample.half_width.expect("five figures") - expected).abs() < 1e-5, "{sample:?}");
        assert_eq!(sample.outliers, Vec::<usize>::new());
    }

    #[test]
    fn one_figure_says_nothing_of_how_sure_it_is() {
        assert_eq!(Sample::of(&[]), None);
        let sample = Sample::of(&[7.0]).expect("a figure");
        assert_eq!((sample.mean, sample.half_width, sample.outliers.len()), (7.0, None, 0));
        assert_eq!(Sample::of(&[7.0, 7.0]).and_then(|sample| sample.half_width), Some(0.0));
    }

    #[test]
    fn outliers_are_beyond_three_times_the_distance_of_the_quartiles() {
        // Quartiles of the six: 2.25 and 4.75 with 5 or 6 as the last, so the upper fence is 4.75 + 7.5 = 12.25.
        let outliers = |last: f64| Sample::of(&[1.0, 2.0, 3.0, 4.0, 5.0, last]).expect("figures").outliers;
        assert_eq!(outliers(12.25), Vec::<usize>::new());
        assert_eq!(outliers(12.26), [5]);
        // With a last that is the smallest they are 1.25 and 3.75, so the lower fence is 1.25 − 7.5.
        assert_eq!(outliers(-6.25), Vec::<usize>::new());
        assert_eq!(outliers(-6.26), [5]);
        let equal_but_one = Sample::of(&[3.0, 3.0, 3.0, 3.0, 2.9]).expect("figures");
        assert_eq!(equal_but_one.outliers, [4]);
        let equal = |last: f64| Sample::of(&[9.96, 10.0, 10.0, 10.0, 10.0, last]).expect("figures").outliers;
        assert_eq!(equal(10.1), Vec::<usize>::new(), "what differs by a hundredth matters to nobody");
        assert_eq!(equal(10.11), [5]);
        let four = Sample::of(&[3.0, 3.0, 3.0, 900.0]).expect("figures");
        assert_eq!(four.outliers, Vec::<usize>::new(), "of four, one is a quarter");
    }
}
