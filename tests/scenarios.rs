//! The scenarios of `configs/`: each runs, says what `tests/expected/` says it says, tells its reader what to look for,
//! and looks like its picture in `plots/`.
//!
//! `UPDATE_EXPECT=1 cargo test scenarios` rewrites texts and pictures; look at both before keeping them.

use std::fs;
use std::path::Path;

use crate::support::{configs, files_below, root, sim, temporary_folder};

/// The name of a file in one of the folders that have a file for each scenario: `policies/mlfq`.
fn name(file: &Path, folder: &str) -> String {
    let inside = file.strip_prefix(root().join(folder)).expect("a file of that folder");
    inside.with_extension("").to_string_lossy().into_owned()
}

fn updating() -> bool {
    std::env::var_os("UPDATE_EXPECT").is_some_and(|value| value == "1")
}

#[test]
fn each_prints_what_is_expected() {
    for file in configs() {
        let name = name(&file, "configs");
        let path = format!("configs/{name}.toml");
        let output = sim(&["run", &path, "--check"]);
        let text = String::from_utf8(output.stdout).expect("text");
        let expected = root().join(format!("tests/expected/{name}.txt"));
        expect_test::expect_file![expected].assert_eq(&text);
        let setting = text.lines().nth(1).unwrap_or_default();
        let finding = setting.contains("deadlock") || setting.contains("livelock");
        assert_eq!(output.status.code(), Some(i32::from(finding)), "{path}");
        // What one of them shows is remarked upon, too.
        let said = String::from_utf8_lossy(&output.stderr);
        let shows = if name == "java-pool" { "the pool never has more than 2 threads" } else { "" };
        assert!(said.contains(shows) && said.is_empty() == shows.is_empty(), "{path}: {said}");
        // The sentences above the tables flow, and may be longer than a line.
        let drawn = text.lines().skip_while(|line| !line.starts_with("TASK"));
        assert!(drawn.clone().all(|line| line.chars().count() <= 100), "{path} is drawn wider than 100 columns");
    }
}

#[test]
fn each_says_what_to_look_for() {
    for file in configs() {
        let text = fs::read_to_string(&file).expect("readable");
        let header: Vec<&str> = text.lines().take_while(|line| line.starts_with('#')).collect();
        let path = file.display();
        assert!(header.len() >= 2, "{path} begins with a header of at least two lines");
        assert!(header.join(" ").contains("What to look for:"), "{path} says what to look for");
        assert!(text.contains("\ntitle = "), "{path} has a title");
    }
}

#[test]
fn each_is_drawn_as_it_is() {
    let folder = temporary_folder("gallery");
    let output = sim(&["gallery", "--plots", &folder.display().to_string()]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut stale = Vec::new();
    for file in configs() {
        let picture = format!("{}.png", name(&file, "configs"));
        let drawn = fs::read(folder.join(&picture)).expect("a picture of each scenario");
        let kept = root().join("plots").join(&picture);
        if fs::read(&kept).is_ok_and(|kept| kept == drawn) {
            continue;
        }
        if updating() {
            fs::create_dir_all(kept.parent().expect("a folder")).expect("plots/ can be written");
            fs::write(&kept, &drawn).expect("plots/ can be written");
        } else {
            stale.push(picture);
        }
    }
    assert!(stale.is_empty(), "`sim gallery` draws these otherwise than plots/ has them: {stale:?}");
}

#[test]
fn nothing_is_left_over() {
    let configs: Vec<String> = configs().iter().map(|file| name(file, "configs")).collect();
    for (folder, extension) in [("plots", "png"), ("tests/expected", "txt")] {
        for file in files_below(&root().join(folder), extension) {
            let name = name(&file, folder);
            // Those of experiments stand in a folder of the experiment's name.
            if let Some((experiment, _)) = name.strip_prefix("experiments/").and_then(|rest| rest.split_once('/')) {
                let kept = root().join("configs/experiments").join(experiment).with_extension("toml");
                assert!(kept.exists(), "{} belongs to no experiment", file.display());
                continue;
            }
            // Pictures of comparisons are of one machine on one day: they are kept as examples.
            let scenario = name.strip_prefix("compare/").unwrap_or(&name).to_owned();
            assert!(configs.contains(&scenario), "{} belongs to no scenario", file.display());
        }
    }
}
