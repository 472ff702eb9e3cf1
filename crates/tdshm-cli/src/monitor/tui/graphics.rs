//! Images as dots rather than letters, for terminals that say that they know one of two ways: kitty's, or sixels.

use std::fmt::Write;

use ratatui::layout::Rect;

use super::app::App;
use crate::monitor::model::{Content, Image};
use crate::output::image::preview::{self, Picture, Rgb};

/// A way to show dots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dots {
    Kitty,
    Sixel,
}

/// The most dots that are sent, across and down: perhaps through a network.
const MOST: (usize, usize) = (480, 270);
/// Dots of a letter where the terminal does not say.
const LETTER: (usize, usize) = (8, 16);
/// Levels of red, green and blue among the 216 colours of sixels.
const LEVELS: usize = 6;
/// Bytes of a piece of a kitty image, a multiple of 4.
const PIECE: usize = 4096;
pub(super) const KITTY_REMOVE: &str = "\x1b_Ga=d,d=I,i=1,q=2\x1b\\";

/// What asks a terminal: whether it takes an image of kitty's, and then what every terminal answers, so that nobody waits
/// for one that does not.
#[cfg_attr(not(unix), allow(dead_code, reason = "a console answers nobody"))]
pub(super) const QUESTION: &str = "\x1b_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA\x1b\\\x1b[c";

/// What the answer says; `None`: it is not there in full yet.
#[cfg_attr(not(unix), allow(dead_code, reason = "a console answers nobody"))]
pub(super) fn answered(answer: &str) -> Option<Option<Dots>> {
    let (before, attributes) = answer.split_once("\x1b[?")?;
    let (attributes, _) = attributes.split_once('c')?;
    Some(if before.contains("\x1b_Gi=31;OK") {
        Some(Dots::Kitty)
    } else {
        attributes.split(';').any(|attribute| attribute == "4").then_some(Dots::Sixel)
    })
}

/// The image on the screen.
#[derive(Debug, Default)]
pub(super) struct Shown {
    /// Which frame, and where.
    last: Option<(u64, Rect)>,
}

/// What is to be done to the screen.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Change {
    Nothing,
    Write(String),
    /// What is there has to be drawn over.
    DrawAll,
}

impl Shown {
    /// What brings the screen to where the app is, of an image of so many dots a letter.
    pub(super) fn follow(
        &mut self,
        dots: Dots,
        app: &App,
        content: Option<&Content>,
        letter: (usize, usize),
    ) -> Change {
        let image = content.and_then(|content| Some((content.image()?, content.taken())));
        let wanted = image.filter(|_| !app.places.picture.is_empty() && !app.help);
        let Some((image, taken)) = wanted else {
            return match (self.last.take(), dots) {
                (None, _) => Change::Nothing,
                (Some(_), Dots::Kitty) => Change::Write(KITTY_REMOVE.to_owned()),
                (Some(_), Dots::Sixel) => Change::DrawAll,
            };
        };
        let area = app.places.picture;
        if self.last == Some((taken, area)) {
            return Change::Nothing;
        }
        let moved = self.last.is_some_and(|(_, before)| before != area);
        self.last = Some((taken, area));
        if moved && dots == Dots::Sixel {
            self.last = None;
            return Change::DrawAll;
        }
        picture(dots, image, area, letter).map_or(Change::Nothing, Change::Write)
    }

    /// The screen was cleared.
    pub(super) fn is_lost(&mut self) {
        self.last = None;
    }
}

/// The image at that place, as a terminal takes it.
fn picture(dots: Dots, image: &Image, area: Rect, letter: (usize, usize)) -> Option<String> {
    let picture = Picture { shape: image.shape(), rows: image.rows_from_top().collect() };
    let letter =
        (if letter.0 == 0 { LETTER.0 } else { letter.0 }, if letter.1 == 0 { LETTER.1 } else { letter.1 });
    let (columns, lines) = (usize::from(area.width), usize::from(area.height));
    let room = (columns.saturating_mul(letter.0), lines.saturating_mul(letter.1));
    let (width, height) = match dots {
        // The terminal stretches it over the letters.
        Dots::Kitty => {
            (room.0.min(picture.shape.width).min(MOST.0), room.1.min(picture.rows.len()).min(MOST.1))
        }
        Dots::Sixel => room,
    };
    let pixels = preview::reduced(&picture, width.max(1), height.max(1))?;
    let mut text = format!("\x1b7\x1b[{};{}H", area.y.saturating_add(1), area.x.saturating_add(1));
    match dots {
        Dots::Kitty => kitty(&mut text, &pixels, (width.max(1), height.max(1)), (columns, lines)),
        Dots::Sixel => sixel(&mut text, &pixels, width.max(1)),
    }
    text.push_str("\x1b8");
    Some(text)
}

fn kitty(
    text: &mut String,
    pixels: &[Rgb],
    (width, height): (usize, usize),
    (columns, lines): (usize, usize),
) {
    let encoded = base64(pixels.as_flattened());
    let mut pieces = encoded.as_bytes().chunks(PIECE).peekable();
    let mut head = format!("a=T,f=24,s={width},v={height},c={columns},r={lines},i=1,p=1,q=2,C=1,");
    while let Some(piece) = pieces.next() {
        let more = u8::from(pieces.peek().is_some());
        // Writing into a string cannot fail.
        let _ = write!(text, "\x1b_G{head}m={more};{}\x1b\\", String::from_utf8_lossy(piece));
        head.clear();
    }
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3).saturating_mul(4));
    for three in bytes.chunks(3) {
        let at = |index: usize| u32::from(three.get(index).copied().unwrap_or(0));
        let bits = at(0) << 16 | at(1) << 8 | at(2);
        for (index, shift) in [18, 12, 6, 0].into_iter().enumerate() {
            let letter = LETTERS.get((bits >> shift & 63) as usize).copied().unwrap_or(b'=');
            text.push(if index <= three.len() { char::from(letter) } else { '=' });
        }
    }
    text
}

/// In the colours of a cube. The first numbers say that a dot is as high as it is wide: without them it is twice as high to a
/// VT340.
fn sixel(text: &mut String, pixels: &[Rgb], width: usize) {
    let height = pixels.len().checked_div(width).unwrap_or(0);
    let _ = write!(text, "\x1bPq\"1;1;{width};{height}");
    for colour in 0..LEVELS.pow(3) {
        let level = |part: usize| part.checked_rem(LEVELS).unwrap_or(0).saturating_mul(100 / (LEVELS - 1));
        let (r, g, b) = (level(colour / (LEVELS * LEVELS)), level(colour / LEVELS), level(colour));
        let _ = write!(text, "#{colour};2;{r};{g};{b}");
    }
    let number = |[r, g, b]: &Rgb| {
        let level = |value: &u8| usize::from(*value).saturating_mul(LEVELS - 1).saturating_add(127) / 255;
        level(r)
            .saturating_mul(LEVELS * LEVELS)
            .saturating_add(level(g).saturating_mul(LEVELS))
            .saturating_add(level(b))
    };
    let indices: Vec<usize> = pixels.iter().map(number).collect();
    for (place, band) in indices.chunks(width.saturating_mul(6)).enumerate() {
        // Between bands, not behind the last: at the foot of a screen that would scroll it.
        if place > 0 {
            text.push('-');
        }
        let mut used: Vec<usize> = band.to_vec();
        used.sort_unstable();
        used.dedup();
        for colour in used {
            let _ = write!(text, "#{colour}");
            let (mut last, mut count) = (0_u8, 0_usize);
            for x in 0..width {
                let rows = band.chunks(width).enumerate();
                let bits = rows
                    .filter(|(_, row)| row.get(x) == Some(&colour))
                    .fold(0, |bits, (row, _)| bits | 1_u8 << row);
                if bits != last && count > 0 {
                    repeat(text, last, count);
                    count = 0;
                }
                last = bits;
                count = count.saturating_add(1);
            }
            repeat(text, last, count);
            text.push('$');
        }
    }
    text.push_str("\x1b\\");
}

fn repeat(text: &mut String, bits: u8, count: usize) {
    let letter = char::from(bits.saturating_add(63));
    let _ = if count > 3 {
        write!(text, "!{count}{letter}")
    } else {
        write!(text, "{}", String::from(letter).repeat(count))
    };
}

#[cfg(test)]
#[allow(clippy::indexing_slicing, reason = "a test that panics has failed")]
mod tests {
    use super::*;

    #[test]
    fn terminals_say_what_they_know() {
        assert_eq!(answered("\x1b_Gi=31;OK\x1b\\\x1b[?62;22c"), Some(Some(Dots::Kitty)));
        assert_eq!(answered("\x1b[?62;4;22c"), Some(Some(Dots::Sixel)));
        assert_eq!(answered("\x1b[?62;44c"), Some(None));
        assert_eq!((answered(""), answered("\x1b_Gi=31;OK\x1b\\\x1b[?6")), (None, None));
    }

    #[test]
    fn bytes_are_written_as_others_write_them() {
        for (bytes, text) in
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")]
        {
            assert_eq!(base64(bytes.as_bytes()), text);
        }
    }

    #[test]
    fn sixels_are_columns_of_six() {
        let mut text = String::new();
        let (red, black) = ([255, 0, 0], [0; 3]);
        // Seven rows of five: red, but for the first column of the first row.
        let mut pixels = vec![red; 35];
        pixels[0] = black;
        sixel(&mut text, &pixels, 5);
        assert!(text.starts_with("\x1bPq\"1;1;5;7#0;"), "{text:?}");
        let data = text.split("#215;2;100;100;100").nth(1).unwrap_or_default();
        assert_eq!(data, "#0@!4?$#180}!4~$-#180!5@$\x1b\\");
    }
}
