//! Step 5: this program finds what a Shared Mem Out TOP sends, and which way up.

use tdshm::{Convert, RowOrder, SegmentReceiver, TopFrame, TopReceiver};

use crate::cmd::LOCK_LIMIT;
use crate::cmd::doctor::check::{self, Check};
use crate::cmd::doctor::person::{Answer, Waited};
use crate::cmd::doctor::walk::{NOBODY_CAME, Walk, look};
use crate::stop::SLICE;

pub(super) const STEP: Check = check::WALK_IMAGE_OUT;
/// How much brighter one half has to be than the other, of 255, for a person to see which.
const CONTRAST: f64 = 16.0;

pub(super) fn run(walk: &mut Walk<'_>) -> anyhow::Result<()> {
    let name = walk.names.top_out.clone();
    walk.person.tell(&format!(
        "In TouchDesigner: add a Ramp TOP with Type Vertical, black to white, and wire it into a Shared Mem Out TOP \
         with\n    Active           On\n    Shared Mem Name  {name}\n    Shared Mem Type  Local\nand open its viewer. \
         Waiting for its block …"
    ));
    let there = walk.wait(|| Ok(look::holds(&name, look::IMAGE)?))?;
    if walk.not_there(STEP, &there, "no image block came", NOBODY_CAME) {
        if tdshm::examine(&name).is_ok() {
            look::report(walk.report, STEP, &name)?;
        }
        return Ok(());
    }
    if matches!(there, Waited::Stopped) {
        return Ok(());
    }
    walk.met.push(name.clone());
    look::report(walk.report, STEP, &name)?;
    let segment = SegmentReceiver::builder(&name).lock_limit(LOCK_LIMIT).open()?;
    let mut receiver = TopReceiver::over(segment);
    let image = walk.wait(|| Ok(receiver.next_timeout(SLICE)?.cloned()))?;
    if walk.not_there(STEP, &image, "no image could be read", "the lines above say what stands in the block")
    {
        return Ok(());
    }
    let Waited::Came(image, _) = image else { return Ok(()) };
    let said = format!("received {} × {} pixels, {}", image.width(), image.height(), image.shape().texels);
    walk.report.ok(STEP, said);
    look::lock(walk.report, STEP, &name)?;
    which_way_up(walk, &image);
    Ok(())
}

/// Compares what a person sees with the order of the rows in the block.
fn which_way_up(walk: &mut Walk<'_>, image: &TopFrame) {
    let Some((first, last)) = brightness(image) else {
        walk.report.warning(
            STEP,
            "pixels of this format cannot be converted",
            "report it with the lines above",
        );
        return;
    };
    walk.report.seen(
        STEP,
        format!(
            "of 255, the first half of the rows in the block is {first:.0} bright, the second half {last:.0}"
        ),
    );
    if (first - last).abs() < CONTRAST {
        walk.report
            .skipped(STEP, "both halves are alike: which row comes first cannot be told from this image");
        return;
    }
    let answer = walk.person.ask("Is the TOP half of that image brighter than its bottom?", walk.stop, || ());
    let top_first = match answer {
        Answer::Yes => first > last,
        Answer::No => first < last,
        Answer::Open => return walk.report.skipped(STEP, "nobody said which half of the image is brighter"),
    };
    if top_first {
        walk.report.failed(
            STEP,
            "the first row of the block is the top of the image",
            "the protocol's description (section 9) says bottom: report it",
        );
    } else {
        walk.report.ok(STEP, "the first row of the block is the bottom of the image (protocol, section 9)");
    }
}

/// How bright the two halves of the rows are, in the order of the block, from 0 to 255.
fn brightness(image: &TopFrame) -> Option<(f64, f64)> {
    let (width, height) = (image.width(), image.height());
    let mut rgba = vec![0; width.checked_mul(height)?.checked_mul(4)?];
    let as_stored =
        Convert::new(image.shape().texels, width, height).rows(RowOrder::BottomFirst, RowOrder::BottomFirst);
    as_stored.to_rgba8(image.pixels(), &mut rgba).ok()?;
    let half = width.checked_mul(height.div_euclid(2))?.checked_mul(4)?;
    let (first, last) = rgba.split_at_checked(half)?;
    let mean = |bytes: &[u8]| {
        let sum: f64 =
            bytes.chunks_exact(4).flat_map(|pixel| pixel.iter().take(3)).map(|byte| f64::from(*byte)).sum();
        sum / (bytes.len() as f64 * 0.75).max(1.0)
    };
    Some((mean(first), mean(last)))
}
