//! The shelf of real executors: the counterparts of [`sim_core::executor::EXECUTORS`].
//!
//! Every process of a scenario gets a [`Crew`]: a thread that runs its executor, and whatever threads or processes that
//! executor makes. One more executor is one file and two lines here: a `mod` and an entry of [`EXECUTORS`].

mod blocking;
mod crowd;
mod event_loop;
mod pool;
mod processes;
mod sequential;
mod threads;
mod work_stealing;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use sim_core::executor::Threads;
use sim_core::ids::{ProcessId, SpecId};
use sim_core::scenario;
use sim_core::time::Span;

use crate::play::gil::Gil;
use crate::play::library::Object;
use crate::play::python::Python;
use crate::play::task::{first_burst, run_blocking};
use crate::play::world::{Starter, World};
use crate::prepare::start;
use crate::prepare::unmeasurable::Unmeasurable;
use crate::sys;

/// The executors that can be measured.
pub(crate) static EXECUTORS: &[&dyn Executor] = &[
    &sequential::Sequential,
    &threads::Threads,
    &event_loop::EventLoop,
    &pool::Pool,
    &work_stealing::WorkStealing,
    &processes::Processes,
];

/// A real executor.
pub(crate) trait Executor: Sync {
    /// Its name in scenario files, the same as its counterpart's.
    fn name(&self) -> &'static str;

    /// What it really is, for people.
    fn describe(&self, executor: &scenario::Executor) -> String;

    /// Whether each task has a thread, which waits by itself for the task's arrival.
    fn has_thread_per_task(&self) -> bool {
        false
    }

    /// Whether its timers ring at whole milliseconds, unless they are told otherwise.
    fn rounds_timers(&self) -> bool {
        false
    }

    /// Whether its tasks may use this object of a library.
    fn borrows(&self, _: &Object) -> bool {
        true
    }

    /// Makes its threads, calls [`Crew::ready`] with the way to start an instance, waits for the start, and returns
    /// when the run is over and all its threads are gone. Called on a thread of its own, which may be measured.
    fn run(&self, crew: &Crew) -> Result<(), Unmeasurable>;
}

/// What runs the tasks of a process, if that can be measured.
pub(crate) fn of(process: &scenario::Process) -> Option<&'static dyn Executor> {
    let takes_from_queue = process.executor.kind.threads == Threads::Workers && !process.executor.helps;
    match process.runtime.cpython() {
        Some(_) => Some(&Python),
        None if process.part.is_some() && process.executor.is_tokios_pool() => Some(&blocking::Blocking),
        None if process.executor.limits.is_some() => Some(&crowd::Crowd),
        None if process.part.is_some() && takes_from_queue => Some(&blocking::Blocking),
        None => find(process.executor.kind.name),
    }
}

/// The executor of that name.
fn find(name: &str) -> Option<&'static dyn Executor> {
    EXECUTORS.iter().copied().find(|executor| executor.name() == name)
}

/// One process of the scenario, with its executor.
pub(crate) struct Crew {
    /// The state all share.
    pub(crate) world: Arc<World>,
    /// Which process.
    pub(crate) process: ProcessId,
    /// Its instances that arrive by themselves, in the order of arrival, then of the file.
    pub(crate) tasks: Vec<usize>,
    /// How many measured threads the crews before this one have, to spread threads over processors.
    pub(crate) order: usize,
    /// Where the starter goes when everything is ready.
    pub(crate) is_ready: flume::Sender<Result<(ProcessId, Starter), Unmeasurable>>,
}

impl Crew {
    /// The process's executor as the scenario has it.
    pub(crate) fn executor(&self) -> &scenario::Executor {
        &self.world.scenario.processes[self.process].executor
    }

    /// The process's tasks.
    pub(crate) fn specs(&self) -> Vec<SpecId> {
        let specs = self.world.scenario.specs.pairs();
        specs.filter(|(_, spec)| spec.process == self.process).map(|(id, _)| id).collect()
    }

    /// Places for `workers` threads, any of which may run any task of the process.
    pub(crate) fn seats(&self, workers: usize) -> Seats {
        Seats { world: Arc::clone(&self.world), process: self.process, specs: self.specs(), order: self.order, workers }
    }

    /// Says that everything is ready, and how instances are started from now on.
    pub(crate) fn ready(&self, start: impl Fn(usize) + Send + Sync + 'static) {
        // The run is off if nobody listens; then there is nothing to be told.
        let _ = self.is_ready.send(Ok((self.process, Box::new(start))));
    }

    /// The instances that can start at once, in order.
    pub(crate) fn first(&self) -> impl Iterator<Item = usize> {
        self.tasks.iter().copied().filter(|id| arrives_at_start(&self.world, *id))
    }

    /// The interpreter lock of the process, if it has one.
    pub(crate) fn gil(&self) -> Option<Arc<Gil>> {
        Some(Arc::new(Gil::new(self.executor().gil?.ns())))
    }
}

/// Places for the worker threads of an executor.
pub(crate) struct Seats {
    world: Arc<World>,
    process: ProcessId,
    specs: Vec<SpecId>,
    order: usize,
    workers: usize,
}

impl Seats {
    /// Makes the calling thread worker `index`. It gets a processor of its own if there are enough for all workers.
    pub(crate) fn take(&self, index: usize) {
        let cpus = &self.world.plan.cpus;
        sys::set_thread_name(&self.world.names.worker(self.process, index));
        if is_pinned(self.workers, cpus.len()) {
            self.world.enter(&cpus[index % cpus.len()..][..1], &self.specs, 0);
        } else {
            self.world.enter(cpus, &self.specs, self.order + index);
        }
    }

    /// The calling thread, worker `index`, begins on its processor, wherever it is now.
    pub(crate) fn stay(&self, index: usize) {
        let cpus = &self.world.plan.cpus;
        if !is_pinned(self.workers, cpus.len()) {
            start::stay(&self.world, self.order + index, cpus);
        }
    }
}

/// Is the instance there and free to go from the start? Then its executor starts it without being told.
pub(crate) fn arrives_at_start(world: &World, id: usize) -> bool {
    world.offset(id) == 0 && world.scenario.specs[world.identity(id).0].after.is_empty()
}

/// Do the workers of an executor have a processor each?
pub(crate) fn is_pinned(workers: usize, cpus: usize) -> bool {
    workers > 1 && workers <= cpus
}

/// The lifetime of an instance on a thread or in a process of its own.
pub(crate) fn live(world: &World, id: usize, arrival: u64, gil: Option<&Gil>) {
    if let Some(dispatch) = &world.dispatch {
        dispatch.sit(id, first_burst(world, id));
    }
    if world.plan.lends {
        world.objects.waiter(id).thread.store(sys::thread_id(), Ordering::SeqCst);
    }
    if world.awaits_start(id, arrival) {
        run_blocking(world, id, gil);
        world.leaves(id);
    }
    // Taking down a thread with all that is attached to it costs time that is not the scenario's: later.
    world.await_end();
}

/// What a recorded run says of its executors: each kind once, in the order of the file, with the processes that have it if there are
/// several of them.
pub(crate) fn describe(world: &World) -> String {
    let processes = &world.scenario.processes;
    // Copies are called by the name that the file has.
    let name = |id: ProcessId| processes[id].name.split('#').next().unwrap_or_default();
    let mut kinds: Vec<(String, Vec<&str>)> = Vec::new();
    for (id, _) in processes.pairs().filter(|(_, process)| process.part.is_none()) {
        let Some(what) = describe_process(world, id) else { continue };
        if kinds.iter().all(|(other, _)| *other != what) {
            kinds.push((what.clone(), Vec::new()));
        }
        let names = kinds.iter_mut().filter(|(other, _)| *other == what).map(|(_, names)| names);
        for names in names.filter(|names| !names.contains(&name(id))) {
            names.push(name(id));
        }
    }
    match kinds.as_mut_slice() {
        [(what, _)] => std::mem::take(what),
        kinds => kinds
            .iter()
            .map(|(what, names)| format!("{} in {what}", names.join(" and ")))
            .collect::<Vec<_>>()
            .join(", "),
    }
}

/// The same of one process, with the pools that it has beside its executor.
pub(crate) fn describe_process(world: &World, id: ProcessId) -> Option<String> {
    let processes = &world.scenario.processes;
    let own = |process: &scenario::Process| Some(of(process)?.describe(&process.executor));
    let mut what = own(&processes[id])?;
    let parts = processes.iter().filter(|process| process.part.as_ref().is_some_and(|part| part.whole == id));
    let parts: Vec<&scenario::Process> = parts.collect();
    for pool in parts.iter().filter_map(|part| own(part)) {
        what += &format!(" + {pool}");
    }
    let Some(interpreter) = &world.plan.interpreters[id] else { return Some(what) };
    let interval = interpreter.locked.then(|| std::iter::once(&processes[id]).chain(parts).find_map(switch_interval));
    let interval = interval.flatten().map_or(String::new(), |interval| format!(", switch interval {interval}"));
    Some(format!("{what} of {}{interval}", interpreter.name()))
}

/// The switch interval of threads in Python that share an interpreter: CPython's own where the file says that there is no lock.
fn switch_interval(process: &scenario::Process) -> Option<Span> {
    let executor = &process.executor;
    let shares = match executor.kind.threads {
        Threads::PerTask => true,
        Threads::Workers => !executor.of_processes,
        Threads::Main | Threads::ProcessPerTask => false,
    };
    executor.gil.or(shares.then_some(Span::from_ms(5)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_executor_of_the_shelf_has_its_real_counterpart() {
        let real = sim_core::executor::EXECUTORS.iter().filter(|kind| kind.elsewhere.is_none());
        assert_eq!(real.clone().count(), EXECUTORS.len());
        for kind in real {
            assert!(find(kind.name).is_some(), "{} cannot be measured", kind.name);
        }
    }
}
