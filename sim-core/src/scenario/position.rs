//! Where in its file an operation stands, and what it is called.

use super::{Caller, Condition, Op, Program, Scenario, Way};
use crate::distribution::{Distribution, Law};
use crate::ids::{ProcessId, SpecId};
use crate::time::Span;

/// Where in the nested lists of a program an operation stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Position {
    /// The operation in whose list it stands, by its place among the flat ones: the head of a loop, a choice, the taking of a
    /// lock. [`Position::TOP`] for the list of the program itself.
    pub within: u32,
    /// Which of the branches of a choice; 0 otherwise.
    pub branch: u32,
    /// Its number in that list, from 0.
    pub number: u32,
}

impl Position {
    /// What operations of the outermost list stand in.
    pub const TOP: u32 = u32::MAX;
}

impl Program {
    /// Is it the head of a `while`: does what is done if the condition holds lead back to it?
    #[must_use]
    pub fn is_while(&self, op: u32) -> bool {
        let Some(Op::Test { otherwise, .. }) = self.ops.get(op as usize) else { return false };
        let last = otherwise.checked_sub(1).and_then(|last| self.ops.get(last as usize));
        matches!(last, Some(Op::Jump(back)) if *back == op)
    }

    /// The way to an operation in its file, as paths of overrides have it: `1.do.0`; `None` if it is not known.
    #[must_use]
    pub fn path_of(&self, op: u32) -> Option<String> {
        let steps = self.steps_to(op)?;
        let mut path = String::new();
        for (place, position) in steps {
            match place.map(|place| &self.ops[place as usize]) {
                None => {}
                Some(Op::Test { .. }) if position.branch > 0 => path += ".else.",
                Some(Op::Choose(_)) => path += &format!(".choose.{}.1.", position.branch),
                Some(Op::Attempt(_)) => path += ".else.",
                Some(_) => path += ".do.",
            }
            path += &position.number.to_string();
        }
        Some(path)
    }

    /// The number of an operation as people count: `2`, or `2.1` for the first one in the list of the second; in a choice
    /// `2b.1` for the first one of its second branch, and so of an `else`.
    #[must_use]
    pub fn number_of(&self, op: u32) -> String {
        let Some(steps) = self.steps_to(op) else { return (op + 1).to_string() };
        let mut number = String::new();
        for (place, position) in steps {
            match place.map(|place| &self.ops[place as usize]) {
                None => {}
                Some(Op::Test { .. }) if position.branch == 0 => number.push('.'),
                Some(Op::Choose(_) | Op::Test { .. }) => {
                    number += &format!("{}.", letter(position.branch));
                }
                Some(_) => number.push('.'),
            }
            number += &(position.number + 1).to_string();
        }
        number
    }

    /// From the outermost list to an operation: what each list belongs to, and the position in it.
    fn steps_to(&self, op: u32) -> Option<Vec<(Option<u32>, Position)>> {
        let (mut steps, mut at) = (Vec::new(), op);
        loop {
            let position = *self.positions.get(at as usize)?;
            let within = Some(position.within).filter(|within| *within != Position::TOP);
            steps.push((within, position));
            match within {
                // What an operation stands in comes before it.
                Some(within) if within < at => at = within,
                Some(_) => return None,
                None => break,
            }
        }
        steps.reverse();
        Some(steps)
    }
}

impl Scenario {
    /// The task in whose program of the file an operation stands, and the way to it there: see [`Program::path_of`].
    #[must_use]
    pub fn path_of(&self, spec: SpecId, op: u32) -> Option<(SpecId, String)> {
        let described = &self.specs[spec];
        let way = described.program.path_of(op)?;
        let Some(caller) = described.caller else { return Some((spec, way)) };
        let (spec, path) = self.path_of(caller.spec, caller.op)?;
        Some(match caller.way {
            Way::On | Way::Each { .. } => (spec, format!("{path}.do.{way}")),
            Way::All { number, .. } => (spec, format!("{path}.all.{number}.{way}")),
            Way::Any { number, .. } => (spec, format!("{path}.any.{number}.{way}")),
        })
    }

    /// The number of an operation in the program of the file in which it stands: see [`Program::number_of`].
    #[must_use]
    pub fn number_of(&self, spec: SpecId, op: u32) -> String {
        let described = &self.specs[spec];
        let number = described.program.number_of(op);
        match described.caller {
            None => number,
            Some(caller) => {
                let letter = match caller.way {
                    Way::On | Way::Each { .. } => String::new(),
                    Way::All { number, .. } | Way::Any { number, .. } => letter(number).to_string(),
                };
                format!("{}{letter}.{number}", self.number_of(caller.spec, caller.op))
            }
        }
    }

    /// The name of a process as the file has it: its copies have one.
    #[must_use]
    pub fn base_name(&self, process: ProcessId) -> &str {
        let name = &self.processes[process].name;
        name.split_once('#').map_or(name.as_str(), |(name, _)| name)
    }

    /// The name of the pool on which the instances of a task do something for others, if they do.
    fn pool_of(&self, spec: SpecId) -> Option<&str> {
        let is_on = |caller: &Caller| caller.way == Way::On;
        let described = self.specs.get(spec).filter(|described| described.caller.as_ref().is_some_and(is_on))?;
        self.processes[described.process].part.as_ref().map(|part| part.pool.as_str())
    }

    /// The operation of whose branches this task is one.
    fn branch_word(&self, spec: SpecId) -> Option<&'static str> {
        match self.specs.get(spec)?.caller?.way {
            Way::On => None,
            Way::All { .. } => Some("all"),
            Way::Any { .. } => Some("any"),
            Way::Each { .. } => Some("each"),
        }
    }

    /// A condition as files have it.
    #[must_use]
    pub fn condition(&self, condition: &Condition) -> String {
        condition.text(|variable| &self.variables[variable].name)
    }

    /// An operation in a few words, as its file has it: `cpu 3ms`, `io disk 20ms`, `sleep exponential 5ms`.
    #[must_use]
    pub fn operation(&self, spec: SpecId, op: u32) -> String {
        match &self.specs[spec].program.ops[op as usize] {
            Op::Cpu(work) => format!("cpu {}", in_words(work)),
            Op::Io { device, service, .. } => format!("io {} {}", self.devices[*device].name, in_words(service)),
            Op::Sleep(time) => format!("sleep {}", in_words(time)),
            Op::Yield => "yield".to_owned(),
            Op::Sync(op) => format!("{} {}", op.word(), self.syncs[op.object()].name),
            Op::Spawn(of) | Op::Join(of) if let Some(pool) = self.pool_of(*of) => format!("on {pool}"),
            Op::Spawn(of) | Op::Join(of) if let Some(word) = self.branch_word(*of) => word.to_owned(),
            Op::Spawn(of) => format!("spawn {}", self.specs[*of].name),
            Op::Join(of) => format!("join {}", self.specs[*of].name),
            Op::End => "end".to_owned(),
            Op::Turn { period, .. } => format!("every {period}"),
            Op::Begin { .. } => "every".to_owned(),
            Op::Attempt(_) => "within".to_owned(),
            Op::Repeat { .. } | Op::Again { .. } => "repeat".to_owned(),
            Op::Choose(_) | Op::Jump(_) => "choose".to_owned(),
            Op::Set(variable, value) => format!("set {} to {value}", self.variables[*variable].name),
            Op::Add(variable, more) => format!("add {more} to {}", self.variables[*variable].name),
            Op::Test { condition, .. } => {
                let word = if self.specs[spec].program.is_while(op) { "while" } else { "if" };
                format!("{word} {}", self.condition(condition))
            }
        }
    }
}

/// What a branch is called: `a` the first.
fn letter(branch: u32) -> char {
    char::from_u32(u32::from('a') + branch.min(25)).unwrap_or('z')
}

fn in_words(duration: &Distribution) -> String {
    let Distribution::Random(law) = duration else {
        return duration.constant().unwrap_or(Span::ZERO).to_string();
    };
    match &**law {
        Law::Uniform { low, high } => format!("uniform {low}–{high}"),
        Law::Exponential { mean } => format!("exponential {mean}"),
        Law::Normal { mean, .. } => format!("normal {mean}"),
        Law::Lognormal { median, .. } => format!("lognormal {median}"),
        Law::Erlang { mean, .. } => format!("erlang {mean}"),
        Law::Hyperexponential { .. } => "hyperexponential".to_owned(),
        Law::Pareto { min, .. } => format!("pareto from {min}"),
        Law::Choice { .. } => "one of several".to_owned(),
        Law::Samples { values } => format!("one of {} samples", values.len()),
    }
}
