//! The protocol's description and the code say the same numbers, and what the code cites is there.
//!
//! A row of a table in the description whose last cell is `` `info::MAGIC` `` says in its first cell what that constant
//! of `wire/info.rs` is; `` `chop::ChopHeader.length` `` is the offset of that field. Only what stands on one line of the
//! sources as a number, a text, or a sum, product or shift of these is compared.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use anyhow::Result;

use super::{Finding, TextFile, read};

const DOCUMENT: &str = "docs/protocol.md";
/// What the code cites beside it.
const OPERATORS: &str = "docs/operators.md";
/// Where the protocol's numbers stand, and its names.
const PLACES: [&str; 2] = ["crates/tdshm/src/wire/", "crates/tdshm/src/name.rs"];

/// What a constant is.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Value {
    Number(u64),
    Text(String),
}

/// A constant, or the offset of a field.
#[derive(Debug)]
struct Fact {
    file: String,
    line: usize,
    value: Value,
    /// Other modules rely on it, so the description has to have it.
    shared: bool,
}

/// Facts by `module::NAME`, or `module::Struct.field`.
type Facts = BTreeMap<String, Fact>;

/// Checks the rows of the description against the sources, the sources against the rows, and the citations.
///
/// # Errors
///
/// When the description cannot be read.
pub(super) fn check(root: &Path, files: &[TextFile]) -> Result<Vec<Finding>> {
    let text_of = |name: &str| {
        let path = root.join(name);
        if path.is_file() { read(&path) } else { Ok(String::new()) }
    };
    let (document, operators) = (text_of(DOCUMENT)?, text_of(OPERATORS)?);
    let cited = [("wire", DOCUMENT, document.as_str()), ("operators", OPERATORS, operators.as_str())];
    let mut findings = citations(&cited, files);
    findings.extend(numbers(&document, &facts(files)));
    Ok(findings)
}

/// Sections that are cited and not there.
fn citations(documents: &[(&str, &str, &str)], files: &[TextFile]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in files {
        // The word before a citation says which document it means, and those after it mean the same one. Without any
        // word it is the first.
        let mut cited_document = documents.first();
        for (index, line) in file.text.lines().enumerate() {
            let mut parts = line.split('\u{a7}');
            let mut before = parts.next().unwrap_or_default();
            for after in parts {
                let named = documents.iter().find(|(word, ..)| before.trim_end().ends_with(word));
                cited_document = named.or(cited_document);
                before = after;
                let end = after.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(after.len());
                let cited = after.get(..end).unwrap_or_default().trim_end_matches('.');
                let Some((_, place, text)) = cited_document else { continue };
                if !cited.is_empty() && !text.lines().filter_map(section).any(|section| section == cited) {
                    let message = format!("cites section {cited}, which {place} does not have");
                    findings.push(Finding::at(&file.path, index.saturating_add(1), message));
                }
            }
        }
    }
    findings
}

/// The number of the section that this line is the heading of.
fn section(line: &str) -> Option<&str> {
    let number =
        line.strip_prefix("##")?.trim_start_matches('#').split_whitespace().next()?.strip_suffix('.')?;
    number.starts_with(|c: char| c.is_ascii_digit()).then_some(number)
}

/// Rows that say something else than the code, and what no row says.
fn numbers(document: &str, facts: &Facts) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut told = Vec::new();
    for (index, row) in document.lines().enumerate() {
        let Some((said, name)) = row_of(row) else { continue };
        told.push(name);
        let problem = match facts.get(name) {
            None => Some(format!("`{name}` is not in the code, or not as a number: name what holds it now")),
            Some(fact) if Value::of(said).as_ref() == Some(&fact.value) => None,
            Some(fact) => Some(format!("says {said}, but `{name}` is {}", fact.value)),
        };
        findings.extend(problem.map(|problem| Finding::at(DOCUMENT, index.saturating_add(1), problem)));
    }
    for (name, fact) in facts.iter().filter(|(name, fact)| fact.shared && !told.contains(&name.as_str())) {
        let message = format!("{DOCUMENT} has no row for `{name}`, which is {}: add one", fact.value);
        findings.push(Finding::at(&fact.file, fact.line, message));
    }
    findings
}

/// What a row says, and of what: its first cell and its last, where that is the path of something in the code.
fn row_of(line: &str) -> Option<(&str, &str)> {
    let cells: Vec<&str> = line.strip_prefix('|')?.strip_suffix('|')?.split('|').map(str::trim).collect();
    let name = cells.last()?.strip_prefix('`')?.strip_suffix('`')?;
    name.contains("::").then_some((cells.first()?.trim_matches('`'), name))
}

/// What the files with the protocol's numbers say.
fn facts(files: &[TextFile]) -> Facts {
    let mut facts = Facts::new();
    // Twice, because a constant may stand before those it is made of.
    for file in [files, files].into_iter().flatten() {
        if PLACES.iter().any(|place| file.path.starts_with(place)) {
            facts_of(file, &mut facts);
        }
    }
    facts
}

fn facts_of(file: &TextFile, facts: &mut Facts) {
    let file_module = file.path.rsplit('/').next().unwrap_or_default().trim_end_matches(".rs");
    let mut module = file_module.to_owned();
    let mut fields: Option<Fields> = None;
    let mut is_layout = false;
    for (index, line) in file.text.lines().enumerate() {
        let fact = |value, shared| {
            let (file, line) = (file.path.clone(), index.saturating_add(1));
            Fact { file, line, value, shared }
        };
        if line == "}" {
            module = file_module.to_owned();
        }
        let line = if module == file_module { line } else { line.strip_prefix("    ").unwrap_or(line) };
        let shared = line.strip_prefix("pub(crate) ");
        let item = shared.unwrap_or(line);
        if let Some((name, expression)) = constant(item) {
            if let Some(value) = evaluate(expression, facts, &module) {
                facts.insert(format!("{module}::{name}"), fact(value, shared.is_some()));
            }
        } else if let Some(inner) = item.strip_prefix("mod ").and_then(|rest| rest.strip_suffix(" {")) {
            if inner == "tests" {
                return;
            }
            module = format!("{file_module}::{inner}");
        } else if line == "#[repr(C)]" {
            is_layout = true;
        } else if let Some(name) = item.strip_prefix("struct ").and_then(|rest| rest.strip_suffix(" {")) {
            fields = is_layout.then(|| Fields { owner: format!("{module}::{name}"), offset: Some(0) });
            is_layout = false;
        } else if line == "}" {
            fields = None;
        } else if let Some(fields) = &mut fields
            && let Some((name, kind)) = field(line)
            && let Some(offset) = fields.offset
        {
            let bytes = bytes_of(kind, facts, &module);
            fields.offset = bytes.and_then(|bytes| offset.checked_add(bytes));
            facts.insert(format!("{}.{name}", fields.owner), fact(Value::Number(offset), false));
        }
    }
}

/// A struct whose fields follow each other without gaps, as far as they are known.
struct Fields {
    owner: String,
    /// Where the next one stands; `None`: behind one of unknown size.
    offset: Option<u64>,
}

/// `const NAME: type = expression;` on one line.
fn constant(item: &str) -> Option<(&str, &str)> {
    let (declared, expression) = item.strip_prefix("const ")?.strip_suffix(';')?.split_once(" = ")?;
    Some((declared.split_once(':')?.0, expression))
}

/// `name: Type,` inside a struct.
fn field(line: &str) -> Option<(&str, &str)> {
    let line = line.trim();
    let (name, kind) =
        line.strip_prefix("pub(crate) ").unwrap_or(line).strip_suffix(',')?.split_once(": ")?;
    name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_').then_some((name, kind))
}

fn bytes_of(kind: &str, facts: &Facts, module: &str) -> Option<u64> {
    match kind {
        "u8" | "i8" => Some(1),
        "U16" | "I16" => Some(2),
        "U32" | "I32" | "F32" => Some(4),
        "U64" | "I64" | "F64" => Some(8),
        array => {
            let (kind, count) = array.strip_prefix('[')?.strip_suffix(']')?.split_once("; ")?;
            match evaluate(count, facts, module)? {
                Value::Number(count) => bytes_of(kind, facts, module)?.checked_mul(count),
                Value::Text(_) => None,
            }
        }
    }
}

/// What a number, a text, or a shift, sum, difference or product of numbers and constants of the module is.
fn evaluate(expression: &str, facts: &Facts, module: &str) -> Option<Value> {
    let text = expression.trim_start_matches("*b").strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    if let Some(text) = text {
        return Some(Value::Text(text.to_owned()));
    }
    let value = |part: &str| match evaluate(part, facts, module) {
        Some(Value::Number(number)) => Some(number),
        _ => None,
    };
    // The operator that binds least, and of these the last one, is worked out last.
    for operators in [&[" << "][..], &[" + ", " - "], &[" * "]] {
        let found =
            operators.iter().filter_map(|operator| Some((expression.rfind(operator)?, *operator))).max();
        if let Some((at, operator)) = found {
            let (left, right) = expression.split_at_checked(at)?;
            let (left, right) = (value(left)?, value(right.strip_prefix(operator)?)?);
            let result = match operator {
                " << " => left.checked_shl(u32::try_from(right).ok()?),
                " + " => left.checked_add(right),
                " - " => left.checked_sub(right),
                _ => left.checked_mul(right),
            };
            return result.map(Value::Number);
        }
    }
    // Of the inner module, or of the file's.
    let scopes = [Some(module), module.split_once("::").map(|(outer, _)| outer)];
    let mut known = scopes.into_iter().flatten().map(|scope| facts.get(&format!("{scope}::{expression}")));
    let known = || Some(known.find_map(|fact| fact)?.value.clone());
    number(expression).map(Value::Number).or_else(known)
}

/// A whole number as Rust and the description write it.
fn number(text: &str) -> Option<u64> {
    let digits = text.replace('_', "");
    match digits.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => digits.parse().ok(),
    }
}

impl Value {
    fn of(said: &str) -> Option<Self> {
        let is_text = |said: &str| !said.is_empty() && !said.contains(' ');
        number(said).map(Self::Number).or_else(|| is_text(said).then(|| Self::Text(said.to_owned())))
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number @ 0..0x100_0000) => write!(f, "{number}"),
            Self::Number(number) => write!(f, "{number:#x}"),
            Self::Text(text) => write!(f, "{text:?}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = "/// One.\npub(crate) const MAGIC: i32 = 0x56ed_34ba;\nconst TAG: [u8; 8] = *b\"TDSHMEX1\";\n\
                          pub(crate) const SUM: usize = FIRST + 4 * 2 - 1;\nconst FIRST: usize = 1 << 2;\n\
                          pub(crate) const LATER: usize = Other::LEN;\n\
                          #[repr(C)]\npub(crate) struct Head {\n    /// x: y,\n    magic: I32,\n    \
                          pub(crate) name: [u8; FIRST],\n    end: U64,\n    odd: Strange,\n    lost: u8,\n}\n\
                          struct Loose {\n    a: I32,\n}\n\
                          pub(crate) mod inner {\n    const AT: usize = FIRST * 2;\n    \
                          #[repr(C)]\n    struct In {\n        a: I32,\n        b: u8,\n    }\n}\nconst LAST: usize = 3;\n\
                          mod tests {\n    pub(crate) const NONE: usize = 1;\n}\n";

    fn said(document: &str) -> Vec<String> {
        let facts = facts(&[TextFile::new("crates/tdshm/src/wire/a.rs", SOURCE)]);
        numbers(document, &facts).iter().map(ToString::to_string).collect()
    }

    const TRUE: &str = "| `0x56ed34ba` | x | `a::MAGIC` |\n| 11 | y | `a::SUM` |\n";

    #[test]
    fn rows_that_are_true() {
        let more = "| `TDSHMEX1` | z | `a::TAG` |\n| 0 | | `a::Head.magic` |\n| 4 | | `a::Head.name` |\n\
                    | 8 | | `a::Head.end` |\n| 16 | | `a::Head.odd` |\n| offset | in the code |\n| 7 | `word` |\n\
                    | 8 | | `a::inner::AT` |\n| 4 | | `a::inner::In.b` |\n| 3 | | `a::LAST` |\n";
        assert_eq!(said(&format!("{TRUE}{more}")), [] as [&str; 0]);
    }

    #[test]
    fn rows_that_are_not() {
        let wrong = "| 5 | | `a::Head.name` |\n| `TDSHMEX2` | | `a::TAG` |\n| 1 2 | | `a::FIRST` |\n\
                     | 17 | | `a::Head.lost` |\n| 0 | | `a::Loose.a` |\n| 9 | | `a::LATER` |\n";
        let is_not =
            |name| format!("`a::{name}` is not in the code, or not as a number: name what holds it now");
        assert_eq!(
            said(&format!("{TRUE}{wrong}")),
            [
                "docs/protocol.md:3: says 5, but `a::Head.name` is 4".to_owned(),
                "docs/protocol.md:4: says TDSHMEX2, but `a::TAG` is \"TDSHMEX1\"".to_owned(),
                "docs/protocol.md:5: says 1 2, but `a::FIRST` is 4".to_owned(),
                format!("docs/protocol.md:6: {}", is_not("Head.lost")),
                format!("docs/protocol.md:7: {}", is_not("Loose.a")),
                format!("docs/protocol.md:8: {}", is_not("LATER")),
            ]
        );
    }

    #[test]
    fn numbers_that_no_row_says() {
        assert_eq!(
            said("| 11 | y | `a::SUM` |\n"),
            [
                "crates/tdshm/src/wire/a.rs:2: docs/protocol.md has no row for `a::MAGIC`, which is 0x56ed34ba: add one"
            ]
        );
    }

    #[test]
    fn citations_of_sections() {
        let document = "# Title\n\n## What\n\n## 1. Names\n\n### 9.1. Since\n\n#### 10 No dot\n";
        let other = "## 5. Patterns\n### 5.1. Basic\n";
        let text = "// wire \u{a7}1, \u{a7}9.1. And\n// \u{a7}n, \u{a7}9 to \u{a7}10\n\
                    // operators \u{a7}5, wire \u{a7}5, operators \u{a7}5.2 or\n// \u{a7}5.1\n";
        let documents = [("wire", "docs/protocol.md", document), ("operators", "docs/operators.md", other)];
        let found = citations(&documents, &[TextFile::new("a.rs", text), TextFile::new("b.rs", "\u{a7}1")]);
        let found: Vec<String> = found.iter().map(ToString::to_string).collect();
        assert_eq!(
            found,
            [
                "a.rs:2: cites section 9, which docs/protocol.md does not have",
                "a.rs:2: cites section 10, which docs/protocol.md does not have",
                "a.rs:3: cites section 5, which docs/protocol.md does not have",
                "a.rs:3: cites section 5.2, which docs/operators.md does not have"
            ]
        );
    }
}
