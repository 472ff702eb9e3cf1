//! `tdshm doctor`: what keeps programs apart, on this machine alone, between the two sides of a segment, or between this
//! machine and a running TouchDesigner.
//!
//! | module | what lives there |
//! | --- | --- |
//! | `check` | everything that can be said, with its lasting name |
//! | `report` | what was found, line by line, and the summary at the end |
//! | `person` | questions, answers, and waiting for either side |
//! | `machine`, `exchange`, `leftovers` | the checks of this machine, a file each |
//! | `between` and below | what stands between the two sides of a segment, a file a step |
//! | `walk` and below | the walk with TouchDesigner, a file a step |

mod between;
mod check;
mod exchange;
mod leftovers;
mod machine;
mod other;
mod person;
mod report;
mod walk;

use std::time::Duration;

use crate::args::doctor::DoctorArgs;
use crate::cmd::doctor::person::Person;
use crate::cmd::doctor::report::{Live, Report};
use crate::stop::Stop;
use crate::{Again, Exit};

/// How long a segment is watched.
const WATCHED: Duration = Duration::from_secs(2);
/// How long a step of the walk waits.
const EACH_STEP: Duration = Duration::from_secs(120);

/// Checks, prints what it finds, and fails where something did.
pub(crate) fn run(args: &DoctorArgs, again: &Again, stop: &Stop) -> anyhow::Result<Exit> {
    let live = match (args.json, args.touchdesigner) {
        (true, false) => Live::Nowhere,
        // The summary is for standard output; what happens meanwhile is for whoever sits there.
        (_, true) => Live::Person,
        (false, false) => Live::Output,
    };
    let mut report = Report::new(live);
    let limit = args.timeout.map(|seconds| Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX));
    let stopped = match (&*args.names, args.touchdesigner) {
        ([], false) => {
            machine::check(&mut report);
            let stopped = exchange::check(&mut report, again, stop);
            if stopped.is_none() {
                leftovers::check(&mut report);
            }
            stopped
        }
        (names, false) => {
            machine::place(&mut report);
            between::check(names, limit.unwrap_or(WATCHED), &mut report, stop)
        }
        (names, true) => {
            let ([] | [_]) = names else { return Err(one_name()) };
            let name = names.first().map_or(args.name.as_str(), String::as_str);
            machine::check(&mut report);
            let limit = limit.unwrap_or(EACH_STEP);
            let person = if args.yes { Person::nobody(limit) } else { Person::at_stdin(limit) };
            walk::run(name, &mut report, person, stop)?
        }
    };
    if args.json {
        report.print_json(stopped.is_some())?;
    } else {
        if !args.names.is_empty() && !args.touchdesigner && stopped.is_none() {
            report.print_todo()?;
        }
        report.print_end(stopped.is_some(), args.touchdesigner)?;
    }
    Ok(stopped.unwrap_or(if report.has_failed() { Exit::Failed } else { Exit::Done }))
}

/// The walk begins all of its names with one.
fn one_name() -> anyhow::Error {
    let said = "one NAME is enough for the walk with --touchdesigner: its other names begin with it";
    crate::args::wrong("doctor", clap::error::ErrorKind::TooManyValues, said)
}
