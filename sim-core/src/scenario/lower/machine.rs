//! `[machine]`: processors and the costs of switching.

use std::collections::BTreeMap;

use crate::distribution::Distribution;
use crate::document::{Item, Kind, Note, Spot, Table, listing, quoted};
use crate::ids::{CpuId, IdVec};
use crate::policy::Settings;
use crate::scenario::{Cache, Costs, CpuSet, Machine, Processor, STEPPED, Speed, StartCost, StartMethod, SteppedCost};
use crate::time::Span;

/// No operating system knows more processors than this.
const MOST: u32 = 4_096;

/// The processors as affinities name them.
pub(super) struct Processors {
    /// How many there are.
    pub(super) count: u32,
    /// Those that have names, by name: one of its own, or that of a group.
    named: BTreeMap<String, Vec<CpuId>>,
}

/// Reads `[machine]`; without it there is one processor and nothing costs anything. Where it says when the timer ticks first, that
/// is to be judged when the policy is known.
pub(super) fn read<'a>(table: Option<Table<'a>>) -> (Machine, Processors, Option<Item<'a>>) {
    let mut processors = Processors { count: 0, named: BTreeMap::new() };
    let mut machine = Machine {
        processors: IdVec::new(),
        context_switch: Span::ZERO,
        process_switch: Span::ZERO,
        migration: Span::ZERO,
        thread_start: Span::ZERO,
        process_start: Span::ZERO,
        task_switch: Span::ZERO,
        charge_first_switch: true,
        costs: None,
        tick: None,
        tick_phase: Span::ZERO,
        cache: None,
        profile: None,
    };
    let mut phase = None;
    if let Some(mut table) = table {
        if let Some(item) = table.item("processors") {
            processors_of(item, &mut machine, &mut processors);
        }
        let switches = switches(&mut table);
        [machine.context_switch, machine.process_switch] = switches.each_ref().map(fixed);
        machine.migration = table.span("migration").unwrap_or_default();
        machine.thread_start = table.span("thread-start").unwrap_or_default();
        machine.process_start = table.span("process-start").unwrap_or_default();
        machine.task_switch = table.span("task-switch").unwrap_or_default();
        machine.charge_first_switch = table.boolean("charge-first-switch").unwrap_or(true);
        machine.costs = costs(&mut table, switches);
        machine.tick = table.positive_span("tick");
        phase = table.item("tick-phase");
        machine.tick_phase = phase.and_then(|item| item.span()).unwrap_or_default();
        machine.profile = table.text("profile").map(Box::from);
        machine.cache = table.table("cache", "`cache`").and_then(|table| cache(table, &machine));
    }
    if machine.processors.is_empty() {
        add(&mut machine, "", 1, Speed::ONE);
    }
    processors.count = u32::try_from(machine.processors.len()).unwrap_or(MOST);
    (machine, processors, phase)
}

/// The cost of a switch to another thread, and to one of another process.
fn switches(table: &mut Table<'_>) -> [Distribution; 2] {
    let mut cost = |key| table.item(key).and_then(|item| item.distribution());
    let thread = cost("context-switch").unwrap_or(Distribution::Constant(Span::ZERO));
    let process = cost("process-switch").unwrap_or_else(|| thread.clone());
    [thread, process]
}

/// A cost that is always the same, or by how long something has lasted for which this is the word.
pub(crate) fn stepped_cost(item: Item<'_>, word: &'static str) -> Option<SteppedCost> {
    let Kind::List(_) = item.kind() else { return Some(item.distribution()?.into()) };
    let mut steps = Vec::new();
    for step in item.list()? {
        let mut step = step.table("a step of a cost")?;
        let from = step.span(word).unwrap_or_default();
        let cost = step.required("cost", "what is paid after so much time")?.distribution()?;
        steps.push((from, cost));
    }
    let cost = SteppedCost::new(steps);
    if cost.is_none() {
        item.wrong(
            format!("the steps are not in the order of `{word}`, from none at all"),
            format!("for example [{{ cost = \"20us\" }}, {{ {word} = \"2ms\", cost = \"70us\" }}]"),
        );
    }
    cost
}

/// What Python takes to start a process.
pub(crate) fn start_cost(item: Item<'_>) -> Option<StartCost> {
    let mut table = item.table("the cost of starting a process")?;
    let mut cost = |key| table.item(key).and_then(|item| item.distribution());
    let free = StartCost::default();
    Some(StartCost { parent: cost("parent").unwrap_or(free.parent), child: cost("child").unwrap_or(free.child) })
}

/// When the timer ticks first.
fn fixed(cost: &Distribution) -> Span {
    if let Distribution::Constant(cost) = cost { *cost } else { Span::ZERO }
}

/// What has a name and costs anything, and what switches cost that is left to chance.
fn costs(table: &mut Table<'_>, switches: [Distribution; 2]) -> Option<Box<Costs>> {
    let free = Costs::default();
    let [wake, remote_wake, poll] = STEPPED.map(|(key, word)| {
        table.item(key).and_then(|item| stepped_cost(item, word)).unwrap_or(Distribution::Constant(Span::ZERO).into())
    });
    let mut cost = |key| table.item(key).and_then(|item| item.distribution());
    let mut or_free = |key| cost(key).unwrap_or(Distribution::Constant(Span::ZERO));
    let [context_switch, process_switch] = switches.map(|cost| match cost {
        Distribution::Constant(_) => Distribution::Constant(Span::ZERO),
        random => random,
    });
    let costs = Costs {
        context_switch,
        process_switch,
        wake,
        block: or_free("block"),
        exit: or_free("exit"),
        local_wake: or_free("local-wake"),
        remote_wake,
        start: or_free("start"),
        stagger: or_free("stagger"),
        poll,
        look: or_free("look"),
        callback: or_free("callback"),
        take: or_free("take"),
        operation: or_free("operation"),
        submit: or_free("submit"),
        starts: StartMethod::NAMES.map(|key| table.item(key).and_then(start_cost).unwrap_or_default()),
    };
    (costs != free).then(|| Box::new(costs))
}

/// Is there a tick of which this is the phase, and is it shorter? The tick may be that of the machine, of the policy, or of a
/// profile, which is not read here.
pub(super) fn judge_phase(item: Item<'_>, machine: &Machine, policy: &dyn Settings) {
    let phase = machine.tick_phase;
    let may_be_in_profile = machine.tick.is_none() && machine.profile.is_some();
    match policy.ticks(machine.tick).or(machine.tick) {
        _ if may_be_in_profile => {}
        // Whoever misspelt the policy hears of that first.
        None if !item.log().is_empty() => {}
        None => {
            item.wrong("`tick-phase` says when the timer ticks first, and there is no `tick`", "add tick = \"4ms\"")
        }
        Some(tick) if phase >= tick => {
            let sentence = format!("the first tick is at {phase}, and they come every {tick}");
            item.wrong(sentence, "`tick-phase` is shorter than `tick`");
        }
        Some(_) => {}
    }
}

/// Reads `cache`, when the processors are known.
fn cache(mut table: Table<'_>, machine: &Machine) -> Option<Cache> {
    let size = table.required("size", "how much the working sets of warm tasks take together");
    let size = size.and_then(|item| item.whole(0..=i128::from(u32::MAX))).and_then(|size| u64::try_from(size).ok());
    let warm_up =
        table.required("warm-up", "how long a task runs until the cache is warm").and_then(|item| item.span());
    let warm_speed = table.required("warm-speed", "how much faster a task is with a warm cache");
    let warm_speed = warm_speed.and_then(|item| Some((speed(item)?, item)));
    let tick = table.positive_span("tick");
    let (speed, item) = warm_speed?;
    if speed.work < speed.per {
        item.wrong("`warm-speed` must be at least 1", "2.0 is twice as fast as with a cold cache");
        return None;
    }
    if machine.processors.iter().any(|processor| processor.speed.times(speed).is_none()) {
        item.wrong(
            "`warm-speed` times the speed of a processor has too many digits",
            "write fewer digits, such as 1.5",
        );
        return None;
    }
    Some(Cache { size: size?, warm_up: warm_up?, warm_speed: speed, tick: tick.unwrap_or_default() })
}

/// The tick of the caches, if the file does not say: the coarsest unit of which the warm-up and all bursts are multiples.
pub(super) fn set_tick<'a>(machine: &mut Machine, bursts: impl Iterator<Item = &'a Distribution> + Clone) {
    let Some(cache) = machine.cache.as_mut().filter(|cache| cache.tick.is_zero()) else { return };
    let units = [Span::from_ms(1), Span::from_us(1)];
    let divides = |unit: &Span| {
        let multiple = |span: Span| span.ns().is_multiple_of(unit.ns());
        let constant = |burst: &Distribution| matches!(burst, Distribution::Constant(span) if multiple(*span));
        multiple(cache.warm_up) && bursts.clone().all(constant)
    };
    cache.tick = units.into_iter().find(divides).unwrap_or(Span::from_ns(1));
}

fn processors_of(item: Item<'_>, machine: &mut Machine, processors: &mut Processors) {
    if !item.is_list() {
        let count = match item.kind() {
            Kind::Integer(_) => item.count(1..=MOST),
            _ => {
                item.mismatch("a number or a list of tables", "processors = 2, or [{ count = 2, speed = 1.0 }]");
                None
            }
        };
        add(machine, "", count.unwrap_or(1), Speed::ONE);
        return;
    }
    let mut spots: BTreeMap<&str, Spot> = BTreeMap::new();
    for element in item.list().unwrap_or_default() {
        let Some(mut table) = element.table("`processors`") else { continue };
        let name = table.item("name").and_then(|item| Some((processor_name(item)?, item.spot())));
        let count = table.item("count").and_then(|item| item.count(1..=MOST)).unwrap_or(1);
        let speed = table.item("speed").and_then(speed).unwrap_or(Speed::ONE);
        if machine.processors.len() + count as usize > MOST as usize {
            item.log().add(Note::new(item.spot(), format!("there can be at most {MOST} processors")));
            return;
        }
        if let Some((name, spot)) = name {
            if let Some(first) = spots.insert(name, spot) {
                let note = Note::new(spot, format!("there already are processors called {}", quoted(name)));
                item.log().add(note.also(first, "the first"));
            }
            let first = machine.processors.len();
            let cpus = (first..first + count as usize).map(crate::ids::Id::from_index).collect();
            processors.named.insert(name.to_owned(), cpus);
        }
        add(machine, name.map_or("", |(name, _)| name), count, speed);
    }
    if machine.processors.is_empty() && item.log().is_empty() {
        item.wrong("there must be at least one processor", "write processors = 1");
    }
}

/// Adds processors: one that has no name is called by its number, and of several with one name each has its own.
fn add(machine: &mut Machine, name: &str, count: u32, speed: Speed) {
    for index in 0..count {
        let name = match (name, count) {
            ("", _) => machine.processors.len().to_string(),
            (name, 1) => name.to_owned(),
            (name, _) => format!("{name}#{index}"),
        };
        machine.processors.push(Processor { name, speed });
    }
}

fn processor_name<'a>(item: Item<'a>) -> Option<&'a str> {
    let name = super::names::valid(item)?;
    if name.bytes().all(|byte| byte.is_ascii_digit()) {
        item.wrong("a processor cannot be called by a number", "its number is its place in the list");
        return None;
    }
    Some(name)
}

/// A speed: exactly the fraction that the decimal says.
fn speed(item: Item<'_>) -> Option<Speed> {
    let number = item.number()?;
    if number <= 0.0 {
        item.wrong(
            format!("{} must be above zero, not {number}", item.name()),
            "1.0 is the speed of a usual processor",
        );
        return None;
    }
    let digits = match item.kind() {
        Kind::Float(_, digits) => digits.clone(),
        _ => number.to_string().into(),
    };
    let speed = fraction(&digits);
    if speed.is_none() {
        item.wrong(format!("{} has too many digits", item.name()), "up to nine, such as 0.5 or 1.25");
    }
    speed
}

/// The fraction that a decimal number is, in lowest terms, if its parts fit 32 bits.
fn fraction(digits: &str) -> Option<Speed> {
    let digits = digits.trim_start_matches('+');
    let (mantissa, exponent) = digits.split_once(['e', 'E']).unwrap_or((digits, "0"));
    let (whole, decimals) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let exponent = exponent.parse::<i32>().ok()?.checked_sub(i32::try_from(decimals.len()).ok()?)?;
    let mut work = format!("{whole}{decimals}").parse::<u128>().ok()?;
    let mut per = 1_u128;
    let scale = 10_u128.checked_pow(exponent.unsigned_abs())?;
    if exponent < 0 {
        per = scale;
    } else {
        work = work.checked_mul(scale)?;
    }
    Speed::ratio(work, per)
}

impl Processors {
    /// Reads an affinity: numbers and names of processors.
    pub(super) fn affinity(&self, item: Item<'_>) -> Option<CpuSet> {
        if let Kind::Text(text) = item.kind()
            && let Some(numbers) = numbers(text)
        {
            let sentence = format!("{} must be a list of processors, not the text {text:?}", item.name());
            item.wrong(sentence, format!("write {numbers:?}"));
            return None;
        }
        let list = item.list()?;
        if list.is_empty() {
            item.wrong(format!("{} allows no processor at all", item.name()), "leave it out to allow every processor");
            return None;
        }
        let cpus: Vec<_> = list.iter().map(|element| self.cpus(*element)).collect();
        Some(cpus.into_iter().collect::<Option<Vec<_>>>()?.into_iter().flatten().collect())
    }

    fn cpus(&self, item: Item<'_>) -> Option<Vec<CpuId>> {
        let found = match item.kind() {
            Kind::Integer(number) => {
                let number = u32::try_from(*number).ok().filter(|number| *number < self.count);
                number.map(|number| vec![CpuId(number)])
            }
            Kind::Text(name) => self.called(name),
            _ => {
                item.mismatch("the number or the name of a processor", "");
                return None;
            }
        };
        if found.is_none() {
            let (what, found) = match item.kind() {
                Kind::Text(name) => (quoted(name), &**name),
                Kind::Integer(number) => (number.to_string(), ""),
                _ => (String::new(), ""),
            };
            let names = || self.named.keys().map(String::as_str);
            item.unknown(format!("there is no processor {what}"), found, names(), || {
                match (self.count, self.named.is_empty()) {
                    (1, true) => "there is one processor, number 0".into(),
                    (count, true) => format!("there are {count}, numbered from 0"),
                    (count, false) => format!("there are {count}, numbered from 0; names are {}", listing(names())),
                }
            });
        }
        found
    }

    /// The processors of a name: `little`, or `little#1` for the second of them.
    fn called(&self, name: &str) -> Option<Vec<CpuId>> {
        if let Some(cpus) = self.named.get(name) {
            return Some(cpus.clone());
        }
        let (group, index) = name.split_once('#')?;
        Some(vec![*self.named.get(group)?.get(index.parse::<usize>().ok()?)?])
    }
}

/// The numbers of a list as `taskset` and `cpuset.cpus` have it: `0-2,4`.
fn numbers(text: &str) -> Option<Vec<u32>> {
    /// A longer list is shown to nobody.
    const MOST: usize = 64;
    let range = |part: &str| {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last) = (first.trim().parse::<u32>().ok()?, last.trim().parse::<u32>().ok()?);
        (last.saturating_sub(first) < 64 && first <= last).then_some(first..=last)
    };
    let ranges = text.split(',').map(range).collect::<Option<Vec<_>>>()?;
    Some(ranges.into_iter().flatten().take(MOST).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_speed_is_exactly_its_decimal() {
        for (digits, expected) in [
            ("0.5", Some((1, 2))),
            ("1.0", Some((1, 1))),
            ("2", Some((2, 1))),
            ("1.25", Some((5, 4))),
            ("0.1", Some((1, 10))),
            ("5e-1", Some((1, 2))),
            ("1.5E2", Some((150, 1))),
            ("0.333333333", Some((333_333_333, 1_000_000_000))),
            ("0.33333333333333", None),
            ("1e30", None),
            ("1e-2000000000", None),
        ] {
            assert_eq!(fraction(digits).map(|speed| (speed.work, speed.per)), expected, "{digits}");
        }
    }
}
