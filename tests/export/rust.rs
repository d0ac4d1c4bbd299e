//! Programs of Rust. Those with tokio are built in a package of their own, without a network.

use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex};

use super::given::*;
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
    for (name, program) in programs {
        fs::write(folder.join(format!("src/bin/{name}.rs")), program).expect("written");
    }
    let found = cargo().args(["fetch", "--offline"]).output();
    if !found.is_ok_and(|output| output.status.success()) {
        skipped("tokio is not there without a network");
        return None;
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

/// The programs of the configurations, and those that have none.
fn of_configs() -> (Vec<(String, String)>, Vec<String>) {
    let programs = std::cell::RefCell::new(Vec::new());
    let refused = refused_configs("rust", |name, text| {
        programs.borrow_mut().push((name.to_owned(), text.to_owned()));
    });
    (programs.into_inner(), refused)
}

#[test]
fn every_scenario_has_a_program_that_compiles_or_a_reason() {
    let (mut programs, refused) = of_configs();
    expect_test::expect!["container-one-cpu.toml container-quota.toml disk-disciplines.toml fair-share.toml firm-deadlines.toml goroutines.toml hedged-requests.toml java-pool.toml one-task-many-futures.toml policies/constant-bandwidth-server.toml policies/deadline-monotonic.toml policies/edf.toml policies/llf.toml policies/rate-monotonic.toml priority-inversion.toml python/pool-processes.toml real-time/server-constant-bandwidth.toml real-time/server-deferrable.toml real-time/server-polling.toml real-time/server-sporadic.toml reneging.toml retries.toml stolen-wakeup-hoare.toml three-pools.toml"].assert_eq(&refused.join(" "));
    are_formatted(&programs);
    // Those with tokio are compiled where that is.
    programs.retain(|(_, program)| !program.contains("tokio::"));
    compiled(&as_modules(&programs));
}

fn program_of(toml: &str) -> String {
    exported("rust", toml, "test.toml").unwrap_or_else(|why| panic!("{why}\n{toml}"))
}

/// Runs a program, and gives what it prints; `None` where it cannot be compiled.
fn ran(toml: &str) -> Option<String> {
    Some(run(&mut Command::new(compiled(&program_of(toml))?)))
}

fn all_names(printed: &str) -> String {
    names(printed).into_iter().collect::<Vec<_>>().join(" ")
}

/// Those whose programs have the standard library alone.
const EXECUTORS: [&str; 4] = ["\"sequential\"", "\"threads\"", "\"processes\"", "{ kind = \"pool\", workers = 2 }"];

#[test]
fn programs_of_every_executor_run() {
    for executor in EXECUTORS {
        let mut text = arriving(executor);
        if executor == "\"processes\"" {
            let why = exported("rust", &text, "x").unwrap_err();
            assert!(why.contains("the lock `m`: Rust's standard library has nothing that processes share"), "{why}");
            text = text.replace("{ with = \"m\", do = [{ cpu = \"1ms\" }] }", "{ cpu = \"1ms\" }");
            text = text.replace("{ lock = \"m\" }, ", "").replace(", { unlock = \"m\" }", "");
            text = text.replace("channels = 2", "channels = \"unlimited\"");
        }
        let Some(printed) = ran(&text) else { return };
        assert_eq!(all_names(&printed), "p/A#0 p/A#1 p/B#0 p/B#1 p/last#0 total", "{executor}: {printed}");
        let lines: Vec<&str> = printed.lines().collect();
        assert!(lines[0].contains(" ms … ") && lines.len() == 6 && lines[5].starts_with("total "), "{printed}");
        assert!(lines[4].starts_with("p/last#0"), "it starts after all others: {printed}");
    }
}

#[test]
fn objects_of_threads_work() {
    let Some(printed) = ran(&objects("\"threads\"", true)) else { return };
    assert_eq!(all_names(&printed), "p/one#0 p/two#0 total", "{printed}");
    // Python's library has none of these.
    let text = "[[rwlock]]\nname = \"w\"\n[[semaphore]]\nname = \"s\"\npermits = 2\n[[channel]]\nname = \"c\"\ncapacity = 0\n[[lock]]\nname = \"m\"\n[[lock]]\nname = \"kept\"\n\
        [[task]]\nname = \"A\"\nprogram = [{ write = \"w\", do = [{ acquire = \"s\", count = 2, do = [\"yield\"] }] }, { lock = \"m\" }, \
        { repeat = 2, do = [{ unlock = \"m\" }, { send = \"c\" }, { lock = \"m\" }] }, { choose = [[1, [{ unlock = \"m\" }, \"yield\"]], [1, [{ unlock = \"m\" }]]] }]\n\
        [[task]]\nname = \"B\"\nprogram = [{ read = \"w\" }, { read = \"w\", do = [] }, { unlock = \"w\" }, { repeat = 2, do = [{ recv = \"c\" }] }, { lock = \"m\" }, { unlock = \"m\" }]\n\
        [[task]]\nname = \"C\"\nafter = [\"B\"]\nprogram = [{ lock = \"kept\" }]\n";
    let Some(printed) = ran(text) else { return };
    assert_eq!(all_names(&printed), "main/A#0 main/B#0 main/C#0 total", "{printed}");
}

#[test]
fn variables_and_conditions_are_those_of_rust() {
    let long = |name: &str| format!("number-{name}");
    let [one, two] = ["one", "two"].map(long);
    let conditions = format!(
        "[[variable]]\nname = \"x\"\n[[variable]]\nname = \"{one}\"\n[[variable]]\nname = \"{two}\"\n[[task]]\nname = \"t\"\nprogram = [\
         {{ if = \"x == 0\", do = [{{ if = \"x < 1\", do = [{{ choose = [[1, [{{ if = \"x > 0\", do = [\"yield\"] }}]], [1, []]] }}] }}] }}, \
         {{ choose = [[1, [{{ if = \"x == 0\", do = [\"yield\"] }}]], [1, []]] }}, {{ if = \"x == 0\", do = [\"yield\"], else = [\"yield\"] }}, \
         {{ if = \"x == 0\", do = [\"yield\"], else = [{{ if = \"x == 1\", do = [{{ cpu = \"1us\" }}], else = [\"yield\"] }}] }}, \
         {{ if = \"x != 0\", do = [], else = [{{ set = \"x\", to = 3 }}] }}, {{ while = \"x < 3 and {one} <= {two}\", do = [{{ add = \"x\", by = -1 }}] }}, \
         {{ choose = [[1, [{{ if = \"x == 0\", do = [\"yield\"] }}]], [1, [{{ cpu = \"1us\" }}]], [1, []]] }}]\n"
    );
    let programs = [("conditions", program_of(&conditions)), ("counting", program_of(&counting("\"threads\"")))];
    assert!(
        programs[0].1.contains("if X.load(Ordering::SeqCst) == 0\n        && X.load(Ordering::SeqCst) < 1\n        && random() < 1.0 / 2.0\n"),
        "{}",
        programs[0].1
    );
    are_formatted(&programs.clone().map(|(name, program)| (name.to_owned(), program)));
    let Some(program) = compiled(&programs[0].1) else { return };
    assert_eq!(run(&mut Command::new(program)).lines().count(), 2);
    let printed = ran(&counting("\"threads\"")).expect("compiled");
    assert_eq!(all_names(&printed), "p/giver#0 p/judge#0 p/right#0 p/taker#0 total", "{printed}");
    let why = exported("rust", &counting("\"processes\""), "x").unwrap_err();
    assert!(why.contains("the variable `items` is used by several processes"), "{why}");
}

#[test]
fn spawned_tasks_run_and_are_waited_for() {
    let Some(printed) = ran(&spawning("\"threads\"")) else { return };
    assert_eq!(all_names(&printed), "p/leaf#0 p/leaf#1 p/root#0 p/tail#0 total", "{printed}");
    for executor in [EXECUTORS[0], EXECUTORS[2], EXECUTORS[3]] {
        let why = exported("rust", &spawning(executor), "x").unwrap_err();
        assert!(why.contains("`spawn`") && why.contains("`threads` or `async`"), "{why}");
    }
}

/// The horizon has come, and one is told as not ended.
fn is_given_up(printed: &str, executor: &str) {
    let line = |name: &str| {
        printed.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("{executor}: {printed}"))
    };
    assert!(line("p/endless#0").ends_with("not ended") && !line("total").is_empty(), "{printed}");
}

#[test]
fn the_horizon_ends_what_never_ends() {
    for executor in EXECUTORS {
        let Some(printed) = ran(&endless(executor)) else { return };
        is_given_up(&printed, executor);
    }
}

#[test]
fn all_laws_can_be_drawn() {
    let Some(printed) = ran(&laws()) else { return };
    assert_eq!(names(&printed).len(), 3, "{printed}");
}

#[test]
fn names_are_names_of_rust() {
    let (text, count) = names_of_all_kinds();
    let program = exported("rust", &text, "names\n//.toml").expect("a program");
    let Some(program) = compiled(&program) else { return };
    let printed = run(&mut Command::new(program));
    assert_eq!(printed.lines().count(), count + 1, "{printed}");
}

/// All of tokio in one test: the package is built once.
#[test]
fn programs_with_tokio_run() {
    let executor = "\"async\"";
    let stealing = "{ kind = \"work-stealing\", workers = 2 }";
    let programs = [
        ("arriving", arriving(executor)),
        ("stealing", arriving(stealing)),
        ("objects", objects(executor, true)),
        ("spawning", spawning(executor)),
        ("endless", endless(executor)),
        ("processes", processes()),
        ("pool", with_pool(executor)),
    ];
    let (mut of_configs, _) = of_configs();
    of_configs.retain(|(_, program)| program.contains("tokio::"));
    let mut texts: Vec<(&str, String)> = programs.iter().map(|(name, toml)| (*name, program_of(toml))).collect();
    assert!(texts[6].1.contains("tokio::task::spawn_blocking(request_threads)"), "{}", texts[6].1);
    texts.push(("configs", as_modules(&of_configs)));
    let Some(binaries) = with_tokio(&texts) else { return };
    let printed = |name: &str| {
        let place = texts.iter().position(|(other, _)| *other == name).expect("it is built");
        run(&mut Command::new(&binaries[place]))
    };
    for name in ["arriving", "stealing"] {
        let printed = printed(name);
        assert_eq!(all_names(&printed), "p/A#0 p/A#1 p/B#0 p/B#1 p/last#0 total", "{name}: {printed}");
        assert!(printed.lines().nth(4).is_some_and(|line| line.starts_with("p/last#0")), "{printed}");
    }
    assert_eq!(all_names(&printed("objects")), "p/one#0 p/two#0 total");
    assert_eq!(all_names(&printed("spawning")), "p/leaf#0 p/leaf#1 p/root#0 p/tail#0 total");
    assert_eq!(all_names(&printed("pool")), "p/request#0 p/request#1 total");
    is_given_up(&printed("endless"), executor);
    let several = names(&printed("processes"));
    assert_eq!(several.len(), 5 * 2 * 2 + 1, "{several:?}");
    assert!(several.contains("async#1/t#1") && several.contains("processes#0/t#0"), "{several:?}");
}

#[test]
fn programs_read_as_people_write_them() {
    let programs = ["threads", "async", "processes"].map(|executor| {
        let text = readers(executor);
        // Processes share nothing.
        let text = if executor == "processes" {
            text.replace("{ with = \"the table\", do = [{ io = \"disk\", for = \"2ms\" }] }, ", "")
        } else {
            text
        };
        (format!("readers-{executor}"), exported("rust", &text, "readers.toml").unwrap_or_else(|why| panic!("{why}")))
    });
    expect_test::expect_file!["readers-threads.rs.txt"].assert_eq(&programs[0].1);
    expect_test::expect_file!["readers-async.rs.txt"].assert_eq(&programs[1].1);
    expect_test::expect_file!["readers-processes.rs.txt"].assert_eq(&programs[2].1);
    are_formatted(&programs);
}

#[test]
fn branches_and_long_names_are_as_tools_would_have_them() {
    let branches = "{ choose = [[1, [{ choose = [[1, []], [2, [{ choose = [[1, [\"yield\"]], [3, []]] }]]] }]], [1, []]] }, \
        { choose = [[1, [\"yield\"]], [1, [{ choose = [[1, [{ cpu = \"2us\" }]], [2, [{ cpu = \"1us\" }]]] }]]] }, \
        { choose = [[1, [{ choose = [[1, []], [1, [\"yield\"]]] }]], [1, [{ repeat = 2, do = [] }]], [2, []]] }, \
        { choose = [[1, [\"yield\"]], [1, []], [2, [{ choose = [[1, []], [1, []], [1, [\"yield\"]]] }]]] }, \
        { choose = [[1, [\"yield\"]], [1, [\"yield\"]]] }, { repeat = 5000000000, do = [{ repeat = 0, do = [] }] }";
    let long = "a lock with a rather long name indeed";
    let locks = format!(
        "{{ lock = \"{long}\" }}, {{ repeat = 2, do = [{{ unlock = \"{long}\" }}, {{ lock = \"{long}\" }}] }}, {{ unlock = \"{long}\" }}, \
         {{ repeat = 1, do = [{{ with = \"{long}\", do = [\"yield\"] }}] }}"
    );
    let task = |name: &str, program: &str| {
        format!("[[task]]\nname = \"{name}\"\narrival = {{ every = \"1ms\" }}\nprogram = [{program}]\n")
    };
    let tasks = [task("branches", branches), task("a task that is called like this and even longer", &locks)];
    let text = format!("[[lock]]\nname = \"{long}\"\n{}", tasks.concat());
    let program = program_of(&text);
    are_formatted(&[("branches".to_owned(), program.clone())]);
    let Some(program) = compiled(&program) else { return };
    assert_eq!(run(&mut Command::new(program)).lines().count(), 3);
}
