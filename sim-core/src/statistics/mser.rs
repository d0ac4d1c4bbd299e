//! When a run has come to rest.

/// So many figures make one.
pub const BATCH: usize = 5;

/// How many figures at the beginning of a series to leave out, so that the mean of the rest is surest (MSER-5: White 1997,
/// White, Cobb & Spratt 2000): means of five are made, and the cut is where the squared deviations of what is left, over
/// the square of their number, are least. `None` if the series is too short to say, or if the cut lies in its second half:
/// then it has not come to rest.
///
/// The last five batches are never what is left alone: so few may be alike by chance.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "a count of figures, far below 2^52")]
pub fn mser5(series: &[f64]) -> Option<usize> {
    let means: Vec<f64> = series.chunks_exact(BATCH).map(|batch| batch.iter().sum::<f64>() / BATCH as f64).collect();
    let most = means.len().checked_sub(BATCH)?;
    // Sums from the end: of a million figures every cut is looked at.
    let (mut count, mut mean, mut squares) = (0.0, 0.0, 0.0);
    let mut best: Option<(f64, usize)> = None;
    for (index, value) in means.iter().enumerate().rev() {
        count += 1.0;
        let from_mean = value - mean;
        mean += from_mean / count;
        squares += from_mean * (value - mean);
        let score: f64 = squares / (count * count);
        // Of equally good cuts the earliest, which keeps most.
        if index <= most && best.is_none_or(|(least, _)| score <= least) {
            best = Some((score, index));
        }
    }
    let (_, cut) = best?;
    (cut * 2 <= means.len()).then_some(cut * BATCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_beginning_that_is_not_like_the_rest_is_left_out() {
        let rest = (0..200).map(|index| f64::from(index * 7919 % 11));
        let series: Vec<f64> = (0..20).map(|index| 100.0 - f64::from(index)).chain(rest).collect();
        assert_eq!(mser5(&series), Some(20));
    }

    #[test]
    fn a_series_that_is_alike_is_kept_whole() {
        assert_eq!(mser5(&[3.0; 100]), Some(0));
    }

    #[test]
    fn what_never_comes_to_rest_has_no_cut() {
        let rising: Vec<f64> = (0..200).map(|index| f64::from(index * index)).collect();
        assert_eq!(mser5(&rising), None);
        assert_eq!(mser5(&[1.0; 24]), None, "four batches are too few");
    }
}
