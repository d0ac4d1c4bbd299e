//! From switch records to who was on a processor when.

use crate::record::perf::{Switch, Way};

/// A thread on a processor without interruption.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Stay {
    /// The thread; 0 is idle.
    pub(crate) tid: u32,
    /// Its process.
    pub(crate) pid: u32,
    /// The processor, by the kernel's numbers.
    pub(crate) cpu: u32,
    /// When it came.
    pub(crate) start: u64,
    /// When it left.
    pub(crate) end: u64,
    /// Did it leave although it would have gone on?
    pub(crate) preempted: bool,
}

/// The stays on processor `cpu` between `from` and `to`, from its switches in the order of time.
///
/// Records tell changes only: whoever leaves first was there from the beginning, whoever came last is there to the
/// end. An exiting thread leaves without a name: it is whoever was there.
pub(crate) fn stays(cpu: u32, switches: &[Switch], from: u64, to: u64) -> Vec<Stay> {
    let mut stays = Vec::with_capacity(switches.len() / 2 + 1);
    let mut here: Option<(u32, u32, u64)> = None;
    let mut seen = false;
    let mut add = |tid, pid, start: u64, end: u64, preempted: bool| {
        let (start, left) = (start.max(from), end.min(to));
        if start < left {
            stays.push(Stay { tid, pid, cpu, start, end: left, preempted: preempted && end <= to });
        }
    };
    for switch in switches {
        match switch.way {
            Way::In => {
                // A record was lost if somebody is still here: he left at some time, now at the latest.
                if let Some((tid, pid, start)) = here {
                    add(tid, pid, start, switch.at, false);
                }
                here = switch.tid.map(|tid| (tid, switch.pid, switch.at));
            }
            Way::Out | Way::OutPreempted => {
                let preempted = switch.way == Way::OutPreempted;
                match (here.take(), switch.tid) {
                    (Some((tid, pid, start)), _) => add(tid, pid, start, switch.at, preempted),
                    (None, Some(tid)) if !seen => add(tid, switch.pid, from, switch.at, preempted),
                    (None, _) => {}
                }
            }
        }
        seen = true;
    }
    if let Some((tid, pid, start)) = here {
        add(tid, pid, start, to, false);
    }
    stays
}

#[cfg(test)]
mod tests {
    use super::*;

    fn switch(at: u64, tid: u32, way: Way) -> Switch {
        Switch { at, tid: Some(tid), pid: tid, way }
    }

    fn told(switches: &[Switch]) -> Vec<(u32, u64, u64)> {
        stays(0, switches, 100, 200).iter().map(|stay| (stay.tid, stay.start, stay.end)).collect()
    }

    #[test]
    fn pairs_become_stays_and_the_edges_are_filled() {
        let switches = [
            switch(110, 7, Way::OutPreempted),
            switch(111, 8, Way::In),
            switch(150, 8, Way::Out),
            switch(151, 7, Way::In),
        ];
        assert_eq!(told(&switches), [(7, 100, 110), (8, 111, 150), (7, 151, 200)]);
        let preempted = stays(0, &switches, 100, 200).iter().map(|stay| stay.preempted).collect::<Vec<_>>();
        assert_eq!(preempted, [true, false, false]);
    }

    #[test]
    fn an_exiting_thread_is_whoever_was_there() {
        let exit = Switch { at: 150, tid: None, pid: 0, way: Way::Out };
        assert_eq!(told(&[switch(120, 8, Way::In), exit]), [(8, 120, 150)]);
    }

    #[test]
    fn lost_records_do_not_make_two_threads_overlap() {
        let switches = [switch(110, 7, Way::In), switch(130, 8, Way::In), switch(140, 9, Way::Out)];
        assert_eq!(told(&switches), [(7, 110, 130), (8, 130, 140)]);
    }

    #[test]
    fn what_lies_outside_is_cut_off() {
        let switches = [switch(50, 7, Way::In), switch(90, 7, Way::Out), switch(95, 8, Way::In)];
        assert_eq!(told(&switches), [(8, 100, 200)]);
    }
}
