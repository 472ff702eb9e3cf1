//! A picture in letters: two pixels in each, one above the other, where there are colours.

use std::fmt::Write;
use std::ops::Range;

use tdshm::{Convert, RowOrder, TopFrame, TopShape};

use crate::output::screen::Size;

/// What the terminal can show.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Style {
    pub(crate) colours: bool,
    pub(crate) unicode: bool,
}

/// From dark to bright.
const SHADES: [char; 5] = [' ', '░', '▒', '▓', '█'];
const ASCII_SHADES: [char; 10] = [' ', '.', ':', '-', '=', '+', '*', '#', '%', '@'];
/// Of the pixels that become one, rows and columns that are looked at.
const LOOKS: usize = 4;

/// Red, green and blue.
pub(crate) type Rgb = [u8; 3];

/// What is shown: the shape of an image and its rows from the top, or some of them, evenly.
#[derive(Clone, Debug)]
pub(crate) struct Picture<'p> {
    pub(crate) shape: TopShape,
    pub(crate) rows: Vec<&'p [u8]>,
}

/// A picture of so many columns and lines of letters: two pixels each, one above the other, row by row from the top.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Grid {
    pub(crate) columns: usize,
    pub(crate) lines: usize,
    pub(crate) pixels: Vec<Rgb>,
}

impl Grid {
    /// The upper and the lower pixel of each letter, line by line.
    pub(crate) fn letters(&self) -> impl Iterator<Item = (&[Rgb], &[Rgb])> {
        let columns = self.columns.max(1);
        self.pixels.chunks_exact(columns.saturating_mul(2)).map(move |both| both.split_at(columns))
    }
}

/// The picture, no larger than `room` and than itself, in its own proportions; `None` where nobody knows the pixels.
pub(crate) fn lines(frame: &TopFrame, style: Style, room: Size) -> Option<Vec<String>> {
    let picture = Picture { shape: frame.shape(), rows: frame.rows(RowOrder::TopFirst).collect() };
    let grid = grid(&picture, room)?;
    Some(grid.letters().map(|(upper, lower)| line(upper, lower, style)).collect())
}

/// The same as pixels.
pub(crate) fn grid(picture: &Picture<'_>, room: Size) -> Option<Grid> {
    let shape = &picture.shape;
    // A letter is twice as high as wide.
    let (columns, lines) = fitted((shape.width, shape.height), shape.aspect, room);
    let pixels = reduced(picture, columns, lines.saturating_mul(2))?;
    Some(Grid { columns, lines, pixels })
}

/// Columns and lines of letters for so many pixels.
fn fitted((width, height): (usize, usize), aspect: (f32, f32), room: Size) -> (usize, usize) {
    let squeeze = f64::from(aspect.0 / aspect.1);
    let squeeze = if squeeze.is_finite() && squeeze > 0.0 { squeeze } else { 1.0 };
    let (wide, high) = (width as f64 * squeeze, height as f64);
    let scale = (room.columns as f64 / wide).min(room.rows as f64 * 2.0 / high).min(1.0);
    let columns = (wide * scale).round() as usize;
    let lines = (high * scale / 2.0).round() as usize;
    (columns.clamp(1, room.columns.max(1)), lines.clamp(1, room.rows.max(1)))
}

/// The picture with so many pixels, each the mean of some of those that it stands for; top row first. `None` where nobody
/// knows the pixels.
pub(crate) fn reduced(picture: &Picture<'_>, columns: usize, rows: usize) -> Option<Vec<Rgb>> {
    let Picture { shape, rows: source } = picture;
    let kind = shape.texels.kind()?;
    // One channel that is no grey is alpha alone.
    let alpha_alone = !kind.mono
        && kind.alpha
        && shape.texels.bytes_per_pixel().is_some_and(|bytes| bytes == usize::from(kind.bits / 8));
    let mut rgba = vec![0; shape.width.saturating_mul(4)];
    let mut reduced = Vec::with_capacity(columns.saturating_mul(rows));
    for y in 0..rows {
        let mut sums = vec![[0_u32; 3]; columns];
        let mut looks = 0_u32;
        for row in looked_at(part(y, rows, source.len())).filter_map(|y| source.get(y)) {
            let converted = Convert::new(shape.texels, shape.width, 1).to_rgba8(row, &mut rgba);
            debug_assert_eq!(converted, Ok(()), "the format is known, and the row is whole");
            let pixels = rgba.as_chunks::<4>().0;
            for (x, sum) in sums.iter_mut().enumerate() {
                let mut mean = [0_u32; 3];
                let mut count = 0_u32;
                for [r, g, b, a] in looked_at(part(x, columns, shape.width)).filter_map(|x| pixels.get(x)) {
                    let pixel = match (kind.mono, alpha_alone) {
                        (true, _) => [r, r, r],
                        (_, true) => [a, a, a],
                        _ => [r, g, b],
                    };
                    for (mean, value) in mean.iter_mut().zip(pixel) {
                        *mean = mean.saturating_add(u32::from(*value));
                    }
                    count = count.saturating_add(1);
                }
                for (sum, mean) in sum.iter_mut().zip(mean) {
                    *sum = sum.saturating_add(mean.checked_div(count).unwrap_or(0));
                }
            }
            looks = looks.saturating_add(1);
        }
        let mean = |sum: u32| sum.checked_div(looks).and_then(|mean| u8::try_from(mean).ok()).unwrap_or(0);
        reduced.extend(sums.into_iter().map(|sum| sum.map(mean)));
    }
    Some(reduced)
}

/// Which of `of` pixels the one at `index` of `count` stands for, at least one.
fn part(index: usize, count: usize, of: usize) -> Range<usize> {
    let at = |index: usize| index.saturating_mul(of).checked_div(count).unwrap_or(0);
    let begin = at(index);
    begin..at(index.saturating_add(1)).max(begin.saturating_add(1))
}

/// Some of them, evenly.
fn looked_at(part: Range<usize>) -> impl Iterator<Item = usize> {
    let step = part.len().div_ceil(LOOKS).max(1);
    part.step_by(step)
}

fn line(upper: &[Rgb], lower: &[Rgb], style: Style) -> String {
    let mut text = String::new();
    let mut last: Option<(Rgb, Rgb)> = None;
    for (upper, lower) in upper.iter().zip(lower) {
        let both = mean(*upper, *lower);
        match style {
            Style { colours: true, unicode } => {
                let pair = if unicode { (*upper, *lower) } else { (both, both) };
                if last != Some(pair) {
                    let ([r, g, b], [br, bg, bb]) = pair;
                    // Writing into a string cannot fail.
                    let _ = write!(text, "\x1b[38;2;{r};{g};{b};48;2;{br};{bg};{bb}m");
                    last = Some(pair);
                }
                text.push(if unicode { '▀' } else { ' ' });
            }
            Style { unicode, .. } => text.push(shade_of(*upper, *lower, unicode)),
        }
    }
    if style.colours {
        text.push_str("\x1b[0m");
    }
    text
}

/// The letter for two pixels where there are no colours.
pub(crate) fn shade_of(upper: Rgb, lower: Rgb, unicode: bool) -> char {
    let both = mean(upper, lower);
    if unicode { shade(both, &SHADES) } else { shade(both, &ASCII_SHADES) }
}

pub(crate) fn mean(a: Rgb, b: Rgb) -> Rgb {
    let mut mean = a;
    for (mean, b) in mean.iter_mut().zip(b) {
        *mean = mean.midpoint(b);
    }
    mean
}

/// By its brightness.
fn shade([r, g, b]: Rgb, shades: &[char]) -> char {
    let brightness = 0.2126 * f32::from(r) + 0.7152 * f32::from(g) + 0.0722 * f32::from(b);
    let index = (brightness / 256.0 * shades.len() as f32) as usize;
    shades.get(index).copied().unwrap_or(' ')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_keeps_its_proportions_and_never_grows() {
        let room = Size { columns: 80, rows: 20 };
        for (size, aspect, letters) in [
            ((1920, 1080), (1.0, 1.0), (71, 20)),
            ((1000, 100), (1.0, 1.0), (80, 4)),
            ((8, 8), (1.0, 1.0), (8, 4)),
            ((1, 1), (1.0, 1.0), (1, 1)),
            ((32768, 1), (1.0, 1.0), (80, 1)),
            ((1, 32768), (1.0, 1.0), (1, 20)),
            ((40, 40), (2.0, 1.0), (80, 20)),
            ((40, 40), (f32::NAN, 0.0), (40, 20)),
        ] {
            assert_eq!(fitted(size, aspect, room), letters, "{size:?}");
        }
        assert_eq!(fitted((640, 360), (1.0, 1.0), Size { columns: 0, rows: 0 }), (1, 1));
    }

    #[test]
    fn letters_are_two_pixels_or_a_shade() {
        let (upper, lower) = ([[255, 0, 0], [255, 0, 0], [0; 3]], [[0, 0, 255], [0, 0, 255], [0; 3]]);
        let text = |colours, unicode| line(&upper, &lower, Style { colours, unicode });
        assert_eq!(text(true, true), "\x1b[38;2;255;0;0;48;2;0;0;255m▀▀\x1b[38;2;0;0;0;48;2;0;0;0m▀\x1b[0m");
        assert_eq!(
            text(true, false),
            "\x1b[38;2;127;0;127;48;2;127;0;127m  \x1b[38;2;0;0;0;48;2;0;0;0m \x1b[0m"
        );
        let white = [[255; 3]];
        assert_eq!(line(&white, &white, Style { colours: false, unicode: true }), "█");
        assert_eq!(line(&white, &white, Style { colours: false, unicode: false }), "@");
        assert_eq!(text(false, false), "   ".replace("  ", ".."), "{:?}", text(false, false));
    }

    #[test]
    fn every_pixel_is_looked_for_inside_the_picture() {
        for (count, of) in [(3, 10), (10, 3), (1, 1), (80, 1920)] {
            for index in 0..count {
                let part = part(index, count, of);
                assert!(
                    !part.is_empty() && part.start < of && part.end <= of.max(part.start + 1),
                    "{part:?}"
                );
                assert!((1..=LOOKS).contains(&looked_at(part).count()));
            }
        }
    }
}
