//! What is said fits the columns there are, and says what matters first.

use std::process::Command;

use crate::long::ENDLESS;
use crate::support::{configs, root, skipped, temporary};

/// What a command says with `COLUMNS` of this, data and talk.
fn narrow(arguments: &[&str], columns: usize) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sim"));
    let command = command.args(arguments).env("COLUMNS", columns.to_string()).current_dir(root());
    let output = command.output().expect("sim starts");
    String::from_utf8([output.stdout, output.stderr].concat()).expect("UTF-8")
}

fn fits(text: &str, columns: usize) {
    let wide = text.lines().find(|line| line.chars().count() > columns);
    assert!(wide.is_none(), "wider than {columns}: {wide:?} in\n{text}");
}

#[test]
fn all_of_a_run_fits_the_columns() {
    for file in configs() {
        // What is said of a file begins with its path, which is not broken: the long one of a clone would decide what fits.
        let path = file.strip_prefix(root()).unwrap_or(&file);
        let file = path.display().to_string();
        for columns in [60, 80] {
            fits(&narrow(&["run", &file], columns), columns);
            fits(&narrow(&["run", &file, "--explain"], columns), columns);
            fits(&narrow(&["explain", &file, "--no-speedups"], columns), columns);
        }
    }
    fits(&narrow(&["list"], 60), 60);
}

#[test]
fn a_line_of_the_file_is_shown_around_its_mark() {
    let many = "{ cpu = \"1ms\" }, ".repeat(6);
    let file =
        temporary("narrow", &format!("[[task]]\nname = \"a\"\nprogram = [{many}{{ cpuu = \"1ms\" }}, {many}]\n"));
    for columns in [40, 50, 60, 80] {
        let text = narrow(&["check", &file.display().to_string()], columns);
        let [.., line, mark, _] = text.lines().collect::<Vec<_>>()[..] else { panic!("{text}") };
        let at = mark.chars().position(|letter| letter == '^').expect("a mark");
        let marked: String = line.chars().skip(at).take(mark.trim_end().chars().count() - at).collect();
        assert_eq!(marked, "cpuu", "{columns}:\n{text}");
        assert!(line.chars().count() <= columns && mark.len() <= columns, "{columns}:\n{text}");
    }
}

#[test]
fn variations_tell_how_they_ended_before_less_important_things() {
    let vary = ["run", "configs/convoy.toml", "--vary", "machine.processors=1,2"];
    assert!(!narrow(&vary, 60).contains("  end"), "all completed");
    let text = narrow(&[vary.as_slice(), &["--set", "until=100ms"]].concat(), 60);
    assert!(text.lines().nth(1).is_some_and(|headings| headings.contains("  end")), "{text}");
    // A heading that does not fit is not cut: it has a line of its own.
    assert!(text.starts_with("VARIATION, means (ms)\n"), "{text}");
}

#[test]
fn progress_tells_first_how_long_it_takes_and_obeys_the_terminal() {
    let file = temporary("progress", ENDLESS).display().to_string();
    let sim = env!("CARGO_BIN_EXE_sim");
    let call = format!("stty cols 50 rows 30; timeout -s INT 3 {sim} run {file} --set until=2000s --no-timeline");
    let Ok(output) = Command::new("script").args(["-qc", &call, "/dev/null"]).env_remove("COLUMNS").output() else {
        return skipped("there is no `script` to make a terminal");
    };
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let lines: Vec<&str> = said.split(['\r', '\n']).filter(|line| line.contains(" left: ")).collect();
    assert!(lines.len() > 1, "{said}");
    for line in &lines {
        assert!(line.starts_with("about ") && line.chars().count() < 50, "{line:?}");
    }
    assert!(lines.windows(2).all(|two| two[0] != two[1]), "each is written once: {lines:?}");
}
