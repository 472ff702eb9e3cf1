//! `cargo xtask lint`: the house rules that no compiler checks. One file a rule.

mod changelog;
mod dependencies;
mod edges;
mod header;
mod length;
mod manifests;
mod protocol;
mod published;
mod snippets;
mod source;
mod unsafety;
mod versions;

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::workspace::Workspace;

/// Something that breaks a rule: where, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    /// The file, relative to the root with `/` between its parts, and the line (from 1) where there is one.
    place: String,
    message: String,
}

impl Finding {
    fn new(place: impl Into<String>, message: impl Into<String>) -> Self {
        Self { place: place.into(), message: message.into() }
    }

    fn at(file: &str, line: usize, message: impl Into<String>) -> Self {
        Self::new(format!("{file}:{line}"), message)
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.message)
    }
}

/// Checks every rule and prints what breaks one.
///
/// # Errors
///
/// When something breaks a rule that is more than advice, or a file cannot be read.
pub(crate) fn run(ws: &Workspace) -> Result<()> {
    let files = rust_files(ws.root())?;
    for warning in length::check(&files) {
        println!("    warning: {warning}");
    }
    let findings = [
        edges::check(ws),
        dependencies::check(ws)?,
        manifests::check(ws)?,
        published::check(ws)?,
        versions::check(ws)?,
        unsafety::check(&files),
        snippets::check(ws.root())?,
        protocol::check(ws.root(), &files)?,
        changelog::check(ws)?,
        header::check(ws)?,
    ]
    .concat();
    for finding in &findings {
        println!("    {finding}");
    }
    match findings.len() {
        0 => Ok(()),
        1 => bail!("1 place breaks a rule of the house"),
        many => bail!("{many} places break rules of the house"),
    }
}

/// A file of the workspace: its place from the root, with `/` between the parts, and its text.
#[derive(Debug)]
struct TextFile {
    path: String,
    text: String,
}

impl TextFile {
    #[cfg(test)]
    fn new(path: &str, text: &str) -> Self {
        Self { path: path.to_owned(), text: text.to_owned() }
    }
}

/// All Rust sources below the root, in order of their names.
fn rust_files(root: &Path) -> Result<Vec<TextFile>> {
    let mut files = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for path in entries(&folder)? {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if path.is_dir() {
                // Built files and hidden folders are nobody's source; a link would lead out of the workspace.
                if name != "target" && !name.starts_with('.') && !path.is_symlink() {
                    folders.push(path);
                }
            } else if path.extension().is_some_and(|e| e == "rs") {
                files.push(TextFile { path: from_root(root, &path), text: read(&path)? });
            }
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let context = || format!("cannot list {}", folder.display());
    fs::read_dir(folder)
        .and_then(|entries| entries.map(|entry| entry.map(|e| e.path())).collect())
        .with_context(context)
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

fn from_root(root: &Path, path: &Path) -> String {
    let relative = path.strip_prefix(root).unwrap_or(path);
    let parts: Vec<_> = relative.components().map(|c| c.as_os_str().to_string_lossy()).collect();
    parts.join("/")
}
