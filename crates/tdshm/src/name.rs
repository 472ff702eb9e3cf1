//! Short names, and the names of the kernel objects made from them (wire §1).
//!
//! A user types one short name, `mocap`; four objects follow from it. The info segment's prefix is
//! doubled because the info segment is itself such a segment, whose short name is the full name of the
//! data segment.

use core::fmt;

use crate::error::NameError;
use crate::wire::info::Postfix;

/// What every object name begins with (wire §1, seen).
pub(crate) const PREFIX: &str = "TouchSHM";
/// What the name of an info segment ends with (wire §1, seen).
pub(crate) const INFO_SUFFIX: &str = "4jhd783h";
/// What the name of a lock ends with (wire §1, seen).
pub(crate) const LOCK_SUFFIX: &str = "Mutex";
/// The longest object name that Linux takes, without the leading slash (wire §1, ours).
const LONGEST_OBJECT_NAME: usize = 255;

/// The name a user types, checked: `Shared Mem Name` in TouchDesigner.
///
/// 1 to 216 bytes of UTF-8 on Linux, without `/` and NUL: the data segment's name after a resize is 39
/// bytes longer than the short name and has to fit in 255.
///
/// # Source
///
/// wire §1.
///
/// ```
/// use tdshm::ShortName;
///
/// let name = ShortName::new("cam1")?;
/// assert_eq!(name.data_segment(), "TouchSHMcam1");
/// assert_eq!(name.info_lock(), "TouchSHMTouchSHMcam14jhd783hMutex");
/// assert!(ShortName::new("a/b").is_err());
/// # Ok::<(), tdshm::NameError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[doc(alias = "Shared Mem Name")]
pub struct ShortName(String);

impl ShortName {
    /// Checks a short name.
    ///
    /// # Errors
    ///
    /// [`NameError`]: empty, holds `/` or NUL, or too long for the longest name derived from it. Retrying
    /// does not help; nothing was created.
    pub fn new(name: &str) -> Result<Self, NameError> {
        if name.is_empty() {
            return Err(NameError::Empty);
        }
        if let Some(found) = name.chars().find(|c| matches!(c, '/' | '\0')) {
            return Err(NameError::Character { name: name.to_owned(), found });
        }
        let longest = PREFIX.len().saturating_add(Postfix::LEN);
        let limit = LONGEST_OBJECT_NAME.saturating_sub(longest);
        if name.len() > limit {
            return Err(NameError::TooLong { name: name.to_owned(), bytes: name.len(), limit });
        }
        Ok(Self(name.to_owned()))
    }

    /// The name as the user typed it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The data segment's name before the first resize: `TouchSHM` + short.
    #[must_use]
    pub fn data_segment(&self) -> String {
        format!("{PREFIX}{}", self.0)
    }

    /// The data lock's name: `TouchSHM` + short + `Mutex`. It never has the postfix.
    #[must_use]
    pub fn data_lock(&self) -> String {
        format!("{PREFIX}{}{LOCK_SUFFIX}", self.0)
    }

    /// The info segment's name: `TouchSHM` + `TouchSHM` + short + `4jhd783h`.
    #[must_use]
    pub fn info_segment(&self) -> String {
        format!("{PREFIX}{PREFIX}{}{INFO_SUFFIX}", self.0)
    }

    /// The info lock's name: the info segment's and `Mutex`.
    #[must_use]
    pub fn info_lock(&self) -> String {
        format!("{}{LOCK_SUFFIX}", self.info_segment())
    }

    /// The data segment's name with a postfix, which is empty until the first resize (wire §4).
    pub(crate) fn data_segment_with(&self, postfix: Postfix) -> String {
        format!("{PREFIX}{}{}", self.0, postfix.as_str())
    }
}

impl fmt::Display for ShortName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_four_names_follow_from_the_short_one() {
        let name = ShortName::new("cam1").unwrap();
        assert_eq!(name.data_segment(), "TouchSHMcam1");
        assert_eq!(name.data_lock(), "TouchSHMcam1Mutex");
        assert_eq!(name.info_segment(), "TouchSHMTouchSHMcam14jhd783h");
        assert_eq!(name.info_lock(), "TouchSHMTouchSHMcam14jhd783hMutex");
    }

    #[test]
    fn the_longest_name_still_fits_with_a_postfix() {
        let name = ShortName::new(&"x".repeat(216)).unwrap();
        let postfix = Postfix::parse(&[b'a'; 31]).unwrap();
        assert_eq!(name.data_segment_with(postfix).len(), 255);
        let error = ShortName::new(&"x".repeat(217)).unwrap_err();
        assert!(matches!(error, NameError::TooLong { bytes: 217, limit: 216, .. }), "{error}");
    }

    #[test]
    fn what_cannot_be_a_name_is_refused_with_the_reason() {
        assert_eq!(ShortName::new(""), Err(NameError::Empty));
        for bad in ["a/b", "/", "a\0"] {
            assert!(matches!(ShortName::new(bad), Err(NameError::Character { .. })), "{bad:?}");
        }
        for good in ["a b", "ümlaut", "日本", "🎥", ".", "..", "a\\b"] {
            assert!(ShortName::new(good).is_ok(), "{good:?}");
        }
    }
}
