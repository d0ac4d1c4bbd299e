//! The crate `crossbeam-channel`, version 0.5.17: bounded channels.
//!
//! Source: `src/flavors/{array,list,zero}.rs`, `src/waker.rs`. A message lies in the channel, and the first who waits for one is
//! woken; whoever looks before it has it. The same holds for room. A channel that holds nothing makes both sides meet.
//! Who finds nothing spins, and yields four times, before it sleeps, whoever waits: that is not simulated.

use super::{FIFO, Kind};
use crate::scenario::{HandOver, Prefer, Rule};

/// See the module.
pub(super) const KIND: &Kind = &Kind {
    name: "crossbeam",
    prefer: Prefer::Fifo,
    rules: &[("channel", Rule { hand_over: HandOver::Barging, ..FIFO })],
    others: &[],
    meets: true,
};
