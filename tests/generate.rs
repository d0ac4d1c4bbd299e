//! Random scenarios of a class: each is one for ever, and each can be simulated.

use std::fs;

use sim_cli::generate::{CLASSES, scenario as generated};
use sim_core::time::Span;

use crate::support::{files_below, root, run, scenario, sim, temporary_folder};

#[test]
fn every_scenario_of_every_class_runs_to_its_end() {
    for class in CLASSES {
        let (mut policies, mut locks) = (0, 0);
        for seed in 0..60 {
            let text = generated(class, seed);
            assert_eq!(text, generated(class, seed), "the same for ever");
            let scenario = scenario(&text);
            policies += u32::from(scenario.scheduler.named);
            let users = text.split("[[process.task]]").filter(|task| task.contains("with = \"lock\"")).count();
            assert!(users > 1 || !class.name.starts_with("locks"), "nobody can wait for the lock: {text}");
            locks += users;
            let (timeline, outcome) = run(&scenario);
            assert_eq!(outcome.end.name(), "completed", "{text}");
            let length = timeline.makespan();
            assert!((Span::from_ms(4)..=Span::from_ms(400)).contains(&length), "{}: {length}", class.name);
        }
        assert!(policies == 0 || policies == 60);
        assert_eq!(locks > 0, class.name.starts_with("locks"));
    }
}

#[test]
fn files_are_written_once_and_never_over_others() {
    let folder = temporary_folder("generate").join("fresh");
    let out = folder.display().to_string();
    let ask = ["generate", "--class", "mixed-eevdf", "--seed", "7", "-n", "3", "-o", &out];
    let said = |arguments: &[&str]| {
        let output = sim(arguments);
        let [out, err] = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        (output.status.code(), out, err)
    };
    let (_, first, _) = said(&ask);
    let paths: Vec<_> = first.lines().collect();
    assert_eq!(paths.len(), 3, "{first}");
    assert!(paths[0].ends_with("mixed-eevdf-7.toml") && paths[2].ends_with("mixed-eevdf-9.toml"));
    assert_eq!(said(&ask), (Some(0), first.clone(), String::new()), "what is there is the same");
    fs::write(paths[1], "title = \"mine\"").expect("a file");
    let (code, _, why) = said(&ask);
    assert!(code == Some(2) && why.contains("mixed-eevdf-8.toml exists and is another scenario"), "{why}");
    assert_eq!(fs::read_to_string(paths[1]).expect("the file"), "title = \"mine\"");
    let (code, _, why) = said(&["generate", "--class", "mixed", "--seed", "1", "-o", &out]);
    assert!(code == Some(2) && why.contains("mixed-fifo"), "{why}");
    let last = u64::MAX.to_string();
    let (code, made, why) = said(&["generate", "--class", "gil", "--seed", &last, "-n", "2", "-o", &out]);
    assert!(code == Some(2) && made.is_empty() && why.contains("the last is 18446744073709551615"), "{why}");
}

#[test]
fn what_is_there_to_be_validated_is_what_is_generated() {
    let folder = root().join("configs/validate");
    let files = files_below(&folder, "toml");
    let scenarios = files.iter().filter(|file| !file.ends_with("tolerances.toml"));
    let mut count = [0, 0];
    for file in scenarios {
        let stem = file.file_stem().expect("a name").to_string_lossy().into_owned();
        let (class, seed) = stem.rsplit_once('-').expect("a class and a seed");
        let class = CLASSES.iter().find(|known| known.name == class).unwrap_or_else(|| panic!("{stem} is of a class"));
        let text = std::fs::read_to_string(file).expect("readable");
        assert_eq!(text, generated(class, seed.parse().expect("a number")), "{stem} is as its seed gives it");
        count[usize::from(file.starts_with(folder.join("untuned")))] += 1;
    }
    assert!(count[0] >= 40 && 3 * count[1] >= count[0] + count[1], "a third is untuned: {count:?}");
}
