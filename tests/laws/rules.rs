//! The laws, under the rules of real runtimes: timers for which idle threads wait in whole steps, news of devices, and an
//! interpreter lock for which threads must run to ask, or which those of a pool share.

use sim_core::document::Source;
use sim_core::policy::POLICIES;
use sim_core::scenario::lower;

use super::{Run, generator};

/// So many cases for each policy.
const CASES: u64 = 150;

/// What is written of an executor, and what is written instead. Lengths of time are some microseconds in all cases.
const INSTEAD: [(&str, &str); 7] = [
    ("{ kind = \"async\" }", "{ kind = \"async\", rules = \"tokio-1.54\", timer = \"5us\", epoch = \"2us\" }"),
    ("{ kind = \"asyncio\" }", "{ kind = \"async\", rules = \"cpython-3.13\" }"),
    (
        "{ kind = \"work-stealing\"",
        "{ kind = \"work-stealing\", park = \"whole-steps\", timer = \"5us\", timed-devices = \"news\"",
    ),
    ("gil = ", "gil-request = \"when-running\", gil = "),
    (
        "{ kind = \"pool\", workers = 3",
        "{ kind = \"pool\", gil = \"4us\", gil-request = \"when-running\", gil-asker = 0.5, workers = 3",
    ),
    ("{ kind = \"pool\", workers = 2", "{ kind = \"pool\", gil = \"4us\", workers = 2"),
    ("{ kind = \"goroutines\"", "{ kind = \"goroutines\", rules = \"go-1.24\""),
];

/// What operations cost: nothing, or a time that is drawn for each.
const OPERATIONS: [&str; 2] = ["", "operation = { uniform = [\"0us\", \"6us\"] }"];

/// Kinds of objects that are handed on as nobody else does.
const KINDS: [&str; 3] = ["cpython", "asyncio", "multiprocessing"];

/// The case with objects of this kind, where there are such.
fn of_python(text: &str, kind: &str) -> String {
    ["lock", "semaphore", "channel", "condvar", "barrier"].iter().fold(text.to_owned(), |text, object| {
        text.replace(&format!("[[{object}]]\n"), &format!("[[{object}]]\nkind = \"{kind}\"\n"))
    })
}

#[test]
fn under_rules_of_real_runtimes_all_laws_hold() {
    let (mut judged, mut of_kinds) = ([0; INSTEAD.len()], 0);
    for kind in POLICIES {
        for seed in 0..CASES {
            let mut text = generator::draft(kind, seed).toml("us");
            // Every other loop is asyncio's.
            if seed / 7 % 2 == 0 {
                text = text.replace("{ kind = \"async\" }", "{ kind = \"asyncio\" }");
            }
            for ((written, instead), count) in INSTEAD.iter().zip(&mut judged) {
                *count += usize::from(text.contains(written));
                text = text.replace(written, instead);
            }
            text = text.replacen("[machine]\n", &format!("[machine]\n{}\n", OPERATIONS[usize::from(seed % 3 == 0)]), 1);
            if seed % 5 < 2 {
                text = of_python(&text, KINDS[usize::try_from(seed / 5 % 3).expect("small")]);
            }
            // What the case says of the same itself wins, and some of it says it.
            let Ok(scenario) = lower::scenario(&Source { file: "case.toml", text: &text }, &[]) else { continue };
            of_kinds += usize::from(scenario.syncs.iter().any(|sync| sync.library.is_some()));
            let run = Run::of(&scenario);
            if let Err(law) = run.laws(&scenario) {
                panic!("{}, seed {seed}: {law}\n{text}", kind.name);
            }
        }
    }
    assert!(of_kinds > 100, "{of_kinds}");
    assert!(judged.iter().all(|count| *count > 20), "{judged:?}");
}
