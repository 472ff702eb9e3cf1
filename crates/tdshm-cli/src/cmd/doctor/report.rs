//! What was found, line by line, and the summary at the end.

use std::borrow::Cow;
use std::io;

use serde::Serialize;

use crate::args::version;
use crate::output::colour::{self, paint};
use crate::output::{json, printable, screen, wrapped};
use crate::say;

/// Columns in front of what is said.
const INDENT: usize = 9;

/// What a line means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Verdict {
    /// As it should be.
    Ok,
    /// Neither right nor wrong: what there is.
    Seen,
    /// It works, and somebody should look at it.
    Warning,
    /// It does not work.
    Failed,
    /// It was not tried, or nobody could say.
    Skipped,
}

#[derive(Debug, Serialize)]
struct Line {
    step: &'static str,
    verdict: Verdict,
    said: String,
    /// What to do.
    advice: Option<String>,
}

/// Where lines are printed as they come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Live {
    Output,
    Person,
    Nowhere,
}

/// Everything that was found.
#[derive(Debug)]
pub(super) struct Report {
    lines: Vec<Line>,
    live: Live,
    /// What kept a line from being printed.
    unprinted: io::Result<()>,
}

#[derive(Serialize)]
struct Json<'r> {
    version: &'static str,
    about: String,
    failed: bool,
    stopped: bool,
    lines: &'r [Line],
}

impl Report {
    pub(super) fn new(live: Live) -> Self {
        Self { lines: Vec::new(), live, unprinted: Ok(()) }
    }

    pub(super) fn ok(&mut self, step: &'static str, said: impl Into<String>) {
        self.add(step, Verdict::Ok, said.into(), None);
    }

    pub(super) fn seen(&mut self, step: &'static str, said: impl Into<String>) {
        self.add(step, Verdict::Seen, said.into(), None);
    }

    pub(super) fn skipped(&mut self, step: &'static str, said: impl Into<String>) {
        self.add(step, Verdict::Skipped, said.into(), None);
    }

    pub(super) fn warning(
        &mut self,
        step: &'static str,
        said: impl Into<String>,
        advice: impl Into<Option<&'static str>>,
    ) {
        self.add(step, Verdict::Warning, said.into(), advice.into());
    }

    pub(super) fn failed(
        &mut self,
        step: &'static str,
        said: impl Into<String>,
        advice: impl Into<Option<&'static str>>,
    ) {
        self.add(step, Verdict::Failed, said.into(), advice.into());
    }

    fn add(&mut self, step: &'static str, verdict: Verdict, said: String, advice: Option<&'static str>) {
        let begins = self.lines.last().is_none_or(|line| line.step != step);
        let line = Line { step, verdict, said, advice: advice.map(str::to_owned) };
        match self.live {
            Live::Output => {
                let text = text(&line, begins, screen::columns(), colour::of_stdout());
                let printed = screen::write(&text);
                self.unprinted = std::mem::replace(&mut self.unprinted, Ok(())).and(printed);
            }
            Live::Person => say::to_person(&text(&line, begins, screen::columns(), colour::of_stderr())),
            Live::Nowhere => {}
        }
        self.lines.push(line);
    }

    pub(super) fn has_failed(&self) -> bool {
        self.count(Verdict::Failed) > 0
    }

    fn count(&self, verdict: Verdict) -> usize {
        self.lines.iter().filter(|line| line.verdict == verdict).count()
    }

    /// One JSON object.
    pub(super) fn print_json(self: &mut Report, stopped: bool) -> io::Result<()> {
        let version = env!("CARGO_PKG_VERSION");
        let failed = self.has_failed();
        json::print(&Json { version, about: version::long(), failed, stopped, lines: &self.lines })
    }

    /// What it comes to; all of it once more as plain text, where that was not standard output.
    pub(super) fn print_end(&mut self, stopped: bool, whole: bool) -> io::Result<()> {
        std::mem::replace(&mut self.unprinted, Ok(()))?;
        let mut all = String::new();
        if whole {
            all.push_str(&format!("tdshm doctor --touchdesigner, tdshm {}\n", version::long()));
            let mut step = "";
            for line in &self.lines {
                all.push_str(&text(line, line.step != step, None, false));
                step = line.step;
            }
        }
        let [ok, warnings, failed, skipped] =
            [Verdict::Ok, Verdict::Warning, Verdict::Failed, Verdict::Skipped]
                .map(|verdict| self.count(verdict));
        let warnings = say::count_of(warnings, "warning");
        all.push_str(&format!("\n{ok} ok, {warnings}, {failed} failed, {skipped} left open"));
        all.push_str(if stopped { "; stopped before the end\n" } else { "\n" });
        screen::write(&all)
    }
}

/// A line for people, below the heading of its step where it begins one.
fn text(line: &Line, begins: bool, columns: Option<usize>, colours: bool) -> String {
    let mut text = String::new();
    if begins {
        text.push_str(&format!("\n{}\n", paint(colours, "1", line.step)));
    }
    let (word, style) = match line.verdict {
        Verdict::Ok => ("ok", "32"),
        Verdict::Seen => ("", "0"),
        Verdict::Warning => ("warning", "33"),
        Verdict::Failed => ("FAILED", "1;31"),
        Verdict::Skipped => ("open", "36"),
    };
    let word = format!("{word:INDENT$}");
    let room = columns.unwrap_or(usize::MAX).saturating_sub(INDENT).max(30);
    let mut begin =
        if line.verdict == Verdict::Seen { word } else { paint(colours, style, &word).to_string() };
    let advice = line.advice.as_ref().map(|advice| format!("→ {advice}"));
    for what in std::iter::once(&line.said).chain(&advice) {
        for what in wrapped(printable(what).split(' ').map(Cow::Borrowed), room) {
            text.push_str(&format!("{begin}{what}\n"));
            begin = " ".repeat(INDENT);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_have_headings_and_advice() {
        let line = |verdict, advice: Option<&str>| Line {
            step: "Here",
            verdict,
            said: "a b\x1b c".to_owned(),
            advice: advice.map(str::to_owned),
        };
        assert_eq!(text(&line(Verdict::Ok, None), true, None, false), "\nHere\nok       a b\u{fffd} c\n");
        let failed = line(Verdict::Failed, Some("do so"));
        assert_eq!(text(&failed, false, Some(20), false), "FAILED   a b\u{fffd} c\n         → do so\n");
    }
}
