//! The text as TOML: tables with places, and values of the kind that is asked for.

use core::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::Key;
use super::mistake::{Mistake, did_you_mean, listed};
use crate::op::Registry;

pub(super) type Item<'t> = Spanned<DeValue<'t>>;

/// Bytes of a patch that are read.
const LONGEST: usize = 4 << 20;

/// The text, and what is wrong with it so far.
pub(super) struct Reader<'t> {
    text: &'t str,
    /// Where its lines begin.
    lines: Vec<usize>,
    pub(super) registry: &'t Registry,
    pub(super) mistakes: Vec<Mistake>,
    /// Whether nothing had to be left out because it is no TOML.
    pub(super) is_whole: bool,
}

/// A key of a table, and what stands there.
#[derive(Clone, Copy)]
pub(super) struct Entry<'a, 't> {
    pub(super) name: &'a str,
    pub(super) key: &'a Spanned<std::borrow::Cow<'t, str>>,
    pub(super) item: &'a Item<'t>,
}

/// The entries of a table in the order of the file.
pub(super) fn entries<'a, 't>(table: &'a DeTable<'t>) -> Vec<Entry<'a, 't>> {
    let mut entries: Vec<_> =
        table.iter().map(|(key, item)| Entry { name: key.get_ref(), key, item }).collect();
    entries.sort_by_key(|entry| entry.key.span().start);
    entries
}

impl<'t> Reader<'t> {
    /// Reads the text as TOML, with all that is wrong with that. `None` where it is too long to be looked at.
    pub(super) fn new(text: &'t str, registry: &'t Registry) -> (Self, Option<DeTable<'t>>) {
        let ends = text.bytes().enumerate().filter(|&(_, byte)| byte == b'\n');
        let lines = [0].into_iter().chain(ends.map(|(at, _)| at.saturating_add(1))).collect();
        let mut reader = Self { text, lines, registry, mistakes: Vec::new(), is_whole: true };
        if text.len() > LONGEST {
            let what = format!("the patch is {} bytes long, and the limit is {LONGEST}", text.len());
            reader.wrong(0..0, "", what, "keep tables and recordings in files of their own");
            return (reader, None);
        }
        let (table, errors) = DeTable::parse_recoverable(text);
        for error in errors {
            let span = error.span().unwrap_or(0..0);
            let (what, help) = match error.message() {
                "duplicate key" => (
                    "this name stands here a second time".to_owned(),
                    "give each operator, parameter and setting once".to_owned(),
                ),
                message => {
                    reader.is_whole = false;
                    let mut lines = message.lines().map(str::trim).filter(|line| !line.is_empty());
                    let what = lines.next().unwrap_or("this is no TOML").to_owned();
                    let rest: Vec<_> = lines.collect();
                    let help = if rest.is_empty() {
                        "write it as TOML: key = value, texts in double quotes".to_owned()
                    } else {
                        rest.join(", ")
                    };
                    (what, help)
                }
            };
            reader.wrong(span, "", what, help);
        }
        (reader, Some(table.into_inner()))
    }

    /// Notes a mistake.
    pub(super) fn wrong(
        &mut self,
        span: Range<usize>,
        key: &str,
        what: impl Into<String>,
        help: impl Into<String>,
    ) {
        let start = self.boundary(span.start);
        let end = self.boundary(span.end).max(start);
        let line = self.lines.partition_point(|&begin| begin <= start).max(1);
        let begin = self.lines.get(line.saturating_sub(1)).copied().unwrap_or(0);
        let column = self.text.get(begin..start).map_or(0, |before| before.chars().count()).saturating_add(1);
        let mistake = Mistake {
            line,
            column,
            span: start..end,
            key: key.to_owned(),
            what: what.into(),
            help: help.into(),
            follows: false,
        };
        self.mistakes.push(mistake);
    }

    /// Notes that something is missing, which may follow from another mistake.
    pub(super) fn missing(
        &mut self,
        span: Range<usize>,
        key: &str,
        what: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.wrong(span, key, what, help);
        if let Some(mistake) = self.mistakes.last_mut() {
            mistake.follows = true;
        }
    }

    /// The place between characters at or before a byte.
    fn boundary(&self, at: usize) -> usize {
        let mut at = at.min(self.text.len());
        while !self.text.is_char_boundary(at) {
            at = at.saturating_sub(1);
        }
        at
    }

    /// Notes a value of the wrong kind.
    pub(super) fn wrong_kind(&mut self, item: &Item<'_>, key: &str, help: impl Into<String>) {
        self.wrong(item.span(), key, format!("found {}", found(item)), help);
    }

    /// Notes a key that is none, with those that there are.
    pub(super) fn unknown_key(&mut self, entry: Entry<'_, '_>, key: &str, table: &str, known: &[Key]) {
        let known: Vec<&str> = known.iter().filter(|key| key.table == table).map(|key| key.name).collect();
        let help =
            did_you_mean(entry.name, known.iter().copied(), || format!("use {}", listed(&known, "or")));
        self.wrong(entry.key.span(), key, format!("there is no key {:?} here", cut(entry.name)), help);
    }

    pub(super) fn table<'a>(&mut self, item: &'a Item<'t>, key: &str, help: &str) -> Option<&'a DeTable<'t>> {
        let table = item.get_ref().as_table();
        if table.is_none() {
            self.wrong_kind(item, key, help);
        }
        table
    }

    pub(super) fn text<'a>(&mut self, item: &'a Item<'t>, key: &str) -> Option<&'a str> {
        let text = item.get_ref().as_str();
        if text.is_none() {
            self.wrong_kind(item, key, "give a text in double quotes");
        }
        text
    }

    pub(super) fn boolean(&mut self, item: &Item<'t>, key: &str) -> Option<bool> {
        let value = item.get_ref().as_bool();
        if value.is_none() {
            self.wrong_kind(item, key, "give true or false");
        }
        value
    }

    /// A finite number, whole or not.
    pub(super) fn number(&mut self, item: &Item<'t>, key: &str) -> Option<f64> {
        let number = number(item).filter(|number| number.is_finite());
        if number.is_none() {
            self.wrong_kind(item, key, "give a finite number");
        }
        number
    }
}

/// A number, whole or not.
pub(super) fn number(item: &Item<'_>) -> Option<f64> {
    match item.get_ref() {
        #[expect(clippy::cast_precision_loss, reason = "settings are 64-bit floats, as in TD")]
        DeValue::Integer(_) => integer(item).map(|number| number as f64),
        DeValue::Float(number) => number.as_str().parse().ok(),
        _ => None,
    }
}

/// A whole number.
pub(super) fn integer(item: &Item<'_>) -> Option<i64> {
    let number = item.get_ref().as_integer()?;
    i64::from_str_radix(number.as_str(), number.radix()).ok()
}

/// A value in words.
pub(super) fn found(item: &Item<'_>) -> String {
    match item.get_ref() {
        DeValue::String(text) => format!("the text {:?}", cut(text)),
        DeValue::Integer(number) => format!("the whole number {}", cut(&number.to_string())),
        DeValue::Float(number) => format!("the number {}", cut(number.as_str())),
        DeValue::Boolean(value) => value.to_string(),
        DeValue::Datetime(date) => format!("the date or time {date}"),
        DeValue::Array(_) => "a list".into(),
        DeValue::Table(_) => "a table".into(),
    }
}

/// A text that is not too long to be shown.
pub(super) fn cut(text: &str) -> String {
    let mut shown: String = text.chars().take(60).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    shown
}
