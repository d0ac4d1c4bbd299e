//! Repeated runs in tables: a row for each figure of one scenario, or for each variation.

use crate::output::Terminal;
use crate::repetition::{Figure, Repetition};
use crate::table::{Table, Unit, whole};

/// The figures of repeated runs of one scenario.
#[must_use]
pub fn repetitions(repetition: &Repetition, terminal: &Terminal) -> String {
    let makespan = repetition.makespan.iter().map(|figure| ("makespan".to_owned(), figure));
    let latencies = repetition.latencies.iter().map(|(kind, figure)| (format!("latency of {kind}"), figure));
    let groups = repetition.groups.iter().map(|of| (format!("{} of group {}", of.what, of.group), &of.figure));
    let rows: Vec<(String, &Figure)> = makespan.chain(latencies).chain(groups).collect();
    table("ALL RUNS", &rows, terminal)
}

/// The figures of variations: their makespans side by side, then the latencies of each kind of task.
#[must_use]
pub fn measured_variations(variations: &[(&str, &Repetition)], terminal: &Terminal) -> String {
    let makespans: Vec<(String, &Figure)> = (variations.iter())
        .filter_map(|(label, repetition)| Some(((*label).to_owned(), repetition.makespan.as_ref()?)))
        .collect();
    let mut text = table("MAKESPAN", &makespans, terminal);
    // A kind of task may be in some of the variations only.
    let mut kinds: Vec<&str> = Vec::new();
    for (kind, _) in variations.iter().flat_map(|(_, repetition)| &repetition.latencies) {
        if !kinds.contains(&kind.as_str()) {
            kinds.push(kind);
        }
    }
    for kind in kinds {
        let rows: Vec<(String, &Figure)> = (variations.iter())
            .filter_map(|(label, repetition)| {
                let (_, figure) = repetition.latencies.iter().find(|(name, _)| name == kind)?;
                Some(((*label).to_owned(), figure))
            })
            .collect();
        text += &format!("\n{}", table(&format!("LATENCY of {kind}"), &rows, terminal));
    }
    let groups: Vec<(String, &Figure)> = (variations.iter())
        .flat_map(|(label, repetition)| repetition.groups.iter().map(move |of| (label, of)))
        .map(|(label, of)| (format!("{label} {} of {}", of.what, of.group), &of.figure))
        .collect();
    if !groups.is_empty() {
        text += &format!("\n{}", table("GROUPS", &groups, terminal));
    }
    text
}

/// A row for each figure, and beneath them the runs that stand apart.
fn table(heading: &str, rows: &[(String, &Figure)], terminal: &Terminal) -> String {
    let unit = Unit::for_all(rows.iter().flat_map(|(_, figure)| &figure.values).map(|ns| whole(*ns)));
    let headings = ["runs", "mean", "± 95 %", "min", "median", "max"];
    let first = format!("{heading} ({})", unit.name);
    let mut table = Table::new(std::iter::once(first).chain(headings.map(str::to_owned)));
    for (name, figure) in rows {
        let sample = &figure.sample;
        table.row([
            name.clone(),
            sample.count.to_string(),
            unit.show_mean(Some(sample.mean)),
            unit.show_mean(sample.half_width),
            unit.show_mean(Some(sample.min)),
            unit.show_mean(Some(sample.median)),
            unit.show_mean(Some(sample.max)),
        ]);
    }
    let mut text = table.render(terminal);
    for (name, figure) in rows {
        for (run, value) in figure.outliers() {
            let line = format!("outlier: {name} of run {run}, {} {}\n", unit.show_mean(Some(value)), unit.name);
            text += &terminal.wrapped(&line);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Story, measured};
    use expect_test::expect;
    use sim_core::document::Source;
    use sim_core::scenario::lower;

    /// Runs of one task that ends after so many microseconds.
    fn runs(ends: &[u64]) -> Repetition {
        let toml = "[[device]]\nname = \"disk\"\n[[lock]]\nname = \"db\"\n[[task]]\nname = \"a\"\nprogram = [{ cpu = \"5ms\" }]";
        let scenario = lower::scenario(&Source { file: "test.toml", text: toml }, &[]).expect("valid");
        let outcome = |end: &u64| {
            let story = Story::new(1).tasks("main", "a", 1).run(0, 0, 0, *end).life(0, Some(0), Some(*end));
            measured(&scenario, &story.end(*end))
        };
        Repetition::of(&ends.iter().map(outcome).collect::<Vec<_>>())
    }

    const TERMINAL: Terminal = Terminal::plain(100);

    #[test]
    fn a_run_that_stands_apart_is_named() {
        expect![[r#"
            ALL RUNS (ms)      runs   mean  ± 95 %    min  median    max
            makespan              6  5.429   1.065  5.000   5.018  7.500
            latency of main/a     6  5.429   1.065  5.000   5.018  7.500
            outlier: makespan of run 3, 7.500 ms
            outlier: latency of main/a of run 3, 7.500 ms
        "#]]
        .assert_eq(&repetitions(&runs(&[5_000, 5_010, 7_500, 5_020, 5_030, 5_015]), &TERMINAL));
        expect![[r#"
            ALL RUNS (ms)      runs  mean  ± 95 %  min  median  max
            makespan              1   5.0       –  5.0     5.0  5.0
            latency of main/a     1   5.0       –  5.0     5.0  5.0
        "#]]
        .assert_eq(&repetitions(&runs(&[5_000]), &TERMINAL));
    }

    #[test]
    fn variations_stand_side_by_side() {
        let (one, two) = (runs(&[5_000, 5_010]), runs(&[2_500, 2_600]));
        expect![[r#"
            MAKESPAN (ms)  runs  mean  ± 95 %   min  median   max
            processors=1      2  5.00    0.06  5.00    5.00  5.01
            processors=2      2  2.55    0.64  2.50    2.55  2.60

            LATENCY of main/a (ms)  runs  mean  ± 95 %   min  median   max
            processors=1               2  5.00    0.06  5.00    5.00  5.01
            processors=2               2  2.55    0.64  2.50    2.55  2.60
        "#]]
        .assert_eq(&measured_variations(&[("processors=1", &one), ("processors=2", &two)], &TERMINAL));
    }

    #[test]
    fn the_figures_as_json() {
        let json = runs(&[5_000, 5_010, 7_500, 5_020, 5_030]).json();
        assert_eq!(json["makespan"]["n"], 5);
        assert_eq!(json["makespan"]["median_ns"], 5_020_000.0);
        assert_eq!(json["makespan"]["outliers"], serde_json::json!([{ "run": 3, "value_ns": 7_500_000.0 }]));
        assert_eq!(json["latency"][0]["kind"], "main/a");
        let bound = |key: &str| json["makespan"][key].as_f64().expect("a number");
        assert!((bound("low_ns") + bound("high_ns") - 2.0 * bound("mean_ns")).abs() < 1e-3);
    }
}
