//! Step 2: what is sent changes: names, length, rate, and more of it than there is room for.

use crate::cmd::doctor::check::{self, Check};
use crate::cmd::doctor::person::Answer;
use crate::cmd::doctor::walk::Walk;

pub(super) const STEP: Check = check::WALK_CHANGE;
/// Channels of the large block.
const MANY: usize = 40;

pub(super) fn run(walk: &mut Walk<'_>) -> anyhow::Result<()> {
    // From here on nothing but what this step sends goes out.
    let Some(mut sender) = walk.sender.take() else {
        walk.report.skipped(STEP, "nothing is sent");
        return Ok(());
    };
    let attached = tdshm::inspect(&walk.names.chop_in)?.supported == Some(true);

    sender.set_channels(["first/a:1", "ümlaut"])?;
    sender.set_sample_rate(120.0)?;
    let ramp: Vec<f32> = (0..8_u8).map(|index| f32::from(index) / 8.0).collect();
    walk.sending.time(|| sender.send(&[ramp.as_slice(), &[0.75; 8]]))?;
    walk.report.ok(STEP, "sent 2 channels of 8 samples at 120 Hz, with new names");
    if attached {
        walk.ask(
            STEP,
            "Does it show first/a:1 (a ramp from 0 to 0.875) and ümlaut (0.75), 8 samples each at 120 Hz?",
            "it follows new names, another length and another rate",
            "it did not follow new names, another length or another rate",
            "say in the issue which of them, and what it shows instead; names outside ASCII are in no specification",
        );
    }

    sender.set_names_sent(false);
    walk.sending.time(|| sender.send(&[[0.125], [0.5]]))?;
    walk.report.ok(STEP, "sent 2 channels without names");
    if attached {
        walk.ask(
            STEP,
            "Does it show two channels of one sample, 0.125 and 0.5, with the names from before?",
            "it keeps the names it had where none are sent",
            "it does something else where no names are sent",
            "say in the issue what names it shows",
        );
    }

    sender.set_names_sent(true);
    sender.set_channels((1..=MANY).map(|number| format!("large{number}")))?;
    let before = sender.room_bytes();
    // A sample is four bytes: twice the room.
    let len_samples = before.div_ceil(2).div_ceil(MANY).max(100);
    let rows: Vec<Vec<f32>> = (0..MANY).map(|row| vec![row as f32; len_samples]).collect();
    walk.sending.time(|| sender.send(&rows))?;
    let postfix = tdshm::examine(&walk.names.chop_in)?.field("postfix").unwrap_or_default().to_owned();
    walk.report.ok(
        STEP,
        format!(
            "outgrew its room, from {before} to {} bytes: the segment moved to the postfix {postfix}",
            sender.room_bytes()
        ),
    );
    if attached {
        let question = format!(
            "Does it show {MANY} channels, large1 to large{MANY}, of {len_samples} samples, with the values 0 to {}?",
            MANY.saturating_sub(1)
        );
        let followed = walk.ask(
            STEP,
            &question,
            "it follows to the larger segment",
            "it did not follow to the larger segment",
            "say in the issue whether it recovers when its Active is switched off and on",
        );
        if followed == Answer::Open {
            walk.report.seen(STEP, "whether a receiver follows to a larger segment shows in it alone");
        }
    } else {
        walk.report.skipped(STEP, "nobody reads it");
    }
    walk.sending.settle(walk.report, STEP);
    // What the receiver has stays as it is; the sender leaves, and says so.
    sender.detach()?;
    walk.report.ok(STEP, "left, and said so (detach is 1)");
    if attached {
        walk.ask(
            STEP,
            "Does the Shared Mem In CHOP still work, without an error that stops TouchDesigner?",
            "it bears that the sender leaves",
            "it does not bear that the sender leaves",
            "say in the issue what error it shows",
        );
    }
    Ok(())
}
