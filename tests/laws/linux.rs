//! What is the same under `linux` and under `eevdf`: all of it, on one processor and where no task names a class.

use sim_core::document::Source;
use sim_core::engine::simulate;
use sim_core::policy::POLICIES;
use sim_core::scenario::lower;
use sim_core::timeline::TimelineHash;

use super::{CASES, generator};

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
