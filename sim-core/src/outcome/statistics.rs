//! Mean, percentiles and maximum of many values.

use serde::Serialize;

use crate::metrics::percentile;
use crate::time::Span;

/// Mean, percentiles and maximum; null where there are too few values to mean anything.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Statistics<T = u64> {
    pub mean: Option<f64>,
    pub p50: Option<T>,
    pub p95: Option<T>,
    pub p99: Option<T>,
    pub max: Option<T>,
}

/// Of lengths of time.
pub(super) fn of_spans(values: Vec<Span>) -> Statistics {
    let mut sorted: Vec<u64> = values.into_iter().map(Span::ns).collect();
    sorted.sort_unstable();
    // Summed as integers: the mean does not depend on the order, and is exact before the one division.
    let sum: u128 = sorted.iter().map(|value| u128::from(*value)).sum();
    #[expect(clippy::cast_precision_loss, reason = "a statistic")]
    let mean = (!sorted.is_empty()).then(|| sum as f64 / sorted.len() as f64);
    of_sorted(&sorted, mean)
}

/// Of ratios.
pub(super) fn of_floats(mut values: Vec<f64>) -> Statistics<f64> {
    values.sort_unstable_by(f64::total_cmp);
    // Summed in the order of their size: that does not depend on the order of the tasks.
    #[expect(clippy::cast_precision_loss, reason = "a statistic")]
    let mean = (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64);
    of_sorted(&values, mean)
}

fn of_sorted<T: Copy>(sorted: &[T], mean: Option<f64>) -> Statistics<T> {
    Statistics {
        mean,
        p50: percentile(sorted, 50),
        p95: percentile(sorted, 95),
        p99: percentile(sorted, 99),
        max: sorted.last().copied(),
    }
}
