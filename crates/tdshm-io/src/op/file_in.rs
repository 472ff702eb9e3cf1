//! File In CHOP: the channels of a recording.

use std::path::PathBuf;
use std::sync::Arc;

use tdshm_ops::clip::{ChannelNames, Clip, Extend};
use tdshm_ops::pattern::Expansion;
use tdshm_ops::resample::{Resampling, resample};
use tdshm_ops::{Cook, Family, OpSpec, Operator, ParSpec};

use crate::{ReadOptions, Recording};

const EXTENDS: &[(&str, &str)] = &[
    ("hold", "Hold"),
    ("slope", "Slope"),
    ("cycle", "Cycle"),
    ("mirror", "Mirror"),
    ("default", "Default Value"),
];

/// The operator type.
///
/// # Source
///
/// operators §12 (`nameoption`, `rateoption` with their entries: documented) and §3.2 (extend). The other names, and
/// what each does in detail, are ours.
pub(super) fn spec() -> OpSpec {
    OpSpec::new(
        "fileinCHOP",
        Family::Chop,
        "File In",
        "The channels of a recording: a table (.csv, .parquet), a clip (.clip), columns of numbers (.chan) or sound (.wav, .aiff, a \
         channel a track). It begins at sample 0, or where the clip says, so its current value follows the timeline.",
        || Box::new(FileIn::default()),
    )
    .pars(pars())
    .common_page()
}

fn pars() -> Vec<ParSpec> {
    const PAGE: &str = "File";
    vec![
        ParSpec::file("file", "File").page(PAGE).help(
            "The recording: .csv has a header row of channel names and a row a sample, .chan the same without the names, .clip \
             names, samples, start and rate, .parquet a channel a column, .wav and .aiff a channel a track. A relative path begins in the folder of the patch.",
        ),
        ParSpec::menu(
            "nameoption",
            "Name Option",
            &[("infile", "Use Names in File"), ("new", "Create New Names"), ("filename", "Use Filename")],
        )
        .page(PAGE)
        .help(
            "Where the channels' names come from: the file, New Names, or the file's name without its extension, with a \
             number behind it where there are several.",
        ),
        ParSpec::text("newname", "New Names", "chan[1-9]")
            .page(PAGE)
            .enabled_when("nameoption", &["new"])
            .help(
                "Names, also written as patterns such as chan[1-8] or t[xyz]. Channels beyond them are called chan1, chan2, \
                 and so on by their place. The name of this parameter is ours.",
            ),
        ParSpec::menu(
            "rateoption",
            "Rate Option",
            &[
                ("nochange", "No Change"),
                ("override", "Override"),
                ("resample", "Resample"),
            ],
        )
        .page(PAGE)
        .help(
            "What the sample rate is: the file's own (of a .csv or .chan, which has none, the timeline's), Sample Rate with the same \
             samples, which plays faster or slower, or Sample Rate with new samples over the same time.",
        ),
        ParSpec::float("rate", "Sample Rate", 60.0)
            .page(PAGE)
            .at_least(0.001)
            .slider(1.0, 120.0)
            .enabled_when("rateoption", &["override", "resample"])
            .help("In samples a second."),
        ParSpec::menu("left", "Extend Left", EXTENDS).page(PAGE).help("What the channels are before the first sample."),
        ParSpec::menu("right", "Extend Right", EXTENDS).page(PAGE).help("What the channels are after the last sample."),
        ParSpec::float("defval", "Default Value", 0.0)
            .page(PAGE)
            .slider(-1.0, 1.0)
            .help("The number outside the interval where an extend condition is Default Value."),
        ParSpec::pulse("reloadpulse", "Reload").page(PAGE).help("Reads the file again."),
    ]
}

/// Everything that what is read depends on.
#[derive(Clone, Debug, PartialEq)]
struct Wanted {
    path: PathBuf,
    names: (Arc<str>, Arc<str>),
    rate_option: Arc<str>,
    rate: f64,
    timeline_rate: f64,
}

#[derive(Debug, Default)]
struct FileIn {
    /// What was read last, or tried.
    last: Option<Wanted>,
    clip: Clip,
    problem: Option<String>,
}

impl FileIn {
    fn read(&mut self, wanted: &Wanted) -> Result<(), String> {
        #[expect(clippy::cast_possible_truncation, reason = "rates of blocks are 32-bit")]
        let options = ReadOptions::new().table_rate(wanted.timeline_rate as f32);
        super::check_ordinary(&wanted.path)?;
        let recording = Recording::open(&wanted.path, &options).map_err(|error| error.to_string())?;
        let mut clip = Clip::default();
        let names = names(&recording, wanted)?;
        let samples = clip.shape(names, recording.len_samples()).map_err(|error| error.to_string())?;
        for (index, to) in samples.chunks_exact_mut(recording.len_samples()).enumerate() {
            to.copy_from_slice(recording.channel(index).unwrap_or_default());
        }
        let own = f64::from(recording.sample_rate());
        let rate = if &*wanted.rate_option == "override" { wanted.rate } else { own };
        clip.set_rate(rate).map_err(|error| error.to_string())?;
        clip.set_start(recording.start());
        if &*wanted.rate_option == "resample" {
            resample(&clip, &Resampling::to_rate(wanted.rate), &mut self.clip)
                .map_err(|error| error.to_string())?;
        } else {
            self.clip = clip;
        }
        Ok(())
    }
}

/// What the channels are called.
fn names(recording: &Recording, wanted: &Wanted) -> Result<ChannelNames, String> {
    let count = recording.num_channels();
    let (option, new) = &wanted.names;
    Ok(match &**option {
        "new" => {
            let mut names =
                Expansion::parse(new).map_err(|error| format!("New Names: {error}"))?.into_names();
            names.truncate(count);
            for at in names.len()..count {
                names.push(format!("chan{}", at.saturating_add(1)));
            }
            ChannelNames::new(names)
        }
        "filename" => {
            let stem = wanted.path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            if count == 1 {
                ChannelNames::new([stem])
            } else {
                ChannelNames::new((1..=count).map(|number| format!("{stem}{number}")))
            }
        }
        _ => ChannelNames::new(recording.names().iter().map(String::as_str)),
    }
    .sanitised())
}

impl Operator for FileIn {
    fn cook(&mut self, cook: &mut Cook) {
        let Some(path) = cook.par_file("file") else {
            self.last = None;
            cook.pass_nothing();
            return cook.warn("No file is given.");
        };
        let wanted = Wanted {
            path,
            names: (cook.par_text("nameoption"), cook.par_text("newname")),
            rate_option: cook.par_text("rateoption"),
            rate: cook.par_f64("rate"),
            timeline_rate: cook.time().rate,
        };
        if self.last.as_ref() != Some(&wanted) || cook.par_is_on("reloadpulse") {
            self.problem = self.read(&wanted).err();
            self.last = Some(wanted);
        }
        let extend = |name: &str| cook.par_text(name).parse().unwrap_or(Extend::Hold);
        self.clip.set_extend(extend("left"), extend("right"));
        #[expect(clippy::cast_possible_truncation, reason = "samples are 32-bit")]
        self.clip.set_default_value(cook.par_f64("defval") as f32);
        if let Some(problem) = &self.problem {
            return cook.error(sentence(problem));
        }
        let copied = cook.fill_clip(|clip| clip.copy_from(&self.clip));
        if let Err(error) = copied {
            cook.error(sentence(&error.to_string()));
        }
    }
}

/// An error's text as the operators write theirs: with a capital letter and a full stop.
pub(super) fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", chars.as_str().trim_end_matches('.'))
}
