//! `cargo xtask api`: what the published crates offer, as text, so that a change of it is noticed.
//!
//! Each published crate has an `api.txt` beside its manifest: one line an item, with its whole signature, as the
//! compiler sees it after macros and re-exports; which types may move between threads is in it too. What this task
//! makes anew must equal it. The text is that of Linux with all features, made by the compiler version that the
//! manifests name, because the compiler's description of a crate changes with its version.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, Result, bail};
use cargo_metadata::{Package, TargetKind};

use crate::steps::Outcome;
use crate::test::APART_DOC;
use crate::workspace::{ALL, Workspace};

/// Set where this program stands in for rustdoc, with the real one.
const DESCRIBES: &str = "TDSHM_XTASK_RUSTDOC";

const FILE: &str = "api.txt";

/// Of the traits that the compiler finds out by itself, those that users rely on.
const AUTO_TRAITS: &[&str] = &["core::marker::Send", "core::marker::Sync"];
/// And those that say nothing to them.
const NOISE: &[&str] = &[
    "core::marker::Freeze",
    "core::marker::StructuralPartialEq",
    "core::marker::Unpin",
    "core::marker::UnsafeUnpin",
    "core::panic::unwind_safe::RefUnwindSafe",
    "core::panic::unwind_safe::UnwindSafe",
];

/// Lines of a difference that are shown for each crate.
const SHOWN: usize = 40;

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Accept what is there now: write it to each crate's api.txt
    #[arg(long)]
    write: bool,
    /// Of the crate that stands apart, and compiles for minutes
    #[arg(long)]
    apart: bool,
}

/// Which crates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Which {
    /// All but the one that stands apart.
    Together,
    /// That one.
    Apart,
}

/// Compares, or writes with `--write`.
///
/// # Errors
///
/// When the surface of a crate differs from its file, or cannot be found out here.
pub(crate) fn run(ws: &Workspace, options: &Options) -> Result<()> {
    let toolchain = match toolchain(ws)? {
        Ok(toolchain) => toolchain,
        Err(missing) => bail!("not run: {missing}"),
    };
    check(ws, &toolchain, if options.apart { Which::Apart } else { Which::Together }, options.write)
}

/// The same as a step.
pub(crate) fn step(ws: &Workspace, which: Which) -> Outcome {
    let checked = toolchain(ws).and_then(|toolchain| match toolchain {
        Ok(toolchain) => check(ws, &toolchain, which, false).map(|()| Outcome::Passed),
        Err(missing) => Ok(Outcome::NotRun(missing)),
    });
    checked.unwrap_or_else(|error| Outcome::Failed(format!("{error:#}")))
}

fn check(ws: &Workspace, toolchain: &Toolchain, which: Which, write: bool) -> Result<()> {
    let packages = published_libraries(ws, which);
    let folder = describe(ws, toolchain, which, &packages)?;
    let mut changed = Vec::new();
    for package in packages {
        let name = package.name.as_str();
        let now = listing(&json_path(&folder, package))?;
        let path = package.manifest_path.as_std_path().with_file_name(FILE);
        let then = fs::read_to_string(&path).unwrap_or_default();
        if now == then {
            println!("    {name}: {} lines", now.lines().count());
        } else if write {
            fs::write(&path, &now).with_context(|| format!("cannot write {}", path.display()))?;
            println!("    {name}: written, {} lines", now.lines().count());
        } else {
            println!("    {name}: its public surface is not what crates/*/{FILE} says:");
            print!("{}", difference(&then, &now));
            changed.push(name);
        }
    }
    if changed.is_empty() {
        return Ok(());
    }
    bail!(
        "the public surface of {} changed: if that is meant, run `cargo xtask api --write`, commit the {FILE} with the \
         change, and say in CHANGELOG.md what users have to know",
        changed.join(", ")
    )
}

/// The packages that are published and that others can link to, in the order of their names.
fn published_libraries(ws: &Workspace, which: Which) -> Vec<&Package> {
    let mut packages = match which {
        Which::Together => ws.published_together(),
        Which::Apart => ws.published_apart(),
    };
    packages.retain(|package| package.targets.iter().any(|t| t.kind.contains(&TargetKind::Lib)));
    packages.sort_by(|a, b| a.name.cmp(&b.name));
    packages
}

/// The compiler that describes a crate.
#[derive(Debug)]
enum Toolchain {
    /// The one in use.
    Own,
    /// Another one of rustup's.
    Rustup(String),
}

/// The compiler of the version that the root manifest names; `Err` says what is missing.
fn toolchain(ws: &Workspace) -> Result<Result<Toolchain, String>> {
    let core = ws.package("tdshm", "gives the compiler's version")?;
    let wanted = core.rust_version.as_ref().context("the core names no rust-version")?;
    let wanted = format!("{}.{}", wanted.major, wanted.minor);
    let own = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    if is_version(Command::new(own).current_dir(ws.root()), &wanted) {
        return Ok(Ok(Toolchain::Own));
    }
    let rustup = |name: &str| {
        let mut rustc = Command::new("rustup");
        rustc.args(["run", name, "rustc"]);
        is_version(&mut rustc, &wanted).then(|| Toolchain::Rustup(name.to_owned()))
    };
    let names = [wanted.clone(), format!("{wanted}.0")];
    if let Some(found) = names.iter().find_map(|name| rustup(name)) {
        return Ok(Ok(found));
    }
    println!("    Rust {wanted} is not installed: trying `rustup toolchain install {wanted}`");
    let mut install = Command::new("rustup");
    install.args(["toolchain", "install", &wanted, "--profile", "minimal", "--no-self-update"]);
    // Whether it worked shows below, in what is there afterwards.
    let _ = install.status();
    Ok(rustup(&wanted).ok_or_else(|| format!("install Rust {wanted}, for example with rustup")))
}

/// Whether a compiler starts and is of that version, `1.95`.
fn is_version(rustc: &mut Command, wanted: &str) -> bool {
    let output = rustc.arg("--version").stdin(Stdio::null()).stderr(Stdio::null()).output();
    output.is_ok_and(|output| {
        let said = String::from_utf8_lossy(&output.stdout);
        let version = said.split_whitespace().nth(1).unwrap_or_default();
        version.strip_prefix(wanted).is_some_and(|rest| rest.starts_with('.'))
    })
}

/// What a crate offers, a line an item.
fn listing(json: &Path) -> Result<String> {
    let read = |derived: bool| {
        let mut builder = public_api::Builder::from_rustdoc_json(json).omit_blanket_impls(true);
        if !derived {
            builder = builder.omit_auto_derived_impls(true).omit_auto_trait_impls(true);
        }
        builder.build().with_context(|| format!("cannot read {}", json.display()))
    };
    let by_hand: HashSet<String> = read(false)?.items().map(ToString::to_string).collect();
    let all: Vec<String> = read(true)?.items().map(ToString::to_string).collect();
    Ok(select(&by_hand, &all))
}

/// Of all lines those that say something: what is written by hand, and that a trait is there, not its functions.
fn select(by_hand: &HashSet<String>, all: &[String]) -> String {
    let mut text = String::new();
    for line in all {
        let implements = |traits: &[&str]| {
            traits.iter().any(|name| {
                let before = line.split_once(name).filter(|(_, after)| after.starts_with(" for "));
                before.is_some_and(|(before, _)| before.ends_with([' ', '!']))
            })
        };
        let is_impl = line.starts_with("impl") || line.starts_with("unsafe impl");
        let said =
            if is_impl { implements(AUTO_TRAITS) || !implements(NOISE) } else { by_hand.contains(line) };
        if said {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{line}");
        }
    }
    text
}

/// Has the compiler describe the crates, with all their features; gives the folder where the descriptions come to lie.
fn describe(ws: &Workspace, toolchain: &Toolchain, which: Which, packages: &[&Package]) -> Result<PathBuf> {
    let args = match which {
        // What the documentation is made from, so that nothing but the descriptions is made anew.
        Which::Together => [&["doc", "--no-deps", "--locked"], &ALL[..]].concat(),
        Which::Apart => APART_DOC.to_vec(),
    };
    let (mut command, target) = match toolchain {
        Toolchain::Own => {
            let mut command = ws.cargo(args);
            command.env("RUSTDOC", std::env::current_exe().context("this program has no path")?);
            command.env(DESCRIBES, std::env::var_os("RUSTDOC").unwrap_or_else(|| "rustdoc".into()));
            (command, ws.target().to_owned())
        }
        Toolchain::Rustup(name) => {
            let mut rustup = Command::new("rustup");
            rustup.args(["run", name, "cargo"]).args(args).current_dir(ws.root());
            // What this program's own cargo left for its children speaks of another toolchain.
            for variable in ["CARGO", "RUSTC", "RUSTDOC", "RUSTUP_TOOLCHAIN"] {
                rustup.env_remove(variable);
            }
            rustup.env("RUSTC_BOOTSTRAP", "1");
            (rustup, ws.target().join("api"))
        }
    };
    let features = packages.iter().flat_map(|package| {
        package.features.keys().map(move |feature| format!("{}/{feature}", package.name))
    });
    command.arg("--quiet").arg("--target-dir").arg(&target);
    command.arg("--features").arg(features.collect::<Vec<_>>().join(","));
    command.env("RUSTDOCFLAGS", "-Z unstable-options --output-format json --cap-lints allow");
    let status = command.status().context("cargo doc did not start")?;
    if !status.success() {
        bail!("cargo doc of what is published ended with {status}");
    }
    Ok(target.join("doc"))
}

/// Whether this program was started as `rustdoc` by [`describe`]; then it is that one, and gives its status. What unlocks the
/// description is for rustdoc alone: for a whole cargo it would make build scripts run again, and all that comes of them.
pub(crate) fn as_rustdoc() -> Option<ExitCode> {
    let rustdoc = std::env::var_os(DESCRIBES)?;
    let mut command = Command::new(rustdoc);
    command.args(std::env::args_os().skip(1)).env("RUSTC_BOOTSTRAP", "1").env_remove(DESCRIBES);
    let done = command.status().is_ok_and(|status| status.success());
    Some(if done { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn json_path(folder: &Path, package: &Package) -> PathBuf {
    let lib = package.targets.iter().find(|t| t.kind.contains(&TargetKind::Lib));
    let lib = lib.map_or(package.name.as_str(), |lib| lib.name.as_str());
    folder.join(lib.replace('-', "_")).with_extension("json")
}

/// The lines that came and went, in order: `-` what the file has, `+` what is there now.
fn difference(then: &str, now: &str) -> String {
    let (old, new): (HashSet<&str>, HashSet<&str>) = (then.lines().collect(), now.lines().collect());
    let gone = then.lines().filter(|line| !new.contains(line)).map(|line| format!("    - {line}\n"));
    let come = now.lines().filter(|line| !old.contains(line)).map(|line| format!("    + {line}\n"));
    let lines: Vec<String> = gone.chain(come).collect();
    let mut text: String = lines.iter().take(SHOWN).map(String::as_str).collect();
    match lines.len().saturating_sub(SHOWN) {
        0 if lines.is_empty() => text.push_str("    (the same lines in another order)\n"),
        0 => {}
        more => {
            let _ = writeln!(text, "    … and {more} more");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_listed() {
        let all = [
            "pub struct a::Guard<'l>",
            "impl a::Guard<'_>",
            "pub fn a::Guard<'_>::name(&self) -> &str",
            "impl core::clone::Clone for a::Guard<'_>",
            "pub fn a::Guard<'_>::clone(&self) -> a::Guard<'_>",
            "impl<'l> core::marker::Freeze for a::Guard<'l>",
            "impl<'l> !core::marker::Send for a::Guard<'l>",
            "impl core::marker::Sync for a::Guard<'_> where core::marker::Freeze: core::marker::Sized",
            "impl core::panic::unwind_safe::UnwindSafe for a::Guard<'_>",
            "unsafe impl a::Freeze for a::Guard<'_>",
        ]
        .map(str::to_owned);
        let by_hand = [0, 1, 2].into_iter().filter_map(|index: usize| all.get(index).cloned()).collect();
        let kept: Vec<usize> = select(&by_hand, &all)
            .lines()
            .filter_map(|line| all.iter().position(|original| original == line))
            .collect();
        assert_eq!(kept, [0, 1, 2, 3, 6, 7, 9]);
    }

    #[test]
    fn a_difference_names_what_came_and_what_went() {
        assert_eq!(difference("a\nb\nc\n", "a\nc\nd\n"), "    - b\n    + d\n");
        assert_eq!(difference("a\nb\n", "b\na\n"), "    (the same lines in another order)\n");
        let long: String = (0..SHOWN + 2).map(|n| format!("{n}\n")).collect();
        let shown = difference("", &long);
        assert_eq!(shown.lines().count(), SHOWN + 1);
        assert!(shown.ends_with("    … and 2 more\n"), "{shown}");
    }

    #[test]
    #[cfg(unix)] // where `echo` is a program
    fn the_version_is_compared_as_a_whole() {
        let says = |said: &str| {
            let mut echo = Command::new("echo");
            echo.arg(said);
            echo
        };
        assert!(is_version(&mut says("rustc 1.95.0 (abc)"), "1.95"));
        for other in ["rustc 1.950.0", "rustc 1.9.5", "rustc", ""] {
            assert!(!is_version(&mut says(other), "1.95"), "{other}");
        }
        assert!(!is_version(&mut Command::new("no-such-compiler"), "1.95"));
    }
}
