//! Files that are whole or not there, and folders for the user alone: whatever the umask, which while
//! Blender saves may be one that makes what nobody can open. Files that others may have put there.
#![cfg_attr(test, allow(clippy::disallowed_methods))] // `host/clippy.toml`

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

/// Whether a link that lies in a file's place is followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Links {
    /// Whoever may put one there is trusted.
    Followed,
    /// It may be somebody else's.
    Refused,
}

/// Opens an ordinary file, and looks at it as it is open: what lies there may change in between. The
/// other end of a pipe is not waited for. `InvalidInput`: it is no ordinary file, or a link that is
/// refused.
pub fn open(mut options: OpenOptions, path: &Path, links: Links) -> io::Result<File> {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(
        &mut options,
        match links {
            Links::Followed => libc::O_NONBLOCK,
            Links::Refused => libc::O_NONBLOCK | libc::O_NOFOLLOW,
        },
    );
    #[cfg(not(unix))]
    let _ = links;
    #[expect(clippy::disallowed_methods, reason = "this is the one way")]
    let file = match options.open(path) {
        #[cfg(unix)]
        Err(error)
            if matches!(
                error.raw_os_error(),
                Some(libc::ELOOP | libc::ENXIO | libc::EISDIR)
            ) =>
        {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        file => file?,
    };
    if file.metadata()?.is_file() {
        Ok(file)
    } else {
        Err(io::ErrorKind::InvalidInput.into())
    }
}

/// Opens such a file to read it.
pub fn open_to_read(path: &Path, links: Links) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true);
    open(options, path, links)
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
    #[expect(
        clippy::disallowed_methods,
        reason = "only what is not there yet is made"
    )]
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
    fn what_is_no_ordinary_file_is_not_opened_nor_waited_for() {
        use std::os::unix::fs::symlink;
        let folder = tempfile::tempdir().unwrap();
        let [file, link, pipe] = ["file", "link", "pipe"].map(|name| folder.path().join(name));
        fs::write(&file, "mine").unwrap();
        symlink(&file, &link).unwrap();
        let name = std::ffi::CString::new(pipe.as_os_str().as_encoded_bytes()).unwrap();
        // SAFETY: the name is a C string.
        assert_eq!(unsafe { libc::mkfifo(name.as_ptr(), 0o600) }, 0);
        let opened = |path: &Path, links| {
            open_to_read(path, links)
                .map(|_| ())
                .map_err(|it| it.kind())
        };
        let mut writing = OpenOptions::new();
        writing.write(true);
        assert_eq!(opened(&file, Links::Refused), Ok(()));
        assert_eq!(opened(&link, Links::Followed), Ok(()));
        let refused = Err(io::ErrorKind::InvalidInput);
        assert_eq!(opened(&link, Links::Refused), refused);
        for path in [&pipe, &folder.path().to_path_buf()] {
            assert_eq!(opened(path, Links::Followed), refused);
            let written = open(writing.clone(), path, Links::Followed);
            assert_eq!(written.map(|_| ()).map_err(|it| it.kind()), refused);
        }
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
