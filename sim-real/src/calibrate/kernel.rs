//! What this machine and its kernel are, as far as they say it themselves.

use std::fmt::Display;
use std::fs;
use std::thread::available_parallelism;

use sim_core::policy::on_linux::base_slice;
use sim_core::time::{Span, Time};

use super::estimate::{Beside, Findings};
use crate::prepare::machine::kernel_release;
use crate::sys;

/// A processor that is idle for longer beside a queue did not take anybody at once; one that takes somebody so soon after a
/// tick does so because of that.
const AT_ONCE: Span = Span::from_us(160);

/// It takes so many observations to say what the kernel does, and so many to say how often.
const FEW: usize = 3;
const SEVERAL: usize = 12;

/// The machine in words: what each is, and what it is here.
#[must_use]
pub fn machine_description() -> Vec<(&'static str, String)> {
    let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let of = |key: &str| {
        let line = cpuinfo.lines().find(|line| line.split(':').next().is_some_and(|word| word.trim() == key))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    };
    let processors = online(&cpuinfo);
    let mut words = vec![("kernel", kernel_release())];
    words.extend(of("model name").map(|name| ("processor", name)));
    words.push(("processors", processors.to_string()));
    words.push(("rights", if sys::is_root() { "root" } else { "user" }.to_owned()));
    if cpuinfo.lines().any(|line| line.starts_with("flags") && line.contains(" hypervisor")) {
        words.push(("hypervisor", "true".into()));
    }
    let governor = fs::read_to_string("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor");
    words.extend(governor.ok().map(|name| ("governor", name.trim().to_owned())));
    words
}

/// How many processors are there, whichever of them we may use.
fn online(cpuinfo: &str) -> usize {
    let listed =
        cpuinfo.lines().filter(|line| line.starts_with("processor\t") || line.starts_with("processor ")).count();
    if listed > 0 { listed } else { available_parallelism().map_or(1, usize::from) }
}

/// How often the kernel's timer ticks: its coarse clock is as fine as that.
pub(super) fn tick() -> Option<Span> {
    sys::coarse_resolution().filter(|tick| *tick > 0).map(Span::from_ns)
}

/// What the kernel's scheduler is set to: the parameter, its value as TOML, and how it is known.
pub(super) fn settings(found: &Findings, timer: Option<(Span, Span)>) -> Vec<(&'static str, String, String)> {
    let mut settings = Vec::new();
    let read = |path: &str| fs::read_to_string(path).ok()?.trim().parse::<u64>().ok();
    let processors = online(&fs::read_to_string("/proc/cpuinfo").unwrap_or_default());
    settings.push(match read("/sys/kernel/debug/sched/base_slice_ns") {
        Some(slice) => ("base-slice", quoted(Span::from_ns(slice)), "the kernel says so".to_owned()),
        None => {
            ("base-slice", quoted(base_slice(processors)), format!("the kernel's rule for {processors} processors"))
        }
    });
    if let Some(slice) = read("/proc/sys/kernel/sched_rr_timeslice_ms") {
        settings.push(("rr-slice", quoted(Span::from_ms(slice)), "the kernel says so".to_owned()));
    }
    settings.extend(placement(&found.stayed));
    settings.extend(pulls(&found.beside_queue, timer));
    settings
}

/// Where those go who wake and find their processor busy.
fn placement(stayed: &[bool]) -> Vec<(&'static str, String, String)> {
    if stayed.len() < FEW {
        return Vec::new();
    }
    let stay = stayed.iter().filter(|stayed| **stayed).count();
    let placement = if 2 * stay > stayed.len() { "packed" } else { "kernel" };
    let how = format!("{stay} of {} times one that woke stayed at its busy processor beside an idle one", stayed.len());
    let mut settings = vec![("placement", quoted(placement), how)];
    if placement == "packed" {
        settings.extend(rate("packing", (stay, stayed.len()), "it stayed"));
    }
    settings
}

/// When a processor that falls idle takes somebody from another.
fn pulls(episodes: &[Beside], timer: Option<(Span, Span)>) -> Vec<(&'static str, String, String)> {
    let late = || episodes.iter().filter(|beside| beside.until - beside.from >= AT_ONCE);
    let at_once =
        episodes.iter().filter(|beside| beside.pulled).count() - late().filter(|beside| beside.pulled).count();
    let what = "one that fell idle beside a queue took somebody at once";
    let mut settings = Vec::from_iter(rate("idle-pull", (at_once, at_once + late().count()), what));
    if let Some((tick, phase)) = timer {
        let told = late().map(|beside| at_ticks(beside, tick, phase));
        let sum = told.fold((0, 0), |sum, of| (sum.0 + of.0, sum.1 + of.1));
        settings.extend(rate("tick-pull", sum, "a tick made one that was idle beside a queue take somebody"));
    }
    settings
}

/// A probability, if there are observations enough: so often, of so many times.
fn rate(key: &'static str, (yes, of): (usize, usize), what: &str) -> Option<(&'static str, String, String)> {
    #[expect(clippy::cast_precision_loss, reason = "a share of some observations")]
    let share = || format!("{:.2}", yes as f64 / of as f64);
    (of >= SEVERAL).then(|| (key, share(), format!("{yes} of {of} times {what}")))
}

/// While a processor was idle beside a queue: how often a tick made it take somebody, and how many ticks there were.
fn at_ticks(beside: &Beside, tick: Span, phase: Span) -> (usize, usize) {
    let since = |at: Time| (at.ns() + tick.ns() - phase.ns() % tick.ns()) % tick.ns();
    let (first, after_last) = (beside.from.ns() + tick.ns() - since(beside.from), since(beside.until));
    let last = beside.until.ns() - after_last;
    // The next one is told only after the last has had its chance.
    let judged = if after_last < AT_ONCE.ns() && !beside.pulled { last.saturating_sub(tick.ns()) } else { last };
    let ticks = (judged + tick.ns()).saturating_sub(first) / tick.ns();
    let pulls = usize::from(beside.pulled && after_last < AT_ONCE.ns() && ticks > 0);
    (pulls, usize::try_from(ticks).unwrap_or(0))
}

fn quoted(value: impl Display) -> String {
    format!("\"{value}\"")
}
