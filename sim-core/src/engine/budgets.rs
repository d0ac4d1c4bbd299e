//! Whoever runs on a budget: on the quota of a group, or on what a server has left.
//!
//! Most worlds have neither, and ask for that once.

use super::world::World;
use crate::time::Time;
use crate::timeline::Recorder;

impl<R: Recorder> World<'_, R> {
    /// An instant begins: what has run is counted, and what comes back is there.
    #[cold]
    pub(super) fn counts_budgets(&mut self) {
        self.counts_servers();
        self.counts_quotas();
    }

    /// All else that happens has happened: whoever has nothing left is put off.
    #[cold]
    pub(super) fn enforces_budgets(&mut self) {
        self.ends_service();
        self.throttles();
    }

    /// The instant has settled.
    #[cold]
    pub(super) fn has_settled(&mut self) {
        for (thread, came) in self.ready.comings_and_goings() {
            self.scene.is_ready(thread, came);
        }
        self.servers_note();
        self.quotas_note();
        self.notes_depleted();
    }

    /// When a budget makes something happen next.
    #[cold]
    pub(super) fn next_of_budgets(&self) -> Time {
        self.next_of_servers().min(self.next_of_quotas())
    }
}
