//! `tdshm top`, in a terminal, as a person uses it: keys go in, and what a terminal emulator shows is looked at.

mod dots;
mod svg;
pub(crate) mod tty;

use std::collections::BTreeSet;
use std::process::Command;

use tdshm::{ChopFrame, ChopSender, PixelFormat, Pixels, TopSender};
use vt100::{Color, MouseProtocolMode, Screen};

use crate::kit::{ForeignOut, Name, command, run, send_signal, start, stopped, until};
use tty::{Tty, closed_under, line};

/// The monitor of what has that name, or what begins with it.
fn top(pattern: &str) -> Command {
    let mut command = command(&["top", pattern]);
    command.env("TERM", "xterm-256color").env("LANG", "C.UTF-8").env_remove("COLORTERM");
    command
}

fn braille(screen: &Screen) -> Vec<(u16, u16, char)> {
    let (rows, columns) = screen.size();
    let cells = (0..rows).flat_map(|row| (0..columns).map(move |column| (row, column)));
    let char_at = |(row, column)| screen.cell(row, column)?.contents().chars().next();
    cells
        .filter_map(|at| Some((at.0, at.1, char_at(at)?)))
        .filter(|(_, _, c)| ('\u{2801}'..='\u{28ff}').contains(c))
        .collect()
}

/// The line of the list with that segment.
fn row(screen: &Screen, name: &str) -> String {
    line(screen, &format!("  {name} ")).unwrap_or_default()
}

/// The value that stands behind a channel's name.
fn value_of(screen: &Screen, channel: &str) -> Option<f32> {
    let line = line(screen, &format!("━ {channel} "))?;
    let value = line.split(&format!("━ {channel} ")).nth(1)?.split_whitespace().next()?;
    value.trim_end_matches('│').parse().ok()
}

#[test]
fn it_ends_with_its_terminal() {
    for _ in 0..3 {
        let name = Name::new();
        assert_eq!(closed_under(&top(name.as_str()), "q quit"), Some(129));
    }
}

#[test]
fn segments_appear_and_disappear_and_the_terminal_is_given_back() {
    let name = Name::new();
    let mut tty = Tty::start(&top(name.as_str()), 30, 120);
    tty.says("┌ no segment ");
    assert!(!tty.is_cooked());
    let screen = tty.says("q quit");
    assert!(screen.alternate_screen() && screen.mouse_protocol_mode() != MouseProtocolMode::None);
    let sender = start(&["send", name.as_str(), "--channels", "tx,ty", "--fps", "50"]);
    let screen = tty.until(|screen| row(screen, name.as_str()).contains("2×1"));
    assert!(
        screen.contents().contains("NAME") && screen.contents().contains("RATE"),
        "{}",
        screen.contents()
    );
    // The rate that is measured, and who sends.
    tty.until(|screen| {
        row(screen, name.as_str()).split_whitespace().any(|cell| {
            cell.parse().is_ok_and(|rate: f64| (40.0..60.0).contains(&rate)) && cell.contains('.')
        })
    });
    tty.says(&format!("process {} (tdshm)", sender.id()));
    tty.says("2 channels × 1 sample at 60 Hz");
    sender.signal("TERM");
    assert_eq!(sender.wait().code, Some(143));
    tty.says(&format!("{}: not there", name.as_str()));
    tty.press("q");
    let (code, screen) = tty.ended();
    assert_eq!(code, Some(0));
    assert!(!screen.alternate_screen() && !screen.hide_cursor());
    assert_eq!((screen.mouse_protocol_mode(), screen.contents().trim()), (MouseProtocolMode::None, ""));
}

#[test]
fn a_sine_is_a_curve_and_a_cursor_shows_what_was_sent() {
    let name = Name::new();
    let mut tty = Tty::start(&top(name.as_str()), 40, 140);
    let mut out = ChopSender::create(name.as_str()).unwrap();
    let sine: Vec<f32> = (0..100).map(|step| (step as f32 * std::f32::consts::TAU / 100.0).sin()).collect();
    let ramp: Vec<f32> = (0..100).map(|step| step as f32 / 1000.0).collect();
    let frame = ChopFrame::from_rows(["sine", "ramp"], 100.0, &[&sine, &ramp]).unwrap();
    out.send(&frame).unwrap();
    tty.until(|screen| screen.contents().contains("newest frame, 100 samples") && braille(screen).len() > 40);
    // One period: from the middle to the top in the first quarter, to the bottom in the third.
    tty.press("/sine\r");
    let screen = tty.says("auto range, 1 of 2");
    let dots = braille(&screen);
    let (left, right) =
        (dots.iter().map(|dot| dot.1).min().unwrap(), dots.iter().map(|dot| dot.1).max().unwrap());
    let (highest, lowest) =
        (dots.iter().map(|dot| dot.0).min().unwrap(), dots.iter().map(|dot| dot.0).max().unwrap());
    let middle = |row: u16| {
        let columns: Vec<f64> = dots.iter().filter(|dot| dot.0 == row).map(|dot| f64::from(dot.1)).collect();
        let mean = columns.iter().sum::<f64>() / columns.len() as f64;
        (mean - f64::from(left)) / f64::from(right - left)
    };
    assert!((middle(highest) - 0.25).abs() < 0.05, "{} {}", middle(highest), screen.contents());
    assert!((middle(lowest) - 0.75).abs() < 0.05, "{} {}", middle(lowest), screen.contents());

    // The pattern chose one channel; none chooses both.
    assert!(value_of(&screen, "sine").is_some() && value_of(&screen, "ramp").is_none());
    tty.press("/\x15\r");
    let screen = tty.until(|screen| screen.contents().contains("2 of 2"));
    assert_eq!(value_of(&screen, "sine"), Some(sine[99]));
    // A cursor comes at the newest sample, and goes left.
    tty.press("\x1b[D");
    let screen = tty.says("▶");
    assert_eq!((value_of(&screen, "sine"), value_of(&screen, "ramp")), (Some(sine[99]), Some(ramp[99])));
    tty.press("\x1b[1;2D\x1b[1;2D");
    let screen = tty.until(|screen| value_of(screen, "ramp") != Some(ramp[99]));
    let screen = tty.until(|now| {
        value_of(now, "ramp") != value_of(&screen, "ramp") || value_of(now, "ramp") < Some(0.09)
    });
    let ramped = value_of(&screen, "ramp").unwrap();
    let place = ramp.iter().position(|sample| *sample == ramped).expect("a sample that was sent");
    assert_eq!(value_of(&screen, "sine"), Some(sine[place]));
    let time = format!("▶ {:.3} s frame 1", place as f32 / 100.0);
    assert!(screen.contents().contains(&time), "{time}\n{}", screen.contents());
    tty.press("q");
    assert_eq!(tty.ended().0, Some(0));
}

#[test]
fn freezing_keeps_what_is_seen_while_frames_arrive() {
    let name = Name::new();
    let mut tty = Tty::start(&top(name.as_str()), 30, 120);
    let mut out = ChopSender::create(name.as_str()).unwrap();
    let mut send = |value: f32| out.send(&ChopFrame::from_rows(["a"], 60.0, &[[value]]).unwrap()).unwrap();
    send(1.0);
    tty.until(|screen| value_of(screen, "a") == Some(1.0));
    send(2.0);
    tty.until(|screen| value_of(screen, "a") == Some(2.0));
    tty.press(" ");
    tty.says("frozen: space goes on");
    send(3.0);
    // It has arrived, and what is shown is still the one before.
    let screen = tty.says("3 frames, 0 missed");
    assert_eq!(value_of(&screen, "a"), Some(2.0));
    tty.press(" ");
    tty.until(|screen| value_of(screen, "a") == Some(3.0) && !screen.contents().contains("frozen"));
    // The history has all of them: the time zooms in until two samples are left, and out again.
    tty.says("history, 300 samples");
    for span in ["150", "75", "37"] {
        tty.press("+");
        tty.says(&format!("history, {span} samples"));
    }
    tty.press("-");
    tty.says("history, 74 samples");
    // Values: a fixed range of half the height, and back.
    tty.says("auto range");
    tty.press("y");
    let screen = tty.says("fixed range");
    assert!(screen.contents().contains("2.550"), "{}", screen.contents());
    tty.press("a");
    tty.says("auto range");
    tty.press("t");
    tty.says("newest frame");
}

#[test]
fn a_pattern_that_is_none_is_told_as_it_is_typed() {
    let name = Name::new();
    let mut out = ChopSender::create(name.as_str()).unwrap();
    let names: Vec<String> = (1..=6).map(|number| format!("chan{number}")).collect();
    out.send(&ChopFrame::from_rows(names, 60.0, &[[1.0]; 6]).unwrap()).unwrap();
    let mut tty = Tty::start(&top(name.as_str()), 40, 120);
    tty.says("6 of 6");
    tty.press("/(chan1");
    let screen =
        tty.until(|screen| line(screen, "channels: (chan1").is_some_and(|line| line.contains("(chan1   ")));
    assert!(!screen.hide_cursor(), "there is something to type");
    tty.press("\r");
    tty.press(")\r");
    tty.says("1 of 6");
    tty.press("/\x15chan[2-4] chan6\r");
    let screen = tty.says("4 of 6");
    let shown: BTreeSet<&str> = ["chan1", "chan2", "chan3", "chan4", "chan5", "chan6"]
        .into_iter()
        .filter(|name| value_of(&screen, name).is_some())
        .collect();
    assert_eq!(shown, BTreeSet::from(["chan2", "chan3", "chan4", "chan6"]));
    tty.press("/");
    tty.says("channels: chan[2-4] chan6");
    tty.press("\x1b");
    tty.until(|screen| !screen.contents().contains("channels: "));
    tty.press("?");
    tty.says("any key goes back");
    tty.press("x");
    tty.until(|screen| !screen.contents().contains("any key goes back"));
    tty.press("\x03");
    assert_eq!(tty.ended().0, Some(0));
}

#[test]
fn an_image_has_the_colours_that_were_sent() {
    let name = Name::new();
    let mut out = TopSender::create(name.as_str()).unwrap();
    let colour = |x: u8, y: u8| [10 * x + 5, 20 * y + 7, 200 - 10 * x, 255];
    let pixels: Vec<u8> = (0..8_u8).flat_map(|y| (0..16_u8).flat_map(move |x| colour(x, y))).collect();
    out.send(&Pixels::top_first(PixelFormat::R8G8B8A8_UNORM, 16, 8, &pixels)).unwrap();
    let mut tty = Tty::start(&top(name.as_str()), 30, 120);
    let blocks = |screen: &Screen| {
        let (rows, columns) = screen.size();
        let all = (0..rows).flat_map(|row| (0..columns).map(move |column| (row, column)));
        all.filter(|(row, column)| screen.cell(*row, *column).is_some_and(|cell| cell.contents() == "▀"))
            .collect::<Vec<_>>()
    };
    let screen = tty.until(|screen| blocks(screen).len() == 16 * 4);
    let (first, left) = blocks(&screen)[0];
    for (row, column) in blocks(&screen) {
        let cell = screen.cell(row, column).unwrap();
        let (x, y) = (u8::try_from(column - left).unwrap(), u8::try_from(row - first).unwrap() * 2);
        let rgb = |[r, g, b, _]: [u8; 4]| Color::Rgb(r, g, b);
        assert_eq!((cell.fgcolor(), cell.bgcolor()), (rgb(colour(x, y)), rgb(colour(x, y + 1))), "{x} {y}");
    }
    assert!(screen.contents().contains("16 × 8 rgba8"), "{}", screen.contents());
    // Another one, and it is there.
    let white = [255; 4 * 16 * 8];
    out.send(&Pixels::top_first(PixelFormat::R8G8B8A8_UNORM, 16, 8, &white)).unwrap();
    tty.until(|screen| {
        screen.cell(first, left).is_some_and(|cell| cell.fgcolor() == Color::Rgb(255, 255, 255))
    });
    tty.press("q");
    assert_eq!(tty.ended().0, Some(0));

    // Without colours there are shades, and no colour anywhere.
    let mut plain = top(name.as_str());
    plain.env("NO_COLOR", "1");
    let tty = Tty::start(&plain, 30, 120);
    let screen = tty.says("████████████████");
    let (rows, columns) = screen.size();
    let all = (0..rows).flat_map(|row| (0..columns).map(move |column| (row, column)));
    for (row, column) in all {
        let cell = screen.cell(row, column).unwrap();
        assert_eq!((cell.fgcolor(), cell.bgcolor()), (Color::Default, Color::Default), "{row} {column}");
    }
}

#[test]
fn the_mouse_selects_zooms_and_sets_the_cursor() {
    let (first, second) = (Name::new(), Name::new());
    let both = format!("{} {}", first.as_str(), second.as_str());
    let (mut one, mut two) =
        (ChopSender::create(first.as_str()).unwrap(), ChopSender::create(second.as_str()).unwrap());
    one.send(&ChopFrame::from_rows(["one"], 60.0, &[[1.0; 64]]).unwrap()).unwrap();
    two.send(&ChopFrame::from_rows(["two"], 60.0, &[[2.0; 64]]).unwrap()).unwrap();
    let mut tty = Tty::start(&top(&both), 30, 120);
    tty.until(|screen| value_of(screen, "one") == Some(1.0) && screen.contents().contains(second.as_str()));
    tty.press("j");
    tty.until(|screen| value_of(screen, "two") == Some(2.0));
    let screen = tty.until(|screen| screen.contents().contains("newest frame, 64 samples"));
    let row =
        screen.contents().lines().position(|line| line.contains(&format!("  {} ", first.as_str()))).unwrap()
            + 1;
    // Press and release, rows and columns counted from 1.
    tty.press(&format!("\x1b[<0;6;{row}M\x1b[<0;6;{row}m"));
    tty.until(|screen| value_of(screen, "one") == Some(1.0));
    tty.press("\x1b[<64;80;8M");
    tty.says("newest frame, 32 samples");
    tty.press("\x1b[<65;80;8M");
    tty.says("newest frame, 64 samples");
    tty.press("\x1b[<0;80;8M");
    tty.says("▶");
    tty.press("\x1b[<65;6;5M");
    tty.until(|screen| value_of(screen, "two") == Some(2.0));
}

#[test]
fn it_fits_any_size() {
    let name = Name::new();
    let sender = start(&["send", name.as_str(), "--count", "40", "--length", "100"]);
    let mut tty = Tty::start(&top(name.as_str()), 30, 120);
    tty.until(|screen| braille(screen).len() > 10);
    for (rows, columns) in [(1, 1), (2, 3), (3, 200), (50, 5), (10, 20), (4, 73), (200, 300)] {
        tty.resize(rows, columns);
        for keys in ["", "\r", "i", "i", "i", "?", "?", "/", "\r", "\r"] {
            tty.press(keys);
        }
        // It still obeys.
        tty.resize(30, 120);
        tty.says("NAME");
        tty.until(|screen| braille(screen).len() > 10);
    }
    // One side at a time where there is no room for both.
    tty.resize(20, 50);
    tty.until(|screen| screen.cell(0, 49).is_some_and(|cell| cell.contents() == "┐"));
    tty.press("\r");
    tty.until(|screen| !screen.contents().contains("NAME") && braille(screen).len() > 10);
    tty.press("q");
    assert_eq!(tty.ended().0, Some(0));
    drop(sender);
}

#[test]
fn signals_and_a_panic_leave_the_terminal_as_it_was() {
    let name = Name::new();
    let check = |tty: Tty, how: &str| {
        let (code, screen) = tty.ended();
        assert!(!screen.alternate_screen() && !screen.hide_cursor(), "{how}");
        assert_eq!(screen.mouse_protocol_mode(), MouseProtocolMode::None, "{how}");
        (code, screen.contents())
    };
    for (signal, status) in [("TERM", 143), ("INT", 130), ("HUP", 129)] {
        let tty = Tty::start(&top(name.as_str()), 30, 120);
        tty.says("┌ no segment ");
        send_signal(tty.id(), signal);
        assert_eq!(check(tty, signal).0, Some(status));
    }
    let mut mistaken = top(name.as_str());
    mistaken.env("TDSHM_TOP_PANICS", "1").env("RUST_BACKTRACE", "0");
    let mut tty = Tty::start(&mistaken, 30, 120);
    tty.says("┌ no segment ");
    tty.press("!");
    let (code, left) = check(tty, "panic");
    assert!(
        code == Some(101) && left.contains("asked to"),
        "what went wrong stays on the screen: {code:?} {left}"
    );
}

#[test]
fn a_shell_can_stop_it_and_let_it_go_on() {
    let name = Name::new();
    for by_key in [true, false] {
        let mut tty = Tty::start(&top(name.as_str()), 30, 120);
        tty.says("┌ no segment ");
        if by_key {
            tty.press("\x1a");
        } else {
            send_signal(tty.id(), "TSTP");
        }
        until(|| stopped(tty.id()));
        let screen = tty.until(|screen| !screen.alternate_screen());
        assert!(!screen.hide_cursor() && tty.is_cooked());
        send_signal(tty.id(), "CONT");
        tty.until(|screen| screen.alternate_screen() && screen.contents().contains("┌ no segment "));
        assert!(!tty.is_cooked());
        tty.press("q");
        assert_eq!(tty.ended().0, Some(0));
    }
}

#[test]
fn without_a_terminal_it_says_what_there_is_instead() {
    let ended = run(&["top"]);
    assert_eq!(ended.code, Some(1));
    assert!(
        ended.err.concat().contains("use `tdshm list` for what there is, or `tdshm watch NAME`"),
        "{ended:?}"
    );
    let ended = run(&["top", "(a"]);
    assert_eq!((ended.code, ended.out.len()), (Some(1), 0), "{ended:?}");
}

/// Each fault is made for real, and told in words.
#[test]
fn what_is_wrong_is_told() {
    let name = Name::new();
    let tty = Tty::start(&top(name.as_str()), 44, 160);
    // Words stand in lines.
    let says = |text: &str| {
        let words: Vec<&str> = text.split(' ').collect();
        tty.until(|screen| {
            let text = screen.contents();
            let shown: Vec<&str> =
                text.split(|c: char| c.is_whitespace() || c == '│').filter(|word| !word.is_empty()).collect();
            // What stands left of it comes between its lines.
            let shown: Vec<&str> = shown.into_iter().filter(|word| words.contains(word)).collect();
            shown.windows(words.len()).any(|window| window == words)
        })
    };
    // Dead, with the lock in its hands.
    let sender = start(&["send", name.as_str()]);
    says("process");
    let pid = sender.id();
    sender.signal("KILL");
    drop(sender);
    says(&format!("stale: its sender, process {pid} (tdshm), has died;"));
    let screen =
        tty.until(|screen| row(screen, name.as_str()).contains('!') || screen.contents().contains("! stale"));
    assert!(screen.contents().contains("dead"), "{}", screen.contents());
    assert_eq!(run(&["clean", name.as_str()]).code, Some(0));

    // Without names.
    let mut out = ChopSender::builder(name.as_str()).names_sent(false).create().unwrap();
    out.send(&[[1.0]]).unwrap();
    says("no channel names are sent:");
    drop(out);

    // Sent once and still: as it may be. Sent often and still: its sender waits, hangs, or was stopped.
    let once = ChopSender::create(name.as_str()).map(|mut out| {
        out.send(&[[1.0]]).unwrap();
        out
    });
    says("still: one frame,");
    assert!(!row(&tty.says("NAME"), name.as_str()).contains('?'));
    drop(once);
    let sender = start(&["send", name.as_str()]);
    tty.until(|screen| !screen.contents().contains("still:"));
    sender.signal("STOP");
    says("was stopped");
    tty.until(|screen| line(screen, &format!("? {} ", name.as_str())).is_some());
    sender.signal("CONT");
    tty.until(|screen| !screen.contents().contains("was stopped"));
    sender.signal("TERM");
    sender.wait();

    // Of another program: a block that claims more than there is; then the info segment under a wrong name.
    let block = |channels: u32| {
        let words = [0x12ed_54cf, 1, 40, channels, 1, 60_f32.to_bits(), 0, 36, 40, 1_f32.to_bits()];
        words.into_iter().flat_map(u32::to_le_bytes).collect::<Vec<u8>>()
    };
    let mut foreign = ForeignOut::create(name.as_str(), &block(1), 4096);
    says("foreign: another program's sender,");
    // That is no fault, and not shown as one.
    let screen = tty.says("NAME");
    assert!(!row(&screen, name.as_str()).is_empty(), "{}", screen.contents());
    let (rows, columns) = screen.size();
    let coloured = |row: u16| {
        let cell = |column: u16| screen.cell(row, column).map(|cell| cell.fgcolor());
        (0..columns / 2).filter_map(cell).any(|colour| colour != Color::Default)
    };
    assert!(!(0..rows).any(coloured), "{}", screen.contents());
    tty.until(|screen| value_of(screen, "chan1") == Some(1.0));
    foreign.put(&block(5000));
    says("numChans");
    tty.until(|screen| screen.contents().contains("malformed") && screen.contents().contains("! not read"));
    foreign.put(&block(1));
    tty.until(|screen| !screen.contents().contains("malformed"));
    foreign.leave();
    let _misnamed = ForeignOut::misnamed(name.as_str(), &block(1), 4096);
    says("with TouchSHM once:");

    // A lock that is held.
    let lock = tdshm::NamedLock::open(&tdshm::ShortName::new(name.as_str()).unwrap().data_lock()).unwrap();
    let held = lock.lock().unwrap();
    says(&format!("the lock has been found held by process {} for", std::process::id()));
    drop(held);
    tty.until(|screen| !screen.contents().contains("found held"));
}

/// Nobody is asked to remember how the picture in the documentation was made: `cargo test -p tdshm-cli --test cli --
/// --ignored picture` makes it anew, from what a terminal shows.
#[test]
#[ignore = "it writes into the documentation"]
fn the_picture_of_the_documentation() {
    let names = ["mocap", "camera", "lfo", "level"];
    let send = |name: &str, args: &[&str]| {
        let sender = start(&[&["send", name], args].concat());
        (sender, RemovedName(name.to_owned()))
    };
    let _senders = [
        send(names[0], &["--channels", "tx,ty,tz"]),
        send(names[1], &["--test-pattern", "320x180", "--fps", "25"]),
        send(names[2], &["--wave", "ramp", "--count", "4", "--fps", "30", "--rate", "30"]),
        send(names[3], &["--wave", "noise", "--no-names"]),
    ];
    let mut tty = Tty::start(&top(&names.join(" ")), 36, 150);
    tty.until(|screen| names.iter().all(|name| row(screen, name).contains('.')));
    tty.press("\x1b[B\x1b[B\x1b[B");
    // Five seconds of it.
    tty.until(|screen| braille(screen).iter().map(|dot| dot.1).min().is_some_and(|left| left < 90));
    let screen = tty.until(|screen| {
        screen.contents().contains("history, 300 samples")
            && braille(screen).iter().filter(|dot| dot.1 < 90).count() > 8
    });
    let svg = svg::of(&screen, "tdshm top");
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/top.svg");
    std::fs::write(path, svg).unwrap();
}

/// Removes what a killed sender left.
struct RemovedName(String);

impl Drop for RemovedName {
    fn drop(&mut self) {
        crate::kit::remove_objects(&self.0);
    }
}
