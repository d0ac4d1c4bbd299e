//! Who ran how urgently, if the policy looks at that.

use super::Record;
use super::homes::Homes;
use super::turns::Turn;
use super::urgency::Urgencies;
use crate::ids::{CpuId, IdVec, TaskId};
use crate::time::Time;
use crate::timeline::lanes::{Busy, Stretch};

/// What ran how urgently.
pub(super) struct Outranked<'a> {
    urgencies: &'a Urgencies<'a>,
    homes: &'a Homes,
    occupancy: IdVec<CpuId, Vec<Stretch<Busy>>>,
    /// For each stretch of a processor, the least urgent that ran from then on.
    least: IdVec<CpuId, Vec<i64>>,
    /// When the run ended.
    end: Time,
}

impl<'a> Outranked<'a> {
    pub(super) fn new(urgencies: &'a Urgencies<'a>, homes: &'a Homes, record: &Record<'a>) -> Outranked<'a> {
        let end = record.timeline.end;
        if !urgencies.decide() {
            return Outranked { urgencies, homes, occupancy: IdVec::new(), least: IdVec::new(), end };
        }
        let occupancy = record.timeline.occupancy();
        let least_of = |lane: &Vec<Stretch<Busy>>| {
            let of = |stretch: &Stretch<Busy>| match stretch.state {
                Busy::Run(task) | Busy::Switch(task) => urgencies.of(task, stretch.start),
                Busy::Clash => i64::MIN,
                // Who starts processes is none of the tasks, and no processor is ever on its way to a track.
                Busy::Idle | Busy::Start(_) | Busy::Seek(_) => i64::MAX,
            };
            let mut least: Vec<i64> = lane.iter().map(of).collect();
            for place in (1..least.len()).rev() {
                least[place - 1] = least[place - 1].min(least[place]);
            }
            least
        };
        let least = occupancy.iter().map(least_of).collect();
        Outranked { urgencies, homes, occupancy, least, end }
    }

    /// The processors that the task may use, and for which it waits, and what they did since it began to wait.
    fn since(&self, turn: &Turn) -> impl Iterator<Item = (CpuId, usize)> {
        let attributes = self.urgencies.attributes(turn.who);
        let (came, occupancy) = (turn.came, &self.occupancy);
        let home = self.homes.home(turn.who, came);
        occupancy
            .ids()
            .filter(move |cpu| attributes.allows(*cpu) && home.is_none_or(|home| home == *cpu))
            .map(move |cpu| (cpu, occupancy[cpu].partition_point(|stretch| stretch.end <= came)))
    }

    /// Did only more urgent tasks run where it could have, from when it became ready to the end of the run? Whose job is
    /// due only after that does not starve: its turn may well come in time.
    pub(super) fn by_all(&self, turn: &Turn) -> bool {
        let deadline = self.urgencies.deadline(turn.who, turn.came);
        if deadline > self.end && !deadline.is_never() {
            return false;
        }
        let mut least = self.since(turn).map(|(cpu, place)| self.least[cpu].get(place).copied().unwrap_or(i64::MAX));
        let lowest = least.by_ref().min().unwrap_or(i64::MAX);
        turn.got.is_never() && lowest > self.urgencies.of(turn.who, turn.came) && lowest < i64::MAX
    }

    /// Who ran where it could have.
    pub(super) fn who_ran(&self, turn: &Turn) -> Vec<TaskId> {
        let ran = |stretch: &Stretch<Busy>| match stretch.state {
            Busy::Run(task) | Busy::Switch(task) => Some(task),
            Busy::Clash | Busy::Idle | Busy::Start(_) | Busy::Seek(_) => None,
        };
        self.since(turn).flat_map(|(cpu, place)| self.occupancy[cpu][place..].iter().filter_map(ran)).collect()
    }
}
