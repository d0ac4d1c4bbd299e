//! `[[device]]`: its channels, its discipline, and the head that must go to where requests want to.

use std::sync::Arc;

use crate::device::{self, DISCIPLINES, Device, Form, Head, Kind, Settings};
use crate::document;
use crate::document::{Item, Table, quoted};
use crate::ids::{DeviceId, IdVec};
use crate::place::LAST_TRACK;
use crate::scenario::Op;
use crate::time::Span;

/// Reads a device, all but its name and its `service`. How many tracks it has may have to be found out later, by
/// [`set_tracks`]: until then there are none.
pub(super) fn read(table: &mut Table<'_>, name: &str) -> Device {
    let item = table.item("channels");
    let channels = match item {
        None => Some(1),
        Some(item) if item.is_text("unlimited") => None,
        Some(item) => channels(item),
    };
    let (kind, settings) = discipline(table);
    let seek = table.item("seek");
    let head = seek.and_then(|item| item.table("[device.seek]")).map(|mut table| head(&mut table));
    if let (Some(item), Form::Shared) = (seek, kind.form) {
        let sentence = format!("the discipline {} serves all requests at once, which no head can", quoted(kind.name));
        item.wrong(sentence, "leave `seek` out, or choose another discipline");
    }
    let has_one_head = head.is_some() || kind.form == Form::Positioned;
    if let (true, Some(item), None | Some(2..)) = (has_one_head, item, channels)
        && matches!(item.kind(), document::Kind::Integer(_) | document::Kind::Text(_))
    {
        let why = match kind.form {
            Form::Positioned => format!("the discipline {} moves one head", quoted(kind.name)),
            _ => "a device with [device.seek] has one head".to_owned(),
        };
        item.wrong(format!("{why}, so `channels` must be 1"), "leave `channels` out");
    }
    let without_costs = Head { per_track: Span::ZERO, settle: Span::ZERO, tracks: 0, start: 0 };
    let head = head.or((kind.form == Form::Positioned).then_some(without_costs));
    let queue = table.item("queue");
    let patience = table.item("patience");
    for (item, key) in [(queue, "queue"), (patience, "patience")] {
        if let (Some(item), true) = (item, kind.form == Form::Shared || channels.is_none()) {
            let hint = "leave it out, or choose another discipline and a number of `channels`";
            item.wrong(format!("nobody waits at this device, so `{key}` means nothing"), hint);
        }
    }
    let queue = queue.and_then(|item| match item.kind() {
        document::Kind::Text(text) => {
            let sentence = format!("`queue` must be a whole number, the requests that may wait, not the text {text:?}");
            item.wrong(sentence, "leave it out where any number may wait; who of them is next says `discipline`");
            None
        }
        _ => item.count(0..=u32::MAX - 1),
    });
    let patience = patience.and_then(|item| item.span());
    Device { name: name.to_owned(), channels, discipline: kind, settings, queue, patience, is_left: false, head }
}

fn channels(item: Item<'_>) -> Option<u32> {
    match item.kind() {
        document::Kind::Integer(_) => item.count(1..=u32::MAX - 1).or(Some(1)),
        _ => {
            item.mismatch("a whole number or \"unlimited\"", "channels = 4 or channels = \"unlimited\"");
            Some(1)
        }
    }
}

/// The discipline and its parameters. A file keeps those of others, so that the discipline alone can be varied.
fn discipline(table: &mut Table<'_>) -> (&'static Kind, Arc<dyn Settings>) {
    let item = table.item("discipline");
    let found = item.and_then(|item| item.on_shelf("discipline", DISCIPLINES, |kind| kind.name));
    DISCIPLINES.iter().flat_map(|kind| kind.parameters).for_each(|parameter| table.tolerate(parameter.name));
    let kind = found.unwrap_or(device::DEFAULT);
    let others: Vec<_> = DISCIPLINES.iter().map(|kind| (kind.name, kind.parameters)).collect();
    table.remark_useless(item, (kind.name, kind.parameters), &others);
    (kind, (kind.read)(table))
}

/// Reads `[device.seek]`.
fn head(table: &mut Table<'_>) -> Head {
    let per_track = table.span("per-track").unwrap_or_default();
    let settle = table.span("settle").unwrap_or_default();
    let tracks = table.item("tracks").and_then(|item| item.count(1..=LAST_TRACK + 1)).unwrap_or(0);
    let item = table.item("start");
    let start = item.and_then(|item| item.track()).unwrap_or(0);
    if let (true, Some(item)) = (tracks > 0 && start >= tracks, item) {
        item.wrong(no_such_track(start, tracks), "the head starts on one of the tracks");
    }
    Head { per_track, settle, tracks, start }
}

/// Says that a track is beyond the last one.
pub(super) fn no_such_track(track: u32, tracks: u32) -> String {
    format!("there is no track {track}: the tracks are 0 to {}", tracks - 1)
}

/// A disk that does not say how many tracks it has ends with the highest one that is named anywhere.
pub(super) fn set_tracks<'o>(devices: &mut IdVec<DeviceId, Device>, ops: impl Iterator<Item = &'o Op>) {
    let mut highest: IdVec<DeviceId, u32> = devices.iter().map(|_| 0).collect();
    for op in ops {
        if let Op::Io { device, at, .. } = op {
            highest[*device] = at.highest().max(highest[*device]);
        }
    }
    for id in highest.ids() {
        if let Some(head) = devices[id].head.as_mut().filter(|head| head.tracks == 0) {
            head.tracks = highest[id].max(head.start) + 1;
        }
    }
}
