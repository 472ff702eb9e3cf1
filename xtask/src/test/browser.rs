//! The pages of `tdshm serve` and `tdshm bridge ws`, in a real browser: Debian's Chromium, driven from Node.js by Playwright.

use std::cell::OnceCell;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::debian;
use crate::process::{find, outcome, printed};
use crate::steps::{Outcome, Step};
use crate::workspace::Workspace;

/// The tests, from the root.
const TESTS: &str = "crates/tdshm-cli/tests/browser";
/// What npm installs, and from what.
const MANIFESTS: &[&str] = &["package.json", "package-lock.json"];
/// The oldest Node.js that Playwright runs on.
const NODE: u32 = 20;
/// What Chromium is called, here and there.
const BROWSERS: &[&str] = &["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/// What all steps need, found or installed when the first of them asks for it.
pub(super) struct Setup<'a> {
    ws: &'a Workspace,
    ready: OnceCell<Result<Ready, Outcome>>,
}

#[derive(Debug, Clone)]
struct Ready {
    chromium: PathBuf,
    /// The folder of what npm installed.
    modules: PathBuf,
}

impl<'a> Setup<'a> {
    pub(super) fn new(ws: &'a Workspace) -> Self {
        Self { ws, ready: OnceCell::new() }
    }

    fn ready(&self) -> Result<Ready, Outcome> {
        self.ready.get_or_init(|| prepare(self.ws)).clone()
    }
}

pub(super) fn steps<'a>(setup: &'a Setup<'a>) -> Vec<Step<'a>> {
    vec![
        Step::new("browser: tools", || setup.ready().err().unwrap_or(Outcome::Passed)),
        Step::new("browser: the page", || {
            setup.ready().and_then(|ready| test(setup.ws, &ready)).err().unwrap_or(Outcome::Passed)
        }),
    ]
}

fn folder(ws: &Workspace) -> PathBuf {
    ws.target().join("browser")
}

fn prepare(ws: &Workspace) -> Result<Ready, Outcome> {
    let programs = || find(&["node"]).is_some() && find(&["npm"]).is_some();
    debian::ensure("Node.js and npm", &["nodejs", "npm"], programs).map_err(Outcome::NotRun)?;
    let version = node_version();
    if version.is_none_or(|version| version < NODE) {
        let here = version.map_or("of an unknown version".to_owned(), |version| version.to_string());
        return Err(Outcome::NotRun(format!("Node.js is {here}: install {NODE} or later")));
    }
    debian::ensure("Chromium", &["chromium"], || find(BROWSERS).is_some()).map_err(Outcome::NotRun)?;
    let chromium = find(BROWSERS).ok_or_else(|| Outcome::NotRun("Chromium has gone".to_owned()))?;
    let modules = install(ws).map_err(Outcome::NotRun)?;
    Ok(Ready { chromium, modules })
}

/// The first number of `v20.1.0`.
fn node_version() -> Option<u32> {
    let mut node = Command::new("node");
    node.arg("--version");
    printed(node)?.trim_start_matches('v').split('.').next()?.parse().ok()
}

/// What the lock file names, below the folder of what is built; kept as long as the lock file stays.
fn install(ws: &Workspace) -> Result<PathBuf, String> {
    let (from, to) = (ws.root().join(TESTS), folder(ws));
    let modules = to.join("node_modules");
    let failed = |error: std::io::Error| format!("cannot write {}: {error}", to.display());
    let same = |file: &&str| {
        fs::read(from.join(file)).is_ok_and(|new| fs::read(to.join(file)).is_ok_and(|old| old == new))
    };
    if MANIFESTS.iter().all(same) && modules.join(".package-lock.json").is_file() {
        return Ok(modules);
    }
    fs::create_dir_all(&to).map_err(failed)?;
    for file in MANIFESTS {
        fs::copy(from.join(file), to.join(file)).map_err(failed)?;
    }
    let mut npm = Command::new(find(&["npm"]).unwrap_or_else(|| "npm".into()));
    npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel", "error"]).current_dir(&to);
    match outcome(npm) {
        Outcome::Passed => Ok(modules),
        other => Err(format!("{}: it needs the network, or npm's cache", other.into_error())),
    }
}

fn test(ws: &Workspace, ready: &Ready) -> Result<(), Outcome> {
    let command = super::command(ws)?;
    let pictures = folder(ws).join("screenshots");
    let mut node = Command::new("node");
    node.arg("--test").arg("--test-concurrency=1");
    node.args(["page.test.cjs", "bridge.test.cjs"].map(|file| ws.root().join(TESTS).join(file)));
    node.current_dir(folder(ws));
    // Both lie outside the folder of the tests, so that nothing is written there.
    node.env("NODE_PATH", &ready.modules).env("TDSHM_SCREENSHOTS", &pictures);
    node.env("TDSHM_COMMAND", &command).env("TDSHM_CHROMIUM", &ready.chromium);
    passed(node)?;
    shown(&pictures);
    Ok(())
}

fn shown(pictures: &Path) {
    println!("    what it looked like: {}", pictures.display());
}

fn passed(command: Command) -> Result<(), Outcome> {
    match outcome(command) {
        Outcome::Passed => Ok(()),
        other => Err(other),
    }
}
