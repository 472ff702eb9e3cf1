//! Mistakes of a patch, with the lines they are in.

use std::path::Path;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
use tdshm_ops::patch::PatchError;

use crate::output::{colour, printable, screen};
use crate::say;

/// Columns where nothing says how wide the terminal is.
const USUAL: usize = 120;

/// Every mistake with the line it is in and a mark below it.
pub(crate) fn mistakes(path: &Path, text: &str, error: &PatchError) -> String {
    let renderer = if colour::of_stderr() { Renderer::styled() } else { Renderer::plain() };
    let renderer = renderer.term_width(screen::columns().unwrap_or(USUAL));
    let origin = path.display().to_string();
    let mut report = String::new();
    for mistake in error.mistakes() {
        let what = match mistake.key.as_str() {
            "" => mistake.what.clone(),
            key => format!("{key}: {}", mistake.what),
        };
        let (what, help) = (printable(&what), printable(&mistake.help));
        // A mark needs something to stand below; what is marked goes on over lines only in tables.
        let end = text.get(mistake.span.clone()).and_then(|marked| marked.find('\n'));
        let end = end.map_or(mistake.span.end, |at| mistake.span.start.saturating_add(at));
        let snippet = Snippet::source(text)
            .path(&origin)
            .fold(true)
            .annotation(AnnotationKind::Primary.span(mistake.span.start..end).label(help.as_ref()));
        report.push_str(&renderer.render(&[Level::ERROR.primary_title(what.as_ref()).element(snippet)]));
        report.push_str("\n\n");
    }
    report
}

/// How many there are.
pub(crate) fn summary(path: &Path, error: &PatchError) -> String {
    let count = error.mistakes().len().saturating_add(error.num_more());
    let not_shown = match error.num_more() {
        0 => String::new(),
        more => format!(", {more} of them not shown"),
    };
    format!("{} has {}{not_shown}", path.display(), say::count_of(count, "mistake"))
}
