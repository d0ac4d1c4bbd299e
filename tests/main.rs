//! The integration tests of the whole workspace: one binary.

mod naive;
mod refusals;
mod support;
