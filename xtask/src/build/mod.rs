//! Building what cargo alone cannot: policy components and the Python wheel.

mod guest;
mod wheel;

pub use guest::policies;
pub use wheel::wheel;
