//! What the `sim` program is made of: pictures, diagrams for the terminal, and exports of a timeline.

pub mod axis;
pub mod export;
pub mod gantt;
pub mod picture;
pub mod rows;

#[cfg(test)]
mod testing;
