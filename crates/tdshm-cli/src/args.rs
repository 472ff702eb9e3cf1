//! The flags, as data: parser and help follow from here.

pub(crate) mod bridge;
pub(crate) mod convert;
pub(crate) mod doctor;
pub(crate) mod examples;
pub(crate) mod info;
pub(crate) mod play;
pub(crate) mod record;
pub(crate) mod run;
#[cfg(feature = "web")]
pub(crate) mod serve;
pub(crate) mod top;
pub(crate) mod version;

use std::fmt::Display;
use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{ArgGroup, CommandFactory, Parser, Subcommand, ValueEnum, ValueHint};
use tdshm::{HeaderVersion, PixelFormat, ShortName, TopColour};
use tdshm_ops::{Pattern, PatternError};

use crate::wave::Wave;

/// Pixels in a row, and rows, that a test pattern may have: no image block has more.
const LARGEST_SIDE: usize = 32768;

/// The least that people mean by a time or a number of Hz, and the most seconds, which are thirty years: nothing is added up
/// to where it would not fit.
const SHORTEST: f64 = 1e-6;
const LONGEST: f64 = 1e9;

/// Above the flags that every subcommand takes.
const EVERYWHERE: &str = "Options of every subcommand";

/// Channels and images between programs at memory speed: TouchDesigner's shared memory, on the command line.
#[derive(Debug, Parser)]
#[command(name = "tdshm", version, long_version = version::long(), after_help = examples::help("tdshm"))]
#[command(max_term_width = examples::WIDEST)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,

    /// Colours: auto (in a terminal, unless NO_COLOR is set; CLICOLOR_FORCE elsewhere too), always or never
    #[arg(long, global = true, help_heading = EVERYWHERE, value_name = "WHEN", value_enum, default_value_t = Color::Auto, hide_possible_values = true)]
    pub(crate) color: Color,

    /// Say nothing on standard error but what went wrong [default: say what happens]
    #[arg(short, long, global = true, help_heading = EVERYWHERE)]
    pub(crate) quiet: bool,
}

/// When output is coloured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// See it work: one process streams a real recording, this one shows it arriving
    Demo(DemoArgs),
    /// Send under a name, as Shared Mem Out operators do: channels (a wave, a recording, what comes on standard input) or
    /// images (a picture, a folder of them, a test pattern)
    Send(SendArgs),
    /// Show the channels or images that arrive under a name, as Shared Mem In operators do
    Watch(WatchArgs),
    /// Write an image that arrives under a name into a file
    Snap(SnapArgs),
    /// Record what comes through segments into a file, channels and images, with their times
    Record(record::RecordArgs),
    /// Play a recording as if its senders were there
    Play(play::PlayArgs),
    /// Write what one file holds in another format: channels, or pictures
    Convert(convert::ConvertArgs),
    /// Run a network of operators that a file describes: the shared-memory operators, what makes channels and images, and
    /// what changes them
    Run(run::RunArgs),
    /// Say what is known about one segment, without touching it, or what a recording holds
    Info(InfoArgs),
    /// See what all segments of this machine do, live: a scope of the channels, images, and what is wrong
    Top(top::TopArgs),
    /// List the segments of this machine
    List(ListArgs),
    /// Show every segment of this machine in a browser, live: channels plotted, images, what is wrong
    #[cfg(feature = "web")]
    Serve(serve::ServeArgs),
    /// Take channels beyond this machine's memory, and into it: to and from browsers and what speaks Open Sound Control
    Bridge(bridge::BridgeArgs),
    /// Remove what dead senders left behind, and locks that nobody has open
    Clean(CleanArgs),
    /// Find out what keeps programs apart: on this machine alone, between the two sides of a segment, or between this
    /// machine and a running TouchDesigner
    Doctor(doctor::DoctorArgs),
    /// Print a script that makes a shell complete this command's words
    Completions(CompletionsArgs),
    /// Print a page of the manual
    Man(ManArgs),
}

#[derive(Debug, clap::Args)]
#[command(after_help = examples::help("demo"))]
pub(crate) struct DemoArgs {
    /// How long to stream, in seconds, counted from the first frame
    #[arg(long, value_name = "N", default_value_t = 10.0, value_parser = seconds, allow_negative_numbers = true)]
    pub(crate) seconds: f64,
}

#[derive(Debug, clap::Args)]
#[command(after_help = examples::help("send"))]
#[command(group = ArgGroup::new("formatted").args(["stdin", "image", "test_pattern"]))]
#[command(group = ArgGroup::new("pictured").args(["image", "test_pattern"]))]
#[command(group = ArgGroup::new("played").args(["file", "image"]))]
pub(crate) struct SendArgs {
    /// The shared-memory name that receivers open
    #[arg(value_parser = short_name, value_hint = ValueHint::Other)]
    pub(crate) name: ShortName,

    /// Shape of a wave of 1 Hz, each channel shifted by its part of a period: sine (-1 to 1), ramp (0 to 1), square
    /// (1, then -1), noise (-1 to 1, at random) or constant (1)
    #[arg(long, value_name = "SHAPE", value_enum, default_value_t = Wave::Sine, hide_possible_values = true)]
    pub(crate) wave: Wave,

    /// How many channels, called chan1, chan2, …
    #[arg(long, value_name = "N", default_value_t = 1, conflicts_with = "channels", value_parser = at_least_one, allow_negative_numbers = true)]
    pub(crate) count: usize,

    /// Names of the channels, with commas between them [default: chan1]
    #[arg(long, value_name = "A,B,C", value_delimiter = ',', value_parser = channel_name)]
    pub(crate) channels: Vec<String>,

    /// Length of each frame, in samples a channel: of a wave, or in rows of --stdin's CSV
    #[arg(long, value_name = "SAMPLES", default_value_t = 1, value_parser = at_least_one, allow_negative_numbers = true)]
    pub(crate) length: usize,

    /// Sample rate, in Hz, of a wave, of CSV and .chan, and of JSON lines that do not say; other files bring their own
    /// [default: 60]
    #[arg(long, value_name = "HZ", value_parser = positive_f32, allow_negative_numbers = true)]
    pub(crate) rate: Option<f32>,

    /// How often a frame is sent, in Hz
    #[arg(long, value_name = "HZ", default_value_t = 60.0, value_parser = hz, allow_negative_numbers = true)]
    pub(crate) fps: f64,

    /// Leave after N frames [default: never, or at the end of the file]
    #[arg(long, value_name = "N")]
    pub(crate) frames: Option<u64>,

    /// Send no channel names: receivers keep the ones they have, or use chan1, chan2, … [default: names are sent]
    #[arg(long)]
    pub(crate) no_names: bool,

    /// Take the name also where another program's sender has it, of which nobody can tell whether it lives; a
    /// living `tdshm` sender keeps its name, a dead one's is always taken [default: refuse]
    #[arg(long)]
    pub(crate) take_over: bool,

    /// Send a recording at its own speed: .csv (a header row of channel names, then a row a sample), .chan (without
    /// the names), .clip, .parquet, .wav or .aiff (a channel a track), or the channels of an .mcap recording that has one
    /// segment of them; or pictures, as with --image [default: a wave]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with_all = ["wave", "count", "channels", "length"])]
    pub(crate) file: Option<PathBuf>,

    /// Start the file or folder again at its end, from --start on where that is given [default: leave at its end]
    #[arg(long = "loop", requires = "played")]
    pub(crate) looped: bool,

    /// Where in the file to begin, in seconds of the recording
    #[arg(long, value_name = "SECONDS", requires = "file", default_value_t = 0.0, value_parser = zero_or_more, allow_negative_numbers = true)]
    pub(crate) start: f64,

    /// How fast the file is played, 0.01 to 100; frames say the rate at which their samples really pass, so 2 turns
    /// 60 Hz into 120 Hz
    #[arg(long, value_name = "FACTOR", requires = "file", default_value_t = 1.0, value_parser = speed, allow_negative_numbers = true)]
    pub(crate) speed: f64,

    /// Send what comes on standard input, each frame at once: CSV (a line of channel names, then a row a sample) or
    /// JSON (an object a frame, one on each line), as `watch` writes them. A wrong line is told and left out, a wrong
    /// header ends it [default: a wave]
    #[arg(long, conflicts_with_all = ["file", "looped", "start", "speed", "wave", "count", "channels", "fps"])]
    pub(crate) stdin: bool,

    /// Send a picture (.png, .jpg or .exr), once: it stays until Ctrl-C, and receivers that come later get it too. Or a
    /// folder of pictures, or names such as shot.%04d.png or 'shot.####.png', one after the other at --fps, by their numbers;
    /// one that cannot be read is told and left out [default: channels]
    #[arg(long, value_name = "FILE|DIR", value_hint = ValueHint::AnyPath, conflicts_with_all = ["file", "stdin", "wave", "count", "channels", "length", "rate", "no_names", "start", "speed"])]
    pub(crate) image: Option<PathBuf>,

    /// Send a picture of so many pixels, say 1280x720: colour bars, a gradient that moves, and the number of the frame
    /// [default: channels]
    #[arg(long, value_name = "WxH", value_parser = size, conflicts_with_all = ["image", "file", "stdin", "wave", "count", "channels", "length", "rate", "no_names", "start", "speed", "looped"])]
    pub(crate) test_pattern: Option<(usize, usize)>,

    /// What standard input holds: csv or json [default: what its first line looks like]. Of images the pixel format, such
    /// as rgba8, rgba16f, r32f or R8G8B8A8_UNORM: numbers are converted, colours are not; a format of one channel takes
    /// red [default: what holds all of the picture, and rgba8 for --test-pattern]
    #[arg(long, requires = "formatted", value_parser = send_format)]
    pub(crate) format: Option<SendFormat>,

    /// Which header images have: 1, which every build since 2022 reads, 2, which also says what the colours mean, or
    /// legacy, the one from before 2022 [default: 1, or 2 with --transfer]
    #[arg(long, value_name = "VERSION", value_parser = header, requires = "pictured")]
    pub(crate) header: Option<HeaderVersion>,

    /// How the numbers of an image become light, as a header of version 2 says it: linear or srgb. Nothing is converted
    /// [default: what the pixel format says]
    #[arg(long, value_name = "CURVE", value_enum, requires = "pictured", hide_possible_values = true)]
    pub(crate) transfer: Option<Transfer>,

    /// Which red, green and blue an image has, as a header of version 2 says it: a number, of which 2 is known, for those
    /// of Rec.709 and sRGB
    #[arg(long, value_name = "N", default_value_t = TopColour::SRGB.primaries, requires = "transfer")]
    pub(crate) primaries: u32,

    /// Send the recording that comes with the command, over and over.
    #[arg(long, hide = true, conflicts_with_all = ["file", "stdin", "wave", "count", "channels", "length", "rate"])]
    pub(crate) bundled_recording: bool,

    /// Send the demo's image as well, under that name.
    #[arg(long, hide = true, requires = "bundled_recording", value_parser = short_name)]
    pub(crate) bundled_image: Option<ShortName>,

    /// Leave when standard input ends.
    #[arg(long, hide = true, conflicts_with = "stdin")]
    pub(crate) until_stdin_closes: bool,
}

/// What `send --format` names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SendFormat {
    Lines(LinesFormat),
    Pixels(PixelFormat),
}

/// What `send --transfer` names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Transfer {
    Linear,
    Srgb,
}

/// How the lines of standard input are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LinesFormat {
    Csv,
    Json,
}

#[derive(Debug, clap::Args)]
#[command(after_help = examples::help("watch"))]
pub(crate) struct WatchArgs {
    /// The shared-memory name that the sender uses; it may start later
    #[arg(value_parser = short_name, value_hint = ValueHint::Other)]
    pub(crate) name: ShortName,

    /// End after N frames [default: never]
    #[arg(long, value_name = "N")]
    pub(crate) frames: Option<u64>,

    /// Show the channels that the pattern means, as in a CHOP's scope: names with *, ?, [xyz] or [1-12], ^ for all
    /// but, | & ~ ( ) for sets [default: all channels]
    #[arg(long, value_name = "PATTERN", value_parser = pattern, allow_hyphen_values = true)]
    pub(crate) scope: Option<Pattern>,

    /// Fail after S seconds without a new frame [default: wait for ever]
    #[arg(long, value_name = "S", value_parser = seconds, allow_negative_numbers = true)]
    pub(crate) timeout: Option<f64>,

    /// Say nothing of frames that were missed: only the newest one counts [default: say how many were missed]
    #[arg(long)]
    pub(crate) latest: bool,

    /// How to show the frames: table (a line a channel with its last, least and greatest sample), csv (a line of
    /// channel names, again when they change, and a row a sample) or json (an object a frame, one on each line). Of images
    /// table shows the picture itself in a terminal, csv and json what is known of each, without pixels
    #[arg(long, value_enum, default_value_t = Format::Table, hide_possible_values = true)]
    pub(crate) format: Format,
}

/// How frames are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    Table,
    Csv,
    Json,
}

#[derive(Debug, clap::Args)]
#[command(after_help = examples::help("snap"))]
pub(crate) struct SnapArgs {
    /// The shared-memory name that the sender uses; it may start later
    #[arg(value_parser = short_name, value_hint = ValueHint::Other)]
    pub(crate) name: ShortName,

    /// Where to write it: .png (8 and 16 bits), .exr (floats, and everything else) or .jpg
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) file: PathBuf,

    /// Leave the image out that is there already [default: the first one there is]
    #[arg(long)]
    pub(crate) next: bool,

    /// Write also what the file cannot hold: floats cut at 0 and 1 into 16 bits of a PNG, everything as 8 bits without
    /// alpha into a JPEG [default: refuse]
    #[arg(long)]
    pub(crate) lossy: bool,

    /// Fail after S seconds without an image [default: wait for ever]
    #[arg(long, value_name = "S", value_parser = seconds, allow_negative_numbers = true)]
    pub(crate) timeout: Option<f64>,
}

#[derive(Debug, clap::Args)]
#[command(after_help = examples::help("info"))]
pub(crate) struct InfoArgs {
    /// The shared-memory name; or a recording: what is the path of a file that begins as one
    #[arg(value_name = "NAME|FILE", value_parser = info::asked, value_hint = ValueHint::FilePath)]
    pub(crate) asked: info::Asked,

    /// Print one JSON object, with null for what is not known [default: lines for people]
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, clap::Args)]
#[command(after_help = examples::help("list"))]
pub(crate) struct ListArgs {
    /// Print a JSON array of what `info --json` prints [default: a table for people]
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, clap::Args)]
#[command(after_help = examples::help("clean"))]
pub(crate) struct CleanArgs {
    /// Shared-memory names to clean up, and nothing else [default: all]
    #[arg(value_parser = short_name, value_name = "NAME", value_hint = ValueHint::Other)]
    pub(crate) names: Vec<ShortName>,

    /// Only say what would be removed [default: remove it]
    #[arg(long)]
    pub(crate) dry_run: bool,
}

#[derive(Debug, clap::Args)]
#[command(after_help = examples::help("completions"))]
pub(crate) struct CompletionsArgs {
    /// The shell: bash, zsh, fish, powershell or elvish
    #[arg(value_enum, hide_possible_values = true)]
    pub(crate) shell: clap_complete::Shell,
}

#[derive(Debug, clap::Args)]
#[command(after_help = examples::help("man"))]
pub(crate) struct ManArgs {
    /// The subcommand that the page is about, such as send, or bridge ws [default: the command itself]
    #[arg(value_hint = ValueHint::Other)]
    pub(crate) subcommand: Vec<String>,

    /// Write every page into that folder, which must be there [default: print one page]
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, conflicts_with = "subcommand")]
    pub(crate) out: Option<PathBuf>,
}

/// What is wrong with the arguments of a subcommand that the parser has taken, with the usage of that subcommand.
pub(crate) fn wrong(subcommand: &str, kind: ErrorKind, what: impl Display) -> anyhow::Error {
    let mut command = Args::command();
    // From here on subcommands know what they are called from the first word on.
    command.build();
    match command.find_subcommand_mut(subcommand) {
        Some(subcommand) => subcommand.error(kind, what),
        None => command.error(kind, what),
    }
    .into()
}

fn short_name(text: &str) -> Result<ShortName, tdshm::NameError> {
    ShortName::new(text)
}

fn channel_name(text: &str) -> Result<String, &'static str> {
    let name = text.trim();
    if name.is_empty() {
        Err("a channel needs a name: remove the comma, or name it")
    } else {
        Ok(name.to_owned())
    }
}

fn pattern(text: &str) -> Result<Pattern, PatternError> {
    text.parse()
}

fn size(text: &str) -> Result<(usize, usize), &'static str> {
    let side = |text: &str| text.parse().ok().filter(|side| (1..=LARGEST_SIDE).contains(side));
    let sides = text.split_once(['x', 'X', '×']).and_then(|(width, height)| side(width).zip(side(height)));
    sides.ok_or("give width and height in pixels, each from 1 to 32768, say 1280x720")
}

fn header(text: &str) -> Result<HeaderVersion, &'static str> {
    match text {
        "1" => Ok(HeaderVersion::V1),
        "2" => Ok(HeaderVersion::V2),
        "legacy" => Ok(HeaderVersion::Legacy),
        _ => Err("give 1, 2 or legacy"),
    }
}

fn send_format(text: &str) -> Result<SendFormat, String> {
    match text {
        "csv" => Ok(SendFormat::Lines(LinesFormat::Csv)),
        "json" => Ok(SendFormat::Lines(LinesFormat::Json)),
        _ => {
            let format = text.parse().ok().filter(|format: &PixelFormat| format.name().is_some());
            format.map(SendFormat::Pixels).ok_or_else(|| {
                let names: Vec<_> =
                    PixelFormat::ALL.into_iter().filter_map(PixelFormat::short_name).collect();
                format!("give csv or json with --stdin, and with images one of {}", names.join(" "))
            })
        }
    }
}

fn at_least_one(text: &str) -> Result<usize, &'static str> {
    text.parse().ok().filter(|n| *n > 0).ok_or("give a whole number of 1 or more")
}

fn positive(text: &str) -> Result<f64, &'static str> {
    let number = text.parse().ok().filter(|n: &f64| n.is_finite() && *n > 0.0);
    number.ok_or("give a number above 0")
}

/// Seconds, of which none is nothing.
fn zero_or_more(text: &str) -> Result<f64, &'static str> {
    let number = text.parse().ok().filter(|n| (0.0..=LONGEST).contains(n));
    number.ok_or("give a number of 0 or more, of at most 1000000000 seconds")
}

/// Seconds to wait, or to go on for.
fn seconds(text: &str) -> Result<f64, &'static str> {
    let number = text.parse().ok().filter(|n| (SHORTEST..=LONGEST).contains(n));
    number.ok_or("give a number above 0, from 0.000001 to 1000000000 seconds")
}

/// How often something happens.
fn hz(text: &str) -> Result<f64, &'static str> {
    let number = text.parse().ok().filter(|n| (SHORTEST..=1.0 / SHORTEST).contains(n));
    number.ok_or("give a number above 0, from 0.000001 to 1000000 Hz")
}

fn speed(text: &str) -> Result<f64, &'static str> {
    text.parse().ok().filter(|n| (0.01..=100.0).contains(n)).ok_or("give a number between 0.01 and 100")
}

fn positive_f32(text: &str) -> Result<f32, &'static str> {
    let number = text.parse().ok().filter(|n: &f32| n.is_finite() && *n > 0.0);
    number.ok_or("give a number above 0 that fits 32 bits")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flags_contradict_nothing() {
        Args::command().debug_assert();
    }

    #[test]
    fn every_visible_flag_says_its_default() {
        let mut all = Args::command().disable_help_subcommand(true);
        all.build();
        let kinds = all.get_subcommands().flat_map(clap::Command::get_subcommands);
        for mut command in all.get_subcommands().chain(kinds).cloned() {
            let help = command.render_long_help().to_string();
            for arg in command.get_arguments().filter(|arg| arg.get_long().is_some() && !arg.is_hide_set()) {
                let told = arg.get_help().map(ToString::to_string).unwrap_or_default();
                let has_default = told.contains("[default: ") || !arg.get_default_values().is_empty();
                assert!(has_default || arg.get_id() == "help", "{arg:?} in\n{help}");
            }
        }
    }
}
