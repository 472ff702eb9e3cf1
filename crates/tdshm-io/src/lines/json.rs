//! JSON lines: an object a frame.

use std::fmt;
use std::sync::Arc;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::cell::{CellProblem, parse_cell, shown};
use crate::error::LineError;
use crate::lines::{LineFrame, MOST_CHANNELS};

/// Members that stand in a line beside the channels.
const OTHER_MEMBERS: usize = 64;

/// The frame in a line. `names` are those of the line before, and then of this one.
pub(super) fn frame(line: &[u8], number: u64, names: &mut Arc<[String]>) -> Result<LineFrame, LineError> {
    let text = std::str::from_utf8(line).map_err(|error| LineError::NotJson {
        line: number,
        column: error.valid_up_to().saturating_add(1),
        reason: "not UTF-8".to_owned(),
    })?;
    let Members(members) = parse(text, number)?;
    let mut read = Read { line: number, names: Vec::new(), samples: Vec::new(), len_samples: None };
    let mut sample_rate = None;
    if let Some(channels) = member(&members, "channels") {
        let Elements(channels) =
            serde_json::from_str(channels.get()).map_err(|error| match too_many(&error) {
                true => LineError::TooManyChannels { line: number, limit: MOST_CHANNELS },
                false => read.wrong("channels", channels, "a list of channels"),
            })?;
        for (index, channel) in channels.into_iter().enumerate() {
            read.channel(index, channel)?;
        }
        sample_rate = rate(&read, &members)?;
    } else {
        if members.is_empty() {
            let expected = "an object with at least one channel";
            return Err(LineError::Field {
                line: number,
                field: "the line".into(),
                value: "{}".into(),
                expected,
            });
        }
        for (name, value) in members {
            read.samples(&format!("{:?}", shown(name.as_bytes())), value, &[])?;
            read.name(name)?;
        }
    }
    if **names != *read.names {
        *names = read.names.into();
    }
    Ok(LineFrame {
        names: Arc::clone(names),
        sample_rate,
        len_samples: read.len_samples.unwrap_or(0),
        samples: read.samples,
    })
}

fn parse<'l>(text: &'l str, number: u64) -> Result<Members<'l>, LineError> {
    serde_json::from_str(text).map_err(|error| {
        if too_many(&error) {
            return LineError::TooManyChannels { line: number, limit: MOST_CHANNELS };
        }
        let said = error.to_string();
        let reason = said.rsplit_once(" at line ").map_or(said.as_str(), |(reason, _)| reason);
        LineError::NotJson { line: number, column: error.column(), reason: reason.to_owned() }
    })
}

fn member<'l>(members: &[(String, &'l RawValue)], name: &str) -> Option<&'l RawValue> {
    members.iter().find(|(member, _)| member == name).map(|(_, value)| *value)
}

fn rate(read: &Read, members: &[(String, &RawValue)]) -> Result<Option<f32>, LineError> {
    let Some(value) = member(members, "sample_rate").filter(|value| value.get() != "null") else {
        return Ok(None);
    };
    // Read as text: by way of a 64-bit number it would be rounded twice.
    let rate = value.get().parse().ok().filter(|rate: &f32| rate.is_finite() && *rate > 0.0);
    match rate {
        Some(rate) => Ok(Some(rate)),
        None => Err(read.wrong("sample_rate", value, "a number above 0 that fits 32 bits, in Hz")),
    }
}

/// What has been read of a line.
struct Read {
    line: u64,
    names: Vec<String>,
    samples: Vec<f32>,
    /// Of the first channel.
    len_samples: Option<usize>,
}

impl Read {
    fn wrong(&self, field: &str, value: &RawValue, expected: &'static str) -> LineError {
        wrong(self.line, field, value, expected)
    }

    /// A channel as `tdshm watch` writes it.
    fn channel(&mut self, index: usize, channel: &RawValue) -> Result<(), LineError> {
        let place = format!("channels[{index}]");
        let expected = "an object with a name and samples";
        let Ok(Members(members)) = serde_json::from_str(channel.get()) else {
            return Err(self.wrong(&place, channel, expected));
        };
        let missing = || self.wrong(&place, channel, expected);
        let name = member(&members, "name").ok_or_else(missing)?;
        let samples = member(&members, "samples").ok_or_else(missing)?;
        let name: String = serde_json::from_str(name.get())
            .map_err(|_| self.wrong(&format!("{place}.name"), name, "a text"))?;
        let mut infinities = Vec::new();
        for (key, infinity) in [("plus_inf", f32::INFINITY), ("minus_inf", f32::NEG_INFINITY)] {
            if let Some(list) = member(&members, key) {
                infinities.push((format!("{place}.{key}"), list, infinity));
            }
        }
        self.samples(&format!("{place}.samples"), samples, &infinities)?;
        self.name(name)
    }

    fn name(&mut self, name: String) -> Result<(), LineError> {
        if name.contains('\0') {
            return Err(LineError::Field {
                line: self.line,
                field: format!("the name of channel {}", self.names.len().saturating_add(1)),
                value: format!("{:?}", shown(name.as_bytes())),
                expected: "a name without NUL",
            });
        }
        self.names.push(name);
        Ok(())
    }

    /// Samples: a number, null, or a list of them; and the places of those that are infinite.
    fn samples(
        &mut self,
        field: &str,
        value: &RawValue,
        infinities: &[(String, &RawValue, f32)],
    ) -> Result<(), LineError> {
        let begin = self.samples.len();
        let list = list(value);
        for (index, text) in list.unwrap_or(value.get()).split(',').enumerate() {
            if list.is_some_and(|list| list.trim_ascii().is_empty()) {
                break; // an empty list
            }
            let sample = sample(text).map_err(|expected| LineError::Field {
                line: self.line,
                field: if list.is_some() { format!("{field}[{index}]") } else { field.to_owned() },
                value: shown(text.as_bytes()),
                expected,
            })?;
            self.samples.push(sample);
        }
        let found = self.samples.len().saturating_sub(begin);
        match *self.len_samples.get_or_insert(found) {
            expected if expected == found => {}
            expected => {
                let (line, field) = (self.line, field.to_owned());
                return Err(LineError::ChannelLength { line, field, expected, found });
            }
        }
        for (field, places, infinity) in infinities {
            let line = self.line;
            let wrong = || wrong(line, field, places, "a list of places that hold null, counted from 0");
            let places = list_of_places(places).ok_or_else(wrong)?;
            if !places.clone().all(|place| place.is_some_and(|place| place < found)) {
                return Err(wrong());
            }
            for place in places.flatten() {
                match self.samples.get_mut(begin.saturating_add(place)) {
                    Some(sample) if sample.is_nan() => *sample = *infinity,
                    _ => return Err(wrong()),
                }
            }
        }
        Ok(())
    }
}

fn wrong(line: u64, field: &str, value: &RawValue, expected: &'static str) -> LineError {
    LineError::Field { line, field: field.to_owned(), value: shown(value.get().as_bytes()), expected }
}

/// What stands between the brackets of a list.
fn list(value: &RawValue) -> Option<&str> {
    value.get().strip_prefix('[')?.strip_suffix(']')
}

fn list_of_places(value: &RawValue) -> Option<impl Iterator<Item = Option<usize>> + Clone> {
    let places = list(value)?.split(',').filter(|place| !place.trim_ascii().is_empty());
    Some(places.map(|place| place.trim_ascii().parse().ok()))
}

/// A sample. The text is JSON or a piece of it, so that what begins as a number is one.
fn sample(text: &str) -> Result<f32, &'static str> {
    let text = text.trim_ascii();
    match text.as_bytes() {
        b"null" => Ok(f32::NAN),
        [b'-' | b'0'..=b'9', ..] => match parse_cell(text.as_bytes()) {
            Ok(sample) => Ok(sample),
            Err(CellProblem::TooLarge) => Err("a number that fits 32 bits: at most 3.4028235e38"),
            Err(CellProblem::NotANumber) => Err("a number or null"),
        },
        _ => Err("a number or null"),
    }
}

const TOO_MANY: &str = "too many channels";

fn too_many(error: &serde_json::Error) -> bool {
    error.is_data() && error.to_string().starts_with(TOO_MANY)
}

/// The members of an object, in order, their values as they are written.
struct Members<'l>(Vec<(String, &'l RawValue)>);

impl<'l> Deserialize<'l> for Members<'l> {
    fn deserialize<D: Deserializer<'l>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visit;
        impl<'l> Visitor<'l> for Visit {
            type Value = Members<'l>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'l>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    if members.len() >= MOST_CHANNELS.saturating_add(OTHER_MEMBERS) {
                        return Err(A::Error::custom(TOO_MANY));
                    }
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Visit)
    }
}

/// The elements of a list, as they are written.
struct Elements<'l>(Vec<&'l RawValue>);

impl<'l> Deserialize<'l> for Elements<'l> {
    fn deserialize<D: Deserializer<'l>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visit;
        impl<'l> Visitor<'l> for Visit {
            type Value = Elements<'l>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list")
            }

            fn visit_seq<A: SeqAccess<'l>>(self, mut list: A) -> Result<Self::Value, A::Error> {
                let mut elements = Vec::new();
                while let Some(element) = list.next_element()? {
                    if elements.len() >= MOST_CHANNELS {
                        return Err(A::Error::custom(TOO_MANY));
                    }
                    elements.push(element);
                }
                Ok(Elements(elements))
            }
        }
        deserializer.deserialize_seq(Visit)
    }
}
