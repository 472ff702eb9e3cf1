//! Versions that documents name: the oldest compiler, and our own.

use std::path::PathBuf;

use anyhow::{Context, Result};

use super::{Finding, entries, from_root, read};
use crate::workspace::Workspace;

/// What stands before the version of the compiler.
const COMPILER: &[&str] = &["Rust ", "[Rust](https://rustup.rs) ", "rustc ", "MSRV "];
/// The document that says which compiler is needed.
const README: &str = "README.md";

/// Checks the documents at the root and in `docs/`; the changelog tells of old versions, and is left alone.
///
/// # Errors
///
/// When a document cannot be read, or the core names no compiler.
pub(super) fn check(ws: &Workspace) -> Result<Vec<Finding>> {
    let core = ws.package("tdshm", "gives the versions")?;
    let compiler = core.rust_version.as_ref().context("the core names no rust-version")?;
    let compiler = format!("{}.{}", compiler.major, compiler.minor);
    let names: Vec<&str> = ws.published().iter().map(|p| p.name.as_str()).collect();
    let mut findings = Vec::new();
    for path in documents(ws)? {
        let (place, text) = (from_root(ws.root(), &path), read(&path)?);
        findings.extend(judge(&place, &text, &compiler, &names, &core.version.to_string()));
    }
    Ok(findings)
}

fn documents(ws: &Workspace) -> Result<Vec<PathBuf>> {
    let mut documents = Vec::new();
    let mut folders = vec![ws.root().join("docs")];
    while let Some(folder) = folders.pop().filter(|folder| folder.is_dir()) {
        let (inner, files): (Vec<_>, Vec<_>) = entries(&folder)?.into_iter().partition(|path| path.is_dir());
        folders.extend(inner);
        documents.extend(files);
    }
    documents.extend(entries(ws.root())?);
    documents.retain(|path| {
        path.extension().is_some_and(|e| e == "md") && !path.ends_with("CHANGELOG.md") && path.is_file()
    });
    documents.sort();
    Ok(documents)
}

fn judge(place: &str, text: &str, compiler: &str, names: &[&str], version: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut named = false;
    for (index, line) in text.lines().enumerate() {
        let at = |message: String| Finding::at(place, index.saturating_add(1), message);
        for found in COMPILER.iter().flat_map(|before| after(line, before)) {
            named |= found == compiler;
            if found != compiler {
                findings.push(at(format!("names Rust {found}, but the manifests ask for {compiler}")));
            }
        }
        let ours = names.iter().flat_map(|name| {
            let forms = [format!("{name} = \""), format!("{name}@"), format!("{name} = {{ version = \"")];
            forms.into_iter().flat_map(|before| after(line, &before)).collect::<Vec<_>>()
        });
        for found in ours.filter(|found| !is_that(found, version)) {
            findings.push(at(format!("names version {found} of ours, which is {version}")));
        }
    }
    if place == README && !named {
        let message =
            format!("does not say that Rust {compiler} is needed: write `Rust {compiler} or newer`");
        findings.push(Finding::new(place, message));
    }
    findings
}

/// The version numbers that stand right behind `before`, where that is not part of a longer word.
fn after<'l>(line: &'l str, before: &str) -> Vec<&'l str> {
    let places = line.match_indices(before).filter(|(start, _)| {
        let word = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_');
        // `tdshm = "` in a longer name; the forms that begin with a bracket may follow anything.
        !line.get(..*start).is_some_and(|rest| rest.ends_with(word))
    });
    places
        .filter_map(|(start, found)| {
            let rest = line.get(start.saturating_add(found.len())..)?;
            let end = rest.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(rest.len());
            rest.get(..end).map(|number| number.trim_end_matches('.')).filter(|number| number.contains('.'))
        })
        .collect()
}

/// Whether `0.1` or `0.1.0` is what people write for 0.1.0.
fn is_that(found: &str, version: &str) -> bool {
    version.strip_prefix(found).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(place: &str, text: &str) -> Vec<String> {
        judge(place, text, "1.95", &["tdshm", "tdshm-io"], "0.2.1").iter().map(ToString::to_string).collect()
    }

    #[test]
    fn versions_that_are_right_or_none() {
        let text = "You need Linux and [Rust](https://rustup.rs) 1.95 or newer.\n\ntdshm = \"0.2\"\n\
                    tdshm-io = { version = \"0.2.1\" }\ncargo add tdshm@0.2.1\nRust programs, Rust 2.\n\
                    trust 1.70\nTouchDesigner 2025.31500\nmy-tdshm = \"0.1\"\n";
        assert_eq!(said("README.md", text), [""; 0]);
        assert_eq!(said("docs/a.md", "nothing at all"), [""; 0]);
    }

    #[test]
    fn versions_that_are_wrong() {
        assert_eq!(
            said("README.md", "Rust 1.95\nRust 1.90.\ntdshm-io = \"0.1\"\ntdshm@0.2.0\n"),
            [
                "README.md:2: names Rust 1.90, but the manifests ask for 1.95",
                "README.md:3: names version 0.1 of ours, which is 0.2.1",
                "README.md:4: names version 0.2.0 of ours, which is 0.2.1",
            ]
        );
        assert_eq!(
            said("README.md", "text"),
            ["README.md: does not say that Rust 1.95 is needed: write `Rust 1.95 or newer`"]
        );
    }
}
