//! Numbers and names as text.

use std::borrow::Cow;

use tdshm::{PixelFormat, Texels, TopShape};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::say::{count, count_of};

/// The shortest digits that read back as the same sample.
pub(crate) fn number(value: f32) -> String {
    if value.is_nan() {
        return "nan".to_owned();
    }
    let size = value.abs();
    if size == 0.0 || size.is_infinite() || (1e-5..1e9).contains(&size) {
        format!("{value}")
    } else {
        format!("{value:e}")
    }
}

/// A number of seconds, a rate: what a person typed, without more digits than that.
pub(crate) fn short(value: f64) -> String {
    let rounded = format!("{value:.3}");
    match rounded.trim_end_matches('0').trim_end_matches('.') {
        "0" | "-0" => format!("{value:e}"),
        text => text.to_owned(),
    }
}

/// `14.2 MB`.
pub(crate) fn megabytes(bytes: u64) -> String {
    match bytes {
        0..1_000 => count(bytes, "byte"),
        1_000..1_000_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", bytes as f64 / 1e6),
        _ => format!("{:.2} GB", bytes as f64 / 1e9),
    }
}

/// `3 channels × 1 sample at 60 Hz`.
pub(crate) fn shape(num_channels: usize, len_samples: usize, sample_rate: f32) -> String {
    format!(
        "{} × {} at {} Hz",
        count_of(num_channels, "channel"),
        count_of(len_samples, "sample"),
        number(sample_rate)
    )
}

/// `640 × 360 rgba8`.
pub(crate) fn image_shape(shape: &TopShape) -> String {
    format!("{} × {} {}", shape.width, shape.height, format_name(shape.texels))
}

/// The name of a format that people type; what the block says where there is none.
pub(crate) fn format_name(texels: Texels) -> String {
    let short = texels.format().and_then(PixelFormat::short_name);
    short.map_or_else(|| texels.to_string(), str::to_owned)
}

/// Text for a terminal. Names come from strangers, and what a terminal obeys is not let through.
pub(crate) fn printable(text: &str) -> Cow<'_, str> {
    if text.chars().any(obeyed) {
        text.chars().map(|c| if obeyed(c) { '\u{fffd}' } else { c }).collect()
    } else {
        Cow::Borrowed(text)
    }
}

/// Control characters, and those that turn the direction of the text round.
fn obeyed(c: char) -> bool {
    c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}')
}

/// Text of exactly `columns`, filled up with blanks, or cut with an ellipsis.
pub(crate) fn fit(text: &str, columns: usize) -> String {
    let text = printable(text);
    let width = text.width();
    let mut fitted = String::with_capacity(text.len().saturating_add(columns));
    let mut used = 0_usize;
    if width <= columns {
        fitted.push_str(&text);
        used = width;
    } else if columns > 0 {
        let room = columns.saturating_sub(1);
        for c in text.chars() {
            let next = used.saturating_add(c.width().unwrap_or(0));
            if next > room {
                break;
            }
            fitted.push(c);
            used = next;
        }
        fitted.push('…');
        used = used.saturating_add(1);
    }
    fitted.extend(std::iter::repeat_n(' ', columns.saturating_sub(used)));
    fitted
}

/// Words with blanks between them, in lines of at most `columns` where the words allow it.
pub(crate) fn wrapped<'w>(words: impl IntoIterator<Item = Cow<'w, str>>, columns: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in words {
        match lines.last_mut() {
            Some(line) if line.width().saturating_add(1).saturating_add(word.width()) <= columns => {
                line.push(' ');
                line.push_str(&word);
            }
            _ => lines.push(word.into_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_back_as_they_were() {
        for (value, text) in [
            (0.1, "0.1"),
            (1.0, "1"),
            (-0.5, "-0.5"),
            (1e-6, "1e-6"),
            (3.4028235e38, "3.4028235e38"),
            (f32::INFINITY, "inf"),
            (f32::NEG_INFINITY, "-inf"),
            (16_777_216.0, "16777216"),
        ] {
            assert_eq!(number(value), text);
            assert_eq!(text.parse(), Ok(value));
        }
        assert_eq!(number(f32::NAN), "nan");
        let mut bits = 1_u32;
        for _ in 0..10_000 {
            bits = bits.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let value = f32::from_bits(bits);
            let back: f32 = number(value).parse().unwrap();
            assert!(value.is_nan() && back.is_nan() || back.to_bits() == bits, "{value:e}");
        }
    }

    #[test]
    fn rates_and_seconds_are_short() {
        assert_eq!([60.0, 0.5, 29.97, 1e-7].map(short), ["60", "0.5", "29.97", "1e-7"]);
    }

    #[test]
    fn text_fits_exactly() {
        assert_eq!(fit("tx", 4), "tx  ");
        assert_eq!(fit("shoulder", 5), "shou…");
        assert_eq!(fit("日本語", 4), "日… ");
        assert_eq!((fit("ab", 0), fit("ab", 1)), (String::new(), "…".to_owned()));
    }

    #[test]
    fn what_a_terminal_obeys_is_not_let_through() {
        assert_eq!(printable("a\x1b[2Jb"), "a\u{fffd}[2Jb");
        assert_eq!(printable("ümlaut 日本"), "ümlaut 日本");
    }

    #[test]
    fn words_are_wrapped() {
        let words = ["aa", "bb", "cccccc", "d"].map(Cow::Borrowed);
        assert_eq!(wrapped(words, 5), ["aa bb", "cccccc", "d"]);
    }
}
