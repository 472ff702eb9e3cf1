//! Steps one after the other, announced, timed, and listed at the end.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, bail};

/// What became of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It ran, and what it checks holds.
    Passed,
    /// It ran, and what it checks does not hold; why, for people to read.
    Failed(String),
    /// It could not run here; what is missing, for people to read. Never as good as passed.
    NotRun(String),
}

impl Outcome {
    fn word(&self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed(_) => "FAILED",
            Self::NotRun(_) => "not run",
        }
    }

    /// The outcome as an error, for tasks that are one step.
    pub(crate) fn into_error(self) -> anyhow::Error {
        anyhow!("{}: {}", self.word(), self.reason().unwrap_or_default())
    }

    fn reason(&self) -> Option<&str> {
        match self {
            Self::Passed => None,
            Self::Failed(why) | Self::NotRun(why) => Some(why),
        }
    }
}

/// A step: its name, and what to do.
pub(crate) struct Step<'a> {
    pub(crate) name: &'static str,
    pub(crate) run: Box<dyn FnOnce() -> Outcome + 'a>,
}

impl<'a> Step<'a> {
    pub(crate) fn new(name: &'static str, run: impl FnOnce() -> Outcome + 'a) -> Self {
        Self { name, run: Box::new(run) }
    }
}

/// A line of the closing table: a step that was not reached has no outcome.
#[derive(Debug)]
struct Line {
    name: &'static str,
    outcome: Option<Outcome>,
    took: Duration,
}

/// Runs the steps in order, up to the first that fails, and prints the table.
///
/// With `strict` (in continuous integration) a step that cannot run fails too.
///
/// # Errors
///
/// When a step failed, by its name.
pub(crate) fn run_all(steps: Vec<Step<'_>>, strict: bool) -> Result<()> {
    let mut lines = Vec::with_capacity(steps.len());
    let mut failed = None;
    for step in steps {
        if failed.is_some() {
            lines.push(Line { name: step.name, outcome: None, took: Duration::ZERO });
            continue;
        }
        println!("==> {}", step.name);
        let start = Instant::now();
        let outcome = strictly((step.run)(), strict);
        if let Some(why) = outcome.reason() {
            println!("    {}: {why}", outcome.word());
        }
        if matches!(outcome, Outcome::Failed(_)) {
            failed = Some(step.name);
        }
        lines.push(Line { name: step.name, outcome: Some(outcome), took: start.elapsed() });
    }
    print!("\n{}", table(&lines));
    match failed {
        Some(name) => bail!("step `{name}` failed"),
        None => Ok(()),
    }
}

fn strictly(outcome: Outcome, strict: bool) -> Outcome {
    match outcome {
        Outcome::NotRun(why) if strict => Outcome::Failed(format!("could not run, and CI is set: {why}")),
        other => other,
    }
}

fn table(lines: &[Line]) -> String {
    let width = lines.iter().map(|line| line.name.len()).max().unwrap_or(0).max("step".len());
    let mut text = format!("{:width$}  {:11}  {:>7}\n", "step", "result", "seconds");
    for line in lines {
        let word = line.outcome.as_ref().map_or("not reached", Outcome::word);
        // Writing to a string cannot fail.
        let _ = match line.outcome {
            Some(_) => writeln!(text, "{:width$}  {word:11}  {:>7.1}", line.name, line.took.as_secs_f64()),
            None => writeln!(text, "{:width$}  {word:11}  {:>7}", line.name, "-"),
        };
    }
    text
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    #[test]
    fn the_first_failure_stops_the_rest() {
        let seen = RefCell::new(Vec::new());
        let step = |name, outcome: Outcome| {
            let seen = &seen;
            Step::new(name, move || {
                seen.borrow_mut().push(name);
                outcome
            })
        };
        let steps = vec![
            step("one", Outcome::Passed),
            step("two", Outcome::NotRun("no tool".into())),
            step("three", Outcome::Failed("broken".into())),
            step("four", Outcome::Passed),
        ];
        let error = run_all(steps, false).unwrap_err();
        assert_eq!(error.to_string(), "step `three` failed");
        assert_eq!(*seen.borrow(), ["one", "two", "three"]);
    }

    #[test]
    fn not_run_fails_where_it_must_run() {
        let missing = || vec![Step::new("one", || Outcome::NotRun("no tool".into()))];
        assert!(run_all(missing(), false).is_ok());
        assert!(run_all(missing(), true).is_err());
    }

    #[test]
    fn the_table_lists_every_step() {
        let line = |name, outcome, seconds| Line { name, outcome, took: Duration::from_millis(seconds) };
        let lines = [
            line("format", Some(Outcome::Passed), 1234),
            line("clippy", Some(Outcome::NotRun("no tool".into())), 0),
            line("tests", Some(Outcome::Failed("broken".into())), 60_000),
            line("demo", None, 0),
        ];
        assert_eq!(
            table(&lines),
            "step    result       seconds\n\
             format  passed           1.2\n\
             clippy  not run          0.0\n\
             tests   FAILED          60.0\n\
             demo    not reached        -\n"
        );
    }
}
