//! The machine, the guard and an adversary, checked exhaustively.

pub mod configuration;
mod desk;
pub mod model;
mod monitor;
mod moves;
mod policy;
pub mod report;
pub mod rule;
pub mod step;
mod turn;
pub mod world;

pub use configuration::{Bound, Configuration, configurations};
pub use report::{Outcome, search};
