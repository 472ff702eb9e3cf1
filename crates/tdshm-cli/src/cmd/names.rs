//! Names of segments as people type them: one name, or a pattern that stands for several.

use std::fmt;

use anyhow::anyhow;
use tdshm::ShortName;
use tdshm_ops::Pattern;

/// What makes a pattern of a name.
const WILDCARDS: [char; 3] = ['*', '?', '['];

/// One name, or all that a pattern matches.
#[derive(Clone, Debug)]
pub(crate) enum Wanted {
    Name(ShortName),
    Pattern(Pattern),
}

impl Wanted {
    /// Reads what somebody typed.
    pub(crate) fn read(text: &str) -> anyhow::Result<Self> {
        if text.contains(WILDCARDS) {
            return Pattern::parse(text).map(Self::Pattern).map_err(|error| anyhow!("{text:?}: {error}"));
        }
        Ok(Self::Name(ShortName::new(text)?))
    }

    /// The same of several.
    pub(crate) fn read_all(texts: &[String]) -> anyhow::Result<Vec<Self>> {
        texts.iter().map(|text| Self::read(text)).collect()
    }

    /// Whether it means that segment.
    pub(crate) fn means(&self, name: &str) -> bool {
        match self {
            Self::Name(wanted) => wanted.as_str() == name,
            Self::Pattern(pattern) => pattern.matches(name),
        }
    }
}

/// As it was typed.
impl fmt::Display for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name.as_str()),
            Self::Pattern(pattern) => f.write_str(pattern.as_str()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_make_a_pattern() {
        let means = |text: &str, name: &str| Wanted::read(text).unwrap().means(name);
        assert!(means("cam", "cam") && !means("cam", "cam1"));
        assert!(means("cam*", "cam12") && means("cam[1-3]", "cam2") && !means("cam[1-3]", "cam4"));
        assert!(means("a b, ^c", "a b, ^c"), "without wildcards every character is one of the name");
        assert!(Wanted::read("").is_err() && Wanted::read("a/b").is_err() && Wanted::read("(*").is_err());
    }
}
