//! How events are kept in rows of the log. Only here is it said which column of a row means what: events are written and
//! read, never rows, and what becomes known later has the name that it has in its event.

use sim_core::ids::{DeviceId, SpecId, SyncId, VariableId};
use sim_core::scenario::Change;
use sim_core::time::Span;
use sim_core::timeline::Use;

use super::{
    Asked, Await, Before, Burst, Event, Held, Hold, Instant, Join, Leave, Left, Passage, Passed, Request, Rest,
    Service, Spin, instant,
};
use crate::record::log::{Column, Log, Place, Row};

impl Place<Hold> {
    /// Where it is said when it was had.
    pub(crate) fn asked(self) -> Place<Asked> {
        self.also()
    }
}

impl Place<Passage> {
    /// Where it is said when it was had.
    pub(crate) fn asked(self) -> Place<Asked> {
        self.also()
    }
}

/// What becomes known later.
impl Log {
    /// The processor time that the pieces of a burst used, of which this is the last.
    pub(crate) fn used(&self, burst: Place<Burst>, time: u64) {
        self.fill(burst, Column::Middle, time);
    }

    /// When the service of a request began, and when it was over.
    pub(crate) fn served(&self, request: Place<Request>, began: u64, ended: u64) {
        self.fill(request, Column::Middle, began);
        self.fill(request, Column::End, ended);
    }

    /// When an instance had what it had asked for.
    pub(crate) fn had(&self, asked: Place<Asked>, at: u64) {
        self.fill(asked, Column::Middle, at);
    }

    /// When it gave it back.
    pub(crate) fn given_back(&self, hold: Place<Hold>, at: u64) {
        self.fill(hold, Column::End, at);
    }

    /// When the notification came.
    pub(crate) fn noticed(&self, waits: Place<Await>, at: u64) {
        self.fill(waits, Column::Middle, at);
    }

    /// When an instance stopped spinning, and the processor time that it used for it.
    pub(crate) fn stopped(&self, spin: Place<Spin>, at: u64, used: u64) {
        self.fill(spin, Column::Middle, used);
        self.fill(spin, Column::End, at);
    }

    /// When the last of those had ended who were waited for.
    pub(crate) fn joined(&self, join: Place<Join>, at: u64) {
        self.fill(join, Column::End, at);
    }
}

/// What a row tells.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Tag {
    Burst,
    Resumed,
    Retaken,
    Request,
    Service,
    Sleep,
    Alone,
    Together,
    Permit,
    SpentPermit,
    Sent,
    Received,
    Met,
    Await,
    Notify,
    Added,
    Spin,
    Join,
    Yield,
    Rest,
    Set,
    Add,
    Tested,
    LeftTurn,
    LeftService,
    LeftRoom,
    LeftChildren,
    LeftPool,
}

/// By their numbers.
const TAGS: [Tag; 28] = [
    Tag::Burst,
    Tag::Resumed,
    Tag::Retaken,
    Tag::Request,
    Tag::Service,
    Tag::Sleep,
    Tag::Alone,
    Tag::Together,
    Tag::Permit,
    Tag::SpentPermit,
    Tag::Sent,
    Tag::Received,
    Tag::Met,
    Tag::Await,
    Tag::Notify,
    Tag::Added,
    Tag::Spin,
    Tag::Join,
    Tag::Yield,
    Tag::Rest,
    Tag::Set,
    Tag::Add,
    Tag::Tested,
    Tag::LeftTurn,
    Tag::LeftService,
    Tag::LeftRoom,
    Tag::LeftChildren,
    Tag::LeftPool,
];

impl From<Event> for Row {
    #[inline]
    fn from(event: Event) -> Row {
        let row = |tag: Tag, object, start, middle, end| Row {
            tag: tag as u32,
            object,
            start,
            middle,
            end,
            ..Row::default()
        };
        match event {
            Event::Burst(Burst { after, start, end, thread, cpu, used }) => {
                Row { thread, cpu, ..row(after.tag(), 0, start, used, end) }
            }
            Event::Request(Request { device, asked, began, ended }) => {
                row(Tag::Request, device.0, asked, stamp(began), stamp(ended))
            }
            Event::Service(Service { ended, seek, received }) => {
                row(Tag::Service, 0, stamp(ended), seek.ns(), received.ns())
            }
            Event::Sleep { start, end } => row(Tag::Sleep, 0, start, 0, end),
            Event::Hold(Hold { what, asked: Asked { sync, at, had }, given_back }) => {
                row(what.tag(), sync.0, at, stamp(had), stamp(given_back))
            }
            Event::Passage(Passage { what, asked: Asked { sync, at, had } }) => {
                row(what.tag(), sync.0, at, stamp(had), 0)
            }
            Event::Await(Await { condvar, start, noticed }) => row(Tag::Await, condvar.0, start, stamp(noticed), 0),
            Event::Notify { sync, at, notified } => row(Tag::Notify, sync.0, at, u64::from(notified), 0),
            Event::Added { sync, at } => row(Tag::Added, sync.0, at, 0, 0),
            Event::Access { at, how } => access(at, how),
            Event::Spin(Spin { lock, asked, stopped, used }) => row(Tag::Spin, lock.0, asked, used, stamp(stopped)),
            Event::Join(Join { spec, start, ended }) => row(Tag::Join, spec.0, start, 0, stamp(ended)),
            Event::Yield { at } => row(Tag::Yield, 0, at, 0, 0),
            Event::Rest(Rest { start, released }) => row(Tag::Rest, 0, start, 0, stamp(released)),
            Event::Leave(Leave { what, asked, at }) => {
                let (tag, object) = what.tag();
                row(tag, object, at, asked, 0)
            }
        }
    }
}

impl From<Row> for Event {
    fn from(row: Row) -> Event {
        let Row { tag, object, start, middle, end, thread, cpu } = row;
        let sync = SyncId(object);
        let burst = |after| Event::Burst(Burst { after, start, end, thread, cpu, used: middle });
        let asked = Asked { sync, at: start, had: instant(middle) };
        let hold = |what| Event::Hold(Hold { what, asked, given_back: instant(end) });
        let passage = |what| Event::Passage(Passage { what, asked });
        match TAGS[tag as usize] {
            Tag::Burst => burst(Before::Start),
            Tag::Resumed => burst(Before::Preemption),
            Tag::Retaken => burst(Before::LostTurn),
            Tag::Request => {
                let [began, ended] = [middle, end].map(instant);
                Event::Request(Request { device: DeviceId(object), asked: start, began, ended })
            }
            Tag::Service => {
                let [seek, received] = [middle, end].map(Span::from_ns);
                Event::Service(Service { ended: instant(start), seek, received })
            }
            Tag::Sleep => Event::Sleep { start, end },
            Tag::Alone => hold(Held::Alone),
            Tag::Together => hold(Held::Together),
            Tag::Permit => hold(Held::Permit),
            Tag::SpentPermit => passage(Passed::SpentPermit),
            Tag::Sent => passage(Passed::Sent),
            Tag::Received => passage(Passed::Received),
            Tag::Met => passage(Passed::Met),
            Tag::Await => Event::Await(Await { condvar: sync, start, noticed: instant(middle) }),
            Tag::Notify => Event::Notify { sync, at: start, notified: u32::try_from(middle).unwrap_or(u32::MAX) },
            Tag::Added => Event::Added { sync, at: start },
            Tag::Spin => Event::Spin(Spin { lock: sync, asked: start, stopped: instant(end), used: middle }),
            Tag::Join => Event::Join(Join { spec: SpecId(object), start, ended: instant(end) }),
            Tag::Yield => Event::Yield { at: start },
            Tag::Set | Tag::Add => {
                let [amount, value] = [middle, end].map(u64::cast_signed);
                let change = if TAGS[tag as usize] == Tag::Set { Change::To(amount) } else { Change::By(amount) };
                let how = Use::Changed { variable: VariableId(object), change, value };
                Event::Access { at: start, how }
            }
            Tag::Tested => Event::Access { at: start, how: Use::Tested { op: object, holds: middle == 1 } },
            Tag::Rest => Event::Rest(Rest { start, released: instant(end) }),
            Tag::LeftTurn | Tag::LeftService | Tag::LeftRoom | Tag::LeftChildren | Tag::LeftPool => {
                Event::Leave(Leave { what: left(TAGS[tag as usize], object), asked: middle, at: start })
            }
        }
    }
}

fn access(at: u64, how: Use) -> Row {
    let (tag, object, middle, end) = match how {
        Use::Changed { variable, change: Change::To(to), value } => (Tag::Set, variable.0, to.cast_unsigned(), value),
        Use::Changed { variable, change: Change::By(by), value } => (Tag::Add, variable.0, by.cast_unsigned(), value),
        Use::Tested { op, holds } => (Tag::Tested, op, u64::from(holds), 0),
    };
    Row { tag: tag as u32, object, start: at, middle, end: end.cast_unsigned(), ..Row::default() }
}

/// What somebody goes on without.
fn left(tag: Tag, object: u32) -> Left {
    match tag {
        Tag::LeftTurn => Left::Turn(SyncId(object)),
        Tag::LeftService => Left::Service(DeviceId(object)),
        Tag::LeftRoom => Left::Room(DeviceId(object)),
        Tag::LeftPool => Left::Pool(object),
        _ => Left::Children(object.checked_sub(1)),
    }
}

impl Left {
    fn tag(self) -> (Tag, u32) {
        match self {
            Left::Turn(sync) => (Tag::LeftTurn, sync.0),
            Left::Service(device) => (Tag::LeftService, device.0),
            Left::Room(device) => (Tag::LeftRoom, device.0),
            Left::Children(who) => (Tag::LeftChildren, who.map_or(0, |who| who + 1)),
            Left::Pool(who) => (Tag::LeftPool, who),
        }
    }
}

impl Before {
    fn tag(self) -> Tag {
        match self {
            Before::Start => Tag::Burst,
            Before::Preemption => Tag::Resumed,
            Before::LostTurn => Tag::Retaken,
        }
    }
}

impl Held {
    fn tag(self) -> Tag {
        match self {
            Held::Alone => Tag::Alone,
            Held::Together => Tag::Together,
            Held::Permit => Tag::Permit,
        }
    }
}

impl Passed {
    fn tag(self) -> Tag {
        match self {
            Passed::SpentPermit => Tag::SpentPermit,
            Passed::Sent => Tag::Sent,
            Passed::Received => Tag::Received,
            Passed::Met => Tag::Met,
        }
    }
}

fn stamp(instant: Instant) -> u64 {
    instant.unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::play::shared::Table;
    use crate::record::log::Diary;

    #[test]
    fn tags_keep_their_numbers() {
        assert!((0..).zip(TAGS).all(|(number, tag)| tag as u32 == number));
    }

    #[test]
    fn a_row_gives_back_the_event_it_was_made_from() {
        let sync = SyncId(7);
        let mut events = vec![
            Event::Sleep { start: 1, end: 2 },
            Event::Notify { sync, at: 1, notified: 2 },
            Event::Added { sync, at: 1 },
            Event::Yield { at: 1 },
            Event::Access { at: 1, how: Use::Tested { op: 2, holds: true } },
            Event::Access { at: 1, how: Use::Tested { op: 2, holds: false } },
        ];
        for change in [Change::To(-3), Change::By(4)] {
            events.push(Event::Access { at: 1, how: Use::Changed { variable: VariableId(5), change, value: -3 } });
        }
        for after in [Before::Start, Before::Preemption, Before::LostTurn] {
            events.push(Burst { after, start: 1, end: 2, thread: 3, cpu: 4, used: 5 }.into());
        }
        let whats = [Left::Turn(sync), Left::Service(DeviceId(6)), Left::Room(DeviceId(6))];
        for what in whats.into_iter().chain([Left::Children(None), Left::Children(Some(0)), Left::Pool(3)]) {
            events.push(Leave { what, asked: 1, at: 2 }.into());
        }
        // Each with the instants that are not known at first, and without.
        for [one, other] in [[None, None], [Some(2), None], [Some(2), Some(3)]] {
            let asked = Asked { sync, at: 1, had: one };
            for what in [Held::Alone, Held::Together, Held::Permit] {
                events.push(Hold { what, asked, given_back: other }.into());
            }
            for what in [Passed::SpentPermit, Passed::Sent, Passed::Received, Passed::Met] {
                events.push(Passage { what, asked }.into());
            }
            let (seek, received) = (Span::from_ns(4), Span::from_ns(5));
            events.extend([
                Event::from(Request { device: DeviceId(6), asked: 1, began: one, ended: other }),
                Service { ended: one, seek, received }.into(),
                Await { condvar: sync, start: 1, noticed: one }.into(),
                Spin { lock: sync, asked: 1, stopped: one, used: 4 }.into(),
                Join { spec: SpecId(8), start: 1, ended: one }.into(),
                Rest { start: 1, released: one }.into(),
            ]);
        }
        let tags: std::collections::BTreeSet<u32> = events.iter().map(|event| Row::from(*event).tag).collect();
        assert_eq!(tags.len(), TAGS.len());
        for event in events {
            assert_eq!(Event::from(Row::from(event)), event);
        }
    }

    #[test]
    fn what_is_known_later_is_read_by_its_name() {
        let log = Log::new(1).expect("memory");
        let diaries = Table::<Diary>::zeros(1).expect("memory");
        let diary = &diaries[0];
        let (sync, device, spec) = (SyncId(7), DeviceId(6), SpecId(8));
        let asked = |at, had| Asked { sync, at, had };
        let burst = Burst { after: Before::Start, start: 1, end: 2, thread: 3, cpu: 4, used: 0 };
        let request = Request { device, asked: 10, began: None, ended: None };
        let hold = Hold { what: Held::Alone, asked: asked(20, None), given_back: None };
        let passage = Passage { what: Passed::Sent, asked: asked(30, None) };
        let awaits = Await { condvar: sync, start: 40, noticed: None };
        let spin = Spin { lock: sync, asked: 50, stopped: None, used: 0 };
        let join = Join { spec, start: 60, ended: None };
        log.used(log.write(diary, burst), 1);
        log.served(log.write(diary, request), 11, 12);
        let place = log.write(diary, hold);
        log.had(place.asked(), 21);
        log.given_back(place, 22);
        log.had(log.write(diary, passage).asked(), 31);
        log.noticed(log.write(diary, awaits), 41);
        log.stopped(log.write(diary, spin), 52, 51);
        log.joined(log.write(diary, join), 61);
        let expected: [Event; 7] = [
            Burst { used: 1, ..burst }.into(),
            Request { began: Some(11), ended: Some(12), ..request }.into(),
            Hold { asked: asked(20, Some(21)), given_back: Some(22), ..hold }.into(),
            Passage { asked: asked(30, Some(31)), ..passage }.into(),
            Await { noticed: Some(41), ..awaits }.into(),
            Spin { stopped: Some(52), used: 51, ..spin }.into(),
            Join { ended: Some(61), ..join }.into(),
        ];
        assert_eq!(log.read(diary), expected);
    }
}
