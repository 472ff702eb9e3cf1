//! A file past 600 lines has two jobs. Advice, not a rule: the seam is found by people.

use super::{Finding, TextFile};

const LIMIT: usize = 600;

/// Looks at the sources of the crates.
pub(super) fn check(files: &[TextFile]) -> Vec<Finding> {
    files.iter().filter(|file| in_crate_source(&file.path)).filter_map(judge).collect()
}

fn in_crate_source(path: &str) -> bool {
    path.starts_with("crates/") && path.split('/').nth(2) == Some("src")
}

fn judge(file: &TextFile) -> Option<Finding> {
    let lines = file.text.lines().count();
    let message = || format!("{lines} lines, more than {LIMIT}: look for the seam between its two jobs");
    (lines > LIMIT).then(|| Finding::new(&*file.path, message()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_long_sources_of_crates() {
        let file = |path: &str, lines: usize| TextFile::new(path, &"x\n".repeat(lines));
        let files = [
            file("crates/a/src/b.rs", 601),
            file("crates/a/src/c.rs", 600),
            file("crates/a/tests/d.rs", 999),
        ];
        let found: Vec<String> = check(&files).iter().map(ToString::to_string).collect();
        assert_eq!(
            found,
            ["crates/a/src/b.rs: 601 lines, more than 600: look for the seam between its two jobs"]
        );
    }
}
