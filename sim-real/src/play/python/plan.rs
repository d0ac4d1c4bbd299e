//! What an interpreter is told: every operation of every instance with its length, and where to write down what.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use sim_core::executor::Threads;
use sim_core::ids::{ProcessId, SpecId, SyncId};
use sim_core::program::{Cursor, Step, program_stream};
use sim_core::scenario::{Arrival, Spec, StartMethod, SyncKind, SyncObject, SyncOp};
use sim_core::time::Span;

use super::memory::{COUNT, HEAD, LOST, Memory, ROW, STARTING, TABLE, TAGS, THREADS};
use crate::play::executor::Crew;
use crate::play::world::World;
use crate::prepare::unmeasurable::Unmeasurable;
use crate::prepare::{python, start};
use crate::sys::RealTime;

/// So many operations of one instance are written out.
const MOST_STEPS: usize = 1_000_000;

/// So many instances are spawned at most.
const MOST_SPAWNED: usize = 20_000;

/// Rows for interruptions: so many per millisecond of a burst, and in any case.
const PER_MILLISECOND: u64 = 2;
const ANYWAY: usize = 64;

/// The instances of a process as its interpreter counts them.
pub(super) struct Plan {
    /// Those that arrive by themselves, in the order of arrival, then those that may be spawned.
    pub(super) places: Vec<Place>,
    /// Of the world: those of `places` that arrive by themselves. Behind all are those who do something on a pool.
    pub(super) fixed: Vec<usize>,
    /// How many words the memory has.
    pub(super) words: usize,
    /// Where the tables of specs begin.
    specs_at: usize,
    devices_at: Vec<usize>,
    spawned: BTreeMap<SpecId, (usize, usize)>,
    /// The pools that the process has beside its executor.
    pools: Vec<ProcessId>,
    /// What pools are to do for the instances of these places, by the number of the step.
    calls: Vec<(usize, usize, Call)>,
}

/// Where an instance writes.
pub(super) struct Place {
    pub(super) spec: SpecId,
    pub(super) number: u32,
    pub(super) head: usize,
    pub(super) rows: usize,
    limit: usize,
    steps: Vec<Value>,
}

/// Words of a task as a whole: its unfinished instances, when the last has finished, the number of the next to be spawned.
const SPEC: usize = 4;

impl Plan {
    /// Walks the programs of all instances of the crew's process, and of those that they spawn.
    pub(super) fn new(crew: &Crew) -> Result<Plan, Unmeasurable> {
        let world = &crew.world;
        let scenario = &world.scenario;
        let mut at = TABLE + THREADS;
        let devices_at = (scenario.devices.iter())
            .map(|device| {
                let here = at;
                at += device.channels.map_or(0, |channels| channels as usize);
                here
            })
            .collect();
        let specs_at = at;
        at += SPEC * scenario.specs.len();
        let mut plan = Plan {
            places: Vec::new(),
            fixed: crew.tasks.clone(),
            words: at,
            specs_at,
            devices_at,
            spawned: BTreeMap::new(),
            pools: pools_of(world, crew.process),
            calls: Vec::new(),
        };
        for id in &crew.tasks {
            let (spec, number) = world.identity(*id);
            plan.add(world, spec, number)?;
        }
        plan.add_spawned(world, crew.process)?;
        plan.add_calls()?;
        Ok(plan)
    }

    fn add(&mut self, world: &World, spec: SpecId, number: u32) -> Result<(), Unmeasurable> {
        let written = write_out(world, spec, number)?;
        self.seat(spec, number, written);
        Ok(())
    }

    fn seat(&mut self, spec: SpecId, number: u32, mut written: Written) {
        let place = self.places.len();
        self.calls.extend(written.calls.drain(..).map(|(step, call)| (place, step, call)));
        let head = self.words;
        let rows = head + HEAD;
        // One row more than may be used: what finds no room is written there.
        let limit = rows + ROW * written.rows;
        self.words = limit + ROW;
        self.places.push(Place { spec, number, head, rows, limit, steps: written.steps });
    }

    /// Adds those who do something on a pool: each has a place of its own, since it does what is drawn for it alone.
    fn add_calls(&mut self) -> Result<(), Unmeasurable> {
        let mut numbers: BTreeMap<SpecId, u32> = BTreeMap::new();
        for (place, step, Call { spec, process, written }) in std::mem::take(&mut self.calls) {
            if self.places.len() >= MOST_SPAWNED + self.fixed.len() {
                let what = format!("the tasks use pools more than {MOST_SPAWNED} times, for which there is no room");
                return Err(Unmeasurable::no_room(what));
            }
            let pool = self.pools.iter().position(|pool| *pool == process).unwrap_or(0);
            self.places[place].steps[step] = json!(["on", pool, self.places.len()]);
            let number = numbers.entry(spec).or_insert(0);
            self.seat(spec, *number, written);
            *number += 1;
        }
        Ok(())
    }

    /// Adds as many instances of each task that is spawned as there can be.
    fn add_spawned(&mut self, world: &World, process: ProcessId) -> Result<(), Unmeasurable> {
        let is_spawned = |(_, spec): &(SpecId, &Spec)| spec.process == process && spec.arrival == Arrival::Spawned;
        let specs: Vec<SpecId> = world.scenario.specs.pairs().filter(is_spawned).map(|(id, _)| id).collect();
        let mut counts: BTreeMap<SpecId, usize> = specs.iter().map(|spec| (*spec, 0)).collect();
        let mut seen = 0;
        let mut drafts: BTreeMap<SpecId, Vec<u32>> = BTreeMap::new();
        let mut total = self.places.len();
        // Who is spawned may spawn: until nobody new comes.
        let mut walked: Vec<(SpecId, Vec<Value>)> =
            self.places.iter().map(|place| (place.spec, place.steps.clone())).collect();
        while seen < walked.len() {
            for step in walked[seen].1.clone() {
                if step[0] != "spawn" {
                    continue;
                }
                let spec = SpecId(u32::try_from(step[1].as_u64().unwrap_or(0)).unwrap_or(u32::MAX));
                let Some(count) = counts.get_mut(&spec) else {
                    return Err(Unmeasurable::not_in_python("a task starts one of another process"));
                };
                let number = u32::try_from(*count).unwrap_or(u32::MAX);
                *count += 1;
                total += 1;
                if total > MOST_SPAWNED {
                    let what = format!("the tasks spawn more than {MOST_SPAWNED} others, for which there is no room");
                    return Err(Unmeasurable::no_room(what));
                }
                drafts.entry(spec).or_default().push(number);
                walked.push((spec, write_out(world, spec, number)?.steps));
            }
            seen += 1;
        }
        for (spec, numbers) in drafts {
            self.spawned.insert(spec, (self.places.len(), numbers.len()));
            for number in numbers {
                self.add(world, spec, number)?;
            }
        }
        Ok(())
    }

    /// Writes down where to begin to count.
    pub(super) fn prepare(&self, crew: &Crew, memory: &Memory) {
        for (spec, described) in crew.world.scenario.specs.pairs() {
            memory.set(self.spec_at(spec), u64::from(described.count));
        }
    }

    fn spec_at(&self, spec: SpecId) -> usize {
        self.specs_at + SPEC * spec.0 as usize
    }

    /// The plan as the interpreter reads it.
    pub(super) fn text(&self, crew: &Crew, memory: &Memory) -> String {
        let world = &crew.world;
        let (scenario, executor) = (&world.scenario, crew.executor());
        let tags: BTreeMap<&str, usize> = TAGS.iter().enumerate().map(|(tag, name)| (*name, tag)).collect();
        let interval = executor.gil.map(|interval| seconds(interval.ns()));
        let kind = if executor.of_processes { "pool of processes" } else { executor.kind.name };
        let devices: Vec<Value> = (scenario.devices.iter().zip(&self.devices_at))
            .map(|(device, at)| json!({ "channels": device.channels, "at": at }))
            .collect();
        let plan = json!({
            "memory": memory.path(),
            "words": { "threads": COUNT, "lost": LOST, "starting": STARTING, "thread_table": TABLE },
            "tags": tags,
            "executor": kind,
            "workers": executor.workers,
            "start": executor.start_method.unwrap_or(StartMethod::Fork).name(),
            "interval": interval,
            "first_cpus": first_cpus(crew),
            "devices": devices,
            "syncs": self.syncs(crew),
            "specs": self.specs(world),
            "pools": self.pools(world),
            "fixed": self.fixed.len(),
            "tasks": self.tasks(crew),
        });
        plan.to_string()
    }

    fn pools(&self, world: &World) -> Vec<Value> {
        let pool = |id: &ProcessId| {
            let executor = &world.scenario.processes[*id].executor;
            let spec = world.scenario.specs.pairs().find(|(_, spec)| spec.process == *id).map(|(id, _)| id.0);
            json!({ "executor": executor.kind.name, "workers": executor.workers, "spec": spec })
        };
        self.pools.iter().map(pool).collect()
    }

    fn syncs(&self, crew: &Crew) -> Vec<Value> {
        let scenario = &crew.world.scenario;
        let locks = python::locks_of_condvars(scenario);
        // What is used on a pool is for threads, whatever the executor beside it.
        let in_pool =
            |id: SyncId| scenario.specs.iter().any(|spec| self.pools.contains(&spec.process) && python::uses(spec, id));
        let object = |(id, object)| {
            let mut row = object_row(&locks, (id, object));
            row["in_pool"] = in_pool(id).into();
            row
        };
        scenario.syncs.pairs().map(object).collect()
    }

    fn specs(&self, world: &World) -> Vec<Value> {
        let scenario = &world.scenario;
        let spec = |(id, spec): (SpecId, &Spec)| {
            let at = self.spec_at(id);
            let (first, count) = self.spawned.get(&id).copied().unwrap_or((0, 0));
            let class = world.plan.class.map(|class| match class {
                RealTime::Fifo => libc::SCHED_FIFO,
                RealTime::RoundRobin => libc::SCHED_RR,
            });
            json!({
                "after": spec.after.iter().map(|before| before.0).collect::<Vec<_>>(),
                "is_awaited": scenario.specs.iter().any(|other| other.after.contains(&id)),
                "unfinished": at,
                "done_at": at + 1,
                "spawned": { "counter": at + 2, "first": first, "count": count },
                "scheduling": {
                    "cpus": world.plan.cpus_of(&spec.attributes),
                    "class": class,
                    "priority": world.plan.priority[id],
                    "nice": spec.attributes.nice,
                },
            })
        };
        scenario.specs.pairs().map(spec).collect()
    }

    fn tasks(&self, crew: &Crew) -> Vec<Value> {
        let world = &crew.world;
        let per_task = crew.executor().kind.threads == Threads::PerTask;
        let wakes = start::wake_times(world, crew.process, &self.fixed, 0);
        let cpus = &world.plan.cpus;
        let task = |(index, place): (usize, &Place)| {
            let own = self.fixed.get(index).copied();
            let order = crew.order + index;
            let settles = if per_task || index == 0 { start::settles_before(world, order) } else { 0 };
            let first = (cpus.len() > 1 && !world.plan.naive_start).then(|| cpus[order % cpus.len()]);
            json!({
                "spec": place.spec.0,
                "arrival": own.map_or(0, |id| world.offset(id)),
                "wakes": wakes.get(index).copied().unwrap_or(0),
                "settles": settles,
                "first_cpu": if per_task { first } else { None },
                "head": place.head,
                "rows": place.rows,
                "limit": place.limit,
                "steps": place.steps,
            })
        };
        self.places.iter().enumerate().map(task).collect()
    }
}

/// Where the workers of a pool begin, one after the other; nowhere in particular if that makes no difference.
fn first_cpus(crew: &Crew) -> Vec<u32> {
    let plan = &crew.world.plan;
    let mut cpus = plan.cpus.clone();
    if cpus.len() < 2 || plan.naive_start {
        return Vec::new();
    }
    let first = crew.order % cpus.len();
    cpus.rotate_left(first);
    cpus
}

/// The program of an instance, written out.
struct Written {
    steps: Vec<Value>,
    /// How many rows it writes at most.
    rows: usize,
    /// How much time it takes, if nobody is in its way.
    time: u64,
    /// What pools do for it, by the numbers of its steps.
    calls: Vec<(usize, Call)>,
}

/// What an instance lets a pool do.
struct Call {
    spec: SpecId,
    /// The pool.
    process: ProcessId,
    written: Written,
}

/// The pools that a process has beside its executor.
fn pools_of(world: &World, whole: ProcessId) -> Vec<ProcessId> {
    let parts = world.scenario.processes.pairs();
    let own = parts.filter(|(_, process)| process.part.as_ref().is_some_and(|part| part.whole == whole));
    own.map(|(id, _)| id).collect()
}

fn object_row(locks: &BTreeMap<SyncId, SyncId>, (id, object): (SyncId, &SyncObject)) -> Value {
    match object.kind {
        SyncKind::Mutex | SyncKind::RwLock { .. } => json!({ "kind": "lock", "args": [] }),
        SyncKind::Semaphore { permits } => json!({ "kind": "semaphore", "args": [permits] }),
        SyncKind::Channel { capacity } => json!({ "kind": "channel", "args": [capacity] }),
        SyncKind::Barrier { parties } => json!({ "kind": "barrier", "args": [parties] }),
        SyncKind::Condvar => {
            json!({ "kind": "condition", "args": [], "lock": locks.get(&id).map(|lock| lock.0) })
        }
    }
}

fn write_out(world: &World, spec: SpecId, number: u32) -> Result<Written, Unmeasurable> {
    walk(world, (spec, number), &mut Cursor::new(&world.scenario.specs[spec].program))
}

/// What a pool does for an instance that has come to the operation `on`: it draws what that one would have drawn.
fn call(world: &World, (spec, number): (SpecId, u32), cursor: &mut Cursor, on: SpecId) -> Result<Call, Unmeasurable> {
    let scenario = &world.scenario;
    let [program, done] = [spec, on].map(|spec| &scenario.specs[spec].program);
    let mut doer = Cursor::new(done);
    doer.has_stream(done, cursor.lends_stream(program, false, || program_stream(scenario, spec, number)));
    let written = walk(world, (on, number), &mut doer)?;
    if let Some(stream) = doer.returns_stream() {
        cursor.has_stream(program, stream);
    }
    Ok(Call { spec: on, process: scenario.specs[on].process, written })
}

fn walk(world: &World, (spec, number): (SpecId, u32), cursor: &mut Cursor) -> Result<Written, Unmeasurable> {
    let scenario = &world.scenario;
    let program = &scenario.specs[spec].program;
    let is_on = |of: SpecId| scenario.specs[of].caller.is_some();
    let gives_back = |sync| scenario.keeps_permits(spec, sync);
    let horizon = scenario.until.map_or(u64::MAX, |until| until.ns());
    let mut calls = Vec::new();
    let (mut steps, mut rows, mut time) = (Vec::new(), ANYWAY, 0_u64);
    // Whoever has used so much time cannot get further before the horizon.
    while time <= horizon {
        if steps.len() > MOST_STEPS {
            let what = format!("`{}` does more than {MOST_STEPS} operations", scenario.specs[spec].name);
            return Err(Unmeasurable::no_room(what));
        }
        let step = match cursor.step(program, || program_stream(scenario, spec, number)) {
            Step::Cpu(work) if work.is_zero() => continue,
            Step::Cpu(work) => {
                let length = world.plan.speed.time_for(work).ns();
                rows += usize::try_from(length / 1_000_000 * PER_MILLISECOND).unwrap_or(0);
                time = time.saturating_add(length);
                json!(["cpu", length])
            }
            Step::Io { device, service, blocking, .. } => {
                time = time.saturating_add(service.ns());
                json!(["io", device.0, service.ns(), blocking])
            }
            Step::Sleep(length) => {
                time = time.saturating_add(length.ns());
                json!(["sleep", length.ns()])
            }
            Step::Yield => json!(["yields"]),
            Step::Sync(op) => sync_step(op, gives_back(op.object())),
            // What stands there is known when all have their places. To wait for its end is a part of it.
            Step::Spawn(on) if is_on(on) => {
                let call = call(world, (spec, number), cursor, on)?;
                time = time.saturating_add(call.written.time);
                calls.push((steps.len(), call));
                json!(["on"])
            }
            Step::Join(on) if is_on(on) => continue,
            Step::Spawn(spec) => json!(["spawn", spec.0]),
            Step::Join(spec) => json!(["join", spec.0]),
            Step::Attempt(_) | Step::Around => continue,
            // Refused before.
            Step::Set(..) | Step::Add(..) | Step::Test | Step::Turn => break,
            Step::End(_) => break,
        };
        rows += match &step[0] {
            Value::String(word) if word == "acquire" || word == "release" => {
                usize::try_from(step[2].as_u64().unwrap_or(1)).unwrap_or(1)
            }
            _ => 2,
        };
        steps.push(step);
    }
    Ok(Written { steps, rows, time, calls })
}

fn sync_step(op: SyncOp, gives_back: bool) -> Value {
    match op {
        SyncOp::Lock(sync) | SyncOp::Write(sync) | SyncOp::Read(sync) => json!(["lock", sync.0]),
        SyncOp::Unlock(sync) => json!(["unlock", sync.0]),
        SyncOp::Acquire(sync, permits) => {
            json!(["acquire", sync.0, permits, if gives_back { "permit" } else { "spent-permit" }])
        }
        SyncOp::Release(sync, permits) => json!(["release", sync.0, permits]),
        SyncOp::Send(sync) => json!(["send", sync.0]),
        SyncOp::Receive(sync) => json!(["recv", sync.0]),
        SyncOp::Wait { condvar, lock } => json!(["wait", condvar.0, lock.0]),
        SyncOp::Notify(sync) => json!(["notify", sync.0]),
        SyncOp::NotifyAll(sync) => json!(["notify_all", sync.0]),
        SyncOp::Arrive(sync) => json!(["barrier", sync.0]),
    }
}

#[expect(clippy::cast_precision_loss, reason = "an interval of a few milliseconds")]
fn seconds(ns: u64) -> f64 {
    Span::from_ns(ns).ns() as f64 / 1e9
}
