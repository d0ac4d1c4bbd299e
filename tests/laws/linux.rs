//! What is the same under `linux` and under `eevdf`: all of it, on one processor and where no task names a class; and the
//! laws with classes.

use sim_core::document::Source;
use sim_core::engine::simulate;
use sim_core::policy::POLICIES;
use sim_core::scenario::lower;
use sim_core::timeline::TimelineHash;

use super::draft::Parameter;
use super::{CASES, generator, report, verdict};

#[test]
fn linux_is_eevdf_on_one_processor() {
    let eevdf = POLICIES.iter().find(|kind| kind.name == "eevdf").expect("on the shelf");
    let mut compared = 0;
    for seed in 0..CASES {
        let draft = generator::draft(eevdf, seed);
        if draft.processors.len() > 1 {
            continue;
        }
        // Who is next at a lock is the most urgent one: by `priority` under the one, by class under the other.
        let text = draft.toml("us");
        let text: String =
            text.lines().filter(|line| !line.starts_with("priority")).flat_map(|line| [line, "\n"]).collect();
        let hash = |policy: &str| {
            let text = text.replace("policy = \"eevdf\"", &format!("policy = \"{policy}\""));
            let scenario = lower::scenario(&Source { file: "case.toml", text: &text }, &[]).expect("a scenario");
            assert_eq!(scenario.scheduler.kind.name, policy);
            let mut hash = TimelineHash::default();
            simulate(&scenario, &mut hash);
            hash.hex()
        };
        assert_eq!(hash("eevdf"), hash("linux"), "seed {seed}:\n{text}");
        compared += 1;
    }
    assert!(compared > CASES / 5, "{compared} of {CASES} have one processor");
}

/// Keys of tasks: classes, and what they go by.
const CLASSES: &[&str] = &[
    "",
    "slice = \"3$\"\n",
    "class = \"batch\"\n",
    "class = \"idle\"\n",
    "class = \"fifo\"\n",
    "class = \"fifo\"\nrt-priority = 3\n",
    "class = \"round-robin\"\n",
    "class = \"round-robin\"\nrt-priority = 2\n",
    "class = \"deadline\"\nserver = { budget = \"2$\", period = \"5$\" }\n",
    "class = \"deadline\"\nserver = { budget = \"3$\", period = \"3$\" }\n",
];

/// … of threads and of tasks that a worker carries one after the other, with locks that lend them.
#[test]
fn every_class_keeps_the_laws() {
    let linux = POLICIES.iter().find(|kind| kind.name == "linux").expect("on the shelf");
    let cases = std::env::var("LAWS_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(CASES);
    for seed in 0..cases * 3 {
        let mut draft = match seed % 4 {
            0 => generator::contention(linux, Some("inherit"), seed),
            1 => generator::contention(linux, Some("ceiling"), seed),
            _ => generator::draft(linux, seed),
        };
        let mut next = seed;
        let mut roll = |sides: usize| {
            next = next.wrapping_mul(0x5851_F42D_4C95_7F2D).wrapping_add(1);
            usize::try_from(next >> 33).unwrap_or(0) % sides
        };
        for task in draft.processes.iter_mut().flat_map(|process| &mut process.tasks) {
            task.more = CLASSES[roll(CLASSES.len())];
        }
        draft.parameters.retain(|(key, _)| *key != "tick");
        let tick = Parameter::Time([0, 1, 2, 7][roll(4)]);
        draft.parameters.extend([("tick", tick), ("rr-slice", Parameter::Time([1, 3, 20][roll(3)]))]);
        draft.parameters.push(("placement", Parameter::Text(["\"kernel\"", "\"packed\""][roll(2)])));
        draft.parameters.push(("idle-pull", Parameter::Text(["1", "0.5", "0"][roll(3)])));
        draft.parameters.push(("packing", Parameter::Text(["1", "0.5", "0"][roll(3)])));
        draft.parameters.push(("tick-pull", Parameter::Text(["1", "0.5", "0"][roll(3)])));
        if verdict(&draft).is_err() {
            report(draft);
        }
    }
}
