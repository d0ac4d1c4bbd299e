//! `on`: a pool does something for an instance, with the stream of chance of that instance.

use sim_core::ids::SpecId;
use sim_core::program::{Cursor, program_stream};

use super::{Walk, run_blocking};
use crate::play::world::World;
use crate::record::event::Join;
use crate::sys;

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
    world.scenario.specs[spec].is_call()
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
        self.starts(called, id);
    }

    /// Starts another task.
    pub(super) fn spawns(&mut self, spec: SpecId) {
        if let Some(id) = self.world.add_child(self.id, spec) {
            self.starts(spec, id);
        }
    }

    /// Starts an instance. If its pool is full: that may turn it away, or leave it to whoever calls for it, which it runs on this very
    /// thread, whatever that is.
    fn starts(&mut self, spec: SpecId, id: usize) {
        let world = self.world;
        world.starts_child(self.id, id);
        if !world.is_given_back(id) {
            return self.may_be_rejected(id);
        }
        let place = self.write(Join { spec, start: sys::now(), ended: None });
        self.on_processor = false;
        world.waits_for(self.id, Some(spec));
        run_blocking(world, id, None);
        world.waits_no_longer(self.id);
        if world.is_done(id) {
            world.log.joined(place, sys::now());
            self.has_called(spec);
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
