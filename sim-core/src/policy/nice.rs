//! What a nice value weighs: the kernel's table, 1024 · 1.25^−nice in round numbers.

/// From nice −20 to 19.
const WEIGHTS: [u32; 40] = [
    88761, 71755, 56483, 46273, 36291, 29154, 23254, 18705, 14949, 11916, 9548, 7620, 6100, 4904, 3906, 3121, 2501,
    1991, 1586, 1277, 1024, 820, 655, 526, 423, 335, 272, 215, 172, 137, 110, 87, 70, 56, 45, 36, 29, 23, 18, 15,
];

/// The weight of nice 0.
pub(super) const UNIT: u32 = 1024;

/// The weight of a nice value; one beyond the ends weighs what the end does.
pub(super) fn weight(nice: i8) -> u32 {
    WEIGHTS[usize::try_from(i16::from(nice) + 20).unwrap_or(0).min(WEIGHTS.len() - 1)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_step_is_a_quarter() {
        assert_eq!(weight(0), UNIT);
        for nice in -20..=19_i8 {
            let law = 1024.0 / 1.25_f64.powi(i32::from(nice));
            assert!((f64::from(weight(nice)) / law - 1.0).abs() < 0.05, "nice {nice}");
        }
    }
    #[test]
    fn beyond_the_ends_nothing_changes() {
        assert_eq!([-128, -21, -20].map(weight), [88761; 3]);
        assert_eq!([127, 20, 19].map(weight), [15; 3]);
    }
}
