//! The test pattern: colour bars above, a gradient that moves below, and the number of the frame.

use tdshm::{PixelFormat, RowOrder, Sent, Texels, TopFrame, TopSender};

/// From left to right, all of them three quarters bright: white, yellow, cyan, green, magenta, red, blue, black.
const BARS: [[f32; 3]; 8] = [
    [0.75, 0.75, 0.75],
    [0.75, 0.75, 0.0],
    [0.0, 0.75, 0.75],
    [0.0, 0.75, 0.0],
    [0.75, 0.0, 0.75],
    [0.75, 0.0, 0.0],
    [0.0, 0.0, 0.75],
    [0.0, 0.0, 0.0],
];
/// Frames until the gradient is where it was.
const PERIOD: u64 = 120;
/// Digits that the number has at least.
const DIGITS: usize = 6;
/// A digit is five dots wide and seven high, with one between it and the next, and a margin of one around all.
const PITCH: usize = 6;
const BOX_ROWS: usize = 9;
/// The rows of each digit, whose leftmost dot is the highest of five bits.
const FONT: [[u8; 7]; 10] = [
    [0b01110, 0b10001, 0b10011, 0b10101, 0b11001, 0b10001, 0b01110],
    [0b00100, 0b01100, 0b00100, 0b00100, 0b00100, 0b00100, 0b01110],
    [0b01110, 0b10001, 0b00001, 0b00110, 0b01000, 0b10000, 0b11111],
    [0b01110, 0b10001, 0b00001, 0b00110, 0b00001, 0b10001, 0b01110],
    [0b00010, 0b00110, 0b01010, 0b10010, 0b11111, 0b00010, 0b00010],
    [0b11111, 0b10000, 0b11110, 0b00001, 0b00001, 0b10001, 0b01110],
    [0b00110, 0b01000, 0b10000, 0b11110, 0b10001, 0b10001, 0b01110],
    [0b11111, 0b00001, 0b00010, 0b00100, 0b01000, 0b01000, 0b01000],
    [0b01110, 0b10001, 0b10001, 0b01110, 0b10001, 0b10001, 0b01110],
    [0b01110, 0b10001, 0b10001, 0b01111, 0b00001, 0b00010, 0b01100],
];

/// A pattern of one size and format, for one frame at a time. All rows are one of a few, so that it costs little more than
/// their copies, whatever the format.
#[derive(Debug)]
pub(crate) struct TestPattern {
    format: PixelFormat,
    width: usize,
    height: usize,
    bars: Vec<u8>,
    gradient: Vec<u8>,
    label: Option<Label>,
    rgba: Vec<f32>,
}

/// The number of the frame: where it stands, and its rows, the bars beside it included.
#[derive(Debug)]
struct Label {
    top: usize,
    /// Pixels of a dot.
    scale: usize,
    rows: Vec<Vec<u8>>,
}

impl TestPattern {
    /// Of a known format, and at least one pixel each way.
    pub(crate) fn new(format: PixelFormat, width: usize, height: usize) -> Self {
        let mut pattern = Self {
            format,
            width,
            height,
            bars: Vec::new(),
            gradient: Vec::new(),
            label: None,
            rgba: Vec::new(),
        };
        let bar = |x: usize| {
            let bar = x.saturating_mul(BARS.len()).checked_div(width).unwrap_or(0);
            BARS.get(bar).copied().unwrap_or_default()
        };
        pattern.bars = pattern.row(bar);
        pattern
    }

    /// Sends that frame.
    pub(crate) fn send(&mut self, frame: u64, out: &mut TopSender) -> Result<Sent, tdshm::Error> {
        self.draw(frame);
        out.send_with(self.format, self.width, self.height, |image| {
            for y in 0..self.height {
                if let Some(mut row) = image.row(y, RowOrder::TopFirst) {
                    row.copy_from(self.row_at(y));
                }
            }
        })
    }

    pub(crate) fn format(&self) -> PixelFormat {
        self.format
    }

    pub(crate) fn width(&self) -> usize {
        self.width
    }

    pub(crate) fn height(&self) -> usize {
        self.height
    }

    /// Draws that frame.
    pub(crate) fn draw(&mut self, frame: u64) {
        let width = self.width as f32;
        let moved = frame.checked_rem(PERIOD).unwrap_or(0) as f32 / PERIOD as f32;
        self.gradient = self.row(|x| [(x as f32 / width + moved).fract(); 3]);
        self.label = self.label(frame);
    }

    /// The row, counted from the top, of the frame that was drawn.
    pub(crate) fn row_at(&self, y: usize) -> &[u8] {
        if y >= self.split() {
            return &self.gradient;
        }
        let label = self.label.as_ref().and_then(|label| {
            let dots = y.checked_sub(label.top)?.checked_div(label.scale)?;
            label.rows.get(dots)
        });
        label.unwrap_or(&self.bars)
    }

    /// Whether the image is the frame that was drawn, pixel by pixel.
    pub(crate) fn is(&self, image: &TopFrame) -> bool {
        let shape = image.shape();
        (shape.texels, shape.width, shape.height) == (Texels::Format(self.format), self.width, self.height)
            && image.rows(RowOrder::TopFirst).enumerate().all(|(y, row)| row == self.row_at(y))
    }

    /// The first row of the gradient.
    fn split(&self) -> usize {
        self.height.saturating_mul(3).div_ceil(5)
    }

    /// A row of these colours, each from 0 to 1.
    fn row(&mut self, colour: impl Fn(usize) -> [f32; 3]) -> Vec<u8> {
        self.rgba.clear();
        for x in 0..self.width {
            self.rgba.extend(texel(self.format, colour(x)));
        }
        let mut bytes = vec![0; self.width.saturating_mul(self.format.bytes_per_pixel().unwrap_or(0))];
        let packed = self.format.pack(&self.rgba, &mut bytes);
        debug_assert_eq!(packed, Ok(()), "the format is known, and the row is as long");
        bytes
    }

    /// `None` where the picture is too small for it.
    fn label(&self, frame: u64) -> Option<Label> {
        let digits: Vec<usize> =
            format!("{frame:0DIGITS$}").bytes().map(|digit| usize::from(digit.wrapping_sub(b'0'))).collect();
        let dots = digits.len().saturating_mul(PITCH).saturating_add(1);
        let across = self.width.saturating_mul(3).checked_div(dots.saturating_mul(4))?;
        let down = self.split().saturating_mul(2).checked_div(BOX_ROWS.saturating_mul(3))?;
        let scale = across.min(down).max(1);
        let left = self.width.checked_sub(dots.saturating_mul(scale))? / 2;
        let top = self.split().checked_sub(BOX_ROWS.saturating_mul(scale))? / 2;
        let bytes = self.format.bytes_per_pixel()?;
        let pixel = |value: f32| {
            let mut pixel = vec![0; bytes];
            self.format.pack(&texel(self.format, [value; 3]), &mut pixel).ok().map(|()| pixel)
        };
        let (dark, light) = (pixel(0.0)?, pixel(1.0)?);
        let rows = (0..BOX_ROWS).map(|line| {
            let mut row = self.bars.clone();
            let begin = left.saturating_mul(bytes);
            let pixels = row.get_mut(begin..).unwrap_or_default().chunks_mut(bytes);
            for (x, to) in pixels.take(dots.saturating_mul(scale)).enumerate() {
                let lit = is_lit(&digits, x.checked_div(scale).unwrap_or(0), line);
                to.copy_from_slice(if lit { &light } else { &dark });
            }
            row
        });
        Some(Label { top, scale, rows: rows.collect() })
    }
}

/// Whether a dot of the box is one of a digit.
fn is_lit(digits: &[usize], x: usize, line: usize) -> bool {
    let Some((x, line)) = x.checked_sub(1).zip(line.checked_sub(1)) else { return false };
    let digit = digits.get(x.checked_div(PITCH).unwrap_or(0)).and_then(|digit| FONT.get(*digit));
    let bits = digit.and_then(|rows| rows.get(line)).copied().unwrap_or(0);
    let column = x.checked_rem(PITCH).and_then(|x| u32::try_from(x).ok()).unwrap_or(0);
    0b10000_u8.checked_shr(column).is_some_and(|bit| bits & bit != 0)
}

/// A colour as the format can show it: where it has one channel, or alpha alone, by its brightness.
fn texel(format: PixelFormat, [r, g, b]: [f32; 3]) -> [f32; 4] {
    let brightness = 0.2126 * r + 0.7152 * g + 0.0722 * b;
    let alone =
        [PixelFormat::A8_UNORM, PixelFormat::A16_UNORM, PixelFormat::A16_SFLOAT, PixelFormat::A32_SFLOAT];
    if alone.contains(&format) {
        [0.0, 0.0, 0.0, brightness]
    } else if Texels::Format(format).kind().is_some_and(|kind| kind.mono) {
        [brightness, brightness, brightness, 1.0]
    } else {
        [r, g, b, 1.0]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_size_in_any_format_has_all_of_its_rows() {
        for format in PixelFormat::ALL {
            for (width, height) in [(1, 1), (3, 200), (200, 3), (64, 36), (37, 15), (36, 15)] {
                let mut pattern = TestPattern::new(format, width, height);
                pattern.draw(1_234_567);
                for y in 0..height {
                    assert_eq!(
                        pattern.row_at(y).len(),
                        width * format.bytes_per_pixel().unwrap(),
                        "{format}"
                    );
                }
            }
        }
    }

    /// As letters: the dots of the number, read off the picture.
    #[test]
    fn the_number_can_be_read() {
        let mut pattern = TestPattern::new(PixelFormat::R8_UNORM, 50, 15);
        pattern.draw(42);
        let text: Vec<String> = (0..9)
            .map(|y| pattern.row_at(y).iter().map(|value| if *value == 255 { '#' } else { '.' }).collect())
            .collect();
        let digits: Vec<String> = text.iter().map(|line| line[31..43].to_owned()).collect();
        assert_eq!(
            digits,
            [
                "............",
                "...#...###..",
                "..##..#...#.",
                ".#.#......#.",
                "#..#....##..",
                "#####..#....",
                "...#..#.....",
                "...#..#####.",
                "............",
            ]
        );
    }

    #[test]
    fn bars_stand_above_and_the_gradient_moves_below() {
        let mut pattern = TestPattern::new(PixelFormat::R8G8B8A8_UNORM, 80, 10);
        pattern.draw(0);
        assert_eq!(pattern.row_at(0)[..4], [191, 191, 191, 255]);
        assert_eq!(pattern.row_at(0)[4 * 55..4 * 56], [191, 0, 0, 255]);
        assert_eq!(pattern.row_at(9)[4 * 40..4 * 41], [128, 128, 128, 255]);
        pattern.draw(60);
        assert_eq!(pattern.row_at(9)[..4], [128, 128, 128, 255]);
        assert_eq!(pattern.row_at(9)[4 * 40..4 * 41], [0, 0, 0, 255]);
    }
}
