//! System calls: the clock, sleeping, placing and prioritising threads, waking across processes, child processes.
//!
//! Everything here is a thin safe wrapper; nothing knows about scenarios. Process and thread ids are the kernel's.
#![expect(unsafe_code, reason = "system calls")]

use std::cell::Cell;
use std::ffi::CString;
use std::fs;
use std::io::{self, Read as _, Write as _};
use std::mem;
use std::os::fd::AsRawFd as _;
use std::ptr;
use std::sync::atomic::AtomicU32;

use sim_core::time::Span;

/// Nanoseconds of `CLOCK_MONOTONIC`, the clock of everything that is recorded.
#[inline]
pub(crate) fn now() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is valid for writing; the clock exists on every Linux.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut time) };
    time.tv_sec.unsigned_abs() * 1_000_000_000 + time.tv_nsec.unsigned_abs()
}

/// How fine the kernel's coarse clock is, which goes on with each tick of its timer.
pub(crate) fn coarse_resolution() -> Option<u64> {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is valid for writing.
    let failed = unsafe { libc::clock_getres(libc::CLOCK_MONOTONIC_COARSE, &raw mut time) } != 0;
    (!failed).then(|| time.tv_sec.unsigned_abs() * 1_000_000_000 + time.tv_nsec.unsigned_abs())
}

/// Has the user all rights?
pub(crate) fn is_root() -> bool {
    // SAFETY: it takes nothing and cannot fail.
    unsafe { libc::geteuid() == 0 }
}

/// May we write there? For folders: may we make something in it?
pub(crate) fn may_write(path: &std::path::Path) -> io::Result<()> {
    let path = CString::new(path.as_os_str().as_encoded_bytes())?;
    // SAFETY: a text that ends with a zero, read during the call.
    let failed = unsafe { libc::faccessat(libc::AT_FDCWD, path.as_ptr(), libc::W_OK, libc::AT_EACCESS) } != 0;
    if failed { Err(io::Error::last_os_error()) } else { Ok(()) }
}

fn timespec(ns: u64) -> libc::timespec {
    #[expect(clippy::cast_possible_wrap, reason = "both parts are far below the limit")]
    libc::timespec { tv_sec: (ns / 1_000_000_000) as i64, tv_nsec: (ns % 1_000_000_000) as i64 }
}

/// Sleeps until the clock shows `at`.
pub(crate) fn sleep_until(at: u64) {
    let time = timespec(at);
    loop {
        // SAFETY: `time` is valid for reading; no remainder is asked for.
        let error = unsafe {
            libc::clock_nanosleep(libc::CLOCK_MONOTONIC, libc::TIMER_ABSTIME, &raw const time, ptr::null_mut())
        };
        if error != libc::EINTR {
            return;
        }
    }
}

/// Waits until `word` no longer holds `value`, or the clock shows `deadline`, or for no reason at all.
///
/// Works between processes if the word lies in shared memory.
pub(crate) fn futex_wait(word: &AtomicU32, value: u32, deadline: u64) {
    let time = timespec(deadline);
    // SAFETY: the word and the time are valid for the length of the call.
    unsafe {
        libc::syscall(
            libc::SYS_futex,
            word.as_ptr(),
            libc::FUTEX_WAIT_BITSET,
            value,
            &raw const time,
            ptr::null::<u32>(),
            u32::MAX,
        )
    };
}

/// Wakes up to `count` threads that wait for `word`.
pub(crate) fn futex_wake(word: &AtomicU32, count: i32) {
    // SAFETY: the word is valid for the length of the call.
    unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), libc::FUTEX_WAKE, count) };
}

thread_local! {
    /// What the kernel calls this thread; 0 before it was asked.
    static THREAD_ID: Cell<u32> = const { Cell::new(0) };
}

/// The kernel's id of the calling thread.
pub(crate) fn thread_id() -> u32 {
    if THREAD_ID.get() == 0 {
        // SAFETY: no arguments.
        THREAD_ID.set(unsafe { libc::gettid() }.unsigned_abs());
    }
    THREAD_ID.get()
}

/// Names the calling thread for those who look at the system from outside; the kernel keeps 15 bytes.
pub(crate) fn set_thread_name(name: &str) {
    if let Ok(name) = CString::new(name) {
        // SAFETY: a text that ends with a zero; the worst outcome is another name.
        unsafe { libc::prctl(libc::PR_SET_NAME, name.as_ptr()) };
    }
}

/// What a thread or process is doing, by the kernel's letters: `R`unning, `S`leeping, s`T`opped, `Z`ombie, …; nothing
/// if there is no such thread.
pub(crate) fn state_of(thread: u32) -> Option<char> {
    // `123 (name) S …`, where the name may hold anything.
    let text = fs::read_to_string(format!("/proc/{thread}/stat")).ok()?;
    text[text.rfind(')')? + 1..].trim_start().chars().next()
}

/// Will the thread do nothing until somebody else does? It sleeps, or has ended; that it runs is told by the system, if anything is.
pub(crate) fn is_still(thread: u32) -> bool {
    state_of(thread).is_none_or(|state| matches!(state, 'S' | 'Z' | 'X' | 'x'))
}

/// Has the thread or process ended? Not as far as is known where the system does not say.
pub(crate) fn is_gone(thread: u32) -> bool {
    match state_of(thread) {
        Some(state) => matches!(state, 'Z' | 'X' | 'x'),
        None => state_of(thread_id()).is_some(),
    }
}

/// The processor the calling thread is on.
#[inline]
pub(crate) fn current_cpu() -> u32 {
    // SAFETY: no arguments.
    unsafe { libc::sched_getcpu() }.unsigned_abs()
}

/// Lets the calling thread go on without waiting for anything.
pub(crate) fn yield_now() {
    std::thread::yield_now();
}

/// The processors the calling thread may use.
pub(crate) fn affinity() -> io::Result<Vec<u32>> {
    // SAFETY: an all-zero set is valid.
    let mut set: libc::cpu_set_t = unsafe { mem::zeroed() };
    // SAFETY: the set is valid for writing and its size is given.
    let failed = unsafe { libc::sched_getaffinity(0, size_of::<libc::cpu_set_t>(), &raw mut set) } != 0;
    if failed {
        return Err(io::Error::last_os_error());
    }
    let last = u32::try_from(libc::CPU_SETSIZE).unwrap_or(0);
    // SAFETY: every number is below the size of the set.
    Ok((0..last).filter(|cpu| unsafe { libc::CPU_ISSET(*cpu as usize, &set) }).collect())
}

/// Allows the calling thread these processors only.
pub(crate) fn set_affinity(cpus: &[u32]) -> io::Result<()> {
    set_affinity_of(0, cpus)
}

/// Allows a thread of this or another process these processors only; 0 is the calling one.
pub(crate) fn set_affinity_of(thread: u32, cpus: &[u32]) -> io::Result<()> {
    // SAFETY: an all-zero set is valid.
    let mut set: libc::cpu_set_t = unsafe { mem::zeroed() };
    for cpu in cpus {
        // SAFETY: the numbers come from `affinity` and are below the size of the set.
        unsafe { libc::CPU_SET(*cpu as usize, &mut set) };
    }
    // SAFETY: the set is valid for reading and its size is given.
    let failed =
        unsafe { libc::sched_setaffinity(thread.cast_signed(), size_of::<libc::cpu_set_t>(), &raw const set) } != 0;
    if failed { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// A real-time class of the kernel.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum RealTime {
    /// `SCHED_FIFO`.
    Fifo,
    /// `SCHED_RR`.
    RoundRobin,
}

/// Puts the calling thread into a real-time class, or (`None`) back into the ordinary one.
pub(crate) fn set_class(class: Option<(RealTime, i32)>) -> io::Result<()> {
    let (policy, priority) = match class {
        None => (libc::SCHED_OTHER, 0),
        Some((RealTime::Fifo, priority)) => (libc::SCHED_FIFO, priority),
        Some((RealTime::RoundRobin, priority)) => (libc::SCHED_RR, priority),
    };
    let parameter = libc::sched_param { sched_priority: priority };
    // SAFETY: the parameter is valid for reading; 0 is the calling thread.
    let failed = unsafe { libc::sched_setscheduler(0, policy, &raw const parameter) } != 0;
    if failed { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// How long a slice of the calling thread is, which is in a class that has slices.
pub(crate) fn slice() -> Option<Span> {
    let mut length = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `length` is valid for writing; 0 is the calling thread.
    let failed = unsafe { libc::sched_rr_get_interval(0, &raw mut length) } != 0;
    let ns = length.tv_sec.unsigned_abs() * 1_000_000_000 + length.tv_nsec.unsigned_abs();
    (!failed).then_some(Span::from_ns(ns))
}

/// Changes the real-time priority of a thread of this or another process, which stays in its class.
pub(crate) fn set_priority(thread: u32, priority: i32) -> io::Result<()> {
    let parameter = libc::sched_param { sched_priority: priority };
    // SAFETY: the parameter is valid for reading; on Linux the call takes the id of a thread.
    let failed = unsafe { libc::sched_setparam(thread.cast_signed(), &raw const parameter) } != 0;
    if failed { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// How the kernel is to schedule a thread, in all that it can be told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Scheduling {
    /// `SCHED_OTHER` and so on.
    pub(crate) policy: i32,
    /// In ordinary classes.
    pub(crate) nice: i8,
    /// In real-time classes; else zero.
    pub(crate) priority: u32,
    /// In ordinary classes, what it asks for at a time, if that is not what all do.
    pub(crate) slice: Option<Span>,
}

/// Lets the kernel schedule the calling thread so.
pub(crate) fn set_scheduling(scheduling: Scheduling) -> io::Result<()> {
    let attributes = libc::sched_attr {
        size: u32::try_from(mem::size_of::<libc::sched_attr>()).unwrap_or(0),
        sched_policy: scheduling.policy.unsigned_abs(),
        sched_flags: 0,
        sched_nice: i32::from(scheduling.nice),
        sched_priority: scheduling.priority,
        sched_runtime: scheduling.slice.map_or(0, Span::ns),
        sched_deadline: 0,
        sched_period: 0,
    };
    // SAFETY: the attributes are valid for reading and tell their size; 0 is the calling thread.
    let failed = unsafe { libc::syscall(libc::SYS_sched_setattr, 0, &raw const attributes, 0) } != 0;
    if failed { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Lets the calling thread's sleeps end to the nanosecond instead of within the usual 50 us.
pub(crate) fn set_exact_timers() {
    // SAFETY: plain integers; the worst outcome is later wake-ups.
    unsafe { libc::prctl(libc::PR_SET_TIMERSLACK, 1) };
}

/// How often the calling thread was switched out so far.
pub(crate) fn switches() -> i64 {
    // SAFETY: all-zero usage is valid and is written by the call.
    let usage = unsafe {
        let mut usage: libc::rusage = mem::zeroed();
        libc::getrusage(libc::RUSAGE_THREAD, &raw mut usage);
        usage
    };
    usage.ru_nvcsw + usage.ru_nivcsw
}

/// How many nanoseconds of processor time the calling thread has used: for threads that are not measured, because
/// asking disturbs the schedule.
#[cfg(test)]
pub(crate) fn thread_cpu_time() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is valid for writing.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
    time.tv_sec.unsigned_abs() * 1_000_000_000 + time.tv_nsec.unsigned_abs()
}

/// A child process of ours.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Child(libc::pid_t);

/// Forks; the child runs `body` and ends without running anybody's destructors or exit handlers. It dies with the
/// thread that forked it, so that no orphan is left behind.
///
/// The child is the copy of one thread of a process that has many, so `body` must not wait for what another thread of
/// the parent holds. It may allocate (the C library keeps its allocator usable across a fork) but should hardly need to.
pub(crate) fn fork(body: impl FnOnce()) -> io::Result<Child> {
    let parent = std::process::id();
    spawn_copy(|| {
        die_with_parent(parent);
        body();
    })
}

/// Forks; the child runs `body`, which keeps the rule of [`fork`], and outlives us.
fn spawn_copy(body: impl FnOnce()) -> io::Result<Child> {
    // SAFETY: the child only runs `body`, and leaves by `_exit`.
    match unsafe { libc::fork() } {
        -1 => Err(io::Error::last_os_error()),
        0 => {
            THREAD_ID.set(0);
            let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(body));
            // SAFETY: ends the process.
            unsafe { libc::_exit(i32::from(done.is_err())) }
        }
        child => Ok(Child(child)),
    }
}

/// A child process that does a last thing when it is dropped, or when this process has died, however that came: whoever kills us
/// does not kill it, and it takes no notice of who asks it politely to end.
#[derive(Debug)]
pub(crate) struct Guard {
    child: Child,
    /// Closed when we let go, and by the kernel when we die.
    line: Option<io::PipeWriter>,
}

impl Guard {
    /// Forks it, and waits until it is out of the reach of signals. `last` keeps the rule of [`fork`].
    pub(crate) fn new(last: impl FnOnce()) -> io::Result<Guard> {
        let (mut end, line) = io::pipe()?;
        let (mut ready, mut is_ready) = io::pipe()?;
        let ours = line.as_raw_fd();
        let child = spawn_copy(move || {
            // SAFETY: a session of its own, and signals that are ignored run no handler; the child's copy of our end of the pipe
            // is closed once, and nobody else in the child knows it.
            unsafe {
                libc::setsid();
                for signal in [libc::SIGINT, libc::SIGTERM, libc::SIGHUP, libc::SIGQUIT] {
                    libc::signal(signal, libc::SIG_IGN);
                }
                libc::close(ours);
            }
            let _ = is_ready.write(&[0]);
            let _ = end.read(&mut [0]);
            last();
        });
        let guard = Guard { child: child?, line: Some(line) };
        ready.read_exact(&mut [0])?;
        Ok(guard)
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.line = None;
        self.child.end_by(now() + 1_000_000_000);
    }
}

/// In a child process: dies when the thread that forked it does.
/// In a child process, between fork and exec too: it is killed when the thread that made it ends.
pub(crate) fn die_with_parent(parent: u32) {
    // SAFETY: plain integers.
    unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) };
    // The parent may have died before it was asked for that.
    // SAFETY: no arguments; and ends the process.
    unsafe {
        if libc::getppid().unsigned_abs() != parent {
            libc::_exit(1);
        }
    }
}

/// In a child process: it leads a group, to which its children belong.
pub(crate) fn leads_a_group() {
    // SAFETY: plain integers.
    unsafe { libc::setpgid(0, 0) };
}

/// Kills the group that a child of ours leads, which has not been waited for.
pub(crate) fn kill_group(leader: u32) {
    // SAFETY: plain integers; nobody else has the number as long as nobody has waited for the child.
    unsafe { libc::kill(-leader.cast_signed(), libc::SIGKILL) };
}

/// In a child process: its own children need not be waited for one by one.
pub(crate) fn disown_children() {
    // SAFETY: sets a signal to be ignored; no handler runs.
    unsafe { libc::signal(libc::SIGCHLD, libc::SIG_IGN) };
}

/// In a child process that has disowned its children: waits until all of them have ended.
pub(crate) fn await_children() {
    loop {
        // SAFETY: no status is asked for. As they are disowned this returns when the last one has ended.
        let waited = unsafe { libc::waitpid(-1, ptr::null_mut(), 0) };
        if waited < 0 && io::Error::last_os_error().kind() != io::ErrorKind::Interrupted {
            return;
        }
    }
}

impl Child {
    /// The kernel's number of it.
    pub(crate) fn id(self) -> u32 {
        self.0.unsigned_abs()
    }

    /// Sees to its end: if it has not come by `deadline`, kills it. The child is not to be asked again.
    pub(crate) fn end_by(self, deadline: u64) {
        while !self.has_ended(libc::WNOHANG) {
            if now() >= deadline {
                // SAFETY: plain integers; the child is ours and has not been waited for, so nobody else has its number.
                unsafe { libc::kill(self.0, libc::SIGKILL) };
                self.has_ended(0);
                return;
            }
            sleep_until(now() + 500_000);
        }
    }

    /// Has it ended, or is it not ours to wait for?
    fn has_ended(self, options: i32) -> bool {
        loop {
            // SAFETY: no status is asked for; the child is ours and has not been waited for.
            let waited = unsafe { libc::waitpid(self.0, ptr::null_mut(), options) };
            if waited >= 0 || io::Error::last_os_error().kind() != io::ErrorKind::Interrupted {
                return waited != 0;
            }
        }
    }
}
