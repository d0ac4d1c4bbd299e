//! How sure a quantile is.

/// Between which of the sorted figures the true quantile lies at a level such as 0.95, whatever their distribution: bounds
/// by the binomial distribution of how many figures lie below it (David & Nagaraja, Order Statistics, 7.1). The narrowest
/// pair of ranks about the quantile that covers the level; `None` if there are too few figures for that, or none.
///
/// It takes the figures as independent of each other.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "a count of figures, far below 2^52")]
pub fn quantile_interval(sorted: &[f64], share: f64, level: f64) -> Option<(f64, f64)> {
    let count = sorted.len();
    if count == 0 || share <= 0.0 || share >= 1.0 {
        return None;
    }
    // Grown about the most likely count below the quantile, always by the likelier side: the shortest such range of counts.
    let middle = libm::floor(share * (count + 1) as f64);
    let odds = share / (1.0 - share);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and the count")]
    let mode = (middle as usize).min(count);
    let (mut first, mut last) = (mode, mode);
    let (mut below, mut above) = (likelihood(count, mode, share), likelihood(count, mode, share));
    let mut covered = below;
    while covered < level {
        let lower = if first > 0 { below * first as f64 / ((count - first + 1) as f64 * odds) } else { 0.0 };
        let upper = if last < count { above * (count - last) as f64 * odds / (last + 1) as f64 } else { 0.0 };
        if lower <= 0.0 && upper <= 0.0 {
            return None;
        }
        if lower >= upper {
            (first, below) = (first - 1, lower);
            covered += lower;
        } else {
            (last, above) = (last + 1, upper);
            covered += upper;
        }
    }
    // With `k` figures below it, the quantile lies between the k-th and the one after it. At either end there is no bound.
    let low = first.checked_sub(1).map(|index| sorted[index])?;
    let high = sorted.get(last).copied()?;
    Some((low, high))
}

/// How likely exactly so many of the figures lie below the quantile.
#[expect(clippy::cast_precision_loss, reason = "a count of figures, far below 2^52")]
fn likelihood(count: usize, below: usize, share: f64) -> f64 {
    let gamma = |n: usize| libm::lgamma(n as f64 + 1.0);
    let choose = gamma(count) - gamma(below) - gamma(count - below);
    libm::exp(choose + below as f64 * libm::log(share) + (count - below) as f64 * libm::log1p(-share))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::cast_precision_loss, reason = "small numbers")]
    fn ranks(count: usize, share: f64, level: f64) -> Option<(f64, f64)> {
        let sorted: Vec<f64> = (1..=count).map(|rank| rank as f64).collect();
        quantile_interval(&sorted, share, level)
    }

    #[test]
    fn ranks_as_in_the_tables() {
        // The median of ten lies between the second and the ninth with 97.9 %, between the third and the eighth with 89.1 %.
        assert_eq!(ranks(10, 0.5, 0.89), Some((3.0, 8.0)));
        // Of unequal tails the shorter range is taken: the second to the eighth has 94.5 %, so 95 % needs both.
        assert_eq!(ranks(10, 0.5, 0.95), Some((2.0, 9.0)));
        // Counts 0 to 10 of ten would be needed: no figure is a bound.
        assert_eq!(ranks(10, 0.99, 0.95), None);
        assert_eq!(ranks(0, 0.5, 0.95), None);
        // p99 of 1000: the count below has mean 990 and deviation 3.1.
        let (low, high) = ranks(1000, 0.99, 0.95).expect("enough figures");
        assert!((983.0..=985.0).contains(&low) && (995.0..=997.0).contains(&high), "{low}, {high}");
    }

    #[test]
    fn the_true_quantile_is_inside_as_often_as_asked() {
        use crate::rng::StreamName;
        let mut stream = StreamName::new(5).word("order").stream();
        let (mut inside, runs) = (0, 2000);
        for _ in 0..runs {
            let mut sample: Vec<f64> = (0..200).map(|_| stream.unit()).collect();
            sample.sort_by(f64::total_cmp);
            let (low, high) = quantile_interval(&sample, 0.9, 0.95).expect("enough");
            inside += i32::from(low <= 0.9 && 0.9 <= high);
        }
        let share = f64::from(inside) / f64::from(runs);
        assert!((0.94..=0.98).contains(&share), "{share}");
    }
}
