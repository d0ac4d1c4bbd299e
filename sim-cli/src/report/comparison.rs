//! A simulation beside real runs, in tables: the tasks, the kinds of tasks, and how close the two are.

use std::collections::BTreeMap;

use sim_core::compare::{Distance, TaskDistance};
use sim_core::time::Span;

use crate::comparison::{Band, Bands, Comparison, GroupComparison, KindComparison, Latencies};
use crate::output::Terminal;
use crate::table::{Table, Unit, percent, signed_percent, whole};

/// So many tasks have a row each; of more there is a row for each kind.
const FEW: usize = 16;

/// All tables; `full` has a row for each task, however many there are.
#[must_use]
pub fn comparison(comparison: &Comparison, full: bool, terminal: &Terminal) -> String {
    let few = comparison.distance.tasks.len() <= FEW;
    let unit = unit(comparison, few || full);
    let mut tables = Vec::new();
    if few || full {
        tables.extend(tasks(comparison, unit));
    }
    if !few {
        tables.push(kinds(comparison, unit));
        tables.push(latencies(comparison, unit));
    }
    tables.extend(groups(comparison));
    tables.extend(bands(comparison));
    tables.push(closeness(comparison));
    tables.iter().map(|table| table.render(terminal) + "\n").collect()
}

/// One unit for the tables of all tasks, or of the latencies alone.
fn unit(comparison: &Comparison, tasks: bool) -> Unit {
    let arms = Arms::of(comparison);
    let rows = 0..comparison.distance.tasks.len();
    let finishes = rows.clone().filter(|_| tasks).flat_map(|row| arms.figures(row, FINISH));
    let all: Vec<u64> = finishes.chain(rows.flat_map(|row| arms.figures(row, LATENCY))).flatten().collect();
    Unit::for_all(all.into_iter())
}

/// What is simulated and measured of a task.
type Figures = fn(&TaskDistance) -> [Option<u64>; 2];

const FINISH: Figures = |task| [task.simulated_finish_ns, task.measured_finish_ns];
/// The turnaround, or how long its jobs took in the mean where it did not finish in both.
const LATENCY: Figures = |task| {
    let turnaround = [task.simulated_turnaround_ns, task.measured_turnaround_ns];
    let response = [task.simulated_response_ns, task.measured_response_ns];
    if turnaround.contains(&None) && response != [None; 2] { response } else { turnaround }
};

/// What stands side by side: the simulation, or what the file says and the prediction; and the real runs.
struct Arms<'a> {
    basis: &'a [TaskDistance],
    /// What the file says, by the names of tasks, where the basis is a prediction.
    ideal: BTreeMap<&'a str, &'a TaskDistance>,
    predicts: bool,
}

impl<'a> Arms<'a> {
    fn of(comparison: &'a Comparison) -> Arms<'a> {
        let ideal = comparison.ideal_distance.iter().flat_map(|distance| &distance.tasks);
        Arms {
            basis: &comparison.distance.tasks,
            ideal: ideal.map(|task| (task.name.as_str(), task)).collect(),
            predicts: comparison.ideal_distance.is_some(),
        }
    }

    /// What its figures are called.
    fn headings(&self) -> Vec<String> {
        let names: &[&str] =
            if self.predicts { &["ideal", "predicted", "measured"] } else { &["simulated", "measured"] };
        names.iter().chain(&["error"]).map(|name| (*name).to_owned()).collect()
    }

    /// The figures of a row in that order.
    fn figures(&self, row: usize, of: Figures) -> Vec<Option<u64>> {
        let task = &self.basis[row];
        let ideal = self.predicts.then(|| self.ideal.get(task.name.as_str()).and_then(|task| of(task)[0]));
        ideal.into_iter().chain(of(task)).collect()
    }
}

/// How many real runs the figures are of, and why there are no more.
#[must_use]
pub fn kept(comparison: &Comparison, asked: usize) -> String {
    let (runs, dropped) = (comparison.clean(), comparison.dropped);
    let set_aside = match dropped {
        0 => "none set aside".to_owned(),
        _ => format!("{dropped} set aside because other programs took more than 2 % of a processor"),
    };
    let all = comparison.made();
    let more = if all > asked { format!(" ({asked} asked for, and disturbed ones repeated)") } else { String::new() };
    format!("{runs} real run{} kept of {all}{more}; {set_aside}", crate::rows::plural(runs))
}

/// A row for each task: its finish, and its latency where that is not the same.
fn tasks(comparison: &Comparison, unit: Unit) -> Vec<Table> {
    let tasks = &comparison.distance.tasks;
    let arms = Arms::of(comparison);
    // Where nobody finished, in a deadlock, there is nothing to hold side by side.
    let mut tables = Vec::new();
    if tasks.iter().flat_map(FINISH).any(|at| at.is_some()) {
        tables.push(beside("FINISH", unit, &arms, FINISH, |task| task.error));
    }
    if tasks.iter().any(|task| FINISH(task)[0] != LATENCY(task)[0]) {
        tables.push(beside("LATENCY", unit, &arms, LATENCY, |task| task.latency_error));
    }
    tables
}

fn beside(
    heading: &str,
    unit: Unit,
    arms: &Arms<'_>,
    of: Figures,
    error: impl Fn(&TaskDistance) -> Option<f64>,
) -> Table {
    let mut table = Table::new(std::iter::once(format!("{heading} ({})", unit.name)).chain(arms.headings()));
    for (row, task) in arms.basis.iter().enumerate() {
        let mut cells = vec![task.name.clone()];
        cells.extend(arms.figures(row, of).into_iter().map(|ns| unit.show_or_dash(ns)));
        cells.push(signed_percent(error(task)));
        table.row(cells);
    }
    table
}

/// The makespans of the three, and how far each varies.
fn bands(comparison: &Comparison) -> Option<Table> {
    let Bands { ideal, predicted, measured } = comparison.bands;
    let predicted = predicted.filter(|_| !comparison.distance.horizon_ends_both);
    let all = [("ideal", ideal), ("predicted", Some(predicted?)), ("measured", measured)];
    let ns = |band: Band| [band.median, band.from, band.to].map(whole);
    let figures: Vec<u64> = all.iter().filter_map(|(_, band)| *band).flat_map(ns).collect();
    let unit = Unit::for_all(figures.into_iter());
    let mut table = Table::new([format!("MAKESPAN ({})", unit.name), "median".into(), "from".into(), "to".into()]);
    for (name, band) in all {
        let cells = band
            .map_or_else(|| ["–".to_owned(), "–".to_owned(), "–".to_owned()], |band| ns(band).map(|ns| unit.show(ns)));
        table.row(std::iter::once(name.to_owned()).chain(cells));
    }
    Some(table)
}

/// A row for each kind: how far it is off in the mean, and where most.
fn kinds(comparison: &Comparison, unit: Unit) -> Table {
    let headings = ["tasks", "completion error", "latency error", "worst", "simulated", "measured"];
    let first = format!("KIND ({})", unit.name);
    let mut table = Table::new(std::iter::once(first).chain(headings.map(str::to_owned)));
    for kind in &comparison.kinds {
        let worst = comparison.distance.tasks.iter().find(|task| Some(&task.name) == kind.worst.as_ref());
        let mut row =
            vec![kind.name.clone(), kind.instances.to_string(), fine(kind.completion_error), fine(kind.latency_error)];
        if let Some(worst) = worst {
            row.push(format!("{} of {}", signed_percent(worst.latency_error), worst.name));
            row.extend(LATENCY(worst).map(|ns| unit.show_or_dash(ns)));
        }
        table.row(row);
    }
    table
}

/// The percentiles of each kind, simulated beside measured.
fn latencies(comparison: &Comparison, unit: Unit) -> Table {
    type Figure = fn(&Latencies) -> Option<f64>;
    const FIGURES: [(&str, Figure); 5] = [
        ("mean", |of| of.mean_ns),
        ("p50", |of| of.p50_ns),
        ("p95", |of| of.p95_ns),
        ("p99", |of| of.p99_ns),
        ("worst", |of| of.max_ns),
    ];
    let sides = |kind: &KindComparison, figure: Figure| [figure(&kind.simulated), figure(&kind.measured)];
    let rows: Vec<(String, [Option<f64>; 2])> = (comparison.kinds.iter())
        .flat_map(|kind| FIGURES.map(|(name, figure)| (format!("{} {name}", kind.name), sides(kind, figure))))
        .filter(|(_, sides)| sides.iter().any(Option::is_some))
        .collect();
    let ours = if comparison.ideal_distance.is_some() { "predicted" } else { "simulated" };
    let mut table = Table::new([format!("LATENCY ({})", unit.name), ours.into(), "measured".into(), "error".into()]);
    for (name, [simulated, measured]) in rows {
        let both = simulated.zip(measured).filter(|(_, real)| *real > 0.0 && comparison.gives_errors);
        let error = both.map(|(ours, real)| (ours - real) / real);
        table.row([name, unit.show_mean(simulated), unit.show_mean(measured), signed_percent(error)]);
    }
    table
}

/// What each group had of the processor time, and how long it stood still.
fn groups(comparison: &Comparison) -> Option<Table> {
    let all = &comparison.groups;
    let throttled = |group: &GroupComparison| [group.simulated_throttled_ns, group.measured_throttled_ns];
    let figures: Vec<u64> = all.iter().flat_map(throttled).flatten().map(whole).collect();
    let unit = Unit::for_all(figures.iter().copied());
    let ours = if comparison.ideal_distance.is_some() { "predicted" } else { "simulated" };
    let mut table = Table::new(["GROUP", ours, "measured"]);
    for group in all {
        let shares = [share(group.simulated_share), share(group.measured_share)];
        table.row(std::iter::once(format!("{}, of all processor time", group.name)).chain(shares));
        let [ours, real] = throttled(group).map(|ns| ns.map(|ns| format!("{} {}", unit.show(whole(ns)), unit.name)));
        if let (Some(ours), Some(real)) = (ours, real) {
            table.row([format!("{}, throttled", group.name), ours, real]);
        }
    }
    (!all.is_empty()).then_some(table)
}

/// How close, each figure beside the same between real runs.
fn closeness(comparison: &Comparison) -> Table {
    let basis = &comparison.distance;
    let arms: Vec<&Distance> = comparison.ideal_distance.iter().chain([basis]).collect();
    let ours: &[&str] = if arms.len() == 2 { &["ideal to real", "predicted to real"] } else { &["simulated to real"] };
    let mut table = Table::new(std::iter::once(&"HOW CLOSE").chain(ours).chain(&["real to real"]).copied());
    let span = |ns: Option<u64>| ns.map_or_else(|| "–".to_owned(), |ns| Span::from_ns(ns).readable());
    let mut row = |name: &str, ours: &dyn Fn(&Distance) -> String, real: String| {
        table.row(std::iter::once(name.to_owned()).chain(arms.iter().map(|arm| ours(arm))).chain([real]));
    };
    row("makespan: error, spread", &|of| signed_percent(of.makespan_error), fine(basis.makespan_spread));
    row("completion: mean error, spread", &|of| fine(of.completion_error), fine(basis.completion_spread));
    row("latency: mean error, spread", &|of| fine(of.latency_error), fine(basis.latency_spread));
    row("same tasks running", &|of| share(of.agreement), share(basis.agreement_between_runs));
    row(
        "distance of CPU time received",
        &|of| span(of.service_distance_ns),
        span(basis.service_distance_between_runs_ns),
    );
    row(
        "first different for 0.5 ms after",
        &|of| horizon(of.agreement, of.horizon_ns),
        horizon(basis.agreement_between_runs, basis.horizon_between_runs_ns),
    );
    table
}

/// When two runs, whose agreement is known if there are two, are different for long enough to count.
fn horizon(agreement: Option<f64>, ns: Option<u64>) -> String {
    match (agreement, ns) {
        (None, _) => "–".to_owned(),
        (_, None) => "never".to_owned(),
        (_, Some(ns)) => Span::from_ns(ns).readable(),
    }
}

fn share(share: Option<f64>) -> String {
    share.map_or_else(|| "–".to_owned(), percent)
}

/// An error or a spread: a tenth of a percent is much.
fn fine(share: Option<f64>) -> String {
    share.map_or_else(|| "–".to_owned(), |share| format!("{:.2} %", share * 100.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{self, Story};
    use expect_test::expect;
    use sim_core::compare::{compare, compare_ensemble};
    use sim_core::document::Source;
    use sim_core::outcome::Outcome;
    use sim_core::scenario::{Scenario, lower};
    use sim_core::timeline::Timeline;

    /// Requests that arrive every 10 ms and take 5 ms and a bit more each.
    fn requests(count: u32, more: u64) -> Timeline {
        let mut story = Story::new(1).tasks("main", "request", count);
        for task in 0..count {
            let (arrives, ends) = (u64::from(task) * 10_000, u64::from(task) * 10_000 + 5_000 + more * u64::from(task));
            story = story.run(0, task, arrives, ends).life(task, Some(arrives), Some(ends));
        }
        story.end(u64::from(count) * 10_000)
    }

    fn scenario(count: u32) -> Scenario {
        let toml = format!(
            "[[device]]\nname = \"disk\"\n[[lock]]\nname = \"db\"\n[[task]]\nname = \"request\"\ncount = {count}\nprogram = [{{ cpu = \"5ms\" }}]"
        );
        lower::scenario(&Source { file: "test.toml", text: &toml }, &[]).expect("valid")
    }

    fn compared(count: u32) -> Comparison {
        let scenario = scenario(count);
        let outcome = |timeline| testing::measured(&scenario, timeline);
        let (simulated, real) = (requests(count, 0), [requests(count, 10), requests(count, 12)]);
        let measured: Vec<Outcome> = real.iter().map(&outcome).collect();
        let comparison = Comparison::new(compare(&simulated, &real), &outcome(&simulated), &measured);
        Comparison { dropped: 1, ..comparison }
    }

    const TERMINAL: Terminal = Terminal::plain(100);

    #[test]
    fn few_tasks_have_a_row_each() {
        expect![[r#"
            FINISH (ms)     simulated  measured    error
            main/request#0      5.000     5.000  +0.00 %
            main/request#1     15.000    15.011  -0.07 %
            main/request#2     25.000    25.022  -0.09 %

            LATENCY (ms)    simulated  measured    error
            main/request#0      5.000     5.000  +0.00 %
            main/request#1      5.000     5.011  -0.22 %
            main/request#2      5.000     5.022  -0.44 %

            HOW CLOSE                         simulated to real  real to real
            makespan: error, spread                     -0.09 %        0.01 %
            completion: mean error, spread               0.05 %        0.01 %
            latency: mean error, spread                  0.22 %        0.03 %
            same tasks running                           99.8 %       100.0 %
            distance of CPU time received              1.471 µs        267 ns
            first different for 0.5 ms after              never         never

        "#]]
        .assert_eq(&comparison(&compared(3), false, &TERMINAL));
    }

    #[test]
    fn a_prediction_stands_between_what_the_file_says_and_what_was_measured() {
        let plain = compared(3);
        let scenario = scenario(3);
        let outcome = |timeline| testing::measured(&scenario, timeline);
        let (machines, real) = ([requests(3, 9), requests(3, 11), requests(3, 14)], [requests(3, 10), requests(3, 12)]);
        let [ensemble, measured]: [Vec<Outcome>; 2] =
            [machines.iter().map(&outcome).collect(), real.iter().map(&outcome).collect()];
        let (machines, ensemble): (Vec<_>, Vec<_>) = (machines.iter().collect(), ensemble.iter().collect());
        let comparison = plain.predicted(compare_ensemble(&machines, &real), &ensemble, &measured);
        // Of kinds, too, the figures are medians over the ensemble.
        assert_eq!(comparison.kinds[0].simulated.mean_ns, Some(5_011_000.0));
        expect![[r#"
            FINISH (ms)      ideal  predicted  measured    error
            main/request#0   5.000      5.000     5.000  +0.00 %
            main/request#1  15.000     15.011    15.011  +0.00 %
            main/request#2  25.000     25.022    25.022  +0.00 %

            LATENCY (ms)    ideal  predicted  measured    error
            main/request#0  5.000      5.000     5.000  +0.00 %
            main/request#1  5.000      5.011     5.011  +0.00 %
            main/request#2  5.000      5.022     5.022  +0.00 %

            MAKESPAN (ms)  median    from      to
            ideal          25.000  25.000  25.000
            predicted      25.022  25.018  25.027
            measured       25.022  25.020  25.024

            HOW CLOSE                         ideal to real  predicted to real  real to real
            makespan: error, spread                 -0.09 %            +0.00 %        0.01 %
            completion: mean error, spread           0.05 %             0.00 %        0.01 %
            latency: mean error, spread              0.22 %             0.00 %        0.03 %
            same tasks running                       99.8 %            100.0 %       100.0 %
            distance of CPU time received          1.471 µs             200 ns        267 ns
            first different for 0.5 ms after          never              never         never

        "#]]
        .assert_eq(&super::comparison(&comparison, false, &TERMINAL));
    }

    #[test]
    fn of_many_tasks_there_is_a_row_for_each_kind_with_the_worst_by_name() {
        expect![[r#"
            KIND (ms)     tasks  completion error  latency error                        worst  simulated  measured
            main/request    100            0.11 %         9.52 %  -17.88 % of main/request#99      5.000     6.089

            LATENCY (ms)        simulated  measured     error
            main/request mean       5.000     5.545   -9.82 %
            main/request p50        5.000     5.539   -9.73 %
            main/request p95        5.000     6.034  -17.14 %
            main/request p99        5.000     6.078  -17.74 %
            main/request worst      5.000     6.089  -17.88 %

            HOW CLOSE                         simulated to real  real to real
            makespan: error, spread                     -0.11 %        0.02 %
            completion: mean error, spread               0.11 %        0.02 %
            latency: mean error, spread                  9.52 %        1.39 %
            same tasks running                           90.2 %        98.2 %
            distance of CPU time received                179 µs      32.51 µs
            first different for 0.5 ms after             425 ms         never

        "#]]
        .assert_eq(&comparison(&compared(100), false, &TERMINAL));
        assert!(comparison(&compared(100), true, &TERMINAL).contains("main/request#57 "), "--full has all");
        // Where nothing is compared no table has an error.
        let refused = comparison(&compared(100).refused("others were busy"), true, &TERMINAL);
        let signs = refused.lines().filter(|line| line.contains("+") || line.contains("-0") || line.contains("-1"));
        assert_eq!(signs.collect::<Vec<_>>(), [""; 0], "{refused}");
    }

    #[test]
    fn how_many_runs_were_kept_is_said_so_that_it_can_be_read_in_one_way() {
        let mut compared = compared(2);
        expect!["2 real runs kept of 3; 1 set aside because other programs took more than 2 % of a processor"]
            .assert_eq(&kept(&compared, 3));
        (compared.dropped, compared.distance.runs) = (0, 1);
        expect!["1 real run kept of 1; none set aside"].assert_eq(&kept(&compared, 1));
        (compared.disturbed, compared.dropped, compared.distance.runs) = (true, 20, 20);
        expect!["0 real runs kept of 20 (10 asked for, and disturbed ones repeated); 20 set aside because other programs took more than 2 % of a processor"]
            .assert_eq(&kept(&compared, 10));
    }

    #[test]
    fn tolerance_goes_by_makespan_and_latency() {
        let compared = compared(100);
        assert_eq!(compared.beyond(0.2), Vec::<String>::new());
        expect!["latency is off by 9.5 % in the mean over tasks, more than 1.0 %"]
            .assert_eq(&compared.beyond(0.01).join("\n"));
        expect![[r#"
            the makespan is off by 0.1 %, more than 0.0 %
            latency is off by 9.5 % in the mean over tasks, more than 0.0 %"#]]
        .assert_eq(&compared.beyond(0.0).join("\n"));
    }
}
