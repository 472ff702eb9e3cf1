//! What an operator puts out, into files: TD's `CHOP.save` and `TOP.save` (operators §10.4, §10.6, §12).

use std::fs;
use std::path::{Path, PathBuf};

use tdshm_ops::clip::{Clip, Extend};
use tdshm_ops::image::Image;
use tdshm_ops::{Family, Op};

use crate::error::{FileError, PictureError, SaveError};
use crate::file::{ChannelWriter, Ends, Existing, Format, Layout};
use crate::{Loss, Picture};

/// What becomes of folders that are not there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Folders {
    /// They must be there: a path that is misspelt is told.
    #[default]
    MustExist,
    /// They are made.
    Create,
}

/// Saves what an operator puts out, in the format that the extension of `path` names, and gives the path. The operator is
/// asked to cook first. A relative path begins in the working directory. Whatever there was is replaced, and only once the
/// whole file has been made.
///
/// | extension | of a CHOP |
/// | --- | --- |
/// | `.clip` | names, samples, start, rate and extend conditions as text, to the last bit |
/// | `.chan` | samples as text: a line a sample, a column a channel, no names and no rate |
/// | `.csv` | as `.chan`, with a row of names in front and commas between |
/// | `.aiff`, `.wav` | a track a channel, as 32-bit floats; no names. The rate of a `.wav` is a whole number |
/// | `.parquet` (feature `parquet`) | a column a channel, with rate and start beside them |
///
/// A TOP becomes a `.png`, `.jpg` or `.exr` as with [`Picture::save`], cut to what the file holds. `.bchan` and `.bclip` are
/// described nowhere in public, and refused by name.
///
/// # Errors
///
/// [`SaveError`]: another extension, no data, a rate or a size that the format does not hold, or a system that refuses.
/// What there was at `path` stays.
///
/// # Source
///
/// operators §12: `.clip` after measured files, `.chan`, `.aiff` and `.wav` documented; `.csv` is ours.
///
/// ```
/// use tdshm_io::op::{Folders, save};
/// use tdshm_ops::Network;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let net = Network::new();
/// let wave = net.root().create("waveCHOP", "wave1")?;
/// # let folder = tempfile::tempdir()?;
/// # let takes = folder.path().join("takes");
/// let path = save(&wave, takes.join("wave.clip"), Folders::Create)?;
/// assert!(std::fs::read_to_string(path)?.contains("name = chan1"));
/// # Ok(())
/// # }
/// ```
pub fn save(op: &Op, path: impl AsRef<Path>, folders: Folders) -> Result<PathBuf, SaveError> {
    let path = path.as_ref();
    match op.family()? {
        Family::Chop => {
            let clip = op.clip()?;
            let format = Format::of(path)?;
            let layout = layout(&clip, format)?;
            format.check(&layout)?;
            make_folders(path, folders)?;
            let mut file = ChannelWriter::create(path, &layout, Existing::Replace)?;
            file.write(clip.samples(), clip.len_samples())?;
            file.finish()?;
        }
        Family::Top => {
            let picture = picture_of(op)?;
            make_folders(path, folders)?;
            picture.save(path, Loss::Allow)?;
        }
        _ => return Err(SaveError::NoData { op: op.path()? }),
    }
    Ok(path.to_owned())
}

/// The bytes of a picture file of what a TOP puts out, in the format of an extension such as `.png`. The TOP is asked to
/// cook first.
///
/// # Errors
///
/// As [`save`].
///
/// # Source
///
/// operators §10.6: `TOP.saveByteArray('.png')`, documented.
pub fn to_bytes(op: &Op, extension: &str) -> Result<Vec<u8>, SaveError> {
    if op.family()? != Family::Top {
        return Err(SaveError::NoData { op: op.path()? });
    }
    Ok(picture_of(op)?.to_bytes(extension, Loss::Allow)?)
}

fn make_folders(path: &Path, folders: Folders) -> Result<(), FileError> {
    match path.parent().filter(|folder| folders == Folders::Create && !folder.as_os_str().is_empty()) {
        Some(folder) => {
            fs::create_dir_all(folder).map_err(|source| FileError::Create { path: folder.to_owned(), source })
        }
        None => Ok(()),
    }
}

fn picture_of(op: &Op) -> Result<Picture, SaveError> {
    let image = op.image()?.ok_or(SaveError::NoData { op: op.path()? })?;
    Ok(picture(&image)?)
}

/// The other way up: pictures have the top row first.
fn picture(image: &Image) -> Result<Picture, PictureError> {
    let mut pixels = Vec::with_capacity(image.pixels().len());
    for row in image.pixels().chunks(image.stride().max(1)).rev() {
        pixels.extend_from_slice(row);
    }
    Picture::new(image.texels(), image.width(), image.height(), pixels)
}

fn layout(clip: &Clip, format: Format) -> Result<Layout, FileError> {
    // Whoever reads a clip takes its names for channels as they are.
    let names = if format == Format::Clip { clip.names().sanitised() } else { clip.names().clone() };
    let names: Vec<String> = names.iter().map(str::to_owned).collect();
    let extends = [clip.extend_left(), clip.extend_right()];
    let ends = if extends == [Extend::Hold; 2] {
        Vec::new()
    } else {
        let ends = Ends {
            left: Some(clip.extend_left().to_string()),
            right: Some(clip.extend_right().to_string()),
            default: extends.contains(&Extend::Default).then(|| clip.default_value()),
        };
        vec![ends; names.len()]
    };
    let len_samples = u64::try_from(clip.len_samples()).unwrap_or(u64::MAX);
    let layout = Layout::new(names, clip.rate()).map_err(|_| FileError::DoesNotFit {
        what: "the sample rate",
        value: clip.rate().to_string(),
        file: "channel",
        expected: "a number that 32 bits hold: resample it",
    })?;
    Ok(layout.with_start(clip.start()).with_ends(ends).with_len_samples(len_samples))
}

#[cfg(test)]
mod tests;
