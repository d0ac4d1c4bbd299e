//! What it costs to read files: many tasks, and one file with one override after the other.

use std::hint::black_box;

use sim_core::document::{Override, Source};
use sim_core::scenario::lower;

use super::five::small;
use super::race::{Contender, Race};
use super::{read, workloads};

/// A file of many tasks.
pub(super) fn tasks(race: &mut Race) {
    let count = if race.rounds > 1 { 10_000 } else { 10 };
    let text = workloads::many_tasks(count);
    let bytes = || text.bytes().fold(0_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(byte)));
    race.run(
        "read 10 000 tasks",
        vec![
            Contender::new("every byte", || (black_box(bytes()), u64::from(count)).1),
            Contender::new("parsed and lowered", || black_box(read(&text)).specs.len() as u64),
        ],
    );
}

/// A small file in many variations.
pub(super) fn variations(race: &mut Race) {
    let count = if race.rounds > 1 { 1_000 } else { 10 };
    let source = Source { file: "benchmark", text: small() };
    let sets: Vec<Override> = (1..=count).map(|ms| Override::varied("scheduler.quantum", format!("{ms}ms"))).collect();
    let document = lower::parsed(&source);
    race.run(
        "read 1000 variations",
        vec![
            Contender::new("parsed each time", || {
                sets.chunks(1).for_each(|set| drop(black_box(lower::scenario(&source, set))));
                count
            }),
            Contender::new("parsed once", || {
                sets.chunks(1).for_each(|set| drop(black_box(lower::document(&document, set))));
                count
            }),
        ],
    );
}
