//! `on`: a pool does something for an instance, with the stream of chance of that instance.

use sim_core::ids::SpecId;
use sim_core::program::{Cursor, program_stream};
use sim_core::scenario::Way;

use super::Walk;
use crate::play::world::World;

/// At the start of the program of an instance, with the stream of whoever lets it do that.
pub(super) fn cursor(world: &World, id: usize) -> Cursor {
    let (spec, _) = world.identity(id);
    let program = &world.scenario.specs[spec].program;
    let mut cursor = Cursor::new(program);
    if let Some(stream) = world.handed_stream(id) {
        cursor.has_stream(program, stream);
    }
    cursor
}

/// Is this done on a pool for others?
fn is_called(world: &World, spec: SpecId) -> bool {
    world.scenario.specs[spec].caller.is_some_and(|caller| caller.way == Way::On)
}

impl Walk<'_> {
    /// Lets a pool do something.
    pub(super) fn calls(&mut self, called: SpecId) {
        let world = self.world;
        let Some(id) = world.add_child(self.id, called) else { return };
        if world.scenario.specs[called].program.draws() {
            let (spec, number) = world.identity(self.id);
            let name = || program_stream(&world.scenario, spec, number);
            let (program, may_leave) = (&world.scenario.specs[spec].program, world.scenario.may_be_left(called));
            world.hands_stream(id, self.cursor.lends_stream(program, may_leave, name));
        }
        self.has_callee(id);
        world.starts_child(self.id, id);
        self.may_be_rejected(id);
    }

    /// Starts another task.
    pub(super) fn spawns(&mut self, spec: SpecId) {
        if let Some(id) = self.world.add_child(self.id, spec) {
            self.world.starts_child(self.id, id);
            self.may_be_rejected(id);
        }
    }

    /// What a pool did for the instance is done: it draws on from where that left off.
    pub(super) fn has_called(&mut self, called: SpecId) {
        if is_called(self.world, called)
            && let Some(stream) = self.world.handed_stream(self.id)
        {
            let (spec, _) = self.world.identity(self.id);
            self.cursor.has_stream(&self.world.scenario.specs[spec].program, stream);
        }
    }

    /// The instance is done: whoever let it do that has its stream back.
    pub(super) fn gives_stream_back(&mut self) {
        let (spec, _) = self.world.identity(self.id);
        if is_called(self.world, spec)
            && !self.world.scenario.may_be_left(spec)
            && let (Some(caller), Some(stream)) = (self.world.parent_of(self.id), self.cursor.returns_stream())
        {
            self.world.hands_stream(caller, stream);
        }
    }
}
