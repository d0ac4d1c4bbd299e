//! The integration tests of the whole workspace: one binary.

mod determinism;
mod goldens;
mod naive;
mod policies;
mod readings;
mod realtime;
mod refusals;
mod support;
