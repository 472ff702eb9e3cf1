//! What `info` is asked about.

use std::path::{Path, PathBuf};

use tdshm::{NameError, ShortName};
use tdshm_io::file::recording::Summary;

/// A segment, or a recording.
#[derive(Clone, Debug)]
pub(crate) enum Asked {
    Segment(ShortName),
    File(PathBuf),
}

/// What is the path of a recording is one; so is any other file whose path is no name of a segment. All else is a name.
pub(crate) fn asked(text: &str) -> Result<Asked, NameError> {
    let path = Path::new(text);
    if Summary::is_of(path) {
        return Ok(Asked::File(path.to_owned()));
    }
    ShortName::new(text).map(Asked::Segment).or_else(|error| match path.is_file() {
        true => Ok(Asked::File(path.to_owned())),
        false => Err(error),
    })
}
