//! The Python package: its wheel in fresh folders of packages, with the oldest and the newest Python of this machine.

use std::cell::OnceCell;
use std::fs;
use std::path::{Path, PathBuf};

use crate::debian;
use crate::process::{find, outcome};
use crate::python::{CRATE, Environment, Python, fetched, passed, pythons, wheel};
use crate::steps::{Outcome, Step};
use crate::workspace::Workspace;

/// Real material, taken out of the packages that carry it: the package, and the files.
const DATA: &[(&str, &[&str])] = &[
    ("PyWavelets", &["pywt/data/ecg.npz"]),
    ("scikit-image", &["skimage/data/astronaut.png", "skimage/data/camera.png"]),
];
/// Takes files out of a wheel: `python -c … <wheel's folder> <to> <files…>`.
const UNPACK: &str = "\
import pathlib, sys, zipfile
[wheel] = pathlib.Path(sys.argv[1]).glob('*.whl')
with zipfile.ZipFile(wheel) as archive:
    for file in sys.argv[3:]:
        pathlib.Path(sys.argv[2], pathlib.Path(file).name).write_bytes(archive.read(file))
";

/// What all steps need, made when the first of them asks for it.
pub(super) struct Setup<'a> {
    ws: &'a Workspace,
    built: OnceCell<Result<Built, Outcome>>,
}

#[derive(Debug, Clone)]
struct Built {
    wheel: PathBuf,
    command: PathBuf,
    /// The oldest and the newest.
    pythons: Vec<Python>,
}

impl<'a> Setup<'a> {
    pub(super) fn new(ws: &'a Workspace) -> Self {
        Self { ws, built: OnceCell::new() }
    }

    fn with(&self, act: impl FnOnce(&Workspace, &Built) -> Result<(), Outcome>) -> Outcome {
        match self.built.get_or_init(|| build(self.ws)) {
            Ok(built) => act(self.ws, built).err().unwrap_or(Outcome::Passed),
            Err(outcome) => outcome.clone(),
        }
    }
}

pub(super) fn steps<'a>(setup: &'a Setup<'a>) -> Vec<Step<'a>> {
    vec![
        Step::new("Python: wheel", || setup.with(|_, _| Ok(()))),
        Step::new("Python: data", || setup.with(fetch)),
        Step::new("Python: sox", || setup.with(|_, _| sox())),
        Step::new("Python: tests, newest", || setup.with(|ws, built| test(ws, built, built.pythons.last()))),
        Step::new("Python: tests, oldest", || {
            setup.with(|ws, built| match built.pythons.as_slice() {
                [_] => {
                    let text = "one Python alone is here: install another one, for example with pyenv";
                    Err(Outcome::NotRun(text.to_owned()))
                }
                pythons => test(ws, built, pythons.first()),
            })
        }),
    ]
}

/// Reads and writes sound files, for the tests of ours.
fn sox() -> Result<(), Outcome> {
    debian::ensure("sox", &["sox"], || find(&["sox"]).is_some() && find(&["soxi"]).is_some())
        .map_err(Outcome::NotRun)
}

fn folder(ws: &Workspace) -> PathBuf {
    ws.target().join("python")
}

fn build(ws: &Workspace) -> Result<Built, Outcome> {
    let pythons = pythons().map_err(Outcome::NotRun)?;
    let names: Vec<String> = pythons.iter().map(Python::name).collect();
    println!("    Python {}", names.join(" and "));
    let command = super::command(ws)?;
    // As it was compiled for the other tests; a tag for this machine alone is enough here.
    let wheel = wheel(ws, &folder(ws).join("tested"), &["--profile", "dev", "--compatibility", "linux"])?;
    Ok(Built { wheel, command, pythons })
}

fn data(ws: &Workspace) -> PathBuf {
    folder(ws).join("data")
}

/// Fetches the real material, once.
fn fetch(ws: &Workspace, built: &Built) -> Result<(), Outcome> {
    let to = data(ws);
    let there = |file: &&str| Path::new(file).file_name().is_some_and(|name| to.join(name).is_file());
    let failed = |error: std::io::Error| Outcome::Failed(format!("cannot write {}: {error}", to.display()));
    for (package, files) in DATA {
        if files.iter().all(there) {
            continue;
        }
        fs::create_dir_all(&to).map_err(failed)?;
        let tools = Environment::of_tools(ws)?;
        let wheels = to.join(package);
        let mut pip = tools.python();
        pip.args(["-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]);
        pip.args(["--only-binary", ":all:", "--dest"]).arg(&wheels).arg(package);
        fetched(pip)?;
        let mut unpack = tools.python();
        unpack.args(["-c", UNPACK]).arg(&wheels).arg(&to).args(*files);
        passed(unpack)?;
        fs::remove_dir_all(&wheels).map_err(failed)?;
    }
    let _ = built;
    Ok(())
}

fn test(ws: &Workspace, built: &Built, python: Option<&Python>) -> Result<(), Outcome> {
    let Some(python) = python else { return Err(Outcome::NotRun("no Python was found".to_owned())) };
    let environment = Environment::fresh(python, folder(ws).join(python.name()))?;
    let tests = ws.root().join(CRATE).join("tests");
    environment.install(&[
        built.wheel.as_os_str(),
        "-r".as_ref(),
        tests.join("requirements.txt").as_os_str(),
    ])?;
    let mut pytest = environment.python();
    pytest.args(["-m", "pytest", "-q", "-p", "no:cacheprovider"]).arg(&tests);
    // Not in the folder of the sources, so that nothing but the wheel is imported.
    pytest.current_dir(folder(ws));
    pytest.env("TDSHM_COMMAND", &built.command).env("TDSHM_TEST_DATA", data(ws)).env("TDSHM_ROOT", ws.root());
    match outcome(pytest) {
        Outcome::Passed => Ok(()),
        Outcome::Failed(why) => Err(Outcome::Failed(format!("Python {}: {why}", python.name()))),
        other => Err(other),
    }
}
