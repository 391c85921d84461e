//! Where things are in the work tree, and where built things go.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// A line of Blenders that there is a Python module of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bpy {
    /// The long-term line of Blender 4, on Python 3.11.
    V4_5,
    /// The last one on Python 3.11.
    V5_0,
    /// The long-term line of Blender 5, on Python 3.13.
    V5_2,
}

impl Bpy {
    /// Its number.
    pub fn line(self) -> &'static str {
        match self {
            Self::V4_5 => "4.5",
            Self::V5_0 => "5.0",
            Self::V5_2 => "5.2",
        }
    }
}

/// Paths below the project's root. Everything built or installed is below `target/`.
#[derive(Debug)]
pub struct Layout {
    root: PathBuf,
}

impl Layout {
    /// The root is the folder above this package.
    pub fn find() -> Result<Self> {
        // At run time first: a binary that was built before the tree moved still finds it.
        let package = env::var_os("CARGO_MANIFEST_DIR")
            .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
        let root = package
            .parent()
            .with_context(|| format!("{} has no folder above it", package.display()))?;
        Ok(Self {
            root: root.to_path_buf(),
        })
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    pub fn target(&self) -> PathBuf {
        self.root.join("target")
    }

    /// The group `dev` of pyproject.toml, for building, linting and testing.
    pub fn venv(&self) -> PathBuf {
        self.target().join("venv")
    }

    /// A program of the virtual environment.
    pub fn venv_program(&self, name: &str) -> PathBuf {
        self.venv().join("bin").join(name)
    }

    /// The group `bench`: what Lifeline is measured beside.
    pub fn venv_bench(&self) -> PathBuf {
        self.target().join("venv-bench")
    }

    /// The group `node`: Node.js, for systems whose own is too old, or missing.
    pub fn venv_node(&self) -> PathBuf {
        self.target().join("venv-node")
    }

    /// One of the groups `bpy-…`: Blender as a Python module.
    pub fn venv_bpy(&self, blender: Bpy) -> PathBuf {
        self.target().join(match blender {
            Bpy::V4_5 => "venv-bpy".to_owned(),
            newer => format!("venv-bpy-{}", newer.line()),
        })
    }

    /// The interpreter that can import bpy.
    pub fn bpy_python(&self, blender: Bpy) -> PathBuf {
        self.venv_bpy(blender).join("bin/python")
    }

    /// The guest's own build folder: it may be compiled by another compiler.
    pub fn guest_target(&self) -> PathBuf {
        self.target().join("guest")
    }

    /// The fuzz targets' package.
    pub fn fuzz(&self) -> PathBuf {
        self.root.join("tests/fuzz")
    }

    /// The browser's package.
    pub fn browser(&self) -> PathBuf {
        self.root.join("browser")
    }

    /// The policy components.
    pub fn policies(&self) -> PathBuf {
        self.target().join("policies")
    }

    /// Policies that are made for tests.
    pub fn test_policies(&self) -> PathBuf {
        self.target().join("policies-for-tests")
    }

    /// The contract as Python, for type checkers; `pyproject.toml` looks there.
    pub fn policy_bindings(&self) -> PathBuf {
        self.target().join("policy-bindings")
    }

    /// The zips for people.
    pub fn packages(&self) -> PathBuf {
        self.target().join("packages")
    }

    pub fn wheels(&self) -> PathBuf {
        self.target().join("wheels")
    }

    /// The unpacked wheel, a folder for Blender's `sys.path`.
    pub fn blender_python(&self) -> PathBuf {
        self.target().join("blender-python")
    }

    /// A line for each test in Python of the last run.
    pub fn test_report(&self) -> PathBuf {
        self.target().join("tests.jsonl")
    }

    /// Programs that are installed for this project alone.
    pub fn tools(&self) -> PathBuf {
        self.target().join("tools")
    }

    /// The stand-in engine, the test harness, the demo and the soak, as Python finds them.
    pub fn test_python_path(&self) -> Result<std::ffi::OsString> {
        let tests = self.root.join("tests");
        env::join_paths([
            tests.join("engine"),
            tests.join("harness"),
            tests.join("demo"),
            tests.join("soak"),
            tests.join("bench"),
        ])
        .context(
            "the project's path holds a `:`, which Python cannot have in a search path; move it",
        )
    }
}
