//! The kernel's own view of who is on a processor: switch records in ring buffers, and the page clock.
//!
//! Both are "dummy" events of `perf_event_open`: they count nothing and cost nothing but the records asked for. Their
//! times are on `CLOCK_MONOTONIC`, the clock of everything else that is recorded.
#![expect(unsafe_code, reason = "memory shared with the kernel")]

use std::fs::File;
use std::io::{self, Read as _};
use std::os::fd::{AsRawFd as _, FromRawFd as _};
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering, fence};

use perf_event_open_sys::bindings::{
    PERF_COUNT_SW_DUMMY, PERF_FORMAT_TOTAL_TIME_ENABLED, PERF_FORMAT_TOTAL_TIME_RUNNING, PERF_RECORD_LOST,
    PERF_RECORD_MISC_SWITCH_OUT, PERF_RECORD_MISC_SWITCH_OUT_PREEMPT, PERF_RECORD_SWITCH, PERF_RECORD_SWITCH_CPU_WIDE,
    PERF_SAMPLE_CPU, PERF_SAMPLE_TID, PERF_SAMPLE_TIME, PERF_TYPE_SOFTWARE, perf_event_attr, perf_event_mmap_page,
};
use perf_event_open_sys::perf_event_open;

const PAGE: usize = 4096;
const FLAG_CLOSE_ON_EXEC: std::ffi::c_ulong = 8;

/// One switch on one processor.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Switch {
    /// When.
    pub(crate) at: u64,
    /// Which thread; `None` if the kernel no longer knows because it was exiting. 0 is idle.
    pub(crate) tid: Option<u32>,
    /// Of which process.
    pub(crate) pid: u32,
    /// Came or left.
    pub(crate) way: Way,
}

/// The direction of a [`Switch`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Way {
    /// Came onto the processor.
    In,
    /// Left it because it had to wait.
    Out,
    /// Left it although it could have gone on.
    OutPreempted,
}

/// Whom a [`Ring`] watches.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Watch {
    /// Everybody: needs root, `CAP_PERFMON` or `perf_event_paranoid` below 1.
    Everybody,
    /// The calling thread and all threads and processes it makes from now on: needs nothing special.
    OwnTree,
}

/// The switch records of one processor.
pub(crate) struct Ring {
    _event: File,
    page: Mapping,
    data: usize,
    switches: Vec<Switch>,
    lost: u64,
}

fn dummy_event() -> perf_event_attr {
    perf_event_attr {
        type_: PERF_TYPE_SOFTWARE,
        size: u32::try_from(size_of::<perf_event_attr>()).unwrap_or(0),
        config: u64::from(PERF_COUNT_SW_DUMMY),
        ..Default::default()
    }
}

fn open(attr: &mut perf_event_attr, pid: i32, cpu: i32) -> io::Result<File> {
    // SAFETY: the attributes are initialised; the event counts nothing.
    let fd = unsafe { perf_event_open(attr, pid, cpu, -1, FLAG_CLOSE_ON_EXEC) };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: a fresh descriptor that nobody else owns.
    Ok(unsafe { File::from_raw_fd(fd) })
}

impl Ring {
    /// Starts recording the switches of processor `cpu`.
    pub(crate) fn start(watch: Watch, cpu: u32) -> io::Result<Ring> {
        let mut attr = dummy_event();
        attr.sample_type = u64::from(PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_CPU);
        attr.set_sample_id_all(1);
        attr.set_context_switch(1);
        attr.set_use_clockid(1);
        attr.clockid = libc::CLOCK_MONOTONIC;
        let pid = match watch {
            Watch::Everybody => -1,
            Watch::OwnTree => {
                attr.set_inherit(1);
                attr.set_exclude_kernel(1);
                0
            }
        };
        let event = open(&mut attr, pid, i32::try_from(cpu).unwrap_or(-1))?;
        // Large if we may: what users may lock in memory is limited.
        let mut failure = io::Error::from(io::ErrorKind::OutOfMemory);
        for pages in [512, 128, 32, 8] {
            match Mapping::new(&event, 1 + pages) {
                Ok(page) => {
                    let switches = Vec::with_capacity(1 << 14);
                    return Ok(Ring { _event: event, page, data: pages * PAGE, switches, lost: 0 });
                }
                Err(error) => failure = error,
            }
        }
        Err(failure)
    }

    /// Takes over what the kernel has written since the last time, if it is at least `part` of the buffer.
    pub(crate) fn drain(&mut self, part: f64) {
        let header = self.page.header();
        // SAFETY: the header page is mapped and these two words are what kernel and user agree by.
        let (head, tail) = unsafe {
            (AtomicU64::from_ptr(&raw mut (*header).data_head), AtomicU64::from_ptr(&raw mut (*header).data_tail))
        };
        let (end, mut at) = (head.load(Ordering::Acquire), tail.load(Ordering::Relaxed));
        #[expect(clippy::cast_precision_loss, reason = "a rough threshold")]
        if ((end - at) as f64) < part * self.data as f64 {
            return;
        }
        let mut record = [0; 128];
        while at < end {
            self.copy(at, &mut record[..8]);
            let size = usize::from(u16_at(&record, 6));
            if size < 8 {
                break;
            }
            self.copy(at, &mut record[..size.min(128)]);
            self.parse(&record[..size.min(128)]);
            at += size as u64;
        }
        tail.store(end, Ordering::Release);
    }

    fn copy(&self, from: u64, to: &mut [u8]) {
        let start = usize::try_from(from % self.data as u64).unwrap_or(0);
        let first = to.len().min(self.data - start);
        // SAFETY: the data area follows the header page, is `data` bytes long, and the kernel does not write to the
        // part between tail and head.
        unsafe {
            let data = self.page.start.as_ptr().add(PAGE);
            ptr::copy_nonoverlapping(data.add(start), to.as_mut_ptr(), first);
            ptr::copy_nonoverlapping(data, to.as_mut_ptr().add(first), to.len() - first);
        }
    }

    /// Header: type u32, misc u16, size u16. A CPU-wide switch then names the other thread, which we know anyway. The
    /// last 24 bytes are the sample id: pid u32, tid u32, time u64, cpu u32, reserved u32.
    fn parse(&mut self, record: &[u8]) {
        let kind = u32_at(record, 0);
        if kind == PERF_RECORD_LOST && record.len() >= 24 {
            self.lost += u64_at(record, 16);
        }
        if (kind != PERF_RECORD_SWITCH && kind != PERF_RECORD_SWITCH_CPU_WIDE) || record.len() < 32 {
            return;
        }
        let misc = u32::from(u16_at(record, 4));
        let way = if misc & PERF_RECORD_MISC_SWITCH_OUT == 0 {
            Way::In
        } else if misc & PERF_RECORD_MISC_SWITCH_OUT_PREEMPT == 0 {
            Way::Out
        } else {
            Way::OutPreempted
        };
        let id = &record[record.len() - 24..];
        let tid = Some(u32_at(id, 4)).filter(|tid| *tid != u32::MAX);
        self.switches.push(Switch { at: u64_at(id, 8), tid, pid: u32_at(id, 0), way });
    }

    /// Ends recording: the switches in the order of time, and how many were lost because the buffer was full.
    pub(crate) fn finish(mut self) -> (Vec<Switch>, u64) {
        self.drain(0.0);
        self.switches.sort_by_key(|switch| switch.at);
        (self.switches, self.lost)
    }
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_ne_bytes([bytes[at], bytes[at + 1]])
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes[at..].first_chunk().map_or(0, |word| u32::from_ne_bytes(*word))
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    bytes[at..].first_chunk().map_or(0, |word| u64::from_ne_bytes(*word))
}

/// The processor time of the calling thread, readable without disturbing the schedule.
///
/// The kernel writes the time a thread has been on a processor into a page of the event whenever the thread comes onto
/// one. From there an ordinary clock goes on.
pub(crate) struct PageClock {
    event: File,
    page: Mapping,
}

/// What the page says: how often it was written, and the processor time at the last write.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Stamp {
    /// Changes whenever the thread was switched out and in again.
    pub(crate) version: u32,
    /// Processor time up to the last switch-in.
    pub(crate) cpu_time: u64,
}

impl PageClock {
    /// The clock of the calling thread.
    pub(crate) fn of_this_thread() -> io::Result<PageClock> {
        let mut attr = dummy_event();
        attr.set_exclude_kernel(1);
        attr.read_format = u64::from(PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING);
        let event = open(&mut attr, 0, -1)?;
        let page = Mapping::new(&event, 1)?;
        Ok(PageClock { event, page })
    }

    /// The processor time now, by a system call.
    pub(crate) fn read(&self) -> io::Result<u64> {
        let mut bytes = [0; 24];
        (&self.event).read_exact(&mut bytes)?;
        Ok(u64_at(&bytes, 16))
    }

    /// Has the thread been switched since? One load.
    #[inline]
    pub(crate) fn version(&self) -> u32 {
        // SAFETY: the page is mapped; the kernel writes this word as a whole.
        let lock = unsafe { AtomicU32::from_ptr(&raw mut (*self.page.header()).lock) };
        lock.load(Ordering::Acquire)
    }

    /// What the page says now, consistently.
    pub(crate) fn stamp(&self) -> Stamp {
        loop {
            let version = self.version();
            // SAFETY: the page is mapped; the version tells whether the kernel wrote in between.
            let cpu_time = unsafe { ptr::read_volatile(&raw const (*self.page.header()).time_running) };
            fence(Ordering::Acquire);
            if version & 1 == 0 && self.version() == version {
                return Stamp { version, cpu_time };
            }
        }
    }
}

/// Pages of an event, mapped.
struct Mapping {
    start: NonNull<u8>,
    len: usize,
}

// SAFETY: the mapping belongs to the process, and access follows the kernel's protocol whichever thread it comes from.
unsafe impl Send for Mapping {}

impl Mapping {
    fn new(event: &File, pages: usize) -> io::Result<Mapping> {
        let len = pages * PAGE;
        let access = libc::PROT_READ | libc::PROT_WRITE;
        // SAFETY: a fresh mapping at an address of the kernel's choice.
        let start = unsafe { libc::mmap(ptr::null_mut(), len, access, libc::MAP_SHARED, event.as_raw_fd(), 0) };
        if start == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let start = NonNull::new(start.cast()).ok_or_else(|| io::Error::other("memory was mapped at address zero"))?;
        Ok(Mapping { start, len })
    }

    fn header(&self) -> *mut perf_event_mmap_page {
        self.start.as_ptr().cast()
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: our own mapping, which nobody can refer to any more.
        unsafe { libc::munmap(self.start.as_ptr().cast(), self.len) };
    }
}
