//! What editors are told of files: `sim check --format json`.

use std::fs;

use serde_json::Value;

use crate::cli::{Said, refused, said};
use crate::support::{files_below, root, temporary};

/// Files of `tests/bad` of which `NAME.json` has all that is said.
const TOLD: [&str; 6] = ["arrivals", "missing-bracket", "not-toml", "set-wrong-value", "sync-paths", "unknown-keys"];

/// What is said of the files, with the exit code.
fn items(arguments: &[&str]) -> (Vec<Value>, Said) {
    let said = said(&[&["check", "--format", "json"], arguments].concat());
    let list: Value = serde_json::from_str(&said.out).unwrap_or_else(|error| panic!("{error}: {}", said.out));
    (list.as_array().expect("a list").clone(), said)
}

fn number(value: &Value) -> usize {
    value.as_u64().and_then(|number| usize::try_from(number).ok()).expect("a whole number")
}

/// The overrides that a bad file asks for. Those without a path are refused before anything is read.
fn sets(text: &str) -> Vec<&str> {
    let sets = text.lines().map_while(|line| line.strip_prefix("# --set ")).filter(|set| !set.starts_with('='));
    sets.flat_map(|set| ["--set", set]).collect()
}

#[test]
fn editors_are_told_of_every_mistake() {
    for name in TOLD {
        let file = format!("tests/bad/{name}.toml");
        let text = fs::read_to_string(root().join(&file)).expect("a bad file");
        let (items, said) = items(&[&[file.as_str()], sets(&text).as_slice()].concat());
        assert_eq!(said.code, 2, "{file}");
        let lines: String = items.iter().map(|item| format!("{item}\n")).collect();
        expect_test::expect_file![root().join(format!("tests/bad/{name}.json"))].assert_eq(&lines);
    }
}

/// Of every bad file there are as many errors as people are told of, and each is somewhere in the file.
#[test]
fn places_are_in_the_file() {
    for path in files_below(&root().join("tests/bad"), "toml") {
        let text = fs::read_to_string(&path).expect("a bad file");
        let file = path.display().to_string();
        let (items, said) = items(&[&[file.as_str()], sets(&text).as_slice()].concat());
        assert!(said.code == 2 && !items.is_empty(), "{file}");
        let counted =
            if items.len() == 1 { "sim: 1 mistake\n".to_owned() } else { format!("sim: {} mistakes\n", items.len()) };
        assert_eq!(said.err, counted, "{file}");
        for item in &items {
            assert!(item["severity"] == "error" && item["file"] == *file, "{item}");
            let has_line = !item["line"].is_null();
            assert_eq!(has_line, !item["end"].is_null(), "{item}");
            if has_line {
                is_inside(item, &text);
            }
        }
    }
}

fn is_inside(item: &Value, text: &str) {
    let lines: Vec<&str> = text.split('\n').collect();
    let start = (number(&item["line"]), number(&item["column"]));
    let end = (number(&item["end"]["line"]), number(&item["end"]["column"]));
    assert!(start <= end, "{item}");
    for (line, column) in [start, end] {
        assert!(column >= 1 && column <= lines[line - 1].chars().count() + 1, "{item}");
    }
    // What is an unknown key, for one, stands there and ends the path.
    let message = item["message"].as_str().expect("a text");
    if let (Some(key), true) =
        (message.strip_prefix("unknown key `").and_then(|rest| rest.split('`').next()), start.0 == end.0)
    {
        let line: Vec<char> = lines[start.0 - 1].chars().collect();
        let marked: String = line[start.1 - 1..end.1 - 1].iter().collect();
        assert_eq!(marked.trim_matches('"'), key, "{item}");
        let path = item["path"].as_str().expect("a path");
        assert!(path.trim_matches('"').ends_with(key), "{item}");
    }
}

/// The path is one that `--set` takes: with the value put right there, nothing is wrong any more.
#[test]
fn a_path_is_one_for_set() {
    let toml = r#"
        [[process]]
        name = "web server"
        [[process.task]]
        name = "A"
        program = [{ cpu = "1ms" }, { repeat = "two", do = [{ cpu = "1ms" }] }]
    "#;
    let path = temporary("editor-paths", toml);
    let file = path.to_str().expect("a path");
    let (found, _) = items(&[file]);
    let [item] = found.as_slice() else { panic!("{found:?}") };
    let key = item["path"].as_str().expect("a path");
    assert_eq!(key, r#"process."web server".task.A.program.1.repeat"#);
    let (found, said) = items(&[file, "--set", &format!("{key}=2")]);
    assert!(found.is_empty() && said.code == 0 && said.err.is_empty(), "{found:?} {}", said.err);
    let (found, _) = items(&[file, "--set", &format!("{key}=two")]);
    assert_eq!((&found[0]["line"], &found[0]["path"]), (&Value::Null, &Value::from(key)));
    assert_eq!(found[0]["option"], format!("--set {key}=two"));
}

#[test]
fn remarks_and_files_that_are_not_there_are_items() {
    let toml = "
        [scheduler]
        policy = \"fifo\"
        quantum = \"1ms\"
        [[task]]
        name = \"A\"
        program = [{ cpu = \"1ms\" }]
    ";
    let path = temporary("editor-remarks", toml);
    let file = path.to_str().expect("a path");
    let (found, said) = items(&[file]);
    assert_eq!((said.code, found.len()), (0, 1), "{found:?}");
    assert_eq!((&found[0]["severity"], &found[0]["line"]), (&Value::from("remark"), &Value::from(4)));
    assert_eq!(found[0]["path"], "scheduler.quantum");

    let (found, said) = items(&["configs/convoy.toml", "nowhere.toml", "configs/experiments/pool-size.toml"]);
    assert_eq!((said.code, found.len()), (2, 1), "{found:?}");
    assert!(
        found[0]["message"].as_str().is_some_and(|text| text.starts_with("cannot read nowhere.toml: ")),
        "{found:?}"
    );

    let many = temporary("editor-many", &"[machine]\n".repeat(150));
    let (found, _) = items(&[many.to_str().expect("a path")]);
    assert_eq!(found.last().map(|item| &item["message"]), Some(&Value::from("there are 49 more mistakes")));
    refused(&["check", "configs/convoy.toml", "--format", "json", "--expect", "makespan=1s"], &["cannot be used with"]);
}
