//! Programs: nested lists of operations become one flat list with jumps.
//!
//! While it walks, the compiler keeps the set of locks that are held at this point on every path: see [`sync`].

mod attempt;
mod branches;
mod loops;
mod on;
mod state;
mod sync;

use std::collections::BTreeMap;

use self::loops::repetitions;
use self::sync::{Held, Hold};
use super::device::no_such_track;
use super::names::Names;
use super::things::Things;
use super::{Code, Target, Which};
use crate::document::{Entry, Item, Kind, Note, Spot, Table, all_alternatives, quoted};
use crate::ids::{DeviceId, SpecId, SyncId};
use crate::place::Place;
use crate::scenario::words::{did_you_mean, operation_elsewhere, planned};
use crate::scenario::{Op, Position};

/// Operations of one program.
const LONGEST: usize = 100_000;
/// The operations that are tables, by the key that names them, and how they are called in messages.
const OPERATIONS: &[(&str, &str)] = &[
    ("cpu", "`cpu`"),
    ("io", "`io`"),
    ("sleep", "`sleep`"),
    ("lock", "`lock`"),
    ("unlock", "`unlock`"),
    ("with", "`with`"),
    ("read", "`read`"),
    ("write", "`write`"),
    ("acquire", "`acquire`"),
    ("release", "`release`"),
    ("send", "`send`"),
    ("recv", "`recv`"),
    ("wait", "`wait`"),
    ("notify", "`notify`"),
    ("notify-all", "`notify-all`"),
    ("barrier", "`barrier`"),
    ("spawn", "`spawn`"),
    ("join", "`join`"),
    ("on", "`on`"),
    ("all", "`all`"),
    ("any", "`any`"),
    ("each", "`each`"),
    ("repeat", "`repeat`"),
    ("every", "`every`"),
    ("choose", "`choose`"),
    ("if", "`if`"),
    ("while", "`while`"),
    ("set", "`set`"),
    ("add", "`add`"),
];
/// The operations that are a word alone.
const ALONE: [&str; 2] = ["yield", "end"];

/// What a program can refer to.
#[derive(Clone, Copy)]
pub(super) struct Context<'c> {
    pub(super) names: &'c Names<'c, 'c>,
    pub(super) things: &'c Things,
    /// Is there a horizon?
    pub(super) ends: bool,
    /// The process of the task.
    pub(super) process: usize,
}

/// Compiles the program of a task.
pub(super) fn compile(context: Context<'_>, program: Item<'_>) -> Code {
    let mut compiler = Compiler::new(context);
    if program.is_list() {
        compiler.block(program, Position::TOP, 0);
        compiler.remark_end(program);
    } else {
        program.mismatch("a list of operations", "[{ cpu = \"5ms\" }, { io = \"disk\", for = \"20ms\" }]");
    }
    compiler.joins_without_spawn(program);
    compiler.code
}

struct Compiler<'c> {
    context: Context<'c>,
    code: Code,
    /// Where the operation stands that is read.
    place: Position,
    /// The locks held here whatever happened before; `None` where no path leads.
    held: Held,
    /// If a task waits for this: what is known of that.
    outer: Option<Outer>,
    /// The semaphores whose permits are given back at the end of a list around this point.
    permits: Vec<SyncId>,
    /// Semaphores of which somebody may have no permit here who has given up, and where that is said.
    without: BTreeMap<SyncId, Spot>,
    /// Loops around this point.
    depth: u32,
    /// How often those run this point, as far as they end.
    times: u64,
    joins: Vec<(Target, Spot)>,
    /// Where each lock was taken last.
    taken: BTreeMap<SyncId, Spot>,
    /// Was the program found too long?
    full: bool,
}

/// A task that waits for what is compiled.
struct Outer {
    /// The locks that it holds meanwhile.
    held: BTreeMap<SyncId, Hold>,
    /// Does a pool do it, and not the task itself?
    on_pool: bool,
}

impl<'c> Compiler<'c> {
    /// At the beginning of a program.
    fn new(context: Context<'c>) -> Compiler<'c> {
        Compiler {
            context,
            code: Code::default(),
            place: Position { within: Position::TOP, branch: 0, number: 0 },
            held: Some(BTreeMap::new()),
            outer: None,
            permits: Vec::new(),
            without: BTreeMap::new(),
            depth: 0,
            times: 1,
            joins: Vec::new(),
            taken: BTreeMap::new(),
            full: false,
        }
    }
}

impl Compiler<'_> {
    fn push(&mut self, op: Op) -> usize {
        self.code.ops.push(op);
        self.code.positions.push(self.place);
        self.code.ops.len() - 1
    }

    /// The position of the next operation.
    fn here(&self) -> u32 {
        u32::try_from(self.code.ops.len()).unwrap_or(u32::MAX)
    }

    /// The list of an operation, which is the one of this place; of a choice the list of a branch.
    fn block(&mut self, list: Item<'_>, within: u32, branch: u32) {
        let Some(operations) = list.elements() else { return };
        if self.code.ops.is_empty() {
            self.code.ops.reserve_exact(operations.len());
            self.code.positions.reserve_exact(operations.len());
        }
        let (around, last) = (self.place, operations.len());
        for (number, item) in (0..).zip(operations) {
            self.place = Position { within, branch, number };
            if self.code.ops.len() >= LONGEST {
                if !std::mem::replace(&mut self.full, true) {
                    let sentence = format!("a program can have at most {LONGEST} operations");
                    item.wrong(sentence, "write what recurs once, with { repeat = …, do = […] }");
                }
                return;
            }
            self.operation(item);
            if item.is_text("end") && number as usize + 1 < last {
                let note = Note::new(item.spot(), "the task ends here: what stands behind this never happens");
                item.log().remark(note.hint("leave out what follows, or let a `choose` decide"));
            }
        }
        self.place = around;
    }

    /// Remarks on a program that does nothing, or ends holding locks.
    fn remark_end(&self, program: Item<'_>) {
        if matches!(program.kind(), Kind::List(operations) if operations.is_empty()) {
            let note = Note::new(program.spot(), "the program is empty: the task ends as soon as it begins");
            program.log().remark(note.hint("write what it does, such as [{ cpu = \"5ms\" }]"));
        }
        for lock in self.held.iter().flatten().map(|(lock, _)| *lock) {
            let (name, spot) = (self.name(lock), self.taken.get(&lock).copied().unwrap_or(program.spot()));
            let object = &self.context.things.syncs.objects[lock];
            let note =
                Note::new(spot, format!("{name} is taken here and never given back: others would wait for ever"));
            program.log().remark(note.hint(format!("give it back with {{ unlock = {:?} }}", object.name)));
        }
    }

    fn operation(&mut self, item: Item<'_>) {
        match item.kind() {
            Kind::Text(text) if text == "yield" => {
                self.push(Op::Yield);
            }
            Kind::Text(text) if text == "end" => self.end(item),
            Kind::Text(text) => not_a_word(item, text),
            Kind::Table(_) => {
                if let Some((mut table, word)) = recognise(item) {
                    self.table(&mut table, word, item);
                }
            }
            _ => item.mismatch("an operation", "{ cpu = \"5ms\" }, { io = \"disk\" }, \"yield\", …"),
        }
    }

    fn table(&mut self, table: &mut Table<'_>, word: &'static str, whole: Item<'_>) {
        let Some(item) = table.item(word) else { return };
        let attempt = self.attempt(word, table);
        self.done(table, word, item, whole);
        if let Some(attempt) = attempt {
            self.otherwise(attempt);
        }
    }

    fn done(&mut self, table: &mut Table<'_>, word: &'static str, item: Item<'_>, whole: Item<'_>) {
        match word {
            "cpu" => {
                if let Some(work) = item.distribution() {
                    self.push(Op::Cpu(work));
                }
            }
            "io" => self.io(item, table),
            "sleep" => {
                if let Some(time) = item.distribution() {
                    self.push(Op::Sleep(time));
                }
            }
            "spawn" | "join" if !self.stays_alone(item, word) => {}
            "spawn" => self.spawn(item),
            "join" => self.join(item),
            "on" => self.on(item, table),
            "all" => self.all(item, table),
            "any" => self.any(item, table),
            "each" => self.each(item, table),
            "repeat" => self.repeat(item, table),
            "every" => self.every(item, table),
            "choose" => self.choose(item, whole),
            "if" => self.branches(item, table, whole),
            "while" => self.repeats_while(item, table),
            "set" => self.changes(item, table, ("to", "what the variable is from now on"), Op::Set),
            "add" => self.changes(item, table, ("by", "how much more the variable is from now on"), Op::Add),
            _ => self.synchronise(word, item, table),
        }
    }

    fn io(&mut self, item: Item<'_>, table: &mut Table<'_>) {
        let device = self.context.things.device(item);
        let service = table.item("for").map(|item| item.distribution());
        let at = table.item("at");
        let place = at.map(|item| item.place());
        let blocks = table.item("blocking");
        let blocking = blocks.and_then(|item| item.boolean()).unwrap_or(false);
        self.code.blocking = self.code.blocking.or(blocks.filter(|_| blocking).map(|item| item.spot()));
        let Some(device) = device else { return };
        self.check_place(device, item, at, place.as_ref().and_then(Option::as_ref));
        let service = service.unwrap_or_else(|| {
            let service = self.context.things.services[device].clone();
            if service.is_none() {
                let name = quoted(&self.context.things.devices[device].name);
                let sentence = format!("this request names no duration, and the device {name} has no `service`");
                item.wrong(sentence, "add for = \"5ms\" here, or service = \"5ms\" to the device");
            }
            service
        });
        if let Some(service) = service {
            let at = place.flatten().unwrap_or(Place::At(0));
            self.push(Op::Io { device, service, at, blocking });
        }
    }

    /// A head must know where to go, and can go only to tracks that exist.
    fn check_place(&self, device: DeviceId, request: Item<'_>, at: Option<Item<'_>>, place: Option<&Place>) {
        let device = &self.context.things.devices[device];
        let Some(head) = device.head else { return };
        match (at, place) {
            (None, _) => {
                let sentence = format!("this request does not say where the head of {} must go", quoted(&device.name));
                request.wrong(sentence, "add the number of a track, at = 98, or a law, at = { uniform = [0, 199] }");
            }
            (Some(item), Some(place)) if head.tracks > 0 && place.highest() >= head.tracks => {
                let sentence = no_such_track(place.highest(), head.tracks);
                item.wrong(sentence, format!("{} has tracks = {}", quoted(&device.name), head.tracks));
            }
            _ => {}
        }
    }

    fn spawn(&mut self, item: Item<'_>) {
        let Some(target) = self.spawned(item, "spawn") else { return };
        let spawns = self.code.spawns.entry(target.task).or_insert(0);
        *spawns = spawns.saturating_add(self.times);
        let at = self.push(Op::Spawn(SpecId::NONE));
        self.code.links.push((at, target));
    }

    fn join(&mut self, item: Item<'_>) {
        if item.is_list() {
            return item.wrong(
                "`join` waits for tasks of their own, by their name",
                "programs that one task goes through at once are { all = [[ … ], [ … ]] }",
            );
        }
        let Some(target) = self.spawned(item, "join") else { return };
        self.joins.push((target, item.spot()));
        let at = self.push(Op::Join(SpecId::NONE));
        self.code.links.push((at, target));
    }

    /// A task that can be spawned, and of which process.
    fn spawned(&self, item: Item<'_>, word: &str) -> Option<Target> {
        let Context { names, process, .. } = self.context;
        let target = names.resolve(item, process)?;
        let call = quoted(&names.call(target.task, process));
        if !names.is_spawned(target.task) {
            let hint = match word {
                "join" => "to wait for a task that arrives by itself, use `after`",
                _ => "give it arrival = \"spawned\"",
            };
            item.wrong(format!("the task {call} arrives by itself, so it cannot be used with `{word}`"), hint);
            return None;
        }
        if target.which == Which::All {
            let sentence = format!("the process of {call} has several copies; which one is meant?");
            item.wrong(sentence, "name it by its number, such as \"web#0/handler\"");
            return None;
        }
        Some(target)
    }

    /// A `join` of what the same program never spawns would not wait for anything.
    fn joins_without_spawn(&self, program: Item<'_>) {
        for (target, spot) in &self.joins {
            if !self.code.spawns.contains_key(&target.task) {
                let call = quoted(&self.context.names.call(target.task, self.context.process));
                let note = Note::new(*spot, format!("this waits for instances of {call}, but the program spawns none"));
                program.log().add(note.hint("`join` waits for instances that the same task has spawned"));
            }
        }
    }
}

/// The table of an operation and the word that says which one it is.
fn recognise<'a>(item: Item<'a>) -> Option<(Table<'a>, &'static str)> {
    let mut table = item.table("the operation")?;
    if let Some((word, what)) = only_one(item) {
        table.called(what);
        return Some((table, word));
    }
    let words: Vec<&'static str> = OPERATIONS.iter().map(|(word, _)| *word).collect();
    let mut present = table.present(&words);
    if present.contains(&"wait") {
        // There it names the lock.
        present.retain(|word| *word != "with");
    }
    match present.as_slice() {
        [word] => {
            let what = OPERATIONS.iter().find(|(known, _)| known == word).map_or("", |(_, what)| what);
            table.called(what);
            return Some((table, word));
        }
        [] => unknown(item, &words),
        [first, second, ..] => {
            let spot = table.key_spot(second).unwrap_or(item.spot());
            let note = Note::new(spot, format!("`{first}` and `{second}` are two operations, but this is one table"));
            item.log().add(note.hint(format!("write {{ {first} = … }}, {{ {second} = … }}")));
        }
    }
    table.tolerate_all();
    None
}

/// The only operation that a table names, and how it is called in messages.
fn only_one(item: Item<'_>) -> Option<(&'static str, &'static str)> {
    let Kind::Table(entries) = item.kind() else { return None };
    let mut named = entries.iter().filter_map(|entry| OPERATIONS.iter().find(|(word, _)| *word == entry.key));
    named.next().filter(|_| named.next().is_none()).copied()
}

/// Notes that a table has no key that names an operation.
fn unknown(item: Item<'_>, words: &[&'static str]) {
    let Kind::Table(entries) = item.kind() else { return };
    let Some(first) = entries.iter().min_by_key(|entry| entry.key_spot) else {
        item.wrong("this operation is empty", "write what it is, such as { cpu = \"5ms\" }");
        return;
    };
    let to_come = |entry: &&Entry<'_>| planned::OPERATIONS.contains(&&*entry.key);
    if let Some(entry) = entries.iter().filter(to_come).min_by_key(|entry| entry.key_spot) {
        let sentence = format!("the operation {} is not supported yet", quoted(&entry.key));
        item.log().add(Note::new(entry.key_spot, sentence).hint(every_operation(words)));
        return;
    }
    let note = Note::new(first.key_spot, format!("unknown operation {}", quoted(&first.key)));
    let hint = match &*first.key {
        word if ALONE.contains(&word) => format!("write {word:?}, without braces"),
        key => operation_elsewhere(key, if let Kind::Text(of) = &first.value.kind { Some(of) } else { None })
            .unwrap_or_else(|| did_you_mean(key, words.iter().copied(), || every_operation(words))),
    };
    item.log().add(note.hint(hint));
}

/// Notes that a text is no operation.
fn not_a_word(item: Item<'_>, text: &str) {
    let words: Vec<&'static str> = OPERATIONS.iter().map(|(word, _)| *word).collect();
    if planned::WORDS.contains(&text) {
        item.wrong(format!("the operation {} is not supported yet", quoted(text)), every_operation(&words));
        return;
    }
    let first = text.split_whitespace().next().unwrap_or_default();
    let hint = match first {
        "cpu" | "sleep" => format!("write {{ {first} = \"5ms\" }}"),
        "io" => "write { io = \"disk\", for = \"5ms\" }".into(),
        word if words.contains(&word) => format!("write {{ {word} = … }}"),
        word => {
            operation_elsewhere(word, None).unwrap_or_else(|| did_you_mean(text, ALONE, || every_operation(&words)))
        }
    };
    item.wrong(format!("unknown operation {}", quoted(text)), hint);
}

fn every_operation(words: &[&'static str]) -> String {
    format!("it can be {}", all_alternatives(ALONE.into_iter().chain(words.iter().copied())))
}
