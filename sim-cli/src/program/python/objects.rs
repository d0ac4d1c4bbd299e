//! What tasks share, as objects of Python.

use sim_core::ids::ProcessId;
use sim_core::scenario::SyncKind;

use super::{Python, text};
use crate::program::plan::{Flavour, Shared};

/// More messages than a queue between processes can be told to hold everywhere.
const QUEUE: u32 = 32_767;

impl Python<'_> {
    /// The lines that make the objects of a process.
    pub(super) fn objects(&self, process: ProcessId) -> Vec<String> {
        let plan = self.plan;
        plan.shared_in(process).into_iter().map(|thing| self.object(thing, process)).collect()
    }

    /// The names of the objects of a process.
    pub(super) fn object_names(&self, process: ProcessId) -> Vec<String> {
        self.objects(process).iter().filter_map(|line| Some(line.split_once(" = ")?.0.to_owned())).collect()
    }

    fn object(&self, thing: Shared, process: ProcessId) -> String {
        let of_processes = self.processes_of(process);
        let module = match self.plan.flavours[process] {
            Flavour::Async | Flavour::Stealing => "asyncio",
            Flavour::Processes | Flavour::ProcessPool => of_processes.as_str(),
            Flavour::Sequential | Flavour::Threads | Flavour::Pool | Flavour::Beside => "threading",
        };
        let name = &self.called.shared[&thing];
        let Shared::Sync(sync) = thing else {
            let Shared::Device(device) = thing else { return String::new() };
            let device = &self.plan.scenario.devices[device];
            let channels = device.channels.unwrap_or(1);
            let comment = format!("  # so many requests at once are served by {}", text::comment(&device.name));
            return format!("{name} = {module}.Semaphore({channels}){comment}");
        };
        let queue = if module == "threading" { "queue" } else { module };
        match self.plan.scenario.syncs[sync].kind {
            SyncKind::Mutex | SyncKind::RwLock { .. } => format!("{name} = {module}.Lock()"),
            SyncKind::Semaphore { permits } => format!("{name} = {module}.Semaphore({permits})"),
            SyncKind::Channel { capacity } if capacity > QUEUE => format!("{name} = {queue}.Queue()"),
            SyncKind::Channel { capacity } => format!("{name} = {queue}.Queue({capacity})"),
            SyncKind::Condvar => {
                let lock =
                    self.plan.locks_of(sync).first().map_or("", |lock| &self.called.shared[&Shared::Sync(*lock)]);
                format!("{name} = {module}.Condition({lock})")
            }
            SyncKind::Barrier { parties } => format!("{name} = {module}.Barrier({parties})"),
        }
    }
}
