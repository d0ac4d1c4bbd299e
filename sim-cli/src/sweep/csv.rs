//! Results as tidy comma-separated values: a column for each path that varies, then `replication,metric,value,unit`, one line
//! for each figure. Figures that a run has not are empty fields.

use std::io::{self, Write};

use serde_json::Value;
use sim_core::experiment::Experiment;

use super::results::Results;

/// Writes all runs, in order.
///
/// # Errors
/// Those of writing.
pub fn write(experiment: &Experiment, results: &Results<'_>, out: &mut dyn Write) -> io::Result<()> {
    for axis in &experiment.axes {
        write!(out, "{},", csv_field(&axis.path))?;
    }
    writeln!(out, "replication,metric,value,unit")?;
    let metrics: Vec<(String, &str)> =
        experiment.metrics.iter().map(|metric| (csv_field(metric.path()), metric.unit().name())).collect();
    for ((variation, replication), figures) in results.runs() {
        let settings: String =
            experiment.settings(variation).map(|(_, setting)| format!("{},", text(&setting.json))).collect();
        for ((metric, unit), figure) in metrics.iter().zip(figures) {
            let value = figure.map_or_else(String::new, number);
            writeln!(out, "{settings}{replication},{metric},{value},{unit}")?;
        }
    }
    Ok(())
}

/// A text as a field: as it is, in quotes if it needs them, so that programs read what was set.
fn csv_field(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() }
}

/// A setting as a field: a text without its quotes, a number as it is.
fn text(value: &Value) -> String {
    match value {
        Value::String(text) => csv_field(text),
        Value::Number(number) => number.to_string(),
        other => csv_field(&other.to_string()),
    }
}

/// A number as the lines have it: whole ones without a fraction.
fn number(figure: f64) -> String {
    format!("{figure}")
}
