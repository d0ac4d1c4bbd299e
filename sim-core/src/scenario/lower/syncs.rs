//! What tasks synchronise with: declarations, and the way from names to ids.

use std::collections::BTreeMap;

use super::hand_over;
use super::names::{Register, name};
use crate::document::{Item, Kind, Note, Spot, Table, add_one, likely_first, quoted, there_is};
use crate::ids::{IdVec, SyncId};
use crate::scenario::words::is_declared_as;
use crate::scenario::{Prefer, Protocol, Rule, SyncKind, SyncObject};
use crate::time::Span;

/// The kinds, by their words, and the operations that are for them, as messages say it.
const KINDS: &[(&str, &str, &str)] = &[
    ("lock", "[[lock]]", "`lock`, `unlock` and `with`"),
    ("rwlock", "[[rwlock]]", "`read`, `write` and `unlock`"),
    ("semaphore", "[[semaphore]]", "`acquire` and `release`"),
    ("channel", "[[channel]]", "`send` and `recv`"),
    ("condvar", "[[condvar]]", "`wait`, `notify` and `notify-all`"),
    ("barrier", "[[barrier]]", "`barrier`"),
];

/// There are two protocols of this name, and books mean either.
const WHICH_CEILING: &str =
    "`ceiling` is the immediate ceiling protocol: a holder runs at the ceiling of the lock from when it has it";
const OTHER_CEILING: &str = "under the original one, where it inherits and may be refused a free lock, tasks end at other \
    times: protocol = \"original-ceiling\". To say which is meant: \"immediate-ceiling\"";

/// What the file declares.
#[derive(Default)]
pub(super) struct Syncs {
    pub(super) objects: IdVec<SyncId, SyncObject>,
    /// Where they stand.
    pub(super) places: IdVec<SyncId, Declared>,
    /// By the word of the kind.
    names: BTreeMap<&'static str, BTreeMap<String, SyncId>>,
    /// The words of kinds of which the file declares some under another name: that is said once, and not again wherever they are used.
    elsewhere: Vec<&'static str>,
}

/// Where a declaration stands, and some of its keys.
pub(super) struct Declared {
    pub(super) spot: Spot,
    pub(super) kind: Option<Spot>,
    pub(super) protocol: Option<Spot>,
    pub(super) spin: Option<Spot>,
    pub(super) rule: Option<Spot>,
}

/// Reads all declarations, kind by kind.
pub(super) fn read(file: &mut Table<'_>) -> Syncs {
    let mut syncs = Syncs::default();
    let mut register = Register::new("lock");
    for (word, header, _) in KINDS {
        if is_declared_as(word, |theirs| file.key_spot(theirs).is_some()) {
            syncs.elsewhere.push(word);
        }
        // Both kinds of locks are given back by `unlock`: their names must differ.
        if *word != "rwlock" {
            register = Register::new(word);
        }
        for mut table in file.tables(word, header) {
            let name = name(&mut table, &mut register).to_owned();
            let (mut protocol, mut spin) = (Protocol::None, Span::ZERO);
            if *word == "lock" {
                protocol = self::protocol(&mut table);
                spin = table.item("spin").and_then(spinning).unwrap_or(Span::ZERO);
            }
            let kind = kind(word, &mut table);
            syncs.places.push(Declared {
                spot: table.spot(),
                kind: table.item("kind").map(|item| item.spot()),
                protocol: table.key_spot("protocol"),
                spin: table.key_spot("spin"),
                rule: table.key_spot("rule"),
            });
            let rule = Rule::usual(kind);
            let mut object = SyncObject { name: name.clone(), kind, protocol, spin, rule, library: None };
            hand_over::read(&mut object, &mut table);
            let id = syncs.objects.push(object);
            syncs.names.entry(word).or_default().entry(name).or_insert(id);
        }
    }
    syncs
}

/// For how long who finds a lock taken spins.
fn spinning(item: Item<'_>) -> Option<Span> {
    if item.is_text("forever") {
        return Some(SyncObject::FOREVER);
    }
    item.span().map(|span| span.min(SyncObject::FOREVER))
}

fn protocol(table: &mut Table<'_>) -> Protocol {
    let words: Vec<&str> = Protocol::ALL.iter().map(|(_, word, _)| *word).collect();
    let place = table.one_of("protocol", &words);
    let protocol = place.map_or(Protocol::None, |place| Protocol::ALL[place].0);
    // That name is not for both.
    if place.is_some_and(|place| words[place] == "ceiling") {
        let note = Note::new(table.key_spot("protocol").unwrap_or(table.spot()), WHICH_CEILING);
        table.log().remark(note.hint(OTHER_CEILING));
    }
    protocol
}

fn kind(word: &str, table: &mut Table<'_>) -> SyncKind {
    let mut number = |key, least, purpose| {
        let item = table.required(key, purpose);
        item.and_then(|item| item.count(least..=u32::MAX - 1)).unwrap_or(1)
    };
    match word {
        "rwlock" => SyncKind::RwLock {
            prefer: match table.one_of("prefer", &["fifo", "readers", "writers"]) {
                Some(1) => Prefer::Readers,
                Some(2) => Prefer::Writers,
                _ => Prefer::Fifo,
            },
        },
        "semaphore" => SyncKind::Semaphore { permits: number("permits", 0, "how many can be acquired at first") },
        "channel" => SyncKind::Channel { capacity: capacity(table) },
        "condvar" => SyncKind::Condvar,
        "barrier" => SyncKind::Barrier { parties: number("parties", 1, "how many tasks wait for each other") },
        _ => SyncKind::Mutex,
    }
}

/// How many messages a channel holds.
fn capacity(table: &mut Table<'_>) -> u32 {
    const PURPOSE: &str =
        "how many messages it holds; 0: both sides meet; a large number, such as 1_000_000: it has no bound";
    let Some(item) = table.required("capacity", PURPOSE) else { return 1 };
    if matches!(item.kind(), Kind::Text(_)) {
        item.wrong(
            "`capacity` must be a whole number",
            "a queue without a bound is one that is never full: capacity = 1_000_000",
        );
        return 1;
    }
    item.count(0..=u32::MAX - 1).unwrap_or(1)
}

impl Syncs {
    /// The object of one of these kinds that the operation `word` names.
    pub(super) fn find(&self, item: Item<'_>, word: &str, kinds: &[&'static str]) -> Option<SyncId> {
        let found = item.text()?;
        let named = |kind: &&str| self.names.get(kind).and_then(|names| names.get(found)).copied();
        if let Some(id) = kinds.iter().find_map(named) {
            return Some(id);
        }
        if let Some((other, _, uses)) = KINDS.iter().find(|(kind, ..)| named(kind).is_some()) {
            let hint = format!("{} {other} is used with {uses}", article(other));
            item.wrong(
                format!("{} is {} {other}, so it cannot be used with `{word}`", quoted(found), article(other)),
                hint,
            );
            return None;
        }
        let names = || kinds.iter().filter_map(|kind| self.names.get(kind)).flat_map(BTreeMap::keys);
        let declared = || names().map(String::as_str).filter(|name| !name.is_empty());
        let what = kinds[0];
        if self.elsewhere.contains(&what) {
            return None;
        }
        let sentence = format!("the {what} {} is not declared", quoted(found));
        item.unknown(sentence, found, declared(), || match declared().next() {
            None => add_one(what, found),
            Some(_) => there_is(likely_first(found, declared())),
        });
        None
    }

    /// How messages call an object.
    pub(super) fn name(&self, id: SyncId) -> String {
        quoted(&self.objects[id].name)
    }
}

pub(super) fn article(word: &str) -> &'static str {
    if word.starts_with(['a', 'e', 'i', 'o', 'u']) || word == "rwlock" { "an" } else { "a" }
}
