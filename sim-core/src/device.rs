//! Devices: a queue in front of some channels, and the shelf of disciplines that say who is served next.
//!
//! A discipline is told (a request waits), is asked (a channel is free: who gets it, and how far must the head travel
//! for it), and answers; it never changes the world. One discipline is different: with `fair-share` nobody waits, all
//! requests are served at once and share what the device can do.
//!
//! One more discipline is one file and two lines here: a `mod` and an entry of [`DISCIPLINES`].

mod by_track;
mod c_look;
mod c_scan;
mod deadline;
mod fair_share;
mod fifo;
mod lifo;
mod line;
mod look;
mod model;
mod priority;
mod scan;
mod shortest;
mod sstf;
mod sweep;
mod turns;

use std::fmt;
use std::sync::Arc;

pub use fair_share::{Share, Sharing};
pub use model::{Device, Head};
pub use turns::{State, Turn, Turns};

use crate::document::Table;
use crate::ids::TaskId;
use crate::parameter::Parameter;
use crate::time::{Span, Time};

/// The disciplines that scenario files can name, in the order in which they are listed.
pub static DISCIPLINES: &[&Kind] = &[
    &fifo::KIND,
    &lifo::KIND,
    &priority::KIND,
    &shortest::KIND,
    &fair_share::KIND,
    &sstf::KIND,
    &scan::KIND,
    &c_scan::KIND,
    &look::KIND,
    &c_look::KIND,
    &deadline::KIND,
];

/// The discipline of devices that name none.
pub(crate) static DEFAULT: &Kind = &fifo::KIND;

/// What the shelf knows of a discipline.
#[derive(Debug)]
pub struct Kind {
    /// Its name in scenario files.
    pub name: &'static str,
    /// One line for people.
    pub summary: &'static str,
    /// Its parameters, for listings and hints; `read` is what decides.
    pub parameters: &'static [Parameter],
    /// What it needs to know of requests.
    pub form: Form,
    /// Reads its parameters from the table of the device; mistakes are left in the table.
    pub read: fn(&mut Table<'_>) -> Arc<dyn Settings>,
}

/// How the requests of a device are served.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Form {
    /// They wait for one of the channels, and get one in the order in which they came: when a request will be served does
    /// not depend on later ones.
    InOrder,
    /// They wait for one of the channels, and the discipline chooses who is next.
    Queue,
    /// They wait for the one head, and where they want to go decides.
    Positioned,
    /// Nobody waits: all are served at once.
    Shared,
}

/// The parameters of a discipline, from which any number of simulations can be started.
pub trait Settings: fmt::Debug + Send + Sync {
    /// A device at the beginning of a run.
    fn build(&self, setup: &Setup) -> Service;

    /// Does the request of the more urgent task go first?
    fn by_urgency(&self) -> bool {
        false
    }
}

/// What a discipline may know when it is made.
#[derive(Clone, Copy, Debug)]
pub struct Setup {
    /// Requests that the device serves at once; `None` is unlimited.
    pub channels: Option<u32>,
    /// Tracks under the head, numbered from 0. Invariant: not zero.
    pub tracks: u32,
}

/// How a device serves.
#[derive(Debug)]
pub enum Service {
    /// One request after the other on each channel, in an order that the discipline chooses.
    InTurn(Box<dyn Discipline>),
    /// All at once.
    Shared(Sharing),
}

/// A request that waits for a channel.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Waiting {
    /// Whose request.
    pub task: TaskId,
    /// How long it will be served, without the way of the head to it.
    pub service: Span,
    /// The track it wants to go to; 0 if that does not matter.
    pub at: u32,
}

/// What a discipline can see of the world.
pub struct View<'a> {
    /// The present instant.
    pub now: Time,
    /// The track on which the head is.
    pub head: u32,
    /// How urgent the task of a request is, larger being more urgent: what the scheduling policy says.
    pub urgency: &'a dyn Fn(TaskId) -> i64,
}

impl View<'_> {
    /// The request, the head going straight to it.
    #[must_use]
    pub fn straight(&self, request: Waiting) -> Chosen {
        Chosen { request, travel: u64::from(request.at.abs_diff(self.head)) }
    }
}

/// Who gets a channel.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Chosen {
    /// This request.
    pub request: Waiting,
    /// How many tracks the head crosses on its way to it.
    pub travel: u64,
}

/// Who is served next.
///
/// Contract: `pop` returns a request that was pushed and neither popped nor taken back since, and some request as long as there is one.
pub trait Discipline: fmt::Debug + Send {
    /// The request waits for a channel.
    fn push(&mut self, request: Waiting, view: &View<'_>);
    /// The request of the task is given up. It has but one here.
    fn take_back(&mut self, task: TaskId);
    /// A channel is free: who gets it?
    fn pop(&mut self, view: &View<'_>) -> Option<Chosen>;
}
