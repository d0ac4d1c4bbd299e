//! Who else used our processors meanwhile: what a comparison must know before it blames a model.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use crate::record::on_cpu::Stay;

/// A share of a processor above which somebody else is named in a warning, and a run is worth no comparison.
pub const NOTICEABLE: f64 = 0.02;

/// `/proc/stat` counts in hundredths of a second.
const TICK: u64 = 10_000_000;

/// What others took of the processors.
#[derive(Clone, PartialEq, Debug, Default)]
pub(crate) struct Foreign {
    /// The share of the processor of which they took most.
    pub(crate) share: f64,
    /// Sentences about those who took a noticeable part.
    pub(crate) warnings: Vec<String>,
}

/// From the stays of everybody on `cpus` during `length`, of whom `ours` are the measured threads; `names` are those of
/// processors in sentences.
pub(crate) fn from_stays(
    stays: &[Stay],
    ours: &BTreeSet<u32>,
    cpus: &[u32],
    names: &dyn Fn(u32) -> String,
    length: u64,
) -> Foreign {
    let mut taken: BTreeMap<(u32, u32), u64> = BTreeMap::new();
    for stay in stays.iter().filter(|stay| stay.tid != 0 && !ours.contains(&stay.tid)) {
        *taken.entry((stay.cpu, stay.pid)).or_default() += stay.end - stay.start;
    }
    let mut foreign = Foreign::default();
    for cpu in cpus {
        let others = taken.range((*cpu, 0)..=(*cpu, u32::MAX));
        let total: u64 = others.clone().map(|(_, time)| time).sum();
        foreign.share = foreign.share.max(share(total, length));
        for ((_, pid), time) in others {
            if share(*time, length) > NOTICEABLE {
                let percent = 100.0 * share(*time, length);
                let (name, processor) = (name(*pid), names(*cpu));
                foreign.warnings.push(format!("{name} took {percent:.1} % of {processor} during the run"));
            }
        }
        if !stays.iter().any(|stay| stay.cpu == *cpu) {
            foreign.warnings.push(format!("{} has no switch records: who used it is not known", names(*cpu)));
        }
    }
    foreign
}

/// From the records of our own threads alone: while one that was preempted waits, and none of ours is on that processor,
/// somebody else is. Who used a processor that none of ours wanted is not seen, and disturbed nobody. `by_thread` are the stays
/// of each measured thread in the order of time.
pub(crate) fn from_own_stays(
    by_thread: &BTreeMap<u32, Vec<Stay>>,
    cpus: &[u32],
    names: &dyn Fn(u32) -> String,
    length: u64,
) -> Foreign {
    let mut foreign = Foreign::default();
    for cpu in cpus {
        let pairs = by_thread.values().flat_map(|stays| stays.windows(2));
        let waits = pairs.filter(|pair| pair[0].preempted && pair[0].cpu == *cpu);
        // Each as what it changes: how many of ours wait, and how many are there.
        let mut changes: Vec<(u64, i32, i32)> =
            waits.flat_map(|pair| [(pair[0].end, 1, 0), (pair[1].start, -1, 0)]).collect();
        let there = by_thread.values().flatten().filter(|stay| stay.cpu == *cpu);
        changes.extend(there.flat_map(|stay| [(stay.start, 0, 1), (stay.end, 0, -1)]));
        changes.sort_unstable();
        let (mut waiting, mut running, mut since, mut others) = (0, 0, 0, 0);
        for (at, waits, runs) in changes {
            if waiting > 0 && running == 0 {
                others += at - since;
            }
            (waiting, running, since) = (waiting + waits, running + runs, at);
        }
        foreign.count(others, *cpu, names, length);
    }
    foreign
}

impl Foreign {
    /// Others took so much of the processor.
    fn count(&mut self, others: u64, cpu: u32, names: &dyn Fn(u32) -> String, length: u64) {
        let share = share(others, length);
        self.share = self.share.max(share);
        if share > NOTICEABLE {
            let (percent, processor) = (100.0 * share, names(cpu));
            self.warnings.push(format!("other programs took about {percent:.0} % of {processor} during the run"));
        }
    }

    /// The one that saw more.
    pub(crate) fn or_more(self, other: Foreign) -> Foreign {
        if other.share > self.share { other } else { self }
    }
}

/// From the busy times of the processors before and after, and how long the measured threads were seen on each.
pub(crate) fn from_counters(
    before: &BTreeMap<u32, u64>,
    after: &BTreeMap<u32, u64>,
    ours: &BTreeMap<u32, u64>,
    cpus: &[u32],
    names: &dyn Fn(u32) -> String,
    length: u64,
) -> Foreign {
    let mut foreign = Foreign::default();
    for cpu in cpus {
        let busy = after.get(cpu).unwrap_or(&0).saturating_sub(*before.get(cpu).unwrap_or(&0));
        // Two roundings to whole ticks are no sign of anybody.
        let others = busy.saturating_sub(ours.get(cpu).unwrap_or(&0) + 2 * TICK);
        foreign.count(others, *cpu, names, length);
    }
    foreign
}

/// How long each processor has been busy since it was switched on, in nanoseconds.
pub(crate) fn busy_times() -> BTreeMap<u32, u64> {
    let text = fs::read_to_string("/proc/stat").unwrap_or_default();
    text.lines().filter_map(busy_time).collect()
}

/// `cpu3 user nice system idle iowait irq softirq steal …`, in ticks.
fn busy_time(line: &str) -> Option<(u32, u64)> {
    let (cpu, fields) = line.strip_prefix("cpu")?.split_once(' ')?;
    let cpu = cpu.parse().ok()?;
    let ticks = fields.split_ascii_whitespace().take(8).enumerate().filter(|(index, _)| !matches!(index, 3 | 4));
    Some((cpu, ticks.filter_map(|(_, ticks)| ticks.parse::<u64>().ok()).sum::<u64>() * TICK))
}

#[expect(clippy::cast_precision_loss, reason = "a share is not exact")]
fn share(part: u64, whole: u64) -> f64 {
    part as f64 / whole.max(1) as f64
}

fn name(pid: u32) -> String {
    if pid == std::process::id() {
        return "the controlling thread".into();
    }
    fs::read_to_string(format!("/proc/{pid}/comm"))
        .map_or_else(|_| format!("process {pid}"), |name| format!("process {pid} ({})", name.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn others_are_counted_per_processor_and_the_noticeable_named() {
        let stay = |tid, cpu, start, end| Stay { tid, pid: tid, cpu, start, end, preempted: false };
        let stays = [
            stay(1, 0, 0, 500),
            stay(999_999_999, 0, 500, 600),
            stay(999_999_998, 0, 600, 610),
            stay(0, 0, 610, 1000),
            stay(1, 1, 600, 1000),
        ];
        let foreign = from_stays(&stays, &BTreeSet::from([1]), &[0, 1], &|cpu| format!("CPU {cpu}"), 1000);
        assert!((foreign.share - 0.11).abs() < 1e-9, "{foreign:?}");
        assert_eq!(foreign.warnings, ["process 999999999 took 10.0 % of CPU 0 during the run"]);
    }

    #[test]
    fn others_are_seen_by_those_whom_they_keep_waiting() {
        let stay = |tid, cpu, start, end, preempted| Stay { tid, pid: tid, cpu, start, end, preempted };
        let of = |stays: Vec<Stay>| (stays[0].tid, stays);
        let by_thread = BTreeMap::from([
            // 100 to 150 another of ours is there, to 200 somebody else; what follows a block disturbs nobody.
            of(vec![stay(1, 0, 0, 100, true), stay(1, 0, 200, 300, false), stay(1, 0, 900, 950, false)]),
            // While both wait, from 150 to 200, it counts once.
            of(vec![stay(2, 0, 100, 150, true), stay(2, 0, 300, 400, false)]),
            of(vec![stay(3, 1, 0, 500, true), stay(3, 0, 600, 700, false)]),
        ]);
        let names = |cpu| format!("CPU {cpu}");
        let foreign = from_own_stays(&by_thread, &[0, 1], &names, 1000);
        assert!((foreign.share - 0.1).abs() < 1e-9, "{foreign:?}");
        assert_eq!(
            foreign.warnings,
            ["CPU 0", "CPU 1"].map(|cpu| {
                let percent = if cpu == "CPU 0" { 5 } else { 10 };
                format!("other programs took about {percent} % of {cpu} during the run")
            })
        );
    }

    #[test]
    fn a_line_of_the_kernel_is_read() {
        assert_eq!(busy_time("cpu1 100 1 20 5000 7 3 4 5 0 0"), Some((1, 133 * TICK)));
        assert_eq!(busy_time("cpu  100 1 20 5000 7 3 4 5 0 0"), None);
        assert_eq!(busy_time("intr 5"), None);
    }
}
