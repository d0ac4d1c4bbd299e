//! Experiments at work: what is run, what is written of each run, where it is kept, and what comes out of it.
//!
//! A directory of results belongs to one experiment. `experiment.toml`, `scenario.toml` and profiles stand in it as they
//! were, so that it can be understood and computed again without anything else. `results.jsonl` grows line by line; the rest
//! is made of it when it is complete.

pub mod csv;
pub mod line;
pub mod on;
pub mod pace;
pub mod pages;
#[cfg(feature = "parquet")]
pub mod parquet;
pub mod results;
pub mod shard;
pub mod store;
pub mod words;
