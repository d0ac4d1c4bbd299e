//! Who went on without what it had asked for.

use sim_core::ids::TaskId;
use sim_core::timeline::{Cause, Fate, How, Leave, Timeline};

use super::Teller;
use crate::record::event::{self, Await, Event, Join, Left, Request, Spin, instant};

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
        let waited = self.waited(index);
        let asked = instant(leave.asked).or(waited.map(|[asked, _]| asked)).unwrap_or(leave.at);
        let since = waited.map(|[_, since]| since).filter(|since| *since >= asked).unwrap_or(leave.at);
        // Who tries goes at once, however long that takes.
        let tries = matches!(leave.what, Left::Turn(_)) && since == leave.at;
        let asked = if tries { leave.at } else { asked };
        let [asked, since, at] = [asked, since, leave.at].map(|at| material.time(self.cut(at)));
        // Who was dropped does nothing after that.
        let is_dropped = self.story.fate == Fate::Aborted && index + 1 == self.story.events.len();
        let how = if is_dropped { How::Dropped } else { How::GaveUp };
        let mut told = Leave { task, cause: Cause::Join, asked, since, at, how, callee: TaskId::NONE };
        match leave.what {
            Left::Turn(sync) => told.cause = Cause::Sync(sync),
            Left::Service(device) => told.cause = Cause::Device(device),
            Left::Room(device) => (told.cause, told.how) = (Cause::Device(device), How::TurnedAway),
            Left::Children(who) => told.callee = who.map_or(TaskId::NONE, TaskId),
            Left::Pool(who) => (told.callee, told.how) = (TaskId(who), How::TurnedAway),
        }
        timeline.leaves.push(told);
    }

    /// When it had asked for what it went on without, and since when it had waited for that last; nothing if it did not wait.
    fn waited(&self, index: usize) -> Option<[u64; 2]> {
        let before = self.story.events[..index].iter().rposition(|event| !matches!(event, Event::Service(_)));
        before.and_then(|before| match &self.story.events[before] {
            Event::Await(Await { start, .. }) | Event::Join(Join { start, .. }) => Some([*start; 2]),
            Event::Request(Request { asked, .. }) | Event::Spin(Spin { asked, .. }) => Some([*asked; 2]),
            event => event.asked().filter(|asked| asked.had.is_none()).map(|it| [it.at, self.waits_from(before)]),
        })
    }
}
