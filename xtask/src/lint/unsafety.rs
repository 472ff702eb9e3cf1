//! Where `unsafe` may stand, and the proof that goes with it.

use super::source::{after_word, code_only};
use super::{Finding, TextFile};

/// Beginnings of the paths in which `unsafe` may stand.
const PLACES: &[&str] = &[
    "crates/tdshm/src/sys.rs",
    "crates/tdshm/src/sys/",
    "crates/tdshm/src/mem.rs",
    "crates/tdshm/src/mem/",
    "crates/tdshm-capi/src/",
    // Memory of numpy's arrays.
    "crates/tdshm-python/src/view.rs",
    "crates/tdshm-python/src/view/",
    // One variable for zenoh, before anything else.
    "crates/tdshm-zenoh/src/main.rs",
    // Not shipped: what the library is compared with, and the foreign programs and probes of the tests.
    "bench/",
    "tests/",
];

/// A `SAFETY:` comment stands on one of so many lines above, or on the same one.
const PROOF_LINES: usize = 6;

/// Checks every file.
pub(super) fn check(files: &[TextFile]) -> Vec<Finding> {
    files.iter().flat_map(judge).collect()
}

fn judge(file: &TextFile) -> Vec<Finding> {
    let code = code_only(&file.text);
    let lines: Vec<&str> = file.text.lines().collect();
    let allowed = PLACES.iter().any(|place| file.path.starts_with(place));
    let mut findings = Vec::new();
    let code_lines: Vec<&str> = code.lines().collect();
    for (index, line) in code_lines.iter().enumerate() {
        for after in after_word(line, "unsafe") {
            let number = index.saturating_add(1);
            if !allowed {
                let message = "`unsafe` stands outside its places (sys and mem of the core, the C ABI): use what they offer";
                findings.push(Finding::at(&file.path, number, message));
            } else if needs_proof(after, code_lines.get(number).copied().unwrap_or_default())
                && !proven(&lines, index)
            {
                let message =
                    format!("`unsafe` without a SAFETY: comment within {PROOF_LINES} lines above: prove it");
                findings.push(Finding::at(&file.path, number, message));
            }
        }
    }
    findings
}

/// Blocks and implementations are proven where they stand; a function's duties stand in its documentation.
fn needs_proof(after: &str, next_line: &str) -> bool {
    let next = if after.trim().is_empty() { next_line } else { after }.trim_start();
    next.starts_with('{') || after_word(next, "impl").next().is_some_and(|_| next.starts_with("impl"))
}

fn proven(lines: &[&str], index: usize) -> bool {
    let above = lines.get(index.saturating_sub(PROOF_LINES)..=index).unwrap_or_default();
    above.iter().any(|line| line.contains("SAFETY:"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> Vec<String> {
        judge(&TextFile::new(path, text)).into_iter().map(|f| f.place).collect()
    }

    #[test]
    fn outside_its_places_every_one_is_found() {
        let text = "#![forbid(unsafe_code)]\n// unsafe\nlet s = \"unsafe { }\";\n\nunsafe fn f() {}\n";
        for path in ["crates/tdshm/src/lib.rs", "crates/tdshm/src/member.rs", "xtask/src/main.rs"] {
            assert_eq!(found(path, text), [format!("{path}:5")]);
        }
        assert_eq!(found("crates/tdshm/src/sys/posix/map.rs", text), [""; 0]);
    }

    #[test]
    fn blocks_and_implementations_need_a_proof_near_by() {
        let path = "crates/tdshm/src/mem.rs";
        let gap = |lines: usize| format!("// SAFETY: because\n{}unsafe {{ f() }}\n", "x;\n".repeat(lines));
        assert_eq!(found(path, &gap(0)), [""; 0]);
        assert_eq!(found(path, &gap(5)), [""; 0]);
        assert_eq!(found(path, &gap(6)), [format!("{path}:8")]);
        assert_eq!(
            found(path, "unsafe impl Send for X {}\nunsafe\n{ f() }\n"),
            [format!("{path}:1"), format!("{path}:2")]
        );
        assert_eq!(
            found(path, "unsafe fn f() {}\nunsafe extern \"C\" { fn g(); }\n#[unsafe(no_mangle)]\n"),
            [""; 0]
        );
        assert_eq!(found(path, "let x = unsafe { f() }; // SAFETY: because\n"), [""; 0]);
    }
}
