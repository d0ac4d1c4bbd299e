//! How sure a mean is.

use super::{mean, student};

/// The mean of some figures, and between which bounds the true one lies.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Interval {
    /// How many figures.
    pub count: usize,
    /// Their mean.
    pub mean: f64,
    /// The true mean lies no further above or below, at the level that was asked for (Student); `None` of fewer than two
    /// figures.
    pub half_width: Option<f64>,
    /// The standard deviation of the mean; `None` of fewer than two.
    pub error: Option<f64>,
}

impl Interval {
    /// The interval of these figures at a level such as 0.95; `None` without any. It takes them as independent and not too far
    /// from normally distributed.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a count of runs, far below 2^52")]
    pub fn of(figures: &[f64], level: f64) -> Option<Interval> {
        let mean = mean(figures.iter().copied())?;
        let squares: f64 = figures.iter().map(|figure| (figure - mean) * (figure - mean)).sum();
        let (count, freedom) = (figures.len(), figures.len() - 1);
        // Equal figures have equal means, whatever rounding makes of their sum.
        let is_one = figures.iter().all(|figure| *figure == figures[0]);
        let mean = if is_one { figures[0] } else { mean };
        let squares = if is_one { 0.0 } else { squares };
        let error = (freedom > 0).then(|| libm::sqrt(squares / freedom as f64 / count as f64));
        let half_width = error.map(|error| if is_one { 0.0 } else { error * student(freedom, level) });
        Some(Interval { count, mean, half_width, error })
    }

    /// The lower bound.
    #[must_use]
    pub fn low(&self) -> Option<f64> {
        Some(self.mean - self.half_width?)
    }

    /// The upper bound.
    #[must_use]
    pub fn high(&self) -> Option<f64> {
        Some(self.mean + self.half_width?)
    }

    /// How likely figures whose true mean is zero are to lie at least this far from it: the p-value of a paired difference.
    /// `None` of fewer than two figures.
    #[must_use]
    pub fn significance(&self) -> Option<f64> {
        let error = self.error?;
        if error > 0.0 {
            return Some(super::significance(self.mean / error, self.count - 1));
        }
        Some(if self.mean == 0.0 { 1.0 } else { 0.0 })
    }

    /// About how many figures there would have to be for the interval to be no wider than this on either side, if they go on
    /// to vary as they do.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "an estimate of a count"
    )]
    pub fn needed(&self, half_width: f64) -> Option<usize> {
        let own = self.half_width?;
        if own <= half_width {
            return Some(self.count);
        }
        let more = own / half_width;
        (more.is_finite() && half_width > 0.0).then(|| (self.count as f64 * more * more).ceil() as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_of_the_mean() {
        // Mean 3, squares of the deviations 10, variance 2.5, t(4) = 2.7764 at 95 % and 4.6041 at 99 %.
        let figures = [5.0, 1.0, 4.0, 2.0, 3.0];
        let at = |level| Interval::of(&figures, level).and_then(|found| found.half_width).expect("five figures");
        assert!((at(0.95) - 2.776_445 * (2.5_f64 / 5.0).sqrt()).abs() < 1e-5);
        assert!((at(0.99) - 4.604_095 * (2.5_f64 / 5.0).sqrt()).abs() < 1e-5);
        assert_eq!(Interval::of(&[], 0.95), None);
        let one = Interval::of(&[7.0], 0.95).expect("a figure");
        assert_eq!((one.mean, one.half_width, one.significance()), (7.0, None, None));
    }

    #[test]
    fn equal_figures_leave_no_doubt() {
        let equal = Interval::of(&[0.1; 10], 0.95).expect("figures");
        assert_eq!((equal.mean, equal.half_width, equal.significance()), (0.1, Some(0.0), Some(0.0)));
        let none = Interval::of(&[0.0; 10], 0.95).expect("figures");
        assert_eq!(none.significance(), Some(1.0));
    }

    #[test]
    fn four_times_the_figures_halve_the_interval() {
        let interval = Interval { count: 10, mean: 1.0, half_width: Some(0.4), error: Some(0.2) };
        assert_eq!(interval.needed(0.2), Some(40));
        assert_eq!(interval.needed(0.5), Some(10));
        assert_eq!(interval.needed(0.0), None);
    }
}
