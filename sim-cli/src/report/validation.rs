//! A validation in a table: a row for each class.

use crate::output::Terminal;
use crate::table::{Table, percent, signed_percent};
use crate::validation::{ClassSummary, Compared, Fate, Validation};

/// The table, what was not compared, and where to read what the model leaves out.
#[must_use]
pub fn validation(validation: &Validation, terminal: &Terminal) -> String {
    let headings = [
        "CLASS",
        "compared",
        "makespan error",
        "worst",
        "file alone",
        "real spread",
        "in band",
        "same tasks",
        "real runs",
        "ratio",
        "distance",
        "control",
    ];
    let mut table = Table::new(headings);
    validation.classes.iter().for_each(|class| table.row(row(class)));
    let mut text = table.render(terminal) + "\n";
    for trial in &validation.scenarios {
        match &trial.fate {
            Fate::Refused(why) => text += &terminal.wrapped(&format!("not compared: {}: {why}\n", trial.file)),
            Fate::Compared(Compared { makespan_error: None, .. }) => {
                text += &terminal.wrapped(&format!("makespan not compared: {}: the horizon ends both\n", trial.file));
            }
            Fate::Compared(_) => {}
        }
    }
    text += &terminal.wrapped(&format!(
        "medians over the scenarios of a class, predicted with {}. Ratio: distance to real runs over the distance between these. \
         Distance: as a share of the makespan. Control: the error by a wrong profile. docs/limits.md says what the model leaves out.\n",
        validation.profile
    ));
    text
}

fn row(class: &ClassSummary) -> Vec<String> {
    let dash = || "–".to_owned();
    let share = |figure: Option<f64>| figure.map_or_else(dash, percent);
    let fine = |figure: Option<f64>| figure.map_or_else(dash, |share| format!("{:.2} %", share * 100.0));
    vec![
        class.name.clone(),
        format!("{} of {}", class.compared, class.scenarios),
        signed_percent(class.makespan_error),
        signed_percent(class.worst_makespan_error),
        fine(class.ideal_error_size),
        fine(class.real_spread),
        if class.makespans == 0 { dash() } else { format!("{} of {}", class.inside_band, class.makespans) },
        share(class.agreement),
        share(class.agreement_between_runs),
        class.ratio.map_or_else(dash, |ratio| format!("{ratio:.2}")),
        fine(class.distance),
        fine(class.control_error_size),
    ]
}
