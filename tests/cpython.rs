//! What the rules of CPython say, held against CPython: the interpreter that is found as `python3` plays the same programs.

use std::io::Write as _;
use std::process::{Command, Stdio};

use crate::support::skipped;

mod asyncio;
mod pools;
mod threads;

/// The versions whose rules there are.
const VERSIONS: [&str; 4] = ["3.11", "3.12", "3.13", "3.14"];

/// The version of the interpreter, if there are rules for it; else it is told that the test is skipped.
fn version() -> Option<String> {
    let code = "import sys; print('%d.%d' % sys.version_info[:2], sys.implementation.name)";
    let output = Command::new("python3").args(["-c", code]).output();
    let said = output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    match said {
        Ok(said) if VERSIONS.iter().any(|version| said == format!("{version} cpython")) => {
            said.split(' ').next().map(str::to_owned)
        }
        Ok(said) => {
            skipped(&format!("python3 is `{said}`, and the rules are those of CPython {}", VERSIONS.join(", ")));
            None
        }
        Err(_) => {
            skipped("there is no python3");
            None
        }
    }
}

/// What the script says to this.
fn python(script: &str, input: &str) -> String {
    let mut command = Command::new("python3");
    command.args(["-c", script]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().expect("there is a python3");
    let mut stdin = child.stdin.take().expect("piped");
    let input = input.to_owned();
    let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
    let output = child.wait_with_output().expect("it runs");
    writer.join().expect("no panic").expect("it reads");
    assert!(output.status.success(), "the script fails");
    String::from_utf8(output.stdout).expect("text")
}
