//! The changelog speaks of the version that is being built.

use anyhow::Result;

use super::{Finding, read};
use crate::workspace::Workspace;

const FILE: &str = "CHANGELOG.md";

/// Checks the headings against the core's version, which all crates share.
///
/// # Errors
///
/// When the changelog cannot be read, or there is no core.
pub(super) fn check(ws: &Workspace) -> Result<Vec<Finding>> {
    let version = ws.package("tdshm", "gives the version")?.version.to_string();
    let path = ws.root().join(FILE);
    let changelog = if path.is_file() { read(&path)? } else { String::new() };
    Ok(judge(&changelog, &version).into_iter().collect())
}

fn judge(changelog: &str, version: &str) -> Option<Finding> {
    let speaks = changelog.lines().filter_map(|line| line.strip_prefix("## ")).any(|heading| {
        let mut words = heading.split(|c: char| c.is_whitespace() || "[]()".contains(c));
        words.any(|word| {
            word.eq_ignore_ascii_case("unreleased") || word.strip_prefix('v').unwrap_or(word) == version
        })
    });
    let message = || format!("no heading `## Unreleased` or `## {version}`: say there what changed");
    (!speaks).then(|| Finding::new(FILE, message()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_that_speak_of_it() {
        for heading in
            ["## Unreleased", "## [Unreleased]", "## 0.1.0", "## [0.1.0] - 2026-01-02", "## v0.1.0 (soon)"]
        {
            assert_eq!(judge(&format!("# Changelog\n\n{heading}\n"), "0.1.0"), None, "{heading}");
        }
        for other in ["0.1.0", "# 0.1.0", "## 0.1.0-rc.1", "## 10.1.0", ""] {
            assert!(judge(other, "0.1.0").is_some(), "{other}");
        }
    }
}
