//! The suite `link`: the real connection against the real python-socketio server under uvicorn.
//! Each row of the loss table, and what must be left over afterwards: nothing.
//!
//! Needs `LIFELINE_ENGINE_PYTHON`, a Python with the group `dev` of `pyproject.toml`, and
//! `tests/engine` on PYTHONPATH: `cargo xtask test link` sets both.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a test says by a panic why it cannot go on

mod engine;
mod frozen;
mod leftovers;
mod losses;
mod messages;
mod proxy;
mod refusals;
mod scripted;
mod shapes;
mod transport;
mod wire;
