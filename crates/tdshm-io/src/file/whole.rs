//! Files that are there whole or not at all.
//!
//! Who makes one holds a lock on it, which the system lets go of when that process ends, in whatever way: what a killed one
//! left behind is told from what is being made by that, and removed by the next one that makes a file in the same folder.

use std::fs::{self, DirEntry, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::error::FileError;

/// What becomes of a file that is there already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Existing {
    /// It stays, and nothing is written.
    #[default]
    Refuse,
    /// It goes, once the new one is whole.
    Replace,
}

/// A file in the making, under a name of its own in the same folder. It goes when this is dropped, unless it was given
/// its name.
#[derive(Debug)]
pub(crate) struct NewFile {
    target: PathBuf,
    temporary: PathBuf,
    existing: Existing,
    /// What holds the lock. On Windows a file that somebody has open is not given another name everywhere, and the lock goes
    /// with whoever writes.
    _lock: Option<File>,
}

/// The names of files in the making are these, a process id and a number between.
const BEFORE: &str = ".tdshm-";
const AFTER: &str = ".part";
/// For how long nobody has written to what is taken for a leftover: there the lock goes a little before the file has its
/// name.
const AT_REST: Duration = if cfg!(windows) { Duration::from_secs(60) } else { Duration::ZERO };

impl NewFile {
    /// Begins one that will be at `path`.
    pub(crate) fn begin(path: &Path, existing: Existing) -> Result<(Self, File), FileError> {
        let refused = |source| FileError::Create { path: path.to_owned(), source };
        match path.metadata() {
            Ok(_) if existing == Existing::Refuse => {
                return Err(FileError::Exists { path: path.to_owned() });
            }
            Ok(found) if found.is_dir() => return Err(refused(io::ErrorKind::IsADirectory.into())),
            Ok(found) if !found.is_file() => {
                return Err(FileError::NotOrdinary { path: path.to_owned() });
            }
            _ => {}
        }
        // What a link leads to is replaced, not the link.
        let target = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let (temporary, file) = create_beside(&target).map_err(refused)?;
        let lock = if cfg!(windows) { None } else { file.try_clone().ok() };
        let new = Self { target, temporary, existing, _lock: lock };
        sweep(&new.temporary);
        Ok((new, file))
    }

    /// Gives it its name.
    pub(crate) fn commit(self) -> Result<(), FileError> {
        let refused = |source| FileError::Create { path: self.target.clone(), source };
        if self.existing == Existing::Refuse {
            // Unlike a rename, a link takes no name that somebody else has taken meanwhile. Not every file system has them.
            match fs::hard_link(&self.temporary, &self.target) {
                Ok(()) => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    return Err(FileError::Exists { path: self.target.clone() });
                }
                Err(_) if self.target.symlink_metadata().is_ok() => {
                    return Err(FileError::Exists { path: self.target.clone() });
                }
                Err(_) => {}
            }
        } else if let Ok(found) = self.target.metadata() {
            // Who may read the old one may read the new one.
            fs::set_permissions(&self.temporary, found.permissions()).map_err(refused)?;
        }
        fs::rename(&self.temporary, &self.target).map_err(refused)
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        // Where it has its name already, there is nothing left under this one.
        let _ = fs::remove_file(&self.temporary);
    }
}

/// A new file in the folder of `target`, under a name that nobody else has.
fn create_beside(target: &Path) -> io::Result<(PathBuf, File)> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    loop {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let temporary = target.with_file_name(format!("{BEFORE}{}-{number}{AFTER}", std::process::id()));
        match OpenOptions::new().write(true).create_new(true).open(&temporary) {
            // Somebody may sweep between the two: then it is gone, or will be. A file system may have no locks.
            Ok(file) => match file.try_lock() {
                Err(TryLockError::WouldBlock) => {}
                _ if !temporary.exists() => {}
                _ => return Ok((temporary, file)),
            },
            // Left by a process of the same number that was killed.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
}

/// Removes what killed processes left in the folder of `own`; in each folder once, as long as one goes on in it.
fn sweep(own: &Path) {
    static LAST: Mutex<Option<PathBuf>> = Mutex::new(None);
    let folder = own.parent().map(Path::to_owned);
    if std::mem::replace(&mut *LAST.lock().unwrap_or_else(PoisonError::into_inner), folder.clone()) == folder
    {
        return;
    }
    let folder = folder.filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| ".".into());
    // What cannot be looked at or removed is somebody else's.
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if is_in_the_making(&entry) && entry.file_name() != own.file_name().unwrap_or_default() {
            let _ = remove_leftover(&entry.path(), own);
        }
    }
}

fn is_in_the_making(entry: &DirEntry) -> bool {
    let name = entry.file_name();
    let between =
        name.to_str().and_then(|name| name.strip_prefix(BEFORE)?.strip_suffix(AFTER)?.split_once('-'));
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    between.is_some_and(|(pid, number)| is_number(pid) && is_number(number))
        && entry.file_type().is_ok_and(|kind| kind.is_file())
}

/// Removes it, unless somebody makes a file of it. Times are those of the folder's own machine.
fn remove_leftover(path: &Path, own: &Path) -> io::Result<()> {
    let file = File::open(path)?;
    let age = own.metadata()?.modified()?.duration_since(file.metadata()?.modified()?).unwrap_or_default();
    if age >= AT_REST && file.try_lock().is_ok() {
        fs::remove_file(path)?;
    }
    Ok(())
}

/// Writes a whole file. What is no ordinary file, such as a pipe, is written to as it is.
#[cfg(feature = "images")]
pub(crate) fn write(path: &Path, bytes: &[u8], existing: Existing) -> Result<(), FileError> {
    use std::io::Write as _;
    let refused = |source| FileError::Create { path: path.to_owned(), source };
    let special = path.metadata().is_ok_and(|found| !found.is_file() && !found.is_dir());
    if special && existing == Existing::Replace {
        return fs::write(path, bytes).map_err(refused);
    }
    let (new, mut file) = NewFile::begin(path, existing)?;
    file.write_all(bytes).map_err(refused)?;
    drop(file);
    new.commit()
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_is_there_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.csv");
        let (new, mut file) = NewFile::begin(&path, Existing::Refuse).unwrap();
        file.write_all(b"one").unwrap();
        assert!(!path.exists());
        drop(file); // Windows keeps a name as long as somebody has the file open
        new.commit().unwrap();
        assert_eq!(
            (names(folder.path()), fs::read(&path).unwrap()),
            (vec!["a.csv".to_owned()], b"one".to_vec())
        );

        let refused = NewFile::begin(&path, Existing::Refuse).unwrap_err();
        assert!(
            refused
                .to_string()
                .ends_with("a.csv is there already: choose another name, or say that it may be replaced")
        );
        let (new, mut file) = NewFile::begin(&path, Existing::Replace).unwrap();
        file.write_all(b"t").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"one");
        drop((file, new));
        assert_eq!(
            (names(folder.path()), fs::read(&path).unwrap()),
            (vec!["a.csv".to_owned()], b"one".to_vec())
        );
        let (new, mut file) = NewFile::begin(&path, Existing::Replace).unwrap();
        file.write_all(b"two").unwrap();
        drop(file);
        new.commit().unwrap();
        assert_eq!(
            (names(folder.path()), fs::read(&path).unwrap()),
            (vec!["a.csv".to_owned()], b"two".to_vec())
        );
    }

    #[test]
    fn who_comes_first_keeps_the_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.csv");
        let (new, file) = NewFile::begin(&path, Existing::Refuse).unwrap();
        drop(file);
        fs::write(&path, "another").unwrap();
        assert!(matches!(new.commit().unwrap_err(), FileError::Exists { .. }));
        assert_eq!(
            (names(folder.path()), fs::read(&path).unwrap()),
            (vec!["a.csv".to_owned()], b"another".to_vec())
        );
        assert!(matches!(NewFile::begin(folder.path(), Existing::Replace), Err(FileError::Create { .. })));
    }

    #[test]
    fn what_killed_processes_left_goes_and_what_is_being_made_stays() {
        let folder = tempfile::tempdir().unwrap();
        let of = |name: &str| folder.path().join(name);
        let old = std::time::SystemTime::now() - AT_REST - Duration::from_secs(3600);
        for name in
            [".tdshm-1-0.part", ".tdshm-1-1.part", ".tdshm-x-1.part", "tdshm-1-1.part", ".tdshm-1-1.part2"]
        {
            File::create(of(name)).unwrap().set_modified(old).unwrap();
        }
        fs::create_dir(of(".tdshm-2-0.part")).unwrap();
        let others = File::open(of(".tdshm-1-1.part")).unwrap();
        others.lock().unwrap();
        let (new, file) = NewFile::begin(&of("a.csv"), Existing::Refuse).unwrap();
        // Each looks only where it has not looked just before.
        let other = tempfile::tempdir().unwrap();
        for _ in 0..2 {
            drop(NewFile::begin(&other.path().join("b.csv"), Existing::Refuse).unwrap());
            drop(NewFile::begin(&of("c.csv"), Existing::Refuse).unwrap());
        }
        drop(file);
        new.commit().unwrap();
        let left = [
            ".tdshm-1-1.part",
            ".tdshm-1-1.part2",
            ".tdshm-2-0.part",
            ".tdshm-x-1.part",
            "a.csv",
            "tdshm-1-1.part",
        ];
        assert_eq!(names(folder.path()), left);
    }

    #[cfg(unix)]
    #[test]
    fn links_stay_and_so_do_permissions() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let folder = tempfile::tempdir().unwrap();
        let (path, link) = (folder.path().join("a.csv"), folder.path().join("link.csv"));
        fs::write(&path, "one").unwrap();
        fs::set_permissions(&path, PermissionsExt::from_mode(0o640)).unwrap();
        symlink("a.csv", &link).unwrap();
        let (new, mut file) = NewFile::begin(&link, Existing::Replace).unwrap();
        file.write_all(b"two").unwrap();
        new.commit().unwrap();
        assert!(link.symlink_metadata().unwrap().is_symlink());
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o640);
    }
}
