//! What the instances write down while they run: one row per operation, in shared memory, without waiting.
//!
//! An instance writes into chunks of its own, so nobody disturbs anybody and the rows of an instance are in order. A
//! row is written when its operation begins and completed when it ends; what is cut off by the end of the run stays
//! open.

use std::io;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use crate::play::shared::{Table, row};

/// Rows per chunk: with the link a little less than a kilobyte and a half.
const ROWS: usize = 30;

/// `end` of an operation that has not ended.
pub(crate) const OPEN: u64 = 0;

/// What a row tells.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// A burst, or its first piece. `mid` of a burst's last piece is the processor time used.
    Run,
    /// The burst went on after the kernel had put the thread off.
    Resumed,
    /// The burst went on after the task had lost its turn to another of the same process (interpreter lock).
    Retaken,
    /// A request to device `id`: made at `start`, service begins at `mid` and is over at `end`.
    Io,
    /// The request before it was over at `start`, the head was on its way to it for `mid`, and it received `end`.
    Service,
    /// Asleep until `end`.
    Sleep,
    /// Lock `id`, alone: asked for at `start`, had from `mid`, given back at `end`. As with everything from here to
    /// `Arrive` that is asked for, whoever got it later than it asked has waited.
    Lock,
    /// Rwlock `id`, together with other readers; as above.
    Read,
    /// A permit of semaphore `id` that the task gives back; as above.
    Permit,
    /// A permit that it does not give back: had at `mid`.
    SpentPermit,
    /// A message into channel `id`: offered at `start`, gone at `mid`.
    Send,
    /// A message out of channel `id`: asked for at `start`, had at `mid`.
    Receive,
    /// Came to barrier `id` at `start`, and all had come at `mid`.
    Arrive,
    /// Waited for a notification at `id` from `start` to `mid`.
    Await,
    /// Notified `mid` of those who waited at `id`.
    Notify,
    /// Gave a permit to semaphore `id` without having had one.
    Added,
    /// Spun for lock `id` from `start` to `end`, and used `mid` of processor time for it.
    Spin,
    /// Waited for the children.
    Join,
    /// Gave way.
    Yield,
}

const KINDS: [Kind; 19] = [
    Kind::Run,
    Kind::Resumed,
    Kind::Retaken,
    Kind::Io,
    Kind::Service,
    Kind::Sleep,
    Kind::Lock,
    Kind::Read,
    Kind::Permit,
    Kind::SpentPermit,
    Kind::Send,
    Kind::Receive,
    Kind::Arrive,
    Kind::Await,
    Kind::Notify,
    Kind::Added,
    Kind::Spin,
    Kind::Join,
    Kind::Yield,
];

impl Kind {
    /// Is it something that one asks a synchronisation object for, and has at `mid`?
    pub(crate) fn is_asked_for(self) -> bool {
        use Kind::{Arrive, Lock, Permit, Read, Receive, Send, SpentPermit};
        matches!(self, Lock | Read | Permit | SpentPermit | Send | Receive | Arrive)
    }
}

/// One operation, copied out of the log.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Entry {
    /// What it was.
    pub(crate) kind: Kind,
    /// With which device or synchronisation object.
    pub(crate) id: u32,
    /// When it began.
    pub(crate) start: u64,
    /// See [`Kind`].
    pub(crate) mid: u64,
    /// When it ended, or [`OPEN`].
    pub(crate) end: u64,
    /// On which thread.
    pub(crate) tid: u32,
    /// On which processor, by the kernel's numbers.
    pub(crate) cpu: u32,
}

impl Entry {
    /// An operation that begins at `start`.
    pub(crate) fn new(kind: Kind, id: u32, start: u64) -> Entry {
        Entry { kind, id, start, mid: OPEN, end: OPEN, tid: 0, cpu: 0 }
    }
}

/// One row of a chunk: an [`Entry`] in atomics.
struct Line {
    kind: AtomicU32,
    id: AtomicU32,
    start: AtomicU64,
    mid: AtomicU64,
    end: AtomicU64,
    tid: AtomicU32,
    cpu: AtomicU32,
}

row!(Line {
    kind: AtomicU32,
    id: AtomicU32,
    start: AtomicU64,
    mid: AtomicU64,
    end: AtomicU64,
    tid: AtomicU32,
    cpu: AtomicU32,
});

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

/// A row that may still be completed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Place(Option<(u32, u32)>);

impl Log {
    /// Room for at least `instances` instances and a few million operations.
    pub(crate) fn new(instances: usize) -> io::Result<Log> {
        Ok(Log { chunks: Table::zeros(2 * instances + 100_000)?, totals: Table::zeros(1)? })
    }

    /// Gets an instance's first rows ready, so that its first operation does not pay for the memory.
    pub(crate) fn open(&self, diary: &Diary) {
        if let Some(chunk) = self.take_chunk() {
            self.chunks[chunk as usize].lines[0].kind.store(0, Ordering::Relaxed);
            diary.first.store(chunk + 1, Ordering::Relaxed);
            diary.last.store(chunk + 1, Ordering::Relaxed);
        }
    }

    /// Writes a row.
    pub(crate) fn write(&self, diary: &Diary, entry: Entry) -> Place {
        let len = diary.len.load(Ordering::Relaxed);
        let row = len % u32::try_from(ROWS).unwrap_or(u32::MAX);
        let last = diary.last.load(Ordering::Relaxed);
        let chunk = if last > 0 && (row > 0 || len == 0) {
            last - 1
        } else {
            let Some(chunk) = self.take_chunk() else {
                self.totals[0].lost.fetch_add(1, Ordering::Relaxed);
                return Place(None);
            };
            let link = if last == 0 { &diary.first } else { &self.chunks[last as usize - 1].next };
            link.store(chunk + 1, Ordering::Relaxed);
            diary.last.store(chunk + 1, Ordering::Relaxed);
            chunk
        };
        let line = &self.chunks[chunk as usize].lines[row as usize];
        line.kind.store(entry.kind as u32, Ordering::Relaxed);
        line.id.store(entry.id, Ordering::Relaxed);
        line.start.store(entry.start, Ordering::Relaxed);
        line.mid.store(entry.mid, Ordering::Relaxed);
        line.end.store(entry.end, Ordering::Relaxed);
        line.tid.store(entry.tid, Ordering::Relaxed);
        line.cpu.store(entry.cpu, Ordering::Relaxed);
        diary.len.store(len + 1, Ordering::Release);
        Place(Some((chunk, row)))
    }

    /// Notes the middle of an operation.
    pub(crate) fn set_mid(&self, place: Place, at: u64) {
        if let Place(Some((chunk, row))) = place {
            self.chunks[chunk as usize].lines[row as usize].mid.store(at, Ordering::Release);
        }
    }

    /// Notes the end of an operation.
    pub(crate) fn set_end(&self, place: Place, at: u64) {
        if let Place(Some((chunk, row))) = place {
            self.chunks[chunk as usize].lines[row as usize].end.store(at, Ordering::Release);
        }
    }

    /// All rows of an instance, in order.
    pub(crate) fn read(&self, diary: &Diary) -> Vec<Entry> {
        let len = diary.len.load(Ordering::Acquire) as usize;
        let mut entries = Vec::with_capacity(len);
        let mut chunk = diary.first.load(Ordering::Relaxed);
        while chunk > 0 && entries.len() < len {
            let here = &self.chunks[chunk as usize - 1];
            let rows = (len - entries.len()).min(ROWS);
            entries.extend(here.lines[..rows].iter().map(|line| Entry {
                kind: KINDS[line.kind.load(Ordering::Relaxed) as usize],
                id: line.id.load(Ordering::Relaxed),
                start: line.start.load(Ordering::Relaxed),
                mid: line.mid.load(Ordering::Acquire),
                end: line.end.load(Ordering::Acquire),
                tid: line.tid.load(Ordering::Relaxed),
                cpu: line.cpu.load(Ordering::Relaxed),
            }));
            chunk = here.next.load(Ordering::Relaxed);
        }
        entries
    }

    /// How many rows found no room.
    pub(crate) fn lost(&self) -> u32 {
        self.totals[0].lost.load(Ordering::Relaxed)
    }

    fn take_chunk(&self) -> Option<u32> {
        let chunk = self.totals[0].chunks.fetch_add(1, Ordering::Relaxed);
        ((chunk as usize) < self.chunks.len()).then_some(chunk)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_keep_their_numbers() {
        assert!((0..).zip(KINDS).all(|(number, kind)| kind as u32 == number));
    }

    #[test]
    fn rows_come_back_in_order_with_what_was_added_later() {
        let log = Log::new(2).expect("memory");
        let diaries = Table::<Diary>::zeros(2).expect("memory");
        log.open(&diaries[0]);
        for (name, diary) in diaries.iter().enumerate() {
            for start in 0..100 {
                let place = log.write(diary, Entry::new(Kind::Lock, name as u32, start));
                log.set_mid(place, start + 1);
                log.set_end(place, start + 2);
            }
        }
        for (name, diary) in diaries.iter().enumerate() {
            let entries = log.read(diary);
            assert_eq!(entries.len(), 100);
            for (start, entry) in (0..).zip(&entries) {
                let expected = Entry { mid: start + 1, end: start + 2, ..Entry::new(Kind::Lock, name as u32, start) };
                assert_eq!(*entry, expected);
            }
        }
    }
}
