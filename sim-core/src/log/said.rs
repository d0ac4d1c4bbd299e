//! What the policy said, by when and of which thread.

use std::collections::BTreeMap;

use crate::ids::{CpuId, TaskId, ThreadId};
use crate::policy::told::{Said, Word};
use crate::time::Time;

/// All that was said, in order; what has been told is taken out.
pub(super) struct Sayings {
    words: Vec<Option<Word>>,
    /// By when, what, and of which thread: the numbers of the words.
    by_thread: BTreeMap<(Time, Said, ThreadId), Vec<usize>>,
    /// That somebody became ready, by when and which task.
    ready: BTreeMap<(Time, TaskId), usize>,
}

impl Sayings {
    pub(super) fn of(words: Vec<Word>) -> Sayings {
        let (mut by_thread, mut ready): (BTreeMap<_, Vec<usize>>, _) = (BTreeMap::new(), BTreeMap::new());
        for (number, Word { at, thread, task, what, .. }) in words.iter().enumerate() {
            by_thread.entry((*at, *what, *thread)).or_default().push(number);
            if *what == Said::Ready {
                ready.insert((*at, *task), number);
            }
        }
        by_thread.values_mut().for_each(|numbers| numbers.reverse());
        Sayings { words: words.into_iter().map(Some).collect(), by_thread, ready }
    }

    fn take(&mut self, at: Time, what: Said, thread: ThreadId) -> Option<String> {
        let number = self.by_thread.get_mut(&(at, what, thread))?.pop()?;
        self.words[number].take().map(|word| word.words)
    }

    /// Why the thread was picked for the processor then.
    pub(super) fn picked(&mut self, at: Time, cpu: CpuId, thread: ThreadId) -> Option<String> {
        self.take(at, Said::Picked(cpu), thread)
    }

    /// Why the thread left its processor though it could have gone on.
    pub(super) fn put_off(&mut self, at: Time, thread: ThreadId) -> Option<(Said, String)> {
        let reasons = [Said::Expired, Said::PutOff, Said::Yielded];
        reasons.into_iter().find_map(|what| Some((what, self.take(at, what, thread)?)))
    }

    /// What was said when the task became ready.
    pub(super) fn ready(&mut self, at: Time, task: TaskId) -> String {
        let number = self.ready.remove(&(at, task));
        number.and_then(|number| self.words[number].take()).map_or_else(String::new, |word| word.words)
    }

    /// What nobody has asked for.
    pub(super) fn left_over(&mut self) -> Vec<Word> {
        std::mem::take(&mut self.words).into_iter().flatten().collect()
    }
}
