//! What tasks use besides processors: devices, and what they synchronise with.

use std::collections::BTreeMap;

use super::device;
use super::names::{Register, name};
use super::syncs::{self, Syncs};
use super::{servers, state};
use crate::device::Device;
use crate::distribution::Distribution;
use crate::document::{Item, Spot, Table, add_one, likely_first, quoted, there_is};
use crate::ids::{DeviceId, IdVec, VariableId};
use crate::scenario::Variable;

/// What the file declares, and the way from names to ids.
pub(super) struct Things {
    pub(super) devices: IdVec<DeviceId, Device>,
    /// For requests that name no duration.
    pub(super) services: IdVec<DeviceId, Option<Distribution>>,
    pub(super) syncs: Syncs,
    pub(super) variables: IdVec<VariableId, Variable>,
    /// Where they are declared.
    pub(super) variable_spots: Vec<Spot>,
    pub(super) servers: Vec<servers::Declared>,
    device_names: BTreeMap<String, DeviceId>,
}

/// Reads everything that is declared beside processes.
pub(super) fn read(file: &mut Table<'_>) -> Things {
    let syncs = syncs::read(file);
    let (variables, variable_spots) = state::read(file);
    let mut things = Things {
        devices: IdVec::new(),
        services: IdVec::new(),
        syncs,
        variables,
        variable_spots,
        servers: servers::read(file),
        device_names: BTreeMap::new(),
    };
    let mut register = Register::new("device");
    for mut table in file.tables("device", "[[device]]") {
        let name = name(&mut table, &mut register);
        let device = device::read(&mut table, name);
        things.services.push(table.distribution("service"));
        let id = things.devices.push(device);
        things.device_names.entry(name.to_owned()).or_insert(id);
    }
    things
}

impl Things {
    /// The device that a request names.
    pub(super) fn device(&self, item: Item<'_>) -> Option<DeviceId> {
        declared(item, "device", &self.device_names)
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
        Some(_) => there_is(likely_first(found, declared())),
    });
    None
}
