//! Folders for the user alone, whatever the umask.

use std::fs;
use std::io;
use std::path::Path;

/// Makes a folder, and those above it that are missing. While Blender saves, the umask of the
/// process may be one that makes folders which nobody can enter.
pub(crate) fn make_private_folder(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    if let Some(above) = folder.parent().filter(|it| !it.as_os_str().is_empty()) {
        make_private_folder(above)?;
    }
    match fs::create_dir(folder) {
        // Another process was quicker.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && folder.is_dir() => Ok(()),
        Err(error) => Err(error),
        Ok(()) => {
            #[cfg(unix)]
            fs::set_permissions(folder, std::os::unix::fs::PermissionsExt::from_mode(0o700))?;
            Ok(())
        }
    }
}
