//! What goes to the registry is whole: licences, a page, words to be found by, and versions that exist there.

use std::path::Path;

use anyhow::{Context, Result};
use cargo_metadata::Package;
use toml::{Table, Value};

use super::{Finding, from_root, read};
use crate::workspace::Workspace;

/// Copies beside each manifest, because cargo packs nothing from above it.
const LICENCES: &[&str] = &["LICENSE-APACHE", "LICENSE-MIT"];
/// What the registry shows, and what decides which files are packed.
const KEYS: &[&str] = &["description", "keywords", "categories", "readme", "include"];

/// Checks each package that may be published, and the versions that the root manifest gives them.
///
/// # Errors
///
/// When a manifest or a licence cannot be read.
pub(super) fn check(ws: &Workspace) -> Result<Vec<Finding>> {
    let root: Table =
        read(&ws.root().join("Cargo.toml"))?.parse().context("the root's Cargo.toml is not a manifest")?;
    let members: Vec<&str> = ws.packages().iter().map(|p| p.name.as_str()).collect();
    let mut findings = versions(&root, &members);
    for package in ws.published() {
        let path = package.manifest_path.as_std_path();
        let place = from_root(ws.root(), path);
        let manifest: Table = read(path)?.parse().with_context(|| format!("{place} is not a manifest"))?;
        findings.extend(keys(&place, &manifest));
        findings.extend(needs(&place, package, &members));
        let folder = path.parent().unwrap_or(path);
        for licence in LICENCES {
            findings.extend(copy(ws.root(), folder, licence)?);
        }
    }
    Ok(findings)
}

/// The version of each member in `[workspace.dependencies]` is that of the workspace.
fn versions(root: &Table, members: &[&str]) -> Vec<Finding> {
    let workspace = root.get("workspace");
    let version = workspace.and_then(|w| w.get("package")?.get("version")?.as_str()).unwrap_or_default();
    let Some(dependencies) = workspace.and_then(|w| w.get("dependencies")?.as_table()) else {
        return Vec::new();
    };
    let wrong = dependencies.iter().filter(|(name, entry)| {
        members.contains(&name.as_str()) && entry.get("version").and_then(Value::as_str) != Some(version)
    });
    wrong
        .map(|(name, _)| {
            let message =
                format!("{name} is not given version = \"{version}\": that is the one that is published");
            Finding::new("Cargo.toml", message)
        })
        .collect()
}

fn keys(place: &str, manifest: &Table) -> Vec<Finding> {
    let package = manifest.get("package");
    let missing = KEYS.iter().filter(|key| package.and_then(|p| p.get(**key)).is_none());
    missing.map(|key| Finding::new(place, format!("has no {key}: it is published, so write one"))).collect()
}

/// Members are taken as the root manifest gives them, with a version: the registry knows no paths.
fn needs(place: &str, package: &Package, members: &[&str]) -> Vec<Finding> {
    let ours = package.dependencies.iter().filter(|d| members.contains(&d.name.as_str()));
    ours.filter(|d| d.req.comparators.is_empty() || !d.req.matches(&package.version))
        .map(|d| {
            Finding::new(place, format!("write {}.workspace = true: its version is given there", d.name))
        })
        .collect()
}

/// A licence beside the manifest that is not word for word the one at the root.
fn copy(root: &Path, folder: &Path, licence: &str) -> Result<Option<Finding>> {
    let original = read(&root.join(licence))?;
    let copied = std::fs::read_to_string(folder.join(licence)).unwrap_or_default();
    let place = from_root(root, &folder.join(licence));
    let message =
        || format!("is not the {licence} of the root: copy it, cargo packs nothing from above a manifest");
    Ok((copied != original).then(|| Finding::new(place, message())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_follow_the_workspace() {
        let root = |version: &str| -> Table {
            let text = format!(
                "[workspace.package]\nversion = '0.2.0'\n[workspace.dependencies]\nserde = '1'\n\
                 a = {{ path = 'a', version = '{version}' }}\n"
            );
            text.parse().unwrap()
        };
        assert_eq!(versions(&root("0.2.0"), &["a"]), []);
        for wrong in ["0.1.0", "0.2", "=0.2.0"] {
            let said = versions(&root(wrong), &["a"]);
            assert_eq!(
                said.iter().map(ToString::to_string).collect::<Vec<_>>(),
                ["Cargo.toml: a is not given version = \"0.2.0\": that is the one that is published"]
            );
        }
        let pathless: Table =
            "[workspace.package]\nversion = '1.0.0'\n[workspace.dependencies]\na = { path = 'a' }\n"
                .parse()
                .unwrap();
        assert_eq!(versions(&pathless, &["a"]).len(), 1);
        assert_eq!(versions(&pathless, &["b"]).len(), 0);
    }

    #[test]
    fn each_missing_key_is_named() {
        let manifest =
            "[package]\ndescription = 'x'\nkeywords.workspace = true\nreadme = 'R'\ninclude = ['/src']\n";
        let said = keys("c/Cargo.toml", &manifest.parse().unwrap());
        assert_eq!(
            said.iter().map(ToString::to_string).collect::<Vec<_>>(),
            ["c/Cargo.toml: has no categories: it is published, so write one"]
        );
    }
}
