//! What is right but hardly meant, as far as it takes more than one place of the file to see it.
//!
//! Who writes a key hopes for something. A key that the policy does not read, permits that nobody gives back, a notification
//! that nobody sends: the run shows it too, but does not say whose mistake it was.

use std::collections::{BTreeMap, BTreeSet};

use super::task::Draft;
use super::{Definition, TaskDefinition};
use crate::document::{Item, Kind as Value, Log, Note, Origin, Spot, listing, quoted};
use crate::executor::EXECUTORS;
use crate::ids::{CpuId, SyncId};
use crate::policy::{Kind, POLICIES, Policy, SchedulingClass, Setup};
use crate::scenario::{Attributes, Op, Protocol, Scheduler, SyncKind, SyncObject, SyncOp};
use crate::time::{Span, Time};

/// From here on readers of JSON take a number for another one.
const EXACT: u64 = 1 << 53;

/// A seed; large ones are remarked upon unless they stand in quotes.
pub(super) fn seed(item: Item<'_>) -> Option<u64> {
    let seed = item.seed()?;
    if seed > EXACT && matches!(item.kind(), Value::Integer(_)) {
        let sentence = format!("the seed {seed} is above 2^53: JavaScript and jq read it as another number");
        item.log().remark(Note::new(item.spot(), sentence).hint("in JSON documents it is a text"));
    }
    Some(seed)
}

/// Looks at everything once it has been read. The policy was chosen here, in the file or by an override, or nowhere.
pub(super) fn look(definition: &Definition, drafts: &[Draft<'_>], chosen: Option<Spot>, log: &Log) {
    let setup = Setup::of(&definition.machine, 0);
    let policy = definition.scheduler.settings.build(&setup);
    let by = chosen.map_or(Origin::File, |spot| spot.origin);
    attributes(definition, drafts, by, &*policy, log);
    nothing_periodic(definition, chosen, log);
    blocking_in_vain(definition, log);
    if definition.things.syncs.objects.is_empty() {
        return;
    }
    let users = Users::of(&definition.tasks);
    for (sync, object) in definition.things.syncs.objects.pairs() {
        let place = &definition.things.syncs.places[sync];
        original_ceiling(definition, object, place.protocol.unwrap_or(place.spot), &*policy, log);
        let written = |spot: &Spot| by == Origin::File || spot.origin != Origin::File;
        if let (Some(spot), true) = (place.rule.filter(written), object.rule.hoare && policy.traits().by_shares) {
            log.remark(keeps_processor(definition, object, spot));
        }
        // A section that nobody interrupts is one whatever the policy goes by.
        let matters = matches!(object.protocol, Protocol::None | Protocol::NonPreemptive) || policy.traits().by_urgency;
        if let (Some(spot), false) = (place.protocol.filter(written), matters) {
            let name = definition.scheduler.kind.name;
            let note = Note::new(spot, format!("`{name}` does not run by urgency, so `protocol` hardly matters"));
            log.remark(note.hint("it is for policies such as `priority` and `edf`"));
        }
        if let (Some(spot), Some(what)) = (place.spin.filter(|_| !object.spin.is_zero()), users.share(sync, definition))
        {
            let sentence = format!("to spin for {} is in vain: all who take it share {what}", quoted(&object.name));
            log.remark(Note::new(spot, sentence).hint("leave `spin` out: its holder cannot run meanwhile"));
        }
        users.nobody_helps(sync, (&object.name, object.kind), place.spot, log);
    }
}

/// Hoare's rule hands the processor on by turns and urgency, where the policy goes by such.
fn keeps_processor(definition: &Definition, object: &SyncObject, spot: Spot) -> Note {
    let (policy, name) = (definition.scheduler.kind.name, quoted(&object.name));
    let sentence = format!(
        "`{policy}` hands nobody a processor: who is notified at {name} has the lock at once, and a processor when it is its turn"
    );
    Note::new(spot, sentence).hint("policies that go by turns or urgency, such as `fifo` and `edf`, hand it on")
}

/// The original ceiling protocol compares urgencies with ceilings that stay.
fn original_ceiling(definition: &Definition, object: &SyncObject, spot: Spot, policy: &dyn Policy, log: &Log) {
    if object.protocol != Protocol::OriginalCeiling {
        return;
    }
    let name = definition.scheduler.kind.name;
    let moves = |task: &TaskDefinition| {
        let of = |deadline: Time| policy.urgency(&task.attributes, deadline);
        of(Time::ZERO) != of(Time::ZERO + Span::from_ns(1))
    };
    let sentence = match () {
        () if !policy.traits().by_urgency => {
            format!("`{name}` does not run by urgency, which `original-ceiling` goes by")
        }
        () if definition.tasks.iter().any(moves) => {
            format!("the urgencies of `{name}` change from job to job, and `original-ceiling` needs such as stay")
        }
        () => return,
    };
    log.add(Note::new(spot, sentence).hint("it is for policies such as `priority` and `rate-monotonic`"));
}

/// Does the policy go by the weights of groups? If not, its name, and those that do.
pub(super) fn by_weight(scheduler: &Scheduler) -> Result<(), (&'static str, Vec<&'static str>)> {
    let goes_by_weight = |kind: &Kind| kind.goes_by("weight");
    let takers = || POLICIES.iter().filter(|kind| goes_by_weight(kind)).map(|kind| kind.name);
    let kind = scheduler.kind;
    if goes_by_weight(kind) { Ok(()) } else { Err((kind.name, takers().collect())) }
}

/// A policy for periodic tasks has nothing to go by where there are none.
fn nothing_periodic(definition: &Definition, chosen: Option<Spot>, log: &Log) {
    let kind = definition.scheduler.kind;
    let goes_by = |key: &str| kind.attributes.contains(&key);
    let has = |task: &TaskDefinition| {
        task.attributes.periodic.is_some() || (goes_by("server") && task.attributes.server.is_some())
    };
    if let (Some(spot), true, false) = (chosen, goes_by("period"), definition.tasks.iter().any(has)) {
        let sentence = format!("`{}` goes by periods and deadlines, and no task has any: it runs as `fifo`", kind.name);
        log.remark(Note::new(spot, sentence).hint("add period = \"20ms\" to a task"));
    }
}

/// Keys of tasks that mean nothing to the policy or the machine. A file may keep them for other policies: of those in the
/// file nothing is said if an override has chosen the policy.
fn attributes(definition: &Definition, drafts: &[Draft<'_>], chosen: Origin, policy: &dyn Policy, log: &Log) {
    // By key, and by the class to which it means nothing if it is not the policy.
    let mut places: BTreeMap<(&str, Option<SchedulingClass>), Vec<Spot>> = BTreeMap::new();
    for (task, draft) in definition.tasks.iter().zip(drafts) {
        let written = |spot: &Spot| chosen == Origin::File || spot.origin != Origin::File;
        for (key, spot) in draft.hopes.iter().filter(|(_, spot)| written(spot)) {
            let class = task.attributes.class;
            if !means(definition, key, policy) {
                places.entry((key, None)).or_default().push(*spot);
            } else if goes_by_class_alone(definition, key) && !class.heeds(key) {
                places.entry((key, Some(class))).or_default().push(*spot);
            }
        }
    }
    for ((key, class), spots) in places {
        let others = and_others(&spots);
        let takers = POLICIES.iter().filter(|kind| kind.attributes.contains(&key)).map(|kind| kind.name);
        let (to, hint) = match (class, key) {
            (Some(class), _) => {
                let heed = SchedulingClass::ALL.iter().filter(|class| class.heeds(key)).map(|class| class.name());
                (format!("the class `{}`", class.name()), format!("it is for {}", listing(heed)))
            }
            (None, "working-set") => {
                ("a machine without `cache`".to_owned(), "add cache = { … } to [machine]".to_owned())
            }
            (None, _) => (format!("`{}`", definition.scheduler.kind.name), format!("it is for {}", listing(takers))),
        };
        log.remark(Note::new(spots[0], format!("`{key}` means nothing to {to}{others}")).hint(hint));
    }
}

/// Of several places the first is shown.
fn and_others(spots: &[Spot]) -> String {
    match spots.len() {
        0 | 1 => String::new(),
        2 => ", here and at another task".to_owned(),
        all => format!(", here and at {} other tasks", all - 1),
    }
}

/// Requests that block the whole thread, of tasks that keep theirs anyway. A file may have them for other executors.
fn blocking_in_vain(definition: &Definition, log: &Log) {
    let mut places: BTreeMap<&str, Vec<Spot>> = BTreeMap::new();
    for task in &definition.tasks {
        let executor = definition.processes[task.process].executor.kind;
        if let Some(spot) = task.code.blocking.filter(|_| executor.keeps_thread) {
            places.entry(executor.name).or_default().push(spot);
        }
    }
    for (name, spots) in places {
        let others = EXECUTORS.iter().filter(|kind| !kind.keeps_thread).map(|kind| kind.name);
        let sentence = format!(
            "`blocking` means nothing to the executor `{name}`: any request blocks the thread of its task{}",
            and_others(&spots)
        );
        log.remark(Note::new(spots[0], sentence).hint(format!("it is for {}", listing(others))).tolerated());
    }
}

/// Does a key of a task change anything?
fn means(definition: &Definition, key: &str, policy: &dyn Policy) -> bool {
    let queues = || definition.processes.iter().map(|process| &process.executor.queue);
    let floors =
        definition.scheduler.kind.attributes.contains(&key) || queues().any(|queue| queue.attributes().contains(&key));
    match key {
        "server" => {
            floors || definition.tasks.iter().any(|task| task.attributes.server.is_some_and(|it| it.kind.is_fixed()))
        }
        "working-set" => definition.machine.cache.is_some(),
        "priority" => floors || (goes_by_priority(policy, &definition.tasks) && somebody_asks_for_urgency(definition)),
        _ => floors,
    }
}

/// Is it only to a policy that a key of a task says something, and only by the class of the task?
fn goes_by_class_alone(definition: &Definition, key: &str) -> bool {
    let attributes = definition.scheduler.kind.attributes;
    let mut queues = definition.processes.iter().map(|process| &process.executor.queue);
    attributes.contains(&"class") && attributes.contains(&key) && !queues.any(|queue| queue.attributes().contains(&key))
}

/// Is somebody of higher priority the more urgent one, for this policy?
fn goes_by_priority(policy: &dyn Policy, tasks: &[TaskDefinition]) -> bool {
    let urgency = |priority| {
        Some(policy.urgency(&Attributes { priority, periodic: None, ..tasks.first()?.attributes.clone() }, Time::NEVER))
    };
    urgency(0) != urgency(1)
}

/// Is there something for which the most urgent of those who wait comes next, whatever the policy?
fn somebody_asks_for_urgency(definition: &Definition) -> bool {
    let things = &definition.things;
    !things.syncs.objects.is_empty() || things.devices.iter().any(|device| device.settings.by_urgency())
}

/// What programs do with synchronisation objects.
struct Users<'d> {
    /// Who takes each lock.
    takers: BTreeMap<SyncId, Vec<&'d TaskDefinition>>,
    acquired: BTreeSet<SyncId>,
    released: BTreeSet<SyncId>,
    sent: BTreeSet<SyncId>,
    received: BTreeSet<SyncId>,
    awaited: BTreeSet<SyncId>,
    notified: BTreeSet<SyncId>,
}

impl<'d> Users<'d> {
    fn of(tasks: &'d [TaskDefinition]) -> Users<'d> {
        let mut takers: BTreeMap<SyncId, Vec<&TaskDefinition>> = BTreeMap::new();
        let ops = || {
            let ops = tasks.iter().flat_map(|task| task.code.ops.iter().map(move |op| (task, op)));
            ops.filter_map(|(task, op)| if let Op::Sync(op) = op { Some((task, *op)) } else { None })
        };
        for (task, op) in ops() {
            if let SyncOp::Lock(lock) = op {
                takers.entry(lock).or_default().push(task);
            }
        }
        let objects = |chosen: fn(SyncOp) -> bool| {
            ops().filter(|(_, op)| chosen(*op)).map(|(_, op)| op.object()).collect::<BTreeSet<SyncId>>()
        };
        Users {
            takers,
            acquired: objects(|op| matches!(op, SyncOp::Acquire(..))),
            released: objects(|op| matches!(op, SyncOp::Release(..))),
            sent: objects(|op| matches!(op, SyncOp::Send(_))),
            received: objects(|op| matches!(op, SyncOp::Receive(_))),
            awaited: objects(|op| matches!(op, SyncOp::Wait { .. })),
            notified: objects(|op| matches!(op, SyncOp::Notify(_) | SyncOp::NotifyAll(_))),
        }
    }

    /// What only one of those who take a lock has at a time, so that its holder cannot run while another spins.
    fn share(&self, lock: SyncId, definition: &Definition) -> Option<&'static str> {
        let takers = self.takers.get(&lock)?;
        let may_use = |task: &TaskDefinition, cpu: CpuId| task.attributes.allows(cpu);
        let cpus = definition.machine.processors.ids().filter(|cpu| takers.iter().any(|task| may_use(task, *cpu)));
        if cpus.count() == 1 {
            return Some("one processor");
        }
        let process = &definition.processes[takers.first()?.process];
        let executor = &process.executor;
        let alone = process.count == 1 && takers.iter().all(|task| task.process == takers[0].process);
        match executor.own_threads() {
            _ if !alone => None,
            Some(1) => Some("one thread"),
            _ if executor.gil.is_some() => Some("an interpreter lock"),
            _ => None,
        }
    }

    /// Remarks on what somebody waits for and no program ever does.
    fn nobody_helps(&self, sync: SyncId, (name, kind): (&str, SyncKind), spot: Spot, log: &Log) {
        let is = |objects: &BTreeSet<SyncId>| objects.contains(&sync);
        let name = quoted(name);
        let (sentence, hint) = match kind {
            SyncKind::Semaphore { .. } if is(&self.acquired) && !is(&self.released) => (
                format!("nobody gives permits of {name} back: when they are used up, everybody waits for ever"),
                "release",
            ),
            SyncKind::Channel { .. } if is(&self.received) && !is(&self.sent) => {
                (format!("nobody sends into {name}: who receives from it waits for ever"), "send")
            }
            SyncKind::Channel { .. } if is(&self.sent) && !is(&self.received) => {
                (format!("nobody receives from {name}: when it is full, who sends into it waits for ever"), "recv")
            }
            SyncKind::Condvar if is(&self.awaited) && !is(&self.notified) => {
                (format!("nobody notifies {name}: who waits there waits for ever"), "notify")
            }
            _ => return,
        };
        log.remark(Note::new(spot, sentence).hint(format!("add {{ {hint} = … }} to a program")));
    }
}
