//! What is possible at all, found by trying everything in whole microseconds on one processor.

use std::collections::BTreeMap;

use super::world::World;

/// The least sum of turnarounds of any schedule.
pub(super) fn least_turnaround(world: &World) -> u64 {
    let left = world.threads.iter().map(super::Thread::demand).collect();
    least_from(world, 0, left, &mut BTreeMap::new())
}

/// From now on, with this work left: everybody who is there costs one per microsecond.
fn least_from(world: &World, now: u64, left: Vec<u64>, known: &mut BTreeMap<(u64, Vec<u64>), u64>) -> u64 {
    if left.iter().all(|left| *left == 0) {
        return 0;
    }
    if let Some(known) = known.get(&(now, left.clone())) {
        return *known;
    }
    let present: Vec<usize> = present(world, now, &left);
    let later = present
        .iter()
        .map(|thread| {
            let mut left = left.clone();
            left[*thread] -= 1;
            least_from(world, now + 1, left, known)
        })
        .min()
        .unwrap_or_else(|| least_from(world, now + 1, left.clone(), known));
    let cost = present.len() as u64 + later;
    known.insert((now, left), cost);
    cost
}

/// Can all deadlines be kept?
pub(super) fn deadlines_can_be_kept(world: &World) -> bool {
    let left = world.threads.iter().map(super::Thread::demand).collect();
    kept_from(world, 0, left, &mut BTreeMap::new())
}

fn kept_from(world: &World, now: u64, left: Vec<u64>, known: &mut BTreeMap<(u64, Vec<u64>), bool>) -> bool {
    let due = |thread: usize| world.threads[thread].arrival + world.threads[thread].deadline.expect("all have one");
    if (0..left.len()).any(|thread| left[thread] > 0 && due(thread) <= now) {
        return false;
    }
    if left.iter().all(|left| *left == 0) {
        return true;
    }
    if let Some(known) = known.get(&(now, left.clone())) {
        return *known;
    }
    let present = present(world, now, &left);
    let kept = if present.is_empty() {
        kept_from(world, now + 1, left.clone(), known)
    } else {
        present.into_iter().any(|thread| {
            let mut left = left.clone();
            left[thread] -= 1;
            kept_from(world, now + 1, left, known)
        })
    };
    known.insert((now, left), kept);
    kept
}

fn present(world: &World, now: u64, left: &[u64]) -> Vec<usize> {
    (0..left.len()).filter(|thread| world.threads[*thread].arrival <= now && left[*thread] > 0).collect()
}

/// The least sum of turnarounds if the threads, all there from the beginning, run one after the other.
pub(super) fn least_turnaround_of_orders(world: &World) -> u64 {
    let mut demands: Vec<u64> = world.threads.iter().map(super::Thread::demand).collect();
    let mut least = u64::MAX;
    permute(&mut demands, 0, &mut |order| {
        let mut end = 0;
        let sum = order
            .iter()
            .map(|demand| {
                end += demand;
                end
            })
            .sum();
        least = least.min(sum);
    });
    least
}

fn permute(items: &mut [u64], from: usize, visit: &mut impl FnMut(&[u64])) {
    if from == items.len() {
        return visit(items);
    }
    for other in from..items.len() {
        items.swap(from, other);
        permute(items, from + 1, visit);
        items.swap(from, other);
    }
}
