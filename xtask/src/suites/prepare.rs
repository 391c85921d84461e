//! What suites need: each thing is made once, however many need it.

use std::path::PathBuf;

use anyhow::Result;

use super::Suite;
use crate::build;
use crate::layout::{Bpy, Layout};
use crate::package;
use crate::setup::{self, Part};

/// In the order in which they are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Build {
    Policies,
    PythonPolicies,
    TestPolicies,
    /// The contract as Python, for the type checker.
    Bindings,
    Wheel,
    /// The command `lifeline`.
    Command,
    /// The zips, of the wheel.
    Packages,
    Page,
}

/// Variables by which the tests find what was made.
pub type Environment = Vec<(&'static str, PathBuf)>;

/// Install and build all that these suites need.
pub fn prepare(layout: &Layout, suites: &[Suite]) -> Result<Environment> {
    let parts: Vec<Part> = once(suites.iter().flat_map(|it| it.parts()));
    let mut builds: Vec<Build> = once(suites.iter().flat_map(|it| it.builds()));
    builds.sort_unstable();
    setup::ensure(layout, &parts)?;
    let mut environment = vec![("LIFELINE_TEST_POLICIES", layout.test_policies())];
    for one in builds {
        match one {
            Build::Policies => {
                build::policies(layout)?;
                environment.push(("LIFELINE_POLICIES", layout.policies()));
            }
            Build::PythonPolicies => build::python_policies(layout)?,
            Build::TestPolicies => build::test_policies(layout)?,
            Build::Bindings => build::python_bindings(layout)?,
            Build::Wheel => {
                build::wheel(layout)?;
                environment.push(("LIFELINE_PYTHON", layout.blender_python()));
            }
            Build::Command => environment.push(("LIFELINE_COMMAND", build::command(layout)?)),
            Build::Packages => {
                package::build(layout)?;
                environment.push(("LIFELINE_PACKAGES", layout.packages()));
            }
            Build::Page => build::page(layout)?,
        }
    }
    if parts.contains(&Part::WasmtimeCli) {
        environment.push(("LIFELINE_WASMTIME", setup::wasmtime(layout)?));
    }
    if parts.contains(&Part::Bpy) {
        environment.push(("LIFELINE_BPY_PYTHON", layout.bpy_python(Bpy::V4_5)));
    }
    if parts.contains(&Part::LaterBpy) {
        environment.push(("LIFELINE_BPY_PYTHON_5_0", layout.bpy_python(Bpy::V5_0)));
        environment.push(("LIFELINE_BPY_PYTHON_5_2", layout.bpy_python(Bpy::V5_2)));
    }
    Ok(environment)
}

fn once<'a, T: Copy + PartialEq + 'a>(all: impl Iterator<Item = &'a T>) -> Vec<T> {
    let mut kept = Vec::new();
    for one in all {
        if !kept.contains(one) {
            kept.push(*one);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::once;

    #[test]
    fn what_two_suites_need_is_made_once() {
        assert_eq!(once([3, 1, 3, 2, 1].iter()), [3, 1, 2]);
    }
}
