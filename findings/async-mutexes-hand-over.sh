#!/usr/bin/env bash
# Three mutexes for async Rust, one program: three tasks on one event loop lock, yield and unlock four times each, and always want the lock
# again at once. tokio 1.54.1 hands the lock to who waits longest. futures-util 0.3.34 wakes that task, but whoever runs takes the lock: the
# one that gave it back has it again. async-lock 3.5.0 does so too (until somebody has starved for 0.5 ms), and goes on with the last
# to wait. One has a lock convoy, the others starve.
#
# Seen, who holds the lock: tokio ABCABCABCABC, futures AAAABBBBCCCC, async-lock AAAACCCCBBBB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir "$folder/src"
cat > "$folder/Cargo.toml" <<'TOML'
[package]
name = "turns"
version = "0.0.0"
edition = "2021"
[dependencies]
async-lock = "=3.5.0"
futures = "=0.3.34"
futures-util = "=0.3.34"
tokio = { version = "=1.54.1", features = ["rt", "sync"] }
TOML
cat > "$folder/src/main.rs" <<'RUST'
use std::cell::RefCell;
use std::rc::Rc;

use tokio::task::{yield_now, LocalSet};

macro_rules! holders {
    ($mutex:expr) => {{
        let (mutex, holders) = (Rc::new($mutex), Rc::new(RefCell::new(String::new())));
        let tasks = LocalSet::new();
        for name in ['A', 'B', 'C'] {
            let (mutex, holders) = (mutex.clone(), holders.clone());
            tasks.spawn_local(async move {
                for _ in 0..4 {
                    let guard = mutex.lock().await;
                    holders.borrow_mut().push(name);
                    yield_now().await;
                    drop(guard);
                }
            });
        }
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(tasks);
        let holders = holders.borrow().clone();
        holders
    }};
}

fn main() {
    let tokio = holders!(tokio::sync::Mutex::new(()));
    let futures = holders!(futures::lock::Mutex::new(()));
    let async_lock = holders!(async_lock::Mutex::new(()));
    println!("tokio {tokio}, futures {futures}, async-lock {async_lock}");
    assert_eq!(tokio, "ABCABCABCABC");
    assert_eq!(futures, "AAAABBBBCCCC");
    // Whether anybody has starved for long enough depends on the machine; that the first goes on at once does not.
    assert!(async_lock.starts_with("AA"));
}
RUST
cargo run --quiet --manifest-path "$folder/Cargo.toml"
