//! The C header is what the declarations of the C library make of it.

use anyhow::Result;

use super::Finding;
use crate::headers;
use crate::workspace::Workspace;

/// Compares the header that is committed with one that is made now.
///
/// # Errors
///
/// When the declarations cannot be read.
pub(super) fn check(ws: &Workspace) -> Result<Vec<Finding>> {
    Ok(headers::difference(ws)?.map(|message| Finding::new(headers::FILE, message)).into_iter().collect())
}
