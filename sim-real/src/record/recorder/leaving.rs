//! Who went on without what it had asked for.

use sim_core::ids::TaskId;
use sim_core::timeline::{Cause, How, Leave, Timeline};

use super::Teller;
use crate::record::event::{self, Await, Event, Join, Left, Request, Spin};

/// When the instance went on without what it asks for in this event, if it did.
pub(super) fn left_after(events: &[Event], index: usize) -> Option<u64> {
    let sync = events[index].asked()?.sync;
    // Several permits are asked for at once.
    match events[index..].iter().find(|event| event.asked().is_none_or(|asked| asked.sync != sync))? {
        Event::Leave(event::Leave { what: Left::Turn(left), at, .. }) if *left == sync => Some(*at),
        _ => None,
    }
}

impl Teller<'_> {
    /// It went on without what it had asked for before.
    pub(super) fn leave(&self, index: usize, leave: &event::Leave, timeline: &mut Timeline) {
        let (material, task) = (self.material, self.task);
        if leave.at > material.end {
            return;
        }
        let since = self.waited_since(index, leave);
        let [asked, since, at] = [leave.asked, since, leave.at].map(|at| material.time(self.cut(at)));
        let mut told = Leave { task, cause: Cause::Join, asked, since, at, how: How::GaveUp, abandoned: TaskId::NONE };
        match leave.what {
            Left::Turn(sync) => told.cause = Cause::Sync(sync),
            Left::Service(device) => told.cause = Cause::Device(device),
            Left::Room(device) => (told.cause, told.how) = (Cause::Device(device), How::TurnedAway),
            Left::Children(who) => told.abandoned = who.map_or(TaskId::NONE, TaskId),
        }
        timeline.leaves.push(told);
    }

    /// Since when it had waited last for what it went on without: from when it went, if it did not wait.
    fn waited_since(&self, index: usize, leave: &event::Leave) -> u64 {
        let before = self.story.events[..index].iter().rposition(|event| !matches!(event, Event::Service(_)));
        let since = before.and_then(|before| match &self.story.events[before] {
            Event::Await(Await { start, .. }) | Event::Join(Join { start, .. }) => Some(*start),
            Event::Request(Request { asked, .. }) | Event::Spin(Spin { asked, .. }) => Some(*asked),
            event => event.asked().filter(|asked| asked.had.is_none()).map(|_| self.waits_from(before)),
        });
        since.filter(|since| *since >= leave.asked).unwrap_or(leave.at)
    }
}
