//! Lines as people, scripts and `tdshm watch` write them, and lines that are wrong.

use std::io::{self, BufReader, Read};

use super::*;

/// Names, samples in each channel, samples.
type Seen = (Vec<String>, usize, Vec<f32>);

fn all(lines: &mut FrameLines<impl BufRead>) -> Vec<Result<Seen, String>> {
    let mut seen = Vec::new();
    loop {
        match lines.next_frame() {
            Ok(Some(frame)) => seen.push(Ok((frame.names.to_vec(), frame.len_samples, frame.samples))),
            Ok(None) => return seen,
            Err(error) => seen.push(Err(error.to_string())),
        }
    }
}

fn read(text: &str) -> Vec<Result<Seen, String>> {
    all(&mut FrameLines::new(text.as_bytes()))
}

fn frame(names: &[&str], samples: &[f32]) -> Result<Seen, String> {
    let len_samples = samples.len().checked_div(names.len()).unwrap_or(0);
    Ok((names.iter().map(ToString::to_string).collect(), len_samples, samples.to_vec()))
}

fn errors(text: impl AsRef<[u8]>) -> Vec<String> {
    all(&mut FrameLines::new(text.as_ref())).into_iter().filter_map(Result::err).collect()
}

#[test]
fn a_row_is_a_frame_and_a_header_may_come_again() {
    let text = "tx,ty\n1,2\n3,4\r\n\nq, r \n5,6\n\n7,8\n\n\"1\",\"\"\n9,10\n";
    assert_eq!(
        read(text),
        [
            frame(&["tx", "ty"], &[1.0, 2.0]),
            frame(&["tx", "ty"], &[3.0, 4.0]),
            frame(&["q", "r"], &[5.0, 6.0]),
            frame(&["q", "r"], &[7.0, 8.0]),
            frame(&["1", ""], &[9.0, 10.0]),
        ]
    );
}

#[test]
fn rows_are_gathered_and_none_is_lost() {
    let mut lines = FrameLines::new("a,b\n1,2\n3,4\n5,6\n\nc\n7\nx\n8\n9".as_bytes()).rows_per_frame(2);
    let seen = all(&mut lines);
    assert_eq!(seen[0], frame(&["a", "b"], &[1.0, 3.0, 2.0, 4.0]));
    assert_eq!(seen[1], frame(&["a", "b"], &[5.0, 6.0]), "what is left when the channels change");
    assert!(seen[2].is_err());
    assert_eq!(seen[3..], [frame(&["c"], &[7.0, 8.0]), frame(&["c"], &[9.0])]);
}

#[test]
fn a_row_that_was_being_written_is_left_out() {
    let cut = |found| Err(format!("line 3 was cut short (whole cells: {found} of 2, and no line end)"));
    for (end, found) in [("3", 1), ("3,", 1), ("3, ", 1), ("3,-", 1), ("3,1e", 1), ("-", 0)] {
        assert_eq!(read(&format!("a,b\n1,2\n{end}"))[1..], [cut(found)], "{end}");
        // Behind an empty line it may as well be a name.
        let is_name = end == "-";
        assert!(is_name || read(&format!("a,b\n\n{end}")) == [cut(found)], "{end}");
    }
    assert_eq!(read("a,b\n1,2\n3,4")[1..], [frame(&["a", "b"], &[3.0, 4.0])]);
    assert_eq!(read("a,b\n3,\"\"").len(), 1);
    assert!(read("a,b\n3,\n")[0].is_ok(), "it is whole");
    assert!(errors("a,b\n3,x")[0].contains("is not a number"));
}

#[test]
fn each_frame_is_given_before_the_next_line_is_read() {
    /// Fails when it is asked for more than the lines that it has given.
    struct Lines(Vec<&'static str>);
    impl Read for Lines {
        fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
            let line = self.0.pop().expect("a frame was complete before");
            to[..line.len()].copy_from_slice(line.as_bytes());
            Ok(line.len())
        }
    }
    let mut lines = FrameLines::new(BufReader::new(Lines(vec!["2\n", "\n", "b\n", "\n", "1\n", "a\n"])));
    assert_eq!(lines.next_frame().unwrap().unwrap().samples, [1.0]);
    assert_eq!(lines.next_frame().unwrap().unwrap().samples, [2.0]);
}

#[test]
fn quoted_names_hold_anything() {
    let text = "\u{feff}\"a,b\",\"say \"\"hi\"\"\",\"two\r\nlines\n\n\",\" x \",\"{\"\n1,2,3,4,5\n";
    assert_eq!(
        read(text),
        [frame(&["a,b", "say \"hi\"", "two\r\nlines\n\n", " x ", "{"], &[1.0, 2.0, 3.0, 4.0, 5.0])]
    );
    let seen = read("a\n\"\"\ninf\n");
    let Ok((_, 1, samples)) = &seen[0] else { panic!("{seen:?}") };
    assert!(samples[0].is_nan(), "as in a file");
    assert_eq!(seen[1], frame(&["a"], &[f32::INFINITY]));
}

#[test]
fn a_wrong_row_is_left_out_and_named() {
    let text = "tx,ty\n1,2\n1,2,3\n1\nx,1\n1e39,1\n1,\"2\n3,4\n";
    let mut lines = FrameLines::new(text.as_bytes());
    let seen = all(&mut lines);
    assert_eq!(
        (&seen[0], seen.last().unwrap()),
        (&frame(&["tx", "ty"], &[1.0, 2.0]), &frame(&["tx", "ty"], &[3.0, 4.0]))
    );
    let errors: Vec<&String> = seen.iter().filter_map(|seen| seen.as_ref().err()).collect();
    assert_eq!(errors.len(), 4, "{seen:?}");
    assert!(
        errors[0].starts_with("line 3: expected 2 cells, one for each channel, but found 3"),
        "{errors:?}"
    );
    assert!(errors[1].starts_with("line 4: expected 2 cells"), "{errors:?}");
    assert!(errors[2].starts_with("line 5, column 1 (channel \"tx\"): \"x\" is not a number"), "{errors:?}");
    assert!(errors[3].contains("beyond the 32-bit limit"), "{errors:?}");
}

#[test]
fn a_wrong_header_ends_it() {
    for (text, said) in [
        (&b"1,2\n3,4\n"[..], "line 1: the first row holds only numbers"),
        (b"\n\na,,b\n", "line 3: column 2 of 3 has no name"),
        (b"a,\xff\n1,2\n", "line 1, column 2: the channel name is not UTF-8"),
        (b"a;b\n1;2\n", "line 1: the cells seem to be separated by ';'"),
        (b"a,\"b\n1,2\n", "line 1: a name begins with a quote that is never closed"),
        (b"a,b\0\n1,2\n", "line 1: the name in column 2 is \"b\\0\", but it should be a name without NUL"),
        (b"\xff\xfea\0\n\0", "the table is UTF-16 text"),
        (b"a\n1\n\nb,\"c\n", "line 4: a name begins with a quote"),
    ] {
        let mut lines = FrameLines::new(text);
        let error = loop {
            match lines.next_frame() {
                Ok(Some(_)) => {}
                Ok(None) => panic!("no error in {text:?}"),
                Err(error) => break error.to_string(),
            }
        };
        assert!(error.starts_with(said), "{error}");
        assert!(!lines.goes_on() && lines.next_frame().unwrap().is_none(), "{error}");
    }
}

#[test]
fn json_as_watch_writes_it() {
    let text = concat!(
        r#"{"frame":7,"missed":null,"age_ms":0.25,"sample_rate":59.94,"channels":[{"name":"a\"b","samples":[0.1,null,null]},"#,
        r#"{"name":"","samples":[ -0.0 , 1e-45, null],"minus_inf":[2],"plus_inf":[]}]}"#,
        "\n\n",
        r#"{"channels":[],"sample_rate":null}"#,
    );
    let mut lines = FrameLines::new(text.as_bytes());
    let frame = lines.next_frame().unwrap().unwrap();
    assert_eq!(
        (&*frame.names, frame.sample_rate, frame.len_samples),
        (&["a\"b".to_owned(), String::new()][..], Some(59.94), 3)
    );
    let bits: Vec<u32> = frame.samples.iter().map(|sample| sample.to_bits()).collect();
    assert_eq!(bits, [0.1, f32::NAN, f32::NAN, -0.0, 1e-45, f32::NEG_INFINITY].map(f32::to_bits));
    let empty = lines.next_frame().unwrap().unwrap();
    assert_eq!((empty.names.len(), empty.len_samples, empty.sample_rate), (0, 0, None));
    assert_eq!((lines.next_frame().unwrap(), lines.known_format()), (None, Some(LineFormat::Json)));
}

#[test]
fn json_as_scripts_write_it() {
    let text = " {\"tx\": 0.5, \"ty\": 1}\n{\"tx\":[1,2],\"tx\":[3,4]}\n{\"n\":null}";
    let seen = read(text);
    assert_eq!(seen[..2], [frame(&["tx", "ty"], &[0.5, 1.0]), frame(&["tx", "tx"], &[1.0, 2.0, 3.0, 4.0])]);
    let Ok((names, 1, samples)) = &seen[2] else { panic!("{seen:?}") };
    assert!(names == &["n"] && samples[0].is_nan());
}

#[test]
fn names_stay_the_same_list_until_they_change() {
    let mut lines = FrameLines::new("{\"a\":1}\n{\"a\":2}\n{\"b\":3}".as_bytes());
    let mut next = || lines.next_frame().unwrap().unwrap().names;
    let (first, second, third) = (next(), next(), next());
    assert!(Arc::ptr_eq(&first, &second) && !Arc::ptr_eq(&second, &third));
}

#[test]
fn a_wrong_json_line_is_left_out_and_named() {
    let text = concat!(
        "{\"a\":1}\n",
        "{\"a\":\n",
        "[1,2]\n",
        "{\"a\":NaN}\n",
        "{\"a\":\"1\"}\n",
        "{\"a\":[1,[2]]}\n",
        "{\"a\":[1,2],\"b\":[1]}\n",
        "{\"a\":-1e39}\n",
        "{}\n",
        "{\"channels\":5}\n",
        "{\"channels\":[{\"name\":\"a\"}]}\n",
        "{\"channels\":[{\"name\":5,\"samples\":[]}]}\n",
        "{\"channels\":[{\"name\":\"a\",\"samples\":[0.5],\"plus_inf\":[0]}]}\n",
        "{\"channels\":[{\"name\":\"a\",\"samples\":[null],\"plus_inf\":[1]}]}\n",
        "{\"channels\":[],\"sample_rate\":0}\n",
        "{\"channels\":[{\"name\":\"a\\u0000\",\"samples\":[]}]}\n",
        "{\"a\":2} x\n",
        "{\"a\":3}\n",
    );
    let seen = read(text);
    assert_eq!(seen.iter().flatten().count(), 2, "{seen:#?}");
    let said: Vec<&str> = seen.iter().filter_map(|seen| seen.as_ref().err()).map(String::as_str).collect();
    for (said, expected) in said.iter().zip([
        "line 2, column 5: not a JSON object (EOF while parsing a value)",
        "line 3, column 0: not a JSON object (invalid type: sequence, expected an object)",
        "line 4, column 6: not a JSON object (expected value)",
        "line 5: \"a\" is \"1\", but it should be a number or null",
        "line 6: \"a\"[1] is [2], but it should be a number or null",
        "line 7: \"b\" has 1 samples, but the channels before it have 2",
        "line 8: \"a\" is -1e39, but it should be a number that fits 32 bits",
        "line 9: the line is {}, but it should be an object with at least one channel",
        "line 10: channels is 5, but it should be a list of channels",
        "line 11: channels[0] is {\"name\":\"a\"}, but it should be an object with a name and samples",
        "line 12: channels[0].name is 5, but it should be a text",
        "line 13: channels[0].plus_inf is [0], but it should be a list of places that hold null",
        "line 14: channels[0].plus_inf is [1], but it should be a list of places that hold null",
        "line 15: sample_rate is 0, but it should be a number above 0",
        "line 16: the name of channel 1 is \"a\\0\", but it should be a name without NUL",
        "line 17, column 9: not a JSON object (trailing characters)",
    ]) {
        assert!(said.starts_with(expected), "{said}\n{expected}");
    }
    assert_eq!(said.len(), 16);
}

#[test]
fn the_format_may_be_said() {
    let mut lines = FrameLines::new("{a},b\n1,2\n".as_bytes()).format(LineFormat::Csv);
    assert_eq!(all(&mut lines), [frame(&["{a}", "b"], &[1.0, 2.0])]);
    // In the middle of a line, as `tail -f` begins.
    let mut lines = FrameLines::new("5]}\n{\"a\":1}\n".as_bytes()).format(LineFormat::Json);
    assert!(lines.next_frame().is_err() && lines.goes_on());
    assert_eq!(all(&mut lines), [frame(&["a"], &[1.0])]);
}

#[test]
fn hostile_lines_are_bounded() {
    // A bomb of brackets, in every place.
    let bomb = "[".repeat(1 << 20);
    for line in [
        bomb.clone(),
        format!("{{\"a\":{bomb}"),
        format!("{{\"channels\":{bomb}"),
        format!("{{{}", "\"a\":{".repeat(1 << 18)),
    ] {
        let said = errors(&line);
        assert_eq!(said.len(), 1);
        assert!(said[0].len() < 300, "{}", said[0]);
    }
    let closed = format!("{{\"a\":{}{}}}", bomb, "]".repeat(1 << 20));
    assert!(errors(&closed)[0].starts_with("line 1"));
    // More channels than anybody takes.
    for line in [
        format!("{}\n", "a,".repeat(MOST_CHANNELS + 1)),
        format!("{{{}\"a\":0}}", "\"a\":0,".repeat(MOST_CHANNELS + OTHER)),
        format!("{{\"channels\":[{}0]}}", "0,".repeat(MOST_CHANNELS)),
    ] {
        let said = errors(&line);
        assert!(
            said.len() == 1 && said[0].contains("more than 1048576 channels"),
            "{:?}",
            said[0].get(..200)
        );
    }
    // A row of a hundred million cells.
    let row = format!("a\n{}\n1\n", ",".repeat(10_000_000));
    let seen = read(&row);
    assert_eq!(
        seen[0],
        Err("line 2: expected 1 cells, one for each channel, but found 10000001: correct that row".to_owned())
    );
    assert_eq!(seen[1], frame(&["a"], &[1.0]));
    // A line without an end.
    let endless = || BufReader::new(io::repeat(b'1').take(u64::MAX));
    let mut lines = FrameLines::new(endless());
    assert_eq!(
        lines.next_frame().unwrap_err().to_string(),
        "line 1 is longer than 64 MiB: end each line with LF, and write shorter frames"
    );
    assert!(!lines.goes_on());
    let mut lines = FrameLines::new(BufReader::new(
        "a\n".as_bytes().chain(endless().take(1 << 27)).chain("\n5\n".as_bytes()),
    ));
    assert!(lines.next_frame().unwrap_err().to_string().starts_with("line 2 is longer than"));
    assert_eq!(all(&mut lines), [frame(&["a"], &[5.0])]);
    // A quote that is never closed does not swallow the rows for long.
    let rows = "1\n".repeat(5000);
    let said = errors(format!("a\n1\n\n\"b\n{rows}"));
    assert!(said.len() == 1 && said[0].starts_with("line 4: a name begins with a quote"), "{said:?}");
}

const OTHER: usize = 64;

#[test]
fn a_reader_that_fails_ends_it() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _to: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("gone"))
        }
    }
    let mut lines = FrameLines::new(BufReader::new("a\n1\n2".as_bytes().chain(Broken)));
    assert_eq!(lines.next_frame().unwrap().unwrap().samples, [1.0]);
    assert_eq!(lines.next_frame().unwrap_err().to_string(), "reading the lines failed: gone");
    assert!(!lines.goes_on() && lines.next_frame().unwrap().is_none());
}
