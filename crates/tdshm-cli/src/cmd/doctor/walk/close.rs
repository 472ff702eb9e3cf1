//! Step 6: TouchDesigner closes, and what stays of it.

use std::thread;
use std::time::Duration;

use tdshm::{ChopSender, DryRun, ErrorKind};

use crate::cmd::LOCK_LIMIT;
use crate::cmd::doctor::check::{self, Check};
use crate::cmd::doctor::leftovers;
use crate::cmd::doctor::person::{Answer, Waited};
use crate::cmd::doctor::walk::Walk;

pub(super) const STEP: Check = check::WALK_CLOSE;
/// After its last answer a program may still be closing.
const CLOSING: Duration = Duration::from_millis(200);

/// What stands under a name of which the sender should have gone.
enum Trace {
    Nothing,
    Detached,
    Stays(String),
}

fn trace(name: &str) -> anyhow::Result<Trace> {
    match tdshm::examine(name) {
        Ok(found) if found.detached => Ok(Trace::Detached),
        Ok(found) => {
            let objects: Vec<&str> = found.objects.iter().map(|object| object.object.as_str()).collect();
            Ok(Trace::Stays(objects.join(" and ")))
        }
        Err(error) if matches!(error.kind(), ErrorKind::Absent | ErrorKind::Gone) => Ok(Trace::Nothing),
        Err(error) => Err(error.into()),
    }
}

pub(super) fn run(walk: &mut Walk<'_>) -> anyhow::Result<()> {
    let met = walk.met.clone();
    if met.is_empty() {
        walk.report.skipped(STEP, "no Shared Mem Out operator was there");
        return Ok(());
    }
    walk.person.tell(
        "Now close TouchDesigner, or kill it, which tells more. (Save first what you want to keep.) Waiting for its \
         segments to go …",
    );
    let gone = walk.wait(|| {
        let mut gone = true;
        for name in &met {
            gone &= !matches!(trace(name)?, Trace::Stays(_));
        }
        Ok(gone.then_some(()))
    })?;
    let closed = match gone {
        Waited::Came((), _) => true,
        Waited::Stopped => return Ok(()),
        Waited::Late | Waited::Skipped => {
            walk.person.ask("Has TouchDesigner ended?", walk.stop, || ()) == Answer::Yes
        }
    };
    thread::sleep(CLOSING);
    for name in &met {
        match trace(name)? {
            Trace::Nothing => walk.report.ok(STEP, format!("{name:?}: nothing stays")),
            Trace::Detached => {
                walk.report.ok(STEP, format!("{name:?}: it said that it left (detach is 1)"));
            }
            Trace::Stays(objects) if closed => walk.report.warning(
                STEP,
                format!("{name:?}: {objects} stay, and nothing says that the sender has gone"),
                "on Windows somebody still has them open; elsewhere a program that is killed leaves them: `tdshm send \
                 NAME --take-over` takes the name",
            ),
            Trace::Stays(_) => {
                walk.report.skipped(STEP, format!("{name:?}: still there, and nobody said that TouchDesigner ended"));
                continue;
            }
        }
        leftovers::locks(walk.report, STEP, name);
        again(walk, name, closed);
    }
    Ok(())
}

/// Whether a sender could have the name now, as TouchDesigner will want it when it starts again.
fn again(walk: &mut Walk<'_>, name: &str, closed: bool) {
    if !closed {
        return;
    }
    match ChopSender::builder(name).lock_limit(LOCK_LIMIT).create() {
        Ok(sender) => {
            drop(sender);
            // What cannot be removed is somebody else's.
            let _ = tdshm::clean(&[name], DryRun::No);
            walk.report.ok(STEP, format!("{name:?}: the name can be used again at once"));
        }
        Err(error) => walk.report.warning(STEP, error.to_string(), None),
    }
}
