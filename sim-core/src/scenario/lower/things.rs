//! What tasks use besides processors: devices and locks.

use std::collections::BTreeMap;

use super::device;
use super::names::{Register, name};
use crate::distribution::Distribution;
use crate::ids::{DeviceId, IdVec, SyncId};
use crate::scenario::error::{add_one, quoted, there_is};
use crate::scenario::read::{Item, Table};
use crate::scenario::{Device, SyncKind, SyncObject};

/// What the file declares, and the way from names to ids.
pub(super) struct Things {
    pub(super) devices: IdVec<DeviceId, Device>,
    /// For requests that name no duration.
    pub(super) services: IdVec<DeviceId, Option<Distribution>>,
    pub(super) syncs: IdVec<SyncId, SyncObject>,
    device_names: BTreeMap<String, DeviceId>,
    lock_names: BTreeMap<String, SyncId>,
}

/// Reads everything that is declared beside processes.
pub(super) fn read(file: &mut Table<'_>) -> Things {
    let mut things = Things {
        devices: IdVec::new(),
        services: IdVec::new(),
        syncs: IdVec::new(),
        device_names: BTreeMap::new(),
        lock_names: BTreeMap::new(),
    };
    let mut register = Register::new("device");
    for mut table in file.tables("device", "[[device]]") {
        let name = name(&mut table, &mut register);
        let device = device::read(&mut table, name);
        things.services.push(table.distribution("service"));
        let id = things.devices.push(device);
        things.device_names.entry(name.to_owned()).or_insert(id);
    }
    let mut register = Register::new("lock");
    for mut table in file.tables("lock", "[[lock]]") {
        let name = name(&mut table, &mut register);
        if let Some(item) = table.item("protocol")
            && let Some(protocol @ 1..) = item.one_of(&["none", "inherit", "ceiling"])
        {
            let protocol = ["none", "inherit", "ceiling"][protocol];
            item.wrong(format!("`protocol = \"{protocol}\"` is not supported yet"), "it can be `none`");
        }
        let id = things.syncs.push(SyncObject { name: name.to_owned(), kind: SyncKind::Mutex });
        things.lock_names.entry(name.to_owned()).or_insert(id);
    }
    for key in ["semaphore", "channel", "barrier", "condvar", "rwlock"] {
        file.not_yet(key);
    }
    things
}

impl Things {
    /// The device that a request names.
    pub(super) fn device(&self, item: Item<'_>) -> Option<DeviceId> {
        declared(item, "device", &self.device_names)
    }

    /// The lock that an operation names.
    pub(super) fn lock(&self, item: Item<'_>) -> Option<SyncId> {
        declared(item, "lock", &self.lock_names)
    }
}

fn declared<I: Copy>(item: Item<'_>, what: &str, names: &BTreeMap<String, I>) -> Option<I> {
    let found = item.text()?;
    if let Some(id) = names.get(found) {
        return Some(*id);
    }
    let declared = || names.keys().map(String::as_str).filter(|name| !name.is_empty());
    let sentence = format!("the {what} {} is not declared", quoted(found));
    item.unknown(sentence, found, declared(), || match declared().next() {
        None => add_one(what, found),
        Some(_) => there_is(declared()),
    });
    None
}
