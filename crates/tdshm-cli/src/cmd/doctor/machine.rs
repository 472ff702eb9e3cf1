//! What this machine is, and what its shared memory has room for.

use crate::args::version;
use crate::cmd::doctor::check;
use crate::cmd::doctor::report::Report;

/// Says where this runs, and what is in the way there.
pub(super) fn check(report: &mut Report) {
    for line in version::long().lines() {
        let said = if line.contains(':') { line.to_owned() } else { format!("tdshm {line}") };
        report.seen(check::MACHINE_ABOUT, said);
    }
    place(report);
}

/// What there is to know of the place where objects are.
pub(super) fn place(report: &mut Report) {
    let place = tdshm::place();
    let room = match (place.free_bytes, place.total_bytes) {
        (Some(free), Some(total)) => format!(", {} of {} free", size(free), size(total)),
        (Some(free), None) => format!(", {} free", size(free)),
        _ => String::new(),
    };
    report.seen(check::MACHINE_MEMORY, format!("shared memory: {}{room}", place.what));
    for fact in &place.facts {
        report.seen(check::MACHINE_FACT, fact.as_str());
    }
    for trouble in &place.troubles {
        report.warning(check::MACHINE_TROUBLE, trouble.as_str(), None);
    }
}

/// Bytes, in the largest unit that has a whole digit.
fn size(bytes: u64) -> String {
    let units = [(1_u64 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    match units.iter().find(|(unit, _)| bytes >= *unit) {
        Some((unit, name)) => format!("{:.1} {name}", bytes as f64 / *unit as f64),
        None => format!("{bytes} bytes"),
    }
}
