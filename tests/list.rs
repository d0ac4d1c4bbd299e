//! `sim list`: what the shelves hold.

use sim_cli::export::EXPORTERS;
use sim_core::device::DISCIPLINES;
use sim_core::distribution::DISTRIBUTIONS;
use sim_core::executor::EXECUTORS;
use sim_core::policy::POLICIES;

use crate::cli::{refused, said};

#[test]
fn list_shows_the_shelves() {
    let shelves: [(&str, Vec<&str>); 5] = [
        ("policies", POLICIES.iter().map(|kind| kind.name).collect()),
        ("executors", EXECUTORS.iter().map(|kind| kind.name).collect()),
        ("disciplines", DISCIPLINES.iter().map(|kind| kind.name).collect()),
        ("distributions", DISTRIBUTIONS.iter().map(|(name, ..)| *name).collect()),
        ("exporters", EXPORTERS.iter().map(|kind| kind.name).collect()),
    ];
    let all = said(&["list"]).out;
    for (shelf, names) in shelves {
        let said = said(&["list", shelf]);
        let first_words: Vec<&str> = said.out.lines().filter_map(|line| line.split_whitespace().next()).collect();
        assert_eq!((said.code, first_words), (0, names), "{shelf}");
        assert!(all.contains(&said.out) && all.contains(shelf), "`sim list` has {shelf}");
    }
    let details = said(&["list", "priority"]).out;
    for word in
        ["priority (policies)", "priority (disciplines)", "order: \"high-first\", \"low-first\"", "default: no aging"]
    {
        assert!(details.contains(word), "`sim list priority` says {word}");
    }
    let of_each = |name: &str| said(&["list", name]).out;
    assert_eq!(said(&["list", "mlfq", "cfs"]).out, format!("{}\n{}", of_each("mlfq"), of_each("cfs")));
    assert!(of_each("mlfq").contains("; required\n"), "{}", of_each("mlfq"));
    refused(&["list", "colours"], &["colours", "policies"]);
    refused(&["list", "mlqf"], &["did you mean `mlfq`?"]);
}
