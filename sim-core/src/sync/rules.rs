//! What each operation does.

use super::leaving::leave;
use super::{Asking, Goes, Rows, Turn, Waiter, Wants, ceilings, in_order, next, take_next};
use crate::ids::SyncId;
use crate::scenario::{HandOver, Prefer, SyncKind, SyncOp};

/// A task does something to an object. Whether it must wait for that; what it means to others, they have been told.
#[inline]
pub fn perform<T: Rows>(rows: &mut T, who: T::Who, op: SyncOp) -> Turn {
    match op {
        SyncOp::Lock(sync) | SyncOp::Write(sync) => return ask(rows, sync, who, Wants::Alone, true),
        SyncOp::Read(sync) => return ask(rows, sync, who, Wants::Together, true),
        SyncOp::Acquire(sync, permits) => return ask(rows, sync, who, Wants::Permits(permits), true),
        SyncOp::Send(sync) => return ask(rows, sync, who, Wants::Room, true),
        SyncOp::Receive(sync) => return ask(rows, sync, who, Wants::Message, true),
        SyncOp::Wait { condvar, lock } => return wait(rows, condvar, lock, who),
        SyncOp::Arrive(barrier) => return arrive(rows, barrier, who),
        SyncOp::Unlock(sync) => give_back(rows, sync, who),
        SyncOp::Release(sync, permits) => {
            (0..permits).for_each(|_| rows.returns_permit(sync, who));
            rows.set_level(sync, rows.level(sync) + u64::from(permits));
            if rows.rule(sync).hand_over == HandOver::Reserved {
                (0..permits).for_each(|_| _ = reserve(rows, sync));
            } else {
                becomes_free(rows, sync);
            }
        }
        SyncOp::Notify(condvar) => {
            let first = take_next(rows, condvar, |_| true);
            if let Some(waiter) = first.filter(|_| rows.rule(condvar).hoare) {
                return hand_on(rows, condvar, who, waiter);
            }
            notify(rows, condvar, who, first.as_slice());
        }
        SyncOp::NotifyAll(condvar) => {
            let mut all = rows.take_all(condvar);
            in_order(rows, condvar, &mut all);
            notify(rows, condvar, who, &all);
        }
    }
    Turn::GoesOn
}

// Those who ask.

/// Asks for something. A lock is had at once if it is free; for the others a task queues first, and may be let in at once
/// though it is not the only one. What is not handed over is had at once whenever there is enough of it. Who `may` do without gives
/// up rather than wait when its time is over.
fn ask<T: Rows>(rows: &mut T, sync: SyncId, who: T::Who, wants: Wants, may: bool) -> Turn {
    let (kind, rule) = (rows.kind(sync), rows.rule(sync));
    if !rule.is_done_once() {
        return ask_again(rows, sync, who, wants, may);
    }
    let waiter = Waiter { who, asked: rows.now(), wants };
    if kind == SyncKind::Mutex {
        let governed = ceilings::governs(rows, sync);
        if rows.is_free(sync, false) && (!governed || ceilings::may_have(rows, who)) {
            rows.grant(sync, waiter);
            if governed {
                rows.ceilings_moved();
            }
            return Turn::GoesOn;
        }
        if may && rows.gives_up(who) {
            return Turn::GivesUp;
        }
        rows.queue(sync, waiter);
    } else {
        rows.queue(sync, waiter);
        if admit(rows, sync, Some(who)) {
            return Turn::GoesOn;
        }
        if may && rows.gives_up(who) {
            leave(rows, sync, who);
            return Turn::GivesUp;
        }
    }
    rows.waits(sync, who);
    Turn::Waits
}

/// The same, where it may not be the first time.
#[inline(never)]
fn ask_again<T: Rows>(rows: &mut T, sync: SyncId, who: T::Who, wants: Wants, may: bool) -> Turn {
    let rule = rows.rule(sync);
    let now = rows.now();
    let asking = rows.asking(who).unwrap_or(Asking::begins(now, false));
    let waiter = Waiter { who, asked: asking.asked, wants };
    if asking.kept {
        rows.set_kept(sync, rows.kept(sync).saturating_sub(amount(wants)));
    }
    if asking.kept || has_enough(rows, sync, wants) {
        rows.set_asking(who, None);
        hand(rows, sync, waiter);
        meets(rows, sync, wants);
        if asking.kept && rule.hand_over == HandOver::Reserved {
            while reserve(rows, sync) {}
        }
        return Turn::GoesOn;
    }
    if may && rows.gives_up(who) {
        rows.set_asking(who, None);
        return Turn::GivesUp;
    }
    if asking.yielded < rule.yields && rows.first_and_last(sync)[0].is_none() {
        rows.set_asking(who, Some(Asking { yielded: asking.yielded + 1, ..asking }));
        return Turn::Yields;
    }
    rows.set_asking(who, Some(Asking { yielded: 0, queued: asking.queued + 1, ..asking }));
    rows.queue(sync, waiter);
    rows.waits(sync, who);
    Turn::Waits
}

/// Is there enough for one who wants that, whoever waits?
pub(super) fn has_enough<T: Rows>(rows: &T, sync: SyncId, wants: Wants) -> bool {
    let level = rows.level(sync);
    if rows.rule(sync).hand_over == HandOver::Reserved
        && (rows.kept(sync) > 0 || rows.first_and_last(sync)[0].is_some())
    {
        return false;
    }
    match (rows.kind(sync), wants) {
        (SyncKind::RwLock { prefer }, Wants::Together) => {
            let overtakes = prefer == Prefer::Readers || rows.is_free(sync, false);
            rows.is_free(sync, true) && (overtakes || next(rows, sync, |wants| wants == Wants::Alone).is_none())
        }
        (_, Wants::Permits(permits)) => level >= u64::from(permits),
        (SyncKind::Channel { capacity }, Wants::Room) => level + rows.kept(sync) < u64::from(capacity),
        (_, Wants::Message) => level > 0,
        _ => rows.is_free(sync, false),
    }
}

/// It has what it wants, of which there is enough.
fn hand<T: Rows>(rows: &mut T, sync: SyncId, waiter: Waiter<T::Who>) {
    let level = rows.level(sync);
    match waiter.wants {
        Wants::Permits(permits) => rows.set_level(sync, level.saturating_sub(u64::from(permits))),
        Wants::Room => rows.set_level(sync, level + 1),
        Wants::Message => rows.set_level(sync, level.saturating_sub(1)),
        _ => {}
    }
    rows.grant(sync, waiter);
}

/// A message has been put into a channel or taken out of it: the first who waits for that may have its turn.
fn meets<T: Rows>(rows: &mut T, sync: SyncId, did: Wants) {
    let other = match did {
        Wants::Room => Wants::Message,
        Wants::Message => Wants::Room,
        _ => return,
    };
    if let Some(waiter) = take_next(rows, sync, |wants| wants == other) {
        has_its_turn(rows, sync, waiter);
    }
}

// What becomes free.

fn give_back<T: Rows>(rows: &mut T, sync: SyncId, who: T::Who) {
    if !rows.gives_back(sync, who) {
        return;
    }
    if rows.kind(sync) != SyncKind::Mutex || !rows.rule(sync).is_direct() {
        becomes_free(rows, sync);
        return rows.has_given_back(sync, who);
    }
    if ceilings::governs(rows, sync) {
        return ceilings::given_back(rows, sync, who);
    }
    let heir = take_next(rows, sync, |_| true);
    if let Some(heir) = heir {
        granted(rows, sync, heir);
    }
    rows.has_given_back(sync, who);
    if let Some(heir) = heir {
        rows.goes(sync, heir.who, Goes::On);
    }
}

/// It waited, and has what it wants.
fn granted<T: Rows>(rows: &mut T, sync: SyncId, waiter: Waiter<T::Who>) {
    if !rows.rule(sync).is_done_once() {
        rows.set_asking(waiter.who, None);
    }
    rows.grant(sync, waiter);
}

/// Something has become free. Those for whom there is enough now have it, or are told to ask again.
pub(super) fn becomes_free<T: Rows>(rows: &mut T, sync: SyncId) {
    if rows.rule(sync).is_direct() {
        admit(rows, sync, None);
        return;
    }
    let mut spare = rows.level(sync);
    let mut readers = false;
    while let Some((place, waiter)) = next_here(rows, sync) {
        let is_enough = match waiter.wants {
            Wants::Permits(permits) => u64::from(permits) <= spare,
            Wants::Together => rows.is_free(sync, true),
            _ => !readers && rows.is_free(sync, false),
        };
        if !is_enough {
            return;
        }
        rows.take(sync, place);
        has_its_turn(rows, sync, waiter);
        match waiter.wants {
            Wants::Permits(permits) => spare -= u64::from(permits),
            Wants::Together => readers = true,
            _ => return,
        }
    }
}

/// There is enough for who has just been taken out of the queue: it has it, or asks for it again.
pub(super) fn has_its_turn<T: Rows>(rows: &mut T, sync: SyncId, waiter: Waiter<T::Who>) {
    let rule = rows.rule(sync);
    if rule.hands_over(waiter.asked, rows.now()) {
        rows.set_asking(waiter.who, None);
        hand(rows, sync, waiter);
        return rows.goes(sync, waiter.who, Goes::On);
    }
    if rule.hand_over == HandOver::Kept && waiter.wants == Wants::Room {
        keep(rows, sync, waiter);
    }
    rows.goes(sync, waiter.who, Goes::ToAskAgain);
}

/// So much of that is kept for one who wants it.
pub(super) fn amount(wants: Wants) -> u64 {
    if let Wants::Permits(permits) = wants { u64::from(permits) } else { 1 }
}

/// What this one wants is kept for it until it runs.
fn keep<T: Rows>(rows: &mut T, sync: SyncId, waiter: Waiter<T::Who>) {
    let asking = rows.asking(waiter.who).unwrap_or(Asking::begins(waiter.asked, false));
    rows.set_asking(waiter.who, Some(Asking { kept: true, ..asking }));
    rows.set_kept(sync, rows.kept(sync) + amount(waiter.wants));
}

/// Sets permits aside for who is next, if there are enough, and wakes it. Is there such a one?
pub(super) fn reserve<T: Rows>(rows: &mut T, sync: SyncId) -> bool {
    let spare = rows.level(sync).saturating_sub(rows.kept(sync));
    let Some((place, waiter)) = next(rows, sync, |_| true).filter(|(_, waiter)| amount(waiter.wants) <= spare) else {
        return false;
    };
    rows.take(sync, place);
    keep(rows, sync, waiter);
    rows.goes(sync, waiter.who, Goes::ToAskAgain);
    true
}

/// Who is next, of readers and writers by whom the rwlock prefers.
fn next_here<T: Rows>(rows: &T, sync: SyncId) -> Option<(T::Place, Waiter<T::Who>)> {
    let preferred = match rows.kind(sync) {
        SyncKind::RwLock { prefer: Prefer::Readers } => next(rows, sync, |wants| wants == Wants::Together),
        SyncKind::RwLock { prefer: Prefer::Writers } => next(rows, sync, |wants| wants == Wants::Alone),
        _ => None,
    };
    preferred.or_else(|| next(rows, sync, |_| true))
}

// What is handed over at once, to several perhaps.

/// Lets in whoever can be, one after the other. Was the `newcomer` among them, who has just asked and is not blocked?
pub(super) fn admit<T: Rows>(rows: &mut T, sync: SyncId, newcomer: Option<T::Who>) -> bool {
    let mut let_in = false;
    while let Some((place, waiter)) = admissible(rows, sync) {
        rows.take(sync, place);
        hand(rows, sync, waiter);
        let is_new = newcomer == Some(waiter.who);
        let_in |= is_new;
        rows.goes(sync, waiter.who, if is_new { Goes::AtOnce } else { Goes::On });
    }
    let_in
}

/// Who is next, if there is enough for it.
fn admissible<T: Rows>(rows: &T, sync: SyncId) -> Option<(T::Place, Waiter<T::Who>)> {
    if let SyncKind::Channel { capacity } = rows.kind(sync) {
        return passes(rows, sync, u64::from(capacity));
    }
    next_here(rows, sync).filter(|(_, waiter)| match waiter.wants {
        Wants::Permits(permits) => u64::from(permits) <= rows.level(sync),
        wants => rows.is_free(sync, wants == Wants::Together),
    })
}

/// One who waits at a channel can go on: a sender for whom there is room, a receiver for whom there is a message. In a
/// channel that holds none, both meet.
fn passes<T: Rows>(rows: &T, sync: SyncId, capacity: u64) -> Option<(T::Place, Waiter<T::Who>)> {
    let level = rows.level(sync);
    // Who waits, waits for the same: only one who has just asked may be what the others wait for.
    let receivers = rows.first_and_last(sync).contains(&Some(Wants::Message));
    if level > 0 && receivers {
        return next(rows, sync, |wants| wants == Wants::Message);
    }
    // A message on its way to a receiver takes no room.
    let room = level < capacity || (level == 0 && receivers);
    room.then(|| next(rows, sync, |wants| wants == Wants::Room)).flatten()
}

// Condition variables and barriers.

fn wait<T: Rows>(rows: &mut T, condvar: SyncId, lock: SyncId, who: T::Who) -> Turn {
    if rows.asking(who).is_some_and(|asking| asking.noticed) {
        if rows.rule(lock).is_done_once() {
            rows.set_asking(who, None);
        }
        return ask(rows, lock, who, Wants::Alone, false);
    }
    if rows.gives_up(who) {
        return Turn::GivesUp;
    }
    // It queues with the urgency that is left to it without the lock.
    rows.waits(condvar, who);
    give_back(rows, lock, who);
    let asked = rows.now();
    rows.queue(condvar, Waiter { who, asked, wants: Wants::Notice(lock) });
    Turn::Waits
}

/// These, who no longer wait for a notification, get one, in this order. Each goes on as soon as it has its lock; or to ask
/// for it, if the object hands nothing over.
fn notify<T: Rows>(rows: &mut T, condvar: SyncId, by: T::Who, notified: &[Waiter<T::Who>]) {
    if notified.is_empty() {
        rows.set_level(condvar, rows.level(condvar) + 1);
    }
    rows.notified(condvar, by, notified);
    let now = rows.now();
    for waiter in notified {
        if let Wants::Notice(lock) = waiter.wants {
            takes_lock_back(rows, condvar, lock, Waiter { who: waiter.who, asked: now, wants: Wants::Alone });
        }
    }
}

/// Who does not wait at the condition variable any more goes on as soon as it has its lock; or to ask for it.
pub(super) fn takes_lock_back<T: Rows>(rows: &mut T, condvar: SyncId, lock: SyncId, asker: Waiter<T::Who>) {
    let who = asker.who;
    let asks = !rows.rule(condvar).is_direct();
    let governed = ceilings::governs(rows, lock);
    if !asks && rows.is_free(lock, false) && (!governed || ceilings::may_have(rows, who)) {
        rows.grant(lock, asker);
        if governed {
            rows.ceilings_moved();
        }
        return rows.goes(lock, who, Goes::On);
    }
    if asks || !rows.rule(lock).is_done_once() {
        rows.set_asking(who, Some(Asking::begins(asker.asked, true)));
    }
    if asks {
        rows.goes(condvar, who, Goes::ToAskAgain);
    } else {
        rows.queue(lock, asker);
        rows.waits(lock, who);
    }
}

/// Whoever notifies hands the lock, which it holds, and its processor to the one it notifies, and waits to get the lock back.
fn hand_on<T: Rows>(rows: &mut T, condvar: SyncId, by: T::Who, waiter: Waiter<T::Who>) -> Turn {
    rows.notified(condvar, by, &[waiter]);
    let Wants::Notice(lock) = waiter.wants else { return Turn::GoesOn };
    let asked = rows.now();
    rows.gives_back(lock, by);
    rows.grant(lock, Waiter { who: waiter.who, asked, wants: Wants::Alone });
    rows.has_given_back(lock, by);
    rows.queue(lock, Waiter { who: by, asked, wants: Wants::Back });
    rows.waits(lock, by);
    rows.goes(lock, waiter.who, Goes::On);
    rows.hands_processor(by, waiter.who);
    Turn::Waits
}

fn arrive<T: Rows>(rows: &mut T, barrier: SyncId, who: T::Who) -> Turn {
    let SyncKind::Barrier { parties } = rows.kind(barrier) else { return Turn::GoesOn };
    let drains = !rows.rule(barrier).is_direct();
    if drains && let Some(turn) = passes_by(rows, barrier, who) {
        return turn;
    }
    let come = rows.level(barrier) + 1;
    if come < u64::from(parties) && rows.gives_up(who) {
        return Turn::GivesUp;
    }
    rows.arrives(barrier, who);
    if come < u64::from(parties) {
        rows.set_level(barrier, come);
        let asked = rows.now();
        rows.queue(barrier, Waiter { who, asked, wants: Wants::Others });
        rows.waits(barrier, who);
        return Turn::Waits;
    }
    rows.set_level(barrier, 0);
    let mut all = rows.take_all(barrier);
    in_order(rows, barrier, &mut all);
    for waiter in all {
        if drains {
            keep(rows, barrier, waiter);
        }
        rows.goes(barrier, waiter.who, if drains { Goes::ToAskAgain } else { Goes::On });
    }
    Turn::GoesOn
}

/// Of a barrier that lets nobody in until all have left whom it lets go: has the task been let go, so that it leaves, or must it
/// wait for those who have?
fn passes_by<T: Rows>(rows: &mut T, barrier: SyncId, who: T::Who) -> Option<Turn> {
    let asking = rows.asking(who);
    rows.set_asking(who, None);
    let inside = rows.kept(barrier);
    if asking.is_some_and(|asking| asking.kept) {
        walks_out(rows, barrier);
        return Some(Turn::GoesOn);
    }
    if inside == 0 {
        return None;
    }
    if rows.gives_up(who) {
        return Some(Turn::GivesUp);
    }
    let asked = rows.now();
    rows.queue(barrier, Waiter { who, asked, wants: Wants::Others });
    rows.waits(barrier, who);
    Some(Turn::Waits)
}

/// One of those whom a barrier has let go leaves it: after the last, others are let in.
pub(super) fn walks_out<T: Rows>(rows: &mut T, barrier: SyncId) {
    let inside = rows.kept(barrier);
    rows.set_kept(barrier, inside.saturating_sub(1));
    if inside == 1 {
        let mut all = rows.take_all(barrier);
        in_order(rows, barrier, &mut all);
        all.iter().for_each(|waiter| rows.goes(barrier, waiter.who, Goes::ToAskAgain));
    }
}
