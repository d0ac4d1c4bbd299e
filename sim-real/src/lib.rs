//! The companion of sim-core: the same scenario on real executors.
