//! Devices: a queue in front of some channels, and the shelf of disciplines that say who is served next.
//!
//! One more discipline is one file and two lines here: a `mod` and an entry of [`DISCIPLINES`].

mod fifo;

use std::fmt;

use crate::ids::TaskId;
use crate::time::Span;

/// The disciplines that scenario files can name.
pub static DISCIPLINES: &[&Kind] = &[&fifo::KIND];

/// What the shelf knows of a discipline.
#[derive(Debug)]
pub struct Kind {
    /// Its name in scenario files.
    pub name: &'static str,
    /// One line for people.
    pub summary: &'static str,
    /// An empty queue.
    pub build: fn() -> Box<dyn Discipline>,
}

/// A request that waits for a channel.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Waiting {
    /// Whose request.
    pub task: TaskId,
    /// How long it will occupy a channel.
    pub service: Span,
}

/// Who is served next.
pub trait Discipline: fmt::Debug + Send {
    /// All channels are busy: the request joins the queue.
    fn push(&mut self, request: Waiting);
    /// A channel is free: who gets it?
    fn pop(&mut self) -> Option<Waiting>;
}
