//! The integration tests of the whole workspace: one binary.

mod readings;
mod refusals;
