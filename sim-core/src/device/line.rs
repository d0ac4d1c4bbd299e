//! Requests in the order in which they came, of which any may be taken out. Constant time, and logarithmic to take one out.

use std::collections::{BTreeMap, VecDeque};

use super::Waiting;
use crate::ids::TaskId;

/// Of each request the number under which it is known. As long as nobody gives up, none is looked for, and nothing is noted.
#[derive(Debug)]
pub(super) struct Numbers<N>(Option<BTreeMap<TaskId, N>>);

impl<N> Default for Numbers<N> {
    fn default() -> Numbers<N> {
        Numbers(None)
    }
}

impl<N: Copy> Numbers<N> {
    #[inline]
    pub(super) fn comes(&mut self, task: TaskId, number: N) {
        if let Some(known) = &mut self.0 {
            known.insert(task, number);
        }
    }

    #[inline]
    pub(super) fn goes(&mut self, task: TaskId) {
        if let Some(known) = &mut self.0 {
            known.remove(&task);
        }
    }

    /// That of the task, which goes; `all` is asked for the first time.
    pub(super) fn take(&mut self, task: TaskId, all: impl IntoIterator<Item = (TaskId, N)>) -> Option<N> {
        self.0.get_or_insert_with(|| all.into_iter().collect()).remove(&task)
    }
}

/// One request after the other.
#[derive(Default, Debug)]
pub(super) struct Line {
    /// By number, from `first` on; nothing is left of those that were taken out.
    requests: VecDeque<Option<Waiting>>,
    first: u64,
    numbers: Numbers<u64>,
    /// How many were taken out.
    gaps: usize,
}

impl Line {
    #[inline]
    pub(super) fn push(&mut self, request: Waiting) {
        self.numbers.comes(request.task, self.first + self.requests.len() as u64);
        self.requests.push_back(Some(request));
    }

    #[inline]
    pub(super) fn pop_first(&mut self) -> Option<Waiting> {
        loop {
            let request = self.requests.pop_front()?;
            self.first += 1;
            if let Some(request) = self.leaves(request) {
                return Some(request);
            }
        }
    }

    #[inline]
    pub(super) fn pop_last(&mut self) -> Option<Waiting> {
        loop {
            let request = self.requests.pop_back()?;
            if let Some(request) = self.leaves(request) {
                return Some(request);
            }
        }
    }

    #[inline]
    fn leaves(&mut self, request: Option<Waiting>) -> Option<Waiting> {
        match &request {
            Some(request) => self.numbers.goes(request.task),
            None => self.gaps -= 1,
        }
        request
    }

    /// Takes the request of the task out, if there is one.
    pub(super) fn take(&mut self, task: TaskId) {
        let Some(number) = self.numbers.take(task, numbered(self.first, &self.requests)) else { return };
        self.requests[usize::try_from(number - self.first).unwrap_or(0)] = None;
        self.gaps += 1;
        // Gaps are closed as soon as there are more of them than requests.
        if self.gaps * 2 > self.requests.len() {
            self.requests.retain(Option::is_some);
            self.gaps = 0;
            self.numbers = Numbers(Some(numbered(self.first, &self.requests).collect()));
        }
    }
}

/// The requests that are there, with their numbers.
fn numbered(first: u64, requests: &VecDeque<Option<Waiting>>) -> impl Iterator<Item = (TaskId, u64)> {
    (first..).zip(requests).filter_map(|(number, request)| request.map(|request| (request.task, number)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Span;

    fn request(task: u32) -> Waiting {
        Waiting { task: TaskId(task), service: Span::ZERO, at: 0 }
    }

    #[test]
    fn a_line_with_gaps_is_as_one_without() {
        let mut chance = crate::rng::StreamName::new(1).word("line").stream();
        let mut line = Line::default();
        let mut plain: Vec<u32> = Vec::new();
        for _ in 0..20_000 {
            let task = u32::try_from(chance.next_u64() % 40).unwrap_or(0);
            match chance.next_u64() % 5 {
                0 | 1 if !plain.contains(&task) => {
                    line.push(request(task));
                    plain.push(task);
                }
                2 => {
                    line.take(TaskId(task));
                    plain.retain(|other| *other != task);
                }
                3 => {
                    let first = if plain.is_empty() { None } else { Some(plain.remove(0)) };
                    assert_eq!(line.pop_first().map(|request| request.task.0), first);
                }
                4 => assert_eq!(line.pop_last().map(|request| request.task.0), plain.pop()),
                _ => {}
            }
        }
    }
}
