//! The length of slices in SCHED_RR: the kernel has one for all, which root can set. A run has the one that its scenario asks
//! for, as far as the kernel can: it counts in ticks of its clock. Afterwards the old one is back, whatever happens.
//!
//! Source: sched_rr_handler in kernel/sched/rt.c of Linux 6.18; recorded at 250 Hz: 1 and 4 ms become 4 ms, 5 become 8, 10 become 12.

use std::fs;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixListener};

use sim_core::time::Span;

use crate::sys::{self, Guard, RealTime};

const FILE: &str = "/proc/sys/kernel/sched_rr_timeslice_ms";

/// While it lives the kernel's slices are as long as was asked for, or a little longer.
#[derive(Debug)]
pub(crate) struct Slices {
    _back: Guard,
}

impl Slices {
    /// Sets the length of slices.
    ///
    /// # Errors
    /// Why that cannot be had, in half a sentence.
    pub(crate) fn set(length: Span) -> Result<Slices, String> {
        let alone = alone().ok_or("another measurement has set them just now")?;
        let before = fs::read_to_string(FILE).map_err(|error| format!("{FILE} cannot be read: {error}"))?;
        // The guard keeps the other end of `alone` for as long as it lives.
        let guard = Guard::new(move || _ = fs::write(FILE, before.trim()));
        drop(alone);
        let guard = guard.map_err(|error| format!("nobody could put them back: {error}"))?;
        let milliseconds = length.ns().div_ceil(1_000_000);
        fs::write(FILE, milliseconds.to_string()).map_err(|error| format!("{FILE} cannot be written: {error}"))?;
        Ok(Slices { _back: guard })
    }
}

/// A name that only one process of the machine has at a time, and loses when it dies.
fn alone() -> Option<UnixListener> {
    let address = SocketAddr::from_abstract_name("sim: slices of SCHED_RR").ok()?;
    UnixListener::bind_addr(&address).ok()
}

/// How long the kernel's slices are now; `None` if threads of ours may not be in SCHED_RR.
pub(crate) fn length() -> Option<Span> {
    let trial = || sys::set_class(Some((RealTime::RoundRobin, 1))).ok().and_then(|()| sys::slice());
    std::thread::Builder::new().spawn(trial).ok()?.join().ok()?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_are_as_long_as_asked_in_ticks_and_then_as_before() {
        let Some(before) = length() else {
            return crate::tests::skip("threads may not be in SCHED_RR here");
        };
        match Slices::set(Span::from_ms(40)) {
            Err(why) => crate::tests::skip(&why),
            Ok(set) => {
                assert_eq!(length(), Some(Span::from_ms(40)));
                drop(set);
                // Nobody else asks for so much.
                assert!(before == Span::from_ms(40) || length() != Some(Span::from_ms(40)));
            }
        }
    }
}
