//! Who was notified by whom: a task of Python knows that it was only when it has its lock again.
//!
//! Whoever has its lock again first, of those who waited when somebody was notified, was that one: it had to be notified before.

use std::collections::BTreeMap;

use sim_core::ids::SyncId;

use crate::record::event::{Asked, Await, Event, Hold};

/// A wait for a notification: whose it is, and where among the events of that one.
#[derive(Clone, Copy)]
struct Wait {
    place: (usize, usize),
    start: u64,
    /// When it had its lock again; the end of time if it has not.
    again: u64,
}

/// Writes down when waits at condition variables ended, and how many each notification reached.
pub(super) fn settle(stories: &mut [Vec<Event>]) {
    let mut waits: BTreeMap<SyncId, Vec<Wait>> = BTreeMap::new();
    let mut notices: Vec<(u64, SyncId, (usize, usize), u32)> = Vec::new();
    for (who, events) in stories.iter().enumerate() {
        for (index, event) in events.iter().enumerate() {
            match *event {
                Event::Await(Await { condvar, start, noticed }) => {
                    let again = noticed.unwrap_or(u64::MAX);
                    waits.entry(condvar).or_default().push(Wait { place: (who, index), start, again });
                }
                Event::Notify { sync, at, notified } => notices.push((at, sync, (who, index), notified)),
                _ => {}
            }
        }
    }
    notices.sort_unstable();
    waits.values_mut().for_each(|waits| waits.sort_by_key(|wait| (wait.again, wait.start)));
    for (at, condvar, (who, index), most) in notices {
        let waiting = waits.entry(condvar).or_default();
        let mut reached = 0;
        while reached < most
            && let Some(next) = waiting.iter().position(|wait| wait.start <= at && at <= wait.again)
        {
            is_noticed(stories, waiting.remove(next), at);
            reached += 1;
        }
        if let Event::Notify { notified, .. } = &mut stories[who][index] {
            *notified = reached;
        }
    }
}

/// It asks for its lock from then on.
fn is_noticed(stories: &mut [Vec<Event>], wait: Wait, at: u64) {
    let (who, index) = wait.place;
    let events = &mut stories[who];
    let Event::Await(waits) = &mut events[index] else { return };
    waits.noticed = Some(at);
    if let Some(Event::Hold(Hold { asked: Asked { at: asked, .. }, .. })) = events.get_mut(index + 1) {
        *asked = at;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::event::Held;

    const CONDVAR: SyncId = SyncId(0);

    fn waits(start: u64, again: Option<u64>) -> Vec<Event> {
        let asked = Asked { sync: SyncId(1), at: again.unwrap_or(0), had: again };
        let hold = Event::from(Hold { what: Held::Alone, asked, given_back: None });
        let waits = Event::from(Await { condvar: CONDVAR, start, noticed: again });
        if again.is_some() { vec![waits, hold] } else { vec![waits] }
    }

    fn noticed(events: &[Event]) -> Option<u64> {
        let Event::Await(Await { noticed, .. }) = events[0] else { panic!("{events:?}") };
        noticed
    }

    #[test]
    fn a_notification_reaches_who_has_its_lock_again_first() {
        let notify = |at, notified| Event::Notify { sync: CONDVAR, at, notified };
        // The second who waits began before the first, and is notified by the second notification.
        let mut stories =
            vec![waits(20, Some(60)), waits(10, Some(90)), vec![notify(50, 1), notify(80, 2)], waits(85, None)];
        settle(&mut stories);
        assert_eq!([0, 1].map(|who| noticed(&stories[who])), [Some(50), Some(80)]);
        assert_eq!(noticed(&stories[3]), None);
        assert_eq!(stories[2], [notify(50, 1), notify(80, 1)], "who comes later is not reached");
        assert!(matches!(stories[0][1], Event::Hold(Hold { asked: Asked { at: 50, had: Some(60), .. }, .. })));
    }
}
