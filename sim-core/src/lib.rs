//! A deterministic simulator of CPU scheduling and concurrency: the library.
//!
//! No clock, no thread, no file, no output: text or plain data in, plain data out, the same bits everywhere.
//!
//! ```
//! use sim_core::document::Source;
//! use sim_core::engine::{End, simulate};
//! use sim_core::metrics::Metrics;
//! use sim_core::outcome::Outcome;
//! use sim_core::scenario::lower;
//! use sim_core::timeline::{Timeline, TimelineHash};
//!
//! let text = r#"
//!     scheduler = { policy = "round-robin", quantum = "2ms" }
//!     task = [
//!         { name = "A", program = [{ cpu = "5ms" }] },
//!         { name = "B", arrival = "1ms", program = [{ cpu = "3ms" }] },
//!     ]
//! "#;
//! // Text becomes a scenario, or a list of mistakes, each with its place and mostly a hint.
//! let scenario = lower::scenario(&Source { file: "example.toml", text }, &[])?;
//!
//! // Whoever listens decides what is kept: here sums, a fingerprint, and all that happened.
//! let mut heard = ((Metrics::default(), TimelineHash::default()), Timeline::default());
//! let ending = simulate(&scenario, &mut heard);
//! let ((metrics, hash), timeline) = heard;
//! assert_eq!(ending.end, End::Completed);
//!
//! // A A B B A A B A: intervals are what happened, …
//! let turns: Vec<String> = timeline.intervals.iter().map(|turn| timeline.short_name(turn.task)).collect();
//! assert_eq!(turns, ["A", "B", "A", "B", "A"]);
//!
//! // … and the outcome says it in numbers, whose definitions are in docs/metrics.md.
//! let outcome = Outcome::simulated(&scenario, &ending, &metrics, hash);
//! assert_eq!(outcome.tasks[1].finish_ns, Some(7_000_000));
//! # Ok::<(), sim_core::document::Mistakes>(())
//! ```
//!
//! # In the order of the data
//!
//! - Text to plain data: [`document`], [`scenario`] (and `scenario::lower`), [`distribution`], [`range`], [`parameter`],
//!   [`program`]; names become [`ids`], `"10ms"` becomes a [`time::Span`].
//! - What can be chosen: [`policy`], [`executor`], [`device`], [`sync`]: a shelf each, with one file for each entry.
//! - The simulation: [`engine`], whose chance comes from [`rng`].
//! - What happened: [`timeline`], and [`log`] in words; [`jobs`] and [`kinds`] say who belongs together.
//! - What it means: [`metrics`] and [`outcome`], [`causes`], [`findings`], [`analysis`] beside it, [`compare`] with another
//!   timeline, [`speedup`] for what could be better.
//! - Many runs: [`experiment`] and [`statistics`].

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
pub mod log;
pub mod metrics;
pub mod outcome;
pub mod parameter;
pub mod place;
pub mod policy;
pub mod program;
pub mod range;
pub mod rng;
pub mod scenario;
pub mod speedup;
pub mod statistics;
pub mod sync;
pub mod time;
pub mod timeline;
