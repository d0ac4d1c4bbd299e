//! Who else used our processors meanwhile: what a comparison must know before it blames a model.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use crate::on_cpu::Stay;

/// A share of a processor above which somebody else is named in a warning.
pub(crate) const NOTICEABLE: f64 = 0.02;

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
        let share = share(others, length);
        foreign.share = foreign.share.max(share);
        if share > NOTICEABLE {
            let (percent, processor) = (100.0 * share, names(*cpu));
            foreign.warnings.push(format!("other programs took about {percent:.0} % of {processor} during the run"));
        }
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
        let stay = |tid, cpu, start, end| Stay { tid, pid: tid, cpu, start, end };
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
    fn a_line_of_the_kernel_is_read() {
        assert_eq!(busy_time("cpu1 100 1 20 5000 7 3 4 5 0 0"), Some((1, 133 * TICK)));
        assert_eq!(busy_time("cpu  100 1 20 5000 7 3 4 5 0 0"), None);
        assert_eq!(busy_time("intr 5"), None);
    }
}
