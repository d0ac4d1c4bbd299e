//! What this machine and its kernel are, as far as they say it themselves.

use std::fs;
use std::thread::available_parallelism;

use sim_core::policy::on_linux::base_slice;
use sim_core::time::Span;

use super::estimate::Findings;
use crate::prepare::machine::kernel_release;
use crate::sys;

/// A processor that is idle for longer beside a queue did not take anybody at once.
const AT_ONCE: Span = Span::from_ms(1);

/// It takes so many observations to say what the kernel does.
const FEW: usize = 3;

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
pub(super) fn settings(found: &Findings) -> Vec<(&'static str, String, String)> {
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
    let share = |yes: usize, of: usize| format!("{yes} of {of} times");
    if found.stayed.len() >= FEW {
        let stayed = found.stayed.iter().filter(|stayed| **stayed).count();
        let placement = if 2 * stayed > found.stayed.len() { "packed" } else { "kernel" };
        let how = share(stayed, found.stayed.len());
        let how = format!("{how} one that woke stayed at its busy processor beside an idle one");
        settings.push(("placement", format!("\"{placement}\""), how));
    }
    if found.beside_queue.len() >= FEW {
        let at_once = found.beside_queue.iter().filter(|idle| **idle < AT_ONCE).count();
        let how = share(at_once, found.beside_queue.len());
        let how = format!("{how} one that fell idle beside a queue took somebody at once");
        #[expect(clippy::cast_precision_loss, reason = "a share of some observations")]
        let pull = at_once as f64 / found.beside_queue.len() as f64;
        settings.push(("idle-pull", format!("{pull:.2}"), how));
    }
    settings
}

fn quoted(span: Span) -> String {
    format!("\"{span}\"")
}
