//! What `info` is asked about.

use std::path::{Path, PathBuf, is_separator};

use tdshm::{NameError, ShortName};
use tdshm_io::file::Format;
use tdshm_io::file::recording::Summary;
use tdshm_io::file::sequence::holds_pictures;

/// A segment, or a recording.
#[derive(Clone, Debug)]
pub(crate) enum Asked {
    Segment(ShortName),
    File(PathBuf),
    /// A segment of that name, where there is one, and elsewhere the file, whether it is there or not.
    Either(ShortName, PathBuf),
}

/// What is the path of a recording is one, and so is all that has a folder in front, or is no name of a segment and is
/// there. What is there otherwise, or has the extension of a file, is meant as a file unless there is such a segment.
pub(crate) fn asked(text: &str) -> Result<Asked, NameError> {
    let path = Path::new(text);
    if Summary::is_of(path) || text.contains(is_separator) {
        return Ok(Asked::File(path.to_owned()));
    }
    // Of a link as well that leads nowhere.
    let is_there = path.symlink_metadata().is_ok();
    match ShortName::new(text) {
        Ok(name) if is_there || Format::of(path).is_ok() || holds_pictures(path) => {
            Ok(Asked::Either(name, path.to_owned()))
        }
        Ok(name) => Ok(Asked::Segment(name)),
        Err(_) if is_there => Ok(Asked::File(path.to_owned())),
        Err(error) => Err(error),
    }
}
