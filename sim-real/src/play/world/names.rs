//! What instances and threads are called: in sentences as in every report, and by the kernel in fifteen bytes.

use std::collections::BTreeSet;

use sim_core::ids::{IdVec, ProcessId, SpecId};
use sim_core::scenario::{Arrival, Scenario};

use super::World;

/// So many bytes of a thread's name the kernel keeps.
const LONGEST: usize = 15;

/// The digits that are kept free for the number of a spawned instance.
const DIGITS: usize = 3;

/// The beginnings of the names of threads: no two the same.
pub(crate) struct Names {
    tasks: IdVec<SpecId, String>,
    processes: IdVec<ProcessId, String>,
}

impl Names {
    pub(crate) fn new(scenario: &Scenario) -> Names {
        let task = |id: SpecId| {
            let spec = &scenario.specs[id];
            let digits =
                if spec.arrival == Arrival::Spawned { DIGITS } else { spec.count.max(1).ilog10() as usize + 1 };
            let room = LONGEST - if is_numbered(scenario, id) { 1 + digits } else { 0 };
            // With its process if there is room for both.
            let full = format!("{}/{}", scenario.processes[spec.process].name, spec.name);
            let fits = scenario.processes.len() > 1 && full.len() <= room;
            (if fits { full } else { spec.name.clone() }, room)
        };
        let processes = scenario.processes.pairs().map(|(_, process)| (process.name.clone(), LONGEST - 1 - DIGITS));
        Names { tasks: distinct(scenario.specs.ids().map(task)), processes: distinct(processes) }
    }

    /// The thread of one instance.
    fn task(&self, spec: SpecId, number: Option<u32>) -> String {
        let number = number.map_or_else(String::new, |number| format!("#{number}"));
        format!("{}{number}", cut(&self.tasks[spec], LONGEST - number.len()))
    }

    /// A thread that runs any task of a process.
    pub(crate) fn worker(&self, process: ProcessId, index: usize) -> String {
        let number = format!("/{index}");
        format!("{}{number}", cut(&self.processes[process], LONGEST - number.len()))
    }
}

impl World {
    /// An instance in sentences: without the process if there is only one, without a number if there is only one.
    pub(crate) fn name_of(&self, id: usize) -> String {
        let (spec, number) = self.identity(id);
        let described = &self.scenario.specs[spec];
        let process = match self.scenario.processes.len() {
            1 => String::new(),
            _ => format!("{}/", self.scenario.processes[described.process].name),
        };
        let number = if is_numbered(&self.scenario, spec) { format!("#{number}") } else { String::new() };
        format!("{process}{}{number}", described.name)
    }

    /// One of our processors in sentences: as the scenario calls it, and by the kernel's number as that.
    pub(crate) fn processor_name(&self, cpu: u32) -> String {
        let place = self.plan.cpus.iter().position(|ours| *ours == cpu);
        let name = place.and_then(|place| self.scenario.machine.processors.iter().nth(place)).map(|ours| &ours.name);
        name.map_or_else(
            || format!("CPU {cpu} of this machine"),
            |name| format!("processor {name} (CPU {cpu} of this machine)"),
        )
    }

    /// What the thread of an instance is called by the kernel.
    pub(crate) fn thread_name(&self, id: usize) -> String {
        let (spec, number) = self.identity(id);
        self.names.task(spec, is_numbered(&self.scenario, spec).then_some(number))
    }
}

/// Can there be several of the task?
fn is_numbered(scenario: &Scenario, spec: SpecId) -> bool {
    scenario.specs[spec].count > 1 || scenario.specs[spec].arrival == Arrival::Spawned
}

/// Names cut to the room each has; where that makes two alike, the later one is numbered.
fn distinct<I>(names: impl Iterator<Item = (String, usize)>) -> IdVec<I, String>
where
    IdVec<I, String>: FromIterator<String>,
{
    let mut taken = BTreeSet::new();
    let one = |(name, room): (String, usize)| {
        let numbered = (2..).map(|number: u32| {
            let number = format!("~{number}");
            format!("{}{number}", cut(&name, room.saturating_sub(number.len())))
        });
        let mut all = std::iter::once(cut(&name, room).to_owned()).chain(numbered);
        all.find(|name| taken.insert(name.clone())).unwrap_or_default()
    };
    names.map(one).collect()
}

/// At most so many bytes of a text.
fn cut(text: &str, bytes: usize) -> &str {
    &text[..text.floor_char_boundary(bytes)]
}

#[cfg(test)]
mod tests {
    use sim_core::document::Source;
    use sim_core::scenario::lower;

    use super::*;

    fn names(text: &str) -> Names {
        match lower::scenario(&Source { file: "test.toml", text }, &[]) {
            Ok(scenario) => Names::new(&scenario),
            Err(mistakes) => panic!("{mistakes}"),
        }
    }

    #[test]
    fn names_are_cut_at_the_end_and_stay_distinct() {
        let tasks = ["download", "compress the archive", "compress the artefact", "日本語タスク"];
        let text = tasks.map(|name| format!("[[task]]\nname = '{name}'\nprogram = []\n")).concat();
        let names = names(&text);
        let cut: Vec<String> = (0..4).map(|spec| names.task(SpecId(spec), None)).collect();
        assert_eq!(cut, ["download", "compress the ar", "compress the ~2", "日本語タス"]);
        assert!(cut.iter().all(|name| name.len() <= LONGEST));
    }

    #[test]
    fn numbers_of_instances_are_never_cut() {
        let names = names("[[task]]\nname = 'compress the archive'\ncount = 200\nprogram = []");
        assert_eq!(names.task(SpecId(0), Some(7)), "compress th#7");
        assert_eq!(names.task(SpecId(0), Some(199)), "compress th#199");
        assert_eq!(names.task(SpecId(0), Some(19_999)), "compress #19999");
        assert_eq!(names.worker(ProcessId(0), 12), "main/12");
    }

    #[test]
    fn the_process_is_part_of_the_name_where_it_fits() {
        let of =
            |process: &str| format!("[[process]]\nname = '{process}'\n[[process.task]]\nname = 'a'\nprogram = []\n");
        let names = names(&["web", "db", "a process with a name"].map(of).concat());
        let all: Vec<String> = (0..3).map(|spec| names.task(SpecId(spec), None)).collect();
        assert_eq!(all, ["web/a", "db/a", "a"]);
        assert_eq!(names.worker(ProcessId(2), 0), "a process w/0");
    }
}
