//! `tdshm doctor`: what keeps programs apart, on this machine alone or between it and a running TouchDesigner.
//!
//! | module | what lives there |
//! | --- | --- |
//! | `report` | what was found, line by line, and the summary at the end |
//! | `person` | questions, answers, and waiting for either side |
//! | `machine`, `exchange`, `leftovers` | the checks of this machine, a file each |
//! | `walk` and below | the walk with TouchDesigner, a file a step |

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

/// Checks, prints what it finds, and fails where something did.
pub(crate) fn run(args: &DoctorArgs, again: &Again, stop: &Stop) -> anyhow::Result<Exit> {
    let live = match (args.json, args.touchdesigner) {
        (true, false) => Live::Nowhere,
        // The summary is for standard output; what happens meanwhile is for whoever sits there.
        (_, true) => Live::Person,
        (false, false) => Live::Output,
    };
    let mut report = Report::new(live);
    machine::check(&mut report);
    let stopped = if args.touchdesigner {
        let limit = Duration::try_from_secs_f64(args.timeout).unwrap_or(Duration::MAX);
        let person = if args.yes { Person::nobody(limit) } else { Person::at_stdin(limit) };
        walk::run(args.name.as_str(), &mut report, person, stop)?
    } else {
        let stopped = exchange::check(&mut report, again, stop);
        if stopped.is_none() {
            leftovers::check(&mut report);
        }
        stopped
    };
    if args.json {
        report.print_json(stopped.is_some())?;
    } else {
        report.print_end(stopped.is_some(), args.touchdesigner)?;
    }
    Ok(stopped.unwrap_or(if report.has_failed() { Exit::Failed } else { Exit::Done }))
}
