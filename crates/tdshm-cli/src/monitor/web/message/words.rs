//! What is wrong with a text that is no message, in words for whoever writes the program that sent it. Only texts that were
//! refused come here, so it may take its time.

use serde_json::error::Category;
use serde_json::{Map, Value};

/// Letters of a value that are shown.
const SHOWN: usize = 40;

/// What a field holds.
#[derive(Clone, Copy)]
enum Kind {
    /// From 0 to 4294967295.
    Whole,
    /// From 0.
    Size,
    Number,
    Text,
    OneOf(&'static [&'static str]),
    Texts,
    Rows,
    /// Two numbers, or a word.
    Range,
    Fields(&'static [Field]),
}

struct Field {
    name: &'static str,
    kind: Kind,
    needed: bool,
    may_be_null: bool,
}

const fn needed(name: &'static str, kind: Kind) -> Field {
    Field { name, kind, needed: true, may_be_null: false }
}

const fn may(name: &'static str, kind: Kind) -> Field {
    Field { name, kind, needed: false, may_be_null: true }
}

/// As [`may`], and null is no way to leave it out.
const fn may_but_not_null(name: &'static str, kind: Kind) -> Field {
    Field { name, kind, needed: false, may_be_null: false }
}

/// The fields of a message, and whether it may have others.
struct Form {
    r#type: &'static str,
    fields: &'static [Field],
    is_closed: bool,
}

const fn closed(r#type: &'static str, fields: &'static [Field]) -> Form {
    Form { r#type, fields, is_closed: true }
}

const fn open(r#type: &'static str, fields: &'static [Field]) -> Form {
    Form { r#type, fields, is_closed: false }
}

const IMAGE: &[Field] = &[
    may_but_not_null("width", Kind::Size),
    may_but_not_null("height", Kind::Size),
    may_but_not_null("encoding", Kind::OneOf(&["rgba8", "jpeg"])),
    may("range", Kind::Range),
];

/// As `docs/monitor-protocol.md` has them.
const FORMS: &[Form] = &[
    closed("list", &[needed("hz", Kind::Number)]),
    open(
        "subscribe",
        &[
            needed("id", Kind::Whole),
            needed("segment", Kind::Text),
            may("channels", Kind::Text),
            may("points", Kind::Size),
            may("hz", Kind::Number),
            may("window", Kind::Whole),
            may_but_not_null("stretch", Kind::OneOf(&["auto", "frame", "since"])),
            may_but_not_null("image", Kind::Fields(IMAGE)),
        ],
    ),
    closed("unsubscribe", &[needed("id", Kind::Whole)]),
    closed("ack", &[needed("id", Kind::Whole), needed("serial", Kind::Whole)]),
    open(
        "publish",
        &[
            needed("id", Kind::Whole),
            needed("segment", Kind::Text),
            needed("names", Kind::Texts),
            may("rate", Kind::Number),
            may("key", Kind::Text),
        ],
    ),
    closed("unpublish", &[needed("id", Kind::Whole)]),
    open(
        "channels",
        &[
            needed("id", Kind::Whole),
            needed("channels", Kind::Rows),
            may("names", Kind::Texts),
            may("rate", Kind::Number),
        ],
    ),
];

/// Says it in one sentence: field, value, what to do.
pub(super) fn of(text: &str) -> String {
    let message = match serde_json::from_str(text) {
        Ok(Value::Object(message)) => message,
        Ok(other) => {
            return format!(
                "the message is {}: give an object, such as {{\"type\":\"list\",\"hz\":1}}",
                shown(&other)
            );
        }
        Err(error) if error.classify() == Category::Eof => {
            return "the message ends before its JSON does: send all of it at once".to_owned();
        }
        Err(error) => {
            let (line, column) = (error.line(), error.column());
            return format!(
                "line {line} of the message is no JSON from letter {column} on: write it as JSON"
            );
        }
    };
    let types = || listed(FORMS.iter().map(|form| format!("{:?}", form.r#type)));
    let form = match message.get("type") {
        None => return format!("type is missing: give {}", types()),
        Some(r#type) => match FORMS.iter().find(|form| r#type.as_str() == Some(form.r#type)) {
            None => return format!("type is {}: give {}", shown(r#type), types()),
            Some(form) => form,
        },
    };
    let wrong = wrong_field(&message, "", form.fields, form.is_closed.then_some("type"));
    let wrong = wrong.unwrap_or_else(|| "a field comes twice: give each once".to_owned());
    format!("{}: {wrong}", form.r#type)
}

/// The first field that cannot be; with `besides` no others may be there but that one.
fn wrong_field(
    fields: &Map<String, Value>,
    of: &str,
    known: &[Field],
    besides: Option<&str>,
) -> Option<String> {
    for field in known {
        let name = format!("{of}{}", field.name);
        match fields.get(field.name) {
            None if field.needed => return Some(format!("{name} is missing: give {}", field.kind.wanted())),
            None => {}
            Some(Value::Null) if field.may_be_null => {}
            Some(value) => {
                if let Some(wrong) = field.kind.wrong(&name, value) {
                    return Some(wrong);
                }
            }
        }
    }
    let besides = besides?;
    let is_known = |name: &str| name == besides || known.iter().any(|field| field.name == name);
    let strange = fields.keys().find(|name| !is_known(name))?;
    let names = listed(known.iter().map(|field| field.name.to_owned()));
    Some(format!("there is no field {of}{strange}: leave it out, and give {names}"))
}

impl Kind {
    fn wanted(self) -> String {
        match self {
            Self::Whole => "a whole number from 0 to 4294967295".to_owned(),
            Self::Size => "a whole number from 0 on".to_owned(),
            Self::Number => "a number".to_owned(),
            Self::Text => "a text".to_owned(),
            Self::OneOf(words) => listed(words.iter().map(|word| format!("{word:?}"))),
            Self::Texts => "a list of texts".to_owned(),
            Self::Rows => "a list with a number, null, or a list of these, for each channel".to_owned(),
            Self::Range => "two numbers, or \"auto\"".to_owned(),
            Self::Fields(_) => "an object".to_owned(),
        }
    }

    /// What is wrong with a value; `None`: nothing.
    fn wrong(self, name: &str, value: &Value) -> Option<String> {
        let is_right = match self {
            Self::Whole => value.as_u64().is_some_and(|number| u32::try_from(number).is_ok()),
            Self::Size => value.is_u64(),
            Self::Number => value.is_number(),
            Self::Text => value.is_string(),
            Self::OneOf(words) => value.as_str().is_some_and(|word| words.contains(&word)),
            Self::Range => {
                value.is_string()
                    || value
                        .as_array()
                        .is_some_and(|both| both.len() == 2 && both.iter().all(Value::is_number))
            }
            Self::Texts => match value.as_array() {
                Some(texts) => {
                    let (at, other) = texts.iter().enumerate().find(|(_, text)| !text.is_string())?;
                    return Some(format!("{name}[{at}] is {}: give a text", shown(other)));
                }
                None => false,
            },
            Self::Rows => match value.as_array() {
                Some(rows) => return rows.iter().enumerate().find_map(|(at, row)| wrong_row(name, at, row)),
                None => false,
            },
            Self::Fields(known) => match value.as_object() {
                Some(fields) => return wrong_field(fields, &format!("{name}."), known, Some("")),
                None => false,
            },
        };
        (!is_right).then(|| format!("{name} is {}: give {}", shown(value), self.wanted()))
    }
}

/// What is wrong with the samples of one channel.
fn wrong_row(name: &str, at: usize, row: &Value) -> Option<String> {
    let is_sample = |value: &Value| value.is_number() || value.is_null();
    match row.as_array() {
        Some(samples) => {
            let (sample, other) = samples.iter().enumerate().find(|(_, value)| !is_sample(value))?;
            Some(format!("{name}[{at}][{sample}] is {}: give a number, or null", shown(other)))
        }
        None if is_sample(row) => None,
        None => Some(format!("{name}[{at}] is {}: give a number, null, or a list of these", shown(row))),
    }
}

/// A value as it is written, or the beginning of it.
fn shown(value: &Value) -> String {
    let text = value.to_string();
    let mut shown: String = text.chars().take(SHOWN).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    shown
}

/// `a, b or c`.
fn listed(words: impl Iterator<Item = String>) -> String {
    let mut words: Vec<String> = words.collect();
    match words.pop() {
        Some(last) if words.is_empty() => last,
        Some(last) => format!("{} or {last}", words.join(", ")),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::monitor::web::message::read;

    fn sentence(text: &str) -> String {
        let mistake = read(text).unwrap_err();
        assert_eq!(mistake.code, "message", "{text}");
        mistake.sentence
    }

    #[test]
    fn it_says_field_value_and_what_to_do() {
        let said = [
            ("{\"type\":\"ack\",", "the message ends before its JSON does: send all of it at once"),
            ("{\"type\":ack}", "line 1 of the message is no JSON from letter 9 on: write it as JSON"),
            ("[1]", "the message is [1]: give an object, such as {\"type\":\"list\",\"hz\":1}"),
            (
                "{}",
                "type is missing: give \"list\", \"subscribe\", \"unsubscribe\", \"ack\", \"publish\", \"unpublish\" or \
                 \"channels\"",
            ),
            (r#"{"type":"list"}"#, "list: hz is missing: give a number"),
            (r#"{"type":"list","hz":"4"}"#, "list: hz is \"4\": give a number"),
            (
                r#"{"type":"ack","id":-1,"serial":0}"#,
                "ack: id is -1: give a whole number from 0 to 4294967295",
            ),
            (
                r#"{"type":"ack","id":1,"serial":0,"x":0}"#,
                "ack: there is no field x: leave it out, and give id or serial",
            ),
            (r#"{"type":"unsubscribe","id":1,"id":1}"#, "unsubscribe: a field comes twice: give each once"),
            (
                r#"{"type":"subscribe","id":1,"segment":"m","stretch":"x"}"#,
                "subscribe: stretch is \"x\": give \"auto\", \"frame\" or \"since\"",
            ),
            (
                r#"{"type":"subscribe","id":1,"segment":"m","image":{"range":[1]}}"#,
                "subscribe: image.range is [1]: give two numbers, or \"auto\"",
            ),
            (
                r#"{"type":"publish","id":1,"segment":"m","names":["a",7]}"#,
                "publish: names[1] is 7: give a text",
            ),
            (
                r#"{"type":"channels","id":1,"channels":[0,{}]}"#,
                "channels: channels[1] is {}: give a number, null, or a list of these",
            ),
            (
                r#"{"type":"channels","id":1,"channels":[[0,"a"]]}"#,
                "channels: channels[0][1] is \"a\": give a number, or null",
            ),
        ];
        for (text, expected) in said {
            assert_eq!(sentence(text), expected);
        }
        let fly = sentence(&json!({ "type": "fly".repeat(99) }).to_string());
        assert!(fly.starts_with("type is \"flyfly") && fly.contains("…: give \"list\", "), "{fly}");
    }

    /// Whatever is put into a field: what is refused is explained, and what is taken is not.
    #[test]
    fn the_table_is_what_is_taken() {
        let values = [
            json!(null),
            json!(true),
            json!(1),
            json!(-1),
            json!(1.5),
            json!(4_294_967_296_u64),
            json!(18_446_744_073_709_551_615_u64),
            json!("a"),
            json!("since"),
            json!("jpeg"),
            json!([]),
            json!([1, 2]),
            json!([null, 2.5]),
            json!([[1, null], [2, 3]]),
            json!(["a", "b"]),
            json!(["a", 1]),
            json!([["a"]]),
            json!({}),
            json!({ "width": 3 }),
            json!({ "range": [0, 1], "x": 0 }),
        ];
        let example = |kind: Kind| match kind {
            Kind::Whole | Kind::Size | Kind::Number => json!(1),
            Kind::Text => json!("a"),
            Kind::OneOf(words) => json!(words[0]),
            Kind::Texts => json!(["a"]),
            Kind::Rows => json!([0]),
            Kind::Range => json!([0, 1]),
            Kind::Fields(_) => json!({}),
        };
        let agree = |text: &str| {
            let refused = read(text).err().filter(|mistake| mistake.code == "message");
            let explained = of(text);
            let is_explained = !explained.ends_with("a field comes twice: give each once");
            assert_eq!(refused.is_some(), is_explained, "{text}: {explained}");
        };
        for form in FORMS {
            let whole: Map<String, Value> = std::iter::once(("type".to_owned(), json!(form.r#type)))
                .chain(form.fields.iter().map(|field| (field.name.to_owned(), example(field.kind))))
                .collect();
            agree(&Value::from(whole.clone()).to_string());
            for name in whole.keys().cloned().chain(["strange".to_owned()]) {
                let mut without = whole.clone();
                without.remove(&name);
                agree(&Value::from(without).to_string());
                // Where an object belongs its values are taken in a list as well, which nobody needs to know.
                let is_told = |value: &Value| name != "type" && !(name == "image" && value.is_array());
                for value in values.iter().filter(|value| is_told(value)) {
                    let mut with = whole.clone();
                    with.insert(name.clone(), value.clone());
                    agree(&Value::from(with).to_string());
                }
            }
        }
        for field in IMAGE {
            for value in &values {
                let (id, segment) = (1, "m");
                let image = json!({ field.name: value });
                agree(
                    &json!({ "type": "subscribe", "id": id, "segment": segment, "image": image }).to_string(),
                );
            }
        }
    }
}
