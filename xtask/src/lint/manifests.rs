//! What every crate takes from the workspace: version, edition, compiler, licence, lints.

use anyhow::{Context, Result};
use toml::Table;

use super::{Finding, from_root, read};
use crate::workspace::Workspace;

const INHERITED: &[(&str, &str)] = &[
    ("package", "version"),
    ("package", "edition"),
    ("package", "rust-version"),
    ("package", "license"),
    ("lints", ""),
];

/// Checks the manifest of each package.
///
/// # Errors
///
/// When a manifest cannot be read.
pub(super) fn check(ws: &Workspace) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for package in ws.packages() {
        let path = package.manifest_path.as_std_path();
        let place = from_root(ws.root(), path);
        let manifest: Table = read(path)?.parse().with_context(|| format!("{place} is not a manifest"))?;
        findings.extend(judge(&place, &manifest));
    }
    Ok(findings)
}

fn judge(place: &str, manifest: &Table) -> Vec<Finding> {
    INHERITED
        .iter()
        .filter(|(section, key)| {
            let section = manifest.get(*section);
            let value = if key.is_empty() { section } else { section.and_then(|s| s.get(key)) };
            value.and_then(|v| v.get("workspace")).and_then(toml::Value::as_bool) != Some(true)
        })
        .map(|(section, key)| {
            let line = match *key {
                "" => format!("workspace = true below [{section}]"),
                key => format!("{key}.workspace = true below [{section}]"),
            };
            Finding::new(place, format!("write {line}: it is decided once, in the root manifest"))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(manifest: &str) -> Vec<String> {
        judge("c/Cargo.toml", &manifest.parse().unwrap()).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn all_inherited() {
        let good = "[package]\nname = 'c'\nversion.workspace = true\nedition = { workspace = true }\n\
                    rust-version.workspace = true\nlicense.workspace = true\n[lints]\nworkspace = true\n";
        assert_eq!(said(good), [""; 0]);
    }

    #[test]
    fn each_missing_line_is_named() {
        let bad = "[package]\nname = 'c'\nversion = '1.0.0'\nedition.workspace = true\n\
                   license.workspace = false\n[lints.rust]\nmissing_docs = 'warn'\n";
        assert_eq!(
            said(bad),
            [
                "c/Cargo.toml: write version.workspace = true below [package]: it is decided once, in the root manifest",
                "c/Cargo.toml: write rust-version.workspace = true below [package]: it is decided once, in the root \
                 manifest",
                "c/Cargo.toml: write license.workspace = true below [package]: it is decided once, in the root manifest",
                "c/Cargo.toml: write workspace = true below [lints]: it is decided once, in the root manifest",
            ]
        );
    }
}
