//! The rows of what tasks share: devices, locks and the like, interpreter locks.

use std::collections::BTreeMap;

use sim_core::ids::{DeviceId, SyncId, TaskId};
use sim_core::scenario::SyncKind;
use sim_core::time::Time;
use sim_core::timeline::lanes::{Busy, Stretch};
use sim_core::timeline::{Cause, Deed, Hold, Timeline};

use super::limits::Limits;
use super::pen::Mark;
use super::section::{Content, Row};
use super::stack::{Edge, Stack};
use crate::letters::visible;
use crate::picture::colours;
use crate::rows::{self, plural};

/// Which form the rows of a picture have, the same in each of its panels.
pub(super) struct Forms {
    /// For each device by name the most channels that it has in a panel; none if it has any number, or shares.
    channels: BTreeMap<String, Option<u32>>,
    /// Are the channels too many for a row each?
    crowded: bool,
    /// The synchronisation objects that have a row, by their names.
    syncs: Vec<String>,
    /// How many more are held by somebody.
    more_syncs: usize,
    /// So many rows of devices at most.
    most_devices: usize,
}

impl Forms {
    pub(super) fn of<'a>(timelines: impl Iterator<Item = &'a Timeline> + Clone, limits: &Limits) -> Forms {
        let mut channels: BTreeMap<String, Option<u32>> = BTreeMap::new();
        let mut crowded = false;
        for timeline in timelines.clone() {
            let own = |device: &sim_core::timeline::DeviceName| device.channels.filter(|_| !device.shared);
            let total: u64 = timeline.cast.devices.iter().filter_map(own).map(u64::from).sum();
            crowded |= total > limits.channels;
            for device in &timeline.cast.devices {
                let known = channels.entry(device.name.clone()).or_insert(Some(0));
                *known = known.zip(own(device)).map(|(known, own)| known.max(own));
            }
        }
        let (syncs, more_syncs) = syncs(timelines, limits.syncs);
        Forms { channels, crowded, syncs, more_syncs, most_devices: limits.devices }
    }

    /// Has each of its channels a row?
    fn apart(&self, name: &str) -> Option<u32> {
        let channels = self.channels.get(name).copied().flatten()?;
        Some(channels).filter(|channels| *channels <= 1 || !self.crowded)
    }
}

/// The objects that somebody holds, those for which tasks waited longest if they are many; and how many there are beyond.
fn syncs<'a>(timelines: impl Iterator<Item = &'a Timeline>, most: usize) -> (Vec<String>, usize) {
    let mut order: Vec<(String, u128)> = Vec::new();
    for timeline in timelines {
        let mut waited = vec![0u128; timeline.cast.syncs.len()];
        for block in &timeline.blocks {
            if let Cause::Sync(sync) = block.cause
                && let Some(waited) = waited.get_mut(sync.0 as usize)
            {
                *waited += u128::from(block.end.since(block.start).ns());
            }
        }
        for ((_, sync), waited) in timeline.cast.syncs.pairs().zip(waited) {
            let holds = match sync.kind {
                SyncKind::Mutex | SyncKind::RwLock { .. } | SyncKind::Semaphore { .. } => true,
                // A channel without room for messages never has one; nobody holds the others.
                SyncKind::Channel { capacity } => capacity > 0,
                SyncKind::Condvar | SyncKind::Barrier { .. } => false,
            };
            let name = sync.to_string();
            match order.iter_mut().find(|(known, _)| *known == name) {
                Some((_, sum)) => *sum += waited,
                None if holds => order.push((name, waited)),
                None => {}
            }
        }
    }
    let mut ranks: Vec<usize> = (0..order.len()).collect();
    ranks.sort_by_key(|index| std::cmp::Reverse(order[*index].1));
    let more = ranks.len().saturating_sub(most);
    ranks.truncate(most);
    ranks.sort_unstable();
    (ranks.into_iter().map(|index| order[index].0.clone()).collect(), more)
}

/// The rows of devices, and what is said of those that have none.
pub(super) fn devices(timeline: &Timeline, forms: &Forms) -> (Vec<Row>, Option<String>) {
    let mut drawn: Vec<Row> = Vec::new();
    let mut more = 0;
    for (id, device) in timeline.cast.devices.pairs() {
        let rows = match forms.apart(&device.name) {
            Some(most) => channels(timeline, id, most),
            None => vec![numbers(timeline, id)],
        };
        if drawn.len() + rows.len() <= forms.most_devices { drawn.extend(rows) } else { more += 1 }
    }
    (drawn, (more > 0).then(|| format!("… and {more} more device{} (not drawn)", plural(more))))
}

/// A row for each channel of a device, be it used or not.
fn channels(timeline: &Timeline, id: DeviceId, most: u32) -> Vec<Row> {
    let name = visible(&timeline.cast.devices[id].name);
    let idle = Stretch { start: Time::ZERO, end: timeline.extent(), state: Busy::Idle };
    let own = timeline.cast.devices[id].channels.unwrap_or(most).max(1) as usize;
    let mut lanes = timeline.service(id);
    lanes.resize(own.max(lanes.len()), vec![idle]);
    let label = |index| if most > 1 { format!("{name} {index}") } else { name.to_string() };
    let row = |(index, lane)| Row::new(label(index), vec![Content::Turns(Mark::Served, lane)]);
    lanes.into_iter().enumerate().map(row).collect()
}

/// One row for a device: how many requests it serves, and how many queue for it.
fn numbers(timeline: &Timeline, id: DeviceId) -> Row {
    let device = &timeline.cast.devices[id];
    let extent = timeline.extent();
    let mut edges: Vec<Edge> = Vec::new();
    for request in timeline.requests.iter().filter(|request| request.device == id) {
        let start = request.start.unwrap_or(request.end);
        edges.extend(edges_of(start, request.end, 0));
        edges.extend(edges_of(request.asked, start, 1));
    }
    let served = if device.shared { Mark::Sharing } else { Mark::InService };
    let layers = vec![(served, colours::SHARED), (Mark::QueuedArea, colours::QUEUED)];
    let mut stack = Stack::new(layers, edges, extent);
    stack.words = Some(if device.shared { sharing } else { serving });
    let name = visible(&device.name);
    let label = match device.channels {
        Some(channels) if !device.shared => format!("{name} ({channels} channel{})", plural(channels as usize)),
        _ => name.into_owned(),
    };
    Row::new(label, vec![Content::Numbers(stack)])
}

fn sharing(counts: &super::stack::Counts) -> String {
    if counts[0] == 1 { "1 alone".to_owned() } else { format!("{} share", counts[0]) }
}

fn serving(counts: &super::stack::Counts) -> String {
    if counts[1] == 0 { format!("{} served", counts[0]) } else { format!("{} served, {} queue", counts[0], counts[1]) }
}

/// From when to when something counts.
fn edges_of(start: Time, end: Time, layer: usize) -> impl Iterator<Item = Edge> {
    [(start, true, layer), (end, false, layer)].into_iter().filter(move |_| start < end)
}

/// The rows of locks, rwlocks, semaphores and channels, and what is said of those that have none.
pub(super) fn locks(timeline: &Timeline, forms: &Forms) -> (Vec<Row>, Option<String>) {
    let drawn = timeline.cast.syncs.pairs().filter(|(_, sync)| forms.syncs.contains(&sync.to_string()));
    let rows = drawn.map(|(id, sync)| lock(timeline, id, sync.kind, visible(&sync.to_string()).into_owned()));
    let more = forms.more_syncs;
    let left_out = format!("… and {more} more lock{} and the like (not drawn)", plural(more));
    (rows.collect(), Some(left_out).filter(|_| more > 0))
}

fn lock(timeline: &Timeline, id: SyncId, kind: SyncKind, name: String) -> Row {
    let extent = timeline.extent();
    let holds = || timeline.holds.iter().filter(move |hold| hold.sync == id && hold.start < hold.end);
    let shared = || holds().filter(|hold| hold.shared).flat_map(|hold| edges_of(hold.start, hold.end, 0)).collect();
    let holder = Content::Turns(Mark::Holding, holders(holds().filter(|hold| !hold.shared), extent));
    let stack = |mark, edges, words| {
        let stack = Stack::new(vec![(mark, colours::SHARED)], edges, extent);
        Stack { words: Some(words), ..stack }
    };
    match kind {
        SyncKind::Semaphore { permits } => {
            let mut stack = stack(Mark::Permits, shared(), |counts| format!("{} taken", counts[0]));
            stack.most = stack.most.max(permits);
            let label = format!("{name} ({permits} permit{})", plural(permits as usize));
            Row::new(label, vec![Content::Numbers(stack)])
        }
        SyncKind::Channel { capacity } => {
            let changes = timeline.signals.iter().filter(|signal| signal.sync == id);
            let edges = changes.filter_map(|signal| match signal.deed {
                Deed::Sent => Some((signal.at, true, 0)),
                Deed::Received => Some((signal.at, false, 0)),
                Deed::Added | Deed::Notified(_) | Deed::Arrived | Deed::Departed => None,
            });
            let words = |counts: &super::stack::Counts| format!("{} message{}", counts[0], plural(counts[0] as usize));
            let mut stack = stack(Mark::Messages, edges.collect(), words);
            stack.most = stack.most.max(capacity);
            Row::new(format!("{name} (of {capacity})"), vec![Content::Numbers(stack)])
        }
        SyncKind::RwLock { .. } => {
            let readers = stack(Mark::Readers, shared(), |counts| format!("{} read", counts[0]));
            Row::new(name, vec![holder, Content::Numbers(Stack { ground: false, ..readers })])
        }
        SyncKind::Mutex | SyncKind::Condvar | SyncKind::Barrier { .. } => Row::new(name, vec![holder]),
    }
}

/// Who held a lock, without gap or overlap.
fn holders<'a>(holds: impl Iterator<Item = &'a Hold>, extent: Time) -> Vec<Stretch<Busy>> {
    let mut holds: Vec<&Hold> = holds.collect();
    holds.sort_by_key(|hold| (hold.start, hold.end));
    let mut lane: Vec<Stretch<Busy>> = Vec::new();
    let mut free = Time::ZERO;
    let nobody = (extent, extent, TaskId::NONE);
    for (start, end, task) in holds.iter().map(|hold| (hold.start, hold.end, hold.task)).chain([nobody]) {
        // Clocks of a measured run may let one hold begin before the last is over.
        let (start, end) = (start.max(free), end.min(extent));
        for (start, end, state) in [(free, start, Busy::Idle), (start, end, Busy::Run(task))] {
            match lane.last_mut() {
                _ if start >= end => {}
                Some(last) if last.state == state => last.end = end,
                _ => lane.push(Stretch { start, end, state }),
            }
        }
        free = free.max(end);
    }
    lane
}

/// Who of each process held its interpreter lock.
pub(super) fn interpreters(timeline: &Timeline) -> Vec<Row> {
    let locks = timeline.interpreters();
    let row = |(process, lane)| {
        Row::new(rows::interpreter_label(timeline, process), vec![Content::Turns(Mark::Holding, lane)])
    };
    locks.into_iter().map(row).collect()
}
