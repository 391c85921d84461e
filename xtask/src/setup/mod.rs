//! Installing what is missing, and nothing else.

mod apt;
mod browser;
mod cargo_command;
mod guest_toolchain;
mod uv;
mod venv;
mod wasmtime_cli;

use std::path::PathBuf;

use anyhow::Result;

use crate::layout::{Bpy, Layout};
use crate::process::Step;

pub use browser::{npm, npm_program};
pub use guest_toolchain::{GUEST_TARGET, GuestToolchain};

/// What one can need.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// A compiler for the policies.
    Guest,
    /// Python with the group `dev` of pyproject.toml.
    Venv,
    /// Blender, and a display to run it on.
    Blender,
    /// The wasmtime command.
    WasmtimeCli,
    /// Blender as a Python module.
    Bpy,
    /// The same, of later Blenders.
    LaterBpy,
    /// What faults are made with.
    Faults,
    /// A hand on the pointer and the keys of a display.
    Pointer,
    /// What stands before several engines, and between them.
    Balanced,
    /// What libFuzzer is compiled with.
    Fuzz,
    /// Chromium, Node.js, and the packages of browser/package-lock.json.
    Browser,
    /// The other browser that the page is tested in.
    Firefox,
    /// A real S3 server, for what is uploaded.
    Store,
    /// What Lifeline is measured beside.
    Bench,
}

impl Part {
    pub const ALL: &[Self] = &[
        Self::Guest,
        Self::Venv,
        Self::Blender,
        Self::WasmtimeCli,
        Self::Bpy,
        Self::LaterBpy,
        Self::Faults,
        Self::Pointer,
        Self::Balanced,
        Self::Fuzz,
        Self::Browser,
        Self::Firefox,
        Self::Store,
        Self::Bench,
    ];
}

/// Install what is missing of these parts.
pub fn ensure(layout: &Layout, parts: &[Part]) -> Result<()> {
    // In one go: each run of apt-get costs seconds.
    apt::ensure_system_packages(parts)?;
    for part in parts {
        match part {
            // System packages alone.
            Part::Blender
            | Part::Faults
            | Part::Pointer
            | Part::Balanced
            | Part::Fuzz
            | Part::Firefox => {}
            Part::Guest => {
                guest_toolchain::ensure()?;
            }
            Part::Venv => venv::ensure(layout)?,
            Part::WasmtimeCli => {
                wasmtime_cli::ensure(layout)?;
            }
            Part::Bpy => venv::ensure_bpy(layout, Bpy::V4_5)?,
            Part::LaterBpy => {
                venv::ensure_bpy(layout, Bpy::V5_0)?;
                venv::ensure_bpy_where_possible(layout, Bpy::V5_2)?;
            }
            Part::Browser => browser::ensure(layout)?,
            Part::Store => {
                cargo_command::STORE.ensure(layout)?;
            }
            Part::Bench => venv::ensure_bench(layout)?,
        }
    }
    Ok(())
}

/// The compiler for the policies, installed if need be.
pub fn guest_toolchain() -> Result<GuestToolchain> {
    guest_toolchain::ensure()
}

/// uv, installed if need be, for the environments that there are.
pub fn uv(layout: &Layout, what: &str) -> Result<Step> {
    uv::step(what, &uv::ensure(layout)?)
}

/// The wasmtime command, installed if need be.
pub fn wasmtime(layout: &Layout) -> Result<PathBuf> {
    wasmtime_cli::ensure(layout)
}

/// The S3 server, installed if need be.
pub fn store(layout: &Layout) -> Result<PathBuf> {
    cargo_command::STORE.ensure(layout)
}

/// The command `cargo mutants`, installed if need be.
pub fn cargo_mutants(layout: &Layout) -> Result<PathBuf> {
    cargo_command::MUTANTS.ensure(layout)
}

/// The command `cargo about`, installed if need be.
pub fn cargo_about(layout: &Layout) -> Result<PathBuf> {
    cargo_command::ABOUT.ensure(layout)
}
