//! Temporary.
#![expect(missing_docs, reason = "temporary")]
use sim_core::{scenario::Scenario, timeline::Timeline};
#[derive(Debug, Default)]
pub struct Options;
#[derive(Debug)]
pub struct Measurement {
    pub timeline: Timeline,
    pub recorded: Recorded,
}
#[derive(Debug, serde::Serialize)]
pub struct Recorded {
    pub recorder: String,
    pub executor: String,
    pub policy: String,
    pub foreign_share: f64,
    pub warnings: Vec<String>,
    pub notes: Vec<String>,
}
pub fn measure(_: &Scenario, _: &Options) -> Result<Measurement, String> {
    Err("not yet".into())
}
