//! Files that are read.

use std::fs::{self, File};
use std::io;
use std::path::Path;

/// Opens an ordinary file. Others are refused before they are opened: a pipe would keep whoever opens it until somebody
/// writes to it.
pub(super) fn open(path: &Path) -> io::Result<File> {
    let about = fs::metadata(path)?;
    if about.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    if !about.is_file() {
        let what = "it is a pipe or a device, and only ordinary files are read";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, what));
    }
    File::open(path)
}
