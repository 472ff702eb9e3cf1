//! CSV: a line of channel names, a row a sample.

use std::io::{self, Write};

use crate::output::{Arrival, View, number};

/// The header line comes first, and again, after an empty line, whenever the channels are other ones. Where the scope
/// picks none there is nothing.
#[derive(Debug, Default)]
pub(crate) struct CsvView {
    /// The names in the last header line; `None` before the first.
    names: Option<Vec<String>>,
    text: Vec<u8>,
}

impl CsvView {
    /// Quotes names also where a reader could take them for something else: numbers, nothing, blanks at their ends, the
    /// beginning of JSON.
    fn header(&mut self, arrival: Arrival<'_>) {
        for (index, name) in arrival.names().enumerate() {
            if index > 0 {
                self.text.push(b',');
            }
            let plain = name.trim() == name
                && !name.is_empty()
                && name.parse::<f32>().is_err()
                && !name.starts_with(['{', '[', '\u{feff}'])
                && !name.contains([',', '"', '\n', '\r']);
            if plain {
                self.text.extend_from_slice(name.as_bytes());
            } else {
                self.text.extend_from_slice(format!("\"{}\"", name.replace('"', "\"\"")).as_bytes());
            }
        }
        self.text.push(b'\n');
    }

    fn write(&mut self, arrival: Arrival<'_>) {
        let frame = arrival.frame;
        self.text.clear();
        if arrival.scope.is_some_and(<[usize]>::is_empty) {
            return;
        }
        let same = self.names.as_ref().is_some_and(|names| arrival.names().eq(names));
        if !same {
            if self.names.is_some() {
                self.text.push(b'\n');
            }
            self.header(arrival);
            self.names = Some(arrival.names().map(str::to_owned).collect());
        }
        if arrival.num_channels() == 0 {
            return;
        }
        for sample in 0..frame.len_samples() {
            for (channel, (_, samples)) in arrival.channels().enumerate() {
                if channel > 0 {
                    self.text.push(b',');
                }
                let value = samples.get(sample).copied().unwrap_or(f32::NAN);
                self.text.extend_from_slice(number(value).as_bytes());
            }
            self.text.push(b'\n');
        }
    }
}

impl View for CsvView {
    fn show(&mut self, arrival: Arrival<'_>) -> io::Result<()> {
        self.write(arrival);
        let mut out = io::stdout().lock();
        out.write_all(&self.text)?;
        out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tdshm::ChopFrame;

    fn written(view: &mut CsvView, names: &[&str], rows: &[&[f32]]) -> String {
        let frame = ChopFrame::from_rows(names.iter().copied(), 60.0, rows).unwrap();
        view.write(Arrival { count: 1, frame: &frame, scope: None });
        String::from_utf8(view.text.clone()).unwrap()
    }

    #[test]
    fn the_header_comes_again_when_the_channels_change() {
        let mut view = CsvView::default();
        assert_eq!(written(&mut view, &["a", "b"], &[&[1.0, 2.0], &[0.5, -1e-7]]), "a,b\n1,0.5\n2,-1e-7\n");
        assert_eq!(written(&mut view, &["a", "b"], &[&[3.0], &[4.0]]), "3,4\n");
        assert_eq!(written(&mut view, &["a"], &[&[f32::NAN, f32::INFINITY]]), "\na\nnan\ninf\n");
        assert_eq!(written(&mut view, &["c"], &[&[0.0]]), "\nc\n0\n");
    }

    #[test]
    fn names_are_quoted_as_needed() {
        let mut view = CsvView::default();
        let text = written(&mut view, &["a,b", "say \"hi\"", "two\nlines", ""], &[&[1.0][..]; 4]);
        assert_eq!(text, "\"a,b\",\"say \"\"hi\"\"\",\"two\nlines\",\"\"\n1,1,1,1\n");
        assert_eq!(written(&mut view, &[""], &[&[1.0]]), "\n\"\"\n1\n");
    }

    /// What is written is read by `send --stdin`, name by name and bit by bit.
    #[test]
    fn it_comes_back() {
        let strange = [
            "",
            " x ",
            "1",
            "nan",
            "-inf",
            "{",
            "[a]",
            "\u{feff}b",
            "a,b",
            "\"",
            "\r\n",
            "two\n\nlines",
            "ü",
            "x",
        ];
        let values = [0.1, -0.0, 1e-45, f32::MAX, f32::INFINITY, f32::NEG_INFINITY, f32::NAN, 16_777_216.0];
        let mut view = CsvView::default();
        let mut text = String::new();
        let mut expected: Vec<(Vec<String>, Vec<u32>)> = Vec::new();
        for begin in 0..strange.len() {
            let names = &strange[begin..];
            let rows: Vec<Vec<f32>> = names.iter().map(|_| values.to_vec()).collect();
            let rows: Vec<&[f32]> = rows.iter().map(Vec::as_slice).collect();
            text.push_str(&written(&mut view, names, &rows));
            for value in values {
                let names = names.iter().map(ToString::to_string).collect();
                expected.push((names, vec![value.to_bits(); strange.len() - begin]));
            }
        }
        let mut lines = tdshm_io::lines::FrameLines::new(text.as_bytes());
        for (names, bits) in expected {
            let frame = lines.next_frame().unwrap().unwrap();
            let back: Vec<u32> = frame.samples.iter().map(|sample| sample.to_bits()).collect();
            assert_eq!((frame.names.to_vec(), back), (names, bits));
        }
        assert_eq!(lines.next_frame().unwrap(), None);
    }

    #[test]
    fn frames_without_channels_or_samples_have_no_rows() {
        let mut view = CsvView::default();
        assert_eq!(written(&mut view, &["a"], &[&[]]), "a\n");
        written(&mut view, &[], &[]);
        assert_eq!(written(&mut view, &[], &[]), "");
    }
}
