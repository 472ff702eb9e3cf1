//! What was found, line by line, and the summary at the end.

use std::borrow::Cow;
use std::io;

use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

use crate::args::version;
use crate::cmd::doctor::check::Check;
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
    /// It cannot be told from here.
    Unknown,
}

#[derive(Debug, Serialize)]
struct Line {
    /// The segment that it is about.
    name: Option<String>,
    #[serde(flatten, serialize_with = "named")]
    check: Check,
    verdict: Verdict,
    said: String,
    /// What to do.
    advice: Option<String>,
}

/// A check as programs see it.
fn named<S: Serializer>(check: &Check, serializer: S) -> Result<S::Ok, S::Error> {
    let mut fields = serializer.serialize_struct("Check", 3)?;
    fields.serialize_field("id", check.id)?;
    fields.serialize_field("step", check.step)?;
    fields.serialize_field("see", &check.see.map(page))?;
    fields.end()
}

/// Where more is to be read.
fn page(anchor: &str) -> String {
    format!("docs/mistakes.md#{anchor}")
}

/// What somebody has to do, or to look at.
#[derive(Debug, PartialEq, Serialize)]
struct Task<'l> {
    id: &'static str,
    name: Option<&'l str>,
    /// `warning` or `failed`.
    verdict: Verdict,
    what: &'l str,
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
    /// The segment that is being looked at.
    name: Option<String>,
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
    /// The most important first.
    todo: Vec<Task<'r>>,
}

impl Report {
    pub(super) fn new(live: Live) -> Self {
        Self { lines: Vec::new(), name: None, live, unprinted: Ok(()) }
    }

    pub(super) fn ok(&mut self, check: Check, said: impl Into<String>) {
        self.add(check, Verdict::Ok, said.into(), None);
    }

    pub(super) fn seen(&mut self, check: Check, said: impl Into<String>) {
        self.add(check, Verdict::Seen, said.into(), None);
    }

    pub(super) fn skipped(&mut self, check: Check, said: impl Into<String>) {
        self.add(check, Verdict::Skipped, said.into(), None);
    }

    pub(super) fn warning(
        &mut self,
        check: Check,
        said: impl Into<String>,
        advice: impl Into<Option<&'static str>>,
    ) {
        self.add(check, Verdict::Warning, said.into(), advice.into());
    }

    pub(super) fn failed(
        &mut self,
        check: Check,
        said: impl Into<String>,
        advice: impl Into<Option<&'static str>>,
    ) {
        self.add(check, Verdict::Failed, said.into(), advice.into());
    }

    pub(super) fn unknown(&mut self, check: Check, said: impl Into<String>, advice: &'static str) {
        self.add(check, Verdict::Unknown, said.into(), Some(advice));
    }

    /// From here on it is about that segment, or about none.
    pub(super) fn about(&mut self, name: Option<&str>) {
        self.name = name.map(str::to_owned);
    }

    fn add(&mut self, check: Check, verdict: Verdict, said: String, advice: Option<&'static str>) {
        self.tell(check, verdict, said, advice.map(str::to_owned));
    }

    /// As the others, with advice that was made up for this.
    pub(super) fn tell(&mut self, check: Check, verdict: Verdict, said: String, advice: Option<String>) {
        let begins =
            self.lines.last().is_none_or(|line| line.check.step != check.step || line.name != self.name);
        let line = Line { name: self.name.clone(), check, verdict, said, advice };
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
        let (lines, todo) = (&*self.lines, self.todo());
        json::print(&Json { version, about: version::long(), failed, stopped, lines, todo })
    }

    /// What has to be done, then what should be looked at, each in the order in which it matters.
    fn todo(&self) -> Vec<Task<'_>> {
        let of = |wanted: Verdict| {
            let mut lines: Vec<&Line> = self.lines.iter().filter(|line| line.verdict == wanted).collect();
            lines.sort_by_key(|line| line.check.place());
            lines.into_iter().map(|line| Task {
                id: line.check.id,
                name: line.name.as_deref(),
                verdict: line.verdict,
                what: line.advice.as_deref().unwrap_or(&line.said),
            })
        };
        let mut tasks: Vec<Task<'_>> = Vec::new();
        for task in of(Verdict::Failed).chain(of(Verdict::Warning)) {
            if tasks.iter().all(|other| (other.what, other.name) != (task.what, task.name)) {
                tasks.push(task);
            }
        }
        tasks
    }

    /// What to do, or that there is nothing, of segments that were looked at.
    pub(super) fn print_todo(&mut self) -> io::Result<()> {
        let tasks = self.todo();
        let mut names = self.lines.iter().filter_map(|line| line.name.as_deref());
        let first = names.next();
        let several = names.any(|name| Some(name) != first);
        let mut text = match (self.has_failed(), tasks.is_empty()) {
            (false, true) => "\nNothing stands between them.\n".to_owned(),
            (false, false) => "\nNothing is broken between them. To look at, all the same:\n".to_owned(),
            (true, _) => "\nWhat to do, the most important first:\n".to_owned(),
        };
        let room = screen::columns().unwrap_or(usize::MAX).saturating_sub(4).max(30);
        for (number, task) in (1_usize..).zip(&tasks) {
            let what = match task.name.filter(|_| several) {
                Some(name) => format!("{name:?}: {}", task.what),
                None => task.what.to_owned(),
            };
            let what = format!("{what} ({})", task.id);
            let mut begin = format!("{number:>2}. ");
            for line in wrapped(printable(&what).split(' ').map(Cow::Borrowed), room) {
                text.push_str(&format!("{begin}{line}\n"));
                begin = " ".repeat(4);
            }
        }
        screen::write(&text)
    }

    /// What it comes to; all of it once more as plain text, where that was not standard output.
    pub(super) fn print_end(&mut self, stopped: bool, whole: bool) -> io::Result<()> {
        std::mem::replace(&mut self.unprinted, Ok(()))?;
        let mut all = String::new();
        if whole {
            all.push_str(&format!("tdshm doctor --touchdesigner, tdshm {}\n", version::long()));
            let mut step = "";
            for line in &self.lines {
                all.push_str(&text(line, line.check.step != step, None, false));
                step = line.check.step;
            }
        }
        let [ok, warnings, failed, skipped, unknown] =
            [Verdict::Ok, Verdict::Warning, Verdict::Failed, Verdict::Skipped, Verdict::Unknown]
                .map(|verdict| self.count(verdict));
        let warnings = say::count_of(warnings, "warning");
        all.push_str(&format!("\n{ok} ok, {warnings}, {failed} failed, "));
        all.push_str(&match unknown {
            0 => format!("{skipped} left open"),
            _ => format!("{unknown} not known"),
        });
        all.push_str(if stopped { "; stopped before the end\n" } else { "\n" });
        screen::write(&all)
    }
}

/// A line for people, below the heading of its step where it begins one.
fn text(line: &Line, begins: bool, columns: Option<usize>, colours: bool) -> String {
    let mut text = String::new();
    if begins {
        let title = match &line.name {
            Some(name) => format!("{} · {}", line.check.step, printable(name)),
            None => line.check.step.to_owned(),
        };
        text.push_str(&format!("\n{}\n", paint(colours, "1", &title)));
    }
    let (word, style) = match line.verdict {
        Verdict::Ok => ("ok", "32"),
        Verdict::Seen => ("", "0"),
        Verdict::Warning => ("warning", "33"),
        Verdict::Failed => ("FAILED", "1;31"),
        Verdict::Skipped => ("open", "36"),
        Verdict::Unknown => ("unknown", "36"),
    };
    let word = format!("{word:INDENT$}");
    let room = columns.unwrap_or(usize::MAX).saturating_sub(INDENT).max(30);
    let mut begin =
        if line.verdict == Verdict::Seen { word } else { paint(colours, style, &word).to_string() };
    let page =
        line.check.see.filter(|_| matches!(line.verdict, Verdict::Warning | Verdict::Failed)).map(page);
    let page = page.map(|page| format!(" ({page})")).unwrap_or_default();
    let advice = line.advice.as_ref().map(|advice| format!("→ {advice}{page}"));
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
            name: None,
            check: Check { id: "here", step: "Here", see: None },
            verdict,
            said: "a b\x1b c".to_owned(),
            advice: advice.map(str::to_owned),
        };
        assert_eq!(text(&line(Verdict::Ok, None), true, None, false), "\nHere\nok       a b\u{fffd} c\n");
        let failed = line(Verdict::Failed, Some("do so"));
        assert_eq!(text(&failed, false, Some(20), false), "FAILED   a b\u{fffd} c\n         → do so\n");
    }
}
