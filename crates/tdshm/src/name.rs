//! Short names, and the names of the kernel objects made from them (wire §1).
//!
//! A user types one short name, `mocap`; four objects follow from it. The info segment's prefix is
//! doubled because the info segment is itself such a segment, whose short name is the full name of the
//! data segment.

use core::fmt;

use crate::error::NameError;
use crate::sys::{NAME_RULES, NameRules};
use crate::wire::info::Postfix;

/// What every object name begins with (wire §1, seen).
pub(crate) const PREFIX: &str = "TouchSHM";
/// What the name of an info segment ends with (wire §1, seen).
pub(crate) const INFO_SUFFIX: &str = "4jhd783h";
/// What the name of a lock ends with (wire §1, seen).
pub(crate) const LOCK_SUFFIX: &str = "Mutex";
/// What the names of the wake events of a segment end with, before the number of the receiver's entry (wire §11, ours).
const WAKE_SUFFIX: &str = "tdshmWake";

/// The name a user types, checked: `Shared Mem Name` in TouchDesigner.
///
/// 1 to 216 bytes of UTF-8 on Linux, without `/` and NUL: the data segment's name after a resize is 39
/// bytes longer than the short name and has to fit in 255.
///
/// # Platform
///
/// macOS: as Linux; names of objects that are longer than 31 bytes stand for tokens in the name directory (wire §7).
/// Windows: 1 to 220 UTF-16 units, and no `\`, which leads to another namespace of the system's.
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
    /// [`NameError`]: empty, holds what no name may hold, or too long for the longest name derived from it. Retrying
    /// does not help; nothing was created.
    pub fn new(name: &str) -> Result<Self, NameError> {
        Self::checked(name, &NAME_RULES)
    }

    fn checked(name: &str, rules: &NameRules) -> Result<Self, NameError> {
        check_characters(name, rules)?;
        let limit = rules.longest.saturating_sub(PREFIX.len().saturating_add(Postfix::LEN));
        let length = (rules.length)(name);
        if length > limit {
            return Err(NameError::TooLong { name: name.to_owned(), length, unit: rules.unit, limit });
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

    /// What the names of the events begin with by which receivers are woken, on systems where they have names.
    pub(crate) fn wake_events(&self) -> String {
        format!("{PREFIX}{}{WAKE_SUFFIX}", self.0)
    }
}

/// Refuses what no object's name may be, short or whole.
pub(crate) fn check_object_name(name: &str) -> Result<(), NameError> {
    check_characters(name, &NAME_RULES)
}

fn check_characters(name: &str, rules: &NameRules) -> Result<(), NameError> {
    if name.is_empty() {
        return Err(NameError::Empty);
    }
    if let Some(found) = name.chars().find(|c| matches!(c, '/' | '\0')) {
        return Err(NameError::Character { name: name.to_owned(), found });
    }
    if rules.backslash_is_namespace && name.contains('\\') {
        return Err(NameError::Namespace { name: name.to_owned() });
    }
    Ok(())
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

    const LINUX: NameRules =
        NameRules { longest: 255, unit: "bytes", length: str::len, backslash_is_namespace: false };
    const WINDOWS: NameRules = NameRules {
        longest: 259,
        unit: "UTF-16 units",
        length: |name| name.encode_utf16().count(),
        backslash_is_namespace: true,
    };

    #[test]
    fn the_longest_name_still_fits_with_a_postfix() {
        let name = ShortName::checked(&"x".repeat(216), &LINUX).unwrap();
        assert_eq!(name.data_segment_with(Postfix::random()).len(), 255);
        let error = ShortName::checked(&"x".repeat(217), &LINUX).unwrap_err();
        assert!(matches!(error, NameError::TooLong { length: 217, limit: 216, .. }), "{error}");
    }

    #[test]
    fn on_windows_units_of_utf_16_are_counted() {
        let name = ShortName::checked(&"🎥".repeat(110), &WINDOWS).unwrap();
        assert_eq!(name.data_segment_with(Postfix::random()).encode_utf16().count(), 259);
        let error = ShortName::checked(&"🎥".repeat(111), &WINDOWS).unwrap_err();
        assert!(matches!(error, NameError::TooLong { length: 222, limit: 220, .. }), "{error}");
        assert!(error.to_string().contains("has 222 UTF-16 units, and at most 220 fit"), "{error}");
    }

    #[test]
    fn what_cannot_be_a_name_is_refused_with_the_reason() {
        assert_eq!(ShortName::new(""), Err(NameError::Empty));
        for bad in ["a/b", "/", "a\0"] {
            assert!(matches!(ShortName::new(bad), Err(NameError::Character { .. })), "{bad:?}");
        }
        for good in ["a b", "ümlaut", "日本", "🎥", ".", ".."] {
            assert!(ShortName::new(good).is_ok(), "{good:?}");
        }
    }

    #[test]
    fn a_backslash_is_refused_where_it_leads_elsewhere() {
        assert!(ShortName::checked("a\\b", &LINUX).is_ok());
        let error = ShortName::checked("Global\\cam1", &WINDOWS).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the shared-memory name \"Global\\\\cam1\" holds '\\', which on Windows leads to another namespace: the \
             prefix stands before the whole name, so such a name cannot work; use one without it"
        );
    }
}
