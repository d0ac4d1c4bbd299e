//! How far a simulation is from real runs, in words: measured by how far these are apart.

use sim_core::compare::Distance;

use super::WIDENED;

/// Which of makespan and latency are off by more than real runs are apart, and by a thousandth at least; nothing if none is.
pub(super) fn farther_than_real_runs(distance: &Distance) -> Option<String> {
    let judged = [
        ("the makespan", distance.makespan_error.map(f64::abs), distance.makespan_spread),
        ("latency", distance.latency_error, distance.latency_spread),
    ];
    let far = judged.into_iter().filter_map(|(what, error, spread)| Some((what, error?, spread?)));
    let far: Vec<_> = far.filter(|(_, error, spread)| *error > spread.max(WIDENED)).collect();
    let names = far.iter().map(|(what, ..)| *what).collect::<Vec<_>>().join(" and ");
    let spreads = far.iter().map(|(.., spread)| format!("{:.2} %", spread * 100.0)).collect::<Vec<_>>().join(" and ");
    let is = if far.len() > 1 { "are" } else { "is" };
    (!far.is_empty()).then(|| format!("{names} {is} farther off than real runs are apart ({spreads})"))
}

/// How far a prediction is from real runs, measured by how far these are from each other. `makespan` is theirs.
pub(super) fn closeness_in_words(distance: &Distance, makespan: Option<f64>) -> String {
    if distance.runs < 2 {
        return "one real run does not say how far real runs are apart".to_owned();
    }
    #[expect(clippy::cast_precision_loss, reason = "a ratio")]
    let share = distance.service_distance_ns.zip(makespan).map(|(service, makespan)| service as f64 / makespan);
    let close = share.is_some_and(|share| share < WIDENED);
    match distance.ratio {
        Some(ratio) if ratio <= 1.05 => format!("as close as real runs are to each other (ratio {ratio:.1})"),
        Some(ratio) if close => format!("less than 0.1 % of the run apart (ratio {ratio:.1})"),
        Some(ratio) if ratio <= 1.55 => format!("nearly as close as real runs are to each other (ratio {ratio:.1})"),
        Some(ratio) => format!("{ratio:.1} times as far from real runs as these are from each other"),
        None if distance.agreement.is_none() => "nothing ran that could be compared".to_owned(),
        None => "the real runs do not differ at all".to_owned(),
    }
}

/// How the errors of makespan and latency compare with the spread of real runs.
pub(super) fn verdict(distance: &Distance) -> String {
    if distance.runs < 2 {
        return "one real run does not say how far real runs are apart".to_owned();
    }
    let judged = [
        ("the makespan", distance.makespan_error.map(f64::abs), distance.makespan_spread),
        ("latency", distance.latency_error, distance.latency_spread),
    ];
    let parts: Vec<String> = (judged.into_iter())
        .filter_map(|(what, error, spread)| Some((what, against(error?, spread?))))
        .enumerate()
        .map(|(index, (what, size))| format!("{what} {}by {size}", if index == 0 { "is off " } else { "" }))
        .collect();
    if parts.is_empty() { "nothing ended that could be compared".to_owned() } else { parts.join(", ") }
}

/// An error, measured by the spread of real runs.
fn against(error: f64, spread: f64) -> String {
    let times = error / spread;
    let rounded = format!("{times:.0}");
    match times {
        _ if error <= spread => "less than real runs are apart".to_owned(),
        ..1.95 => format!("{times:.1} times the spread of real runs"),
        ..12.5 => format!("{} times the spread of real runs", in_words(&rounded)),
        ..1000.0 => format!("{rounded} times the spread of real runs"),
        _ => "more than a thousand times the spread of real runs".to_owned(),
    }
}

fn in_words(number: &str) -> &str {
    const WORDS: [&str; 13] =
        ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"];
    number.parse().ok().and_then(|number: usize| WORDS.get(number)).copied().unwrap_or(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_judged_by_the_spread_of_real_runs() {
        for (error, spread, words) in [
            (0.004, 0.004, "less than real runs are apart"),
            (0.0, 0.0, "less than real runs are apart"),
            (0.006, 0.004, "1.5 times the spread of real runs"),
            (0.008, 0.004, "two times the spread of real runs"),
            (0.041, 0.004, "ten times the spread of real runs"),
            (0.049, 0.004, "twelve times the spread of real runs"),
            (0.0522, 0.004, "13 times the spread of real runs"),
            (0.01, 0.000_001, "more than a thousand times the spread of real runs"),
            (0.01, 0.0, "more than a thousand times the spread of real runs"),
        ] {
            assert_eq!(against(error, spread), words, "{error} {spread}");
        }
    }
    #[test]
    fn a_prediction_is_judged_by_how_far_real_runs_are_apart() {
        let distance = |ratio: Option<f64>, service: u64| Distance {
            runs: 5,
            ratio,
            agreement: Some(0.9),
            service_distance_ns: Some(service),
            ..Distance::default()
        };
        let judged = |ratio, service| closeness_in_words(&distance(ratio, service), Some(10_000_000.0));
        for (ratio, service, words) in [
            (Some(0.86), 50_000, "as close as real runs are to each other (ratio 0.9)"),
            (Some(3.2), 9_000, "less than 0.1 % of the run apart (ratio 3.2)"),
            (Some(1.4), 50_000, "nearly as close as real runs are to each other (ratio 1.4)"),
            (Some(3.2), 50_000, "3.2 times as far from real runs as these are from each other"),
            (None, 50_000, "the real runs do not differ at all"),
        ] {
            assert_eq!(judged(ratio, service), words, "{ratio:?} {service}");
        }
        let one = Distance { runs: 1, ..distance(Some(1.0), 0) };
        assert_eq!(closeness_in_words(&one, None), "one real run does not say how far real runs are apart");
    }
}
