#!/usr/bin/env bash
# futures-util 0.3.34 (Rust 1.95): one poll of a FuturesUnordered goes through all that are ready, but it gives up, and has itself woken again,
# as soon as two of them have woken themselves meanwhile (a yield). join_all polls all of up to 30 futures at each poll; from 31 on it is a
# FuturesUnordered inside, and the same 31 yielding futures advance two at a time. How far a task gets per poll depends on such counts.
#
# Seen: futures polled by one poll: 2 of 2, 3, 10 and 100 in a FuturesUnordered; 30 of 30, but 2 of 31, in the second poll of join_all.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir "$folder/src"
cat > "$folder/Cargo.toml" <<'TOML'
[package]
name = "polls"
version = "0.0.0"
edition = "2021"
[dependencies]
futures-util = "=0.3.34"
TOML
cat > "$folder/src/main.rs" <<'RUST'
use std::cell::Cell;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use futures_util::future::{join_all, FutureExt as _};
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use futures_util::task::noop_waker;

/// Yields for ever, and counts how often anybody like it is polled.
struct Yields(Rc<Cell<usize>>);

impl Future for Yields {
    type Output = ();
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        self.0.set(self.0.get() + 1);
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

fn main() {
    let waker = noop_waker();
    let mut context = Context::from_waker(&waker);
    for count in [2, 3, 10, 100] {
        let polls = Rc::new(Cell::new(0));
        let mut all: FuturesUnordered<_> = (0..count).map(|_| Yields(polls.clone())).collect();
        assert!(all.poll_next_unpin(&mut context).is_pending());
        println!("FuturesUnordered of {count}: {}", polls.get());
        assert_eq!(polls.get(), 2);
    }
    for (count, expected) in [(30, 30), (31, 2)] {
        let polls = Rc::new(Cell::new(0));
        let mut all = join_all((0..count).map(|_| Yields(polls.clone())));
        assert!(all.poll_unpin(&mut context).is_pending());
        polls.set(0);
        assert!(all.poll_unpin(&mut context).is_pending());
        println!("join_all of {count}: {}", polls.get());
        assert_eq!(polls.get(), expected);
    }
}
RUST
cargo run --quiet --manifest-path "$folder/Cargo.toml"
