//! The model alone: with senders of this process, with others, and with what is not a sender.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that panics has failed, which is what its helpers are for"
)]

#[cfg(target_os = "linux")]
mod foreign;

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use tdshm::{ChopFrame, ChopSender, HeaderVersion, LockSight, PixelFormat, Pixels, TopSender};

use super::*;

/// How long anything may take before the test fails.
const WATCHDOG: Duration = Duration::from_secs(60);

/// A short name of its own, whose objects are removed at the end.
struct Name(ShortName);

impl Name {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let text = format!("model{}x{:03}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        Self(ShortName::new(&text).unwrap())
    }

    fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl Drop for Name {
    fn drop(&mut self) {
        let _ = tdshm::clean(&[self.as_str()], tdshm::DryRun::No);
    }
}

fn model() -> Model {
    // Often, so that no test waits for long.
    Model::new(Options { survey_every: Duration::from_millis(20), ..Options::default() })
}

fn following(name: &Name) -> Model {
    let mut model = model();
    model.follow(&name.0, Instant::now());
    model
}

/// Ticks until `what` is so.
#[track_caller]
fn until(model: &mut Model, name: &Name, mut what: impl FnMut(&Segment) -> bool) {
    let begin = Instant::now();
    loop {
        let next = model.tick(Instant::now());
        if model.segment(&name.0).is_some_and(&mut what) {
            return;
        }
        assert!(begin.elapsed() < WATCHDOG, "not so within {WATCHDOG:?}: {:#?}", model.segment(&name.0));
        std::thread::sleep(next.saturating_duration_since(Instant::now()));
    }
}

/// Ticks until nothing of that name is listed.
#[track_caller]
fn until_gone(model: &mut Model, name: &Name) {
    let begin = Instant::now();
    while model.segment(&name.0).is_some_and(Segment::is_there) || model.surveys() == 0 {
        let next = model.tick(Instant::now());
        assert!(begin.elapsed() < WATCHDOG, "still there: {:#?}", model.segment(&name.0));
        std::thread::sleep(next.saturating_duration_since(Instant::now()));
    }
}

fn texts(segment: &Segment) -> Vec<&str> {
    segment.warnings().iter().map(|warning| warning.text.as_str()).collect()
}

fn warns(segment: &Segment, text: &str) -> bool {
    texts(segment).iter().any(|warning| warning.contains(text))
}

fn history(segment: &Segment, channel: usize) -> Vec<f32> {
    let Some(channels) = segment.content().and_then(Content::channels) else { return Vec::new() };
    channels.history().stretches(channel, channels.history().range()).concat()
}

#[test]
fn segments_come_and_go_and_nobody_notices_the_look() {
    let name = Name::new();
    let mut model = model();
    let mut out = ChopSender::create(name.as_str()).unwrap();
    let frame = ChopFrame::from_rows(["tx", "ty"], 120.0, &[[0.5; 3], [1.5; 3]]).unwrap();
    out.send(&frame).unwrap();
    until(&mut model, &name, Segment::is_there);
    let segment = model.segment(&name.0).unwrap();
    assert_eq!(
        (segment.kind(), segment.frames(), segment.receivers()),
        (BlockKind::Chop, Some(1), Some((0, 0)))
    );
    let notices = segment.notices().unwrap();
    assert_eq!(notices.owner_pid, Some(std::process::id()));
    assert!(segment.content().is_none(), "nobody follows it");
    assert!(segment.age().is_some() && segment.rate().is_none());
    assert_eq!(segment.report().unwrap().supported, Some(false));
    assert_eq!(segment.lock().seen(), Some(LockSight::Free));
    drop(out);
    until_gone(&mut model, &name);
    assert!(model.segment(&name.0).is_none(), "nobody follows it");
}

#[test]
fn what_is_followed_is_read_whole_and_leaves_no_trace() {
    let name = Name::new();
    let mut model = following(&name);
    let mut out = ChopSender::builder(name.as_str()).sample_rate(60.0).create().unwrap();
    let mut sent = Vec::new();
    for step in 0..50_u8 {
        let value = f32::from(step);
        out.send(&ChopFrame::from_rows(["a", "b"], 60.0, &[[value], [-value]]).unwrap()).unwrap();
        sent.push(value);
        until(&mut model, &name, |segment| {
            segment.content().and_then(Content::number) == Some(u64::from(step) + 1)
        });
    }
    let segment = model.segment(&name.0).unwrap();
    assert_eq!(history(segment, 0), sent);
    assert_eq!(history(segment, 1), sent.iter().map(|value| -value).collect::<Vec<_>>());
    let content = segment.content().unwrap();
    assert_eq!(
        (content.taken(), content.missed(), content.error(), content.may_be_torn()),
        (50, 0, None, false)
    );
    let channels = content.channels().unwrap();
    assert_eq!(
        (&**channels.names(), channels.newest(1)),
        (&["a".to_owned(), "b".to_owned()][..], &[-49.0][..])
    );
    // The sender knows of nobody.
    let report = tdshm::inspect(name.as_str()).unwrap();
    assert_eq!((report.supported, report.notices.unwrap().receivers.len()), (Some(false), 0));
    assert_eq!(out.stats().abandoned, 0);
    assert_eq!(segment.lock().longest_wait(), Duration::ZERO);
}

#[test]
fn missed_frames_are_counted_and_leave_a_gap() {
    let name = Name::new();
    let mut model = following(&name);
    let mut out = ChopSender::create(name.as_str()).unwrap();
    out.send(&[[1.0]]).unwrap();
    until(&mut model, &name, |segment| segment.content().and_then(Content::number) == Some(1));
    for value in [2.0, 3.0, 4.0] {
        out.send(&[[value]]).unwrap();
    }
    until(&mut model, &name, |segment| segment.content().and_then(Content::number) == Some(4));
    let segment = model.segment(&name.0).unwrap();
    assert_eq!(segment.content().unwrap().missed(), 2);
    let seen = history(segment, 0);
    assert_eq!((seen[0], seen[3], seen.len()), (1.0, 4.0, 4));
    assert!(seen[1].is_nan() && seen[2].is_nan());
    model.forget(&name.0);
    assert_eq!(history(model.segment(&name.0).unwrap(), 0), [0.0; 0]);
}

#[test]
fn it_follows_a_sender_through_resizes_restarts_and_other_kinds() {
    let name = Name::new();
    let mut model = following(&name);
    model.tick(Instant::now());
    assert!(!model.segment(&name.0).unwrap().is_there(), "it may be followed before it is there");
    let mut out = ChopSender::create(name.as_str()).unwrap();
    out.send(&[[1.0]]).unwrap();
    until(&mut model, &name, |segment| history(segment, 0) == [1.0]);
    out.send(&[vec![2.0; 100_000], vec![3.0; 100_000]]).unwrap(); // moves
    until(&mut model, &name, |segment| history(segment, 1).last() == Some(&3.0));
    drop(out);
    until(&mut model, &name, |segment| !segment.is_there());
    assert!(model.segment(&name.0).unwrap().content().unwrap().channels().is_some(), "what was read stays");

    let mut out = TopSender::create(name.as_str()).unwrap();
    let pixels: Vec<u8> = (0..4 * 3 * 2).collect();
    out.send(&Pixels::top_first(PixelFormat::R8G8B8A8_UNORM, 3, 2, &pixels)).unwrap();
    until(&mut model, &name, |segment| segment.content().is_some_and(|content| content.image().is_some()));
    let segment = model.segment(&name.0).unwrap();
    let image = segment.content().unwrap().image().unwrap();
    assert_eq!((image.shape().width, image.shape().height, image.rows_apart()), (3, 2, 1));
    assert_eq!(image.rows_from_top().collect::<Vec<_>>().concat(), pixels);
    drop(out);
    let mut out = ChopSender::create(name.as_str()).unwrap();
    out.send(&[[7.0]]).unwrap();
    until(&mut model, &name, |segment| history(segment, 0) == [7.0]);
    model.unfollow(&name.0);
    assert!(model.segment(&name.0).unwrap().content().is_none());
}

#[test]
fn the_rate_is_measured() {
    let name = Name::new();
    let mut model = model();
    let mut out = ChopSender::create(name.as_str()).unwrap();
    let begin = Instant::now();
    // As often as looks come: how often that is, the clock says.
    until(&mut model, &name, |segment| {
        out.send(&[[1.0]]).unwrap();
        segment.rate().is_some() && begin.elapsed() > Duration::from_secs(1)
    });
    let rate = model.segment(&name.0).unwrap().rate().unwrap();
    let sent = out.frames() as f64 / begin.elapsed().as_secs_f64();
    assert!((rate / sent - 1.0).abs() < 0.5, "{rate} and {sent}");
    assert!(!warns(model.segment(&name.0).unwrap(), "still"));
}

#[test]
fn senders_that_leave_things_out_are_told_of() {
    let name = Name::new();
    let mut model = model();
    let mut out = ChopSender::builder(name.as_str()).names_sent(false).create().unwrap();
    until(&mut model, &name, |segment| warns(segment, "has not sent a frame yet"));
    out.send(&[[1.0]]).unwrap();
    until(&mut model, &name, |segment| warns(segment, "no channel names are sent"));
    drop(out);
    let mut out = TopSender::builder(name.as_str()).header(HeaderVersion::Legacy).create().unwrap();
    out.send(&Pixels::top_first(PixelFormat::R8_UNORM, 30_000, 1, &[7; 30_000])).unwrap();
    until(&mut model, &name, |segment| warns(segment, "the header from before 2022"));
    let segment = model.segment(&name.0).unwrap();
    assert!(warns(segment, "the width is 30000: at most 32768 pixels"), "{:?}", texts(segment));
    assert!(!warns(segment, "height"));
    let long = Name(ShortName::new(&format!("{}_of_a_camera_far_away", name.as_str())).unwrap());
    let _other = ChopSender::create(long.as_str()).unwrap();
    until(&mut model, &long, |segment| warns(segment, "is long for macOS"));
}

#[test]
fn the_lock_is_seen_held_and_by_whom() {
    let name = Name::new();
    let mut model = following(&name);
    let mut out = ChopSender::create(name.as_str()).unwrap();
    out.send(&[[1.0]]).unwrap();
    let lock = tdshm::NamedLock::open(&name.0.data_lock()).unwrap();
    let held = lock.lock().unwrap();
    until(&mut model, &name, |segment| {
        segment.lock().held_for().is_some_and(|held| held > Duration::from_millis(600))
    });
    // What it reads it reads all the same.
    until(&mut model, &name, |segment| history(segment, 0) == [1.0] && warns(segment, "has been found held"));
    let watch = model.segment(&name.0).unwrap().lock().clone();
    assert!(matches!(watch.seen(), Some(LockSight::Held(_))), "{watch:?}");
    if cfg!(target_os = "linux") {
        assert_eq!(watch.seen(), Some(LockSight::Held(Some(std::process::id()))));
    }
    drop(held);
    until(&mut model, &name, |segment| segment.lock().seen() == Some(LockSight::Free));
    let watch = model.segment(&name.0).unwrap().lock();
    assert!(
        watch.longest_held() > Duration::from_millis(600) && watch.held_share().unwrap() < 1.0,
        "{watch:?}"
    );
    assert_eq!(watch.longest_wait(), Duration::ZERO);
}

#[test]
fn a_thread_looks_by_itself() {
    let name = Name::new();
    let live = Live::start(Options::default());
    live.with(|model| model.follow(&name.0, Instant::now()));
    let mut out = ChopSender::create(name.as_str()).unwrap();
    out.send(&[[1.0], [2.0]]).unwrap();
    let begin = Instant::now();
    while live.with(|model| history(model.segment(&name.0).unwrap(), 1)) != [2.0] {
        live.wake();
        assert!(begin.elapsed() < WATCHDOG);
        std::thread::yield_now();
    }
}

/// The variable that makes [`the_other_process`] one.
const ROLE: &str = "TDSHM_MODEL_TEST_SENDER";

/// A sender in a process of its own: this very program, started once more for one of its tests.
struct Other {
    child: Child,
    commands: ChildStdin,
    answers: Box<dyn Iterator<Item = String>>,
}

impl Other {
    fn start(name: &Name) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["the_other_process", "--nocapture", "--test-threads=1"])
            .env(ROLE, name.as_str())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let commands = child.stdin.take().unwrap();
        let answers = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        Self { child, commands, answers: Box::new(answers) }
    }

    /// Says it, and waits until that is done.
    fn tell(&mut self, command: &str) {
        writeln!(self.commands, "{command}").unwrap();
        let done = format!("done {command}");
        assert!(self.answers.any(|answer| answer.contains(&done)), "{command} was not done");
    }

    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn the_other_process() {
    let Ok(name) = std::env::var(ROLE) else { return };
    let mut out = ChopSender::create(&name).unwrap();
    let lock = tdshm::NamedLock::open(&ShortName::new(&name).unwrap().data_lock()).unwrap();
    let mut held = None;
    for line in std::io::stdin().lines().map_while(Result::ok) {
        match line.as_str() {
            "lock" => held = Some(lock.lock().unwrap()),
            number => drop(out.send(&[[number.parse::<f32>().unwrap()]]).unwrap()),
        }
        let mut stdout = std::io::stdout().lock();
        writeln!(stdout, "\ndone {line}").unwrap();
        stdout.flush().unwrap();
    }
    drop(held);
}

#[test]
fn a_sender_that_is_killed_with_its_lock_is_told_of_and_its_successor_followed() {
    let name = Name::new();
    let mut model = following(&name);
    let mut other = Other::start(&name);
    other.tell("1");
    until(&mut model, &name, |segment| history(segment, 0) == [1.0]);
    let pid = other.child.id();
    assert_eq!(model.segment(&name.0).unwrap().notices().unwrap().owner_pid, Some(pid));
    other.tell("lock");
    if cfg!(target_os = "linux") {
        until(&mut model, &name, |segment| segment.lock().seen() == Some(LockSight::Held(Some(pid))));
    }
    other.kill();
    if cfg!(windows) {
        // Objects go with whoever has them open, and nobody keeps them here.
        until(&mut model, &name, |segment| !segment.is_there() || warns(segment, "died"));
    } else {
        until(&mut model, &name, |segment| warns(segment, &format!("stale: its sender, process {pid}")));
        assert_eq!(model.segment(&name.0).unwrap().lock().seen(), Some(LockSight::Abandoned));
        assert!(warns(model.segment(&name.0).unwrap(), "holder has died with it"));
        assert_eq!(history(model.segment(&name.0).unwrap(), 0), [1.0], "what was read stays");
    }
    let mut successor = Other::start(&name);
    successor.tell("2");
    until(&mut model, &name, |segment| history(segment, 0).last() == Some(&2.0) && !warns(segment, "died"));
    let segment = model.segment(&name.0).unwrap();
    assert_eq!(segment.notices().unwrap().owner_pid, Some(successor.child.id()));
}
