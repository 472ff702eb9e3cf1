//! Frames of recordings: images out of them and into them, and a part of one as another.

use std::time::Duration;

use anyhow::{anyhow, bail};
use tdshm::TopFrame;
use tdshm_io::Picture;
use tdshm_io::file::recording::{Kind, Stamp};
use tdshm_io::file::segment::{SegmentReader, SegmentWriter};
use tdshm_io::file::sequence::Sequence;

use crate::args::convert::ConvertArgs;
use crate::cmd::convert::pictures::{self, Album};
use crate::cmd::convert::{advise, existing, part, say_lost};
use crate::stop::Stop;
use crate::{Exit, say};

/// A segment of images, a picture a frame.
pub(super) fn to_pictures(args: &ConvertArgs, stop: &Stop) -> anyhow::Result<Exit> {
    let mut source = SegmentReader::open(&args.source, &part(args).kind(Kind::Image))?;
    let frames = source.only().map_err(advise)?.frames;
    let mut album = Album::begin(args, Sequence::at(&args.target), &[], frames > 1)?;
    let (mut first, mut last, mut broken) = (None, Duration::ZERO, 0_u64);
    loop {
        // Those that are there stay, so they are said.
        let next = source.next_frame().inspect_err(|_| album.say_written())?;
        let Some((at, frame)) = next else { break };
        if let Some(exit) = stop.requested() {
            album.say_written();
            return Ok(exit);
        }
        match frame.image().ok().filter(|_| frame.kind == Kind::Image) {
            Some(image) => {
                let picture = Picture::of_frame(&image).inspect_err(|_| album.say_written())?;
                album.add(&picture, &format_args!("frame at {:.3} s", at.as_secs_f64()))?;
                first.get_or_insert(at);
                last = at;
            }
            None => broken = broken.saturating_add(1),
        }
        source.give_back(frame);
    }
    let count = album.end();
    if count == 0 {
        bail!("there is no image between --from and --to in {}: choose others", args.source.display());
    }
    let took = last.saturating_sub(first.unwrap_or_default()).as_secs_f64();
    if count > 1 && took > 0.0 {
        let rate = count.saturating_sub(1) as f64 / took;
        say::line(format_args!(
            "pictures hold no times: these came over {took:.3} s, {rate:.3} a second on average"
        ));
    }
    if broken > 0 {
        say::line(format_args!(
            "{} hold no image that can be read, and are left out",
            say::count(broken, "frame")
        ));
    }
    say_lost(&source.lost());
    Ok(Exit::Done)
}

/// Pictures, a frame each.
pub(super) fn from_pictures(args: &ConvertArgs, stop: &Stop) -> anyhow::Result<Exit> {
    let found = Sequence::at(&args.source).numbered()?;
    if let Some(missing) = found.missing_words() {
        let becomes = match found.by_name {
            true => "those in front of them stay for as long",
            false => "and the others follow one another without a gap",
        };
        say::line(format_args!("{} has no pictures {missing}: {becomes}", args.source.display()));
    }
    let files = pictures::wanted(args, found.files)?;
    let rate = pictures::rate(args);
    let stem = args.target.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let segment = match &args.renamed {
        Some(name) => name.clone(),
        None => tdshm::ShortName::new(&stem)
            .map_err(|error| anyhow!("{error}; give the segment another name with --as"))?,
    };
    let mut target = SegmentWriter::create(&args.target, existing(args)).map_err(advise)?;
    let mut block = Vec::new();
    let first = files.first().map_or(0, |(number, _)| *number);
    for (number, file) in &files {
        if let Some(exit) = stop.requested() {
            return Ok(exit);
        }
        let picture = Picture::open(file)?;
        let pixels = picture
            .as_pixels()
            .ok_or_else(|| anyhow!("{}: no image block has such pixels", file.display()))?;
        block.clear();
        TopFrame::from_pixels(&pixels)
            .and_then(|image| image.append_block(&mut block))
            .map_err(|error| anyhow!("{}: {error}", file.display()))?;
        let at = number.saturating_sub(first);
        let received = Duration::try_from_secs_f64(at as f64 / rate).unwrap_or(Duration::MAX);
        let stamp = Stamp { number: at.checked_add(1), ..Stamp::at(received) };
        target.block(segment.as_str(), Kind::Image, &block, &stamp)?;
    }
    target.finish().map_err(advise)?;
    say::line(format_args!(
        "wrote {}: {} of {:?} at {rate} a second",
        args.target.display(),
        say::count_of(files.len(), "image"),
        segment.as_str()
    ));
    Ok(Exit::Done)
}

/// A part of a recording as a recording, frame by frame as they are.
pub(super) fn copy(args: &ConvertArgs, stop: &Stop) -> anyhow::Result<Exit> {
    let mut source = SegmentReader::open(&args.source, &part(args))?;
    let renamed = match &args.renamed {
        Some(name) => {
            source.only().map_err(advise)?;
            Some(name.as_str())
        }
        None => None,
    };
    let mut target = SegmentWriter::create(&args.target, existing(args)).map_err(advise)?;
    let mut frames = 0_u64;
    while let Some((_, frame)) = source.next_frame()? {
        if let Some(exit) = stop.requested() {
            return Ok(exit);
        }
        let stamp = Stamp { received: frame.received, sent: frame.sent, number: frame.number.map(u64::from) };
        let name = renamed.unwrap_or(&frame.segment);
        target.block(name, frame.kind, &frame.block, &stamp)?;
        source.give_back(frame);
        frames = frames.saturating_add(1);
    }
    if frames == 0 {
        bail!("there is no frame between --from and --to in {}: choose others", args.source.display());
    }
    let (lost, segments) = (source.lost(), source.segments().len());
    drop(source);
    target.finish().map_err(advise)?;
    say::line(format_args!(
        "wrote {}: {} of {}",
        args.target.display(),
        say::count(frames, "frame"),
        say::count_of(segments, "segment")
    ));
    say_lost(&lost);
    Ok(Exit::Done)
}
