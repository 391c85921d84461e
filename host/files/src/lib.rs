//! Files that are whole or not there, and folders for the user alone: whatever the umask, which while
//! Blender saves may be one that makes what nobody can open.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// What a draft has at the end of its name, and a random number behind it.
pub const DRAFT: &str = ".new-";

/// Who may read a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readers {
    /// This user.
    Owner,
    /// Everybody on this machine.
    All,
}

/// Whether a file must outlive a machine that stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Synced {
    /// It is on the disk before it has its name.
    Yes,
    /// The system writes it when it likes.
    No,
}

/// Puts a file into the place of another one, or of none. Whoever reads it meanwhile has the earlier
/// one; a link in its place is replaced, not followed. `parts`: its content.
pub fn replace(path: &Path, parts: &[&[u8]], readers: Readers, synced: Synced) -> io::Result<()> {
    let draft = draft_of(path)?;
    let written = write(&draft, parts, readers, synced).and_then(|()| fs::rename(&draft, path));
    if written.is_err() {
        // The first error is the one to tell.
        let _ = fs::remove_file(&draft);
    }
    written
}

/// Beside it. Nobody can foretell the name, and put a link there.
fn draft_of(path: &Path) -> io::Result<PathBuf> {
    let mut name = path
        .file_name()
        .ok_or(io::ErrorKind::InvalidInput)?
        .to_os_string();
    let mut salt = [0; 8];
    getrandom::fill(&mut salt).map_err(|error| io::Error::other(error.to_string()))?;
    name.push(format!("{DRAFT}{}", hex::encode(salt)));
    Ok(path.with_file_name(name))
}

fn write(draft: &Path, parts: &[&[u8]], readers: Readers, synced: Synced) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(draft)?;
    // A mount without permissions has refused others' reading, or not, itself.
    let _ = permit(&file, readers);
    for part in parts {
        file.write_all(part)?;
    }
    match synced {
        Synced::Yes => unless_lost(file.sync_all()),
        Synced::No => Ok(()),
    }
}

/// What `sync_all` or `sync_data` has given: an error only if the disk has lost something, not where
/// there is no such thing as waiting for it (CIFS, FUSE).
pub fn unless_lost(synced: io::Result<()>) -> io::Result<()> {
    /// An error of input or output.
    const EIO: i32 = 5;
    let lost = |error: &io::Error| {
        let full = [io::ErrorKind::StorageFull, io::ErrorKind::QuotaExceeded];
        error.raw_os_error() == Some(EIO) || full.contains(&error.kind())
    };
    match synced {
        Err(error) if !lost(&error) => Ok(()),
        synced => synced,
    }
}

#[cfg(unix)]
fn permit(file: &File, readers: Readers) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let mode = match readers {
        Readers::Owner => 0o600,
        Readers::All => 0o644,
    };
    file.set_permissions(PermissionsExt::from_mode(mode))
}

#[cfg(not(unix))]
fn permit(_: &File, _: Readers) -> io::Result<()> {
    Ok(())
}

/// Makes a folder, and those above it that are missing.
pub fn make_private_folder(folder: &Path) -> io::Result<()> {
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
            // As for a file.
            #[cfg(unix)]
            let _ =
                fs::set_permissions(folder, std::os::unix::fs::PermissionsExt::from_mode(0o700));
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn put(path: &Path, text: &str) -> io::Result<()> {
        replace(path, &[text.as_bytes()], Readers::Owner, Synced::Yes)
    }

    #[test]
    fn a_file_is_replaced_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.prom");
        put(&path, "one").unwrap();
        let earlier = File::open(&path).unwrap();
        replace(&path, &[b"t", b"wo"], Readers::All, Synced::No).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "two");
        // Whoever has begun to read it goes on.
        assert_eq!(io::read_to_string(earlier).unwrap(), "one");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_cannot_be_written_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        // A folder that is not empty cannot be replaced.
        let path = folder.path().join("a.prom");
        fs::create_dir_all(path.join("in the way")).unwrap();
        put(&path, "one").unwrap_err();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        put(Path::new("/"), "one").unwrap_err();
    }

    #[test]
    fn a_disk_that_has_lost_something_is_an_error_and_one_that_cannot_wait_is_none() {
        for (number, lost) in [(5, true), (28, true), (122, true), (22, false), (38, false)] {
            let synced = unless_lost(Err(io::Error::from_raw_os_error(number)));
            assert_eq!(synced.is_err(), lost, "{number}");
        }
        unless_lost(Ok(())).unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn only_those_can_read_it_who_may_whatever_was_there() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let folder = tempfile::tempdir().unwrap();
        let (path, precious) = (folder.path().join("a"), folder.path().join("precious"));
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        fs::write(&precious, "mine").unwrap();
        symlink(&precious, &path).unwrap();
        put(&path, "one").unwrap();
        assert_eq!(fs::read_to_string(&precious).unwrap(), "mine");
        assert!(fs::symlink_metadata(&path).unwrap().is_file());
        assert_eq!(mode(&path), 0o600);
        replace(&path, &[b"two"], Readers::All, Synced::No).unwrap();
        assert_eq!(mode(&path), 0o644);
        let deep = folder.path().join("deep/er");
        make_private_folder(&deep).unwrap();
        make_private_folder(&deep).unwrap();
        assert_eq!([mode(&deep), mode(deep.parent().unwrap())], [0o700; 2]);
    }
}
