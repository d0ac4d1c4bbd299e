#!/usr/bin/env bash
# A barrier of tokio 1.54.1 lets tasks go in an order that is neither that of their coming nor its reverse, and another one each time, on one
# thread where nothing else is left to chance: five tasks come in the order A to E. The last to come goes on first and is the leader;
# the others wait at a `watch` channel, which keeps its waiters in several lists and puts each in one drawn at random. Notify of the
# same crate, whose `notify_waiters` has one list, lets them go as they came.
#
# Seen, over 64 rounds: barrier 22 orders, E always first; notify 1 order, ABCDE. (How many orders differs from run to run.)
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir "$folder/src"
cat > "$folder/Cargo.toml" <<'TOML'
[package]
name = "orders"
version = "0.0.0"
edition = "2021"
[dependencies]
tokio = { version = "=1.54.1", features = ["rt", "sync"] }
TOML
cat > "$folder/src/main.rs" <<'RUST'
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;

use tokio::sync::{Barrier, Notify};
use tokio::task::{yield_now, LocalSet};

/// The order in which five tasks go on that came in the order A to E.
fn round(barrier: bool) -> String {
    let order = Rc::new(RefCell::new(String::new()));
    let (gate, bell) = (Rc::new(Barrier::new(5)), Rc::new(Notify::new()));
    let tasks = LocalSet::new();
    for name in ['A', 'B', 'C', 'D', 'E'] {
        let (order, gate, bell) = (order.clone(), gate.clone(), bell.clone());
        tasks.spawn_local(async move {
            if barrier {
                gate.wait().await;
            } else {
                bell.notified().await;
            }
            order.borrow_mut().push(name);
        });
    }
    if !barrier {
        tasks.spawn_local(async move {
            yield_now().await;
            bell.notify_waiters();
        });
    }
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(tasks);
    order.take()
}

fn main() {
    let orders = |barrier| (0..64).map(|_| round(barrier)).collect::<BTreeSet<_>>();
    let (barrier, notify) = (orders(true), orders(false));
    println!("barrier {} orders, notify {} ({})", barrier.len(), notify.len(), notify.first().unwrap());
    assert!(barrier.len() > 4 && barrier.iter().all(|order| order.starts_with('E')));
    assert_eq!(notify.into_iter().collect::<Vec<_>>(), ["ABCDE"]);
}
RUST
cargo run --quiet --manifest-path "$folder/Cargo.toml"
