//! `sim export`: programs of other languages that do what a scenario says. They compile, and small ones run; how long they take
//! is the machine's business.

use std::collections::BTreeSet;
use std::fs;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use sim_cli::program::{LANGUAGES, Written, program};

use crate::support::{configs, root, scenario, sim, skipped, temporary, temporary_folder};

mod given;
mod python;
mod rust;

/// A program of this language, or why there is none.
fn exported(to: &str, toml: &str, file: &str) -> Result<String, String> {
    let language = LANGUAGES.iter().find(|language| language.name == to).expect("a language");
    let scenario = scenario(toml);
    program(language, &scenario, &Written { file, text: toml, sets: &[] }).map_err(|refused| {
        assert!(!refused.is_empty());
        assert!(refused.iter().all(|refusal| !refusal.what.is_empty() && !refusal.instead.is_empty()));
        refused.iter().map(|refusal| format!("{}; {}\n", refusal.what, refusal.instead)).collect()
    })
}

/// A number that differs between programs, for the names of folders.
fn fingerprint(text: &str) -> u64 {
    text.bytes().fold(7, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(byte)))
}

/// What a program prints: the names at the beginnings of its lines.
fn names(printed: &str) -> BTreeSet<String> {
    printed.lines().filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect()
}

/// Those of the configurations that have no program in this language, by their names.
fn refused_configs(to: &str, compiles: impl Fn(&str, &str)) -> Vec<String> {
    let mut refused = Vec::new();
    for path in configs() {
        let toml = fs::read_to_string(&path).expect("readable");
        let name = path.strip_prefix(root().join("configs")).expect("inside").display().to_string();
        match exported(to, &toml, &name) {
            Ok(program) => compiles(&name, &program),
            Err(_) => refused.push(name),
        }
    }
    refused
}

#[test]
fn what_is_refused_is_named_with_what_to_do_instead() {
    let path = temporary(
        "export-refused",
        "[[rwlock]]\nname = \"table\"\n[[process]]\nname = \"p\"\nexecutor = \"goroutines\"\n[[process.task]]\nname = \"t\"\n\
         program = [{ read = \"table\", do = [{ cpu = \"1ms\" }] }]\n",
    );
    let path = path.display().to_string();
    let output = sim(&["export", &path, "--to", "python"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty());
    let said = String::from_utf8_lossy(&output.stderr).replace(&path, "FILE");
    expect_test::expect![[r#"
        sim: cannot export FILE to python:
        the executor `goroutines` of process p has no counterpart in a standard library
        hint: choose another: --set process.p.executor=async, or threads, or pool
    "#]]
    .assert_eq(&said);
    let output = sim(&["export", &path, "--to", "python", "--set", "process.p.executor=threads"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.code() == Some(2) && said.contains("the rwlock `table`"), "{said}");
}

#[test]
fn a_program_goes_to_standard_output_or_into_a_file() {
    let out = temporary_folder("export-out").join("a.py");
    let name = out.display().to_string();
    let config = "configs/io-bound-threads.toml";
    let printed = sim(&["export", config, "--to", "python"]);
    assert!(printed.status.success() && printed.stderr.is_empty());
    let written = sim(&["export", config, "--to", "python", "-o", &name]);
    assert!(written.status.success() && written.stdout.is_empty());
    assert_eq!(fs::read(&out).expect("written"), printed.stdout);
    let over = sim(&["export", config, "--to", "python", "-o", config]);
    assert_eq!(over.status.code(), Some(2), "a scenario is never overwritten");
    let unknown = sim(&["export", config, "--to", "cobol"]);
    let said = String::from_utf8_lossy(&unknown.stderr).into_owned();
    assert!(unknown.status.code() == Some(2) && said.contains("python"), "{said}");
}

/// Runs a command that must end well, and gives what it prints.
fn run(command: &mut Command) -> String {
    let mut child =
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    // What never ends would never let the tests end.
    let given_up = Instant::now() + Duration::from_secs(60);
    while child.try_wait().expect("it can be asked").is_none() {
        if Instant::now() > given_up {
            child.kill().expect("it can be ended");
            panic!("{command:?} does not end");
        }
        sleep(Duration::from_millis(5));
    }
    let output = child.wait_with_output().expect("it has ended");
    let [out, err] = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    assert!(output.status.success(), "{command:?}: {out}{err}");
    out
}
