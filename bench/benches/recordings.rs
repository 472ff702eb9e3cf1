//! Recordings: how exactly frames are played at their times. The player is the command, in a process of its own: this program
//! starts itself as it.
#![allow(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "a benchmark that fails stops"
)]

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use tdshm::{ChopFrame, ChopReceiver, PixelFormat, Pixels, TopFrame, TopReceiver};
use tdshm_bench::{goal, row, show, tidy, unique};
use tdshm_io::file::recording::{Stamp, Writer};

/// What the other process plays, and that it is the player.
const PLAY: &str = "TDSHM_BENCH_PLAY";
const FRAMES: u32 = 600;
const APART: Duration = Duration::from_nanos(1_000_000_000 / 60);
const EVER: Duration = Duration::from_secs(60);
const SIZE: (usize, usize) = (1280, 720);

fn main() {
    if let Some(file) = std::env::var_os(PLAY) {
        let exit = tdshm_cli::run(["tdshm".into(), "play".into(), file, "--json".into(), "-q".into()]);
        std::process::exit(exit.code().into());
    }
    let folder = std::env::temp_dir().join(unique("recordings"));
    std::fs::create_dir_all(&folder).unwrap();
    played(&folder);
    std::fs::remove_dir_all(folder).unwrap();
}

/// 60 frames a second: how far from their times they arrive, beside a sleep that ends 60 times a second.
fn played(folder: &Path) {
    row("# playing at 60 Hz, ten seconds", "baseline: sleeping up to each time, by itself");
    let begin = Instant::now();
    let late = (0..FRAMES).map(|index| {
        let due = APART * index;
        sleep(due.saturating_sub(begin.elapsed()));
        (begin.elapsed().as_secs_f64(), due.as_secs_f64())
    });
    jitter("baseline: sleep", late.collect());

    let name = unique("pose");
    let frame = ChopFrame::from_rows(["tx"; 64], 60.0, &[[0.5]; 64]).unwrap();
    let file = made(folder, |writer, stamp| writer.channels(&name, &frame, stamp).unwrap());
    let mut input = ChopReceiver::open(&name).unwrap();
    let p99 = arrivals("64 channels x 1 sample", &file, || {
        input.next_timeout(EVER).unwrap().and_then(ChopFrame::number)
    });
    goal("played", p99 < 1e-3, &format!("p99 {}, under 1 ms", show(p99)));
    tidy(&name);

    let name = unique("cam");
    let pixels = vec![7; SIZE.0 * SIZE.1 * 4];
    let frame =
        TopFrame::from_pixels(&Pixels::bottom_first(PixelFormat::R8G8B8A8_UNORM, SIZE.0, SIZE.1, &pixels));
    let frame = frame.unwrap();
    let file = made(folder, |writer, stamp| writer.image(&name, &frame, stamp).unwrap());
    let mut input = TopReceiver::open(&name).unwrap();
    arrivals("1280 x 720 rgba8", &file, || input.next_timeout(EVER).unwrap().and_then(TopFrame::number));
    tidy(&name);
}

fn made(folder: &Path, mut write: impl FnMut(&mut Writer<BufWriter<File>>, &Stamp)) -> PathBuf {
    let file = folder.join("take.mcap");
    let mut writer = Writer::create(&file).unwrap();
    for index in 0..FRAMES {
        let received = Duration::from_secs(1_700_000_000) + APART * index;
        write(&mut writer, &Stamp { received, sent: None, number: Some(index.into()) });
    }
    writer.finish().unwrap();
    file
}

fn player(file: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap()).env(PLAY, file).stdout(Stdio::piped()).spawn().unwrap()
}

/// Plays a file, and gives the ninety-ninth percentile of what its frames are off their times, in seconds.
fn arrivals(what: &str, file: &Path, mut next: impl FnMut() -> Option<u64>) -> f64 {
    let player = player(file);
    let begin = Instant::now();
    let mut times = Vec::new();
    while let Some(number) = next() {
        times.push((begin.elapsed().as_secs_f64(), (number as f64 - 1.0) * APART.as_secs_f64()));
        if number == u64::from(FRAMES) {
            break;
        }
    }
    let said = player.wait_with_output().unwrap();
    assert!(said.status.success());
    // What it says itself: how late it was when it began to send.
    let said = String::from_utf8(said.stdout).unwrap();
    let late = said.split_once("\"late_ms\":").map_or("", |(_, late)| late.trim_end().trim_end_matches('}'));
    row(&format!("  part: {what}, late to begin with"), &format!("{}, in ms", late.trim_start_matches('{')));
    jitter(&format!("{what}, {} of {FRAMES} seen", times.len()), times)
}

/// What times are off those that they should be, from the middle of all.
fn jitter(what: &str, times: Vec<(f64, f64)>) -> f64 {
    let off: Vec<f64> = times.iter().map(|(is, due)| is - due).collect();
    let middle = tdshm_bench::median(off.clone());
    let mut off: Vec<f64> = off.iter().map(|off| (off - middle).abs()).collect();
    off.sort_by(f64::total_cmp);
    let at = |part: f64| off[((off.len() - 1) as f64 * part) as usize];
    row(what, &format!("p50 {}, p99 {}, most {}", show(at(0.5)), show(at(0.99)), show(at(1.0))));
    at(0.99)
}
