//! Building what cargo alone cannot: policy components and the Python wheel.

mod guest;
mod python_guest;
mod wheel;

pub use guest::policies;
pub use python_guest::{python_bindings, python_policy};
pub use wheel::wheel;
