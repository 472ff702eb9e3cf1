//! What browsers say, as data that is checked, and what they are told in JSON.

mod words;

use std::fmt;

use serde::{Deserialize, Serialize};
use tdshm::ShortName;
use tdshm_ops::Pattern;

use super::publish::frame::{Offer, Publish, RawPublish, Written};

/// The version of what is spoken.
pub(super) const VERSION: u32 = 1;
/// Names of it, of which a client offers one.
pub(super) const BINARY: &str = "tdshm.monitor.v1";
/// The same with everything as JSON.
pub(super) const JSON: &str = "tdshm.monitor.v1.json";

/// Bytes that a message of a client may have.
pub(super) const MESSAGE_BYTES: usize = 16 * 1024;
/// Subscriptions of a client.
pub(super) const SUBSCRIPTIONS: usize = 16;
/// Points of each channel in one message.
pub(super) const POINTS: usize = 16_384;
/// Numbers in one message.
pub(super) const SAMPLES: usize = 4 << 20;
/// Pixels in a row, and rows, of an image in one message.
pub(super) const SIDE: usize = 8192;
/// Messages of one subscription a second.
pub(super) const HZ: f64 = 120.0;
/// Messages that may be under way unacknowledged.
pub(super) const WINDOW: u32 = 16;
/// Letters of a pattern.
const PATTERN: usize = 4096;

/// What a client says.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Asked {
    List { hz: f64 },
    Subscribe(Box<Subscribe>),
    Unsubscribe { id: u32 },
    Ack { id: u32, serial: u32 },
    Publish(Publish),
    Unpublish { id: u32 },
    Channels(Written),
}

/// One segment, and how it is wanted.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Subscribe {
    pub(super) id: u32,
    pub(super) segment: ShortName,
    pub(super) channels: Pattern,
    pub(super) points: usize,
    pub(super) hz: f64,
    /// 0: as many as the connection takes.
    pub(super) window: u32,
    pub(super) stretch: Stretch,
    pub(super) image: ImageWish,
}

/// Which samples a message has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Stretch {
    /// Those of the newest frame, or, where frames are short, all since the last message.
    #[default]
    Auto,
    Frame,
    Since,
}

/// How an image is wanted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct ImageWish {
    /// No larger than this; 0: as large as it is.
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) encoding: Encoding,
    pub(super) range: Levels,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Encoding {
    #[default]
    Rgba8,
    Jpeg,
}

/// Which numbers become 0 and 255.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Levels {
    Between(f32, f32),
    /// The least and the greatest of red, green and blue of each image.
    Auto,
}

/// Why what a client said is refused; it is told, and may go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mistake {
    pub(super) code: &'static str,
    pub(super) id: Option<u32>,
    pub(super) sentence: String,
}

impl Mistake {
    pub(super) fn new(code: &'static str, id: Option<u32>, sentence: impl fmt::Display) -> Self {
        Self { code, id, sentence: sentence.to_string() }
    }
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "lowercase", deny_unknown_fields)]
enum Raw {
    List { hz: f64 },
    Subscribe(RawSubscribe),
    Unsubscribe { id: u32 },
    Ack { id: u32, serial: u32 },
    Publish(RawPublish),
    Unpublish { id: u32 },
    Channels(Written),
}

#[derive(Deserialize)]
struct RawSubscribe {
    id: u32,
    segment: String,
    #[serde(default)]
    channels: Option<String>,
    #[serde(default)]
    points: Option<usize>,
    #[serde(default)]
    hz: Option<f64>,
    #[serde(default)]
    window: Option<u32>,
    #[serde(default)]
    stretch: Stretch,
    #[serde(default)]
    image: RawImage,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct RawImage {
    width: usize,
    height: usize,
    encoding: Encoding,
    range: Option<RawLevels>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum RawLevels {
    Named(String),
    Between(f32, f32),
}

/// Reads a message of a client.
pub(super) fn read(text: &str) -> Result<Asked, Mistake> {
    let raw: Raw = serde_json::from_str(text).map_err(|_| Mistake::new("message", None, words::of(text)))?;
    Ok(match raw {
        Raw::List { hz } => Asked::List { hz: between("hz", None, hz, 0.0, 10.0)? },
        Raw::Unsubscribe { id } => Asked::Unsubscribe { id },
        Raw::Ack { id, serial } => Asked::Ack { id, serial },
        Raw::Subscribe(raw) => Asked::Subscribe(Box::new(raw.checked()?)),
        Raw::Publish(raw) => Asked::Publish(raw.checked()?),
        Raw::Unpublish { id } => Asked::Unpublish { id },
        Raw::Channels(written) => Asked::Channels(written),
    })
}

impl RawSubscribe {
    fn checked(self) -> Result<Subscribe, Mistake> {
        let id = Some(self.id);
        let segment = ShortName::new(&self.segment).map_err(|error| Mistake::new("segment", id, error))?;
        let pattern = self.channels.as_deref().unwrap_or("*");
        if pattern.len() > PATTERN {
            return Err(Mistake::new(
                "pattern",
                id,
                format_args!("the pattern has more than {PATTERN} bytes"),
            ));
        }
        let channels = pattern.parse().map_err(|error| Mistake::new("pattern", id, error))?;
        let whole = |name, value: usize, least: usize, most: usize| {
            if (least..=most).contains(&value) {
                return Ok(value);
            }
            Err(Mistake::new("value", id, format_args!("{name} is {value}: give {least} to {most}")))
        };
        let RawImage { width, height, encoding, range } = self.image;
        Ok(Subscribe {
            id: self.id,
            segment,
            channels,
            points: whole("points", self.points.unwrap_or(1024), 2, POINTS)?,
            hz: between("hz", id, self.hz.unwrap_or(60.0), 0.1, HZ)?,
            window: u32::try_from(whole("window", self.window.unwrap_or(0) as usize, 0, WINDOW as usize)?)
                .unwrap_or(WINDOW),
            stretch: self.stretch,
            image: ImageWish {
                width: whole("image.width", width, 0, SIDE)?,
                height: whole("image.height", height, 0, SIDE)?,
                encoding,
                range: levels(id, range)?,
            },
        })
    }
}

fn levels(id: Option<u32>, raw: Option<RawLevels>) -> Result<Levels, Mistake> {
    match raw {
        None => Ok(Levels::Between(0.0, 1.0)),
        Some(RawLevels::Named(name)) if name == "auto" => Ok(Levels::Auto),
        Some(RawLevels::Between(low, high)) if low.is_finite() && high.is_finite() && low < high => {
            Ok(Levels::Between(low, high))
        }
        Some(_) => {
            Err(Mistake::new("value", id, "image.range: give \"auto\", or two numbers, the lower one first"))
        }
    }
}

fn between(name: &str, id: Option<u32>, value: f64, least: f64, most: f64) -> Result<f64, Mistake> {
    if (least..=most).contains(&value) {
        return Ok(value);
    }
    Err(Mistake::new("value", id, format_args!("{name} is {value}: give {least} to {most}")))
}

/// What a client is told in JSON, whichever form it asked for.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub(super) enum Told<'t> {
    /// `publish`: what may be sent here; null where nothing may.
    Hello {
        protocol: u32,
        program: &'t str,
        limits: Limits,
        publish: Option<Offer>,
    },
    Published {
        id: u32,
        segment: &'t str,
        resumed: bool,
    },
    State {
        id: u32,
        segment: &'t str,
        kind: Option<&'t str>,
        state: &'t str,
        sentence: &'t str,
    },
    Error {
        code: &'t str,
        id: Option<u32>,
        message: &'t str,
    },
}

/// What a client may ask for.
#[derive(Debug, Serialize)]
pub(super) struct Limits {
    message_bytes: usize,
    subscriptions: usize,
    points: usize,
    side: usize,
    hz: f64,
    window: u32,
}

impl Told<'_> {
    pub(super) fn hello(message_bytes: usize, publish: Option<Offer>) -> Self {
        Told::Hello {
            protocol: VERSION,
            program: concat!("tdshm ", env!("CARGO_PKG_VERSION")),
            limits: Limits {
                message_bytes,
                subscriptions: SUBSCRIPTIONS,
                points: POINTS,
                side: SIDE,
                hz: HZ,
                window: WINDOW,
            },
            publish,
        }
    }

    pub(super) fn text(&self) -> String {
        // Strings and numbers alone: nothing that JSON cannot say.
        serde_json::to_string(self).unwrap_or_default()
    }
}

impl<'t> From<&'t Mistake> for Told<'t> {
    fn from(mistake: &'t Mistake) -> Self {
        Told::Error { code: mistake.code, id: mistake.id, message: &mistake.sentence }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subscribe(text: &str) -> Result<Subscribe, Mistake> {
        match read(text)? {
            Asked::Subscribe(subscribe) => Ok(*subscribe),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_is_left_out_has_a_value() {
        let asked = subscribe(r#"{"type":"subscribe","id":7,"segment":"mocap"}"#).unwrap();
        assert_eq!((asked.id, asked.segment.as_str(), asked.points, asked.window), (7, "mocap", 1024, 0));
        assert_eq!((asked.hz, asked.stretch), (60.0, Stretch::Auto));
        assert_eq!(asked.image.range, Levels::Between(0.0, 1.0));
        let text = r#"{"type":"subscribe","id":1,"segment":"m","stretch":"since",
            "image":{"width":64,"encoding":"jpeg","range":"auto"}}"#;
        let asked = subscribe(text).unwrap();
        assert_eq!((asked.stretch, asked.image.encoding), (Stretch::Since, Encoding::Jpeg));
        assert_eq!((asked.image.width, asked.image.range), (64, Levels::Auto));
        assert_eq!(
            read(r#"{"type":"ack","id":1,"serial":4294967295}"#),
            Ok(Asked::Ack { id: 1, serial: u32::MAX })
        );
    }

    #[test]
    fn what_makes_no_sense_is_said() {
        let code = |text: &str| read(text).unwrap_err().code;
        let nonsense = [
            "",
            "{",
            "null",
            "[]",
            "{}",
            "1e999",
            r#"{"type":"fly"}"#,
            r#"{"type":"ack","id":-1,"serial":0}"#,
            r#"{"type":"ack","id":1,"serial":0,"x":0}"#,
            r#"{"type":"list","hz":"4"}"#,
            "\u{0}",
            r#"{"type":"subscribe","id":1}"#,
            r#"{"type":"subscribe","id":1,"segment":"m","stretch":"x"}"#,
        ];
        for text in nonsense {
            assert_eq!(code(text), "message", "{text}");
        }
        for text in [
            r#"{"type":"channels","id":1,"channels":[{}]}"#,
            r#"{"type":"channels","id":1,"channels":[["a"]]}"#,
            r#"{"type":"subscribe","id":1,"segment":"m","image":{"range":true}}"#,
        ] {
            let sentence = read(text).unwrap_err().sentence;
            assert!(sentence.contains(": give "), "{sentence}");
        }
        let deep = "[".repeat(8000);
        assert_eq!(code(&deep), "message");
        let with = |rest: &str| code(&format!(r#"{{"type":"subscribe","id":1,"segment":"m",{rest}}}"#));
        for rest in [
            r#""points":1"#,
            r#""points":99999"#,
            r#""hz":0"#,
            r#""hz":1e9"#,
            r#""window":17"#,
            r#""image":{"width":9000}"#,
            r#""image":{"range":"all"}"#,
            r#""image":{"range":[1,0]}"#,
            r#""image":{"range":[0,1e39]}"#,
        ] {
            assert_eq!(with(rest), "value", "{rest}");
        }
        assert_eq!(with(r#""channels":"t | ""#), "pattern");
        assert_eq!(code(r#"{"type":"subscribe","id":1,"segment":"a/b"}"#), "segment");
        assert_eq!(code(r#"{"type":"list","hz":11}"#), "value");
    }
}
