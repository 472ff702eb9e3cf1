//! Columns of Parquet (`.parquet`), as pandas, Polars and databases read them: a column a channel, a row a sample.
//!
//! Written are 32-bit floats without gaps, about a million samples a row group, and beside them, as metadata, the sample rate
//! (`tdshm.sample_rate`, in Hz) and the index of the first sample (`tdshm.start`).
//!
//! Read are columns of floats, integers and truth values, of which the numbers become 32-bit floats and what is missing NaN.
//! Columns of anything else, times and decimals among them, are left out, and told. A file of another program does not say
//! its rate: the caller gives it.

use std::collections::HashSet;
use std::fmt::Display;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};
use std::sync::Arc;

use ::parquet::basic::{Compression, ConvertedType, LogicalType, Repetition, Type as Physical};
use ::parquet::column::reader::{ColumnReader, ColumnReaderImpl, get_column_reader};
use ::parquet::data_type::{DataType, FloatType};
use ::parquet::errors::ParquetError as Broken;
use ::parquet::file::metadata::KeyValue;
use ::parquet::file::properties::WriterProperties;
use ::parquet::file::reader::{ChunkReader, FileReader, Length, SerializedFileReader};
use ::parquet::file::writer::SerializedFileWriter;
use ::parquet::schema::types::{ColumnDescriptor, Type};
use bytes::Bytes;

use self::pages::{Checked, caught};
use crate::cell::shown;
use crate::error::ParquetError;
use crate::file::flat::Flat;
use crate::file::writer::Trouble;
use crate::file::{Layout, Lost};

mod pages;

/// Where the sample rate stands, in Hz.
pub const RATE_KEY: &str = "tdshm.sample_rate";
/// Where the index of the first sample stands.
pub const START_KEY: &str = "tdshm.start";

/// Samples of all channels in a row group: what is kept in memory while one is written.
const GROUP_SAMPLES: usize = 1 << 20;
/// Columns that are told when they are left out.
const MOST_TOLD: usize = 5;

/// A file, of which no more is ever asked than there is.
#[derive(Debug)]
struct Bounded {
    file: File,
    size: u64,
}

impl Length for Bounded {
    fn len(&self) -> u64 {
        self.size
    }
}

impl ChunkReader for Bounded {
    type T = BufReader<File>;

    fn get_read(&self, start: u64) -> ::parquet::errors::Result<Self::T> {
        let mut file = self.file.try_clone()?;
        file.seek(SeekFrom::Start(start))?;
        Ok(BufReader::new(file))
    }

    fn get_bytes(&self, start: u64, length: usize) -> ::parquet::errors::Result<Bytes> {
        let end = u64::try_from(length).ok().and_then(|length| start.checked_add(length));
        if end.is_none_or(|end| end > self.size) {
            return Err(Broken::EOF(format!("{length} bytes at {start} in a file of {}", self.size)));
        }
        let mut bytes = vec![0; length];
        let mut file = self.file.try_clone()?;
        file.seek(SeekFrom::Start(start))?;
        file.read_exact(&mut bytes)?;
        Ok(bytes.into())
    }
}

/// A file that is read piece by piece.
pub(super) struct Reader {
    file: SerializedFileReader<Bounded>,
    layout: Layout,
    /// The columns that are channels.
    columns: Vec<Numbers>,
    /// The row group that is read, and how many of its rows are left.
    group: usize,
    left: usize,
    readers: Vec<ColumnReader>,
}

/// A column of numbers.
#[derive(Clone, Copy, Debug)]
struct Numbers {
    index: usize,
    optional: bool,
    unsigned: bool,
}

impl Reader {
    /// Reads all but the columns. `assumed_rate` is for files that do not say.
    pub(super) fn new(file: File, assumed_rate: f64) -> Result<Self, ParquetError> {
        caught(|| Self::of(file, assumed_rate))
    }

    fn of(file: File, assumed_rate: f64) -> Result<Self, ParquetError> {
        let size = file.metadata()?.len();
        let file = SerializedFileReader::new(Bounded { file, size }).map_err(broken)?;
        let metadata = file.metadata().file_metadata();
        let (mut columns, mut names, mut left_out, mut wide) = (Vec::new(), Vec::new(), Vec::new(), false);
        for (index, column) in metadata.schema_descr().columns().iter().enumerate() {
            match numbers(index, column) {
                Ok(numbers) => {
                    columns.push(numbers);
                    names.push(column.name().to_owned());
                    wide |= !matches!(column.physical_type(), Physical::FLOAT | Physical::BOOLEAN);
                }
                Err(what) => left_out.push(format!("{:?} ({what})", shown(column.name().as_bytes()))),
            }
        }
        let listed = match left_out.split_at_checked(MOST_TOLD) {
            Some((first, rest @ [_, ..])) => format!("{} and {} more", first.join(", "), rest.len()),
            _ => left_out.join(", "),
        };
        if columns.is_empty() {
            let columns = if listed.is_empty() { "there is none".to_owned() } else { listed };
            return Err(ParquetError::NoNumbers { columns });
        }
        let lost = (!listed.is_empty())
            .then(|| Lost::LeftOut { what: format!("columns without plain numbers are left out: {listed}") });
        let wide = wide.then_some(Lost::Precision { was: "64-bit numbers or integers" });

        let said = metadata.key_value_metadata().map_or(&[][..], Vec::as_slice);
        let said = |key: &str| {
            let entry = said.iter().find(|entry| entry.key == key)?;
            Some(entry.value.clone().unwrap_or_default())
        };
        let rate = said(RATE_KEY)
            .map(|text| match text.parse::<f64>() {
                Ok(rate) if (rate as f32) > 0.0 && (rate as f32).is_finite() => Ok(rate),
                _ => Err(metadata_error(RATE_KEY, &text, "a number of samples a second")),
            })
            .transpose()?;
        let start = said(START_KEY)
            .map(|text| text.parse().map_err(|_| metadata_error(START_KEY, &text, "the index of a sample")))
            .transpose()?;
        let mut layout = Layout::new(names, rate.unwrap_or(assumed_rate))?.with_start(start.unwrap_or(0));
        if rate.is_none() {
            layout = layout.with_assumed_rate();
        }
        let mut rows = file.metadata().row_groups().iter().map(|group| u64::try_from(group.num_rows()));
        let rows = rows.try_fold(0_u64, |all, rows| rows.ok().and_then(|rows| all.checked_add(rows)));
        let rows = rows.ok_or_else(|| reason("a row group has fewer than no rows"))?;
        let layout = layout.with_len_samples(rows).with_lost(lost.into_iter().chain(wide));
        Ok(Self { file, layout, columns, group: 0, left: 0, readers: Vec::new() })
    }

    pub(super) fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Reads the next rows, about `most` samples of all channels together, and gives how many: 0 at the end.
    pub(super) fn read(&mut self, flat: &mut Vec<f32>, most: usize) -> Result<usize, ParquetError> {
        caught(|| self.read_rows(flat, most))
    }

    fn read_rows(&mut self, flat: &mut Vec<f32>, most: usize) -> Result<usize, ParquetError> {
        flat.clear();
        while self.left == 0 {
            if !self.next_group()? {
                return Ok(0);
            }
        }
        let rows = most.checked_div(self.columns.len()).unwrap_or(0).max(1).min(self.left);
        for (numbers, reader) in self.columns.iter().zip(&mut self.readers) {
            let unsigned = numbers.unsigned;
            let to = Rows { flat, rows, optional: numbers.optional };
            match reader {
                ColumnReader::FloatColumnReader(reader) => to.read(reader, |v| v),
                ColumnReader::DoubleColumnReader(reader) => {
                    let mut beyond = None;
                    let read = to.read(reader, |v| {
                        let number = v as f32;
                        beyond = beyond.or((number.is_infinite() && v.is_finite()).then_some(v));
                        number
                    });
                    match beyond {
                        Some(v) => {
                            Err(reason(&format!("{v:e} is beyond the limit of 32-bit numbers, 3.4e38")))
                        }
                        None => read,
                    }
                }
                ColumnReader::Int32ColumnReader(reader) if unsigned => {
                    to.read(reader, |v| v.cast_unsigned() as f32)
                }
                ColumnReader::Int32ColumnReader(reader) => to.read(reader, |v| v as f32),
                ColumnReader::Int64ColumnReader(reader) if unsigned => {
                    to.read(reader, |v| v.cast_unsigned() as f32)
                }
                ColumnReader::Int64ColumnReader(reader) => to.read(reader, |v| v as f32),
                ColumnReader::BoolColumnReader(reader) => to.read(reader, |v| if v { 1.0 } else { 0.0 }),
                _ => Err(reason("a column is of another type than the file says")),
            }?;
        }
        self.left = self.left.saturating_sub(rows);
        Ok(rows)
    }

    /// Goes to the next row group; `false` at the end.
    fn next_group(&mut self) -> Result<bool, ParquetError> {
        if self.group >= self.file.num_row_groups() {
            return Ok(false);
        }
        let group = self.file.get_row_group(self.group).map_err(broken)?;
        self.left = usize::try_from(group.metadata().num_rows()).unwrap_or(0);
        self.readers.clear();
        for numbers in &self.columns {
            let column = group.metadata().columns().get(numbers.index);
            let column = column.ok_or_else(|| reason("a row group has too few columns"))?;
            if !matches!(column.compression(), Compression::UNCOMPRESSED | Compression::SNAPPY) {
                return Err(ParquetError::Compression {
                    column: shown(column.column_descr().name().as_bytes()),
                    found: column.compression().to_string(),
                });
            }
            let offsets = [column.data_page_offset(), column.compressed_size()];
            if offsets.into_iter().chain(column.dictionary_page_offset()).any(i64::is_negative) {
                return Err(reason("a column begins before the file"));
            }
            let pages = group.get_column_page_reader(numbers.index).map_err(broken)?;
            let pages = Checked::new(pages);
            self.readers.push(get_column_reader(column.column_descr_ptr(), Box::new(pages)));
        }
        self.group = self.group.saturating_add(1);
        Ok(true)
    }
}

impl std::fmt::Debug for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reader").field("layout", &self.layout).finish_non_exhaustive()
    }
}

/// Where the next rows of a column go.
struct Rows<'f> {
    flat: &'f mut Vec<f32>,
    rows: usize,
    optional: bool,
}

impl Rows<'_> {
    fn read<T: DataType>(
        self,
        reader: &mut ColumnReaderImpl<T>,
        to_f32: impl FnMut(T::T) -> f32,
    ) -> Result<(), ParquetError> {
        let (mut values, mut levels, mut found) = (Vec::new(), Vec::new(), 0);
        while found < self.rows {
            let most = self.rows.saturating_sub(found);
            let levels = self.optional.then_some(&mut levels);
            let (rows, _, _) = reader.read_records(most, levels, None, &mut values).map_err(broken)?;
            if rows == 0 {
                return Err(reason("a column has fewer rows than its row group"));
            }
            found = found.saturating_add(rows);
        }
        let mut values = values.into_iter().map(to_f32);
        if self.optional {
            // What is missing has a level, and no value.
            self.flat.extend(levels.iter().take(self.rows).map(|level| match level {
                0 => f32::NAN,
                _ => values.next().unwrap_or(f32::NAN),
            }));
            if levels.len() == self.rows {
                Ok(())
            } else {
                Err(reason("a column has other rows than its row group"))
            }
        } else {
            let before = self.flat.len();
            self.flat.extend(values.take(self.rows));
            let taken = self.flat.len().saturating_sub(before);
            if taken == self.rows {
                Ok(())
            } else {
                Err(reason("a column has other rows than its row group"))
            }
        }
    }
}

/// A column that can be a channel, or what it holds.
fn numbers(index: usize, column: &ColumnDescriptor) -> Result<Numbers, &'static str> {
    if column.max_rep_level() > 0 || column.max_def_level() > 1 || column.path().parts().len() != 1 {
        return Err("nested");
    }
    let signed =
        |signed: bool| Ok(Numbers { index, optional: column.max_def_level() > 0, unsigned: !signed });
    match (column.logical_type_ref(), column.converted_type(), column.physical_type()) {
        (_, _, Physical::FLOAT | Physical::DOUBLE | Physical::BOOLEAN) => signed(true),
        (Some(LogicalType::Integer(integer)), _, Physical::INT32 | Physical::INT64) => {
            signed(integer.is_signed)
        }
        (Some(LogicalType::Timestamp { .. } | LogicalType::Date | LogicalType::Time { .. }), ..) => {
            Err("times")
        }
        (Some(LogicalType::Decimal { .. }), ..) => Err("decimals"),
        (None, ConvertedType::NONE, Physical::INT32 | Physical::INT64) => signed(true),
        (
            None,
            ConvertedType::INT_8 | ConvertedType::INT_16 | ConvertedType::INT_32 | ConvertedType::INT_64,
            _,
        ) => signed(true),
        (
            None,
            ConvertedType::UINT_8 | ConvertedType::UINT_16 | ConvertedType::UINT_32 | ConvertedType::UINT_64,
            _,
        ) => signed(false),
        (_, _, Physical::BYTE_ARRAY) => Err("text"),
        _ => Err("no plain numbers"),
    }
}

fn metadata_error(key: &'static str, value: &str, expected: &'static str) -> ParquetError {
    ParquetError::Metadata { key, value: shown(value.as_bytes()), expected }
}

fn reason(reason: &str) -> ParquetError {
    ParquetError::Broken { reason: reason.to_owned() }
}

/// What the reader says of a file, on one line.
fn broken(error: impl Display) -> ParquetError {
    let text = error.to_string();
    ParquetError::Broken { reason: text.lines().next().unwrap_or_default().trim_end_matches('.').to_owned() }
}

/// How the columns are called: readers take each name for one column.
pub(super) fn names(names: &[String]) -> (Vec<String>, Option<Lost>) {
    let all: HashSet<&str> = names.iter().map(String::as_str).collect();
    let mut taken: HashSet<String> = HashSet::new();
    let mut written = Vec::with_capacity(names.len());
    for (number, name) in (1_u64..).zip(names) {
        let name = if name.is_empty() { format!("chan{number}") } else { name.clone() };
        let mut unique = name.clone();
        let mut count = 2_u64;
        while taken.contains(&unique) || (unique != name && all.contains(unique.as_str())) {
            unique = format!("{name}_{count}");
            count = count.saturating_add(1);
        }
        taken.insert(unique.clone());
        written.push(unique);
    }
    let lost = Lost::renamed(".parquet", names, &written, "each column has a name of its own");
    (written, lost)
}

/// A file in the making.
pub(super) struct Writer<W: Write + Send> {
    file: SerializedFileWriter<W>,
    channels: Vec<Vec<f32>>,
    group_rows: usize,
}

impl<W: Write + Send> Writer<W> {
    pub(super) fn new(to: W, layout: &Layout, names: &[String]) -> Result<Self, Trouble> {
        let columns = names.iter().map(|name| {
            let column = Type::primitive_type_builder(name, Physical::FLOAT);
            column.with_repetition(Repetition::REQUIRED).build().map(Arc::new)
        });
        let columns: Vec<_> = columns.collect::<Result<_, _>>().map_err(trouble)?;
        let schema = Type::group_type_builder("schema").with_fields(columns).build().map_err(trouble)?;
        let says = |key: &str, value: String| KeyValue::new(key.to_owned(), value);
        // A rate that nobody knows is better not said.
        let rate = (!layout.rate_is_assumed()).then(|| says(RATE_KEY, layout.sample_rate().to_string()));
        let start = says(START_KEY, layout.start().to_string());
        let properties = WriterProperties::builder()
            .set_created_by(concat!("tdshm version ", env!("CARGO_PKG_VERSION")).to_owned())
            .set_key_value_metadata(Some(rate.into_iter().chain([start]).collect()))
            .build();
        let file = SerializedFileWriter::new(to, Arc::new(schema), Arc::new(properties)).map_err(trouble)?;
        let group_rows = GROUP_SAMPLES.checked_div(names.len()).unwrap_or(0).max(1);
        Ok(Self { file, channels: vec![Vec::new(); names.len()], group_rows })
    }

    pub(super) fn write(&mut self, samples: Flat<'_>) -> Result<(), Trouble> {
        for (to, from) in self.channels.iter_mut().zip(samples.channels()) {
            to.extend_from_slice(from);
        }
        let full = self.channels.first().is_some_and(|channel| channel.len() >= self.group_rows);
        if full { self.write_group() } else { Ok(()) }
    }

    fn write_group(&mut self) -> Result<(), Trouble> {
        let mut group = self.file.next_row_group().map_err(trouble)?;
        for channel in &mut self.channels {
            let Some(mut column) = group.next_column().map_err(trouble)? else { break };
            column.typed::<FloatType>().write_batch(channel, None, None).map_err(trouble)?;
            column.close().map_err(trouble)?;
            channel.clear();
        }
        group.close().map_err(trouble)?;
        Ok(())
    }

    pub(super) fn finish(mut self) -> Result<(), Trouble> {
        if self.channels.first().is_some_and(|channel| !channel.is_empty()) {
            self.write_group()?;
        }
        self.file.finish().map_err(trouble)?;
        Ok(self.file.inner_mut().flush()?)
    }
}

/// What the system said, where it did.
fn trouble(error: Broken) -> Trouble {
    match error {
        Broken::External(source) => match source.downcast::<io::Error>() {
            Ok(error) => Trouble::Io(*error),
            Err(source) => Trouble::Io(io::Error::other(source)),
        },
        error => Trouble::Io(io::Error::other(error)),
    }
}
