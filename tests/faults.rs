//! Real runs where the system refuses something, or somebody ends them: in words and with a code, leaving nothing behind.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::thread::sleep;
use std::time::Duration;

use serde_json::Value;

use crate::support::{sim, skipped, temporary};

/// Two who wait for each other after a while.
const DEADLOCK: &str = r#"
    [[lock]]
    name = "l"
    [[lock]]
    name = "r"
    [[task]]
    name = "a"
    program = [{ lock = "l" }, { sleep = "5ms" }, { lock = "r" }, { unlock = "r" }, { unlock = "l" }]
    [[task]]
    name = "b"
    program = [{ lock = "r" }, { sleep = "5ms" }, { lock = "l" }, { unlock = "l" }, { unlock = "r" }]
"#;

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn a_measured_deadlock_is_called_one_and_is_a_finding() {
    let file = temporary("measured-deadlock", DEADLOCK).display().to_string();
    let measured = sim(&["measure", &file, "--json"]);
    let outcome: Value = serde_json::from_slice(&measured.stdout).expect("JSON");
    assert_eq!((measured.status.code(), outcome["end"].as_str()), (Some(1), Some("deadlock")));
    let why = outcome["explanation"].as_str().expect("a reason");
    assert!(why.contains("a waits since") && why.contains("held by b"), "{why}");
    let measured = sim(&["measure", &file]);
    let report = text(&measured.stdout);
    assert!(report.contains("measured: ended in a deadlock at") && report.contains("held by b"), "{report}");

    let compared = sim(&["compare", &file, "--runs", "2", "--json"]);
    assert_eq!(compared.status.code(), Some(1));
    let said = text(&compared.stderr);
    assert!(said.contains("finding: the simulation ended in a deadlock;"), "{said}");
    // On a busy machine one run may be kept.
    assert!(said.contains(" ended in a deadlock: deadlock in a cycle: a waits"), "{said}");
}

#[test]
fn a_measured_deadlock_of_some_is_a_finding_too() {
    let file = temporary(
        "measured-deadlock-of-some",
        r#"
        until = "40ms"
        lock = [{ name = "m" }]
        task = [
            { name = "a", program = [{ lock = "m" }, { sleep = "1ms" }, { lock = "m" }] },
            { name = "b", program = [{ repeat = "forever", do = [{ sleep = "1ms" }] }] },
        ]
        "#,
    );
    let file = file.display().to_string();
    let measured = sim(&["measure", &file, "--json"]);
    let outcome: Value = serde_json::from_slice(&measured.stdout).expect("JSON");
    assert_eq!((measured.status.code(), outcome["end"].as_str()), (Some(1), Some("horizon")));
    assert_eq!(outcome["findings"][0]["kind"], "deadlock");
    let compared = sim(&["compare", &file, "--runs", "2", "--json"]);
    assert_eq!(compared.status.code(), Some(1));
    let said = text(&compared.stderr);
    // On a busy machine one run may be kept: "the real run", not "2 of 2 real runs".
    let words =
        ["finding: the simulation ended with some tasks in a deadlock; ", " ended with some tasks in a deadlock: "];
    assert!(words.iter().all(|words| said.contains(words)) && said.contains(" real run"), "{said}");
}

#[test]
fn a_pool_that_is_another_than_the_scenario_has_says_so_where_it_gets_stuck() {
    let file = temporary(
        "pool-with-policy",
        r#"
        executor = { kind = "pool", workers = 1, policy = "sjf" }
        task = [
            { name = "outer", program = [{ spawn = "inner" }, { join = "inner" }] },
            { name = "inner", arrival = "spawned", program = [{ cpu = "2ms" }] },
        ]
        "#,
    );
    let measured = sim(&["measure", &file.display().to_string()]);
    let report = text(&measured.stdout);
    assert_eq!(measured.status.code(), Some(1), "{report}");
    for part in ["ended in a deadlock", "inner#0 waits", "one shared queue", "note: "] {
        assert!(report.contains(part), "{part}: {report}");
    }
}

/// Processes with a thread of this name.
fn named(name: &str) -> usize {
    let all = fs::read_dir("/proc").into_iter().flatten().flatten();
    all.filter(|entry| fs::read_to_string(entry.path().join("comm")).is_ok_and(|comm| comm.trim() == name)).count()
}

/// Waits until there are so many; says how many there are in the end.
fn await_named(name: &str, count: usize) -> usize {
    for _ in 0..300 {
        if named(name) == count {
            break;
        }
        sleep(Duration::from_millis(10));
    }
    named(name)
}

#[test]
fn nothing_outlives_a_measurement_that_is_killed() {
    let file = temporary(
        "orphans",
        r#"
        [[process]]
        name = "p"
        executor = "processes"
        [[process.task]]
        name = "orphan-parent"
        program = [{ spawn = "orphan-child" }, { join = "orphan-child" }]
        [[process.task]]
        name = "orphan-child"
        arrival = "spawned"
        program = [{ sleep = "50s" }]
        "#,
    );
    for signal in ["-KILL", "-TERM"] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sim"));
        command.arg("measure").arg(&file).stdout(Stdio::null()).stderr(Stdio::null());
        let mut measuring = command.spawn().expect("sim starts");
        let spawned = await_named("orphan-chil#0", 1);
        let process = measuring.id().to_string();
        let sent = Command::new("kill").args([signal, &process]).status().expect("kill");
        let _ = measuring.wait();
        assert!(sent.success());
        assert_eq!((spawned, await_named("orphan-chil#0", 0), await_named("orphan-parent", 0)), (1, 0, 0), "{signal}");
    }
}

#[test]
fn the_slices_of_the_kernel_are_as_before_whatever_happens() {
    const FILE: &str = "/proc/sys/kernel/sched_rr_timeslice_ms";
    let read = || std::fs::read_to_string(FILE).ok();
    let toml = "scheduler = { policy = \"round-robin\", quantum = \"28ms\" }\n[[task]]\nname = \"a\"\ncount = 2\n";
    let short = temporary("slices", &format!("{toml}program = [{{ cpu = \"1ms\" }}]")).display().to_string();
    let outcome: Value = serde_json::from_slice(&sim(&["measure", &short, "--json"]).stdout).expect("JSON");
    let set = outcome["recorded"]["notes"].to_string().contains("slices in SCHED_RR were set to 28ms");
    if !set || read().as_deref().map(str::trim) == Some("28") {
        return skipped("the kernel's slices cannot be set here, or another test sets them");
    }
    assert_eq!(outcome["recorded"]["policy_realised"], "approximated");
    let long = temporary("slices-long", &format!("{toml}program = [{{ sleep = \"50s\" }}]"));
    for signal in ["-KILL", "-TERM"] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sim"));
        command.arg("measure").arg(&long).stdout(Stdio::null()).stderr(Stdio::null());
        let mut measuring = command.spawn().expect("sim starts");
        let is_28 = || read().is_some_and(|text| text.trim() == "28");
        let set = (0..100).any(|_| {
            std::thread::sleep(Duration::from_millis(50));
            is_28()
        });
        let sent = Command::new("kill").args([signal, &measuring.id().to_string()]).status().expect("kill");
        let _ = measuring.wait();
        let back = (0..100).any(|_| {
            std::thread::sleep(Duration::from_millis(50));
            !is_28()
        });
        assert!(sent.success() && (back || !set), "{signal}: the slices are still {:?}", read());
    }
}

/// Runs `sim` where the system refuses system call `number`, if that can be had here.
fn refusing(number: u32, arguments: &[&str]) -> Option<Output> {
    let script = format!(
        "import ctypes, os, struct, sys\n\
         lib = ctypes.CDLL(None)\n\
         code = [(0x20, 0, 0, 0), (0x15, 1, 0, {number}), (0x06, 0, 0, 0x7FFF0000), (0x06, 0, 0, 0x00050001)]\n\
         raw = ctypes.create_string_buffer(b''.join(struct.pack('HBBI', *c) for c in code))\n\
         class Program(ctypes.Structure):\n    _fields_ = [('len', ctypes.c_ushort), ('filter', ctypes.c_void_p)]\n\
         program = Program(len(code), ctypes.cast(raw, ctypes.c_void_p))\n\
         lib.prctl(38, 1, 0, 0, 0)\n\
         if lib.prctl(22, 2, ctypes.byref(program), 0, 0) != 0: sys.exit(99)\n\
         os.execv(sys.argv[1], sys.argv[1:])\n"
    );
    let mut command = Command::new("python3");
    let output = command.args(["-c", &script, env!("CARGO_BIN_EXE_sim")]).args(arguments).output().ok()?;
    (cfg!(target_arch = "x86_64") && output.status.code() != Some(99)).then_some(output)
}

#[test]
fn where_threads_cannot_be_placed_that_is_said_and_nothing_is_compared() {
    let file = temporary("unplaced", "[[task]]\nname = \"a\"\ncount = 2\nprogram = [{ cpu = \"5ms\" }]");
    let file = file.display().to_string();
    const SCHED_SETAFFINITY: u32 = 203;
    let Some(measured) = refusing(SCHED_SETAFFINITY, &["measure", &file, "--json"]) else {
        return skipped("system calls cannot be filtered here, or python3 is missing");
    };
    let outcome: Value = serde_json::from_slice(&measured.stdout).expect("JSON");
    assert_eq!(outcome["recorded"]["placed"], false);
    assert!(text(&measured.stderr).contains("warning: this system does not let threads be kept on"));
    let compared = refusing(SCHED_SETAFFINITY, &["compare", &file, "--runs", "2", "--json"]).expect("as before");
    assert_eq!((compared.status.code(), compared.stdout.len()), (Some(2), 0));
    assert!(text(&compared.stderr).contains("sim: not compared: this system"), "{}", text(&compared.stderr));
    // Where they can be placed, they are.
    let outcome: Value = serde_json::from_slice(&sim(&["measure", &file, "--json"]).stdout).expect("JSON");
    assert_eq!(outcome["recorded"]["placed"], true);
}

#[test]
fn where_no_thread_can_be_started_there_is_a_sentence() {
    let nobody = "65534";
    for executor in ["threads", "async", "work-stealing", "pool", "processes"] {
        let toml =
            format!("executor = \"{executor}\"\n[[task]]\nname = \"a\"\ncount = 9\nprogram = [{{ cpu = \"1ms\" }}]");
        let program = Path::new(env!("CARGO_BIN_EXE_sim"));
        for most in 1..8 {
            let limited = format!("ulimit -u {most}; exec \"$0\" measure - --quiet");
            let mut command = Command::new("setpriv");
            command.args(["--reuid", nobody, "--regid", nobody, "--clear-groups", "bash", "-c", &limited]).arg(program);
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
            let Ok(mut limited) = command.spawn() else { return skipped("there is no setpriv") };
            let _ = std::io::Write::write_all(&mut limited.stdin.take().expect("a pipe"), toml.as_bytes());
            let output = limited.wait_with_output().expect("it ends");
            let said = text(&output.stderr);
            if said.contains("setpriv") || said.contains("Permission denied") {
                return skipped("another user cannot run this");
            }
            let code = output.status.code();
            assert!(matches!(code, Some(0 | 2)), "{executor}, {most}: {code:?} {said}");
            assert!(!said.contains("panicked"), "{executor}, {most}: {said}");
            assert!(code == Some(0) || said.contains("hint: "), "{executor}, {most}: {said}");
        }
    }
}
