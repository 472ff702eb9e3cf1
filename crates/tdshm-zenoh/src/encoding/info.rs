//! What is known of a stream, as JSON.

use serde::{Deserialize, Serialize};

/// Bytes of such a text that are read.
pub const MOST_BYTES: usize = 64 << 10;

/// What a program that shares says of a stream when it is asked. Fields that a later version adds are left alone.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Info {
    /// Of this description: 1.
    pub version: u32,
    /// The machine that shares.
    pub host: String,
    /// The segment's short name there.
    pub segment: String,
    /// `channels`, `image`, or `unknown` as long as nothing was sent.
    pub kind: String,
    /// Channels, or 0.
    pub channels: u64,
    /// Samples in each channel, or 0.
    pub samples: u64,
    /// Samples a second, or 0.
    pub sample_rate: f64,
    /// Pixels in a row, or 0.
    pub width: u64,
    /// Rows, or 0.
    pub height: u64,
    /// The pixel format's name, or empty.
    pub format: String,
    /// Frames a second that the sender sends, as far as that is known.
    pub rate: Option<f64>,
    /// How images go over the network: `raw`, `lz4` or `jpeg`.
    pub images: String,
    /// `there`, `left`, `died`.
    pub sender: String,
    /// The sender's program, and its process.
    pub program: String,
    /// As above.
    pub pid: u32,
    /// As in a stamp, in hexadecimal: JSON has no such numbers.
    pub stream: String,
    /// The number of the last frame that went over the network, and how many did.
    pub number: u64,
    /// Bytes of the payloads of those.
    pub bytes: u64,
    /// Frames that the program that shares did not see in time.
    pub missed: u64,
    /// Frames that it could not read.
    pub broken: u64,
    /// The clock of the host when this was written, in nanoseconds since the Unix epoch.
    pub now_ns: u64,
}

impl Info {
    /// Reads it; `None` where it is none.
    #[must_use]
    pub fn of(json: &[u8]) -> Option<Self> {
        if json.len() > MOST_BYTES {
            return None;
        }
        serde_json::from_slice(json).ok()
    }

    /// The shape in a few words.
    #[must_use]
    pub fn shape(&self) -> String {
        match self.kind.as_str() {
            "channels" => format!("{} x {} at {} Hz", self.channels, self.samples, self.sample_rate),
            "image" => format!("{} x {} {}", self.width, self.height, self.format),
            _ => "nothing yet".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_nothing_and_what_is_unknown_is_left_alone() {
        let info = Info::of(br#"{"segment": "cam", "kind": "image", "width": 4, "height": 2, "later": [1]}"#)
            .unwrap();
        assert_eq!((info.segment.as_str(), info.shape().as_str()), ("cam", "4 x 2 "));
        for wrong in [&b"7"[..], b"{\"width\": -1}", b"{\"kind\": 7}", b"\xff", b""] {
            assert!(Info::of(wrong).is_none(), "{wrong:?}");
        }
        let long = format!("{{\"segment\": \"{}\"}}", "x".repeat(MOST_BYTES));
        assert!(Info::of(long.as_bytes()).is_none());
    }
}
