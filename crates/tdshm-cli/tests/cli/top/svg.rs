//! A screen as a picture: letters where they stand, in their colours.

use std::fmt::Write;

use vt100::{Color, Screen};

/// Width and height of a letter, in pixels.
const LETTER: (f64, f64) = (8.4, 17.0);
/// Around the letters, and above them for the title.
const EDGE: f64 = 12.0;
const HEAD: f64 = 30.0;
const PAPER: &str = "#16181d";
const INK: &str = "#c8ccd4";
/// The sixteen colours that terminals name.
const NAMED: [&str; 16] = [
    "#1e2127", "#e06c75", "#98c379", "#d19a66", "#61afef", "#c678dd", "#56b6c2", "#abb2bf", "#5c6370",
    "#ff7b86", "#b5e890", "#e5c07b", "#7cc4ff", "#de9bf5", "#6fd3df", "#ffffff",
];

fn colour(colour: Color, usual: &str) -> String {
    match colour {
        Color::Default => usual.to_owned(),
        Color::Idx(index) => {
            NAMED.get(usize::from(index)).map_or_else(|| usual.to_owned(), |name| (*name).to_owned())
        }
        Color::Rgb(r, g, b) => format!("#{r:02x}{g:02x}{b:02x}"),
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// The picture.
pub(super) fn of(screen: &Screen, title: &str) -> String {
    let (rows, columns) = screen.size();
    let (width, height) =
        (f64::from(columns) * LETTER.0 + 2.0 * EDGE, f64::from(rows) * LETTER.1 + HEAD + EDGE);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.1} {height:.1}\" font-family=\"DejaVu Sans Mono, \
         Menlo, Consolas, monospace\" font-size=\"14\">\n<title>{title}</title>\n<rect width=\"100%\" height=\"100%\" rx=\"8\" \
         fill=\"{PAPER}\"/>\n<text x=\"{:.1}\" y=\"20\" fill=\"{INK}\" text-anchor=\"middle\" font-weight=\"bold\">{title}</text>\n",
        width / 2.0
    );
    for row in 0..rows {
        let y = HEAD + f64::from(row) * LETTER.1;
        // Runs of one style.
        let mut runs: Vec<(u16, u16, String, String, bool, bool, String)> = Vec::new();
        for column in 0..columns {
            let Some(cell) = screen.cell(row, column) else { continue };
            let (mut ink, mut paper) = (colour(cell.fgcolor(), INK), colour(cell.bgcolor(), PAPER));
            if cell.inverse() {
                std::mem::swap(&mut ink, &mut paper);
            }
            let text = if cell.has_contents() { cell.contents() } else { " " };
            match runs.last_mut() {
                Some((_, length, a, b, bold, dim, run))
                    if (&*a, &*b, *bold, *dim) == (&ink, &paper, cell.bold(), cell.dim()) =>
                {
                    *length += 1;
                    run.push_str(text);
                }
                _ => runs.push((column, 1, ink, paper, cell.bold(), cell.dim(), text.to_owned())),
            }
        }
        for (column, length, ink, paper, bold, dim, text) in runs {
            let x = EDGE + f64::from(column) * LETTER.0;
            let wide = f64::from(length) * LETTER.0;
            if paper != PAPER {
                let _ = writeln!(
                    svg,
                    "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{wide:.1}\" height=\"{:.1}\" fill=\"{paper}\"/>",
                    LETTER.1
                );
            }
            if text.trim().is_empty() {
                continue;
            }
            let style = format!(
                "{}{}",
                if bold { " font-weight=\"bold\"" } else { "" },
                if dim { " opacity=\"0.6\"" } else { "" }
            );
            let _ = writeln!(
                svg,
                "<text x=\"{x:.1}\" y=\"{:.1}\" fill=\"{ink}\" textLength=\"{wide:.1}\" xml:space=\"preserve\"{style}>{}</text>",
                y + 13.5,
                escaped(&text)
            );
        }
    }
    svg.push_str("</svg>\n");
    svg
}
