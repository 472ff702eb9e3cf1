//! `tdshm snap`: an image that arrives, into a file.

use std::fs;
use std::time::{Duration, Instant};

use anyhow::{anyhow, bail};
use tdshm::{Attached, BlockKind, ErrorKind, SegmentReceiver, TopReceiver};
use tdshm_io::{FileError, Loss, Picture, PictureError};

use crate::args::SnapArgs;
use crate::cmd::LOCK_LIMIT;
use crate::output::{image_shape, short};
use crate::stop::{SLICE, Stop};
use crate::{Exit, say};

/// Waits for an image and writes it.
pub(crate) fn run(args: &SnapArgs, stop: &Stop) -> anyhow::Result<Exit> {
    let segment = SegmentReceiver::builder(args.name.as_str()).lock_limit(LOCK_LIMIT).open()?;
    let mut receiver = TopReceiver::over(segment);
    if let Some(exit) = wait(args, &mut receiver, stop)? {
        return Ok(exit);
    }
    let frame = receiver.frame().ok_or_else(|| anyhow!("no image came"))?;
    let picture = Picture::of_frame(frame)?;
    let loss = if args.lossy { Loss::Allow } else { Loss::Refuse };
    let saved = match fs::metadata(&args.file) {
        // Nobody may read there.
        Ok(there) if !there.is_file() => {
            let path = args.file.clone();
            match stop.unless(move || picture.save(path, loss))? {
                Ok(saved) => saved,
                Err(exit) => return Ok(exit),
            }
        }
        _ => picture.save(&args.file, loss),
    };
    saved.map_err(|error| match error {
        FileError::Picture { source: PictureError::DoesNotFit { .. }, .. } => {
            anyhow!("{error}, or allow the loss with --lossy")
        }
        error => error.into(),
    })?;
    let number = frame.number().map(|number| format!(", frame {number}")).unwrap_or_default();
    let shape = image_shape(&frame.shape());
    say::line(format_args!("wrote {}: {shape}{number}", args.file.display()));
    Ok(Exit::Done)
}

/// Until the receiver has the image that was asked for; how to end if somebody asks to stop before.
fn wait(args: &SnapArgs, receiver: &mut TopReceiver, stop: &Stop) -> anyhow::Result<Option<Exit>> {
    let timeout = args.timeout.map(|s| Duration::try_from_secs_f64(s).unwrap_or(Duration::MAX));
    let begin = Instant::now();
    let mut told = false;
    let mut may_be_old = args.next;
    loop {
        if let Some(exit) = stop.requested() {
            return Ok(Some(exit));
        }
        let left = timeout.map(|timeout| timeout.saturating_sub(begin.elapsed()));
        if left.is_some_and(|left| left.is_zero()) {
            bail!("{}", why_nothing_came(args, receiver));
        }
        let tried = Instant::now();
        let limit = left.map_or(SLICE, |left| left.min(SLICE));
        let come = if may_be_old {
            // What is there counts as seen from now on; what comes where nothing is, is the next one.
            may_be_old = false;
            receiver.read().map(|_| false)
        } else {
            receiver.next_timeout(limit).map(|frame| frame.is_some())
        };
        match come {
            Ok(true) => return Ok(None),
            Ok(false) => {}
            Err(error) if error.kind() == ErrorKind::Retry => {
                may_be_old = args.next && receiver.frame().is_none();
                stop.wait_until(tried, limit);
            }
            Err(error) => {
                let name = args.name.as_str();
                if tdshm::inspect(name).is_ok_and(|report| report.kind == BlockKind::Chop) {
                    bail!(
                        "{name:?} holds channels, no image: look at them with `tdshm watch {}`",
                        say::quoted(name)
                    );
                }
                return Err(error.into());
            }
        }
        if receiver.attached() != Attached::Yes && !told {
            told = true;
            say::line(format_args!("waiting for {:?}: no program sends it yet", args.name.as_str()));
        }
    }
}

fn why_nothing_came(args: &SnapArgs, receiver: &TopReceiver) -> String {
    let (name, seconds) = (args.name.as_str(), short(args.timeout.unwrap_or_default()));
    let quoted = say::quoted(name);
    match receiver.attached() {
        Attached::Yes if receiver.frame().is_some() => format!(
            "no new image of {name:?} in {seconds} s: its sender is there, but sends nothing, or the same again and \
             again; without --next the image that is there is written"
        ),
        Attached::Yes => format!(
            "no image of {name:?} in {seconds} s: its sender is there and has sent nothing that can be read; look at \
             `tdshm info {quoted}`"
        ),
        _ => format!(
            "no image of {name:?} in {seconds} s: start its sender, for example `tdshm send {quoted} --test-pattern \
             1280x720`, or wait longer"
        ),
    }
}
