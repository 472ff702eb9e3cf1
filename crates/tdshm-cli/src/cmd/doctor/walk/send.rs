//! Step 1: a Shared Mem In CHOP finds what this program sends.

use std::time::{SystemTime, UNIX_EPOCH};

use tdshm::{ChopSender, Error};

use crate::cmd::LOCK_LIMIT;
use crate::cmd::doctor::check::{self, Check};
use crate::cmd::doctor::person::Waited;
use crate::cmd::doctor::walk::{NOBODY_CAME, Sending, Walk};

pub(super) const STEP: Check = check::WALK_SEND;

/// What does not move, in the order of the channels.
const FIXED: [f32; 2] = [0.25, -0.5];

/// Where the moving channel is now: from 0 to 1 once a second.
pub(super) fn moving() -> f32 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    now.subsec_millis() as f32 / 1000.0
}

/// Sends one frame of the known block.
pub(super) fn frame(sender: &mut ChopSender, sending: &mut Sending) -> Result<(), Error> {
    let [tx, ty] = FIXED;
    sending.time(|| sender.send(&[[tx], [ty], [moving()]]))
}

pub(super) fn run(walk: &mut Walk<'_>) -> anyhow::Result<()> {
    let name = walk.names.chop_in.clone();
    let mut sender =
        ChopSender::builder(&name).lock_limit(LOCK_LIMIT).channels(["tx", "ty", "moving"]).create()?;
    frame(&mut sender, &mut walk.sending)?;
    walk.sender = Some(sender);
    walk.report.ok(STEP, format!("sending tx, ty and moving as {name:?}, 1 sample each at 60 Hz"));
    walk.person.tell(&format!(
        "In TouchDesigner: add a Shared Mem In CHOP and set\n    Active           On\n    Shared Mem Name  {name}\n    \
         Shared Mem Type  Local\nand open its viewer, so that it cooks. Waiting for it to attach …"
    ));
    let attached = walk.wait(|| Ok((tdshm::inspect(&name)?.supported == Some(true)).then_some(())))?;
    if walk.not_there(STEP, &attached, "no receiver of another program attached", NOBODY_CAME) {
        return Ok(());
    }
    if let Waited::Came((), after) = attached {
        let said = format!("a receiver of another program attached after {:.1} s", after.as_secs_f64());
        walk.report.ok(STEP, format!("{said} (supported is 1)"));
        walk.ask(
            STEP,
            "Does it show three channels of one sample at 60 Hz: tx 0.25, ty -0.5, and moving, which moves?",
            "it shows the names, the values and the rate that are sent, and they move",
            "it shows something else than tx 0.25, ty -0.5 and moving at 60 Hz",
            "say in the issue what it shows, with the build of TouchDesigner (Help, About)",
        );
    }
    walk.sending.settle(walk.report, STEP);
    Ok(())
}
