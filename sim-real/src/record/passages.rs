//! When what has no owner passed through objects of libraries: messages through channels, tasks through barriers.
//!
//! An instance writes down when an operation was over for it. Between that and the instant at which it was done for others
//! it may have been put off; so a message can have been received, as it is written, before it was sent. Whoever must have
//! been before another is moved back to that one's instant, as one of several whose order nobody could tell.

use sim_core::ids::{IdVec, SyncId};
use sim_core::scenario::SyncKind;

use crate::record::event::{Asked, Event, Passage, Passed};
use crate::record::recorder::Story;

/// A passage in a story: the place of the instance and of the event there.
type Place = (usize, usize);

/// Puts the passages at objects that are not ours in order: those of libraries, and of Python; what was over after `end` was not over.
pub(crate) fn order(stories: &mut [Story], kinds: &IdVec<SyncId, SyncKind>, foreign: &IdVec<SyncId, bool>, end: u64) {
    for (sync, _) in foreign.pairs().filter(|(_, is_foreign)| **is_foreign) {
        match kinds[sync] {
            SyncKind::Channel { capacity } => Channel::new(stories, sync, capacity, end).order(stories),
            SyncKind::Barrier { parties } => barrier(stories, sync, parties as usize),
            SyncKind::Mutex | SyncKind::RwLock { .. } | SyncKind::Semaphore { .. } | SyncKind::Condvar => {}
        }
    }
}

/// All passages at an object.
fn passages(stories: &[Story], sync: SyncId) -> Vec<(Place, Passage)> {
    let of_one = |(id, story): (usize, &Story)| {
        let events = story.events.iter().enumerate();
        let here = events.filter_map(move |(index, event)| match event {
            Event::Passage(passage) if passage.asked.sync == sync => Some(((id, index), *passage)),
            _ => None,
        });
        here.collect::<Vec<_>>()
    };
    stories.iter().enumerate().flat_map(of_one).collect()
}

fn asked_mut(stories: &mut [Story], (id, index): Place) -> Option<&mut Asked> {
    stories[id].events[index].asked_mut()
}

/// It was had by then. Who did not have to wait asked for it no later.
fn set_had(stories: &mut [Story], place: Place, at: u64) {
    if let Some(asked) = asked_mut(stories, place) {
        asked.at = asked.at.min(at);
        asked.had = Some(at);
    }
}

/// Something was put into a channel or taken out.
struct Pass {
    place: Place,
    sent: bool,
    /// It had not begun before.
    earliest: u64,
    had: Option<u64>,
    /// Has it been told together with another?
    is_told: bool,
}

/// A channel, and what happened there in the order in which it was over.
struct Channel {
    capacity: u64,
    passes: Vec<Pass>,
}

impl Channel {
    fn new(stories: &[Story], sync: SyncId, capacity: u32, end: u64) -> Channel {
        let pass = |(place, Passage { what, asked }): (Place, Passage)| {
            let had = asked.had.filter(|had| *had <= end);
            // Who did not wait wrote down only when it was over.
            let waited = had.is_none_or(|had| had > asked.at);
            let earliest = if waited { asked.at } else { before(stories, place) };
            Pass { place, sent: what == Passed::Sent, earliest, had, is_told: false }
        };
        let mut passes: Vec<Pass> = passages(stories, sync).into_iter().map(pass).collect();
        passes.sort_by_key(|pass| (pass.had.unwrap_or(u64::MAX), pass.earliest, pass.place));
        Channel { capacity: u64::from(capacity), passes }
    }

    fn order(&mut self, stories: &mut [Story]) {
        let mut level = 0;
        for index in 0..self.passes.len() {
            let Pass { sent, had, is_told, .. } = self.passes[index];
            let Some(at) = had.filter(|_| !is_told) else { continue };
            let needs_other = if sent { level >= self.capacity } else { level == 0 };
            if !needs_other {
                level = if sent { level + 1 } else { level - 1 };
                continue;
            }
            let later = self.passes[index + 1..].iter_mut();
            let other = |pass: &&mut Pass| pass.sent != sent && !pass.is_told && pass.earliest <= at;
            if let Some(other) = later.into_iter().find(other) {
                other.is_told = true;
                set_had(stories, other.place, at);
            }
        }
    }
}

/// The last time at which something is known of an instance before an event.
fn before(stories: &[Story], (id, index): Place) -> u64 {
    let last = stories[id].events[..index].last();
    let over = |event: &Event| match event {
        Event::Burst(burst) => burst.end,
        Event::Sleep { end, .. } => *end,
        event => event.asked().and_then(|asked| asked.had).unwrap_or(event.start()),
    };
    last.map_or(stories[id].begun, over)
}

/// Those who meet at a barrier go on when the last of them has come, who does not wait.
fn barrier(stories: &mut [Story], sync: SyncId, parties: usize) {
    let mut all = passages(stories, sync);
    all.sort_by_key(|(place, passage)| (passage.asked.at, *place));
    for round in all.chunks_exact(parties.max(1)) {
        let went = round.iter().filter_map(|(_, passage)| passage.asked.had).min();
        let (Some((_, last)), Some(went)) = (round.last(), went) else { continue };
        let at = last.asked.at.min(went);
        round.iter().for_each(|(place, _)| set_had(stories, *place, at));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHANNEL: SyncId = SyncId(0);

    fn story(passed: &[(Passed, u64, Option<u64>)]) -> Story {
        let event = |&(what, at, had): &(Passed, u64, Option<u64>)| {
            Event::from(Passage { what, asked: Asked { sync: CHANNEL, at, had } })
        };
        let events = passed.iter().map(event).collect();
        let (spec, instance, comes_after) = (0, 0, false);
        Story {
            spec,
            instance,
            arrival: 0,
            comes_after,
            released: 0,
            begun: 0,
            finish: 0,
            fate: sim_core::timeline::Fate::Finished,
            is_guest: false,
            process: None,
            started: None,
            events,
        }
    }

    fn had(stories: &[Story]) -> Vec<Vec<Option<u64>>> {
        let of_one = |story: &Story| story.events.iter().filter_map(|event| Some(event.asked()?.had)).collect();
        stories.iter().map(of_one).collect()
    }

    #[test]
    fn a_message_is_sent_before_it_is_received_and_has_room_before_it_is_sent() {
        let (sent, received) = (Passed::Sent, Passed::Received);
        // The sender was put off before it had written down its first message, the receiver after its second.
        let mut stories = vec![
            story(&[(sent, 50, Some(50)), (sent, 60, Some(60)), (sent, 61, Some(80))]),
            story(&[(received, 10, Some(40)), (received, 55, Some(90)), (received, 95, None)]),
        ];
        Channel::new(&stories, CHANNEL, 1, 100).order(&mut stories);
        assert_eq!(had(&stories), [[Some(40), Some(60), Some(80)], [Some(40), Some(80), None]]);
    }

    #[test]
    fn where_nothing_lies_both_meet_when_the_first_of_them_knows() {
        let mut stories =
            vec![story(&[(Passed::Sent, 5, Some(30))]), story(&[(Passed::Received, 20, Some(20))]), story(&[])];
        Channel::new(&stories, CHANNEL, 0, 100).order(&mut stories);
        assert_eq!(had(&stories), [vec![Some(20)], vec![Some(20)], vec![]]);
    }

    #[test]
    fn who_comes_last_to_a_barrier_lets_the_others_go_then() {
        let met = |at, had| story(&[(Passed::Met, at, had)]);
        let mut stories = vec![met(10, Some(95)), met(30, Some(34)), met(20, Some(33)), met(40, None)];
        barrier(&mut stories, CHANNEL, 3);
        assert_eq!(had(&stories), [[Some(30)], [Some(30)], [Some(30)], [None]]);
    }
}
