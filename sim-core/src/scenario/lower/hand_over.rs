//! How an object is handed on: `kind`, and the keys `order`, `hand-over`, `fair-after` and `yields`, which go before it.

use super::syncs::article;
use crate::document::{Note, Table, alternatives, quoted};
use crate::scenario::{HandOver, Order, Protocol, Rule, SyncKind, SyncObject};
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
