//! A critical path for people: what took which share of it, and the chain link by link.

use std::collections::{BTreeMap, BTreeSet};

use sim_core::causes::What;
use sim_core::causes::critical_path::{CriticalPath, Does, Goal, HoldsUp, Link};
use sim_core::ids::{IdVec, KindId, SpecId, TaskId};
use sim_core::kinds::Kinds;
use sim_core::scenario::Scenario;
use sim_core::time::Span;
use sim_core::timeline::Timeline;

use super::share;
use crate::letters::{self, glued, visible, wrapped};
use crate::output::Terminal;
use crate::rows;
use crate::table::Unit;

/// So many parts of a path have a row of their own.
const SHARES: usize = 10;
/// Of a longer path the first and the last links are listed, so many of each.
const ENDS: (usize, usize) = (8, 16);
const WIDEST_NAME: usize = 24;

/// A critical path and the names of everybody on it.
pub struct Told<'a> {
    scenario: &'a Scenario,
    timeline: &'a Timeline,
    path: Option<&'a CriticalPath>,
    names: IdVec<TaskId, String>,
    kinds: Kinds,
}

/// Links that are alike to a person, of all tasks of a kind together.
#[derive(Clone, Debug)]
pub struct Part {
    /// Which kind of tasks.
    pub kind: KindId,
    /// What they did.
    pub does: Does,
    /// How long, in all.
    pub length: Span,
    /// Which of them.
    pub tasks: BTreeSet<TaskId>,
    /// In how many links.
    pub links: usize,
}

impl<'a> Told<'a> {
    /// A path, if there is one, of a run.
    #[must_use]
    pub fn new(scenario: &'a Scenario, timeline: &'a Timeline, path: Option<&'a CriticalPath>) -> Told<'a> {
        Told { scenario, timeline, path, names: rows::names(timeline), kinds: Kinds::of(&timeline.cast) }
    }

    /// What was run.
    #[must_use]
    pub fn scenario(&self) -> &Scenario {
        self.scenario
    }

    /// What happened.
    #[must_use]
    pub fn timeline(&self) -> &Timeline {
        self.timeline
    }

    /// What the path explains, if there is one.
    #[must_use]
    pub fn goal(&self) -> Option<Goal> {
        self.path.map(|path| path.goal)
    }

    /// Of which kind a task is.
    #[must_use]
    pub fn kind(&self, task: TaskId) -> KindId {
        self.kinds.of_spec(self.timeline.tasks[task].spec)
    }

    /// The name of a kind for people.
    #[must_use]
    pub fn kind_name(&self, kind: KindId) -> String {
        visible(&self.kinds.short_name(kind)).into_owned()
    }

    /// The full name of a kind.
    #[must_use]
    pub fn kind_name_full(&self, kind: KindId) -> String {
        self.kinds.names[kind].full()
    }

    /// The links.
    #[must_use]
    pub fn links(&self) -> &[Link] {
        self.path.map_or(&[], |path| &path.links)
    }

    /// How long the path is.
    #[must_use]
    pub fn length(&self) -> Span {
        self.path.map_or(Span::ZERO, |path| path.goal.length())
    }

    /// Is more than half of it the time before tasks arrive?
    #[must_use]
    pub fn is_mostly_to_come(&self) -> bool {
        let to_come: Span = self.links().iter().filter(|link| link.does == Does::ToCome).map(Link::length).sum();
        to_come.ns() > self.length().ns() / 2
    }

    /// What the path consists of, the longest first.
    #[must_use]
    pub fn parts(&self) -> Vec<Part> {
        let mut parts: BTreeMap<(KindId, Does), Part> = BTreeMap::new();
        for link in self.links() {
            let kind = self.kind(link.task);
            let new = || Part { kind, does: link.does, length: Span::ZERO, tasks: BTreeSet::new(), links: 0 };
            let part = parts.entry((kind, link.does)).or_insert_with(new);
            part.length += link.length();
            part.tasks.insert(link.task);
            part.links += 1;
        }
        let mut parts: Vec<Part> = parts.into_values().collect();
        parts.sort_by_key(|part| std::cmp::Reverse(part.length));
        parts
    }

    /// The path in one screen, or with all links.
    #[must_use]
    pub fn text(&self, words: &str, full: bool, terminal: &Terminal) -> String {
        let mut text = format!("{}\n", wrapped(&glued(words), terminal.width));
        if self.links().is_empty() {
            return text;
        }
        text += &format!("\n{}\n", terminal.bold("CRITICAL PATH: what took which share of it"));
        text += &self.shares(full, terminal);
        text += &format!("\n{}", self.chain(full, terminal));
        text
    }

    fn shares(&self, full: bool, terminal: &Terminal) -> String {
        let parts = self.parts();
        let shown = if full || parts.len() <= SHARES + 1 { parts.len() } else { SHARES };
        let unit = Unit::for_all(parts.iter().map(|part| part.length.ns()));
        let time = |length: Span| format!("{} {}", unit.show(length.ns()), unit.name);
        let mut rows: Vec<[String; 3]> = Vec::new();
        for part in &parts[..shown] {
            rows.push([share(part.length, self.length()), time(part.length), self.part(part)]);
        }
        let rest: Span = parts[shown..].iter().map(|part| part.length).sum();
        if !rest.is_zero() {
            rows.push([share(rest, self.length()), time(rest), format!("{} other parts", parts.len() - shown)]);
        }
        let width = |column: usize| rows.iter().map(|row| letters::width(&row[column])).max().unwrap_or(0);
        let (first, second) = (width(0), width(1));
        let line = |[share, time, what]: &[String; 3]| {
            let before = format!("{}  {}  ", letters::right(share, first), letters::right(time, second));
            format!("{before}{}\n", fitted(what, &before, terminal))
        };
        rows.iter().map(line).collect()
    }

    /// The links one below the other.
    fn chain(&self, full: bool, terminal: &Terminal) -> String {
        let links = self.links();
        let cut = !full && links.len() > ENDS.0 + ENDS.1 + 4;
        let unit = Unit::for_all(links.iter().flat_map(|link| [link.from.ns(), link.length().ns()]));
        let (from, length) = (format!("FROM, {}", unit.name), format!("FOR, {}", unit.name));
        let shown: Vec<&Link> = match cut {
            true => links[..ENDS.0].iter().chain(&links[links.len() - ENDS.1..]).collect(),
            false => links.iter().collect(),
        };
        let width = |heading: &str, figure: &dyn Fn(&Link) -> u64| {
            let figures = shown.iter().map(|link| letters::width(&unit.show(figure(link))));
            figures.chain([letters::width(heading)]).max().unwrap_or(0)
        };
        let widths = [width(&from, &|link| link.from.ns()), width(&length, &|link| link.length().ns())];
        let who = shown
            .iter()
            .map(|link| letters::width(&self.names[link.task]))
            .max()
            .unwrap_or(0)
            .min(WIDEST_NAME.min(terminal.width / 4));
        let head = format!(
            "{}  {}  {}  DOES",
            letters::right(&from, widths[0]),
            letters::right(&length, widths[1]),
            letters::left("WHO", who)
        );
        let mut text = format!("{}\n", terminal.bold(head.trim_end()));
        for (number, link) in shown.iter().enumerate() {
            if cut && number == ENDS.0 {
                let left_out = links.len() - shown.len();
                text += &format!(
                    "{}\n",
                    letters::right(&format!("… {left_out} links more (--full) …"), widths[0] + widths[1] + 28)
                );
            }
            let before = format!(
                "{}  {}  {}  ",
                letters::right(&unit.show(link.from.ns()), widths[0]),
                letters::right(&unit.show(link.length().ns()), widths[1]),
                letters::fitted(&self.names[link.task], who)
            );
            let words = match link.holds_up {
                Some(held) => format!("{}; {}", self.does(link), self.held(held)),
                None => self.does(link),
            };
            text += &format!("{before}{}\n", fitted(&words, &before, terminal));
        }
        text
    }

    /// `request runs 2. cpu 3ms`, with how many tasks of the kind.
    fn part(&self, part: &Part) -> String {
        let name = self.kind_name(part.kind);
        let who = match part.tasks.len() {
            1 => part.tasks.first().map_or(name, |task| self.names[*task].clone()),
            several => format!("{several} × {name}"),
        };
        let spec = part.tasks.first().map_or(SpecId(0), |task| SpecId(self.timeline.tasks[*task].spec));
        let plural = part.tasks.len() > 1;
        format!("{who} {}", self.verb(spec, part.does, plural))
    }

    /// What a link is: `runs 2. cpu 3ms`, `is served by disk: 1. io disk 20ms`.
    #[must_use]
    pub fn does(&self, link: &Link) -> String {
        self.verb(SpecId(self.timeline.tasks[link.task].spec), link.does, false)
    }

    /// What tasks with this program do: one (`runs`) or several (`run`).
    #[must_use]
    pub fn verb(&self, spec: SpecId, does: Does, plural: bool) -> String {
        let s = |verb: &str| if plural { verb.to_owned() } else { format!("{verb}s") };
        let is = if plural { "are" } else { "is" };
        let operation = |position: Option<u32>| {
            let known = position.filter(|op| (*op as usize) < self.scenario.specs[spec].program.ops.len());
            known.map(|op| {
                let number = self.scenario.number_of(spec, op);
                format!(" {number}. {}", visible(&self.scenario.operation(spec, op)))
            })
        };
        let cast = &self.timeline.cast;
        match does {
            Does::Runs(position) => format!("{}{}", s("run"), operation(position).unwrap_or_default()),
            Does::ToCome => format!("{} to come (its arrival)", if plural { "have" } else { "has" }),
            Does::Is(what, position) => match what {
                What::Service(device) | What::Sharing(device) => {
                    let by = visible(&cast.devices[device].name).into_owned();
                    let operation = operation(position).map_or_else(String::new, |operation| format!(":{operation}"));
                    format!("{is} served by {by}{operation}")
                }
                What::Seek(device) => format!("{} for {} to get there", s("wait"), visible(&cast.devices[device].name)),
                What::Queue(device) => format!("{} in the queue of {}", s("wait"), visible(&cast.devices[device].name)),
                What::Overhead => format!("{is} switched to"),
                What::Starting => format!("{} for the start of a process", s("pay")),
                What::Timer => match operation(position) {
                    Some(operation) => format!("{}:{operation}", s("sleep")),
                    None => s("sleep"),
                },
                What::Release => format!("{} for the release of the job", s("wait")),
                What::Nobody(cpu) => {
                    format!("{} although {} is free", s("wait"), rows::processor_label(self.timeline, cpu))
                }
                what => format!("{} {}", s("wait"), self.awaited(what)),
            },
        }
    }

    /// Who waits for what meanwhile.
    #[must_use]
    pub fn held(&self, held: HoldsUp) -> String {
        format!("{} waits {}", self.names[held.task], self.awaited(held.what))
    }

    /// `for processor 0`, `for lock db`, `in the queue of disk`.
    #[must_use]
    pub fn awaited(&self, what: What) -> String {
        let cast = &self.timeline.cast;
        match what {
            What::Processor(cpu) | What::Nobody(cpu) => match cast.processors.get(cpu) {
                Some(_) => format!("for {}", rows::processor_label(self.timeline, cpu)),
                None => "for a processor".to_owned(),
            },
            What::Runtime => "for a thread of its runtime".to_owned(),
            What::Interpreter => "for the interpreter lock".to_owned(),
            What::Queue(device) | What::Service(device) | What::Seek(device) | What::Sharing(device) => {
                format!("in the queue of {}", visible(&cast.devices[device].name))
            }
            What::Sync(sync) | What::Spin(sync) => format!("for {}", visible(&cast.syncs[sync].to_string())),
            What::Budget => "for the budget of its server".to_owned(),
            What::Throttled(group) => format!("for the quota of {}", visible(&cast.groups[group].name)),
            What::Join => "to join".to_owned(),
            What::After => "to start after it".to_owned(),
            What::Previous => "for its previous job".to_owned(),
            What::Running | What::Overhead | What::Starting | What::Timer | What::Release => "on".to_owned(),
        }
    }
}

/// As much of the words as fits behind what stands before them.
fn fitted(words: &str, before: &str, terminal: &Terminal) -> String {
    match terminal.most_columns {
        Some(columns) => letters::cut(words, columns.saturating_sub(letters::width(before)).max(12)),
        None => words.to_owned(),
    }
}
