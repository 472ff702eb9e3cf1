//! Windows programs on this machine: Wine with a prefix of the build's own, and what is built in C for the tests.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::cross::{Cross, IN_PAGES, WINDOWS};
use crate::debian;
use crate::process::{find, outcome, works};
use crate::steps::Outcome;
use crate::workspace::Workspace;

const PACKAGES: &[&str] = &["wine", "wine64", "gcc-mingw-w64-x86-64", "g++-mingw-w64-x86-64"];
/// Debian's `wine` is a script that talks about 32 bits at every start, so the program behind it comes first.
const LOADERS: &[&str] = &["/usr/lib/wine/wine64", "wine64", "wine"];
const SERVERS: &[&str] = &["/usr/lib/wine/wineserver", "wineserver"];
const C_COMPILER: &str = "x86_64-w64-mingw32-gcc";
const CPP_COMPILER: &str = "x86_64-w64-mingw32-g++";
/// The foreign sender and receiver of the tests, and what they do to processes.
const FOREIGN: [&str; 2] = ["tests/foreign/windows_peer.c", "tests/foreign/windows_process.c"];
/// A library of Windows that Wine 8 lacks and Rust's standard library needs.
const STAND_IN: &str = "bcryptprimitives";

/// A Wine that runs our Windows programs. Dropping it ends what is left running in its prefix.
#[derive(Debug)]
pub(crate) struct Wine {
    loader: PathBuf,
    /// Whether it can be started [`steadily`].
    steady: bool,
    server: PathBuf,
    prefix: PathBuf,
    cross: Cross,
}

impl Wine {
    /// Finds or installs everything, and makes the prefix.
    ///
    /// # Errors
    ///
    /// What is missing (not run), or what went wrong (failed).
    pub(crate) fn set_up(ws: &Workspace) -> Result<Self, Outcome> {
        let there =
            || [LOADERS, SERVERS, &[C_COMPILER], &[CPP_COMPILER]].iter().all(|names| find(names).is_some());
        debian::ensure("Wine and MinGW-w64", PACKAGES, there).map_err(Outcome::NotRun)?;
        let cross = Cross::to(ws, WINDOWS).map_err(Outcome::NotRun)?;
        let (Some(loader), Some(server)) = (find(LOADERS), find(SERVERS)) else {
            return Err(Outcome::NotRun("Wine has gone while we looked at it".to_owned()));
        };
        let wine = Self { loader, steady: can_be_steady(), server, prefix: ws.target().join("wine"), cross };
        wine.make_prefix(ws)?;
        wine.serve()?;
        Ok(wine)
    }

    /// The same, with the C programs of the tests built.
    ///
    /// # Errors
    ///
    /// As [`set_up`](Self::set_up).
    pub(crate) fn for_tests(ws: &Workspace) -> Result<Self, Outcome> {
        let wine = Self::set_up(ws)?;
        for source in FOREIGN {
            let stem = Path::new(source).file_stem().unwrap_or_default();
            // Above the folders of all profiles, where the tests look for it.
            let program = wine.cross.folder(ws).join(stem).with_extension("exe");
            compile(ws, source, &program, &["-municode"])?;
        }
        Ok(wine)
    }

    /// A cargo that builds for Windows and runs what it built in this Wine.
    pub(crate) fn cargo<'a>(&self, ws: &Workspace, args: impl IntoIterator<Item = &'a str>) -> Command {
        let mut command = self.cross.cargo(ws, args);
        let loader = self.start();
        let words: Vec<_> = std::iter::once(loader.get_program()).chain(loader.get_args()).collect();
        command.env("CARGO_TARGET_X86_64_PC_WINDOWS_GNU_RUNNER", words.join(OsStr::new(" ")));
        self.environment(&mut command);
        command
    }

    /// Builds the peer of the tests with the steps at which a process may die; gives its place.
    pub(crate) fn build_peer_with_steps(&self, ws: &Workspace) -> (Outcome, PathBuf) {
        // Tests build it themselves where there is a cargo for the system they run on.
        let target = self.cross.folder(ws).join("steps");
        let mut cargo = self.cargo(ws, ["build", "--locked", "--package", "tdshm-tests", "--bin", "peer"]);
        cargo.env("RUSTFLAGS", format!("--cfg tdshm_steps {IN_PAGES}")).env("CARGO_TARGET_DIR", &target);
        (outcome(cargo), target.join(WINDOWS).join("debug").join("peer.exe"))
    }

    /// Where cargo puts a program of the workspace.
    pub(crate) fn built(&self, ws: &Workspace, program: &str) -> PathBuf {
        self.cross.folder(ws).join("debug").join(program).with_extension("exe")
    }

    /// A Windows program.
    pub(crate) fn program(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = self.start();
        command.arg(program);
        self.environment(&mut command);
        command
    }

    /// Wine's loader, to which a program is still to be named.
    fn start(&self) -> Command {
        if !self.steady {
            return Command::new(&self.loader);
        }
        let mut command = steadily();
        command.arg(&self.loader);
        command
    }

    fn environment(&self, command: &mut Command) {
        command
            .env("WINEPREFIX", &self.prefix)
            .env("WINEDEBUG", "-all")
            // Neither .NET nor a browser is asked for, and no menu of this machine's desktop is touched.
            .env("WINEDLLOVERRIDES", "mscoree,mshtml=;winemenubuilder.exe=d")
            .env_remove("DISPLAY");
    }

    /// Has a server that stays between two programs: one that goes just as the next program comes makes that one fail, and so
    /// did the one that made the folder, which goes a few seconds after its last program. Then it starts Windows' services,
    /// which the first program would start otherwise, and which would keep its output open.
    fn serve(&self) -> Result<(), Outcome> {
        // It fails where there is none, which is as good.
        let _ = works(self.server("-k"));
        if !works(self.server("-p")) {
            return Err(Outcome::Failed(format!(
                "Wine's server does not start in {}",
                self.prefix.display()
            )));
        }
        if !works(self.program("wineboot")) {
            return Err(Outcome::Failed(format!(
                "Windows' services do not start in {}",
                self.prefix.display()
            )));
        }
        Ok(())
    }

    /// Wine's server.
    fn server(&self, argument: &str) -> Command {
        let mut command = Command::new(&self.server);
        command.arg(argument);
        self.environment(&mut command);
        command
    }

    fn make_prefix(&self, ws: &Workspace) -> Result<(), Outcome> {
        // Written last, so that a prefix that was interrupted is made again.
        let ready = self.prefix.join("ready");
        if !ready.is_file() {
            println!("    Wine makes its folder, which takes about ten seconds");
            let _ = fs::remove_dir_all(&self.prefix);
            fs::create_dir_all(&self.prefix).map_err(|e| failed("cannot create Wine's folder", e))?;
            let mut boot = self.program("wineboot");
            boot.arg("--init");
            if !works(boot) {
                return Err(Outcome::Failed(format!("Wine cannot make {}", self.prefix.display())));
            }
            // The server has written everything down when it has gone.
            let _ = works(self.server("-w"));
        }
        self.install_stand_in(ws)?;
        fs::write(ready, "").map_err(|e| failed("cannot mark Wine's folder as ready", e))
    }

    fn install_stand_in(&self, ws: &Workspace) -> Result<(), Outcome> {
        let place = self.prefix.join("drive_c/windows/system32").join(STAND_IN).with_extension("dll");
        let built = self.prefix.join(STAND_IN).with_extension("dll");
        // A newer Wine brings the library.
        if place.is_file() && !built.is_file() {
            return Ok(());
        }
        let source = format!("xtask/windows/{STAND_IN}.c");
        compile(ws, &source, &built, &["-shared", "-ladvapi32"])?;
        fs::copy(&built, &place).map_err(|e| failed("cannot install the stand-in library", e))?;
        Ok(())
    }
}

impl Drop for Wine {
    fn drop(&mut self) {
        // It fails when nothing runs any more, which is as good.
        let _ = works(self.server("-k"));
    }
}

/// Starts what it is given with a heap that begins where it always does.
///
/// The kernel puts it up to a gigabyte behind the program otherwise, and Wine's lies at 0x7d000000: once in some 7700 starts
/// the heap is on the page of Windows that has to be at 0x7ffe0000, and Wine ends with 1 and without a word before the
/// program begins. Who started it from Windows is told an internal error, 1359.
fn steadily() -> Command {
    let mut command = Command::new("setarch");
    command.arg("-R");
    command
}

/// Whether that is allowed: containers may forbid it.
fn can_be_steady() -> bool {
    let mut trial = steadily();
    trial.arg("true");
    let can = works(trial);
    if !can {
        println!(
            "    `setarch -R` is not allowed here: once in thousands of starts Wine ends before its program begins, and its \
             test fails without a word"
        );
    }
    can
}

/// Compiles one C file of the workspace for Windows, warnings being errors; skipped when the program is newer.
fn compile(ws: &Workspace, source: &str, program: &Path, args: &[&str]) -> Result<(), Outcome> {
    let source = ws.root().join(source);
    let time = |path: &Path| fs::metadata(path).and_then(|about| about.modified()).ok();
    if time(program).is_some_and(|built| time(&source).is_some_and(|written| built > written)) {
        return Ok(());
    }
    if let Some(folder) = program.parent() {
        fs::create_dir_all(folder).map_err(|e| failed("cannot create the folder of Windows programs", e))?;
    }
    let mut compiler = Command::new(C_COMPILER);
    compiler.args(["-std=c11", "-O1", "-g", "-Wall", "-Wextra", "-Werror", "-static", "-o"]);
    compiler.arg(program).arg(source).args(args);
    match outcome(compiler) {
        Outcome::Passed => Ok(()),
        other => Err(other),
    }
}

fn failed(what: &str, error: std::io::Error) -> Outcome {
    Outcome::Failed(format!("{what}: {error}"))
}
