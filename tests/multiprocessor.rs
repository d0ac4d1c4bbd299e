//! What several processors look like: queues of their own, a timer for all, caches. Drawn as in the goldens.

mod caches;
mod moves;
mod queues;
mod slices;
mod ticks;
mod timer;
