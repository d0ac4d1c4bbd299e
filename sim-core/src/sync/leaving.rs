//! Who waits and gives up.

use super::rules::{admit, amount, becomes_free, has_enough, has_its_turn, reserve, takes_lock_back, walks_out};
use super::{Rows, Waiter, Wants, take_next};
use crate::ids::SyncId;
use crate::scenario::{HandOver, SyncKind, SyncOp};

/// A task gives up what it waits for at an object: it goes on without, at a condition variable as soon as it has its lock. Did
/// it wait there?
pub fn give_up<T: Rows>(rows: &mut T, sync: SyncId, who: T::Who) -> bool {
    if rows.kind(sync) == SyncKind::Condvar {
        return leave_condvar(rows, sync, who);
    }
    if !leave(rows, sync, who) {
        return false;
    }
    rows.gave_up(sync, who);
    move_up(rows, sync);
    true
}

/// A task leaves the queue of an object without what it waited for. Was it there?
pub fn leave<T: Rows>(rows: &mut T, sync: SyncId, who: T::Who) -> bool {
    let Some((place, waiter)) = rows.waiters(sync).find(|(_, waiter)| waiter.who == who) else { return false };
    rows.take(sync, place);
    // Who waits until others have left a barrier has not come to it.
    if waiter.wants == Wants::Others && rows.kept(sync) == 0 {
        rows.set_level(sync, rows.level(sync).saturating_sub(1));
        rows.departs(sync, who);
    }
    if !rows.rule(sync).is_done_once() {
        rows.set_asking(who, None);
    }
    true
}

/// A task waits for a notification no more: it goes on as soon as it has its lock. Did it wait?
fn leave_condvar<T: Rows>(rows: &mut T, condvar: SyncId, who: T::Who) -> bool {
    let Some((place, waiter)) = rows.waiters(condvar).find(|(_, waiter)| waiter.who == who) else { return false };
    let Wants::Notice(lock) = waiter.wants else { return false };
    rows.take(condvar, place);
    rows.gave_up(condvar, who);
    let asker = Waiter { who, asked: rows.now(), wants: Wants::Alone };
    takes_lock_back(rows, condvar, lock, asker);
    true
}

/// Somebody has left the queue: those who waited behind it may be next, and there may be enough for them.
pub fn move_up<T: Rows>(rows: &mut T, sync: SyncId) {
    let several = matches!(rows.kind(sync), SyncKind::RwLock { .. } | SyncKind::Semaphore { .. });
    match rows.rule(sync).hand_over {
        _ if !several => {}
        HandOver::Direct => _ = admit(rows, sync, None),
        HandOver::Reserved => while reserve(rows, sync) {},
        HandOver::Barging | HandOver::Fair(_) | HandOver::Kept => becomes_free(rows, sync),
    }
}

/// A task that was told to do this operation again will not: what is kept for it is for others, and who is next is told instead.
pub fn forget<T: Rows>(rows: &mut T, op: SyncOp, who: T::Who) {
    let Some(asking) = rows.asking(who) else { return };
    rows.set_asking(who, None);
    let (sync, wants) = match op {
        SyncOp::Wait { lock, .. } => (lock, Wants::Alone),
        SyncOp::Read(sync) => (sync, Wants::Together),
        SyncOp::Acquire(sync, permits) => (sync, Wants::Permits(permits)),
        SyncOp::Send(sync) => (sync, Wants::Room),
        SyncOp::Receive(sync) => (sync, Wants::Message),
        SyncOp::Arrive(sync) => (sync, Wants::Others),
        op => (op.object(), Wants::Alone),
    };
    if wants == Wants::Others {
        if asking.kept {
            walks_out(rows, sync);
        }
        return;
    }
    if asking.kept {
        rows.set_kept(sync, rows.kept(sync).saturating_sub(amount(wants)));
    }
    match rows.rule(sync).hand_over {
        HandOver::Direct => {}
        HandOver::Reserved => while reserve(rows, sync) {},
        _ if matches!(wants, Wants::Room | Wants::Message) => {
            if has_enough(rows, sync, wants)
                && let Some(waiter) = take_next(rows, sync, |other| other == wants)
            {
                has_its_turn(rows, sync, waiter);
            }
        }
        HandOver::Barging | HandOver::Fair(_) | HandOver::Kept => becomes_free(rows, sync),
    }
}
