//! What tasks need: each thing is installed and made once, in the order in which they build on each
//! other, and the programs are told where it is.
//!
//! A task that names less than it uses works only where another one has made the rest:
//! `tests/tasks` runs each with nothing made.

use std::path::PathBuf;

use anyhow::Result;

use crate::build;
use crate::layout::{Bpy, Layout};
use crate::package;
use crate::process::Step;
use crate::setup::{self, Part};

/// Each after what it is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Build {
    /// Policies in Rust, and the built-in one's machine code.
    Policies,
    PythonPolicies,
    TestPolicies,
    /// The contract as Python: for the type checker, and for a policy outside WebAssembly.
    Bindings,
    Wheel,
    /// The command `lifeline`.
    Command,
    /// The zips, of the wheel.
    Packages,
    Page,
}

impl Build {
    /// What it is made of.
    fn of(self) -> &'static [Self] {
        match self {
            Self::Policies | Self::PythonPolicies | Self::TestPolicies | Self::Bindings => &[],
            Self::Wheel | Self::Command | Self::Page => &[Self::Policies],
            Self::Packages => &[Self::Policies, Self::Wheel],
        }
    }

    fn make(self, layout: &Layout, environment: &mut Environment) -> Result<()> {
        match self {
            Self::Policies => {
                build::policies(layout)?;
                environment.add("LIFELINE_POLICIES", layout.policies());
            }
            Self::PythonPolicies => build::python_policies(layout)?,
            Self::TestPolicies => {
                build::test_policies(layout)?;
                environment.add("LIFELINE_TEST_POLICIES", layout.test_policies());
            }
            Self::Bindings => {
                build::python_bindings(layout)?;
                environment.add("LIFELINE_BINDINGS", layout.policy_bindings());
            }
            Self::Wheel => {
                build::wheel(layout)?;
                environment.add("LIFELINE_PYTHON", layout.blender_python());
            }
            Self::Command => environment.add("LIFELINE_COMMAND", build::command(layout)?),
            Self::Packages => {
                package::build(layout)?;
                environment.add("LIFELINE_PACKAGES", layout.packages());
            }
            Self::Page => build::page(layout)?,
        }
        Ok(())
    }
}

/// Variables by which programs find what was made.
#[derive(Debug, Default)]
pub struct Environment(Vec<(&'static str, PathBuf)>);

impl Environment {
    fn add(&mut self, name: &'static str, path: PathBuf) {
        self.0.push((name, path));
    }

    pub fn apply(&self, step: Step) -> Step {
        self.0
            .iter()
            .fold(step, |step, (name, path)| step.env(name, path))
    }
}

/// Install and build all this. What is made of something else has that made, too.
pub fn prepare(layout: &Layout, parts: &[Part], builds: &[Build]) -> Result<Environment> {
    let parts = once(parts);
    setup::ensure(layout, &parts)?;
    let mut environment = Environment::default();
    for one in with_what_they_are_made_of(builds) {
        one.make(layout, &mut environment)?;
    }
    for part in parts {
        match part {
            Part::Store => environment.add("LIFELINE_S3", setup::store(layout)?),
            Part::WasmtimeCli => environment.add("LIFELINE_WASMTIME", setup::wasmtime(layout)?),
            Part::Bpy => environment.add("LIFELINE_BPY_PYTHON", layout.bpy_python(Bpy::V4_5)),
            Part::LaterBpy => {
                environment.add("LIFELINE_BPY_PYTHON_5_0", layout.bpy_python(Bpy::V5_0));
                environment.add("LIFELINE_BPY_PYTHON_5_2", layout.bpy_python(Bpy::V5_2));
            }
            Part::Browser => environment.add("LIFELINE_NPM", setup::npm_program(layout)),
            Part::Bench => {
                environment.add("LIFELINE_PEERS", layout.venv_bench().join("bin/python"));
            }
            _ => {}
        }
    }
    Ok(environment)
}

/// In order.
fn with_what_they_are_made_of(builds: &[Build]) -> Vec<Build> {
    let mut all: Vec<Build> = builds
        .iter()
        .flat_map(|it| it.of().iter().chain([it]))
        .copied()
        .collect();
    all.sort_unstable();
    all.dedup();
    all
}

fn once<T: Copy + PartialEq>(all: &[T]) -> Vec<T> {
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
    use super::{Build, once, with_what_they_are_made_of};

    #[test]
    fn what_two_need_is_made_once() {
        assert_eq!(once(&[3, 1, 3, 2, 1]), [3, 1, 2]);
        let all = with_what_they_are_made_of(&[Build::Packages, Build::Wheel, Build::Bindings]);
        let expected = [
            Build::Policies,
            Build::Bindings,
            Build::Wheel,
            Build::Packages,
        ];
        assert_eq!(all, expected);
    }

    #[test]
    fn what_something_is_made_of_is_named_with_all_that_it_is_made_of() {
        for one in [
            Build::Wheel,
            Build::Command,
            Build::Packages,
            Build::Page,
            Build::PythonPolicies,
        ] {
            assert!(one.of().iter().all(|it| *it < one), "{one:?}");
            let deeper = one.of().iter().flat_map(|it| it.of());
            assert!(deeper.clone().all(|it| one.of().contains(it)), "{one:?}");
        }
    }
}
