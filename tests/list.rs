//! `sim list`: what the shelves hold.

use sim_cli::export::EXPORTERS;
use sim_core::device::DISCIPLINES;
use sim_core::distribution::DISTRIBUTIONS;
use sim_core::executor::rules::RULES;
use sim_core::executor::{EXECUTORS, Limits, Written};
use sim_core::outcome::listed;
use sim_core::policy::on_linux::Realised;
use sim_core::policy::{POLICIES, ServerKind};
use sim_core::scenario::{Executor, Protocol, Scenario};

use crate::cli::{refused, said};
use crate::support::scenario;

#[test]
fn list_shows_the_shelves() {
    let protocols = Protocol::ALL.iter().map(|(_, name, _)| *name).filter(|name| *name != "none");
    let paths: Vec<String> = listed().into_iter().map(|listed| listed.path).collect();
    let shelves: [(&str, Vec<&str>); 9] = [
        ("policies", POLICIES.iter().map(|kind| kind.name).collect()),
        ("executors", EXECUTORS.iter().map(|kind| kind.name).collect()),
        ("rules", RULES.iter().map(|rules| rules.name).collect()),
        ("disciplines", DISCIPLINES.iter().map(|kind| kind.name).collect()),
        ("protocols", protocols.collect()),
        ("servers", ServerKind::ALL.iter().map(|(_, name, _)| *name).collect()),
        ("distributions", DISTRIBUTIONS.iter().map(|(name, ..)| *name).collect()),
        ("metrics", paths.iter().map(String::as_str).collect()),
        ("exporters", EXPORTERS.iter().map(|kind| kind.name).collect()),
    ];
    let all = said(&["list"]).out;
    for (shelf, names) in shelves {
        let said = said(&["list", shelf]);
        // What stands further in belongs to the entry above it.
        let entries = said.out.lines().filter(|line| !line.starts_with("   "));
        let first_words: Vec<&str> = entries.filter_map(|line| line.split_whitespace().next()).collect();
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

#[test]
fn list_says_what_linux_has_of_each_policy() {
    let required = [
        ("round-robin", "quantum = '1ms'"),
        ("lottery", "quantum = '1ms'"),
        ("stride", "quantum = '1ms'"),
        ("feedback", "quanta = ['1ms', '2ms']"),
        ("mlfq", "levels = [{ quantum = '1ms', allotment = 2 }, { quantum = '3ms' }]"),
    ];
    let shelf = said(&["list", "policies"]).out;
    for kind in POLICIES {
        let parameters = required.iter().find(|(name, _)| *name == kind.name).map_or("", |(_, parameters)| parameters);
        let text = format!(
            "[scheduler]\npolicy = '{}'\n{parameters}\n[[task]]\nname = 'A'\nprogram = [{{ cpu = '1ms' }}]",
            kind.name
        );
        let counterpart = scenario(&text).scheduler.settings.on_linux();
        match kind.on_linux {
            None => assert_eq!(counterpart.realised, Realised::Not, "{}", kind.name),
            Some(words) => {
                assert!(words.starts_with(counterpart.class.name()), "{}: {words}, {counterpart:?}", kind.name);
                assert_ne!(counterpart.realised, Realised::Not, "{}", kind.name);
                let nearly = counterpart.realised == Realised::Approximated;
                assert_eq!(words.contains("nearly"), nearly, "{}: {words}, {counterpart:?}", kind.name);
            }
        }
        let words = format!("on Linux: {}\n", kind.on_linux.unwrap_or("none: by a dispatcher of our own"));
        let line = shelf.lines().find(|line| line.split_whitespace().next() == Some(kind.name)).expect("listed");
        assert!(format!("{line}\n").ends_with(&words), "{line}");
        assert!(said(&["list", kind.name]).out.contains(&format!("\n  {words}")), "{}", kind.name);
    }
}

#[test]
fn rules_stand_for_parameters_that_their_executors_take() {
    for rules in RULES {
        let line = said(&["list", rules.name]).out;
        for set in rules.sets {
            let kind = set.executor;
            let written = set.parameters.replace('\n', ", ");
            let listed = if written.is_empty() { kind.name.to_owned() } else { format!("{} ({written})", kind.name) };
            assert!(line.contains(&listed), "{line}");
            // Each of them is a parameter of the executor, and all of them together are right: no key is unknown.
            let with = |keys: &str| {
                let table = if keys.is_empty() { String::new() } else { format!(", {keys}") };
                let executor = format!("executor = {{ kind = '{}'{table} }}", kind.name);
                scenario(&format!("{executor}\n[[task]]\nname = 'A'\nprogram = [{{ cpu = '1ms' }}]"))
            };
            let (spelled_out, named) = (with(&written), with(&format!("rules = '{}'", rules.name)));
            let executor = |scenario: &Scenario| scenario.processes.iter().next().expect("one").executor.clone();
            let (spelled_out, named) = (executor(&spelled_out), executor(&named));
            assert_eq!(named.rules, Some(rules.name));
            // Who has written what differs.
            let written = Written { most: "workers", core: false, queue: false };
            let what = |executor: Executor| {
                let limits = executor.limits.map(|limits| Limits { written, ..limits });
                format!("{:?}", Executor { rules: None, as_measured: None, limits, ..executor })
            };
            assert_eq!(what(spelled_out), what(named), "{}", rules.name);
        }
    }
}
