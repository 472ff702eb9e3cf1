//! Pictures one after the other: a folder of them, or files with numbers in their names.

use std::fs;
use std::io;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use crate::error::{FileError, PictureError};
use crate::file::picture::{self, is_picture, known_extensions, name, natural};

/// Digits of a number in the name of a picture, where nothing says how many.
const DIGITS: usize = 4;
/// Gaps between numbers that are told.
const MOST_GAPS: usize = 4;

/// Where pictures are, or will be.
///
/// | path | read | written |
/// | --- | --- | --- |
/// | a folder, or a name without an extension | the pictures in it, in natural order ([`picture::folder`]) | `0001.png`, `0002.png`, … in it |
/// | `shot.%04d.png`, `shot.####.png` | the files with a number there, by their numbers | the same, from 1 on, with as many digits at least |
/// | `shot.%d.png` | the same, with any number of digits | without zeros in front |
/// | `shot.png` | that picture | that picture, or `shot0001.png`, `shot0002.png`, … where there are several |
///
/// ```
/// use tdshm_io::file::sequence::Sequence;
///
/// let shot = Sequence::at("takes/shot.####.png");
/// assert_eq!(shot.path_of(12), std::path::Path::new("takes/shot.0012.png"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sequence {
    path: PathBuf,
    naming: Naming,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Naming {
    Folder,
    /// Files of the folder, with a number of at least so many digits between two texts; 0: no zeros in front.
    Numbers {
        folder: PathBuf,
        before: String,
        digits: usize,
        after: String,
    },
    /// One picture, and what several of them would be called.
    One {
        folder: PathBuf,
        before: String,
        after: String,
    },
}

/// The pictures of a sequence with their numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Numbered {
    /// Each with its number, in their order. No number is there twice.
    pub files: Vec<(u64, PathBuf)>,
    /// The numbers are those in the names; elsewhere pictures are counted from 1.
    pub by_name: bool,
    /// Numbers that no name has between the first and the last, where the names are the same but for them.
    pub missing: Vec<RangeInclusive<u64>>,
}

impl Numbered {
    /// The numbers that are missing, for people to read; `None`: there are none.
    #[must_use]
    pub fn missing_words(&self) -> Option<String> {
        let (shown, more) = self.missing.split_at_checked(MOST_GAPS).unwrap_or((&self.missing, &[]));
        let one = |gap: &RangeInclusive<u64>| match (gap.start(), gap.end()) {
            (first, last) if first == last => first.to_string(),
            (first, last) => format!("{first} to {last}"),
        };
        let words: Vec<String> = shown.iter().map(one).collect();
        let more = if more.is_empty() { String::new() } else { format!(" and {} more gaps", more.len()) };
        (!words.is_empty()).then(|| format!("{}{more}", words.join(", ")))
    }
}

/// Whether that path is one of pictures: a folder, a name without an extension that nothing has yet, or one with the
/// extension of pictures.
#[must_use]
pub fn is_of_pictures(path: impl AsRef<Path>) -> bool {
    let path = path.as_ref();
    is_folder(path) || is_picture(path)
}

/// Whether the extension of that path is one of pictures.
#[must_use]
pub fn holds_pictures(path: impl AsRef<Path>) -> bool {
    is_picture(path.as_ref())
}

fn is_folder(path: &Path) -> bool {
    path.is_dir() || path.extension().is_none() && !path.exists()
}

impl Sequence {
    /// The pictures at `path`. Nothing is looked for yet, but whether it is a folder.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        let file = name(&path);
        let folder = path.parent().map(Path::to_owned).unwrap_or_default();
        let naming = if is_folder(&path) {
            Naming::Folder
        } else if let Some((before, digits, after)) = numbers(&file) {
            Naming::Numbers { folder, before: before.to_owned(), digits, after: after.to_owned() }
        } else {
            let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let after = file.strip_prefix(&stem).unwrap_or_default().to_owned();
            Naming::One { folder, before: stem, after }
        };
        Self { path, naming }
    }

    /// Whether it names one picture, and no more.
    #[must_use]
    pub fn is_one(&self) -> bool {
        matches!(self.naming, Naming::One { .. })
    }

    /// The path as it was given.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The pictures that are there, in their order.
    ///
    /// # Errors
    ///
    /// [`FileError::Open`] when the folder cannot be read, or the one picture is not there, and [`FileError::Picture`] where
    /// there is none.
    pub fn files(&self) -> Result<Vec<PathBuf>, FileError> {
        match &self.naming {
            Naming::Folder => picture::folder(&self.path),
            Naming::One { .. } => match self.path.metadata() {
                Ok(_) => Ok(vec![self.path.clone()]),
                Err(source) => Err(FileError::Open { path: self.path.clone(), source }),
            },
            Naming::Numbers { folder, .. } => {
                let found = self.with_numbers().map_err(|source| FileError::Open {
                    path: if folder.as_os_str().is_empty() { PathBuf::from(".") } else { folder.clone() },
                    source,
                })?;
                if found.is_empty() {
                    let source = PictureError::NoPictures { known: known_extensions() };
                    return Err(FileError::Picture { path: self.path.clone(), source });
                }
                Ok(found)
            }
        }
    }

    /// The pictures that are there, with their numbers: of `shot.####.png` those in the names, which say when a picture is
    /// to be seen. In folders, where names may be any, pictures are counted from 1; so are several of the same number.
    ///
    /// # Errors
    ///
    /// As [`files`](Self::files).
    pub fn numbered(&self) -> Result<Numbered, FileError> {
        let files = self.files()?;
        let names: Vec<String> = files.iter().map(|file| name(file)).collect();
        let numbers = match &self.naming {
            Naming::Numbers { before, after, .. } => in_names(&names, before, after),
            Naming::One { .. } => None,
            Naming::Folder => names.first().and_then(|first| {
                let end = first.rfind(|c: char| c.is_ascii_digit())?.saturating_add(1);
                let (numbered, after) = first.split_at_checked(end)?;
                in_names(&names, numbered.trim_end_matches(|c: char| c.is_ascii_digit()), after)
            }),
        };
        let ends = |pair: &[u64]| Some((pair.first()?.checked_add(1)?, pair.last()?.checked_sub(1)?));
        let gaps = numbers.iter().flat_map(|numbers| numbers.windows(2)).filter_map(ends);
        let missing = gaps.filter(|(first, last)| first <= last).map(|(first, last)| first..=last).collect();
        let own = numbers.filter(|_| matches!(self.naming, Naming::Numbers { .. }));
        let by_name = own.is_some();
        let files = match own {
            Some(numbers) => numbers.into_iter().zip(files).collect(),
            None => (1..).zip(files).collect(),
        };
        Ok(Numbered { files, by_name, missing })
    }

    /// Files that stand where pictures of this sequence would be written, in their order: those of another take, which
    /// would be mixed up with the new ones. None where the folder is not there.
    ///
    /// # Errors
    ///
    /// [`FileError::Open`] when the folder cannot be read.
    pub fn in_the_way(&self) -> Result<Vec<PathBuf>, FileError> {
        match (&self.naming, self.files()) {
            (_, Ok(mut files)) => {
                if self.is_one() {
                    files.extend(self.with_numbers().unwrap_or_default());
                }
                Ok(files)
            }
            (Naming::One { .. }, Err(_)) => Ok(self.with_numbers().unwrap_or_default()),
            (_, Err(FileError::Picture { .. })) => Ok(Vec::new()),
            (_, Err(FileError::Open { source, .. })) if source.kind() == io::ErrorKind::NotFound => {
                Ok(Vec::new())
            }
            (_, Err(error)) => Err(error),
        }
    }

    /// Where the picture of that number is written, in a sequence of several.
    #[must_use]
    pub fn path_of(&self, number: u64) -> PathBuf {
        match &self.naming {
            Naming::Folder => self.path.join(format!("{number:0DIGITS$}.png")),
            Naming::Numbers { folder, before, digits, after } => {
                folder.join(format!("{before}{number:0digits$}{after}"))
            }
            Naming::One { folder, before, after } => folder.join(format!("{before}{number:0DIGITS$}{after}")),
        }
    }

    /// The folder that pictures are written into.
    #[must_use]
    pub fn folder(&self) -> &Path {
        match &self.naming {
            Naming::Folder => &self.path,
            Naming::Numbers { folder, .. } | Naming::One { folder, .. } => folder,
        }
    }

    /// The files of the folder with a number between the two texts, by their numbers.
    fn with_numbers(&self) -> io::Result<Vec<PathBuf>> {
        let (before, digits, after) = match &self.naming {
            Naming::Folder => return Ok(Vec::new()),
            Naming::Numbers { before, digits, after, .. } => (before, *digits, after),
            Naming::One { before, after, .. } => (before, DIGITS, after),
        };
        let folder = self.folder();
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        let mut found = Vec::new();
        for entry in fs::read_dir(folder)? {
            let file = name(&entry?.path());
            let number =
                file.strip_prefix(before.as_str()).and_then(|rest| rest.strip_suffix(after.as_str()));
            let fits = |number: &&str| {
                let longer = number.len() > digits && (digits == 0 || !number.starts_with('0'));
                (number.len() == digits || longer) && number.bytes().all(|byte| byte.is_ascii_digit())
            };
            if number.filter(fits).is_some() {
                found.push(file);
            }
        }
        found.sort_by(|a, b| natural::compare(a, b));
        Ok(found.into_iter().map(|file| self.folder().join(file)).collect())
    }
}

/// The numbers between the two texts, where each name has one and each is larger than the one before.
fn in_names(names: &[String], before: &str, after: &str) -> Option<Vec<u64>> {
    let number = |name: &String| name.strip_prefix(before)?.strip_suffix(after)?.parse().ok();
    let numbers: Vec<u64> = names.iter().map(number).collect::<Option<_>>()?;
    numbers.is_sorted_by(|one, next| one < next).then_some(numbers)
}

/// The text before a number, how many digits it has at least, and the text behind: of the last `%d`, `%04d` or `####`.
fn numbers(file: &str) -> Option<(&str, usize, &str)> {
    let percent = file.rmatch_indices('%').find_map(|(at, _)| {
        let (before, rest) = (file.get(..at)?, file.get(at.saturating_add(1)..)?);
        let (width, after) = rest.split_once('d')?;
        let digits = match width {
            "" => 0,
            // More would be no number any more.
            width => width.strip_prefix('0')?.parse().ok().filter(|digits| (1..=18).contains(digits))?,
        };
        Some((before, digits, after))
    });
    percent.or_else(|| {
        let end = file.rfind('#')?.saturating_add(1);
        let marked = file.get(..end)?;
        let before = marked.trim_end_matches('#');
        Some((before, marked.len().saturating_sub(before.len()).min(18), file.get(end..)?))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(sequence: &Sequence, folder: &Path) -> Vec<String> {
        let files = sequence.files().unwrap();
        files.iter().map(|file| file.strip_prefix(folder).unwrap().to_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn names_say_where_the_number_is() {
        assert_eq!(numbers("a.%04d.png"), Some(("a.", 4, ".png")));
        assert_eq!(numbers("a%d.png"), Some(("a", 0, ".png")));
        assert_eq!(numbers("a.###.png"), Some(("a.", 3, ".png")));
        assert_eq!(numbers("v##.####.png"), Some(("v##.", 4, ".png")));
        for none in ["a.png", "100%.png", "a%4d.png", "a%0d.png", "a%099d.png", "50% done.png"] {
            assert_eq!(numbers(none), None, "{none}");
        }
    }

    #[test]
    fn files_are_found_by_their_numbers() {
        let folder = tempfile::tempdir().unwrap();
        for file in [
            "a.0001.png",
            "a.0010.png",
            "a.0002.png",
            "a.10000.png",
            "a.00003.png",
            "a.x.png",
            "b.0001.png",
            "c7.png",
            "c07.png",
        ] {
            fs::write(folder.path().join(file), "").unwrap();
        }
        let at = |name: &str| Sequence::at(folder.path().join(name));
        let four = ["a.0001.png", "a.0002.png", "a.0010.png", "a.10000.png"];
        assert_eq!(files(&at("a.%04d.png"), folder.path()), four);
        assert_eq!(files(&at("a.####.png"), folder.path()), four);
        assert_eq!(files(&at("c%d.png"), folder.path()).len(), 2);
        assert_eq!(files(&at("c7.png"), folder.path()), ["c7.png"]);
        assert_eq!(files(&at(""), folder.path()).len(), 9);
        assert!(matches!(at("none.%d.png").files(), Err(FileError::Picture { .. })));
        assert!(matches!(at("none.png").files(), Err(FileError::Open { .. })));
        assert!(matches!(at("none/%d.png").files(), Err(FileError::Open { .. })));
    }

    #[test]
    fn numbers_and_what_is_missing_between_them() {
        let folder = tempfile::tempdir().unwrap();
        for file in
            ["in/a.0998.png", "in/a.1001.png", "in/a.1002.png", "in/a.1004.png", "two/c7.png", "two/c07.png"]
        {
            let file = folder.path().join(file);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, "").unwrap();
        }
        let of = |name: &str| {
            let found = Sequence::at(folder.path().join(name)).numbered().unwrap();
            let numbers: Vec<u64> = found.files.iter().map(|(number, _)| *number).collect();
            (numbers, found.by_name, found.missing_words())
        };
        let missing = Some("999 to 1000, 1003".to_owned());
        assert_eq!(of("in/a.####.png"), (vec![998, 1001, 1002, 1004], true, missing.clone()));
        assert_eq!(of("in"), (vec![1, 2, 3, 4], false, missing));
        assert_eq!(of("in/a.1004.png"), (vec![1], false, None));
        assert_eq!(of("two/c%d.png"), (vec![1, 2], false, None), "both are 7");
        fs::write(folder.path().join("in/other.png"), "").unwrap();
        assert_eq!(of("in"), (vec![1, 2, 3, 4, 5], false, None), "of another name");
        let many = Numbered { files: Vec::new(), by_name: true, missing: (0..9).map(|n| n..=n).collect() };
        assert_eq!(many.missing_words().unwrap(), "0, 1, 2, 3 and 5 more gaps");
    }

    #[test]
    fn what_is_written_has_numbers_from_the_pattern() {
        let of = |path: &str| Sequence::at(path).path_of(7);
        assert_eq!(of("x/a.%02d.png"), Path::new("x/a.07.png"));
        assert_eq!(of("a%d.png"), Path::new("a7.png"));
        assert_eq!(of("x/a.png"), Path::new("x/a0007.png"));
        assert_eq!(of("x/frames"), Path::new("x/frames/0007.png"));
        assert_eq!(Sequence::at("a.#.png").path_of(u64::MAX), Path::new("a.18446744073709551615.png"));
    }

    #[test]
    fn what_is_in_the_way_is_another_take() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| Sequence::at(folder.path().join(name)).in_the_way().unwrap().len();
        assert_eq!([at("a.png"), at("frames"), at("a.%d.png"), at("no/a.%d.png")], [0; 4]);
        for file in ["a.png", "a0001.png", "a.7.png"] {
            fs::write(folder.path().join(file), "").unwrap();
        }
        assert_eq!([at("a.png"), at(""), at("a.%d.png"), at("b.png")], [2, 3, 1, 0]);
    }
}
