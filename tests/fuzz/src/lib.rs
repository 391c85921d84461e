//! What the fuzz targets share.
//!
//! | module | what it makes of arbitrary bytes |
//! |---|---|
//! | [`value`] | values of the contract |
//! | [`course`] | what happens to one client, in an order in which a host could report it |
//! | [`intent`] | (nothing) what the default policy's machine is meant to do, checked step by step |
//! | [`puppet`] | a policy that answers anything, and what the guard must not let through |
//! | [`frames`] | a server that sends anything |

#![allow(clippy::expect_used)] // a panic is what a fuzz target finds

pub mod course;
pub mod frames;
pub mod intent;
pub mod puppet;
pub mod value;

pub use arbitrary::{Arbitrary, Result, Unstructured};
