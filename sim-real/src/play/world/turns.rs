//! How the thread of an instance leaves its processor: the kernel sees to it or, in a run with a dispatcher, that does.

use std::sync::PoisonError;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::SeqCst;

use sim_core::ids::SpecId;
use sim_core::timeline::Job;

use super::World;
use crate::play::dispatch::{Dispatch, News};
use crate::sys;

/// What comes of waiting for another job.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum NextJob {
    /// It was released then.
    Released(u64),
    /// There is none any more: those that would have come were dropped.
    None,
    /// The run ended before.
    Never,
}

impl World {
    /// Waits for the first turn of an instance that arrives then, and for those it comes after; `false` if the run ended
    /// before.
    pub(crate) fn awaits_start(&self, id: usize, arrival: u64) -> bool {
        match &self.dispatch {
            None => {
                self.sleep_until(arrival);
                self.await_predecessors(id)
            }
            Some(dispatch) => {
                let has_turn = self.awaits_turn(dispatch, id);
                self.note_release(id);
                has_turn
            }
        }
    }

    /// Sleeps until then.
    pub(crate) fn sleeps(&self, id: usize, until: u64) {
        match &self.dispatch {
            None => self.sleep_until(until),
            Some(dispatch) => _ = self.says(dispatch, id, News::Sleeps(until)),
        }
    }

    /// Waits until the word is zero: that of its place in a queue, or that of its `children`, for whom it may wait no longer than
    /// until some time. `false` if the run ended before.
    pub(crate) fn awaits(&self, id: usize, word: &AtomicU32, children: Option<SpecId>) -> bool {
        let until = children.map_or(u64::MAX, |_| self.objects.waiter(id).until());
        match &self.dispatch {
            None => self.await_zero_until(word, until),
            Some(_) if word.load(SeqCst) == 0 => true,
            Some(dispatch) => self.says(dispatch, id, children.map_or(News::AwaitsWord, News::AwaitsChildren)),
        }
    }

    /// Lets others go first; `false` if the run ended before it went on.
    pub(crate) fn gives_way(&self, id: usize) -> bool {
        match &self.dispatch {
            None => sys::yield_now(),
            Some(dispatch) => return self.says(dispatch, id, News::Yields),
        }
        true
    }

    /// Waits for its next job.
    pub(crate) fn awaits_job(&self, id: usize) -> NextJob {
        match &self.dispatch {
            Some(dispatch) if self.says(dispatch, id, News::EndsJob) => {
                dispatch.release(id).map_or(NextJob::None, NextJob::Released)
            }
            _ => NextJob::Never,
        }
    }

    /// Stands aside, if it is to.
    #[inline]
    pub(crate) fn stands_aside(&self, id: usize) {
        if let Some(dispatch) = &self.dispatch
            && dispatch.is_stopped(id)
        {
            self.says(dispatch, id, News::StandsAside);
        }
    }

    /// Is done.
    pub(crate) fn leaves(&self, id: usize) {
        if let Some(dispatch) = &self.dispatch {
            dispatch.leave(id);
        }
    }

    /// The jobs of periodic instances: the dispatcher is done.
    pub(crate) fn set_jobs(&self, jobs: Vec<Job>) {
        *self.jobs.lock().unwrap_or_else(PoisonError::into_inner) = jobs;
    }

    /// The jobs, in the order of a timeline.
    pub(crate) fn take_jobs(&self) -> Vec<Job> {
        std::mem::take(&mut *self.jobs.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn says(&self, dispatch: &Dispatch, id: usize, news: News) -> bool {
        dispatch.say(id, news);
        self.awaits_turn(dispatch, id)
    }

    fn awaits_turn(&self, dispatch: &Dispatch, id: usize) -> bool {
        let deadline = || self.board().deadline.load(SeqCst);
        dispatch.await_turn(id, || self.is_over() || sys::now() >= deadline(), deadline)
    }
}
