//! `tdshm clean`: removes what dead senders left behind.

use tdshm::{DryRun, Fate, Swept, SweptKind};

use crate::args::CleanArgs;
use crate::output::{printable, screen};
use crate::{Exit, say};

/// Sweeps, and prints a line an object that was removed, or that stays although it was named. Who wants it quiet sees what
/// stays, and what would go.
pub(crate) fn run(args: &CleanArgs) -> anyhow::Result<Exit> {
    let names: Vec<&str> = args.names.iter().map(tdshm::ShortName::as_str).collect();
    let dry_run = if args.dry_run { DryRun::Yes } else { DryRun::No };
    let swept = tdshm::clean(&names, dry_run)?;
    let mut text = String::new();
    for swept in &swept {
        let goes_unsaid = say::is_quiet() && dry_run == DryRun::No && swept.fate == Fate::Removed;
        if let Some(line) = line(swept, dry_run, !names.is_empty()).filter(|_| !goes_unsaid) {
            text.push_str(&line);
            text.push('\n');
        }
    }
    screen::write(&text)?;
    let count = |of: fn(&Fate) -> bool| swept.iter().filter(|swept| of(&swept.fate)).count();
    let removed = count(|fate| *fate == Fate::Removed);
    let out_of_reach = count(|fate| matches!(fate, Fate::OutOfReach { .. }));
    let held = count(|fate| *fate == Fate::HeldOpen);
    match (removed, dry_run) {
        (0, DryRun::Yes) if held > 0 => say::line("nothing to remove: its receivers would be told to let go"),
        (0, DryRun::No) if held > 0 => say::line("nothing to remove: its receivers have been told to let go"),
        (0, _) if out_of_reach > 0 => {
            say::line(format_args!("nothing to clean for this user: {}", stay(out_of_reach)));
        }
        (0, _) => say::line("nothing to clean: nobody died here, or everything left behind is still in use"),
        (count, DryRun::Yes) => say::line(format_args!("would remove {}", say::count_of(count, "object"))),
        (count, DryRun::No) => say::line(format_args!("removed {}", say::count_of(count, "object"))),
    }
    if removed > 0 && out_of_reach > 0 {
        say::line(stay(out_of_reach));
    }
    Ok(Exit::Done)
}

fn stay(count: usize) -> String {
    let (objects, they) =
        if count == 1 { ("1 object", "it") } else { (&*format!("{count} objects"), "them") };
    format!(
        "{objects} of others out of reach: if their senders have died, let those users or root clean {they}"
    )
}

fn line(swept: &Swept, dry_run: DryRun, named: bool) -> Option<String> {
    let object = printable(&swept.object);
    let kind = match swept.kind {
        SweptKind::Info => "info segment",
        SweptKind::Data => "data segment",
        SweptKind::Lock => "lock",
        _ => "object",
    };
    let fate = match (&swept.fate, dry_run) {
        (Fate::Removed, DryRun::No) => "removed".to_owned(),
        (Fate::Removed, DryRun::Yes) => "would be removed".to_owned(),
        (Fate::HeldOpen, _) => "goes when its receivers let go".to_owned(),
        // A lock alone is in nobody's way: it is only counted.
        (Fate::OutOfReach { .. }, _) if !named && swept.kind == SweptKind::Lock => return None,
        (Fate::OutOfReach { reason }, _) => format!("stays: {reason}"),
        // Everything that lives is not worth a line unless somebody asked for it.
        (_, _) if !named => return None,
        (Fate::InUse { pid: Some(pid) }, _) => format!("stays: process {pid} uses it"),
        (Fate::InUse { pid: None }, _) => "stays: somebody uses it".to_owned(),
        _ => "stays: another program made it, and nobody can tell whether that still lives".to_owned(),
    };
    Some(format!("{fate}  {object} ({kind})"))
}
