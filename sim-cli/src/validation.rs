//! How near predictions are to the machine, class by class: figures with signs, tolerances, and a control.

use std::collections::BTreeMap;

use serde::Serialize;
use sim_core::document::{Document, Item, Language, Mistakes, Source, Table};
use sim_core::outcome::FORMAT;
use sim_core::statistics::{median, quantile, sorted};

use crate::comparison::Comparison;

/// A profile of no machine: whoever is validated by it must fail, or the tolerances mean nothing.
pub const WRONG: &str = r#"
[machine]
wake = "1.5ms"
block = "400us"
exit = "400us"
start = "700us"
context-switch = "150us"
task-switch = "150us"
tick = "10ms"
tick-phase = "1ms"
[scheduler]
base-slice = "9ms"
"#;

/// One scenario.
#[derive(Clone, Debug, Serialize)]
pub struct Trial {
    /// The folder in which it is.
    pub class: String,
    /// Its file.
    pub file: String,
    /// What came of it.
    #[serde(flatten)]
    pub fate: Fate,
}

/// What came of a scenario.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fate {
    /// It was compared.
    Compared(Compared),
    /// It could not be, for this reason: that counts too.
    Refused(String),
}

/// How near a prediction was to the real runs of a scenario.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
pub struct Compared {
    /// (predicted − median real) / median real; `None` where the horizon ends both, as of the next two.
    pub makespan_error: Option<f64>,
    /// Of the makespans of the ensemble, as a share of the median real one: where most begin, and where most end.
    pub band: Option<[f64; 2]>,
    /// Does it hold the median real makespan?
    pub inside_band: Option<bool>,
    /// Mean over tasks of |predicted − median real| / median real turnaround, or response of jobs.
    pub latency_error: Option<f64>,
    /// (p90 − p10) / median of the real makespans.
    pub real_spread: Option<f64>,
    /// Share of time the same tasks run, …
    pub agreement: Option<f64>,
    /// … and the same between real runs.
    pub agreement_between_runs: Option<f64>,
    /// Distance to real runs over the distance between these.
    pub ratio: Option<f64>,
    /// The distance to real runs as a share of their makespan.
    pub distance: Option<f64>,
    /// The error of what the file says alone.
    pub ideal_error: Option<f64>,
    /// The error by a wrong profile.
    pub control_error: Option<f64>,
}

impl Compared {
    /// Of a comparison with a prediction; `None` if it has none or nothing finished.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a statistic")]
    pub fn of(comparison: &Comparison, control_error: Option<f64>) -> Option<Compared> {
        let predicted = comparison.predicted.as_ref()?;
        let (band, real) = (comparison.bands.predicted?, comparison.bands.measured?.median);
        let distance = predicted.service_distance_ns.filter(|_| real > 0.0);
        let by_horizon = comparison.distance.horizon_ends_both;
        if predicted.makespan_error.is_none() && !by_horizon {
            return None;
        }
        Some(Compared {
            makespan_error: predicted.makespan_error,
            band: (!by_horizon).then(|| [band.from, band.to].map(|end| (end - real) / real)),
            inside_band: predicted.inside_band,
            latency_error: predicted.latency_error,
            real_spread: comparison.distance.makespan_spread,
            agreement: predicted.agreement,
            agreement_between_runs: comparison.distance.agreement_between_runs,
            ratio: predicted.ratio,
            distance: distance.map(|ns| ns as f64 / real),
            ideal_error: comparison.ideal.makespan_error,
            control_error,
        })
    }
}

/// What a class must keep to; each may be left out.
#[derive(Clone, Copy, PartialEq, Default, Debug, Serialize)]
pub struct Tolerance {
    /// The median of |error of the makespan| is at most this share.
    pub makespan: Option<f64>,
    /// The median share of time the same tasks run is at least this.
    pub agreement: Option<f64>,
    /// The median ratio is at most this; a median distance below 0.1 % of the makespan is as good.
    pub ratio: Option<f64>,
    /// In at least this share of scenarios the band holds the real makespan.
    pub inside_band: Option<f64>,
    /// At least this share of scenarios was compared.
    pub coverage: Option<f64>,
}

/// The tolerances of a folder: for classes, and for all that have none of their own.
#[derive(Clone, PartialEq, Default, Debug)]
pub struct Tolerances {
    default: Tolerance,
    classes: BTreeMap<String, Tolerance>,
}

static LANGUAGE: Language = Language::plain("file of tolerances");

impl Tolerances {
    /// Reads `tolerances.toml`: a table for each class, by the name of its folder, and one called `default`.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn read(source: &Source<'_>) -> Result<Tolerances, Mistakes> {
        let document = Document::parse(source, &LANGUAGE);
        let read = document.read(&[], |root| {
            let mut classes: BTreeMap<String, Tolerance> = BTreeMap::new();
            for (name, _, item) in root.all() {
                classes.extend(item.table("a class").map(|table| (name.to_owned(), tolerance(table))));
            }
            Tolerances { default: classes.remove("default").unwrap_or_default(), classes }
        });
        read.map(|(tolerances, _)| tolerances)
    }

    /// The classes that have some of their own.
    pub fn classes(&self) -> impl Iterator<Item = &str> {
        self.classes.keys().map(String::as_str)
    }

    fn of(&self, class: &str) -> Tolerance {
        let own = self.classes.get(class).copied().unwrap_or_default();
        Tolerance {
            makespan: own.makespan.or(self.default.makespan),
            agreement: own.agreement.or(self.default.agreement),
            ratio: own.ratio.or(self.default.ratio),
            inside_band: own.inside_band.or(self.default.inside_band),
            coverage: own.coverage.or(self.default.coverage),
        }
    }
}

fn tolerance(mut table: Table<'_>) -> Tolerance {
    let mut share = |key| table.item(key).and_then(not_negative);
    Tolerance {
        makespan: share("makespan"),
        agreement: share("agreement"),
        ratio: share("ratio"),
        inside_band: share("inside-band"),
        coverage: share("coverage"),
    }
}

fn not_negative(item: Item<'_>) -> Option<f64> {
    let number = item.number()?;
    if number < 0.0 {
        item.wrong(format!("{} cannot be negative", item.name()), "0.01 is one percent");
        return None;
    }
    Some(number)
}

/// What is known of a class: medians over its scenarios.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct ClassSummary {
    /// The folder.
    pub name: String,
    /// How many scenarios it has.
    pub scenarios: usize,
    /// How many of them were compared.
    pub compared: usize,
    /// How many of these have a makespan to compare: the horizon ended the others, simulated and real.
    pub makespans: usize,
    /// The error of the makespan: the median, and the one farthest from zero.
    pub makespan_error: Option<f64>,
    /// See there.
    pub worst_makespan_error: Option<f64>,
    /// The median of its size, without the sign.
    pub makespan_error_size: Option<f64>,
    /// The same for what the files say alone.
    pub ideal_error_size: Option<f64>,
    /// The same by a wrong profile.
    pub control_error_size: Option<f64>,
    /// In how many the band holds the real makespan.
    pub inside_band: usize,
    /// The error of latency.
    pub latency_error: Option<f64>,
    /// The spread of real makespans.
    pub real_spread: Option<f64>,
    /// Share of time the same tasks run, …
    pub agreement: Option<f64>,
    /// … and the same between real runs.
    pub agreement_between_runs: Option<f64>,
    /// Distance to real runs over the distance between these.
    pub ratio: Option<f64>,
    /// The distance to real runs as a share of their makespan.
    pub distance: Option<f64>,
    /// What it must keep to.
    pub tolerance: Tolerance,
}

/// A whole folder.
#[derive(Clone, Debug, Serialize)]
pub struct Validation {
    /// The version of the shape, which is that of outcomes.
    pub format: u32,
    /// What the profile is called.
    pub profile: String,
    /// Class by class.
    pub classes: Vec<ClassSummary>,
    /// Scenario by scenario.
    pub scenarios: Vec<Trial>,
    /// The tolerances that are broken, each in a sentence.
    pub broken: Vec<String>,
    /// What should be known of the profile before the figures are believed.
    pub warnings: Vec<String>,
    /// Did Ctrl-C end it before all scenarios had their turn?
    pub interrupted: bool,
}

impl Validation {
    /// Sums up trials by class, and judges them.
    #[must_use]
    pub fn new(profile: String, trials: Vec<Trial>, tolerances: &Tolerances) -> Validation {
        let mut by_class: BTreeMap<&str, Vec<&Trial>> = BTreeMap::new();
        for trial in &trials {
            by_class.entry(&trial.class).or_default().push(trial);
        }
        let classes: Vec<ClassSummary> =
            by_class.iter().map(|(name, trials)| ClassSummary::of(name, trials, tolerances.of(name))).collect();
        let mut broken: Vec<String> = classes.iter().flat_map(ClassSummary::broken).collect();
        broken.extend(unrejected(&classes));
        if classes.iter().all(|class| class.compared == 0) {
            broken.push("nothing was compared, so nothing is known".to_owned());
        }
        Validation {
            format: FORMAT,
            profile,
            classes,
            scenarios: trials,
            broken,
            warnings: Vec::new(),
            interrupted: false,
        }
    }
}

/// That a wrong profile would do as well, if it would.
fn unrejected(classes: &[ClassSummary]) -> Option<String> {
    let mut judged =
        classes.iter().filter_map(|class| Some(class.control_error_size? > class.tolerance.makespan?)).peekable();
    judged.peek()?;
    let passes = !judged.any(|rejected| rejected);
    passes.then(|| "a wrong profile keeps to the tolerances of every class, so they tell nothing".to_owned())
}

impl ClassSummary {
    fn of(name: &str, trials: &[&Trial], tolerance: Tolerance) -> ClassSummary {
        let compared: Vec<&Compared> = trials
            .iter()
            .filter_map(|trial| match &trial.fate {
                Fate::Compared(compared) => Some(compared),
                Fate::Refused(_) => None,
            })
            .collect();
        let middle = |figure: fn(&Compared) -> Option<f64>| median(compared.iter().filter_map(|one| figure(one)));
        let errors = sorted(compared.iter().filter_map(|one| one.makespan_error));
        let worst = errors.iter().copied().max_by(|a, b| a.abs().total_cmp(&b.abs()));
        ClassSummary {
            name: name.to_owned(),
            scenarios: trials.len(),
            compared: compared.len(),
            makespans: errors.len(),
            makespan_error: quantile(&errors, 0.5),
            worst_makespan_error: worst,
            makespan_error_size: middle(|one| one.makespan_error.map(f64::abs)),
            ideal_error_size: middle(|one| one.ideal_error.map(f64::abs)),
            control_error_size: middle(|one| one.control_error.map(f64::abs)),
            inside_band: compared.iter().filter(|one| one.inside_band == Some(true)).count(),
            latency_error: middle(|one| one.latency_error),
            real_spread: middle(|one| one.real_spread),
            agreement: middle(|one| one.agreement),
            agreement_between_runs: middle(|one| one.agreement_between_runs),
            ratio: middle(|one| one.ratio),
            distance: middle(|one| one.distance),
            tolerance,
        }
    }

    /// The tolerances that it breaks.
    #[expect(clippy::cast_precision_loss, reason = "a share of some scenarios")]
    fn broken(&self) -> Vec<String> {
        let Tolerance { makespan, agreement, ratio, inside_band, coverage } = self.tolerance;
        let close = self.distance.is_some_and(|distance| distance < 0.001);
        let covered = self.compared as f64 / self.scenarios.max(1) as f64;
        let inside = (self.makespans > 0).then(|| self.inside_band as f64 / self.makespans as f64);
        let unknown = self.compared > 0 && self.makespans == 0 && (makespan.is_some() || inside_band.is_some());
        let above = |found: Option<f64>, most: Option<f64>| Some((found?, most?)).filter(|(found, most)| found > most);
        let below =
            |found: Option<f64>, least: Option<f64>| Some((found?, least?)).filter(|(found, least)| found < least);
        let percent = |share: f64| format!("{:.2} %", share * 100.0);
        let told = [
            above(self.makespan_error_size, makespan).map(|(found, most)| {
                format!("makespans are off by {} in the median, more than {}", percent(found), percent(most))
            }),
            unknown.then(|| "the horizon ends all its runs, so no makespan is within a tolerance".to_owned()),
            below(self.agreement, agreement).map(|(found, least)| {
                format!("the same tasks run for {} in the median, less than {}", percent(found), percent(least))
            }),
            above(self.ratio.filter(|_| !close), ratio)
                .map(|(found, most)| format!("the median ratio of distances is {found:.2}, more than {most}")),
            below(inside, inside_band).map(|(found, least)| {
                format!(
                    "the band holds the real makespan in {} of scenarios, less than {}",
                    percent(found),
                    percent(least)
                )
            }),
            below(Some(covered), coverage).map(|(found, least)| {
                format!("{} of its scenarios were compared, less than {}", percent(found), percent(least))
            }),
        ];
        told.into_iter().flatten().map(|sentence| format!("class {}: {sentence}", self.name)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compared(error: f64, agreement: f64, control: f64) -> Fate {
        Fate::Compared(Compared {
            makespan_error: Some(error),
            band: Some([-0.01, 0.01]),
            inside_band: Some(error.abs() < 0.01),
            latency_error: Some(0.02),
            real_spread: Some(0.004),
            agreement: Some(agreement),
            agreement_between_runs: Some(0.98),
            ratio: Some(2.0),
            distance: Some(0.002),
            ideal_error: Some(-0.03),
            control_error: Some(control),
        })
    }

    fn validated(fates: Vec<Fate>, tolerances: &str) -> Validation {
        let trial = |fate| Trial { class: "mixed".into(), file: "a.toml".into(), fate };
        let tolerances = Tolerances::read(&Source { file: "tolerances.toml", text: tolerances });
        let tolerances = tolerances.unwrap_or_else(|mistakes| panic!("{mistakes}"));
        Validation::new("host.toml".into(), fates.into_iter().map(trial).collect(), &tolerances)
    }

    #[test]
    fn a_class_is_judged_by_its_medians_and_what_was_refused_counts() {
        let fates = || vec![compared(-0.002, 0.97, 0.08), compared(0.03, 0.9, 0.09), compared(0.004, 0.99, 0.1)];
        let class = validated(fates(), "").classes.remove(0);
        assert_eq!((class.makespan_error, class.worst_makespan_error), (Some(0.004), Some(0.03)));
        assert_eq!((class.makespan_error_size, class.agreement, class.inside_band), (Some(0.004), Some(0.97), 2));
        let broken = |fates: Vec<Fate>, tolerances: &str| validated(fates, tolerances).broken.join("; ");
        assert_eq!(broken(fates(), "[default]\nmakespan = 0.004\nagreement = 0.97\ncoverage = 1"), "");
        assert!(broken(fates(), "[mixed]\nmakespan = 0.003").starts_with("class mixed: makespans are off by 0.40 %"));
        assert!(broken(fates(), "[default]\nagreement = 0.98").contains("less than 98.00 %"));
        assert!(broken(fates(), "[default]\nratio = 1.5").contains("the median ratio of distances is 2.00"));
        assert!(broken(fates(), "[default]\ninside-band = 0.7").contains("in 66.67 % of scenarios"));
        let refused = [fates(), vec![Fate::Refused("busy".into())]].concat();
        assert!(broken(refused, "[default]\ncoverage = 0.8").contains("75.00 % of its scenarios were compared"));
        // A class of its own tolerances keeps those that it does not name.
        assert!(broken(fates(), "[default]\nagreement = 0.98\n[mixed]\nmakespan = 1").contains("less than 98.00 %"));
    }

    #[test]
    fn what_the_horizon_ends_is_compared_without_its_makespan() {
        let Fate::Compared(known) = compared(0.002, 0.97, 0.08) else { panic!("compared") };
        let endless = Fate::Compared(Compared { makespan_error: None, band: None, inside_band: None, ..known });
        let both = || vec![compared(0.002, 0.97, 0.08), endless.clone()];
        let class = validated(both(), "").classes.remove(0);
        assert_eq!((class.compared, class.makespans, class.inside_band), (2, 1, 1));
        assert_eq!((class.makespan_error, class.latency_error), (Some(0.002), Some(0.02)));
        let kept = "[default]\nmakespan = 0.01\ninside-band = 1\nagreement = 0.9";
        assert_eq!(validated(both(), kept).broken, [""; 0]);
        // What is not compared is within no tolerance.
        let broken = validated(vec![endless.clone()], kept).broken.join("; ");
        assert_eq!(broken, "class mixed: the horizon ends all its runs, so no makespan is within a tolerance");
        assert!(validated(vec![endless.clone()], "[default]\nagreement = 0.9").broken.is_empty());
        let json = serde_json::to_value(validated(vec![endless], "")).expect("JSON");
        assert_eq!(json["format"], sim_core::outcome::FORMAT);
    }

    #[test]
    fn tolerances_that_a_wrong_profile_keeps_tell_nothing() {
        let close = || vec![compared(0.001, 0.99, 0.009)];
        assert!(validated(close(), "[default]\nmakespan = 0.01").broken[0].starts_with("a wrong profile keeps to"));
        assert!(validated(close(), "[default]\nmakespan = 0.008").broken.is_empty());
        assert!(validated(close(), "").broken.is_empty(), "where there are none, nothing is judged");
        let refused = validated(vec![Fate::Refused("busy".into())], "[default]\nmakespan = 1");
        assert_eq!(refused.broken, ["nothing was compared, so nothing is known"]);
    }

    #[test]
    fn the_wrong_profile_is_a_profile_and_mistakes_in_tolerances_are_told() {
        use sim_core::scenario::Profile;
        assert!(Profile::read(&Source { file: "wrong", text: WRONG }).is_ok());
        let wrong = |text: &str| Tolerances::read(&Source { file: "tolerances.toml", text }).unwrap_err().to_string();
        assert!(wrong("[default]\nmakespann = 1").contains("did you mean `makespan`?"));
        assert!(wrong("[default]\nmakespan = -1").contains("cannot be negative"));
    }
}
