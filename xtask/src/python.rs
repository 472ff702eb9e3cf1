//! Pythons of this machine, folders of packages for each, and wheels.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::debian;
use crate::process::{find, outcome, printed, works};
use crate::steps::Outcome;
use crate::workspace::Workspace;

/// The crate that wheels are made of, from the root.
pub(crate) const CRATE: &str = "crates/tdshm-python";
/// What builds them.
const MATURIN: &str = "maturin>=1.9,<2";
/// The oldest that a wheel is for.
const OLDEST: (u32, u32) = (3, 9);
/// Later ones are looked for up to here.
const NEWEST: u32 = 20;

/// A Python that runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Python {
    pub(crate) program: PathBuf,
    pub(crate) version: (u32, u32),
}

impl Python {
    /// A program that says its version, if it is one that wheels are for, with what makes folders of packages.
    fn at(program: PathBuf) -> Option<Self> {
        let mut command = Command::new(&program);
        let ask = "import sys, venv, ensurepip; print(*sys.version_info[:2], getattr(sys, '_is_gil_enabled', bool)())";
        command.args(["-I", "-c", ask]);
        let said = printed(command)?;
        let mut words = said.split_whitespace();
        let version = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
        (version >= OLDEST).then_some(Self { program, version })
    }

    /// `3.9`, for example.
    pub(crate) fn name(&self) -> String {
        format!("{}.{}", self.version.0, self.version.1)
    }
}

/// The oldest and the newest Python of this machine that wheels are for, or the only one.
///
/// # Errors
///
/// That there is none, and how to install one.
pub(crate) fn pythons() -> Result<Vec<Python>, String> {
    debian::ensure("Python 3.9 or later", &["python3", "python3-venv"], || !all().is_empty())?;
    let mut found = all();
    found.sort_by_key(|python| python.version);
    found.dedup_by_key(|python| python.version);
    let last = found.pop();
    Ok(found.into_iter().take(1).chain(last).collect())
}

/// Each that is in the path, and those of pyenv.
fn all() -> Vec<Python> {
    let names: Vec<String> = (OLDEST.1..=NEWEST).map(|minor| format!("python3.{minor}")).collect();
    let plain = ["python3", "python"].into_iter().filter_map(|name| find(&[name]));
    let pyenv = std::env::var_os("PYENV_ROOT")
        .map(PathBuf::from)
        .or_else(|| std::env::home_dir().map(|home| home.join(".pyenv")));
    let versions = pyenv.and_then(|root| fs::read_dir(root.join("versions")).ok());
    let versions =
        versions.into_iter().flatten().filter_map(Result::ok).map(|entry| entry.path().join("bin/python"));
    let named = names.iter().filter_map(|name| find(&[name]));
    named.chain(versions).chain(plain).filter_map(Python::at).collect()
}

/// A folder of packages of its own.
#[derive(Debug)]
pub(crate) struct Environment {
    folder: PathBuf,
}

impl Environment {
    /// One that was made before, or will be.
    pub(crate) fn at(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// Makes one; what was there before is gone.
    ///
    /// # Errors
    ///
    /// What went wrong.
    pub(crate) fn fresh(python: &Python, folder: PathBuf) -> Result<Self, Outcome> {
        let mut make = Command::new(&python.program);
        make.args(["-I", "-m", "venv", "--clear"]).arg(&folder);
        passed(make)?;
        Ok(Self { folder })
    }

    /// One with the tools that build wheels: kept, because they are no part of what is tested.
    ///
    /// # Errors
    ///
    /// What is missing, or what went wrong.
    pub(crate) fn of_tools(ws: &Workspace) -> Result<Self, Outcome> {
        let folder = ws.target().join("python").join("tools");
        let there = Self { folder: folder.clone() };
        if works(there.maturin(ws, &["--version"])) {
            return Ok(there);
        }
        let python = pythons().map_err(Outcome::NotRun)?.pop();
        let python = python.ok_or_else(|| Outcome::NotRun("no Python is there any more".to_owned()))?;
        let made = Self::fresh(&python, folder)?;
        made.install(&[MATURIN.as_ref()])?;
        Ok(made)
    }

    /// Installs packages, from the registry or from files.
    ///
    /// # Errors
    ///
    /// That it could not: without a network nothing can be fetched.
    pub(crate) fn install(&self, packages: &[&std::ffi::OsStr]) -> Result<(), Outcome> {
        let mut pip = self.python();
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]).args(packages);
        fetched(pip)
    }

    /// Its Python.
    pub(crate) fn python(&self) -> Command {
        let mut command = Command::new(self.program("python"));
        command.env("PYTHONDONTWRITEBYTECODE", "1").env_remove("PYTHONPATH").env_remove("PYTHONHOME");
        command
    }

    /// Its maturin, in the folder of the crate.
    fn maturin(&self, ws: &Workspace, args: &[&str]) -> Command {
        let mut command = Command::new(self.program("maturin"));
        command.args(args).current_dir(ws.root().join(CRATE)).env("CARGO_TARGET_DIR", ws.target());
        command
    }

    fn program(&self, name: &str) -> PathBuf {
        let folder = if cfg!(windows) { "Scripts" } else { "bin" };
        self.folder.join(folder).join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
    }
}

/// Builds a wheel into an empty `folder`, and gives its path.
///
/// # Errors
///
/// What is missing, or what went wrong.
pub(crate) fn wheel(ws: &Workspace, folder: &Path, args: &[&str]) -> Result<PathBuf, Outcome> {
    let tools = Environment::of_tools(ws)?;
    // Nothing of an older build is mistaken for the new one.
    let _ = fs::remove_dir_all(folder);
    let mut build = tools.maturin(ws, &["build", "--locked", "--quiet", "--out"]);
    build.arg(folder).args(args);
    passed(build)?;
    let wheels = fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok).map(|entry| entry.path());
    let mut wheels = wheels.filter(|path| path.extension().is_some_and(|e| e == "whl"));
    wheels.next().ok_or_else(|| Outcome::Failed(format!("maturin left no wheel in {}", folder.display())))
}

/// Runs a command that has to succeed.
///
/// # Errors
///
/// How it ended.
pub(crate) fn passed(command: Command) -> Result<(), Outcome> {
    match outcome(command) {
        Outcome::Passed => Ok(()),
        other => Err(other),
    }
}

/// The same of one that needs the network.
///
/// # Errors
///
/// As a step that could not run.
pub(crate) fn fetched(command: Command) -> Result<(), Outcome> {
    passed(command).map_err(|ended| match ended {
        Outcome::Failed(why) => Outcome::NotRun(format!("{why}: it needs the network, or pip's cache")),
        other => other,
    })
}
