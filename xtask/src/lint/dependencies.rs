//! What we depend on: its licences, whence it comes, and that nothing comes twice.
//!
//! The rules stand in `deny.toml`, in the words of cargo-deny, so that people who have it ask the same; here they are
//! asked without it, and without the network. Known holes (advisories) are cargo-deny's alone: they need its database.

use std::collections::{BTreeMap, HashMap, HashSet};

use anyhow::{Context, Result};
use cargo_metadata::semver::{Version, VersionReq};
use cargo_metadata::{Metadata, Package, PackageId};
use spdx::{Expression, ParseMode};
use toml::{Table, Value};

use super::{Finding, read};
use crate::workspace::Workspace;

const FILE: &str = "deny.toml";
const MANIFEST: &str = "Cargo.toml";
/// The registry that everybody has, as cargo names it.
const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// Checks every package that is compiled for us, on any platform and with any feature, unless it is excluded there.
///
/// # Errors
///
/// When `deny.toml` or the lock file cannot be read.
pub(super) fn check(ws: &Workspace) -> Result<Vec<Finding>> {
    let rules = Rules::parse(&read(&ws.root().join(FILE))?)?;
    let metadata = ws.everything()?;
    let used = in_use(&metadata, &rules.excluded);
    let members: HashSet<&PackageId> = metadata.workspace_members.iter().collect();
    let foreign = metadata.packages.iter().filter(|p| used.contains(&p.id) && !members.contains(&p.id));
    let foreign: Vec<&Package> = foreign.collect();
    let mut findings: Vec<Finding> =
        foreign.iter().filter_map(|p| licence(&rules, &p.name, &id(p), p.license.as_deref())).collect();
    findings.extend(
        foreign
            .iter()
            .filter(|p| p.source.as_ref().is_none_or(|source| source.repr != REGISTRY))
            .map(|p| Finding::new(id(p), "does not come from crates.io: publish what it needs, or leave it")),
    );
    // What comes with a tree that is spared, and is in use without it too, is counted all the same.
    let without_trees = in_use(&metadata, &[&rules.excluded[..], &rules.spared_trees].concat());
    let versions: Vec<(&str, String)> = foreign
        .iter()
        .filter(|p| without_trees.contains(&p.id) && !rules.spares(p.name.as_str(), &p.version))
        .map(|p| (p.name.as_str(), p.version.to_string()))
        .collect();
    findings.extend(duplicates(&versions));
    findings.extend(ws.packages().into_iter().flat_map(wildcards));
    Ok(findings)
}

/// What `deny.toml` says, as far as it is asked here.
#[derive(Debug)]
struct Rules {
    /// Identifiers of licences, with `WITH` and the exception where there is one.
    licences: Vec<String>,
    /// Packages that may come in several versions: the name, or the name, `@` and which versions may come beside.
    spared: Vec<String>,
    /// Packages that may bring other versions of whatever they need.
    spared_trees: Vec<String>,
    /// Packages that are not looked at, nor what is needed for them alone.
    excluded: Vec<String>,
    /// Packages, each with the licences that it alone may be under besides.
    exceptions: Vec<(String, Vec<String>)>,
}

impl Rules {
    fn parse(text: &str) -> Result<Self> {
        let table: Table = text.parse().with_context(|| format!("{FILE} is not TOML"))?;
        let list = |section: &str, key: &str| -> Result<Vec<String>> {
            let Some(list) = table.get(section).and_then(|section| section.get(key)) else {
                return Ok(Vec::new());
            };
            let list = list.as_array().with_context(|| format!("{FILE}: {section}.{key} is not a list"))?;
            // Either the bare name, or a table with the name and the reason.
            let name = |entry: &Value| {
                let name = entry.as_str().or_else(|| entry.get("crate")?.as_str());
                let name = name.map(str::to_owned);
                name.with_context(|| format!("{FILE}: {section}.{key} holds {entry}, which names nothing"))
            };
            list.iter().map(name).collect()
        };
        let exceptions = table.get("licenses").and_then(|licenses| licenses.get("exceptions")?.as_array());
        let exceptions = exceptions.into_iter().flatten().map(|entry| {
            let name = entry.get("crate").and_then(Value::as_str);
            let allowed = entry.get("allow").and_then(Value::as_array);
            let words =
                |allowed: &Vec<Value>| allowed.iter().filter_map(Value::as_str).map(str::to_owned).collect();
            name.map(str::to_owned)
                .zip(allowed.map(words))
                .with_context(|| format!("{FILE}: licenses.exceptions holds {entry}, which names nothing"))
        });
        Ok(Self {
            exceptions: exceptions.collect::<Result<_>>()?,
            licences: list("licenses", "allow")?,
            spared: list("bans", "skip")?,
            spared_trees: list("bans", "skip-tree")?,
            excluded: list("graph", "exclude")?,
        })
    }

    fn welcome(&self, name: &str, licence: &str) -> bool {
        let is = |welcome: &String| welcome == licence;
        let mut its = self.exceptions.iter().filter(|(package, _)| package == name);
        self.licences.iter().any(is) || its.any(|(_, licences)| licences.iter().any(is))
    }

    fn spares(&self, name: &str, version: &Version) -> bool {
        self.spared.iter().any(|spared| match spared.split_once('@') {
            Some((spared, of)) => spared == name && VersionReq::parse(of).is_ok_and(|of| of.matches(version)),
            None => spared == name,
        })
    }
}

fn id(package: &Package) -> String {
    format!("{}@{}", package.name, package.version)
}

/// A package under a licence that is not on the list. `MIT/Apache-2.0`, as it was written once, means either.
fn licence(rules: &Rules, name: &str, place: &str, licence: Option<&str>) -> Option<Finding> {
    let Some(licence) = licence else {
        return Some(Finding::new(
            place,
            "names no licence in its manifest: read what it comes with, or leave it",
        ));
    };
    let allowed = Expression::parse_mode(licence, ParseMode::LAX)
        .is_ok_and(|expression| expression.evaluate(|needed| rules.welcome(name, &needed.to_string())));
    let message =
        || format!("is under {licence}, which {FILE} does not welcome: leave it, or say there why it is");
    (!allowed).then(|| Finding::new(place, message()))
}

/// Packages that come in more than one version.
fn duplicates(versions: &[(&str, String)]) -> Vec<Finding> {
    let mut by_name: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (name, version) in versions {
        by_name.entry(name).or_default().push(version);
    }
    let several = by_name.into_iter().filter(|(_, versions)| versions.len() > 1);
    several
        .map(|(name, versions)| {
            let advice = format!(
                "ask `cargo tree --all-features --target all -i {name}@…` who needs which, and bring them together, or \
                 add it to `skip` in {FILE} with the reason"
            );
            Finding::new(name, format!("is compiled in {} versions ({}): {advice}", versions.len(), versions.join(", ")))
        })
        .collect()
}

/// A dependency on whatever version there is.
fn wildcards(package: &Package) -> Vec<Finding> {
    let any = package.dependencies.iter().filter(|d| d.path.is_none() && d.req.comparators.is_empty());
    let message = |name: &str| format!("{} takes any version of {name}: say which", package.name);
    any.map(|d| Finding::new(MANIFEST, message(&d.name))).collect()
}

/// The workspace's own packages and all that they need, up to those that are excluded.
fn in_use<'m>(metadata: &'m Metadata, excluded: &[String]) -> HashSet<&'m PackageId> {
    let nodes = metadata.resolve.iter().flat_map(|resolve| &resolve.nodes);
    let needs: HashMap<&PackageId, &[PackageId]> =
        nodes.map(|node| (&node.id, node.dependencies.as_slice())).collect();
    let named = metadata.packages.iter().filter(|p| excluded.iter().any(|name| p.name == *name));
    let left_out: HashSet<&PackageId> = named.map(|p| &p.id).collect();
    let mut open: Vec<&PackageId> = metadata.workspace_members.iter().collect();
    let mut seen = HashSet::new();
    while let Some(id) = open.pop() {
        if !left_out.contains(id) && seen.insert(id) {
            open.extend(needs.get(id).copied().unwrap_or_default());
        }
    }
    seen
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: &str = r#"
        [licenses]
        allow = ["MIT", "Unicode-3.0", "Apache-2.0 WITH LLVM-exception"]
        exceptions = [{ allow = ["MPL-2.0"], crate = "small" }]
        [bans]
        skip-tree = [{ crate = "large", reason = "x" }]
        skip = ["base64", { crate = "syn@2", reason = "x" }]
        [graph]
        exclude = ["criterion"]
    "#;

    #[test]
    fn licences_are_read_as_expressions() {
        let rules = Rules::parse(RULES).unwrap();
        let said = |text: Option<&str>| licence(&rules, "a", "a@1.0.0", text).map(|f| f.to_string());
        for good in [
            "MIT",
            "GPL-3.0 OR MIT",
            "MIT/Apache-2.0",
            "MIT / Apache-2.0",
            "MIT AND Unicode-3.0",
            "(GPL-3.0-only OR MIT) AND Unicode-3.0",
            "Apache-2.0 WITH LLVM-exception",
        ] {
            assert_eq!(said(Some(good)), None, "{good}");
        }
        for bad in ["GPL-3.0-only", "MIT AND GPL-3.0-only", "Apache-2.0", "no licence at all", ""] {
            assert!(said(Some(bad)).is_some(), "{bad}");
        }
        assert_eq!(
            said(Some("AGPL-3.0")).as_deref(),
            Some(
                "a@1.0.0: is under AGPL-3.0, which deny.toml does not welcome: leave it, or say there why it is"
            )
        );
        assert!(said(None).unwrap().contains("names no licence"));
        let of = |name: &str| licence(&rules, name, name, Some("MPL-2.0"));
        assert!(of("small").is_none() && of("a").is_some(), "an exception is for one package");
    }

    #[test]
    fn two_versions_are_one_too_many_unless_spared() {
        let rules = Rules::parse(RULES).unwrap();
        let spares = |name: &str, version: &str| rules.spares(name, &version.parse().unwrap());
        assert!(spares("base64", "0.1.0") && spares("syn", "2.0.1"));
        assert!(!spares("syn", "3.0.0") && !spares("criterion", "0.1.0"));
        assert_eq!(rules.excluded, ["criterion"]);
        assert_eq!(rules.spared_trees, ["large"]);
        let versions = [("a", "1.0.0".to_owned()), ("b", "1.0.0".to_owned()), ("a", "2.0.0".to_owned())];
        let said: Vec<String> = duplicates(&versions).iter().map(ToString::to_string).collect();
        assert_eq!(said.len(), 1);
        assert!(said[0].starts_with("a: is compiled in 2 versions (1.0.0, 2.0.0): "), "{said:?}");
    }

    #[test]
    fn rules_that_name_nothing_are_refused() {
        let error = Rules::parse("[bans]\nskip = [{ reason = 'x' }]").unwrap_err().to_string();
        assert!(error.starts_with("deny.toml: bans.skip holds "), "{error}");
        assert!(Rules::parse("[licenses]\nallow = 'MIT'").is_err());
        assert!(Rules::parse("[licenses]\nexceptions = [{ crate = 'a' }]").is_err());
        assert!(Rules::parse("[").is_err());
    }

    #[test]
    fn the_rules_that_stand_there_can_be_read() {
        let rules = Rules::parse(include_str!("../../../deny.toml")).unwrap();
        assert!(rules.licences.contains(&"MIT".to_owned()));
    }
}
