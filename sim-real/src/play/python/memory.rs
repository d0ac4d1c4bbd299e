//! The memory that an interpreter shares with us: where what is, and what its words say.

use std::io;
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};
use std::sync::atomic::{AtomicU64, Ordering};

use sim_core::ids::{DeviceId, SpecId, SyncId};

use crate::play::shared::Table;
use crate::record::event::{Asked, Await, Before, Burst, Event, Held, Hold, Join, Passage, Passed, Request, instant};
use crate::record::recorder::Started;

/// So many threads can be registered.
pub(super) const THREADS: usize = 8192;

/// Where the number of registered threads is, that of rows without room, the processor time that it took to start processes and
/// how many these were, and the table of threads.
pub(super) const COUNT: usize = 0;
pub(super) const LOST: usize = 1;
pub(super) const STARTING: usize = 2;
pub(super) const TABLE: usize = 8;

/// Words of the head of an instance: when it arrived, began, finished; its rows; what it is at; since when it could begin; who
/// spawned it, plus one; its process, if it has one of its own; which thread started that, from when until when.
pub(super) const HEAD: usize = 11;

/// Words of a row: see the driver.
pub(super) const ROW: usize = 5;

/// An instance that waits for others.
const WAITS: u64 = 2;

/// What rows tell, by their numbers.
pub(super) const TAGS: [&str; 16] = [
    "burst",
    "resumed",
    "request",
    "sleep",
    "alone",
    "permit",
    "spent-permit",
    "sent",
    "received",
    "met",
    "await",
    "notify",
    "added",
    "join",
    "yield",
    "together",
];

/// Words in a file that has no name.
pub(super) struct Memory {
    file: OwnedFd,
    words: Table<AtomicU64>,
}

impl Memory {
    /// So many words, all zero.
    pub(super) fn new(words: usize) -> io::Result<Memory> {
        let file = anonymous_file()?;
        let words = Table::of_file(&file, words)?;
        Ok(Memory { file, words })
    }

    /// Under which name other processes of this user can open it.
    pub(super) fn path(&self) -> String {
        format!("/proc/{}/fd/{}", std::process::id(), self.file.as_raw_fd())
    }

    pub(super) fn get(&self, place: usize) -> u64 {
        self.words.get(place).map_or(0, |word| word.load(Ordering::Acquire))
    }

    pub(super) fn set(&self, place: usize, value: u64) {
        if let Some(word) = self.words.get(place) {
            word.store(value, Ordering::Release);
        }
    }

    /// The threads that have registered, by the kernel's numbers.
    pub(super) fn threads(&self) -> Vec<u32> {
        let count = usize::try_from(self.get(COUNT)).unwrap_or(0).min(THREADS);
        (TABLE..TABLE + count).map(|place| u32::try_from(self.get(place)).unwrap_or(0)).collect()
    }

    /// What an instance shows at its head.
    pub(super) fn head(&self, at: usize) -> Head {
        let [arrival, begun, finish, rows, state, released, parent, process, starter, from, until] =
            std::array::from_fn(|k| self.get(at + k));
        let parent = usize::try_from(parent).unwrap_or(0).checked_sub(1);
        let process = u32::try_from(process).ok().filter(|process| *process != 0);
        let starter = u32::try_from(starter).ok().filter(|starter| *starter != 0);
        let started = starter.map(|thread| Started { thread, from, until: instant(until).unwrap_or(u64::MAX) });
        Head { arrival, begun, finish, rows, waits: state == WAITS, released, parent, process, started }
    }

    /// A row as it is written.
    pub(super) fn row(&self, at: usize) -> Row {
        let [what, start, had, ended, place] = [0, 1, 2, 3, 4].map(|k| self.get(at + k));
        let tag = TAGS.get(usize::try_from(what & 0xFF).unwrap_or(usize::MAX)).copied().unwrap_or("");
        let [thread, cpu] = [place & 0xFFFF_FFFF, place >> 32].map(|half| u32::try_from(half).unwrap_or(u32::MAX));
        Row { tag, object: u32::try_from(what >> 8).unwrap_or(u32::MAX), start, had, ended, thread, cpu }
    }
}

/// What an instance shows of itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Head {
    pub(super) arrival: u64,
    pub(super) begun: u64,
    pub(super) finish: u64,
    pub(super) rows: u64,
    pub(super) waits: bool,
    pub(super) released: u64,
    pub(super) parent: Option<usize>,
    pub(super) process: Option<u32>,
    pub(super) started: Option<Started>,
}

/// A row, read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Row {
    tag: &'static str,
    object: u32,
    pub(super) start: u64,
    had: u64,
    ended: u64,
    thread: u32,
    cpu: u32,
}

impl Row {
    /// Does a burst go on with it that had not run for a while?
    pub(super) fn resumes(&self) -> bool {
        self.tag == "resumed"
    }

    /// When the instance was certainly running, by this row.
    pub(super) fn stamps(&self) -> impl Iterator<Item = u64> {
        let last = match self.tag {
            "burst" | "resumed" => self.ended,
            "request" | "sleep" | "notify" | "join" => 0,
            _ => self.had,
        };
        [self.start, last].into_iter().filter(|at| *at > 0)
    }

    /// When the piece of a burst ended that it is.
    pub(super) fn piece_end(&self) -> Option<u64> {
        matches!(self.tag, "burst" | "resumed").then_some(self.ended)
    }

    /// What it tells. `resumed` is what came before a burst that goes on; one that had not ended when the run did goes on until then.
    pub(super) fn event(&self, resumed: Before, end_of_run: u64) -> Option<Event> {
        let Row { start, had, ended, thread, cpu, object, .. } = *self;
        let (sync, end) = (SyncId(object), instant(ended));
        let asked = Asked { sync, at: start, had: instant(had) };
        let hold = |what| Event::Hold(Hold { what, asked, given_back: end });
        let passage = |what| Event::Passage(Passage { what, asked });
        let burst_end = if ended == 0 { end_of_run.max(start) } else { ended };
        let burst = |after| Event::Burst(Burst { after, start, end: burst_end, thread, cpu, used: had });
        Some(match self.tag {
            "burst" => burst(Before::Start),
            "resumed" => burst(resumed),
            "request" => {
                Event::Request(Request { device: DeviceId(object), asked: start, began: instant(had), ended: end })
            }
            "sleep" => Event::Sleep { start, end: ended },
            "alone" => hold(Held::Alone),
            "permit" => hold(Held::Permit),
            "spent-permit" => passage(Passed::SpentPermit),
            "sent" => passage(Passed::Sent),
            "received" => passage(Passed::Received),
            "met" => passage(Passed::Met),
            "await" => Event::Await(Await { condvar: sync, start, noticed: instant(had) }),
            "notify" => Event::Notify { sync, at: start, notified: u32::try_from(had).unwrap_or(u32::MAX) },
            "added" => Event::Added { sync, at: start },
            "join" => Event::Join(Join { spec: SpecId(object), start, ended: end }),
            "yield" => Event::Yield { at: start },
            _ => return None,
        })
    }
}

#[expect(unsafe_code, reason = "a file without a name")]
fn anonymous_file() -> io::Result<OwnedFd> {
    // SAFETY: the name ends with a zero.
    let file = unsafe { libc::memfd_create(c"sim".as_ptr(), libc::MFD_CLOEXEC) };
    if file < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: a fresh descriptor that nobody else has.
    Ok(unsafe { OwnedFd::from_raw_fd(file) })
}
