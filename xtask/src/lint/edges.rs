//! Who may depend on whom: a line, not a web.
//!
//! ```text
//! tdshm  <-  tdshm-ops  <-  tdshm-io  <-  tdshm-cli          tdshm  <-  tdshm-capi
//! tdshm, tdshm-ops, tdshm-io, tdshm-cli  <-  tdshm-python     tdshm, tdshm-ops  <-  tdshm-zenoh (its tests: tdshm-io)
//! tests, bench, xtask see all; nobody sees them
//! ```

use cargo_metadata::DependencyKind;

use super::Finding;
use crate::workspace::Workspace;

/// Each published crate, and those of the workspace that it may use.
const LINE: &[(&str, &[&str])] = &[
    ("tdshm", &[]),
    ("tdshm-ops", &["tdshm"]),
    ("tdshm-io", &["tdshm", "tdshm-ops"]),
    ("tdshm-cli", &["tdshm", "tdshm-ops", "tdshm-io"]),
    ("tdshm-capi", &["tdshm"]),
    ("tdshm-python", &["tdshm", "tdshm-ops", "tdshm-io", "tdshm-cli"]),
    ("tdshm-zenoh", &["tdshm", "tdshm-ops"]),
];

/// Those of the workspace that a published crate's tests may use besides.
const TESTS: &[(&str, &str)] = &[("tdshm-zenoh", "tdshm-io")];

/// They see all published crates, and nobody sees them.
const OBSERVERS: &[&str] = &["tdshm-tests", "tdshm-bench", "tdshm-xtask"];

/// Checks all dependencies between packages of the workspace: ordinary, development and build.
pub(super) fn check(ws: &Workspace) -> Vec<Finding> {
    let packages = ws.packages();
    let members: Vec<&str> = packages.iter().map(|p| p.name.as_str()).collect();
    let edges: Vec<(&str, &str)> = packages
        .iter()
        .flat_map(|p| p.dependencies.iter().map(move |d| (p.name.as_str(), d)))
        .map(|(from, d)| ((from, d.name.as_str()), d.kind))
        .filter(|((_, to), _)| members.contains(to))
        .filter(|(edge, kind)| *kind != DependencyKind::Development || !TESTS.contains(edge))
        .map(|(edge, _)| edge)
        .collect();
    judge(&members, &edges)
}

fn judge(members: &[&str], edges: &[(&str, &str)]) -> Vec<Finding> {
    let known =
        |name: &&str| OBSERVERS.contains(name) || LINE.iter().any(|(crate_name, _)| crate_name == name);
    let strangers = members.iter().filter(|m| !known(m)).map(|member| {
        Finding::new(
            *member,
            "this package is not on the dependency line: give it a place in xtask/src/lint/edges.rs",
        )
    });
    let wrong = edges.iter().filter(|(from, to)| !allowed(from, to)).map(|(from, to)| {
        Finding::new(*from, format!("depends on {to}, which is not on its side of the line: {}", may(from)))
    });
    strangers.chain(wrong).collect()
}

fn allowed(from: &str, to: &str) -> bool {
    if OBSERVERS.contains(&from) { !OBSERVERS.contains(&to) } else { uses(from).contains(&to) }
}

fn uses(name: &str) -> &'static [&'static str] {
    LINE.iter().find(|(crate_name, _)| *crate_name == name).map_or(&[], |(_, uses)| uses)
}

fn may(name: &str) -> String {
    match uses(name) {
        [] if OBSERVERS.contains(&name) => "it may use every published crate".to_owned(),
        [] => "it may use none of the workspace".to_owned(),
        uses => format!("it may use {}", uses.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_as_it_is_drawn() {
        for (from, to) in [
            ("tdshm-ops", "tdshm"),
            ("tdshm-io", "tdshm"),
            ("tdshm-cli", "tdshm"),
            ("tdshm-cli", "tdshm-io"),
            ("tdshm-python", "tdshm-cli"),
            ("tdshm-zenoh", "tdshm-ops"),
            ("tdshm-tests", "tdshm-capi"),
            ("tdshm-xtask", "tdshm-cli"),
        ] {
            assert!(allowed(from, to), "{from} -> {to}");
        }
        for (from, to) in [
            ("tdshm", "tdshm-ops"),
            ("tdshm-ops", "tdshm-io"),
            ("tdshm-io", "tdshm-cli"),
            ("tdshm-capi", "tdshm-ops"),
            ("tdshm-zenoh", "tdshm-io"),
            ("tdshm-cli", "tdshm-tests"),
            ("tdshm-bench", "tdshm-tests"),
            ("stranger", "tdshm"),
        ] {
            assert!(!allowed(from, to), "{from} -> {to}");
        }
    }

    #[test]
    fn no_crate_is_used_by_one_that_it_may_use() {
        for (name, uses) in LINE {
            for used in *uses {
                assert!(!allowed(used, name), "{used} <-> {name}");
            }
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        let said: Vec<String> = judge(
            &["tdshm", "tdshm-io", "tdshm-extra"],
            &[("tdshm-io", "tdshm"), ("tdshm", "tdshm-io"), ("tdshm-capi", "tdshm-io")],
        )
        .iter()
        .map(ToString::to_string)
        .collect();
        assert_eq!(
            said,
            [
                "tdshm-extra: this package is not on the dependency line: give it a place in xtask/src/lint/edges.rs",
                "tdshm: depends on tdshm-io, which is not on its side of the line: it may use none of the workspace",
                "tdshm-capi: depends on tdshm-io, which is not on its side of the line: it may use tdshm",
            ]
        );
    }
}
