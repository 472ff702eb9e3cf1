//! Step 4: a Shared Mem In TOP shows an image of this program, the right way up.

use tdshm::{PixelFormat, Pixels, TopSender};

use crate::cmd::LOCK_LIMIT;
use crate::cmd::doctor::check::{self, Check};
use crate::cmd::doctor::person::Waited;
use crate::cmd::doctor::walk::{NOBODY_CAME, Walk};

pub(super) const STEP: Check = check::WALK_IMAGE_IN;
/// Pixels of each side.
const SIDE: usize = 128;
/// Bytes of a pixel: red, green, blue, opaque.
type Pixel = [u8; 4];
const BLUE: Pixel = [0, 0, 96, 255];
const RED: Pixel = [255, 0, 0, 255];
const GREEN: Pixel = [0, 255, 0, 255];
const WHITE: Pixel = [255; 4];

/// A white arrow that points up on blue, a red bar at the left and a green one at the right: the top row first.
fn arrow() -> Vec<u8> {
    let pixel = |x: usize, y: usize| {
        let aside = x.abs_diff(SIDE / 2);
        let tip = (16..64).contains(&y) && aside.saturating_mul(4) <= y.saturating_sub(16).saturating_mul(3);
        let shaft = (64..112).contains(&y) && aside <= 10;
        match x {
            0..8 => RED,
            120.. => GREEN,
            _ if tip || shaft => WHITE,
            _ => BLUE,
        }
    };
    (0..SIDE).flat_map(|y| (0..SIDE).flat_map(move |x| pixel(x, y))).collect()
}

pub(super) fn run(walk: &mut Walk<'_>) -> anyhow::Result<()> {
    let name = walk.names.top_in.clone();
    let mut sender = TopSender::builder(&name).lock_limit(LOCK_LIMIT).create()?;
    let pixels = arrow();
    let image = Pixels::top_first(PixelFormat::R8G8B8A8_UNORM, SIDE, SIDE, &pixels);
    sender.send(&image)?;
    walk.report.ok(
        STEP,
        format!(
            "sending an arrow of {SIDE} × {SIDE} pixels, R8G8B8A8_UNORM, as {name:?}, the bottom row first"
        ),
    );
    walk.person.tell(&format!(
        "In TouchDesigner: add a Shared Mem In TOP and set\n    Shared Mem Name  {name}\n    Shared Mem Type  Local\n\
         and open its viewer. Waiting for it to attach …"
    ));
    let mut sending = std::mem::take(&mut walk.sending);
    let attached = walk.person.wait(walk.stop, || {
        sending.time(|| sender.send(&image))?;
        Ok((tdshm::inspect(&name)?.supported == Some(true)).then_some(()))
    })?;
    walk.sending = sending;
    if walk.not_there(STEP, &attached, "no receiver of another program attached", NOBODY_CAME) {
        return Ok(());
    }
    if let Waited::Came((), after) = attached {
        let said = format!("a receiver of another program attached after {:.1} s", after.as_secs_f64());
        walk.report.ok(STEP, said);
        walk.ask(
            STEP,
            "Does it show a white arrow that points UP?",
            "the arrow points up: the first row of a block is the bottom of the image (protocol, section 9)",
            "the arrow points down, or there is none",
            "if it points down the first row of a block is the top of the image, and the protocol's description is wrong: \
             report it",
        );
        walk.ask(
            STEP,
            "Is the bar at its LEFT red, the one at its RIGHT green, and the rest blue?",
            "colours and sides are those that were sent",
            "colours or sides are not those that were sent",
            "say in the issue which colour is where",
        );
    }
    walk.sending.settle(walk.report, STEP);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arrow_points_up() {
        let pixels = arrow();
        assert_eq!(pixels.len(), SIDE * SIDE * 4);
        let rows: Vec<&[u8]> = pixels.chunks_exact(SIDE * 4).collect();
        let white = |row: usize| rows[row].chunks_exact(4).filter(|pixel| *pixel == WHITE).count();
        assert_eq!((white(8), white(120)), (0, 0));
        // Its tip is above, its widest place in the middle, its shaft below.
        assert!(
            white(18) < white(100) && white(100) < white(63),
            "{} {} {}",
            white(18),
            white(100),
            white(63)
        );
        assert_eq!((&rows[0][..4], &rows[127][508..]), (&RED[..], &GREEN[..]));
    }
}
