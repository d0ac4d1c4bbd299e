//! asyncio's loop against itself: random programs on the real `asyncio` with a clock that only computing and waiting move, and in
//! the simulation, must run at the same times to the nanosecond.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Value, json};
use sim_core::ids::{SpecId, TaskId};
use sim_core::rng::{Stream, StreamName};
use sim_core::timeline::What;

use super::{python, version};
use crate::support::{run, scenario};

/// Plays programs on asyncio with a clock of its own.
const VIRTUAL: &str = include_str!("virtual.py");

/// An eighth of a millisecond: many timers are equal then.
const EIGHTH: u64 = 125_000;

/// What a task does.
#[derive(Clone, Debug)]
enum Step {
    /// For so many nanoseconds.
    For(&'static str, u64),
    /// To that task or object.
    To(&'static str, String),
    Yield,
    Join,
    /// Waits for so many nanoseconds at most, and does the rest only if it has it by then.
    Within(u64, Box<Step>, Vec<Step>),
}

#[derive(Clone, Debug)]
struct Task {
    name: String,
    /// In nanoseconds; `None`: it is spawned.
    arrival: Option<u64>,
    program: Vec<Step>,
}

#[derive(Clone, Debug, Default)]
struct Case {
    tasks: Vec<Task>,
    objects: Vec<Object>,
    /// Do tasks learn of what happens outside by timers?
    timed: bool,
}

/// The kind of an object, its name, the key that it needs and its value.
type Object = (&'static str, &'static str, Option<(&'static str, u32)>);

/// When who ran, merged where nothing is between, and when who ended.
#[derive(PartialEq, Debug, Default)]
struct Story {
    runs: Vec<(String, u64, u64)>,
    ends: BTreeMap<String, u64>,
    /// Does it hang on a hair, which asyncio splits in a way of its own?
    is_close: bool,
}

impl Story {
    fn runs(&mut self, name: &str, begin: u64, end: u64) {
        match self.runs.last_mut() {
            Some((last, _, until)) if last == name && *until == begin => *until = end,
            _ => self.runs.push((name.to_owned(), begin, end)),
        }
    }
}

impl Case {
    /// As a scenario, with these rules.
    fn toml(&self, version: &str) -> String {
        let timed = if self.timed { "" } else { ", timed-devices = false" };
        let mut text = format!(
            "executor = {{ kind = 'async', rules = 'cpython-{version}'{timed} }}\ndevice = [{{ name = 'net', channels = 'unlimited' }}]\n"
        );
        for (kind, name, value) in &self.objects {
            write!(text, "[[{kind}]]\nname = '{name}'\nkind = 'asyncio'\n").expect("text");
            if let Some((key, value)) = value {
                writeln!(text, "{key} = {value}").expect("text");
            }
        }
        for task in &self.tasks {
            let arrival = task.arrival.map_or("spawned".to_owned(), |at| format!("{at}ns"));
            let steps: Vec<String> = task.program.iter().map(|step| step.toml(task)).collect();
            write!(text, "[[task]]\nname = '{}'\narrival = '{arrival}'\nprogram = [{}]\n", task.name, steps.join(", "))
                .expect("text");
        }
        text
    }

    fn json(&self) -> Value {
        let task = |task: &Task| {
            let program: Vec<Value> = task.program.iter().map(|step| step.json(self.timed)).collect();
            json!({ "name": task.name, "arrival": task.arrival, "spawned": task.arrival.is_none(), "program": program })
        };
        let object = |(kind, name, value): &Object| {
            let argument = if *kind == "condvar" { json!("m") } else { json!(value.map(|(_, value)| value)) };
            json!([name, kind, argument])
        };
        let tasks: Vec<Value> = self.tasks.iter().map(task).collect();
        json!({ "tasks": tasks, "objects": self.objects.iter().map(object).collect::<Vec<_>>() })
    }

    fn simulated(&self, version: &str) -> Story {
        let scenario = scenario(&self.toml(version));
        let (timeline, _) = run(&scenario);
        let name = |task: TaskId| scenario.specs[SpecId(timeline.tasks[task].spec)].name.clone();
        let mut story = Story::default();
        for interval in
            timeline.intervals.iter().filter(|interval| interval.what == What::Run && interval.start < interval.end)
        {
            story.runs(&name(interval.task), interval.start.ns(), interval.end.ns());
        }
        for (id, life) in timeline.tasks.pairs() {
            story.ends.extend(life.finish.map(|finish| (name(id), finish.ns())));
        }
        story
    }
}

impl Step {
    fn toml(&self, of: &Task) -> String {
        match self {
            Step::For("io", length) => format!("{{ io = 'net', for = '{length}ns' }}"),
            Step::For(what, length) => format!("{{ {what} = '{length}ns' }}"),
            Step::To("wait", name) => format!("{{ wait = '{name}', with = 'm' }}"),
            Step::To(what, name) => format!("{{ {what} = '{name}' }}"),
            Step::Yield => "'yield'".into(),
            Step::Within(length, first, rest) => {
                let first = match &**first {
                    Step::To("lock", name) => format!("with = '{name}'"),
                    first => first.toml(of).trim_matches(['{', '}', ' ']).to_owned(),
                };
                // What is taken is given back behind what is done with it.
                let body: Vec<String> = rest.iter().rev().skip(1).rev().map(|step| step.toml(of)).collect();
                let body = if rest.is_empty() { String::new() } else { format!(", do = [{}]", body.join(", ")) };
                format!("{{ {first}, within = '{length}ns'{body} }}")
            }
            Step::Join => {
                let spawned = of.program.iter().find_map(|step| match step {
                    Step::To("spawn", name) => Some(name.as_str()),
                    _ => None,
                });
                format!("{{ join = '{}' }}", spawned.expect("who joins has spawned"))
            }
        }
    }

    fn json(&self, timed: bool) -> Value {
        match self {
            Step::For("io", length) if timed => json!(["timed", length]),
            Step::For(what, length) => json!([what, length]),
            Step::To(what, name) => json!([what, name]),
            Step::Yield => json!(["yield", null]),
            Step::Join => json!(["join", null]),
            Step::Within(length, first, rest) => {
                let rest: Vec<Value> = rest.iter().map(|step| step.json(timed)).collect();
                json!(["within", [length, first.json(timed), rest]])
            }
        }
    }
}

/// What Python makes of the cases.
fn played(cases: &[Case]) -> Vec<Story> {
    let input = Value::from(cases.iter().map(Case::json).collect::<Vec<_>>()).to_string();
    let output: Value = serde_json::from_str(&python(VIRTUAL, &input)).expect("JSON");
    // Whole numbers that Python has as floats.
    let number = |value: &Value| format!("{}", value.as_f64().expect("a number")).parse::<u64>().expect("whole");
    let story = |played: &Value| {
        let mut story = Story { is_close: played["is_close"] == true, ..Story::default() };
        for run in played["runs"].as_array().expect("runs") {
            story.runs(run[0].as_str().expect("a name"), number(&run[1]), number(&run[2]));
        }
        let ends = played["ends"].as_object().expect("ends");
        story.ends = ends.iter().map(|(name, end)| (name.clone(), number(end))).collect();
        story
    };
    output.as_array().expect("a list").iter().map(story).collect()
}

/// The simulation does what Python does, in each of the cases.
fn check(cases: &[Case]) {
    let Some(version) = version() else { return };
    for (case, real) in cases.iter().zip(played(cases)).filter(|(_, real)| !real.is_close) {
        let simulated = case.simulated(&version);
        assert_eq!(simulated, real, "simulated, real\n{}", case.toml(&version));
    }
}

/// A few tasks that compute, sleep, wait for what happens outside and yield, some of which spawn others.
fn drawn(seed: u64) -> Case {
    let mut chance = StreamName::new(seed).word("asyncio").stream();
    let mut case = Case { timed: seed.is_multiple_of(2), ..Case::default() };
    for number in 0..2 + chance.below(5) {
        let name = format!("t{number}");
        let arrival = Some(0);
        let mut program: Vec<Step> = (0..1 + chance.below(7)).map(|_| step(&mut chance)).collect();
        if chance.below(3) == 0 {
            let child = format!("kid of {name}");
            let place = usize::try_from(chance.below(program.len() as u64)).expect("short");
            program.insert(place, Step::To("spawn", child.clone()));
            if chance.below(3) > 0 {
                program.push(Step::Join);
                program.push(step(&mut chance));
            }
            let steps = (0..1 + chance.below(4)).map(|_| step(&mut chance)).collect();
            case.tasks.push(Task { name: child, arrival: None, program: steps });
        }
        case.tasks.push(Task { name, arrival, program });
    }
    case
}

fn step(chance: &mut Stream) -> Step {
    match chance.below(8) {
        0..3 => Step::For("cpu", EIGHTH * (1 + chance.below(12))),
        3..5 => Step::For("sleep", EIGHTH * (1 + chance.below(30))),
        // Long ones, of which some wait for one more.
        5 => Step::For("sleep", 8 * EIGHTH * (1 + chance.below(20))),
        6 => Step::For("io", EIGHTH * (1 + chance.below(30))),
        _ => Step::Yield,
    }
}

/// The same with tasks that arrive later. Their timers are in the heap of asyncio from the start, and here when they ring: which of
/// equal ones comes first may differ, so none are equal.
fn arriving(mut case: Case, seed: u64) -> Case {
    let mut chance = StreamName::new(seed).word("arrivals").stream();
    let mut number = 0;
    for task in &mut case.tasks {
        if task.arrival.is_some() && chance.below(2) == 0 {
            number += 1;
            task.arrival = Some(EIGHTH * chance.below(60) + 17 * number);
        }
        for step in &mut task.program {
            if let Step::For("sleep" | "io", length) = step {
                number += 1;
                *length += 257 * number;
            }
        }
    }
    case
}

/// The same around objects of these kinds: what is taken is given back.
fn drawn_around(seed: u64, kinds: &[&'static str]) -> Case {
    let mut chance = StreamName::new(seed).word("objects").stream();
    let mut case = Case { timed: seed.is_multiple_of(2), ..Case::default() };
    for kind in kinds {
        let number = 1 + u32::try_from(chance.below(3)).expect("short");
        case.objects.push(match *kind {
            "lock" => ("lock", "m", None),
            // With three permits or more versions differ.
            "semaphore" => ("semaphore", "s", Some(("permits", number.min(2)))),
            "channel" => ("channel", "q", Some(("capacity", number))),
            "condvar" => ("condvar", "cv", None),
            _ => ("barrier", "b", Some(("parties", number))),
        });
    }
    for number in 0..2 + chance.below(5) {
        let mut program = Vec::new();
        for _ in 0..1 + chance.below(5) {
            if chance.below(3) > 0 {
                program.push(step(&mut chance));
            }
            let kind = kinds[usize::try_from(chance.below(kinds.len() as u64)).expect("short")];
            program.extend(section(kind, &mut chance));
        }
        let arrival = Some(0);
        case.tasks.push(Task { name: format!("t{number}"), arrival, program });
    }
    case
}

/// What a task does with an object of this kind.
fn section(kind: &str, chance: &mut Stream) -> Vec<Step> {
    let to = |what, name: &str| Step::To(what, name.to_owned());
    let within = |before: Step, after: Step, chance: &mut Stream| {
        let steps: Vec<Step> = (0..chance.below(3)).map(|_| step(chance)).collect();
        [vec![before], steps, vec![after]].concat()
    };
    match kind {
        "lock" => within(to("lock", "m"), to("unlock", "m"), chance),
        "semaphore" => within(to("acquire", "s"), to("release", "s"), chance),
        "barrier" => vec![to("barrier", "b")],
        "channel" if chance.below(2) == 0 => vec![to("send", "q")],
        "channel" => vec![to("recv", "q")],
        _ => {
            let what = match chance.below(5) {
                0..2 => to("wait", "cv"),
                2..4 => to("notify", "cv"),
                _ => to("notify-all", "cv"),
            };
            let mut program = within(to("lock", "m"), to("unlock", "m"), chance);
            let place = 1 + usize::try_from(chance.below(program.len() as u64 - 1)).expect("short");
            program.insert(place, what);
            program
        }
    }
}

/// The same, but that tasks give up some of what they wait for. No two things happen at the very instant at which somebody does.
fn hurried(mut case: Case, seed: u64) -> Case {
    let mut chance = StreamName::new(seed).word("patience").stream();
    let ends = [("lock", "unlock"), ("acquire", "release"), ("send", ""), ("recv", ""), ("io", "")];
    case.timed = false;
    for task in &mut case.tasks {
        let mut program = std::mem::take(&mut task.program).into_iter();
        while let Some(step) = program.next() {
            let word = match &step {
                Step::To(word, _) | Step::For(word, _) => *word,
                _ => "",
            };
            let Some((_, end)) = ends.iter().find(|(begin, _)| *begin == word) else {
                task.program.push(step);
                continue;
            };
            let mut rest = Vec::new();
            while !end.is_empty() && !rest.last().is_some_and(|last| matches!(last, Step::To(word, _) if word == end)) {
                rest.push(program.next().expect("what is taken is given back"));
            }
            if chance.below(2) == 0 {
                let length = EIGHTH * (1 + chance.below(20)) + 13;
                task.program.push(Step::Within(length, Box::new(step), rest));
            } else {
                task.program.push(step);
                task.program.append(&mut rest);
            }
        }
    }
    case
}

#[test]
fn who_gives_up_does_so_as_on_asyncio() {
    let kinds: [&[&'static str]; 4] =
        [&["lock"], &["semaphore"], &["channel"], &["lock", "semaphore", "channel", "barrier"]];
    for kinds in kinds {
        check(&(0..150).map(|seed| hurried(drawn_around(seed, kinds), seed)).collect::<Vec<_>>());
    }
}

#[test]
fn objects_are_handed_on_as_by_asyncio() {
    let kinds: [&[&'static str]; 6] = [
        &["lock"],
        &["semaphore"],
        &["channel"],
        &["lock", "condvar"],
        &["barrier"],
        &["lock", "semaphore", "channel", "condvar", "barrier"],
    ];
    for kinds in kinds {
        check(&(0..200).map(|seed| drawn_around(seed, kinds)).collect::<Vec<_>>());
        check(&(200..300).map(|seed| arriving(drawn_around(seed, kinds), seed)).collect::<Vec<_>>());
    }
}

#[test]
fn random_programs_run_as_on_asyncio() {
    check(&(0..500).map(drawn).collect::<Vec<_>>());
    check(&(500..800).map(|seed| arriving(drawn(seed), seed)).collect::<Vec<_>>());
}
