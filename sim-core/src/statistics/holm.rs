//! Which of several differences can be told from chance.

/// Which of these p-values are significant at a level such as 0.95 when all are looked at together, so that the chance of even
/// one false alarm stays below one minus the level (Holm 1979: step down from the smallest, each against what the larger
/// ones leave).
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "a count of variations, far below 2^52")]
pub fn holm(values: &[f64], level: f64) -> Vec<bool> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
    let mut significant = vec![false; values.len()];
    for (index, which) in order.into_iter().enumerate() {
        if values[which] * (values.len() - index) as f64 > 1.0 - level + 1e-12 {
            break;
        }
        significant[which] = true;
    }
    significant
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_must_pass_the_strictest_test() {
        // 0.01 against 0.05/4, 0.015 against 0.05/3, 0.03 against 0.05/2: too much; then nobody else, though 0.035 < 0.05.
        assert_eq!(holm(&[0.03, 0.01, 0.035, 0.015], 0.95), [false, true, false, true]);
        // Bonferroni alone would refuse the second: 0.04 > 0.05/2.
        assert_eq!(holm(&[0.024, 0.04], 0.95), [true, true]);
        assert_eq!(holm(&[0.05], 0.95), [true]);
        assert_eq!(holm(&[], 0.95), Vec::<bool>::new());
    }
}
