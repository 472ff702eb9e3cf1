//! Images as dots, read back by readers that share no code with what writes them: sixels as DEC's manual of the VT340 has them,
//! kitty's graphics as that terminal's page does, and libsixel where it is on the machine.

use std::collections::BTreeMap;
use std::process::Command;

use tdshm::{PixelFormat, Pixels, TopSender};

use super::top;
use super::tty::Tty;
use crate::kit::Name;

/// Rows of red, green and blue.
#[derive(Debug, PartialEq)]
struct Dots {
    width: usize,
    height: usize,
    rgb: Vec<[u8; 3]>,
}

/// The last whole piece of what was written that begins and ends so.
fn last<'w>(written: &'w str, begin: &str, end: &str) -> &'w str {
    let whole = &written[..written.rfind(end).unwrap()];
    let at = whole.rfind(begin).unwrap();
    &whole[at + begin.len()..]
}

/// Numbers, `;` between them, at the start of a text; and the rest of it.
fn numbers(text: &str) -> (Vec<usize>, &str) {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != ';').unwrap_or(text.len());
    let (numbers, rest) = text.split_at(end);
    (numbers.split(';').filter_map(|number| number.parse().ok()).collect(), rest)
}

/// Reads what stands between `ESC P q` and `ESC \\`.
fn sixels(data: &str) -> Dots {
    let (shape, mut rest) = numbers(data.strip_prefix('"').unwrap());
    assert_eq!(shape[..2], [1, 1], "a dot is as high as it is wide");
    let (width, height) = (shape[2], shape[3]);
    let mut colours = BTreeMap::new();
    let mut dots = vec![None; width * height];
    let (mut x, mut y, mut colour) = (0, 0, 0);
    while let Some(c) = rest.chars().next() {
        rest = &rest[1..];
        let mut put = |sixel: char, times: usize, x: &mut usize| {
            let bits = sixel as usize - 63;
            assert!(bits < 64, "{sixel:?}");
            for _ in 0..times {
                for bit in (0..6).filter(|bit| bits >> bit & 1 == 1) {
                    assert!(*x < width && y + bit < height, "{x} {y} {bit}");
                    let before = dots[(y + bit) * width + *x].replace(colours[&colour]);
                    assert_eq!(before, None, "each dot once");
                }
                *x += 1;
            }
        };
        match c {
            '#' => {
                let (given, after) = numbers(rest);
                rest = after;
                colour = given[0];
                if let [_, space, r, g, b] = given[..] {
                    assert_eq!(space, 2, "red, green and blue");
                    colours.insert(colour, [r, g, b].map(|part| (part * 255 / 100) as u8));
                }
            }
            '!' => {
                let (times, after) = numbers(rest);
                rest = &after[1..];
                put(after.chars().next().unwrap(), times[0], &mut x);
            }
            '$' => x = 0,
            '-' => (x, y) = (0, y + 6),
            sixel => put(sixel, 1, &mut x),
        }
    }
    Dots { width, height, rgb: dots.into_iter().map(|dot| dot.unwrap()).collect() }
}

/// The images that were transmitted, with the cells that each is stretched over.
fn kitty(written: &str) -> Vec<(Dots, (usize, usize))> {
    let mut images = Vec::new();
    let mut under_way: Option<(BTreeMap<String, String>, String)> = None;
    for piece in written.split("\x1b_G").skip(1) {
        let Some((piece, _)) = piece.split_once("\x1b\\") else { break };
        let (control, payload) = piece.split_once(';').unwrap_or((piece, ""));
        let keys: BTreeMap<String, String> = control
            .split(',')
            .map(|pair| pair.split_once('=').unwrap())
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .collect();
        assert!(payload.len() <= 4096, "{}", payload.len());
        match &mut under_way {
            // Of the pieces behind the first only whether there are more.
            Some((_, data)) => {
                assert_eq!(keys.keys().collect::<Vec<_>>(), ["m"]);
                data.push_str(payload);
            }
            None if keys["a"] == "T" => under_way = Some((keys.clone(), payload.to_owned())),
            None => continue,
        }
        if keys.get("m").is_some_and(|more| more == "1") {
            assert_eq!(payload.len() % 4, 0);
            continue;
        }
        let (keys, data) = under_way.take().unwrap();
        let number = |key: &str| keys[key].parse::<usize>().unwrap();
        assert_eq!((number("f"), number("q"), number("C")), (24, 2, 1), "24 bits, no answer, no move");
        let rgb = decoded(&data).as_chunks::<3>().0.to_vec();
        let (width, height) = (number("s"), number("v"));
        assert_eq!(rgb.len(), width * height);
        images.push((Dots { width, height, rgb }, (number("c"), number("r"))));
    }
    images
}

fn decoded(base64: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let (mut bits, mut count) = (0_u32, 0);
    for letter in base64.trim_end_matches('=').bytes() {
        let value = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'a'..=b'z' => letter - b'a' + 26,
            b'0'..=b'9' => letter - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            other => panic!("{other} is no letter of base64"),
        };
        (bits, count) = (bits << 6 | u32::from(value), count + 6);
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
        }
    }
    bytes
}

/// An image of four fields, each of one colour of the cube that sixels have.
fn fields(width: usize, height: usize) -> Vec<[u8; 4]> {
    let field = |x: usize, y: usize| match (2 * x < width, 2 * y < height) {
        (true, true) => [255, 0, 51, 255],
        (false, true) => [0, 204, 0, 255],
        (true, false) => [0, 0, 255, 255],
        (false, false) => [102, 153, 255, 255],
    };
    (0..height).flat_map(|y| (0..width).map(move |x| field(x, y))).collect()
}

/// The colours in the middle of the four fields.
fn middles(dots: &Dots) -> [[u8; 3]; 4] {
    let at = |x: usize, y: usize| dots.rgb[dots.height * y / 4 * dots.width + dots.width * x / 4];
    [at(1, 1), at(3, 1), at(1, 3), at(3, 3)]
}

const FIELDS: [[u8; 3]; 4] = [[255, 0, 51], [0, 204, 0], [0, 0, 255], [102, 153, 255]];

fn sender(name: &Name, width: usize, height: usize) -> TopSender {
    let mut out = TopSender::create(name.as_str()).unwrap();
    let pixels = fields(width, height);
    out.send(&Pixels::top_first(PixelFormat::R8G8B8A8_UNORM, width, height, pixels.as_flattened())).unwrap();
    out
}

/// What is written once the letters say that the image is there, with the end that an image has.
fn shown(tty: &Tty, begin: &str) -> String {
    tty.writes(begin);
    loop {
        let written = tty.writes("\x1b\\\x1b8");
        let begun = written.rfind(begin).unwrap();
        if written[begun..].contains("\x1b\\\x1b8") {
            return written;
        }
        std::thread::yield_now();
    }
}

#[test]
fn sixels_are_read_back_as_what_was_sent() {
    let name = Name::new();
    let _out = sender(&name, 64, 36);
    let tty = Tty::answering(&top(name.as_str()), 30, 120, "\x1b[?62;4c");
    let written = shown(&tty, "\x1bPq");
    let data = last(&written, "\x1bPq", "\x1b\\");
    let dots = sixels(data);
    assert_eq!(middles(&dots), FIELDS, "{} × {}", dots.width, dots.height);

    // By libsixel, which is not everywhere.
    let folder = tempfile::tempdir().unwrap();
    let (from, to) = (folder.path().join("dots.six"), folder.path().join("dots.png"));
    std::fs::write(&from, format!("\x1bPq{data}\x1b\\")).unwrap();
    match Command::new("sixel2png").arg("-i").arg(&from).arg("-o").arg(&to).status() {
        Ok(status) => {
            assert!(status.success());
            let rgb = image(&to);
            assert_eq!((rgb.width, rgb.height), (dots.width, dots.height));
            assert_eq!(rgb.rgb, dots.rgb);
        }
        Err(_) => eprintln!("libsixel's sixel2png is not here: libsixel-bin on Debian"),
    }
}

/// A picture as the command itself reads one: what it makes of it is checked elsewhere.
fn image(path: &std::path::Path) -> Dots {
    let name = Name::new();
    let mut sent = crate::kit::start(&["send", name.as_str(), "--image", path.to_str().unwrap()]);
    sent.says("sending");
    let mut input = tdshm::TopReceiver::open(name.as_str()).unwrap();
    let frame = input.next_timeout(std::time::Duration::from_secs(60)).unwrap().unwrap();
    let shape = frame.shape();
    let rows = frame.pixels().chunks_exact(shape.row_bytes().unwrap()).rev();
    let rgb = rows.flat_map(|row| row.as_chunks::<4>().0).map(|[r, g, b, _]| [*r, *g, *b]).collect();
    Dots { width: shape.width, height: shape.height, rgb }
}

#[test]
fn kittys_images_are_read_back_as_what_was_sent() {
    let name = Name::new();
    // More than one piece.
    let _out = sender(&name, 96, 54);
    let tty = Tty::answering(&top(name.as_str()), 30, 120, "\x1b_Gi=31;OK\x1b\\\x1b[?62c");
    let written = shown(&tty, "\x1b_Ga=T");
    let images = kitty(&written);
    let (dots, (columns, rows)) = images.last().unwrap();
    assert_eq!((dots.width, dots.height, middles(dots)), (96, 54, FIELDS));
    // As wide as it is high, in letters that are twice as high as wide.
    assert!((*columns as f64 / (*rows as f64 * 2.0) - 96.0 / 54.0).abs() < 0.15, "{columns} × {rows}");
}

#[test]
fn terminals_that_say_so_get_dots() {
    let name = Name::new();
    let mut out = TopSender::create(name.as_str()).unwrap();
    let mut send = |pixels: &[u8]| {
        out.send(&Pixels::top_first(PixelFormat::R8G8B8A8_UNORM, 2, 1, pixels)).unwrap();
    };
    send(&[255, 0, 0, 255, 0, 255, 0, 255]);
    let mut tty = Tty::answering(&top(name.as_str()), 30, 120, "\x1b_Gi=31;OK\x1b\\\x1b[?62c");
    // Red and green: ff 00 00 00 ff 00.
    tty.writes("\x1b_Ga=T,f=24,s=2,v=1,c=2,r=1,i=1,p=1,q=2,C=1,m=0;/wAAAP8A\x1b\\");
    send(&[0, 0, 255, 255, 0, 0, 255, 255]);
    tty.writes("m=0;AAD/AAD/\x1b\\");
    let screen = tty.says("2 × 1 rgba8");
    assert!(!screen.contents().contains('▀'));
    // Help stands over it, and it comes back.
    tty.press("?");
    tty.writes("\x1b_Ga=d,d=I,i=1,q=2\x1b\\");
    tty.press("x");
    tty.until(|screen| !screen.contents().contains("any key goes back"));
    tty.press("q");
    assert_eq!(tty.ended().0, Some(0));

    let tty = Tty::answering(&top(name.as_str()), 30, 120, "\x1b[?62;4c");
    // Blue, in two letters of eight by sixteen dots: two whole bands of six, and four dots of a third.
    let written = tty.writes("\x1bPq");
    let written = if written.contains("#5!16") { written } else { tty.writes("#5!16") };
    assert!(written.contains("#5!16~$-#5!16~$-#5!16N$\x1b\\"), "{written:?}");
    drop(tty);

    // Letters all the same, where they are asked for.
    let mut letters = top(name.as_str());
    letters.arg("--letters");
    let tty = Tty::answering(&letters, 30, 120, "\x1b[?62;4c");
    tty.says("▀▀");
}
