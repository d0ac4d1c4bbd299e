//! What was calibrated, in a table.

use sim_core::time::Span;
use sim_real::{Calibration, STEPS};

use crate::output::Terminal;
use crate::profile::lasted;
use crate::table::Table;

/// A row for each cost, then what the kernel does.
#[must_use]
pub fn calibration(calibration: &Calibration, terminal: &Terminal) -> String {
    let mut table = Table::new(["COST", "of", "median", "10 % to 90 %", "samples"]);
    for (name, section) in &calibration.sections {
        let of = match name.split_once('.') {
            None => "threads",
            Some(("class", "other")) => "ordinary threads",
            Some(("class", class)) => class,
            Some((_, executor)) => executor,
        };
        for (key, sorted) in &section.samples {
            let at = |share: usize| sorted[(sorted.len() - 1) * share / 100].readable();
            let spread = format!("{} – {}", at(10), at(90));
            let step = |steps: &&[(&'static str, Span)]| {
                let (_, from) = steps.iter().find(|(step, from)| step == key && !from.is_zero())?;
                Some(format!("{}, {} {from}", steps[0].0, lasted(steps[0].0)))
            };
            let key = STEPS.iter().find_map(step).unwrap_or_else(|| (*key).to_owned());
            table.row([key, of.to_owned(), at(50), spread, sorted.len().to_string()]);
        }
    }
    let mut text = table.render(terminal) + "\n";
    if let Some((tick, phase)) = calibration.timer {
        let phase = phase.map_or_else(String::new, |phase: Span| format!(", first {phase} after the start of a run"));
        text += &terminal.wrapped(&format!("the kernel's timer ticks every {tick}{phase}\n"));
    }
    for (key, value, how) in &calibration.kernel {
        text += &terminal.wrapped(&format!("{key} = {value}: {how}\n"));
    }
    text + "\n"
}
