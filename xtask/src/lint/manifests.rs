//! What every crate takes from the workspace: version, edition, compiler, licence, lints.

use anyhow::{Context, Result};
use toml::{Table, Value};

use super::{Finding, from_root, read};
use crate::workspace::Workspace;

const INHERITED: &[(&str, &str)] = &[
    ("package", "version"),
    ("package", "edition"),
    ("package", "rust-version"),
    ("package", "license"),
    ("lints", ""),
];

/// The package whose lints are its own, because cargo lets nobody change one lint of the workspace's.
const TESTS: &str = "tests/Cargo.toml";
/// What tests are allowed beyond others: what panics there has failed.
const TESTS_MAY: &[&str] = &[
    "arithmetic_side_effects",
    "expect_used",
    "indexing_slicing",
    "missing_errors_doc",
    "missing_panics_doc",
    "panic",
    "print_stdout",
    "unwrap_used",
];

/// Checks the manifest of each package.
///
/// # Errors
///
/// When a manifest cannot be read.
pub(super) fn check(ws: &Workspace) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    let root: Table = read(&ws.root().join("Cargo.toml"))?.parse().context("the root's is not a manifest")?;
    for package in ws.packages() {
        let path = package.manifest_path.as_std_path();
        let place = from_root(ws.root(), path);
        let manifest: Table = read(path)?.parse().with_context(|| format!("{place} is not a manifest"))?;
        findings.extend(judge(&place, &manifest));
        if place == TESTS {
            findings.extend(compare(&root, &manifest));
        }
    }
    Ok(findings)
}

/// The lints of the tests are those of the workspace, but for what only tests may do.
fn compare(root: &Table, manifest: &Table) -> Option<Finding> {
    let mut expected = root.get("workspace").and_then(|w| w.get("lints")).cloned()?;
    for lint in TESTS_MAY {
        let clippy = expected.get_mut("clippy").and_then(Value::as_table_mut)?;
        clippy.insert((*lint).to_owned(), "allow".into());
    }
    let message =
        format!("write the lints of the root manifest below [lints], and allow {}", TESTS_MAY.join(", "));
    (manifest.get("lints") != Some(&expected)).then(|| Finding::new(TESTS, message))
}

fn judge(place: &str, manifest: &Table) -> Vec<Finding> {
    INHERITED
        .iter()
        .filter(|(section, _)| !(place == TESTS && *section == "lints"))
        .filter(|(section, key)| {
            let section = manifest.get(*section);
            let value = if key.is_empty() { section } else { section.and_then(|s| s.get(key)) };
            value.and_then(|v| v.get("workspace")).and_then(Value::as_bool) != Some(true)
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

    #[test]
    fn tests_may_panic_and_nothing_else() {
        let root =
            "[workspace.lints.rust]\na = 'warn'\n[workspace.lints.clippy]\nb = 'warn'\n".parse().unwrap();
        let allowed: String = TESTS_MAY.iter().map(|lint| format!("{lint} = 'allow'\n")).collect();
        let manifest = |a: &str, b: &str| {
            format!("[lints.rust]\na = '{a}'\n[lints.clippy]\nb = '{b}'\n{allowed}").parse().unwrap()
        };
        assert_eq!(compare(&root, &manifest("warn", "warn")), None);
        for (a, b) in [("allow", "warn"), ("warn", "allow")] {
            assert!(compare(&root, &manifest(a, b)).is_some());
        }
        assert!(compare(&root, &"[lints]\nworkspace = true\n".parse().unwrap()).is_some());
        assert_eq!(judge(TESTS, &"[package]\n".parse().unwrap()).len(), 4);
    }
}
