//! The integration tests of the whole workspace: one binary.

mod determinism;
mod goldens;
mod refusals;
mod support;
