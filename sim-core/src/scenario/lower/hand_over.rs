//! How an object is handed on: `kind`, and the keys `order`, `hand-over`, `fair-after` and `yields`, which go before it.

use std::collections::BTreeSet;

use super::TaskDefinition;
use super::syncs::{Syncs, article};
use crate::document::{Log, Note, Table, alternatives, quoted};
use crate::ids::SyncId;
use crate::scenario::{HandOver, Op, Order, Protocol, Rule, SyncKind, SyncObject, SyncOp};
use crate::sync::kinds::{KINDS, Kind};

/// Of an object that has been read for the rest.
pub(super) fn read(object: &mut SyncObject, table: &mut Table<'_>) {
    let kind = library(object, table);
    object.rule = kind.and_then(|kind| kind.rule(object.kind)).unwrap_or(Rule::usual(object.kind));
    object.library = kind;
    if let (SyncKind::RwLock { prefer }, Some(kind), None) = (&mut object.kind, kind, table.key_spot("prefer")) {
        *prefer = kind.prefer;
    }
    match table.one_of("order", &["urgent", "fifo", "lifo"]) {
        Some(0) => object.rule.order = Order::Urgent,
        Some(1) => object.rule.order = Order::Fifo,
        Some(2) => object.rule.order = Order::Lifo,
        _ => {}
    }
    hand_over(object, table);
    if object.kind == SyncKind::Condvar && table.one_of("rule", &["mesa", "hoare"]) == Some(1) {
        hoare(object, table);
    }
    if object.kind.is_lock() {
        if let Some(yields) = table.integer("yields", 0..=1000) {
            object.rule.yields = u32::try_from(yields).unwrap_or_default();
        }
    } else if let Some(item) = table.item("yields") {
        item.wrong("only who finds a lock taken yields", "leave `yields` out, or use a [[lock]]");
    }
}

/// The library whose object it is.
fn library(object: &SyncObject, table: &mut Table<'_>) -> Option<&'static Kind> {
    let item = table.item("kind")?;
    let there = || alternatives(Kind::with(object.kind).map(|kind| kind.name));
    let kind = item.on_shelf("kind", KINDS, |kind| kind.name)?;
    if kind.rule(object.kind).is_none() {
        let word = object.kind.word();
        let meets = object.kind == SyncKind::Channel { capacity: 0 };
        let what = if meets { "channel of capacity 0" } else { word };
        let none = if kind.has(object.kind) {
            format!("{} {what} of the kind {} is not supported yet", article(word), quoted(kind.name))
        } else {
            format!("{} has no {what}", quoted(kind.name))
        };
        item.wrong(none, format!("{} {what} can be of the kind {}", article(word), there()));
        return None;
    }
    if object.protocol != Protocol::None {
        let lends = format!("no lock of the kind {} lends its holder urgency", quoted(kind.name));
        item.wrong(lends, "leave `kind` or `protocol` out");
        return None;
    }
    Some(kind)
}

/// To whom belongs what becomes free.
fn hand_over(object: &mut SyncObject, table: &mut Table<'_>) {
    let word = object.kind.word();
    let has_after = !matches!(object.kind, SyncKind::Condvar | SyncKind::Barrier { .. });
    if let SyncKind::Barrier { .. } = object.kind
        && let Some(item) = table.item("hand-over")
    {
        item.wrong(
            "a barrier hands nothing over: all go on together",
            "leave `hand-over` out; `order` says who is first",
        );
        return;
    }
    let chosen = table.one_of("hand-over", &["direct", "barging"]);
    match chosen {
        Some(0) => object.rule.hand_over = HandOver::Direct,
        Some(1) => object.rule.hand_over = HandOver::Barging,
        _ => {}
    }
    let after = table.item("fair-after");
    if let Some(item) = &after {
        if !has_after {
            item.wrong(format!("nobody waits at a {word} for what another could take"), "leave `fair-after` out");
            return;
        }
        if chosen == Some(0) {
            let hint = "leave one of both out: `fair-after` is barging, but for those who have waited so long";
            item.wrong("`fair-after` contradicts hand-over = \"direct\"", hint);
            return;
        }
        object.rule.hand_over = item.positive_span().map_or(HandOver::Barging, HandOver::Fair);
    }
    let Some(spot) = after.map(|item| item.spot()).or(table.key_spot("hand-over")) else { return };
    if object.rule.hand_over == HandOver::Direct {
        return;
    }
    let refused = match object {
        SyncObject { protocol, .. } if *protocol != Protocol::None => {
            ("a lock with a `protocol` is handed over: its holder is known at any time", "leave `protocol` out")
        }
        SyncObject { kind: SyncKind::Channel { capacity: 0 }, .. } => (
            "in a channel of capacity 0 both sides meet: nothing lies there to be taken",
            "give it a capacity of 1 or more",
        ),
        _ => return,
    };
    table.log().add(Note::new(spot, refused.0).hint(refused.1));
    object.rule.hand_over = HandOver::Direct;
}

/// Who notifies at this condition variable hands the lock on.
fn hoare(object: &mut SyncObject, table: &mut Table<'_>) {
    object.rule.hoare = true;
    let Some(spot) = table.key_spot("rule") else { return };
    if let Some(library) = object.library {
        let sentence = format!("condition variables of {} go by Mesa's rule", quoted(library.name));
        table.log().add(Note::new(spot, sentence).hint("leave `kind` or `rule` out"));
    } else if !object.rule.is_done_once() {
        let sentence = "by Hoare's rule the lock is handed on: nobody can take it in between";
        table.log().add(Note::new(spot, sentence).hint("leave `hand-over` or `rule` out"));
    }
}

/// Whoever notifies by Hoare's rule holds the lock with which tasks wait there, and that can be handed on.
pub(super) fn judge_notifications(tasks: &[TaskDefinition], syncs: &Syncs, log: &Log) {
    let ops = || tasks.iter().flat_map(|task| &task.code.ops);
    for (condvar, object) in syncs.objects.pairs().filter(|(_, object)| object.rule.hoare) {
        let with = |op: &Op| match op {
            Op::Sync(SyncOp::Wait { condvar: at, lock }) if *at == condvar => Some(*lock),
            _ => None,
        };
        let locks: BTreeSet<SyncId> = ops().filter_map(with).collect();
        let spot = syncs.places[condvar].spot;
        let name = quoted(&object.name);
        if locks.len() > 1 {
            let names = alternatives(locks.iter().map(|lock| syncs.objects[*lock].name.as_str()));
            let sentence = format!("tasks wait at {name} with {names}, and by Hoare's rule one lock is handed on");
            log.add(Note::new(spot, sentence).hint("let all wait there with the same lock"));
        }
        for lock in &locks {
            let SyncObject { rule, protocol, spin, library, .. } = &syncs.objects[*lock];
            let is_plain = rule.is_done_once() && spin.is_zero() && library.is_none();
            if !is_plain || *protocol == Protocol::OriginalCeiling {
                let lock = quoted(&syncs.objects[*lock].name);
                let sentence = format!("the lock {lock} cannot be handed on by who notifies at {name}");
                let hint =
                    "leave `kind`, `hand-over`, `spin` and original ceilings out of the lock, or rule = \"hoare\"";
                log.add(Note::new(spot, sentence).hint(hint));
            }
        }
        let notifies = tasks.iter().flat_map(|task| &task.code.notifies).filter(|(at, ..)| *at == condvar);
        for (_, held, spot) in notifies {
            if let Some(lock) = locks.iter().find(|lock| !held.contains(lock)) {
                let lock = &syncs.objects[*lock].name;
                let sentence = format!("{name} goes by Hoare's rule, and {} is not held here", quoted(lock));
                let hint = format!("who notifies hands that lock on: take it before, with {{ lock = {lock:?} }}");
                log.add(Note::new(*spot, sentence).hint(hint));
            }
        }
    }
}
