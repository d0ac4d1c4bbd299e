//! Student's distribution.

/// The factor of an interval at a level such as 0.95: so much of Student's distribution with so many degrees of freedom (at
/// least one) lies between minus this and this.
#[must_use]
pub fn student(freedom: usize, level: f64) -> f64 {
    let (mut low, mut high) = (0.0, 2.0);
    while central(high, freedom) < level && high < 1e12 {
        (low, high) = (high, 2.0 * high);
    }
    // Bisected until no number lies between.
    loop {
        let middle = f64::midpoint(low, high);
        if middle <= low || middle >= high {
            return middle;
        }
        if central(middle, freedom) < level { low = middle } else { high = middle }
    }
}

/// How much of Student's distribution with so many degrees of freedom lies at least as far from zero as `t`, on both sides:
/// the p-value of a difference.
#[must_use]
pub fn significance(t: f64, freedom: usize) -> f64 {
    (1.0 - central(t.abs(), freedom)).max(0.0)
}

/// The share of Student's distribution between −t and t, by its finite series (Abramowitz & Stegun 26.7.3, 26.7.4).
#[expect(clippy::cast_precision_loss, reason = "degrees of freedom, far below 2^52")]
fn central(t: f64, freedom: usize) -> f64 {
    let angle = libm::atan(t / libm::sqrt(freedom as f64));
    let (sine, cosine) = (libm::sin(angle), libm::cos(angle));
    let odd = freedom % 2 == 1;
    // Odd: cos + 2/3 cos³ + 2·4/(3·5) cos⁵ + …; even: 1 + 1/2 cos² + 1·3/(2·4) cos⁴ + …
    let first = if odd { cosine } else { 1.0 };
    let (mut sum, mut term) = (0.0, first);
    let terms = if odd { (freedom - 1) / 2 } else { freedom / 2 };
    for index in 0..terms {
        sum += term;
        let k = (2 * index + if odd { 2 } else { 1 }) as f64;
        term *= k / (k + 1.0) * cosine * cosine;
    }
    if odd { (angle + sine * sum) * std::f64::consts::FRAC_2_PI } else { sine * sum }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn student_as_in_the_tables() {
        for (freedom, level, expected) in [
            (1, 0.95, 12.7062),
            (2, 0.95, 4.3027),
            (3, 0.95, 3.1824),
            (4, 0.95, 2.7764),
            (5, 0.95, 2.5706),
            (9, 0.95, 2.2622),
            (10, 0.95, 2.2281),
            (29, 0.95, 2.0452),
            (30, 0.95, 2.0423),
            (120, 0.95, 1.9799),
            (9_999, 0.95, 1.9602),
            (1, 0.99, 63.6567),
            (10, 0.90, 1.8125),
            (10, 0.99, 3.1693),
            (10, 0.999, 4.5869),
            (29, 0.90, 1.6991),
        ] {
            let found = student(freedom, level);
            assert!((found - expected).abs() < 6e-5, "{freedom}, {level}: found {found}, expected {expected}");
        }
    }

    #[test]
    fn what_an_interval_just_reaches_is_as_significant_as_it_leaves_out() {
        for freedom in [1, 2, 9, 30] {
            for level in [0.5, 0.9, 0.95, 0.999] {
                let found = significance(-student(freedom, level), freedom);
                assert!((found - (1.0 - level)).abs() < 1e-9, "{freedom}, {level}: {found}");
            }
        }
    }
}
