//! Operations on synchronisation objects, and which locks are held where.
//!
//! At each point of a program it is known which locks are held on every path that leads there. To release what is not
//! held is a mistake, and to wait at a condition variable without its lock as well. To end while holding a lock, or to
//! take one twice, is none: it is a deadlock, which the simulator shows and explains.

use std::collections::BTreeMap;

use super::Compiler;
use crate::document::{Item, Note, Table};
use crate::ids::SyncId;
use crate::scenario::{Op, SyncKind, SyncObject, SyncOp};

/// The locks held at a point of a program; `None` where no path leads.
pub(super) type Held = Option<BTreeMap<SyncId, Hold>>;

/// How a lock is held.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Hold {
    /// Alone.
    Alone,
    /// As a reader, so many times.
    Together(u32),
}

impl Compiler<'_> {
    /// An operation on a synchronisation object.
    pub(super) fn synchronise(&mut self, word: &'static str, item: Item<'_>, table: &mut Table<'_>) {
        let find = |kinds| self.context.things.syncs.find(item, word, kinds);
        match word {
            "lock" => {
                let lock = find(&["lock"]);
                self.take(lock, SyncOp::Lock, item);
            }
            "unlock" => {
                if let Some(lock) = find(&["lock", "rwlock"]) {
                    let sentence = format!("{} is released here but not held", self.name(lock));
                    self.unlock(lock, item, sentence);
                }
            }
            "with" => {
                let lock = find(&["lock"]);
                self.take(lock, SyncOp::Lock, item);
                let body = table.required("do", "what is done while the lock is held");
                self.scoped(lock, body, item, word);
            }
            "read" | "write" => {
                let lock = find(&["rwlock"]);
                self.take(lock, if word == "read" { SyncOp::Read } else { SyncOp::Write }, item);
                if let Some(body) = table.item("do") {
                    self.scoped(lock, Some(body), item, word);
                }
            }
            "acquire" | "release" => self.permits(word, item, table),
            "wait" => self.wait(item, table),
            _ => self.signal(word, item),
        }
    }

    /// What is done to others without holding anything.
    fn signal(&mut self, word: &'static str, item: Item<'_>) {
        let (kind, op): (_, fn(SyncId) -> SyncOp) = match word {
            "send" => ("channel", SyncOp::Send),
            "recv" => ("channel", SyncOp::Receive),
            "notify" => ("condvar", SyncOp::Notify),
            "notify-all" => ("condvar", SyncOp::NotifyAll),
            _ => ("barrier", SyncOp::Arrive),
        };
        if let Some(sync) = self.context.things.syncs.find(item, word, &[kind]) {
            if self.context.things.syncs.objects[sync].rule.hoare {
                self.notifies_by_hoare(word, sync, item);
            }
            self.push(Op::Sync(op(sync)));
        }
    }

    /// By Hoare's rule there is one lock to hand on, and one task to hand it to.
    fn notifies_by_hoare(&mut self, word: &str, condvar: SyncId, item: Item<'_>) {
        if word == "notify-all" {
            let sentence = format!("{} goes by Hoare's rule: the lock can be handed to one only", self.name(condvar));
            return item.wrong(sentence, "write notify, or leave rule = \"hoare\" out");
        }
        let held = self.held.iter().flatten().map(|(lock, _)| *lock).collect();
        self.code.notifies.push((condvar, held, item.spot()));
    }

    pub(super) fn name(&self, sync: SyncId) -> String {
        self.context.things.syncs.name(sync)
    }

    /// Takes a lock, if its name is known.
    fn take(&mut self, lock: Option<SyncId>, op: fn(SyncId) -> SyncOp, item: Item<'_>) {
        let Some(lock) = lock else { return };
        self.taken.insert(lock, item.spot());
        let op = op(lock);
        self.push(Op::Sync(op));
        let by_caller = self.outer.as_ref().and_then(|outer| outer.held.get(&lock));
        if by_caller.is_some_and(|held| *held == Hold::Alone || !matches!(op, SyncOp::Read(_))) {
            let sentence = format!("the task that waits for this has {}: both wait for ever", self.name(lock));
            item.log().remark(Note::new(item.spot(), sentence).hint("give it back before, or leave this out"));
        }
        let Some(held) = &mut self.held else { return };
        let hold = match (held.get(&lock), op) {
            (None, SyncOp::Read(_)) => Hold::Together(1),
            (None, _) => Hold::Alone,
            (Some(Hold::Together(times)), SyncOp::Read(_)) => Hold::Together(times + 1),
            // It waits for itself: no path leads on from here.
            (Some(_), _) => {
                self.held = None;
                let sentence = format!("the task has {} already: here it waits for itself, for ever", self.name(lock));
                item.log().remark(Note::new(item.spot(), sentence).hint("give it back before, or leave this out"));
                return;
            }
        };
        held.insert(lock, hold);
    }

    fn unlock(&mut self, lock: SyncId, item: Item<'_>, sentence: String) {
        if let Some(held) = &mut self.held {
            match held.get_mut(&lock) {
                Some(Hold::Together(times @ 2..)) => *times -= 1,
                Some(_) => drop(held.remove(&lock)),
                None => {
                    let object = &self.context.things.syncs.objects[lock];
                    let by = if object.kind == SyncKind::Mutex { "lock" } else { "read" };
                    let hint = match by {
                        "lock" => format!("it is taken by {{ lock = {:?} }}", object.name),
                        _ => format!("it is taken by {{ read = {0:?} }} or {{ write = {0:?} }}", object.name),
                    };
                    item.wrong(sentence, hint);
                }
            }
        }
        self.push(Op::Sync(SyncOp::Unlock(lock)));
    }

    /// What is done while a lock is held that has just been taken.
    fn scoped(&mut self, lock: Option<SyncId>, body: Option<Item<'_>>, item: Item<'_>, word: &str) {
        if let Some(body) = body {
            self.block(body, self.here().saturating_sub(1), 0);
        }
        if let Some(lock) = lock {
            let name = self.name(lock);
            let sentence = format!("`{word}` releases {name} at its end, but what it does has released it already");
            self.unlock(lock, item, sentence);
        }
    }

    fn permits(&mut self, word: &'static str, item: Item<'_>, table: &mut Table<'_>) {
        let sync = self.context.things.syncs.find(item, word, &["semaphore"]);
        let count = table.item("count").and_then(|count| count.count(1..=1_000_000)).unwrap_or(1);
        let body = if word == "acquire" { table.item("do") } else { None };
        let op = |sync| if word == "acquire" { SyncOp::Acquire(sync, count) } else { SyncOp::Release(sync, count) };
        if let Some(sync) = sync {
            self.push(Op::Sync(op(sync)));
            if let Some(spot) = self.without.remove(&sync).filter(|_| word == "release") {
                let sentence = format!(
                    "who gives up goes on behind this without a permit of {}, and gives one back",
                    self.name(sync)
                );
                let hint =
                    "let `else` end with \"end\", or write what is done with the permit as `do` of the `acquire`";
                item.log().remark(Note::new(spot, sentence).also(item.spot(), "here").hint(hint));
            }
        }
        if let Some(body) = body {
            self.permits.extend(sync);
            self.block(body, self.here().saturating_sub(1), 0);
            if let Some(sync) = sync {
                self.permits.pop();
                self.push(Op::Sync(SyncOp::Release(sync, count)));
            }
        }
    }

    /// The task ends here: what it has must have been given back.
    pub(super) fn end(&mut self, item: Item<'_>) {
        let locks = self.held.iter().flatten().map(|(lock, _)| *lock);
        for object in locks.chain(self.permits.iter().copied()) {
            let sentence = format!("the task ends here with {}, which nobody would ever give back", self.name(object));
            let SyncObject { name, kind, .. } = &self.context.things.syncs.objects[object];
            let hint = match kind {
                SyncKind::Semaphore { .. } => "let \"end\" stand behind the `do` of the `acquire`".to_owned(),
                _ => format!("give it back before: {{ unlock = {name:?} }}"),
            };
            item.wrong(sentence, hint);
        }
        let at = self.push(Op::End);
        self.code.ends.push((at, self.permits.clone(), item.spot()));
        self.held = None;
    }

    fn wait(&mut self, item: Item<'_>, table: &mut Table<'_>) {
        let condvar = self.context.things.syncs.find(item, "wait", &["condvar"]);
        let lock = table.required("with", "the lock that is given back while the task waits");
        let Some(lock) = lock.and_then(|lock| self.context.things.syncs.find(lock, "with", &["lock"])) else { return };
        if self.held.as_ref().is_some_and(|held| !held.contains_key(&lock)) {
            let object = &self.context.things.syncs.objects[lock];
            let sentence = format!("the task waits here with {}, but it does not hold it", self.name(lock));
            item.wrong(
                sentence,
                format!("waiting gives the lock back: take it before, with {{ lock = {:?} }}", object.name),
            );
        }
        if let Some(condvar) = condvar {
            self.push(Op::Sync(SyncOp::Wait { condvar, lock }));
        }
    }

    /// What the body of a loop holds at its end must be what it held at its beginning.
    pub(super) fn same_locks(&self, before: &Held, item: Item<'_>) {
        let (Some(before), Some(after)) = (before, &self.held) else { return };
        if let Some(lock) = more(after, before) {
            let sentence = format!("the loop takes {} and does not release it", self.name(lock));
            item.wrong(sentence, "the next round would wait for itself; release it within the loop");
        } else if let Some(lock) = more(before, after) {
            let sentence = format!("the loop releases {}, which was taken before the loop", self.name(lock));
            item.wrong(sentence, "the next round would not hold it any more; take and release it within the loop");
        }
    }

    /// After any branch the same locks must be held as after the others.
    pub(super) fn agree(&self, held: &mut Held, branch: Item<'_>, whole: Item<'_>) {
        let Some(now) = &self.held else { return };
        let Some(others) = held else {
            *held = Some(now.clone());
            return;
        };
        let (lock, sentence) = match (more(now, others), more(others, now)) {
            (Some(lock), Some(_)) if others.contains_key(&lock) => {
                (lock, "holds it in another way than the one before, at their ends")
            }
            (Some(lock), _) => (lock, "still holds it at its end, the one before does not"),
            (None, Some(lock)) => (lock, "does not hold it at its end, as the one before does"),
            (None, None) => return,
        };
        let sentence = format!("this branch {}", sentence.replacen("it", &self.name(lock), 1));
        let note = Note::new(branch.spot(), sentence).also(whole.spot(), "the choice");
        branch.log().add(note.hint("take and release locks within the same branch, or outside of the choice"));
    }
}

/// A lock that is held here, and there not or in another way.
fn more(here: &BTreeMap<SyncId, Hold>, there: &BTreeMap<SyncId, Hold>) -> Option<SyncId> {
    here.iter().find(|(lock, hold)| there.get(lock) != Some(hold)).map(|(lock, _)| *lock)
}
