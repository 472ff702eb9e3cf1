//! Channels: piece by piece, so that a long recording takes no more memory than a short one.

use std::io;

use anyhow::bail;
use tdshm_io::FileError;
use tdshm_io::file::{ChannelReader, ChannelWriter, Format, Layout, Lost, ReadOptions};
use tdshm_ops::clip::{ChannelNames, Clip};
use tdshm_ops::resample::{Resampling, resample};

use crate::args::convert::ConvertArgs;
use crate::cmd::convert::{advise, existing, part, say_lost, stream, usage};
use crate::output::progress::Progress;
use crate::output::short;
use crate::stop::Stop;
use crate::{Exit, say};

/// Seconds that are the same, but for how numbers are rounded.
const SAME_MOMENT: f64 = 1e-9;

/// Reads, cuts, chooses, writes.
pub(super) fn run(args: &ConvertArgs, stop: &Stop) -> anyhow::Result<Exit> {
    // Before anything is read: a name that means nothing is told at once.
    let format = match args.write_as {
        Some(format) => format,
        None => Format::of(&args.target)?,
    };
    let mut options = ReadOptions::new();
    if let Some(rate) = args.rate {
        options = options.table_rate(rate as f32);
    }
    let is_recording = args.read_as.is_none() && Format::of(&args.source)? == Format::Recording;
    let mut source = if let Some(format) = args.read_as {
        match stream::read(format, args.rate, stop)? {
            Ok(recording) => recording.into(),
            Err(exit) => return Ok(exit),
        }
    } else if is_recording {
        ChannelReader::open_segment(&args.source, &part(args)).map_err(advise)?
    } else {
        ChannelReader::open(&args.source, &options)?
    };
    let layout = source.layout().clone();
    check_rate(args, &layout)?;
    if layout.rate_is_assumed() && args.rate.is_none() && needs_rate(args, format) {
        say::line(format_args!(
            "{} holds no sample rate: {} Hz is assumed, --rate says another one",
            args.shown_source(),
            layout.sample_rate()
        ));
    }
    let picked = pick(args, &layout)?;
    // Of a recording the reader cuts, by the times of the frames.
    let part = if is_recording { Part { first: 0, end: u64::MAX } } else { Part::of(args, &layout)? };
    let mut chosen = part.layout(&layout);
    if let Some(rate) = args.rate.filter(|_| layout.rate_is_assumed()) {
        chosen = chosen.with_sample_rate(rate)?;
    }
    if let Some(picked) = &picked {
        chosen = chosen.select(picked);
    }
    if let Some(name) = &args.renamed {
        chosen = chosen.with_segment(name.as_str());
    }
    let mut pieces = Pieces {
        part,
        picked,
        at: 0,
        piece: Vec::new(),
        progress: begin_progress(args, &layout),
        rate: layout.sample_rate(),
    };

    let layout = match args.resample {
        None => chosen,
        Some(rate) => {
            let mut samples = Samples::new(&chosen);
            let all = pieces.each(&mut source, stop, |piece, len_samples| {
                samples.take(piece, len_samples);
                Ok(())
            })?;
            if let Some(exit) = all {
                return Ok(exit);
            }
            drop(pieces);
            let mut read = source.lost();
            let clip = samples.resampled(&chosen, rate)?;
            let (began, begins) = (chosen.start() as f64 / chosen.sample_rate(), clip.start() as f64 / rate);
            if (began - begins).abs() > SAME_MOMENT {
                let what = format!(
                    "no sample at {rate} Hz is at {began:.4} s, where these began: they begin at {begins:.4} s"
                );
                read.push(Lost::LeftOut { what });
            }
            let layout = chosen
                .with_sample_rate(rate)?
                .with_start(clip.start())
                .with_len_samples(u64::try_from(clip.len_samples()).unwrap_or(u64::MAX));
            let mut target = create(args, &layout)?;
            target.write(clip.samples(), clip.len_samples()).map_err(|error| out(args, error))?;
            return finish(args, target, &layout, &read);
        }
    };
    let mut target = create(args, &layout)?;
    let ended = pieces.each(&mut source, stop, |piece, len_samples| target.write(piece, len_samples));
    let ended = ended.map_err(|error| match error.downcast() {
        Ok(error) => out(args, error),
        Err(error) => error,
    })?;
    if let Some(exit) = ended {
        return Ok(exit);
    }
    drop(pieces);
    // Where a file is converted into itself, some systems want it closed.
    let read = source.lost();
    drop(source);
    finish(args, target, &layout, &read)
}

fn create(args: &ConvertArgs, layout: &Layout) -> anyhow::Result<ChannelWriter> {
    let created = match args.write_as {
        Some(format) => ChannelWriter::to(io::stdout(), format, layout),
        None => ChannelWriter::create(&args.target, layout, existing(args)),
    };
    created.map_err(|error| out(args, error))
}

/// What is wrong with what is written. That nobody reads standard output any more is no failure, and told apart by this.
fn out(args: &ConvertArgs, error: FileError) -> anyhow::Error {
    match error {
        FileError::Create { source, .. } if args.is_to_stdout() => source.into(),
        error => advise(error),
    }
}

fn finish(args: &ConvertArgs, target: ChannelWriter, layout: &Layout, read: &[Lost]) -> anyhow::Result<Exit> {
    let len_samples = target.len_samples();
    if len_samples == 0 {
        bail!("there is no sample between --from and --to in {}: choose others", args.shown_source());
    }
    let lost = target.finish().map_err(|error| out(args, error))?;
    let to = if args.is_to_stdout() { "to " } else { "" };
    say::line(format_args!(
        "wrote {to}{}: {} × {} at {} Hz",
        args.shown_target(),
        say::count_of(layout.num_channels(), "channel"),
        say::count(len_samples, "sample"),
        layout.sample_rate()
    ));
    say_lost(read);
    say_lost(&lost);
    Ok(Exit::Done)
}

/// A file with a rate of its own keeps it.
fn check_rate(args: &ConvertArgs, layout: &Layout) -> anyhow::Result<()> {
    let own = layout.sample_rate();
    match args.rate.filter(|rate| !layout.rate_is_assumed() && *rate as f32 != own as f32) {
        None => Ok(()),
        Some(rate) => Err(usage(format!(
            "--rate {rate} cannot be used with {}, which brings its own rate of {own} Hz: leave --rate out, or make new samples \
             with --resample",
            args.shown_source()
        ))),
    }
}

/// Whether the result depends on how fast the samples pass.
fn needs_rate(args: &ConvertArgs, format: Format) -> bool {
    let cut = args.from > 0.0 || args.to.is_some() || args.resample.is_some();
    // Parquet holds it, but is not told what nobody knows.
    cut || !matches!(format, Format::Csv | Format::Chan | Format::Parquet)
}

/// The channels that are wanted; `None`: all.
fn pick(args: &ConvertArgs, layout: &Layout) -> anyhow::Result<Option<Vec<usize>>> {
    let Some(pattern) = &args.channels else { return Ok(None) };
    for warning in pattern.warnings().iter().chain(&pattern.unmatched(layout.names())) {
        say::line(format_args!("channels: {warning}"));
    }
    let picked = pattern.select(layout.names());
    if picked.is_empty() {
        let names: Vec<&str> = layout.names().iter().take(12).map(String::as_str).collect();
        let more = if layout.num_channels() > names.len() { " …" } else { "" };
        bail!(
            "--channels picks none of the {} of {}: {}{more}",
            say::count_of(layout.num_channels(), "channel"),
            args.shown_source(),
            names.join(" ")
        );
    }
    Ok(Some(picked))
}

/// Samples from one on, up to and without another.
#[derive(Clone, Copy, Debug)]
struct Part {
    first: u64,
    end: u64,
}

impl Part {
    fn of(args: &ConvertArgs, layout: &Layout) -> anyhow::Result<Self> {
        let at = |seconds: f64| (seconds * layout.sample_rate()).round() as u64;
        let part = Self { first: at(args.from), end: args.to.map_or(u64::MAX, at) };
        if let Some(len_samples) = layout.len_samples()
            && part.first >= len_samples.max(1)
        {
            bail!(
                "--from {} lies behind the end of {}, which lasts {} s: begin earlier",
                short(args.from),
                args.shown_source(),
                short(len_samples as f64 / layout.sample_rate())
            );
        }
        Ok(part)
    }

    /// What this part of the channels is.
    fn layout(self, whole: &Layout) -> Layout {
        let start = whole.start().saturating_add(i64::try_from(self.first).unwrap_or(i64::MAX));
        let part = whole.clone().with_start(start);
        match whole.len_samples() {
            Some(len_samples) => part.with_len_samples(self.end.min(len_samples).saturating_sub(self.first)),
            None => part,
        }
    }
}

/// The pieces of a file, cut and with the channels that are wanted.
struct Pieces {
    part: Part,
    picked: Option<Vec<usize>>,
    /// Samples that have been read, in each channel.
    at: u64,
    piece: Vec<f32>,
    progress: Option<Progress>,
    rate: f64,
}

impl Pieces {
    /// Hands each piece on; gives how to end if somebody asks to stop before the last one.
    fn each(
        &mut self,
        source: &mut ChannelReader,
        stop: &Stop,
        mut take: impl FnMut(&[f32], usize) -> Result<(), FileError>,
    ) -> anyhow::Result<Option<Exit>> {
        let mut read = Vec::new();
        while self.at < self.part.end {
            if let Some(exit) = stop.requested() {
                return Ok(Some(exit));
            }
            let len_samples = source.read(&mut read)?;
            if len_samples == 0 {
                break;
            }
            let within =
                |at: u64| usize::try_from(at.saturating_sub(self.at)).unwrap_or(usize::MAX).min(len_samples);
            let (first, end) = (within(self.part.first), within(self.part.end));
            self.at = self.at.saturating_add(u64::try_from(len_samples).unwrap_or(u64::MAX));
            if first < end {
                if (first, end) == (0, len_samples) && self.picked.is_none() {
                    take(&read, len_samples)?;
                } else {
                    self.cut(&read, len_samples, first..end);
                    take(&self.piece, end.saturating_sub(first))?;
                }
            }
            if let Some(progress) = &mut self.progress {
                progress.at(self.at as f64 / self.rate, 0);
            }
        }
        Ok(None)
    }

    fn cut(&mut self, read: &[f32], len_samples: usize, range: std::ops::Range<usize>) {
        self.piece.clear();
        let channels: Vec<&[f32]> = read.chunks_exact(len_samples.max(1)).collect();
        let mut take = |channel: Option<&&[f32]>| {
            let samples = channel.and_then(|channel| channel.get(range.clone())).unwrap_or_default();
            self.piece.extend_from_slice(samples);
        };
        match &self.picked {
            Some(picked) => picked.iter().for_each(|at| take(channels.get(*at))),
            None => channels.iter().for_each(|channel| take(Some(channel))),
        }
    }
}

/// All samples of the channels that are wanted, for what needs them at once.
struct Samples {
    channels: Vec<Vec<f32>>,
}

impl Samples {
    fn new(layout: &Layout) -> Self {
        Self { channels: vec![Vec::new(); layout.num_channels()] }
    }

    fn take(&mut self, piece: &[f32], len_samples: usize) {
        for (to, from) in self.channels.iter_mut().zip(piece.chunks_exact(len_samples.max(1))) {
            to.extend_from_slice(from);
        }
    }

    /// At another rate, over the same time.
    fn resampled(self, layout: &Layout, rate: f64) -> anyhow::Result<Clip> {
        let (mut clip, mut out) = (Clip::default(), Clip::default());
        let len_samples = self.channels.first().map_or(0, Vec::len);
        let names = ChannelNames::new(layout.names().iter().map(String::as_str));
        let samples = clip.shape(names, len_samples)?;
        for (to, from) in samples.chunks_exact_mut(len_samples.max(1)).zip(self.channels) {
            to.copy_from_slice(&from);
        }
        clip.set_rate(layout.sample_rate())?;
        clip.set_start(layout.start());
        resample(&clip, &Resampling::to_rate(rate), &mut out)?;
        Ok(out)
    }
}

/// A bar, where somebody looks and it is known how long it will be.
fn begin_progress(args: &ConvertArgs, layout: &Layout) -> Option<Progress> {
    let len_samples = layout.len_samples().filter(|_| !say::is_quiet())?;
    let title = args.target.file_name().unwrap_or_default().to_string_lossy();
    Progress::start(&title, len_samples as f64 / layout.sample_rate())
}
