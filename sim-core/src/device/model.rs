//! Devices, and the heads that some have.

use std::sync::Arc;

use super::{Form, Kind, Settings};
use crate::time::Span;

/// An I/O device: a queue in front of some channels.
#[derive(Clone, Debug)]
pub struct Device {
    /// Its name.
    pub name: String,
    /// Requests served at once; `None` is unlimited, and nothing ever queues.
    pub channels: Option<u32>,
    /// Who is served next when the channels are busy.
    pub discipline: &'static Kind,
    /// Its parameters, typed in the discipline's own file.
    pub settings: Arc<dyn Settings>,
    /// So many requests may wait; who comes then is turned away. `None`: any number.
    pub queue: Option<u32>,
    /// A request is given up if it has waited so long.
    pub patience: Option<Span>,
    /// Do some of those who ask it give up, or are dropped, while it serves them?
    pub is_left: bool,
    /// If it has one head that must go to where each request wants to.
    pub head: Option<Head>,
}

impl Device {
    /// Is it known when a request is made when it will be served, whatever is asked later?
    #[must_use]
    pub fn is_foreseen(&self) -> bool {
        self.head.is_none()
            && !self.is_left
            && !self.may_go_without()
            && (self.channels.is_none() || self.discipline.form == Form::InOrder)
    }

    /// May who asks it be turned away, or lose its patience?
    #[must_use]
    pub fn may_go_without(&self) -> bool {
        self.queue.is_some() || self.patience.is_some()
    }
}

/// The head of a device, and what it costs to move it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Head {
    /// To cross one track.
    pub per_track: Span,
    /// In addition, when it moves at all.
    pub settle: Span,
    /// How many tracks there are, numbered from 0. Invariant: every track that a request can name is among them.
    pub tracks: u32,
    /// The track on which it is at the beginning. Invariant: it is among them.
    pub start: u32,
}

impl Head {
    /// How long the head takes to cross this many tracks; at most as long as time is simulated.
    #[must_use]
    pub fn seek(&self, tracks: u64) -> Span {
        if tracks == 0 {
            return Span::ZERO;
        }
        let crossing = self.per_track * tracks;
        (crossing + self.settle).min(Span::MAX)
    }
}
