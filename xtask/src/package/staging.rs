//! Where the content of a zip is laid out, so that equal content makes equal zips.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};

use crate::layout::Layout;
use crate::package::licenses;

/// The first day of zip, in seconds since 1970.
const ZIP_EPOCH: Duration = Duration::from_secs(315_532_800);

/// A folder that lasts until the zips are made.
pub struct Staging {
    folder: PathBuf,
    addon: PathBuf,
    notices: PathBuf,
}

impl Staging {
    /// Empty, as is the folder for the zips that it is in.
    pub fn new(layout: &Layout) -> Result<Self> {
        let packages = layout.packages();
        if packages.exists() {
            fs::remove_dir_all(&packages)
                .with_context(|| format!("{} cannot be emptied", packages.display()))?;
        }
        let folder = packages.join("staging");
        fs::create_dir_all(&folder)
            .with_context(|| format!("{} cannot be made", folder.display()))?;
        Ok(Self {
            folder,
            addon: layout.root().join("addon/cr8_router"),
            notices: licenses::folder(layout),
        })
    }

    /// A folder with the add-on, and the notices of what comes with it.
    pub fn addon(&self, path: &str) -> Result<PathBuf> {
        let folder = self.folder.join(path);
        copy(&self.addon, &folder)?;
        copy(&self.notices, &folder.join(licenses::NAME))?;
        Ok(folder)
    }

    pub fn remove(self) -> Result<()> {
        fs::remove_dir_all(&self.folder)
            .with_context(|| format!("{} cannot be removed", self.folder.display()))
    }
}

/// A folder without what Python leaves in it.
fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to).with_context(|| format!("{} cannot be made", to.display()))?;
    for entry in fs::read_dir(from).with_context(|| format!("{} is missing", from.display()))? {
        let entry = entry?;
        let (path, target) = (entry.path(), to.join(entry.file_name()));
        if !path.is_dir() {
            copy_file(&path, &target)?;
        } else if entry.file_name() != "__pycache__" {
            copy(&path, &target)?;
        }
    }
    Ok(())
}

pub fn copy_file(from: &Path, to: &Path) -> Result<()> {
    fs::copy(from, to)
        .with_context(|| format!("{} cannot be copied to {}", from.display(), to.display()))?;
    Ok(())
}

/// The same times and rights, whoever built it and when.
pub fn make_uniform(folder: &Path) -> Result<()> {
    let cannot = |path: &Path| format!("{} cannot be made uniform", path.display());
    let mut entries = vec![folder.to_path_buf()];
    while let Some(path) = entries.pop() {
        let mode = if path.is_dir() {
            for entry in fs::read_dir(&path).with_context(|| cannot(&path))? {
                entries.push(entry?.path());
            }
            0o755
        } else {
            0o644
        };
        fs::set_permissions(&path, fs::Permissions::from_mode(mode))
            .and_then(|()| fs::File::open(&path))
            .and_then(|file| file.set_modified(SystemTime::UNIX_EPOCH + ZIP_EPOCH))
            .with_context(|| cannot(&path))?;
    }
    Ok(())
}
