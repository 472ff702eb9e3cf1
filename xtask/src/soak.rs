//! `cargo xtask soak`: the tests across processes, until a rare failure has had its chance.
//!
//! The test programs are built once and then run again and again, several at a time: each run has its own
//! processes and names, so they must not disturb each other. The tests marked `#[ignore]`, which are the long
//! ones, run once at the end.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use cargo_metadata::Message;

use crate::peers::peers;
use crate::steps::Outcome;
use crate::wine::Wine;
use crate::workspace::Workspace;

/// The tests whose programs in C++ the part `c` of the tests builds: they run there.
const IN_CPP: &str = "cpp";
/// How often a running test program is looked at.
const POLL: Duration = Duration::from_millis(20);

/// What to repeat, and how often.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Runs of every test program
    #[arg(long, default_value_t = 50)]
    repeats: usize,
    /// Test programs that run at the same time
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..))]
    jobs: u16,
    /// Seconds after which one run of a program counts as hanging
    #[arg(long, default_value_t = 600)]
    limit: u64,
    /// The package whose tests are run
    #[arg(long, default_value = "tdshm-tests")]
    package: String,
    /// Run them as Windows programs, in Wine
    #[arg(long)]
    windows: bool,
}

/// One run of a test program.
#[derive(Debug)]
struct Pass<'p> {
    program: &'p Path,
    args: &'static [&'static str],
    log: PathBuf,
}

/// Where passes run.
#[derive(Debug)]
struct Surroundings<'s> {
    folder: &'s Path,
    wine: Option<&'s Wine>,
    limit: Duration,
}

/// Builds the tests, then runs them as the options say.
///
/// # Errors
///
/// At the first failure, with the place of its output.
pub(crate) fn run(ws: &Workspace, options: &Options) -> Result<()> {
    let package = ws.package(&options.package, "holds the tests to repeat")?;
    let folder = package.manifest_path.parent().context("a manifest without a folder")?.as_std_path();
    let wine = options.windows.then(|| Wine::for_tests(ws).map_err(Outcome::into_error)).transpose()?;
    let wine = wine.as_ref();
    let programs = build(ws, wine, &options.package)?;
    if wine.is_none() {
        match peers(ws) {
            Outcome::Passed => {}
            other => return Err(other.into_error()),
        }
    }
    ensure!(!programs.is_empty(), "the package {} has no test programs", options.package);
    let logs = ws.target().join("soak");
    fs::create_dir_all(&logs).with_context(|| format!("cannot create {}", logs.display()))?;

    let limit = Duration::from_secs(options.limit);
    let pass = |program, args, number: usize| Pass { program, args, log: log_path(&logs, program, number) };
    let repeats: Vec<Pass<'_>> = (1..=options.repeats)
        .flat_map(|number| programs.iter().map(move |program| pass(program, &["--quiet"], number)))
        .collect();
    println!(
        "==> {} runs: {} test programs, {} times each, {} at a time",
        repeats.len(),
        programs.len(),
        options.repeats,
        options.jobs
    );
    let start = Instant::now();
    let surroundings = Surroundings { folder, wine, limit };
    let done = run_parallel(&repeats, &surroundings, usize::from(options.jobs))?;
    println!("    {done} of {} runs passed in {:.1} s", repeats.len(), start.elapsed().as_secs_f64());

    println!("==> the ignored tests of {} test programs, once", programs.len());
    let ignored: Vec<Pass<'_>> = programs.iter().map(|p| pass(p, &["--quiet", "--ignored"], 0)).collect();
    let start = Instant::now();
    let done = run_parallel(&ignored, &surroundings, 1)?;
    println!("    {done} of {} runs passed in {:.1} s", ignored.len(), start.elapsed().as_secs_f64());
    Ok(())
}

/// Builds the tests of `package` (and its programs, which they start) and gives the test programs.
fn build(ws: &Workspace, wine: Option<&Wine>, package: &str) -> Result<Vec<PathBuf>> {
    let args =
        ["test", "--no-run", "--locked", "--package", package, "--message-format=json-render-diagnostics"];
    let mut cargo = wine.map_or_else(|| ws.cargo(args), |wine| wine.cargo(ws, args));
    let output = cargo.stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn()?.wait_with_output()?;
    ensure!(output.status.success(), "building the tests of {package} failed");
    let mut programs = Vec::new();
    for message in Message::parse_stream(output.stdout.as_slice()) {
        if let Message::CompilerArtifact(artifact) = message?
            && artifact.profile.test
            && let Some(program) = artifact.executable
            && artifact.target.name != IN_CPP
        {
            programs.push(program.into_std_path_buf());
        }
    }
    Ok(programs)
}

/// Runs the passes, `jobs` at a time, up to the first that fails. Gives how many passed.
fn run_parallel(passes: &[Pass<'_>], surroundings: &Surroundings<'_>, jobs: usize) -> Result<usize> {
    let next = AtomicUsize::new(0);
    let passed = AtomicUsize::new(0);
    let failure: Mutex<Option<anyhow::Error>> = Mutex::new(None);
    let failed = || failure.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    thread::scope(|scope| {
        for _ in 0..jobs.min(passes.len()) {
            scope.spawn(|| {
                while failed().is_none() {
                    let Some(pass) = passes.get(next.fetch_add(1, Ordering::Relaxed)) else { break };
                    match run_one(pass, surroundings) {
                        Ok(()) => {
                            passed.fetch_add(1, Ordering::Relaxed);
                        }
                        Err(error) => {
                            failed().get_or_insert(error);
                        }
                    }
                }
            });
        }
    });
    let passed = passed.into_inner();
    match failure.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner) {
        Some(error) => {
            Err(error.context(format!("a run failed after {passed} of {} had passed", passes.len())))
        }
        None => Ok(passed),
    }
}

/// Runs one test program to its end. Its output goes to a file, which is removed when all is well.
fn run_one(pass: &Pass<'_>, surroundings: &Surroundings<'_>) -> Result<()> {
    let log = File::create(&pass.log).with_context(|| format!("cannot create {}", pass.log.display()))?;
    let Surroundings { folder, wine, limit } = *surroundings;
    let mut program = wine.map_or_else(|| Command::new(pass.program), |wine| wine.program(pass.program));
    let mut child = program
        .args(pass.args)
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .spawn()
        .with_context(|| format!("cannot start {}", pass.program.display()))?;
    let start = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if start.elapsed() >= limit {
            child.kill()?;
            child.wait()?;
            bail!(
                "{} did not end within {} s: see {}",
                pass.program.display(),
                limit.as_secs(),
                pass.log.display()
            );
        }
        thread::sleep(POLL);
    };
    ensure!(status.success(), "{} ended with {status}: see {}", pass.program.display(), pass.log.display());
    // A log that stays is a nuisance, not a failure.
    let _ = fs::remove_file(&pass.log);
    Ok(())
}

fn log_path(folder: &Path, program: &Path, number: usize) -> PathBuf {
    let name = program.file_stem().unwrap_or_default().to_string_lossy();
    folder.join(format!("{name}-{number}.log"))
}
