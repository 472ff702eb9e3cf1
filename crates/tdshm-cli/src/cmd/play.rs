//! `tdshm play`: a recording, as if its senders were there.
//!
//! One thread reads ahead, this one sends each frame when it is due, each segment by a sender of its own.

mod ahead;
mod late;
mod out;
mod wait;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{anyhow, bail};
use clap::error::ErrorKind as UsageKind;
use serde::Serialize;
use tdshm::ShortName;
use tdshm_io::file::recording::{Layout, McapError, Reader, SegmentSummary, Summary};

use crate::args;
use crate::args::play::PlayArgs;
use crate::cmd::names::Wanted;
use crate::cmd::play::ahead::{Ahead, Come, Part};
use crate::cmd::play::late::Late;
use crate::cmd::play::out::Out;
use crate::cmd::{is_convertible, of_recording};
use crate::output::progress::Progress;
use crate::output::{json, short};
use crate::stop::Stop;
use crate::{Exit, say};

/// How long the last frames stay, so that receivers get them.
const LAST_FRAME_STAYS: Duration = Duration::from_millis(100);
/// Who comes that late was stopped, or the machine asleep: what is late then is not made up for by a burst.
const STOPPED: Duration = Duration::from_millis(500);
/// From the last frame of a round to the first of the next, where nothing says how far frames are apart.
const USUAL_GAP: Duration = Duration::from_nanos(1_000_000_000 / 60);

/// Plays until the end, or until somebody asks to stop.
pub(crate) fn run(args: &PlayArgs, stop: &Stop) -> anyhow::Result<Exit> {
    let shown = args.file.display();
    let summary = Summary::open(&args.file).map_err(|error| match error {
        McapError::NotMcap { .. } if is_convertible(&args.file) => {
            anyhow!("{shown} is no recording (.mcap): `tdshm send NAME --file {shown}` sends what it holds")
        }
        error => of_recording(&args.file, error),
    })?;
    if let Some(at) = summary.cut_short {
        say::line(format_args!(
            "{shown} was cut short at byte {at}: its writer did not end it; what is there is whole"
        ));
    }
    let (Some(begin), Some(end)) = (summary.begin, summary.end) else {
        bail!(
            "{shown} holds no frames{}",
            summary.left_out.first().map(|why| format!(": {why}")).unwrap_or_default()
        );
    };
    let wanted = Wanted::read_all(&args.name)?;
    let chosen = choose(&summary, &wanted).ok_or_else(|| {
        let names: Vec<String> = summary.segments.iter().map(|segment| say::quoted(&segment.name)).collect();
        anyhow!("none of the segments of {shown} is called that: it holds {}", names.join(" "))
    })?;
    let part = part(args, &summary, &chosen, begin, end)?;
    let names = names(args, &chosen)?;
    let mut outs = BTreeMap::new();
    for (segment, name) in chosen.iter().zip(names) {
        if segment.first > part.last || segment.last < part.first {
            continue; // a sender without frames would be one too many
        }
        let first = layout_at(segment, part.first);
        let out = first.map(|layout| Out::create(segment, name, layout, args.take_over)).transpose()?;
        outs.extend(out.map(|out| (segment.name.clone(), out)));
    }
    announce(args, &outs, part);
    let reader = Reader::open(&args.file)?.between(part.first, part.last);
    let mut playing = Playing { args, outs, part, late: Late::default(), behind: Duration::ZERO };
    let result = playing.play(reader, stop);
    playing.leave(result, stop)
}

/// The segments that are wanted; `None`: there are none.
fn choose<'s>(summary: &'s Summary, wanted: &[Wanted]) -> Option<Vec<&'s SegmentSummary>> {
    let is_wanted = |segment: &&SegmentSummary| {
        wanted.is_empty() || wanted.iter().any(|wanted| wanted.means(&segment.name))
    };
    let chosen: Vec<_> = summary.segments.iter().filter(is_wanted).collect();
    (!chosen.is_empty()).then_some(chosen)
}

/// What is played of it.
fn part(
    args: &PlayArgs,
    summary: &Summary,
    chosen: &[&SegmentSummary],
    begin: Duration,
    end: Duration,
) -> anyhow::Result<Part> {
    let seconds = |s: f64| Duration::try_from_secs_f64(s).unwrap_or(Duration::MAX);
    let first = begin.saturating_add(seconds(args.from));
    if first > end {
        let (from, lasts) = (short(args.from), short(summary.duration().as_secs_f64()));
        bail!(
            "--from {from} lies behind the end of {}, which lasts {lasts} s: begin earlier",
            args.file.display()
        );
    }
    let last = args.to.map_or(Duration::MAX, |to| begin.saturating_add(seconds(to)));
    if last <= first {
        let what =
            format!("--to {} does not lie behind --from {}", short(args.to.unwrap_or(0.0)), short(args.from));
        return Err(args::wrong("play", UsageKind::ValueValidation, what));
    }
    let gap = chosen.iter().filter_map(|segment| {
        let gaps = u32::try_from(segment.frames.checked_sub(1)?).ok()?;
        segment.last.saturating_sub(segment.first).checked_div(gaps).filter(|gap| !gap.is_zero())
    });
    let through = chosen.iter().map(|segment| segment.last).max().unwrap_or(end);
    let lasts = if last < through {
        last.saturating_sub(first)
    } else {
        through.saturating_sub(first).saturating_add(gap.min().unwrap_or(USUAL_GAP))
    };
    Ok(Part { first, last, through: last.min(through), round: args.looped.then_some(lasts) })
}

/// The layout that a segment has then, or later.
fn layout_at(segment: &SegmentSummary, time: Duration) -> Option<&Layout> {
    let before = segment.layouts.iter().rev().find(|layout| layout.first <= time);
    before.or_else(|| segment.layouts.first()).map(|layout| &layout.layout)
}

/// The names under which they are played.
fn names(args: &PlayArgs, chosen: &[&SegmentSummary]) -> anyhow::Result<Vec<ShortName>> {
    let wrong = |what: String| args::wrong("play", UsageKind::ValueValidation, what);
    let mut names: Vec<&str> = chosen.iter().map(|segment| segment.name.as_str()).collect();
    for renamed in &args.renamed {
        let parted = renamed.match_indices('=').find_map(|(at, _)| {
            let (old, new) = renamed.split_at_checked(at)?;
            let place = chosen.iter().position(|segment| segment.name == old)?;
            Some((place, new.strip_prefix('=')?))
        });
        let (place, new) = match parted {
            Some(parted) => parted,
            None if chosen.len() == 1 && !renamed.contains('=') => (0, renamed.as_str()),
            None if renamed.contains('=') => {
                let what = format!("--as {renamed}: no segment of that old name is played");
                return Err(wrong(what));
            }
            None => {
                let what = format!(
                    "--as {renamed}: {} are played, so say which one: --as OLD={renamed}, or choose it with --name",
                    say::count_of(chosen.len(), "segment")
                );
                return Err(wrong(what));
            }
        };
        if let Some(name) = names.get_mut(place) {
            *name = new;
        }
    }
    if let Some((at, name)) =
        names.iter().enumerate().find(|(at, name)| names.iter().take(*at).any(|n| n == *name))
    {
        let segment = chosen.get(at).map_or("", |segment| segment.name.as_str());
        return Err(wrong(format!("{segment:?} and another segment would both be called {name:?}")));
    }
    names.into_iter().map(|name| ShortName::new(name).map_err(Into::into)).collect()
}

/// Says what is played, and how to receive it.
fn announce(args: &PlayArgs, outs: &BTreeMap<String, Out>, part: Part) {
    let rounds = if part.round.is_some() { ", over and over" } else { "" };
    for out in outs.values() {
        let name = out.name.as_str();
        say::line(format_args!(
            "playing {:?} of {}{rounds}: receive with `tdshm watch {}`",
            out.recorded,
            args.file.display(),
            say::quoted(name)
        ));
    }
}

/// What is being played.
struct Playing<'a> {
    args: &'a PlayArgs,
    /// By the names that were recorded.
    outs: BTreeMap<String, Out>,
    part: Part,
    late: Late,
    /// Time that was lost because nothing could be sent for so long.
    behind: Duration,
}

/// What was played.
#[derive(Serialize)]
struct Account<'a> {
    file: &'a std::path::Path,
    frames: u64,
    left_out: u64,
    segments: Vec<Segment<'a>>,
    /// Time by which all frames behind it came later, because none could be sent for so long.
    behind_s: f64,
    /// How much later than due frames were sent, in milliseconds; null without any.
    late_ms: Option<late::Percentiles>,
}

#[derive(Serialize)]
struct Segment<'a> {
    name: &'a str,
    recorded: &'a str,
    frames: u64,
    left_out: u64,
}

impl Playing<'_> {
    fn play(&mut self, reader: Reader<std::fs::File>, stop: &Stop) -> anyhow::Result<()> {
        let names: Vec<String> = self.outs.keys().cloned().collect();
        let reader = reader.only(move |name| names.iter().any(|wanted| wanted == name));
        let ahead = Ahead::start(reader, self.part);
        let mut progress = self.begin_progress();
        // The first frames come from the disk: the clock starts when they are there.
        let mut next = ahead.next(stop);
        let begin = Instant::now();
        let mut stopped = Duration::ZERO;
        while let Some(come) = next {
            let due = match come {
                Come::Due(due) => due,
                Come::End(ended) => {
                    ended.map_err(|error| of_recording(&self.args.file, error))?;
                    break;
                }
            };
            if !self.args.no_wait {
                let at = Duration::try_from_secs_f64(due.at.as_secs_f64() / self.args.speed);
                let at = at.unwrap_or(Duration::MAX).saturating_add(stopped);
                if !wait::until(begin, at, stop) {
                    return Ok(());
                }
                let late = begin.elapsed().saturating_sub(at);
                if late >= STOPPED {
                    stopped = stopped.saturating_add(late);
                    self.behind = stopped;
                }
                self.late.note(late);
            } else if stop.requested().is_some() {
                return Ok(());
            }
            if let Some(out) = self.outs.get_mut(&*due.frame.segment) {
                out.send(&due.frame)?;
            }
            if let Some(progress) = &mut progress {
                let at = due.frame.received.saturating_sub(self.part.first).as_secs_f64();
                progress.at(at + self.args.from, due.round);
            }
            ahead.give_back(due.frame.block);
            next = ahead.next(stop);
        }
        let left_out = ahead.left_out();
        stop.wait_until(Instant::now(), LAST_FRAME_STAYS);
        match left_out {
            0 => Ok(()),
            parts => Err(anyhow!(
                "{} of {} could not be read",
                say::count(parts, "part"),
                self.args.file.display()
            )),
        }
    }

    /// A bar, where somebody looks.
    fn begin_progress(&self) -> Option<Progress> {
        if say::is_quiet() {
            return None;
        }
        let title = self.args.file.file_name().unwrap_or_default().to_string_lossy();
        let lasts = self.part.through.saturating_sub(self.part.first).as_secs_f64();
        Progress::start(&title, self.args.from + lasts)
    }

    /// Leaves all segments, however the playing ended, and says what was played.
    fn leave(self, result: anyhow::Result<()>, stop: &Stop) -> anyhow::Result<Exit> {
        let Self { args, outs, late, behind, .. } = self;
        let (mut frames, mut left_out) = (0_u64, 0_u64);
        for out in outs.values() {
            frames = frames.saturating_add(out.frames);
            left_out = left_out.saturating_add(out.left_out);
        }
        if args.json {
            let segments = outs.values().map(|out| Segment {
                name: out.name.as_str(),
                recorded: &out.recorded,
                frames: out.frames,
                left_out: out.left_out,
            });
            let (segments, behind_s) = (segments.collect(), behind.as_secs_f64());
            json::print(&Account {
                file: &args.file,
                frames,
                left_out,
                segments,
                behind_s,
                late_ms: late.percentiles(),
            })?;
        }
        if !behind.is_zero() {
            let late = short(behind.as_secs_f64());
            say::error(format_args!(
                "it took {late} s longer than the recording: reading it is too slow, or it was stopped"
            ));
        }
        let segments = say::count_of(outs.len(), "segment");
        let mut detached = Ok(());
        for out in outs.into_values() {
            let left = out.leave();
            detached = detached.and(left);
        }
        let without = match left_out {
            0 => String::new(),
            left_out => format!(", without {} that could not be sent", say::count(left_out, "frame")),
        };
        say::line(format_args!("played {} of {segments}{without} and left", say::count(frames, "frame")));
        result?;
        detached?;
        Ok(stop.requested().unwrap_or(Exit::Done))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::{Args, Command};
    use clap::Parser;
    use std::io::Cursor;
    use tdshm::ChopFrame;
    use tdshm_io::file::recording::{Stamp, Writer};

    fn summary(names: &[&str]) -> Summary {
        let mut writer = Writer::new(Cursor::new(Vec::new())).unwrap();
        for (begin, name) in (100_u64..).step_by(10).zip(names) {
            let frame = ChopFrame::from_rows(["a"], 60.0, &[[0.5]]).unwrap();
            for second in begin..=begin.saturating_add(1) {
                writer.channels(name, &frame, &Stamp::at(Duration::from_secs(second))).unwrap();
            }
        }
        Summary::of(Reader::new(writer.finish().unwrap()).unwrap()).unwrap()
    }

    fn args(words: &[&str]) -> PlayArgs {
        let words = ["tdshm", "play", "f.mcap"].iter().chain(words);
        match Args::try_parse_from(words).unwrap().command {
            Command::Play(args) => args,
            other => panic!("{other:?}"),
        }
    }

    fn named(recorded: &[&str], words: &[&str]) -> Result<Vec<String>, String> {
        let summary = summary(recorded);
        let args = args(words);
        let wanted = Wanted::read_all(&args.name).unwrap();
        let names = names(&args, &choose(&summary, &wanted).unwrap()).map_err(|error| error.to_string())?;
        Ok(names.iter().map(|name| name.as_str().to_owned()).collect())
    }

    #[test]
    fn segments_are_renamed() {
        assert_eq!(named(&["cam", "pose"], &[]).unwrap(), ["cam", "pose"]);
        assert_eq!(named(&["cam", "pose"], &["--as", "pose=p2"]).unwrap(), ["cam", "p2"]);
        assert_eq!(
            named(&["cam", "pose"], &["--as", "pose=cam", "--as", "cam=pose"]).unwrap(),
            ["pose", "cam"]
        );
        assert_eq!(named(&["cam", "pose"], &["--name", "p*", "--as", "new"]).unwrap(), ["new"]);
        assert_eq!(named(&["a=b"], &["--as", "a=b=c"]).unwrap(), ["c"]);
        let refused = |words: &[&str]| named(&["cam", "pose"], words).unwrap_err();
        assert!(refused(&["--as", "new"]).contains("2 segments are played, so say which one"));
        assert!(refused(&["--as", "x=y"]).contains("no segment of that old name"));
        assert!(refused(&["--as", "cam=pose"]).contains("would both be called \"pose\""));
        assert!(refused(&["--as", "cam=a/b"]).contains('/'));
    }

    #[test]
    fn a_round_ends_a_gap_behind_its_last_frame() {
        let of = |words: &[&str]| {
            let (summary, args) = (summary(&["a"]), args(words));
            let chosen = choose(&summary, &[]).unwrap();
            part(&args, &summary, &chosen, summary.begin.unwrap(), summary.end.unwrap())
        };
        let secs = Duration::from_secs_f64;
        let whole = of(&["--loop"]).unwrap();
        assert_eq!((whole.first, whole.round), (secs(100.0), Some(secs(2.0))));
        let cut = of(&["--loop", "--from", "0.25", "--to", "0.75"]).unwrap();
        assert_eq!((cut.first, cut.last, cut.round), (secs(100.25), secs(100.75), Some(secs(0.5))));
        assert_eq!(of(&[]).unwrap().round, None);
        assert!(of(&["--from", "1.5"]).unwrap_err().to_string().contains("which lasts 1 s: begin earlier"));
        assert!(of(&["--from", "0.5", "--to", "0.5"]).is_err());
    }
}
