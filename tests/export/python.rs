//! Programs of Python.

use std::io::Write as _;

use super::given::*;
use super::*;

/// Is there a Python 3.9 or newer?
fn python() -> bool {
    let code = "import sys; print(sys.version_info >= (3, 9), sys.version_info >= (3, 11))";
    match Command::new("python3").args(["-c", code]).output() {
        Ok(output) if output.stdout.starts_with(b"True") => true,
        _ => {
            skipped("there is no python3 of version 3.9 or newer");
            false
        }
    }
}

/// Compiles programs, each with its name, and runs none.
fn compile(programs: &[(String, String)]) {
    if !python() {
        return;
    }
    // One interpreter for all: it takes a while to start.
    let code = "import sys\nfor part in sys.stdin.read().split('\\0'):\n    name, text = part.split('\\1')\n    compile(text, name, 'exec')";
    let mut child = Command::new("python3")
        .args(["-c", code])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("python3");
    let all: Vec<String> = programs.iter().map(|(name, text)| format!("{name}\u{1}{text}")).collect();
    child.stdin.take().expect("piped").write_all(all.join("\0").as_bytes()).expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn every_scenario_has_a_program_that_compiles_or_a_reason() {
    let programs = std::cell::RefCell::new(Vec::new());
    let refused = refused_configs("python", |name, text| {
        programs.borrow_mut().push((name.to_owned(), text.to_owned()));
        // At the head stands what the file says, as wide as it is.
        for line in text.lines().skip_while(|line| !line.starts_with("import ")) {
            assert!(line == line.trim_end() && line.chars().count() <= 120, "{name}: {line}");
        }
    });
    compile(&programs.into_inner());
    expect_test::expect!["container-one-cpu.toml container-quota.toml disk-disciplines.toml fair-share.toml firm-deadlines.toml goroutines.toml hedged-requests.toml java-pool.toml one-task-many-futures.toml policies/constant-bandwidth-server.toml policies/deadline-monotonic.toml policies/edf.toml policies/llf.toml policies/rate-monotonic.toml priority-inversion.toml readers-writers.toml real-time/server-constant-bandwidth.toml real-time/server-deferrable.toml real-time/server-polling.toml real-time/server-sporadic.toml reneging.toml retries.toml stolen-wakeup-hoare.toml three-pools.toml work-stealing.toml"]
    .assert_eq(&refused.join(" "));
}

#[test]
fn a_program_reads_as_people_write_it() {
    let program = exported("python", &readers("threads"), "readers.toml").expect("a program");
    expect_test::expect_file!["../expected/readers.py"].assert_eq(&program);
}

/// Runs a program, and gives the names of the tasks that it prints.
fn ran(toml: &str) -> String {
    let program = exported("python", toml, "test.toml").unwrap_or_else(|why| panic!("{why}"));
    compile(&[("test".to_owned(), program.clone())]);
    let path = temporary_folder(&format!("export-{}", fingerprint(&program))).join("program.py");
    fs::write(&path, &program).expect("written");
    run(Command::new("python3").arg(&path))
}

const EXECUTORS: [&str; 6] = [
    "\"sequential\"",
    "\"threads\"",
    "\"async\"",
    "\"processes\"",
    "{ kind = \"pool\", workers = 2 }",
    "{ kind = \"pool\", workers = 2, of = \"processes\" }",
];

#[test]
fn programs_of_every_executor_run() {
    if !python() {
        return;
    }
    for executor in EXECUTORS {
        let printed = ran(&arriving(executor));
        let names = names(&printed).into_iter().collect::<Vec<_>>().join(" ");
        assert_eq!(names, "p/A#0 p/A#1 p/B#0 p/B#1 p/last#0 total", "{executor}: {printed}");
        let lines: Vec<&str> = printed.lines().collect();
        assert!(lines[0].contains(" ms … ") && lines.len() == 6 && lines[5].starts_with("total "), "{printed}");
        let last = lines[4];
        assert!(last.starts_with("p/last#0"), "it starts after all others: {printed}");
    }
}

#[test]
fn objects_of_every_executor_work() {
    if !python() {
        return;
    }
    for executor in &EXECUTORS[1..] {
        // Barriers of asyncio are younger than Python 3.9.
        let printed = ran(&objects(executor, *executor != "\"async\""));
        let names = names(&printed).into_iter().collect::<Vec<_>>().join(" ");
        assert_eq!(names, "p/one#0 p/two#0 total", "{executor}: {printed}");
    }
}

#[test]
fn variables_and_conditions_are_those_of_python() {
    let program = exported("python", &counting("\"threads\""), "x").expect("a program");
    assert!(program.contains("\nitems = 0\nif_variable = -2\ntaken = 7\n"), "{program}");
    assert!(program.contains("def taker():\n    global items, taken\n    for _ in range(3):\n        with m:\n            while items == 0:\n                filled.wait()\n            items -= 1\n"), "{program}");
    assert!(program.contains("    if items == 0 and taken == 3:\n        if if_variable > items:\n"), "{program}");
    assert!(program.contains("    elif items <= if_variable:\n"), "{program}");
    assert!(program.contains("    if taken < 3:\n        spawn("), "{program}");
    for executor in ["\"threads\"", "\"async\"", "{ kind = \"pool\", workers = 3 }"].into_iter().filter(|_| python()) {
        let names = names(&ran(&counting(executor))).into_iter().collect::<Vec<_>>().join(" ");
        assert_eq!(names, "p/giver#0 p/judge#0 p/right#0 p/taker#0 total", "{executor}");
    }
    let why = exported("python", &counting("\"processes\""), "x").unwrap_err();
    assert!(why.contains("the variable `items` is used by several processes"), "{why}");
}

#[test]
fn spawned_tasks_run_and_are_waited_for() {
    if !python() {
        return;
    }
    for executor in &EXECUTORS[1..5] {
        let printed = ran(&spawning(executor));
        let names = names(&printed).into_iter().collect::<Vec<_>>().join(" ");
        assert_eq!(names, "p/leaf#0 p/leaf#1 p/root#0 p/tail#0 total", "{executor}: {printed}");
    }
    let why = exported("python", &spawning(EXECUTORS[0]), "x").unwrap_err();
    assert!(why.contains("`spawn`") && why.contains("`threads`, `async`, `pool` or `processes`"), "{why}");
    // It is a pool already: its workers are what does not fit.
    let why = exported("python", &spawning(EXECUTORS[5]), "x").unwrap_err();
    assert!(why.contains("workers that are processes; let its workers be threads: of = \"threads\""), "{why}");
    assert!(!why.contains("`pool`, or") && !why.contains("`pool` or"), "{why}");
}

#[test]
fn the_horizon_ends_what_never_ends() {
    if !python() {
        return;
    }
    for executor in &EXECUTORS[..5] {
        let printed = ran(&endless(executor));
        let line = |name: &str| {
            printed.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("{executor}: {printed}"))
        };
        assert!(line("p/endless#0").ends_with("not ended") && !line("total").is_empty(), "{printed}");
    }
}

#[test]
fn several_processes_are_several_in_python_too() {
    if !python() {
        return;
    }
    let processes = processes();
    let printed = ran(&processes);
    let names = names(&printed);
    assert_eq!(names.len(), 5 * 2 * 2 + 1, "{printed}");
    assert!(names.contains("async#1/t#1") && names.contains("processes#0/t#0"), "{printed}");
    let shared =
        format!("[[lock]]\nname = \"m\"\n{processes}").replace("{ sleep = \"1ms\" }", "{ with = \"m\", do = [] }");
    let why = exported("python", &shared, "x").unwrap_err();
    assert!(why.contains("the lock `m` is used by several processes"), "{why}");
    let why = exported("python", &format!("until = \"1s\"\n{processes}"), "x").unwrap_err();
    assert!(why.contains("`until` with a process for each task"), "{why}");
    let spawns = ["threads", "async"].map(|executor| {
        let text =
            process(executor).replace("count = 2\n[[", "[[").replace("{ cpu = \"1ms\" }", "{ spawn = \"child\" }");
        format!("{text}[[process.task]]\nname = \"child\"\narrival = \"spawned\"\nprogram = [\"yield\"]\n")
    });
    let why = exported("python", &spawns.concat(), "x").unwrap_err();
    assert!(why.contains("`spawn` in processes with different executors"), "{why}");
}

/// Processes that are started in different ways, and a task that comes late in one of them.
fn ways(late: &str, start: &str) -> String {
    let own = |name: &str, executor: &str, arrival: &str| {
        format!(
            "[[process]]\nname = \"{name}\"\nruntime = \"cpython\"\nexecutor = {executor}\n[[process.task]]\nname = \"t\"\narrival = \"{arrival}\"\n\
             program = [{{ with = \"{name}\", do = [{{ cpu = \"1ms\" }}] }}]\n"
        )
    };
    let started = format!("{{ kind = \"processes\", start = \"{start}\" }}");
    let pool = format!("{{ kind = \"pool\", of = \"processes\", workers = 1, start = \"{start}\" }}");
    let all = [
        own("loop", "\"async\"", "0ms"),
        own("jobs", &started, late),
        own("forked", "\"processes\"", "0ms"),
        own("pool", &pool, "0ms"),
    ];
    let locks = ["loop", "jobs", "forked", "pool"].map(|name| format!("[[lock]]\nname = \"{name}\"\n"));
    locks.concat() + &all.concat()
}

#[test]
fn each_process_is_started_in_its_own_way_and_begins_with_the_others() {
    let text = ways("5ms", "spawn");
    let program = exported("python", &text, "x").expect("a program");
    for line in [
        "\nspawn_context = multiprocessing.get_context(\"spawn\")\n",
        " gate = spawn_context.Barrier(4)\n",
        " jobs = spawn_context.Lock()\n",
        "spawn_context.Process(target=together, args=(gate, begin, run_process, \"jobs/t#0\", ",
        "multiprocessing.Process(target=together, args=(gate, begin, run_process, \"forked/t#0\", ",
        "ProcessPoolExecutor(max_workers=1, mp_context=spawn_context, initializer=share, ",
    ] {
        assert!(program.contains(line), "{line}: {program}");
    }
    assert!(!program.contains("set_start_method"), "{program}");
    if !python() {
        return;
    }
    for start in ["spawn", "forkserver", "fork"] {
        let printed = ran(&ways("5ms", start));
        let found = names(&printed).into_iter().collect::<Vec<_>>().join(" ");
        assert_eq!(found, "forked/t#0 jobs/t#0 loop/t#0 pool/t#0 total", "{start}: {printed}");
        // To start an interpreter takes longer than others have to wait: who comes then comes on time.
        let began = |name: &str| -> f64 {
            let line = printed.lines().find(|line| line.starts_with(name)).expect("it is there");
            line.split_whitespace().nth(1).and_then(|ms| ms.parse().ok()).expect("a time")
        };
        assert!(began("jobs/t#0") >= 5.0, "{printed}");
    }
    let after = format!("{text}[[process.task]]\nname = \"u\"\nafter = [\"t\"]\nprogram = []\n")
        .replace("kind = \"pool\", of = \"processes\", workers = 1", "kind = \"processes\"");
    let why = exported("python", &after, "x").unwrap_err();
    assert!(why.contains("`after` with a process for each task beside other processes"), "{why}");
}

#[test]
fn a_program_that_is_too_new_for_an_interpreter_says_so() {
    let program = exported("python", &objects("\"async\"", true), "x").expect("a program");
    assert!(program.contains("\nIt needs Python 3.11 or newer, which has asyncio.Barrier.\n"), "{program}");
    let check = "import sys\nimport time\n\nif sys.version_info < (3, 11):\n    sys.exit(\"this program needs Python 3.11 or newer, ";
    assert!(program.contains(check), "{program}");
    compile(&[("barrier".to_owned(), program)]);
    for (executor, barrier) in [("\"async\"", false), ("\"threads\"", true)] {
        assert!(!exported("python", &objects(executor, barrier), "x").expect("a program").contains("3.11"));
    }
}

#[test]
fn names_are_names_of_python() {
    let (text, names) = names_of_all_kinds();
    let program = exported("python", &text, "names\n\"\"\".toml").expect("a program");
    let defined: Vec<&str> = program.lines().filter_map(|line| line.strip_prefix("def ")).collect();
    let distinct: BTreeSet<&&str> = defined.iter().collect();
    assert_eq!(distinct.len(), defined.len(), "{program}");
    if python() {
        let printed = ran(&text);
        assert_eq!(printed.lines().count(), names + 1, "{printed}");
    }
}

#[test]
fn all_laws_can_be_drawn() {
    let text = laws();
    if python() {
        let printed = ran(&text);
        assert_eq!(names(&printed).len(), 3, "{printed}");
    }
}

#[test]
fn what_the_interpreter_lock_makes_of_a_deadlock_is_said() {
    let text = fs::read_to_string(root().join("configs/deadlock.toml")).expect("readable");
    let said = "- the deadlock of `left fork`, `right fork`, as surely: under the GIL, who computes for less than 5 ms";
    let program = exported("python", &text, "x").expect("a program");
    assert!(program.contains(said), "{program}");
    let in_order = fs::read_to_string(root().join("configs/dining-philosophers-ordered.toml")).expect("readable");
    assert!(!exported("python", &in_order, "x").expect("a program").contains("the deadlock of"));
    let in_a_loop = text.replace("executor = \"threads\"", "executor = \"async\"");
    assert!(!exported("python", &in_a_loop, "x").expect("a program").contains("the deadlock of"));
}

#[test]
fn what_does_nothing_is_not_written() {
    let nothing = "{ choose = [[1, [{ repeat = 2, do = [] }]], [2, []]] }";
    let text = format!(
        "[[lock]]\nname = \"m\"\n[[task]]\nname = \"t\"\nprogram = [{{ with = \"m\", do = [{nothing}] }}]\n[[task]]\nname = \"u\"\nprogram = [{nothing}]\n"
    );
    let program = exported("python", &text, "x").expect("a program");
    assert!(program.contains("def t():\n    with m:\n        pass\n\n\ndef u():\n    pass\n"), "{program}");
}

#[test]
fn a_loop_lets_a_pool_do_something() {
    let text = with_pool("\"async\"");
    let program = exported("python", &text, "x").expect("a program");
    let call = "    await asyncio.get_running_loop().run_in_executor(threads_pool, request_threads)  # elsewhere\n";
    assert!(
        program.contains(call) && program.contains("\nthreads_pool = ThreadPoolExecutor(max_workers=2)\n"),
        "{program}"
    );
    assert!(program.contains("\n- times of what is done `on` a pool: "), "{program}");
    if python() {
        let printed = ran(&text);
        assert_eq!(names(&printed).into_iter().collect::<Vec<_>>().join(" "), "p/request#0 p/request#1 total");
    }
    let default = text.replace("{ kind = \"pool\", workers = 2 }", "\"pool\"");
    let program = exported("python", &default, "x").expect("a program");
    let call = "    await asyncio.to_thread(request_threads)  # elsewhere\n";
    assert!(program.contains(call) && !program.contains("PoolExecutor"), "{program}");
    if python() {
        assert_eq!(names(&ran(&default)), names(&ran(&text)));
    }
    // Two of them cannot both be the one of the loop.
    let two = default.replace("pools = {", "pools = { others = \"pool\",");
    let two = two.replace("{ on = \"threads\", do = [\"yield\"] }", "{ on = \"others\", do = [\"yield\"] }");
    let program = exported("python", &two, "x").expect("a program");
    assert!(program.contains("run_in_executor(others, ") && !program.contains("to_thread"), "{program}");
    let both = text.replace("{ cpu = \"1ms\" }]\n", "{ with = \"m\", do = [] }]\n");
    let why = exported("python", &both, "x").unwrap_err();
    assert!(why.contains("the lock `m` is used by an event loop and by a pool beside it"), "{why}");
    let why = exported("python", &with_pool("\"threads\""), "x").unwrap_err();
    assert!(why.contains("the pool threads beside the executor of process p") && why.contains("`async`"), "{why}");
}
