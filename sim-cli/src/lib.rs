//! What the `sim` program is made of: its commands, and pictures, diagrams for the terminal and exports of a timeline.

pub mod args;
pub mod axis;
pub mod chart;
pub mod commands;
pub mod comparison;
pub mod condition;
pub mod diff;
pub mod doings;
pub mod explain;
pub mod export;
pub mod fail_on;
pub mod files;
pub mod gantt;
pub mod generate;
pub mod interruption;
pub mod letters;
pub mod memory;
pub mod output;
pub mod parallel;
pub mod picture;
pub mod profile;
pub mod program;
pub mod progress;
pub mod reached;
pub mod repetition;
pub mod replication;
pub mod report;
pub mod rows;
pub mod sorted;
pub mod sweep;
pub mod table;
pub mod templates;
pub mod validation;

#[cfg(test)]
mod testing;
