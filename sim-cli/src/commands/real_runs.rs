//! Real runs, repeated until enough of them were undisturbed by other programs.

use sim_core::scenario::Scenario;
use sim_real::{Measurement, NOTICEABLE, Options};

use super::Failure;
use crate::interruption;
use crate::progress::Progress;
use crate::rows::plural;

/// For each run that is wanted, so many are tried.
const TRIES: usize = 4;

/// The runs of one scenario.
#[derive(Default)]
pub(super) struct RealRuns {
    /// Those that others left alone; if there is none, all.
    pub(super) kept: Vec<Measurement>,
    /// How many of these others left alone.
    pub(super) clean: usize,
    /// How many others disturbed.
    pub(super) set_aside: usize,
    /// That there are fewer than were wanted, because others were busy.
    pub(super) too_busy: Option<String>,
}

/// Measures each of several scenarios until `count` runs of each were undisturbed, in turn: what disturbs the machine for a
/// while then falls on all of them. Where others do not leave it alone, it is given up. Ctrl-C ends the run that is on; what
/// was done before is kept.
///
/// # Errors
/// If a scenario cannot be measured.
pub(super) fn undisturbed(
    scenarios: &[&Scenario],
    options: &Options,
    count: usize,
    quiet: bool,
    fit: impl Fn(&Measurement) -> Result<(), Failure>,
) -> Result<Vec<RealRuns>, Failure> {
    let mut clean: Vec<Vec<Measurement>> = scenarios.iter().map(|_| Vec::new()).collect();
    let mut disturbed: Vec<Vec<Measurement>> = scenarios.iter().map(|_| Vec::new()).collect();
    let mut progress = Progress::new(quiet);
    interruption::watch();
    'all: for _ in 0..TRIES * count {
        for (index, scenario) in scenarios.iter().enumerate() {
            if clean[index].len() == count {
                continue;
            }
            let [kept, made] = [&clean, &disturbed].map(|runs| runs.iter().map(Vec::len).sum::<usize>());
            progress.kept(kept, count * scenarios.len(), kept + made + 1);
            let Some(run) = once(scenario, options)? else { break 'all };
            fit(&run)?;
            let is_disturbed = run.recorded.foreign_share > NOTICEABLE;
            if is_disturbed { disturbed[index].push(run) } else { clean[index].push(run) }
        }
    }
    Ok(clean.into_iter().zip(disturbed).map(|(clean, disturbed)| RealRuns::new(clean, disturbed, count)).collect())
}

/// Measures each of several scenarios once, whatever others do.
///
/// # Errors
/// If a scenario cannot be measured.
pub(super) fn as_it_comes(scenarios: &[&Scenario], options: &Options, quiet: bool) -> Result<Vec<RealRuns>, Failure> {
    let mut all: Vec<RealRuns> = scenarios.iter().map(|_| RealRuns::default()).collect();
    let mut progress = Progress::new(quiet);
    interruption::watch();
    for (index, scenario) in scenarios.iter().enumerate() {
        progress.count(index, scenarios.len(), "runs");
        let Some(run) = once(scenario, options)? else { break };
        all[index] = RealRuns { kept: vec![run], clean: 1, ..RealRuns::default() };
    }
    Ok(all)
}

/// Fails if a scenario cannot be run for real: known before anything is run or simulated.
pub(super) fn feasible(scenario: &Scenario) -> Result<(), Failure> {
    sim_real::feasible(scenario, &Options::default()).map_err(unmeasurable)
}

fn unmeasurable(why: sim_real::Unmeasurable) -> Failure {
    Failure(format!("sim: cannot measure: {why}"))
}

/// Measures a scenario once; `None` if Ctrl-C was pressed before the run was over.
///
/// Linux lets real-time threads have no more than 95 % of a second and stops them for the rest. Run after run would
/// hit that limit though each alone does not, so there is a breath before each.
fn once(scenario: &Scenario, options: &Options) -> Result<Option<Measurement>, Failure> {
    std::thread::sleep(std::time::Duration::from_millis(100));
    if interruption::asked() {
        return Ok(None);
    }
    match sim_real::measure(scenario, options) {
        Ok(run) => Ok(Some(run)),
        Err(_) if interruption::asked() => Ok(None),
        Err(why) => Err(unmeasurable(why)),
    }
}

/// The share of a processor that others took in half of these runs, or more.
fn median_share(disturbed: &[Measurement]) -> f64 {
    let mut shares: Vec<f64> = disturbed.iter().map(|run| run.recorded.foreign_share).collect();
    shares.sort_by(f64::total_cmp);
    shares.get(shares.len() / 2).copied().unwrap_or(0.0)
}

impl RealRuns {
    fn new(clean: Vec<Measurement>, disturbed: Vec<Measurement>, wanted: usize) -> RealRuns {
        let set_aside = disturbed.len();
        let made = clean.len() + set_aside;
        let given_up = clean.len() < wanted && made >= TRIES * wanted;
        let too_busy = given_up.then(|| {
            format!(
                "the machine is too busy: in {set_aside} of {made} run{} other programs took more than {:.0} % of a processor \
                 (in half of these, {:.0} % or more), and {wanted} undisturbed {} wanted: end what else runs, or try again later",
                plural(made),
                100.0 * NOTICEABLE,
                100.0 * median_share(&disturbed),
                if wanted == 1 { "one was" } else { "ones were" }
            )
        });
        let undisturbed = clean.len();
        let kept = if clean.is_empty() { disturbed } else { clean };
        RealRuns { kept, clean: undisturbed, set_aside, too_busy }
    }
}
