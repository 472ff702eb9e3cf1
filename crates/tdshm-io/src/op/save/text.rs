//! Channels as text.

use core::fmt::Write;

use tdshm_ops::clip::{Clip, Extend};

/// A run as long as this is shorter when it is packed.
const LEAST_RUN: usize = 3;

/// The fewest characters that give the same bits again.
struct Sample(f32);

impl core::fmt::Display for Sample {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let size = self.0.abs();
        if size == 0.0 || !size.is_finite() || (1e-5..1e9).contains(&size) {
            write!(f, "{}", self.0)
        } else {
            write!(f, "{:e}", self.0)
        }
    }
}

/// Names, samples, start, rate and extend conditions (operators §12).
pub(super) fn clip(clip: &Clip) -> String {
    let mut text = String::from("{\n");
    line(&mut text, 1, format_args!("rate = {}", clip.rate()));
    line(&mut text, 1, format_args!("start = {}", clip.start()));
    line(&mut text, 1, format_args!("tracklength = {}", clip.len_samples()));
    line(&mut text, 1, format_args!("tracks = {}", clip.num_channels()));
    // What cannot stand in a name would end the line.
    for (index, name) in clip.names().sanitised().iter().enumerate() {
        line(&mut text, 1, format_args!("{{"));
        line(&mut text, 2, format_args!("name = {name}"));
        let extends = [("lefttype", clip.extend_left()), ("righttype", clip.extend_right())];
        for (key, extend) in extends.into_iter().filter(|(_, extend)| *extend != Extend::Hold) {
            line(&mut text, 2, format_args!("{key} = {extend}"));
        }
        if extends.iter().any(|(_, extend)| *extend == Extend::Default) {
            line(&mut text, 2, format_args!("default = {}", Sample(clip.default_value())));
        }
        let samples = clip.channel(index).unwrap_or_default();
        let (key, data) = packed(samples).map_or_else(|| ("data", plain(samples)), |data| ("data_rle", data));
        line(&mut text, 2, format_args!("{key} ={data}"));
        line(&mut text, 1, format_args!("}}"));
    }
    text.push_str("}\n");
    text
}

fn line(text: &mut String, depth: usize, what: core::fmt::Arguments<'_>) {
    for _ in 0..depth {
        text.push_str("   ");
    }
    append(text, what);
    text.push('\n');
}

fn append(text: &mut String, what: core::fmt::Arguments<'_>) {
    // A text takes everything.
    let _always = text.write_fmt(what);
}

fn plain(samples: &[f32]) -> String {
    let mut data = String::with_capacity(samples.len().saturating_mul(8));
    samples.iter().for_each(|sample| append(&mut data, format_args!(" {}", Sample(*sample))));
    data
}

/// With runs as `@3 0.25`; `None` where there is none.
fn packed(samples: &[f32]) -> Option<String> {
    let runs = || samples.chunk_by(|one, other| one.to_bits() == other.to_bits());
    if !runs().any(|run| run.len() >= LEAST_RUN) {
        return None;
    }
    let mut data = String::new();
    for run in runs() {
        match run {
            [sample, ..] if run.len() >= LEAST_RUN => {
                append(&mut data, format_args!(" @{} {}", run.len(), Sample(*sample)));
            }
            run => data.push_str(&plain(run)),
        }
    }
    Some(data)
}

/// A line a sample, a column a channel, with tabs between (operators §12).
pub(super) fn chan(clip: &Clip) -> String {
    let mut text = String::new();
    rows(&mut text, clip, '\t');
    text
}

/// The same with commas, and the names in front.
pub(super) fn csv(clip: &Clip) -> String {
    let mut text = String::new();
    for (index, name) in clip.names().iter().enumerate() {
        let comma = if index == 0 { "" } else { "," };
        if name.is_empty() || name.contains([',', '"', '\n', '\r']) || name.trim() != name {
            append(&mut text, format_args!("{comma}\"{}\"", name.replace('"', "\"\"")));
        } else {
            append(&mut text, format_args!("{comma}{name}"));
        }
    }
    text.push('\n');
    rows(&mut text, clip, ',');
    text
}

fn rows(text: &mut String, clip: &Clip, between: char) {
    for sample in 0..clip.len_samples() {
        for channel in 0..clip.num_channels() {
            if channel > 0 {
                text.push(between);
            }
            let value = clip.channel(channel).and_then(|samples| samples.get(sample)).copied();
            append(text, format_args!("{}", Sample(value.unwrap_or_default())));
        }
        text.push('\n');
    }
}
