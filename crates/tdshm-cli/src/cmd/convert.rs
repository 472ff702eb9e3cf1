//! `tdshm convert`: what one file holds, in another format.

mod channels;
mod pictures;

use clap::CommandFactory;
use clap::error::ErrorKind as UsageKind;
use tdshm_io::file::sequence::is_of_pictures;
use tdshm_io::file::{Existing, Format, Lost};

use crate::args::Args;
use crate::args::convert::ConvertArgs;
use crate::stop::Stop;
use crate::{Exit, say};

/// Converts, and says what did not come along.
pub(crate) fn run(args: &ConvertArgs, stop: &Stop) -> anyhow::Result<Exit> {
    if args.to.is_some_and(|to| to <= args.from) {
        return Err(usage(
            "--to has to lie behind --from: both count from the beginning of the file".to_owned(),
        ));
    }
    match (is_of_pictures(&args.source), is_of_pictures(&args.target)) {
        (true, true) => {
            for (given, flag) in
                [(args.channels.is_some(), "--channels"), (args.resample.is_some(), "--resample")]
            {
                if given {
                    return Err(usage(format!(
                        "{flag} is for channels, and these are pictures: leave it out"
                    )));
                }
            }
            pictures::run(args, stop)
        }
        (false, false) => channels::run(args, stop),
        (pictures, _) => {
            // Where one of them is of neither kind, that is what is wrong.
            Format::of(if pictures { &args.target } else { &args.source })?;
            let (is, wanted) = if pictures { ("pictures", "channels") } else { ("channels", "pictures") };
            let (source, target) = (args.source.display(), args.target.display());
            Err(usage(format!("{source} holds {is}, and {target} would hold {wanted}: {is} stay {is}")))
        }
    }
}

fn usage(what: String) -> anyhow::Error {
    Args::command().error(UsageKind::ArgumentConflict, what).into()
}

/// What becomes of what is there.
fn existing(args: &ConvertArgs) -> Existing {
    if args.force { Existing::Replace } else { Existing::Refuse }
}

/// Says what did not come along, a sentence each.
fn say_lost(lost: &[Lost]) {
    for lost in lost {
        say::line(lost);
    }
}
