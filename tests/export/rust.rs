//! Programs of Rust. Those with tokio are built in a package of their own, without a network.

use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex};

use super::*;

/// Is there something that answers to `--version`?
fn is_there(command: &str) -> bool {
    let there = Command::new(command).arg("--version").output().is_ok_and(|output| output.status.success());
    if !there {
        skipped(&format!("there is no {command}"));
    }
    there
}

/// The compiler, with the lints of clippy where it has them.
fn compiler() -> Option<&'static str> {
    static COMPILER: LazyLock<Option<&str>> =
        LazyLock::new(|| ["clippy-driver", "rustc"].into_iter().find(|name| is_there(name)));
    *COMPILER
}

fn compile(command: &mut Command, what: &str) {
    // Compilers of several tests at once would take the processors from tests that measure.
    static ONE: Mutex<()> = Mutex::new(());
    let _one = ONE.lock();
    let output = command.output().expect("the compiler starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && !said.contains("warning"), "{what}:\n{said}");
}

/// Compiles a program of the standard library; `None` where there is no compiler.
fn compiled(program: &str) -> Option<PathBuf> {
    let compiler = compiler()?;
    let folder = temporary_folder(&format!("export-{}", fingerprint(program)));
    let source = folder.join("program.rs");
    fs::write(&source, program).expect("written");
    let binary = folder.join("program");
    // As people call it: without an edition.
    compile(Command::new(compiler).args(["-D", "warnings", "-o"]).args([&binary, &source]), program);
    Some(binary)
}

/// The package for programs with tokio, of the version that the workspace has; `None` if it cannot be built here.
fn with_tokio(programs: &[(&str, String)]) -> Option<Vec<PathBuf>> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("export-tokio");
    let _ = fs::remove_dir_all(folder.join("src"));
    fs::create_dir_all(folder.join("src/bin")).expect("a folder");
    let manifest = "[package]\nname = \"programs\"\nversion = \"0.1.0\"\nedition = \"2021\"\n[workspace]\n[dependencies]\n\
        tokio = { version = \"1\", features = [\"rt-multi-thread\", \"sync\", \"time\"] }\n";
    fs::write(folder.join("Cargo.toml"), manifest).expect("written");
    fs::copy(root().join("Cargo.lock"), folder.join("Cargo.lock")).expect("there is a lock");
    let cargo = || {
        let mut cargo = Command::new(std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned()));
        // What is built does not depend on how the tests are.
        cargo.current_dir(&folder).env("CARGO_TARGET_DIR", folder.join("target")).env_remove("RUSTFLAGS");
        cargo
    };
    let found = cargo().args(["fetch", "--offline"]).output();
    if !found.is_ok_and(|output| output.status.success()) {
        skipped("tokio is not there without a network");
        return None;
    }
    for (name, program) in programs {
        fs::write(folder.join(format!("src/bin/{name}.rs")), program).expect("written");
    }
    let wrapper = compiler()?;
    let mut build = cargo();
    build.args(["build", "--offline", "--quiet", "--jobs", "2"]).env("RUSTFLAGS", "-D warnings");
    if wrapper == "clippy-driver" {
        build.env("RUSTC_WORKSPACE_WRAPPER", wrapper);
    }
    compile(&mut build, "programs with tokio");
    Some(programs.iter().map(|(name, _)| folder.join("target/debug").join(name)).collect())
}

/// All programs as one, each a module, to be compiled at once.
fn as_modules(programs: &[(String, String)]) -> String {
    let mut text = String::new();
    for (number, (name, program)) in programs.iter().enumerate() {
        let program = program.replace("\nfn main()", "\npub fn main()");
        text += &format!("// {name}\nmod program_{number} {{\n{program}\n}}\n");
    }
    let calls = (0..programs.len()).map(|number| format!("    program_{number}::main();\n"));
    format!("{text}fn main() {{\n{}}}\n", calls.collect::<String>())
}

/// Programs are as rustfmt would have them.
fn are_formatted(programs: &[(String, String)]) {
    if !is_there("rustfmt") {
        return;
    }
    let folder = temporary_folder("export-rustfmt");
    // The rules of this repository are not theirs.
    fs::write(folder.join("rustfmt.toml"), "").expect("written");
    let mut command = Command::new("rustfmt");
    command.args(["--check", "--edition", "2021"]);
    for (name, program) in programs {
        let file = folder.join(format!("{}.rs", name.replace('/', "-")));
        fs::write(&file, program).expect("written");
        command.arg(file);
    }
    let output = command.output().expect("rustfmt");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

#[test]
fn every_scenario_has_a_program_that_compiles_or_a_reason() {
    let programs = std::cell::RefCell::new(Vec::new());
    let refused = refused_configs("rust", |name, text| {
        programs.borrow_mut().push((name.to_owned(), text.to_owned()));
    });
    expect_test::expect!["disk-disciplines.toml fair-share.toml goroutines.toml policies/constant-bandwidth-server.toml policies/deadline-monotonic.toml policies/edf.toml policies/llf.toml policies/rate-monotonic.toml priority-inversion.toml python/pool-processes.toml"].assert_eq(&refused.join(" "));
    let programs = programs.into_inner();
    are_formatted(&programs);
    let (tokio, std): (Vec<_>, Vec<_>) = programs.into_iter().partition(|(_, program)| program.contains("tokio::"));
    compiled(&as_modules(&std));
    with_tokio(&[("all", as_modules(&tokio))]);
}
