//! What good files become: every `tests/good/NAME.toml` reads as `tests/good/NAME.txt` says; and whatever is done to a
//! file, reading it either works or gives mistakes that can be printed.
//!
//! Lines `# --set path=value` at the top of a file are overrides. `UPDATE_EXPECT=1 cargo test readings` rewrites the
//! summaries.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use sim_core::document::{Mistakes, Override, Source};
use sim_core::rng::{Stream, StreamName};
use sim_core::scenario::{Op, Protocol, Scenario, Spec, SyncKind, Timer, lower};

fn files(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(folder);
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    files.sort();
    files
}

fn read(text: &str) -> Result<Scenario, Mistakes> {
    let sets = text.lines().map_while(|line| line.strip_prefix("# --set "));
    let overrides: Vec<Override> = sets.filter_map(|set| Override::parse(set).ok()).collect();
    lower::scenario(&Source { file: "test.toml", text }, &overrides)
}

#[test]
fn every_good_file_reads_as_expected() {
    for path in files("tests/good") {
        let text = fs::read_to_string(&path).unwrap();
        match read(&text) {
            Ok(scenario) => {
                check(&scenario);
                expect_test::expect_file![path.with_extension("txt")].assert_eq(&summary(&scenario));
            }
            Err(mistakes) => panic!("{} is refused:\n{mistakes}", path.display()),
        }
    }
}

/// What the engine relies on.
fn check(scenario: &Scenario) {
    for (id, spec) in scenario.specs.pairs() {
        assert!(scenario.processes.get(spec.process).is_some());
        assert!(spec.after.iter().all(|other| scenario.specs.get(*other).is_some() && *other != id));
        if let Some(set) = &spec.attributes.affinity {
            assert!(scenario.machine.processors.ids().any(|cpu| set.contains(cpu)));
        }
        let ops = &spec.program.ops;
        let inside = |to: u32| to as usize <= ops.len();
        for op in ops {
            match op {
                Op::Repeat { slot, end, .. } => assert!(inside(*end) && *slot < spec.program.loop_depth),
                Op::Again { start, slot, .. } => assert!(inside(*start) && *slot < spec.program.loop_depth),
                Op::Choose(branches) => assert!(branches.iter().all(|(_, to)| inside(*to))),
                Op::Jump(to) => assert!(inside(*to)),
                Op::Spawn(spec) | Op::Join(spec) => assert!(scenario.specs.get(*spec).is_some()),
                _ => {}
            }
        }
    }
}

/// Everything that was read, in lines.
fn summary(scenario: &Scenario) -> String {
    let mut text = String::new();
    let machine = &scenario.machine;
    writeln!(text, "title {:?}, seed {}, until {:?}", scenario.title, scenario.seed, scenario.until).unwrap();
    for (id, cpu) in machine.processors.pairs() {
        writeln!(text, "processor {} {:?}, speed {}/{}", id.0, cpu.name, cpu.speed.work, cpu.speed.per).unwrap();
    }
    writeln!(
        text,
        "switch {} {}, migration {}, start {} {}, task switch {}, first charged {}",
        machine.context_switch,
        machine.process_switch,
        machine.migration,
        machine.thread_start,
        machine.process_start,
        machine.task_switch,
        machine.charge_first_switch
    )
    .unwrap();
    if let Some(cache) = &machine.cache {
        let (speed, size) = (cache.warm_speed, cache.size);
        writeln!(text, "cache {size}, warm after {}, {}/{}, tick {}", cache.warm_up, speed.work, speed.per, cache.tick)
            .unwrap();
    }
    let scheduler = &scenario.scheduler;
    writeln!(text, "policy {} {:?}, {:?}", scheduler.kind.name, scheduler.settings, scheduler.ties).unwrap();
    if scheduler.timer != Timer::default() {
        writeln!(text, "timer {:?}, {}", scheduler.timer, scheduler.label()).unwrap();
    }
    for device in &scenario.devices {
        writeln!(text, "device {:?}, {:?} channels, {}", device.name, device.channels, device.discipline.name).unwrap();
    }
    for sync in &scenario.syncs {
        write!(text, "{} {:?}", sync.kind.word(), sync.name).unwrap();
        if sync.kind != SyncKind::Mutex {
            write!(text, ", {:?}", sync.kind).unwrap();
        }
        if sync.protocol != Protocol::None || !sync.spin.is_zero() {
            write!(text, ", {:?}, spins for {}", sync.protocol, sync.spin).unwrap();
        }
        text.push('\n');
    }
    for (id, process) in scenario.processes.pairs() {
        let executor = &process.executor;
        writeln!(
            text,
            "process {} {:?}: {}, {} workers, gil {:?}, timer {}",
            id.0, process.name, executor.kind.name, executor.workers, executor.gil, executor.timers.step
        )
        .unwrap();
        for (id, spec) in scenario.specs.pairs().filter(|(_, spec)| spec.process == id) {
            writeln!(text, "  task {} {}", id.0, task(spec)).unwrap();
            for (at, op) in spec.program.ops.iter().enumerate() {
                writeln!(text, "    {at}: {op:?}").unwrap();
            }
        }
    }
    text
}

fn task(spec: &Spec) -> String {
    let attributes = &spec.attributes;
    let mut text = format!(
        "{:?} × {}, {:?}, priority {}, nice {}, tickets {}",
        spec.name, spec.count, spec.arrival, attributes.priority, attributes.nice, attributes.tickets
    );
    if let Some(set) = &attributes.affinity {
        let cpus: Vec<u32> = (0..64).filter(|cpu| set.contains(sim_core::ids::CpuId(*cpu))).collect();
        write!(text, ", affinity {cpus:?}").unwrap();
    }
    if let Some(set) = attributes.working_set {
        write!(text, ", working set {set}").unwrap();
    }
    if !spec.after.is_empty() {
        write!(text, ", after {:?}", spec.after.iter().map(|spec| spec.0).collect::<Vec<_>>()).unwrap();
    }
    text
}

/// Every file there is, cut, doubled, misspelt and mixed: it is read or refused, and the refusal can be printed.
#[test]
fn no_text_makes_reading_fail_otherwise() {
    let mut corpus: Vec<String> = Vec::new();
    for folder in ["tests/good", "tests/bad", "configs"] {
        corpus.extend(files(folder).iter().map(|path| fs::read_to_string(path).unwrap()));
    }
    let mut refused = 0;
    for round in 0..6_000 {
        let mut stream = StreamName::new(1).word("mutations").number(round).stream();
        let mut text = pick(&corpus, &mut stream).clone();
        for _ in 0..=stream.below(4) {
            text = mutated(&text, &corpus, &mut stream);
        }
        match read(&text) {
            Ok(scenario) => check(&scenario),
            Err(mistakes) => {
                refused += 1;
                assert!(mistakes.count() > 0 && !mistakes.to_string().is_empty());
                assert!(!mistakes.to_string().contains('\u{1b}'), "an escape character reaches the terminal");
            }
        }
    }
    assert!(refused > 1_000, "only {refused} mutations were refused: they change too little");
}

fn pick<'c, T>(from: &'c [T], stream: &mut Stream) -> &'c T {
    &from[usize::try_from(stream.below(from.len() as u64)).unwrap()]
}

/// A place between two characters.
fn cut(text: &str, stream: &mut Stream) -> usize {
    let at = usize::try_from(stream.below(text.len() as u64 + 1)).unwrap();
    (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

fn mutated(text: &str, corpus: &[String], stream: &mut Stream) -> String {
    let (a, b) = (cut(text, stream), cut(text, stream));
    let (a, b) = (a.min(b), a.max(b));
    let signs = ["[", "]", "{", "}", "\"", "=", ".", ",", "#", "\n", "-1", "0", "99999999999999999999", "1e400", "nan"];
    let words = ["forever", "spawned", "\"main\"", "5ms", "\u{1b}", "\0", "é", "\r\n", "\u{feff}", "[[", "]]", "'''"];
    let line = |text: &str, stream: &mut Stream| -> String {
        let lines: Vec<&str> = text.lines().collect();
        if lines.is_empty() { String::new() } else { format!("\n{}\n", *pick(&lines, stream)) }
    };
    match stream.below(7) {
        0 => text[..a].to_owned() + &text[b..],
        1 => text[..b].to_owned() + &text[a..],
        2 => text[..a].to_owned() + *pick(&signs, stream) + &text[a..],
        3 => text[..a].to_owned() + *pick(&words, stream) + &text[a..],
        4 => text[..a].to_owned() + &line(text, stream) + &text[a..],
        5 => text[..a].to_owned() + &line(pick(corpus, stream).as_str(), stream) + &text[a..],
        _ => {
            // One character becomes its neighbour: a typo.
            let mut letters: Vec<char> = text.chars().collect();
            if !letters.is_empty() {
                let at = usize::try_from(stream.below(letters.len() as u64)).unwrap();
                letters[at] = char::from_u32(u32::from(letters[at]) + 1).unwrap_or('x');
            }
            letters.into_iter().collect()
        }
    }
}

/// Deep and large texts, on the small stack of a test's thread.
#[test]
fn deep_and_large_texts_are_refused_in_time() {
    let dots = vec!["a"; 79].join(".");
    let deep = [
        "[".repeat(1_000_000),
        format!("a = {}", "[".repeat(200_000)),
        format!("a = {}", "{b = ".repeat(200_000)),
        format!("[{dots}]\n{}1{}", format!("{dots} = {{ ").repeat(70), "}".repeat(70)),
        format!("{dots}.{dots} = 1"),
        format!("[[task]]\nname = \"a\"\nprogram = {}", "[{ repeat = 2, do = ".repeat(100_000)),
    ];
    for text in &deep {
        let mistakes = read(text).expect_err("too deep");
        assert!(mistakes.to_string().contains("nested more than 64 levels deep"), "{mistakes}");
    }
    let path = vec!["a"; 65].join(".");
    for (path, value) in [(path.as_str(), "1".to_owned()), ("a", "[".repeat(100_000)), ("a", "{b=".repeat(100_000))] {
        let source = Source { file: "test.toml", text: "" };
        let mistakes = lower::scenario(&source, &[Override::new(path, value)]).expect_err("too deep");
        assert!(mistakes.to_string().contains("nested more than 64 levels deep"), "{mistakes}");
    }
    let large = [
        "x".repeat((16 << 20) + 1),
        "= \n".repeat(1 << 20),
        "\n".repeat(1 << 20) + "[",
        "a = \"\u{1}\n".repeat(1 << 18),
        (0..200_000).map(|key| format!("key{key} = 1\n")).collect(),
        (0..100_000).map(|task| format!("[[task]]\nname = \"t{task}\"\nprogram = []\nafter = [\"u\"]\n")).collect(),
        format!("[[task]]\nname = \"a\"\nprogram = [{}]", "\"yield\", ".repeat(100_001)),
        format!("[[task]]\nname = \"{}\"\nprogram = [{{ io = \"{}\" }}]", "n".repeat(1 << 20), "d".repeat(1 << 20)),
    ];
    for text in &large {
        let mistakes = read(text).expect_err("too large, or wrong");
        assert!(mistakes.to_string().len() < 20_000, "{} bytes of text", mistakes.to_string().len());
    }
}

/// As many tasks as make sense, one after the other: neither the stack nor the time depends on their chain.
#[test]
fn a_long_chain_of_tasks_is_read() {
    let chain = |count: usize| -> String {
        let task = |index: usize| {
            let after = if index == 0 { String::new() } else { format!("after = [\"t{}\"]\n", index - 1) };
            format!("[[task]]\nname = \"t{index}\"\nprogram = [{{ cpu = \"1ms\" }}]\n{after}")
        };
        (0..count).map(task).collect()
    };
    let scenario = read(&chain(50_000)).unwrap();
    assert_eq!(scenario.specs.len(), 50_000);
}
