//! Every `tests/bad/NAME.toml` is refused, with exactly the words of `tests/bad/NAME.txt`.
//!
//! Lines `# --set path=value` at the top of a file are overrides. `UPDATE_EXPECT=1 cargo test refusals` rewrites the
//! texts; read them as a user would before keeping them.

use std::fs;
use std::path::{Path, PathBuf};

use sim_core::document::{Override, Source};
use sim_core::scenario::lower;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/bad")
}

#[test]
fn every_bad_file_is_refused_in_the_expected_words() {
    let mut files: Vec<PathBuf> = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    files.sort();
    assert!(files.len() >= 40, "only {} bad files", files.len());
    for path in files {
        let text = fs::read_to_string(&path).unwrap();
        let file = path.file_name().unwrap().to_str().unwrap();
        let overrides: Vec<Override> = text
            .lines()
            .map_while(|line| line.strip_prefix("# --set "))
            .map(|set| Override::parse(set).expect("an override"))
            .collect();
        match lower::scenario(&Source { file, text: &text }, &overrides) {
            Ok(_) => panic!("{file} is not refused"),
            Err(mistakes) => {
                expect_test::expect_file![path.with_extension("txt")].assert_eq(&mistakes.to_string());
            }
        }
    }
}

#[test]
fn of_many_mistakes_most_are_counted_only() {
    let text = "[machine]\n".repeat(50_000);
    let mistakes = lower::scenario(&Source { file: "many.toml", text: &text }, &[]).expect_err("given twice");
    assert_eq!((mistakes.count(), mistakes.iter().count()), (49_999, 100));
    // To find the first of two is worth while of those that are shown.
    assert!(mistakes.iter().all(|mistake| mistake.excerpts.len() == 2 && mistake.sentence.ends_with("given twice")));
}

#[test]
fn no_expectation_is_left_over() {
    for entry in fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        assert!(path.with_extension("toml").exists(), "{} has no scenario", path.display());
    }
}
