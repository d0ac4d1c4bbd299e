//! Completions and manual pages say what the program takes.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::process::{Command, Stdio};

use crate::cli::said;
use crate::support::{skipped, temporary_folder};

/// The long options that a help text has.
fn options(help: &str) -> BTreeSet<&str> {
    let lines = help.lines().map(str::trim_start).filter(|line| line.starts_with('-'));
    lines.filter_map(|line| line.split([' ', ',', '[', '=']).find(|word| word.starts_with("--"))).collect()
}

/// The commands that the help of the program names.
fn commands(help: &str) -> Vec<&str> {
    let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    listed.filter(|line| !line.starts_with("   ")).filter_map(|line| line.split_whitespace().next()).collect()
}

#[test]
fn bash_understands_its_completions() {
    let script = said(&["completions", "bash"]).out;
    for word in ["compare", "--replications", "--fail-on", "cpu-wide"] {
        assert!(script.contains(word), "no {word} is completed");
    }
    let bash = Command::new("bash").args(["-n", "/dev/stdin"]).stdin(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let Ok(mut bash) = bash else { return skipped("there is no bash") };
    bash.stdin.take().expect("a pipe").write_all(script.as_bytes()).expect("bash reads");
    let output = bash.wait_with_output().expect("bash ends");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// What bash offers after `sim run --repl`.
#[test]
fn bash_completes_an_option() {
    let folder = temporary_folder("completions");
    fs::write(folder.join("sim.bash"), said(&["completions", "bash"]).out).expect("a file");
    let asks =
        "source sim.bash; COMP_WORDS=(sim run --repl); COMP_CWORD=2; _sim sim --repl run; echo \"${COMPREPLY[@]}\"";
    let Ok(output) = Command::new("bash").args(["-c", asks]).current_dir(folder).output() else {
        return skipped("there is no bash");
    };
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "--replications");
}

#[test]
fn every_shell_gets_completions() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let said = said(&["completions", shell]);
        assert!(said.code == 0 && said.out.contains("replications"), "{shell}: {}", said.err);
    }
    crate::cli::refused(&["completions", "csh"], &["possible values: bash"]);
}

#[test]
fn manual_pages_have_every_command_and_option() {
    let folder = temporary_folder("man").join("man1");
    let written = said(&["man", &folder.display().to_string()]).out;
    let help = said(&["--help"]).out;
    let commands = commands(&help);
    assert!(commands.contains(&"run") && commands.contains(&"completions"), "{commands:?}");
    assert_eq!(written.lines().count(), commands.len() + 1, "{written}");
    assert_eq!(fs::read_to_string(folder.join("sim.1")).ok(), Some(said(&["man"]).out));
    for command in commands {
        let page = fs::read_to_string(folder.join(format!("sim-{command}.1"))).expect("a page");
        // Hyphens are written so that no typesetter makes dashes of them.
        let page = page.replace("\\-", "-");
        let help = said(&[command, "--help"]).out;
        let options = options(&help);
        assert!(options.contains("--help"), "{help}");
        for option in options {
            assert!(page.contains(option), "no {option} on the page of {command}");
        }
    }
}

/// `man` leaves examples as they are.
#[test]
fn examples_stay_lines_in_manual_pages() {
    let page = said(&["man"]).out;
    let example = page.lines().position(|line| line.starts_with("  sim run ")).expect("an example");
    let before = page.lines().take(example);
    assert_eq!(before.filter(|line| [".nf", ".fi"].contains(line)).last(), Some(".nf"), "{page}");
    let count = |request: &str| page.lines().filter(|line| *line == request).count();
    assert_eq!(count(".nf"), count(".fi"), "{page}");
}
