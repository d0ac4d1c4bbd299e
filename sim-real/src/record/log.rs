//! What the instances write down while they run: one row per operation, in shared memory, without waiting.
//!
//! An instance writes into chunks of its own, so nobody disturbs anybody and the rows of an instance are in order. A
//! row is written when its operation begins and completed when it ends; what is cut off by the end of the run stays
//! open.

use std::io;
use std::marker::PhantomData;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicU32, AtomicU64};

use crate::play::shared::{Table, row};
use crate::record::event::Event;

/// Rows per chunk: with the link a little less than a kilobyte and a half.
const ROWS: usize = 30;

/// One operation as it is kept: `event/row.rs` says what the columns mean.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(in crate::record) struct Row {
    pub(in crate::record) tag: u32,
    pub(in crate::record) object: u32,
    pub(in crate::record) start: u64,
    pub(in crate::record) middle: u64,
    pub(in crate::record) end: u64,
    pub(in crate::record) thread: u32,
    pub(in crate::record) cpu: u32,
}

/// A column that may be filled in later.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::record) enum Column {
    Middle,
    End,
}

/// A [`Row`] in atomics.
struct Line {
    tag: AtomicU32,
    object: AtomicU32,
    start: AtomicU64,
    middle: AtomicU64,
    end: AtomicU64,
    thread: AtomicU32,
    cpu: AtomicU32,
}

row!(Line {
    tag: AtomicU32,
    object: AtomicU32,
    start: AtomicU64,
    middle: AtomicU64,
    end: AtomicU64,
    thread: AtomicU32,
    cpu: AtomicU32,
});

impl Line {
    #[inline]
    fn store(&self, row: Row) {
        let Row { tag, object, start, middle, end, thread, cpu } = row;
        self.tag.store(tag, Relaxed);
        self.object.store(object, Relaxed);
        self.start.store(start, Relaxed);
        self.middle.store(middle, Relaxed);
        self.end.store(end, Relaxed);
        self.thread.store(thread, Relaxed);
        self.cpu.store(cpu, Relaxed);
    }

    fn load(&self) -> Row {
        Row {
            tag: self.tag.load(Relaxed),
            object: self.object.load(Relaxed),
            start: self.start.load(Relaxed),
            middle: self.middle.load(Acquire),
            end: self.end.load(Acquire),
            thread: self.thread.load(Relaxed),
            cpu: self.cpu.load(Relaxed),
        }
    }
}

struct Chunk {
    /// The chunk after this one, plus one.
    next: AtomicU32,
    lines: [Line; ROWS],
}

row!(Chunk { next: AtomicU32, lines: [Line; ROWS] });

/// Where the rows of one instance are.
pub(crate) struct Diary {
    first: AtomicU32,
    last: AtomicU32,
    len: AtomicU32,
}

row!(Diary { first: AtomicU32, last: AtomicU32, len: AtomicU32 });

/// The rows of all instances.
pub(crate) struct Log {
    chunks: Table<Chunk>,
    totals: Table<Totals>,
}

struct Totals {
    chunks: AtomicU32,
    lost: AtomicU32,
}

row!(Totals { chunks: AtomicU32, lost: AtomicU32 });

/// The row of an event of which something may become known later.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Place<E> {
    /// Which chunk, and which of its rows; nowhere if there was no room.
    row: Option<(u32, u32)>,
    event: PhantomData<E>,
}

impl<E> Place<E> {
    fn new(row: Option<(u32, u32)>) -> Place<E> {
        Place { row, event: PhantomData }
    }

    /// The same row, for what it has in common with other events.
    pub(in crate::record) fn also<F>(self) -> Place<F> {
        Place::new(self.row)
    }
}

impl Log {
    /// Room for at least `instances` instances and a few million operations.
    pub(crate) fn new(instances: usize) -> io::Result<Log> {
        Ok(Log { chunks: Table::zeros(2 * instances + 100_000)?, totals: Table::zeros(1)? })
    }

    /// Gets an instance's first rows ready, so that its first operation does not pay for the memory.
    pub(crate) fn open(&self, diary: &Diary) {
        if let Some(chunk) = self.take_chunk() {
            self.chunks[chunk as usize].lines[0].tag.store(0, Relaxed);
            diary.first.store(chunk + 1, Relaxed);
            diary.last.store(chunk + 1, Relaxed);
        }
    }

    /// Writes an event down.
    #[inline]
    pub(crate) fn write<E: Into<Event>>(&self, diary: &Diary, event: E) -> Place<E> {
        let len = diary.len.load(Relaxed);
        let Some((chunk, row)) = self.row_after(diary, len) else { return Place::new(None) };
        self.chunks[chunk as usize].lines[row as usize].store(event.into().into());
        diary.len.store(len + 1, Release);
        Place::new(Some((chunk, row)))
    }

    /// Where an instance writes that has written so many rows, if there is room.
    #[inline]
    fn row_after(&self, diary: &Diary, len: u32) -> Option<(u32, u32)> {
        let row = len % u32::try_from(ROWS).unwrap_or(u32::MAX);
        let last = diary.last.load(Relaxed);
        let chunk = if last > 0 && (row > 0 || len == 0) {
            last - 1
        } else {
            let Some(chunk) = self.take_chunk() else {
                self.totals[0].lost.fetch_add(1, Relaxed);
                return None;
            };
            let link = if last == 0 { &diary.first } else { &self.chunks[last as usize - 1].next };
            link.store(chunk + 1, Relaxed);
            diary.last.store(chunk + 1, Relaxed);
            chunk
        };
        Some((chunk, row))
    }

    /// Fills in what has become known.
    pub(in crate::record) fn fill<E>(&self, place: Place<E>, column: Column, value: u64) {
        if let Some((chunk, row)) = place.row {
            let line = &self.chunks[chunk as usize].lines[row as usize];
            let cell = match column {
                Column::Middle => &line.middle,
                Column::End => &line.end,
            };
            cell.store(value, Release);
        }
    }

    /// All that an instance wrote down, in order.
    pub(crate) fn read(&self, diary: &Diary) -> Vec<Event> {
        let len = diary.len.load(Acquire) as usize;
        let mut events = Vec::with_capacity(len);
        let mut chunk = diary.first.load(Relaxed);
        while chunk > 0 && events.len() < len {
            let here = &self.chunks[chunk as usize - 1];
            let rows = (len - events.len()).min(ROWS);
            events.extend(here.lines[..rows].iter().map(|line| Event::from(line.load())));
            chunk = here.next.load(Relaxed);
        }
        events
    }

    /// A row found no room elsewhere.
    pub(crate) fn loses(&self) {
        self.totals[0].lost.fetch_add(1, Relaxed);
    }

    /// How many rows found no room.
    pub(crate) fn lost(&self) -> u32 {
        self.totals[0].lost.load(Relaxed)
    }

    fn take_chunk(&self) -> Option<u32> {
        let chunk = self.totals[0].chunks.fetch_add(1, Relaxed);
        ((chunk as usize) < self.chunks.len()).then_some(chunk)
    }
}

#[cfg(test)]
mod tests {
    use sim_core::ids::SyncId;

    use super::*;
    use crate::record::event::{Asked, Held, Hold};

    #[test]
    fn events_come_back_in_order_with_what_was_added_later() {
        let log = Log::new(2).expect("memory");
        let diaries = Table::<Diary>::zeros(2).expect("memory");
        log.open(&diaries[0]);
        let hold = |name: usize, at, had, given_back| {
            let sync = SyncId(u32::try_from(name).expect("few"));
            Hold { what: Held::Alone, asked: Asked { sync, at, had }, given_back }
        };
        for (name, diary) in diaries.iter().enumerate() {
            for start in 0..100 {
                let place = log.write(diary, hold(name, start, None, None));
                log.had(place.asked(), start + 1);
                log.given_back(place, start + 2);
            }
        }
        for (name, diary) in diaries.iter().enumerate() {
            let events = log.read(diary);
            assert_eq!(events.len(), 100);
            for (start, event) in (0..).zip(&events) {
                assert_eq!(*event, hold(name, start, Some(start + 1), Some(start + 2)).into());
            }
        }
    }
}
