//! `cargo xtask package`: what somebody gets who installs the command from the registry, tried before it is there.
//!
//! The published crates are packed, unpacked in an empty folder, and the command is installed from nothing else and run.
//! Nothing is sent anywhere.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use cargo_metadata::{Package, TargetKind};

use crate::workspace::Workspace;

/// What every packed crate has.
const NEEDED: &[&str] = &["Cargo.toml", "LICENSE-APACHE", "LICENSE-MIT", "README.md", "src/lib.rs"];
/// What it may have besides; what ends in `/` is a folder.
const WELCOME: &[&str] = &[
    ".cargo_vcs_info.json",
    "Cargo.lock",
    "Cargo.toml.orig",
    "build.rs",
    "data/",
    "examples/",
    "include/",
    "src/",
];

/// Packs, installs and runs.
///
/// # Errors
///
/// When a crate lacks something or carries too much, or what is installed from them does not work.
pub(crate) fn run(ws: &Workspace) -> Result<()> {
    let mut packages = ws.published_together();
    packages.sort_by(|a, b| a.name.cmp(&b.name));
    check_files(ws, &packages)?;
    pack(ws, &packages)?;

    let folder = EmptyFolder::make()?;
    for package in &packages {
        unpack(ws, package, &folder.0)?;
    }
    write(&folder.0.join("Cargo.toml"), &manifest(&packages))?;
    fs::copy(ws.root().join("Cargo.lock"), folder.0.join("Cargo.lock")).context("cannot copy Cargo.lock")?;
    // Takes what only the workspace needs out of the lock file; versions stay.
    succeed(ws.cargo(["fetch", "--quiet"]).current_dir(&folder.0))?;
    let command = packages.iter().find(|p| p.targets.iter().any(|t| t.kind.contains(&TargetKind::Bin)));
    let command = command.context("no published package has a command")?;
    let mut install =
        ws.cargo(["install", "--quiet", "--locked", "--no-track", "--path", &unpacked(command)]);
    // What comes from the registry is built once, however often this runs; of the workspace's own crates nothing is used, which lie
    // elsewhere.
    install.arg("--root").arg(&folder.0).arg("--target-dir").arg(ws.target()).current_dir(&folder.0);
    // Our own code as everybody has it; the rest is a minute of the optimiser's.
    install.args(["--config", "profile.release.package.'*'.opt-level=0"]);
    succeed(&mut install)?;

    let program = folder.0.join("bin").join(format!("tdshm{}", std::env::consts::EXE_SUFFIX));
    let said =
        Command::new(&program).arg("--version").output().context("the installed command did not start")?;
    let said = String::from_utf8_lossy(&said.stdout);
    let version = command.version.to_string();
    ensure!(
        said.split_whitespace().any(|word| word == version),
        "the installed command calls itself {said:?}, and not {version}"
    );
    succeed(Command::new(&program).args(["demo", "--seconds", "1"]).current_dir(&folder.0))
}

/// Looks at what each of the packages would carry.
///
/// # Errors
///
/// When one lacks something or carries too much.
pub(crate) fn check_files(ws: &Workspace, packages: &[&Package]) -> Result<()> {
    for package in packages {
        let files = packed_files(ws, package)?;
        let problems = judge(&files);
        ensure!(problems.is_empty(), "the packed {} {}", package.name, problems.join("; it "));
    }
    Ok(())
}

/// The names of the files that a packed crate would have.
fn packed_files(ws: &Workspace, package: &Package) -> Result<BTreeSet<String>> {
    let mut list = ws.cargo(["package", "--list", "--locked", "--allow-dirty", "-p", package.name.as_str()]);
    let output = list.output().context("cargo package did not start")?;
    ensure!(output.status.success(), "cargo package --list: {}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8_lossy(&output.stdout);
    // A crate that is packed on Windows has other separators in the list, not in the package.
    Ok(text.lines().map(|line| line.replace('\\', "/")).collect())
}

/// What is missing, and what should not be there.
fn judge(files: &BTreeSet<String>) -> Vec<String> {
    let missing = NEEDED.iter().filter(|needed| !files.contains(**needed)).map(|needed| {
        format!("has no {needed}: put it beside the manifest, and see `include` and `readme` there")
    });
    let welcome = |file: &str| {
        let named = NEEDED.contains(&file) || WELCOME.contains(&file);
        named || WELCOME.iter().any(|place| place.ends_with('/') && file.starts_with(place))
    };
    let strays = files.iter().filter(|file| !welcome(file)).map(|file| {
        format!("carries {file}, which nobody needs: see `include` in its manifest, or xtask/src/package.rs")
    });
    missing.chain(strays).collect()
}

/// Packs all of them; what depends on another one is given that one.
fn pack(ws: &Workspace, packages: &[&Package]) -> Result<()> {
    let mut command = ws.cargo(["package", "--quiet", "--locked", "--allow-dirty", "--no-verify"]);
    for package in packages {
        command.args(["-p", package.name.as_str()]);
    }
    let output = command.output().context("cargo package did not start")?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "cargo package: {said}");
    Ok(())
}

/// The folder that a packed crate unpacks to.
fn unpacked(package: &Package) -> String {
    format!("{}-{}", package.name, package.version)
}

fn unpack(ws: &Workspace, package: &Package, folder: &Path) -> Result<()> {
    let packed = ws.target().join("package").join(format!("{}.crate", unpacked(package)));
    let mut tar = Command::new("tar");
    // The files are as old as now (`m`): packed ones all bear one time, long ago, and cargo would build nothing anew.
    tar.arg("-xzmf").arg(&packed).arg("-C").arg(folder);
    succeed(&mut tar)
}

/// A workspace of what was unpacked, in which each is what the registry would give.
fn manifest(packages: &[&Package]) -> String {
    let folders: Vec<String> = packages.iter().map(|package| format!("{:?}", unpacked(package))).collect();
    let mut text = format!("[workspace]\nresolver = \"3\"\nmembers = [{}]\n", folders.join(", "));
    text.push_str("\n[patch.crates-io]\n");
    for (package, folder) in packages.iter().zip(&folders) {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{} = {{ path = {folder} }}", package.name);
    }
    text
}

fn write(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}

fn succeed(command: &mut Command) -> Result<()> {
    let program = command.get_program().to_string_lossy().into_owned();
    let args: Vec<_> = command.get_args().map(|arg| arg.to_string_lossy().into_owned()).collect();
    let shown = format!("{program} {}", args.join(" "));
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => bail!("`{shown}` ended with {status}"),
        Err(error) => bail!("`{shown}` did not start: {error}"),
    }
}

/// A folder outside the workspace, which goes when this is dropped.
#[derive(Debug)]
struct EmptyFolder(PathBuf);

impl EmptyFolder {
    fn make() -> Result<Self> {
        let path = std::env::temp_dir().join(format!("tdshm-package-{}", std::process::id()));
        fs::create_dir(&path).with_context(|| format!("cannot make {}", path.display()))?;
        Ok(Self(path))
    }
}

impl Drop for EmptyFolder {
    fn drop(&mut self) {
        // What is left of it is the system's to remove.
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_and_what_is_too_much() {
        let files = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let whole = [NEEDED, &["src/a/b.rs", "data/x.csv", "Cargo.lock"]].concat();
        assert_eq!(judge(&files(&whole)), [""; 0]);
        let said = judge(&files(&[&whole[1..], &["tests/golden/x.bin", "srcs/a.rs", "data"]].concat()));
        let begins: Vec<&str> = said.iter().filter_map(|s| s.split([':', ',']).next()).collect();
        assert_eq!(
            begins,
            ["has no Cargo.toml", "carries data", "carries srcs/a.rs", "carries tests/golden/x.bin"]
        );
    }
}
