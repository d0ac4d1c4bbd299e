//! The integration tests of the whole workspace: one binary.

mod cli;
mod determinism;
mod disciplines;
mod explain;
mod files;
mod findings;
mod goldens;
mod known;
mod laws;
mod list;
mod metrics;
mod multiprocessor;
mod naive;
mod pictures;
mod policies;
mod readings;
mod real;
mod realtime;
mod refusals;
mod remarks;
mod repeated;
mod runtimes;
mod scenarios;
mod support;
mod theorems;
mod tidy;
