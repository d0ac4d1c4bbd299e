//! Which threads are ready, where it is to be known of each.

use crate::ids::{Id as _, ThreadId};

/// The threads that are ready, in no order.
#[derive(Default, Debug)]
pub(super) struct ReadyThreads {
    all: Vec<ThreadId>,
    /// Where each of them is there, by thread; means nothing of those that are not ready.
    places: Vec<u32>,
    /// Who came (`true`) and went since somebody asked last, if anybody asks.
    news: Option<Vec<(ThreadId, bool)>>,
}

impl ReadyThreads {
    /// None, and it is told who comes and goes.
    pub(super) fn with_news() -> ReadyThreads {
        ReadyThreads { news: Some(Vec::new()), ..ReadyThreads::default() }
    }

    /// Who came (`true`) and went since this was asked last.
    pub(super) fn news(&mut self) -> impl Iterator<Item = (ThreadId, bool)> {
        self.news.iter_mut().flat_map(|news| news.drain(..))
    }

    pub(super) fn all(&self) -> &[ThreadId] {
        &self.all
    }

    pub(super) fn add(&mut self, id: ThreadId) {
        if self.places.len() <= id.index() {
            self.places.resize(id.index() + 1, 0);
        }
        self.places[id.index()] = u32::try_from(self.all.len()).unwrap_or(u32::MAX);
        self.all.push(id);
        if let Some(news) = &mut self.news {
            news.push((id, true));
        }
    }

    pub(super) fn remove(&mut self, id: ThreadId) {
        let place = self.places[id.index()];
        self.all.swap_remove(place as usize);
        if let Some(moved) = self.all.get(place as usize) {
            self.places[moved.index()] = place;
        }
        if let Some(news) = &mut self.news {
            news.push((id, false));
        }
    }
}
