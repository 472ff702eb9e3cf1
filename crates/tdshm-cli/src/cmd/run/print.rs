//! What operators give, each frame, on standard output.

use std::io::{self, Write};

use serde::Serialize;
use tdshm::PixelFormat;
use tdshm_ops::image::Image;
use tdshm_ops::{Family, Flag, Network, Op, OpError, ParMode, Value};

use crate::args::run::RunFormat;
use crate::output::{format_name, json, number, printable};

/// Prints the operators that patterns mean.
#[derive(Debug)]
pub(crate) struct Printer {
    patterns: Vec<String>,
    format: RunFormat,
    /// What each pattern means, without those of the patterns before.
    ops: Vec<Shown>,
    /// A pattern that means nothing.
    means_nothing: Option<String>,
    has_header: bool,
    text: Vec<u8>,
}

#[derive(Debug)]
struct Shown {
    op: Op,
    path: String,
    op_type: &'static str,
    family: Family,
}

/// A frame, for JSON.
#[derive(Serialize)]
struct Frame<'f> {
    /// The absolute frame.
    frame: u64,
    /// The timeline's.
    timeline: f64,
    ops: Vec<Printed<'f>>,
}

/// What an operator gives. Other keys than those of its family are not there.
#[derive(Serialize)]
struct Printed<'f> {
    path: &'f str,
    #[serde(rename = "type")]
    op_type: &'static str,
    #[serde(flatten)]
    gives: Gives,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Gives {
    Channels {
        sample_rate: f64,
        start: i64,
        length: usize,
        channels: Vec<Named<f32>>,
    },
    /// Null where there is none yet.
    Image {
        width: Option<usize>,
        height: Option<usize>,
        pixel_format: Option<String>,
    },
    Table {
        rows: Vec<Vec<String>>,
    },
    Parameters {
        pars: Vec<Named<Json>>,
    },
}

#[derive(Serialize)]
struct Named<V> {
    name: String,
    /// Null for what JSON has no number for.
    value: V,
}

/// A value of a parameter.
#[derive(Serialize)]
#[serde(untagged)]
enum Json {
    Nothing(()),
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
}

impl Printer {
    pub(crate) fn new(patterns: &[String], format: RunFormat) -> Self {
        Self {
            patterns: patterns.to_vec(),
            format,
            ops: Vec::new(),
            means_nothing: None,
            has_header: false,
            text: Vec::new(),
        }
    }

    /// Whether nothing is to be printed at all.
    pub(crate) fn is_quiet(&self) -> bool {
        self.patterns.is_empty()
    }

    /// A pattern that means no operator.
    pub(crate) fn means_nothing(&self) -> Option<&str> {
        self.means_nothing.as_deref()
    }

    /// Finds the operators, and has them asked every frame, as a viewer does.
    pub(crate) fn find(&mut self, net: &Network) -> Result<(), OpError> {
        self.ops.clear();
        self.means_nothing = None;
        for pattern in &self.patterns {
            let found = net.ops(pattern);
            if found.is_empty() {
                self.means_nothing = Some(pattern.clone());
            }
            for op in found {
                let (path, spec) = (op.path()?, op.spec()?);
                if path == "/" || self.ops.iter().any(|shown| shown.op == op) {
                    continue;
                }
                op.set_flag(Flag::Viewer, true)?;
                self.ops.push(Shown { op, path, op_type: spec.op_type, family: spec.family });
            }
        }
        Ok(())
    }

    /// Prints a frame.
    pub(crate) fn print(&mut self, net: &Network) -> anyhow::Result<()> {
        if self.ops.is_empty() {
            return Ok(());
        }
        let time = net.time();
        let mut ops = Vec::with_capacity(self.ops.len());
        for shown in &self.ops {
            ops.push(Printed { path: &shown.path, op_type: shown.op_type, gives: gives(shown)? });
        }
        let frame = Frame { frame: time.abs_frame, timeline: time.frame, ops };
        let mut text = std::mem::take(&mut self.text);
        text.clear();
        match self.format {
            RunFormat::Text => frame.write_text(&mut text)?,
            RunFormat::Csv => {
                if !self.has_header {
                    text.extend_from_slice(b"frame,path,name,value\n");
                }
                self.has_header = true;
                frame.write_csv(&mut text)?;
            }
            RunFormat::Json => {
                serde_json::to_writer(&mut text, &frame)?;
                text.push(b'\n');
            }
        }
        let mut out = io::stdout().lock();
        out.write_all(&text)?;
        out.flush()?;
        drop(frame);
        self.text = text;
        Ok(())
    }
}

/// What an operator gives now: as one with a viewer it was asked in this frame.
fn gives(shown: &Shown) -> Result<Gives, OpError> {
    let op = &shown.op;
    Ok(match shown.family {
        Family::Chop => {
            let clip = op.last_data()?.as_clip().cloned().unwrap_or_default();
            let values = op.last_values()?;
            let channels =
                values.into_iter().map(|(name, value)| Named { name, value: value as f32 }).collect();
            Gives::Channels {
                sample_rate: clip.rate(),
                start: clip.start(),
                length: clip.len_samples(),
                channels,
            }
        }
        Family::Top => {
            let data = op.last_data()?;
            let image = data.as_image().map(AsRef::as_ref);
            Gives::Image {
                width: image.map(Image::width),
                height: image.map(Image::height),
                pixel_format: image.map(|image| json::pixel_format(image.texels())),
            }
        }
        Family::Dat => {
            let table = op.last_data()?.as_table().cloned().unwrap_or_default();
            let rows = table.rows().map(|row| row.iter().map(ToString::to_string).collect());
            Gives::Table { rows: rows.collect() }
        }
        _ => {
            let mut pars = Vec::new();
            for par in op.pars("*")? {
                let spec = par.spec()?;
                if !spec.is_custom {
                    continue;
                }
                // What cannot be evaluated is an error of the operator, which has been told; the constant stands in.
                let value = match par.last_value()? {
                    Some(value) => value,
                    None if par.mode()? != ParMode::Constant => Value::None,
                    None => par.val()?,
                };
                pars.push(Named { name: spec.name.to_string(), value: json(op, value) });
            }
            Gives::Parameters { pars }
        }
    })
}

fn json(op: &Op, value: Value) -> Json {
    match value {
        Value::Bool(value) => Json::Bool(value),
        Value::Int(value) => Json::Int(value),
        Value::Float(value) => Json::Float(value),
        Value::Str(text) => Json::Text(text.to_string()),
        Value::Op(id) => {
            let all = op.network().ops("*");
            let path = all.iter().find(|other| other.id() == id).and_then(|other| other.path().ok());
            path.map_or(Json::Nothing(()), Json::Text)
        }
        _ => Json::Nothing(()),
    }
}

impl Json {
    fn text(&self) -> String {
        match self {
            Self::Nothing(()) => "none".to_owned(),
            Self::Bool(value) => u8::from(*value).to_string(),
            Self::Int(value) => value.to_string(),
            Self::Float(value) => value.to_string(),
            Self::Text(text) => text.clone(),
        }
    }
}

impl Gives {
    /// Names and values, as texts.
    fn values(&self) -> Vec<(String, String)> {
        let pair = |name: &str, value: String| (name.to_owned(), value);
        match self {
            Self::Channels { channels, .. } => {
                channels.iter().map(|channel| pair(&channel.name, number(channel.value))).collect()
            }
            Self::Image { width: Some(width), height: Some(height), pixel_format: Some(format) } => vec![
                pair("width", width.to_string()),
                pair("height", height.to_string()),
                pair("pixel_format", format.clone()),
            ],
            Self::Image { .. } => Vec::new(),
            Self::Table { rows } => {
                let columns = rows.first().map_or(0, Vec::len);
                vec![pair("rows", rows.len().to_string()), pair("columns", columns.to_string())]
            }
            Self::Parameters { pars } => pars.iter().map(|par| pair(&par.name, par.value.text())).collect(),
        }
    }

    /// What there is to say where there are no values.
    fn nothing(&self) -> &'static str {
        match self {
            Self::Channels { .. } => "no channels",
            Self::Image { .. } => "no image",
            Self::Table { .. } => "no table",
            Self::Parameters { .. } => "no custom parameters",
        }
    }
}

impl Frame<'_> {
    fn write_text(&self, text: &mut Vec<u8>) -> io::Result<()> {
        for op in &self.ops {
            write!(text, "{} {}", self.frame, op.path)?;
            if let Gives::Image { width: Some(width), height: Some(height), pixel_format: Some(format) } =
                &op.gives
            {
                let short = format.parse().ok().map(|format: PixelFormat| format_name(format.into()));
                writeln!(text, " {width} × {height} {}", short.as_deref().unwrap_or(format))?;
                continue;
            }
            let values = op.gives.values();
            if values.is_empty() {
                write!(text, " {}", op.gives.nothing())?;
            }
            for (name, value) in values {
                write!(text, " {}={}", printable(&name), printable(&value))?;
            }
            text.push(b'\n');
        }
        Ok(())
    }

    fn write_csv(&self, text: &mut Vec<u8>) -> io::Result<()> {
        for op in &self.ops {
            for (name, value) in op.gives.values() {
                writeln!(text, "{},{},{},{}", self.frame, op.path, cell(&name), cell(&value))?;
            }
        }
        Ok(())
    }
}

/// A cell, in quotes where it needs them.
fn cell(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}
