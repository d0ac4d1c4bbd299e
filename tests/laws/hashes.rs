//! The timelines themselves, bit by bit: what makes the engine faster must not change one of them. A hash may change
//! only together with the rules that the documentation states.

use std::fmt::Write as _;

use sim_core::device::DISCIPLINES;
use sim_core::engine::simulate;
use sim_core::policy::POLICIES;
use sim_core::scenario::Scenario;
use sim_core::timeline::TimelineHash;

use super::draft::Draft;
use super::generator;
use crate::support::{configs, root, scenario};

/// Generated scenarios of each kind.
const CASES: u64 = 150;

#[test]
fn every_timeline_is_the_same_as_ever() {
    let mut text = String::new();
    for path in configs() {
        let toml = std::fs::read_to_string(&path).expect("readable");
        let name = path.strip_prefix(root()).expect("below the root").display();
        writeln!(text, "{} {name}", hash(&scenario(&toml))).expect("to memory");
    }
    for kind in POLICIES {
        let drafts = (0..CASES).map(|seed| generator::draft(kind, seed));
        writeln!(text, "{} {CASES} x {}", together(drafts), kind.name).expect("to memory");
        for protocol in [None, Some("inherit"), Some("ceiling")] {
            let drafts = (0..CASES / 3).map(|seed| generator::contention(kind, protocol, seed));
            let label = protocol.unwrap_or("no protocol");
            writeln!(text, "{} {} x {}, locks, {label}", together(drafts), CASES / 3, kind.name).expect("to memory");
        }
        let crowds = (0..CASES / 5).map(|seed| {
            let mut draft = generator::draft(kind, seed);
            draft.crowd();
            draft
        });
        writeln!(text, "{} {} x {}, crowds", together(crowds), CASES / 5, kind.name).expect("to memory");
    }
    for kind in DISCIPLINES {
        let drafts = (0..CASES).map(|seed| {
            let policy = POLICIES[usize::try_from(seed).expect("small") % POLICIES.len()];
            let mut draft = generator::draft(policy, seed);
            draft.serve_by(kind);
            draft
        });
        writeln!(text, "{} {CASES} x {}", together(drafts), kind.name).expect("to memory");
    }
    expect_test::expect_file!["../hashes.txt"].assert_eq(&text);
}

/// The hash of the timeline.
fn hash(scenario: &Scenario) -> String {
    let mut hash = TimelineHash::default();
    simulate(scenario, &mut hash);
    hash.hex()
}

/// One hash of how all of them ran and ended.
fn together(drafts: impl Iterator<Item = Draft>) -> String {
    let mut all: u64 = 0;
    for draft in drafts {
        let scenario = scenario(&draft.toml("us"));
        let mut hash = TimelineHash::default();
        let ending = simulate(&scenario, &mut hash);
        for byte in format!("{} {} {}", hash.hex(), ending.end.name(), ending.at.ns()).bytes() {
            // Fowler, Noll and Vo's hash, FNV-1a with 64 bits.
            all = (all ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        all ^= 0xcbf2_9ce4_8422_2325;
    }
    format!("{all:016x}")
}
