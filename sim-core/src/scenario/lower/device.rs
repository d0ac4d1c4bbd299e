//! `[[device]]`: its channels and its discipline.

use crate::device::DISCIPLINES;
use crate::scenario::Device;
use crate::scenario::raw::Kind;
use crate::scenario::read::{Item, Table};

/// Reads a device, all but its name and its `service`.
pub(super) fn read(table: &mut Table<'_>, name: &str) -> Device {
    let channels = match table.item("channels") {
        None => Some(1),
        Some(item) if item.is_text("unlimited") => None,
        Some(item) => channels(item),
    };
    let discipline = table.item("discipline");
    let discipline = discipline.and_then(|item| item.on_shelf("discipline", DISCIPLINES, |kind| kind.name, &[]));
    Device { name: name.to_owned(), channels, discipline: discipline.unwrap_or(DISCIPLINES[0]) }
}

fn channels(item: Item<'_>) -> Option<u32> {
    match item.kind() {
        Kind::Integer(_) => item.count(1..=u32::MAX - 1),
        _ => {
            item.mismatch("a whole number or \"unlimited\"", "channels = 4 or channels = \"unlimited\"");
            None
        }
    }
}
