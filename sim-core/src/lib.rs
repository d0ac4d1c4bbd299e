//! A deterministic simulator of CPU scheduling and concurrency: the library.

pub mod analysis;
pub mod causes;
pub mod compare;
pub mod device;
pub mod distribution;
pub mod document;
pub mod engine;
pub mod executor;
pub mod experiment;
pub mod findings;
pub mod ids;
pub mod jobs;
pub mod kinds;
pub mod metrics;
pub mod outcome;
pub mod parameter;
pub mod place;
pub mod policy;
pub mod program;
pub mod range;
pub mod rng;
pub mod scenario;
pub mod statistics;
pub mod sync;
pub mod time;
pub mod timeline;
