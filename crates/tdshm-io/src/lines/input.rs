//! Lines of bounded length.

use std::io::{self, BufRead, ErrorKind};

/// What reading a line came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Got {
    /// It is there, without its end.
    Line,
    /// It is longer than the limit, and left out.
    TooLong,
    /// There is none.
    End,
}

/// A reader, and the line that was read last.
#[derive(Debug)]
pub(super) struct Input<R> {
    reader: R,
    limit: usize,
    line: Vec<u8>,
    number: u64,
    /// The last line had its end.
    has_end: bool,
    /// The rest of a line that is too long comes first.
    in_long_line: bool,
}

impl<R: BufRead> Input<R> {
    pub(super) fn new(reader: R, limit: usize) -> Self {
        Self { reader, limit, line: Vec::new(), number: 0, has_end: true, in_long_line: false }
    }

    pub(super) fn line(&self) -> &[u8] {
        self.line.strip_suffix(b"\r").unwrap_or(&self.line)
    }

    /// Of the line that was read last, counted from 1.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// Whether the line that was read last has a line end, and is therefore whole.
    pub(super) fn has_end(&self) -> bool {
        self.has_end
    }

    /// Removes a byte order mark.
    pub(super) fn skip_mark(&mut self) {
        if self.line.starts_with(b"\xef\xbb\xbf") {
            self.line.drain(..3);
        }
    }

    /// Reads the next line.
    pub(super) fn next_line(&mut self) -> io::Result<Got> {
        if self.in_long_line {
            self.skip_line()?;
        }
        self.line.clear();
        self.read_line()
    }

    /// Reads the next line behind the last one, with the line end between them.
    pub(super) fn continue_line(&mut self) -> io::Result<Got> {
        self.line.push(b'\n');
        self.read_line()
    }

    fn read_line(&mut self) -> io::Result<Got> {
        let before = self.line.len();
        loop {
            let bytes = match self.reader.fill_buf() {
                Ok(bytes) => bytes,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if bytes.is_empty() {
                if self.line.len() == before {
                    return Ok(Got::End);
                }
                self.number = self.number.saturating_add(1);
                self.has_end = false;
                return Ok(Got::Line);
            }
            let end = bytes.iter().position(|byte| *byte == b'\n');
            let part = bytes.get(..end.unwrap_or(bytes.len())).unwrap_or_default();
            let fits = self.line.len().saturating_add(part.len()) <= self.limit;
            if fits {
                self.line.extend_from_slice(part);
            }
            let used = part.len().saturating_add(usize::from(end.is_some()));
            self.reader.consume(used);
            if !fits {
                // Given back to the system: the next line is hardly as long.
                self.line = Vec::new();
                self.in_long_line = end.is_none();
            }
            if !fits || end.is_some() {
                self.number = self.number.saturating_add(1);
                return Ok(if fits { Got::Line } else { Got::TooLong });
            }
        }
    }

    fn skip_line(&mut self) -> io::Result<()> {
        self.in_long_line = false;
        self.reader.skip_until(b'\n').map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::BufReader;

    #[test]
    fn lines_that_are_too_long_are_left_out() {
        let text = "abcd\n12345\n\nabcd\r\nlast";
        for room in 1..20 {
            let mut input = Input::new(BufReader::with_capacity(room, text.as_bytes()), 5);
            let mut lines = Vec::new();
            while input.next_line().unwrap() == Got::Line {
                lines.push(String::from_utf8(input.line().to_vec()).unwrap());
            }
            assert_eq!(
                (lines, input.number()),
                (["abcd", "12345", "", "abcd", "last"].map(String::from).into(), 5)
            );

            let mut input = Input::new(BufReader::with_capacity(room, text.as_bytes()), 4);
            let got: Vec<Got> = (0..6).map(|_| input.next_line().unwrap()).collect();
            assert_eq!(got, [Got::Line, Got::TooLong, Got::Line, Got::TooLong, Got::Line, Got::End]);
            assert_eq!(input.number(), 5);
        }
    }
}
