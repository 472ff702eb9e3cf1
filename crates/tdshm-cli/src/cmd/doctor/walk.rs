//! The walk with a running TouchDesigner: one step after the other, each with what it needs and what it saw.
//!
//! It trusts what it sees itself (a receiver that attached, a header, a lock) and asks for what only TouchDesigner
//! shows. Nothing here knows whether TouchDesigner or a script is at the other end.

mod change;
mod close;
mod image_in;
mod image_out;
mod look;
mod receive;
mod send;

use std::time::{Duration, Instant};

use tdshm::{ChopSender, DryRun, Error, Sent, ShortName};

use crate::Exit;
use crate::cmd::doctor::check::Check;
use crate::cmd::doctor::person::{Answer, Person, Waited};
use crate::cmd::doctor::report::Report;
use crate::stop::Stop;

/// A lock that is held longer than this costs a frame at 60 frames a second.
const LONG_FOR_A_LOCK: Duration = Duration::from_millis(16);

const NOBODY_CAME: &str = "check in TouchDesigner: the name, Shared Mem Type Local, Active On, its viewer open so that it \
     cooks, no error on the node; the licence is not Non-Commercial; both programs run as the same user, and on Windows \
     neither as administrator alone";

/// The steps, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Send,
    Change,
    Receive,
    ImageIn,
    ImageOut,
    Close,
}

impl Step {
    const ALL: [Self; 6] =
        [Self::Send, Self::Change, Self::Receive, Self::ImageIn, Self::ImageOut, Self::Close];
}

/// Everything that steps share.
struct Walk<'w> {
    names: Names,
    report: &'w mut Report,
    person: Person,
    stop: &'w Stop,
    /// The sender of channels, from its step to the end.
    sender: Option<ChopSender>,
    sending: Sending,
    /// The Shared Mem Out operators that were there.
    met: Vec<String>,
}

/// The Shared Mem Names of the four operators.
struct Names {
    chop_in: String,
    chop_out: String,
    top_in: String,
    top_out: String,
}

impl Names {
    fn of(name: &str) -> Result<Self, Error> {
        let checked = |name: String| ShortName::new(&name).map(|name| name.as_str().to_owned());
        Ok(Self {
            chop_in: checked(name.to_owned())?,
            chop_out: checked(format!("{name}out"))?,
            top_in: checked(format!("{name}image"))?,
            top_out: checked(format!("{name}imageout"))?,
        })
    }

    fn all(&self) -> [&str; 4] {
        [&self.chop_in, &self.chop_out, &self.top_in, &self.top_out]
    }
}

/// How sending went.
#[derive(Debug, Default)]
struct Sending {
    longest: Duration,
    abandoned: bool,
}

impl Sending {
    /// Times one frame: all but its copy is waiting for locks.
    fn time(&mut self, send: impl FnOnce() -> Result<Sent, Error>) -> Result<(), Error> {
        let begin = Instant::now();
        let sent = send()?;
        self.longest = self.longest.max(begin.elapsed());
        self.abandoned |= sent.abandoned;
        Ok(())
    }

    /// Says how it went, and begins anew.
    fn settle(&mut self, report: &mut Report, step: Check) {
        let Self { longest, abandoned } = std::mem::take(self);
        let said =
            format!("the longest that a frame took to send, locks included: {:.1} ms", milliseconds(longest));
        if longest > LONG_FOR_A_LOCK {
            report.warning(step, said, "the other side holds a lock for long, and that stalls whoever sends");
        } else {
            report.ok(step, said);
        }
        if abandoned {
            report.warning(step, "the other side died while it held the lock", None);
        }
    }
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// Walks from the first step to the last. `Some`: somebody asked to stop.
pub(super) fn run(
    name: &str,
    report: &mut Report,
    person: Person,
    stop: &Stop,
) -> anyhow::Result<Option<Exit>> {
    let names = Names::of(name)?;
    let mut walk =
        Walk { names, report, person, stop, sender: None, sending: Sending::default(), met: Vec::new() };
    walk.person.tell(
        "This walks through both directions with a running TouchDesigner. Each step says what to set there and goes on \
         by itself when it sees it.\nType s and Enter to go on without it, Ctrl-C to end.",
    );
    for step in Step::ALL {
        let (title, result) = match step {
            Step::Send => (send::STEP, send::run(&mut walk)),
            Step::Change => (change::STEP, change::run(&mut walk)),
            Step::Receive => (receive::STEP, receive::run(&mut walk)),
            Step::ImageIn => (image_in::STEP, image_in::run(&mut walk)),
            Step::ImageOut => (image_out::STEP, image_out::run(&mut walk)),
            Step::Close => (close::STEP, close::run(&mut walk)),
        };
        if let Err(error) = result {
            walk.report.failed(title, error.to_string(), None);
        }
        if stop.requested().is_some() {
            break;
        }
    }
    drop(walk.sender.take());
    // Locks that others have open stay, and so does everything of theirs.
    let _ = tdshm::clean(&walk.names.all(), DryRun::No);
    Ok(stop.requested())
}

impl Walk<'_> {
    /// Asks what TouchDesigner shows: yes is as it should be.
    fn ask(&mut self, step: Check, question: &str, fine: &str, wrong: &str, advice: &'static str) -> Answer {
        let Self { person, stop, sender, sending, .. } = self;
        let answer = person.ask(question, stop, || beat(sender, sending));
        match answer {
            Answer::Yes => self.report.ok(step, fine),
            Answer::No => self.report.failed(step, wrong, advice),
            Answer::Open => self.report.skipped(step, format!("nobody said: {question}")),
        }
        answer
    }

    /// Waits, and goes on sending meanwhile.
    fn wait<T>(&mut self, mut look: impl FnMut() -> anyhow::Result<Option<T>>) -> anyhow::Result<Waited<T>> {
        let Self { person, stop, sender, sending, .. } = self;
        person.wait(stop, || {
            beat(sender, sending);
            look()
        })
    }

    /// Says why something did not come. `true`: it was waited for in vain.
    fn not_there<T>(&mut self, step: Check, waited: &Waited<T>, what: &str, advice: &'static str) -> bool {
        match waited {
            Waited::Came(..) | Waited::Stopped => return false,
            Waited::Late => self.report.failed(step, format!("{what} within the time"), advice),
            Waited::Skipped => self.report.skipped(step, format!("{what}: left out")),
        }
        true
    }
}

/// Sends the frame that is due now: the moving channel shows that it is alive.
fn beat(sender: &mut Option<ChopSender>, sending: &mut Sending) {
    if let Some(sender) = sender {
        // A lock that cannot be had is seen at the end of the step, by its time.
        let begin = Instant::now();
        if send::frame(sender, sending).is_err() {
            sending.longest = sending.longest.max(begin.elapsed());
        }
    }
}
