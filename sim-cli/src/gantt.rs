//! The timeline in text: [`ascii`](ascii()) for tests and plain files, [`terminal`](terminal()) for people.

mod ascii;
mod columns;
mod terminal;

pub use ascii::ascii;
pub use terminal::{Found, terminal, terminals};
