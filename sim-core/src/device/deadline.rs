//! The deadline elevator: as `c-look`, but nobody is passed over for ever.
//!
//! Requests are served in batches of at most `batch`, each a piece of an upward sweep. Before a batch it is asked
//! whether the request that waits for longest has waited for `expire`: if so, the batch begins with it, else where the
//! sweep goes on. Source: the deadline scheduler of Linux, Documentation/block/deadline-iosched.rst, in its essence:
//! without a difference between reads and writes. Logarithmic in the length of the queue.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::by_track::{ByTrack, Way};
use super::{Chosen, Discipline, Form, Kind, Service, Settings, Setup, View, Waiting};
use crate::document::Table;
use crate::ids::TaskId;
use crate::parameter::Parameter;
use crate::time::{Span, Time};

/// The entry on the shelf.
pub(super) static KIND: Kind = Kind {
    name: "deadline",
    summary: "as c-look, but after each batch who has waited too long comes first",
    parameters: &[
        Parameter::new("expire", "a duration", "`\"500ms\"`", "who has waited longer comes first"),
        Parameter::new(
            "batch",
            "a whole number",
            "`16`",
            "so many requests are served between looks at who has waited too long",
        ),
    ],
    form: Form::Positioned,
    read: |table| Arc::new(Deadline::read(table)),
};

#[derive(Clone, Copy, Debug)]
struct Deadline {
    expire: Span,
    batch: u32,
}

impl Deadline {
    fn read(table: &mut Table<'_>) -> Deadline {
        Deadline {
            expire: table.span("expire").unwrap_or(Span::from_ms(500)),
            batch: table.item("batch").and_then(|item| item.count(1..=u32::MAX)).unwrap_or(16),
        }
    }
}

impl Settings for Deadline {
    fn build(&self, _: &Setup) -> Service {
        let settings = *self;
        Service::InTurn(Box::new(Batches { settings, waiting: ByTrack::default(), ages: BTreeMap::new(), left: 0 }))
    }
}

#[derive(Debug)]
struct Batches {
    settings: Deadline,
    waiting: ByTrack,
    /// In the order of asking: the track, and when that was.
    ages: BTreeMap<u64, (u32, Time)>,
    /// Requests left of the present batch.
    left: u32,
}

impl Discipline for Batches {
    fn push(&mut self, request: Waiting, view: &View<'_>) {
        let (track, stamp) = self.waiting.push(request);
        self.ages.insert(stamp, (track, view.now));
    }

    fn take_back(&mut self, task: TaskId) {
        if let Some((_, stamp)) = self.waiting.take_back(task) {
            self.ages.remove(&stamp);
        }
    }

    fn pop(&mut self, view: &View<'_>) -> Option<Chosen> {
        let (oldest, (track, asked)) = self.ages.first_key_value()?;
        let expired = view.now.since(*asked) >= self.settings.expire;
        let sweep = || self.waiting.nearest(Way::Up, view.head).or_else(|| self.waiting.nearest(Way::Up, 0));
        let place = if self.left == 0 && expired { (*track, *oldest) } else { sweep()? };
        self.left = if self.left == 0 { self.settings.batch } else { self.left } - 1;
        self.ages.remove(&place.1);
        self.waiting.take(place).map(|request| view.straight(request))
    }
}
