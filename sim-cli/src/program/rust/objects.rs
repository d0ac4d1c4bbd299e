//! What tasks share, as statics of Rust.

use sim_core::ids::{ProcessId, SpecId};
use sim_core::scenario::SyncKind;

use super::{Rust, is_async, text};
use crate::program::plan::Shared;

/// Lines are not longer.
const COLUMNS: usize = 100;

impl Rust<'_> {
    /// The statics of a process.
    pub(super) fn objects(&self, process: ProcessId) -> Vec<String> {
        let in_loop = is_async(self.plan.flavours[process]);
        let shared = self.plan.shared_in(process).into_iter().map(|thing| self.object(thing, in_loop));
        let ended = self.plan.specs(process).filter_map(|(spec, _)| self.called.waited_for.get(&spec));
        let ended = ended.map(|name| {
            object(name, semaphore(in_loop), "", new(in_loop), "0") + " // a permit for each that has ended"
        });
        shared.chain(ended).collect()
    }

    fn object(&self, thing: Shared, in_loop: bool) -> String {
        let name = &self.called.shared[&thing];
        let Shared::Sync(sync) = thing else {
            let Shared::Device(device) = thing else { return String::new() };
            let device = &self.plan.scenario.devices[device];
            let channels = device.channels.unwrap_or(1).to_string();
            let comment = format!(" // so many requests at once are served by {}", text::comment(&device.name));
            return object(name, semaphore(in_loop), "", new(in_loop), &channels) + &comment;
        };
        let library = if in_loop { "tokio::sync::" } else { "" };
        let own = if in_loop { "Async" } else { "" };
        let new = new(in_loop);
        match self.plan.scenario.syncs[sync].kind {
            SyncKind::Mutex => object(name, &format!("{library}Mutex"), "<()>", new, "()"),
            SyncKind::RwLock { .. } => object(name, &format!("{library}RwLock"), "<()>", new, "()"),
            SyncKind::Semaphore { permits } => object(name, semaphore(in_loop), "", new, &permits.to_string()),
            SyncKind::Condvar => object(name, &format!("{own}Condvar"), "", "new", ""),
            SyncKind::Channel { capacity } => lazy(name, &format!("{own}Channel"), capacity),
            SyncKind::Barrier { parties } => lazy(name, &format!("{library}Barrier"), parties),
        }
    }

    /// How many instances of a task there are.
    pub(super) fn instances(&self, spec: SpecId) -> u32 {
        self.plan.scenario.specs[spec].count
    }
}

fn semaphore(in_loop: bool) -> &'static str {
    if in_loop { "tokio::sync::Semaphore" } else { "Semaphore" }
}

/// What makes a static of tokio, or of the standard library.
fn new(in_loop: bool) -> &'static str {
    if in_loop { "const_new" } else { "new" }
}

fn object(name: &str, kind: &str, of: &str, new: &str, argument: &str) -> String {
    on_lines(&format!("static {name}: {kind}{of} ="), &format!("{kind}::{new}({argument});"))
}

fn lazy(name: &str, kind: &str, argument: u32) -> String {
    on_lines(&format!("static {name}: LazyLock<{kind}> ="), &format!("LazyLock::new(|| {kind}::new({argument}));"))
}

/// On one line, if that is not too long.
fn on_lines(declared: &str, value: &str) -> String {
    let line = format!("{declared} {value}");
    if crate::letters::width(&line) <= COLUMNS { line } else { format!("{declared}\n    {value}") }
}
