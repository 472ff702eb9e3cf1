//! Code in documents that is a copy of code in programs, and stays one.
//!
//! A line `<!-- snippet: path/to/file.rs -->` right before a code fence says that the fence holds what stands in
//! that file between `// snippet:begin` and `// snippet:end`, without the indentation all its lines share. In Python a
//! comment begins with `#`.

use std::path::Path;

use anyhow::{Context, Result};

use super::{Finding, entries, from_root, read};

const README: &str = "README.md";

const BEGIN: &str = "// snippet:begin";
const END: &str = "// snippet:end";

/// A code fence that is, or should be, a copy.
#[derive(Debug, PartialEq, Eq)]
struct Snippet {
    /// Line of the fence, from 1.
    line: usize,
    /// The file it names, if it names one.
    source: Option<String>,
    text: String,
}

/// Checks the README, and every document in `docs/`.
///
/// # Errors
///
/// When a document cannot be read.
pub(super) fn check(root: &Path) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    if !root.join(README).is_file() {
        findings.push(Finding::new(README, "is missing: write what the project is for, and how to run it"));
    }
    for path in documents(root)? {
        let place = from_root(root, &path);
        for snippet in fences(&read(&path)?) {
            let problem = match &snippet.source {
                Some(source) => std::fs::read_to_string(root.join(source))
                    .with_context(|| format!("cannot read {source}"))
                    .and_then(|file| compare(&snippet.text, source, &file))
                    .err(),
                None => Some(anyhow::anyhow!(
                    "this Rust code names no file: put <!-- snippet: path/to/file.rs --> right before it"
                )),
            };
            findings.extend(problem.map(|p| Finding::at(&place, snippet.line, format!("{p:#}"))));
        }
    }
    Ok(findings)
}

fn documents(root: &Path) -> Result<Vec<std::path::PathBuf>> {
    let mut documents = Vec::from_iter(Some(root.join(README)).filter(|readme| readme.is_file()));
    let mut folders = vec![root.join("docs")];
    while let Some(folder) = folders.pop().filter(|f| f.is_dir()) {
        for path in entries(&folder)? {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "md") {
                documents.push(path);
            }
        }
    }
    Ok(documents)
}

/// The fences that name a file, and the other Rust fences.
fn fences(document: &str) -> Vec<Snippet> {
    let mut found = Vec::new();
    let mut named = None;
    let mut lines = document.lines().enumerate();
    while let Some((index, line)) = lines.next() {
        if let Some(language) = line.trim_start().strip_prefix("```") {
            let body: Vec<&str> =
                lines.by_ref().map(|(_, l)| l).take_while(|l| !l.trim_start().starts_with("```")).collect();
            let source: Option<String> = named.take();
            if source.is_some() || language.starts_with("rust") {
                found.push(Snippet { line: index.saturating_add(1), source, text: dedent(&body) });
            }
        } else {
            let comment = line.trim().strip_prefix("<!-- snippet:").and_then(|l| l.strip_suffix("-->"));
            named = comment.map(|path| path.trim().to_owned());
        }
    }
    found
}

fn compare(text: &str, source: &str, file: &str) -> Result<()> {
    let region = region(file).with_context(|| {
        format!("{source} has no lines between `{BEGIN}` and `{END}`: mark what is shown")
    })?;
    let difference = text.lines().zip(region.lines()).find(|(shown, real)| shown != real);
    match difference {
        Some((shown, real)) => {
            anyhow::bail!(
                "differs from {source}: shows `{}`, but there it is `{}`",
                shown.trim(),
                real.trim()
            )
        }
        None if text != region => anyhow::bail!("differs from {source}: one is longer than the other"),
        None => Ok(()),
    }
}

/// Whether a line is a mark, as a comment of Rust's or of Python's.
fn is_mark(line: &str, mark: &str) -> bool {
    let line = line.trim();
    line == mark || line.strip_prefix("# ") == mark.strip_prefix("// ") && line.starts_with('#')
}

/// What stands between the marks.
fn region(file: &str) -> Option<String> {
    let mut lines = file.lines();
    lines.by_ref().find(|l| is_mark(l, BEGIN))?;
    let mut body = Vec::new();
    for line in lines {
        if is_mark(line, END) {
            return Some(dedent(&body));
        }
        body.push(line);
    }
    None
}

/// The lines without the indentation that all of them share, and without blanks at their ends.
fn dedent(lines: &[&str]) -> String {
    let shared = lines
        .iter()
        .filter(|l| !l.trim().is_empty())
        .map(|l| l.len().saturating_sub(l.trim_start().len()))
        .min()
        .unwrap_or(0);
    let text: Vec<&str> = lines.iter().map(|l| l.get(shared..).unwrap_or_default().trim_end()).collect();
    text.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "fn main() {\n    // snippet:begin\n    let a = 1;\n\n    if a {\n        b();\n    }\n    \
                        // snippet:end\n}\n";

    #[test]
    fn a_true_copy() {
        let document =
            "Text.\n\n<!-- snippet: examples/a.rs -->\n```rust\nlet a = 1;\n\nif a {\n    b();\n}\n```\n";
        let [snippet] = &fences(document)[..] else { panic!("one fence") };
        assert_eq!((snippet.line, snippet.source.as_deref()), (4, Some("examples/a.rs")));
        compare(&snippet.text, "examples/a.rs", FILE).unwrap();
    }

    #[test]
    fn a_copy_that_drifted() {
        let said = |text| compare(text, "a.rs", FILE).unwrap_err().to_string();
        assert_eq!(
            said("let a = 2;\n\nif a {\n    b();\n}"),
            "differs from a.rs: shows `let a = 2;`, but there it is `let a = 1;`"
        );
        assert_eq!(said("let a = 1;"), "differs from a.rs: one is longer than the other");
        let unmarked = compare("x", "b.rs", "// snippet:begin\nx\n").unwrap_err().to_string();
        assert_eq!(
            unmarked,
            "b.rs has no lines between `// snippet:begin` and `// snippet:end`: mark what is shown"
        );
    }

    #[test]
    fn which_fences_count() {
        let document = "```sh\nls\n```\n```rust\nx\n```\n<!-- snippet: a -->\n\n```text\ny\n```\n\
                        <!-- snippet: b.sh -->\n```sh\nz\n```\n";
        let found: Vec<_> = fences(document).into_iter().map(|s| (s.line, s.source)).collect();
        // The comment must stand right before the fence.
        assert_eq!(found, [(4, None), (13, Some("b.sh".to_owned()))]);
    }
}
