//! `tdshm demo`: another process sends the bundled recording and an image, this one shows them arriving.

mod show;
mod worker;

use std::process;
use std::time::{Duration, Instant};

use anyhow::{bail, ensure};
use tdshm::{ChopFrame, ChopReceiver, DryRun, SegmentReceiver, TopFrame, TopReceiver};
use tdshm_io::Recording;

use crate::args::DemoArgs;
use crate::cmd::LOCK_LIMIT;
use crate::cmd::demo::show::Show;
use crate::cmd::demo::worker::Worker;
use crate::output::{screen, short};
use crate::pattern::TestPattern;
use crate::stop::{SLICE, Stop};
use crate::{Again, Exit, bundled, say};

/// How long the first frame may take: two processes start, one creates the segment.
const FIRST_FRAME_WITHIN: Duration = Duration::from_secs(10);

/// What has arrived.
#[derive(Debug, Default)]
struct Tally {
    frames: u64,
    /// Frames whose every value is the recording's.
    as_recorded: u64,
    /// The place in the recording of the last sample that was.
    place: Option<usize>,
    images: u64,
    /// Images whose every pixel is the pattern's.
    as_drawn: u64,
}

/// Streams for the time that was asked for, or until somebody asks to stop.
pub(crate) fn run(args: &DemoArgs, again: &Again, stop: &Stop) -> anyhow::Result<Exit> {
    let recording = bundled::recording()?;
    let name = format!("demo{}", process::id());
    let image = format!("{name}image");
    let _last = [SweptAtLast(name.clone()), SweptAtLast(image.clone())];
    let open = |name: &str| SegmentReceiver::builder(name).lock_limit(LOCK_LIMIT).open();
    let mut receiver = ChopReceiver::over(open(&name)?);
    let mut images = TopReceiver::over(open(&image)?);
    let mut pattern = bundled::image();
    let mut worker = Worker::start(&name, &image, again)?;
    let from = worker.id();
    let mut show = Show::new(&name, from, &recording);

    let mut tally = Tally::default();
    let limit = Duration::try_from_secs_f64(args.seconds).unwrap_or(Duration::MAX);
    let begin = Instant::now();
    let mut first = None;
    let exit = loop {
        if let Some(exit) = stop.requested() {
            break exit;
        }
        let streamed = first.map(|first: Instant| first.elapsed());
        if streamed.is_some_and(|streamed| streamed >= limit) {
            break Exit::Done;
        }
        if first.is_none() && begin.elapsed() > FIRST_FRAME_WITHIN {
            bail!(
                "no frame arrived from process {from} within {} s: run `tdshm send {name}` and `tdshm watch {name}` \
                 in two terminals to see which side fails",
                FIRST_FRAME_WITHIN.as_secs()
            );
        }
        if let Some(end) = worker.ended() {
            // Ctrl-C reaches both processes.
            if let Some(exit) = stop.requested() {
                break exit;
            }
            bail!("the sending process {from} died: {end}; run the demo again");
        }
        let wait = streamed.map_or(SLICE, |streamed| limit.saturating_sub(streamed).min(SLICE));
        if let Some(frame) = receiver.next_timeout(wait)? {
            let first = *first.get_or_insert_with(Instant::now);
            tally.count(frame, &recording);
            if let Some(image) = images.try_next()? {
                tally.count_image(image, &mut pattern);
            }
            show.frame(frame, images.frame(), &tally, first.elapsed())?;
        }
    };
    // The cursor first, then the other process, then what became of it.
    drop(show);
    worker.end();
    if let Some(first) = first {
        screen::write(&tally.sentence(first.elapsed().min(limit), from, &name))?;
    }
    ensure!(
        tally.as_drawn == tally.images,
        "{} of {} do not hold what was drawn: this is a fault in tdshm, please report it",
        tally.images.saturating_sub(tally.as_drawn),
        say::count(tally.images, "image")
    );
    ensure!(
        tally.as_recorded == tally.frames,
        "{} of {} do not hold what was recorded: this is a fault in tdshm, please report it",
        tally.frames.saturating_sub(tally.as_recorded),
        say::count(tally.frames, "frame")
    );
    Ok(exit)
}

/// Removes the demo's locks when both sides have let go of them: nobody else will ever use a name of one process.
struct SweptAtLast(String);

impl Drop for SweptAtLast {
    fn drop(&mut self) {
        // What could not be removed is there for `tdshm clean`.
        let _ = tdshm::clean(&[&self.0], DryRun::No);
    }
}

impl Tally {
    fn count(&mut self, frame: &ChopFrame, recording: &Recording) {
        self.frames = self.frames.saturating_add(1);
        self.place = (0..recording.len_samples()).find(|end| is_from(frame, recording, *end));
        if self.place.is_some() {
            self.as_recorded = self.as_recorded.saturating_add(1);
        }
    }

    fn count_image(&mut self, image: &TopFrame, pattern: &mut TestPattern) {
        self.images = self.images.saturating_add(1);
        pattern.draw(image.number().unwrap_or(0));
        if pattern.is(image) {
            self.as_drawn = self.as_drawn.saturating_add(1);
        }
    }

    fn sentence(&self, streamed: Duration, from: u32, name: &str) -> String {
        let frames = if self.frames == 1 { "1 frame" } else { &format!("{} frames", self.frames) };
        let as_recorded = if self.as_recorded == self.frames { ", every value as recorded" } else { "" };
        format!(
            "{frames} arrived in {} s, from process {from} to process {} through {name:?}, with {}{as_recorded}\n",
            short((streamed.as_secs_f64() * 10.0).round() / 10.0),
            process::id(),
            say::count(self.images, "image")
        )
    }
}

/// Whether the frame's samples are those of the recording, played over and over, up to sample `end`.
fn is_from(frame: &ChopFrame, recording: &Recording, end: usize) -> bool {
    let behind = recording.len_samples().saturating_sub(end).saturating_sub(1);
    frame.names() == recording.names()
        && frame.len_samples() > 0
        && (0..frame.num_channels()).all(|index| {
            let (Some(sent), Some(arrived)) = (recording.channel(index), frame.channel_at(index)) else {
                return false;
            };
            let backwards = sent.iter().rev().cycle().skip(behind);
            arrived.iter().rev().zip(backwards).all(|(arrived, sent)| arrived.to_bits() == sent.to_bits())
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_found_in_the_recording() {
        let recording = Recording::new(vec!["a".into()], 10.0, vec![vec![1.0, 2.0, 3.0, 4.0]]).unwrap();
        let place = |samples: &[f32]| {
            let mut tally = Tally::default();
            tally.count(&ChopFrame::from_rows(["a"], 10.0, &[samples]).unwrap(), &recording);
            tally.place
        };
        assert_eq!(place(&[1.0]), Some(0));
        assert_eq!(place(&[2.0, 3.0]), Some(2));
        assert_eq!(place(&[4.0, 1.0, 2.0]), Some(1));
        assert_eq!((place(&[2.0, 4.0]), place(&[5.0]), place(&[])), (None, None, None));
    }
}
