//! Building what cargo alone cannot: policy components and the Python wheel; and the command.

mod command;
mod old_glibc;
mod page;
mod precompiled;
mod python_guest;
mod rust_guest;
mod wheel;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

pub use command::command;
pub use page::{npm_run, page};
pub use precompiled::built_in_policy;
pub use python_guest::{policies as python_policies, python_bindings};
pub use rust_guest::{components, policies, test_policies};
pub use wheel::{built_wheel, wheel};

/// The folders in a folder, by name, in order.
fn folders(folder: &Path) -> Result<Vec<(String, PathBuf)>> {
    let cannot = || format!("{} cannot be read", folder.display());
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).with_context(cannot)? {
        let entry = entry.with_context(cannot)?;
        let path = entry.path();
        if path.is_dir() {
            found.push((entry.file_name().to_string_lossy().into_owned(), path));
        }
    }
    found.sort();
    Ok(found)
}
