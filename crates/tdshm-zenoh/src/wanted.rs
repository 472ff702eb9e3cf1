//! What people type of hosts, segments and streams.

use tdshm::ShortName;
use tdshm_ops::{Pattern, PatternWarning};

/// A name, or a pattern with `*`, `?` or `[xyz]`.
#[derive(Clone, Debug)]
enum Wanted {
    Name(String),
    Pattern(Box<Pattern>),
}

impl Wanted {
    /// Reads what somebody typed. What the language of patterns can read, and means nothing that could be there, is refused.
    fn read(text: &str) -> Result<Self, String> {
        if !text.contains(['*', '?', '[']) {
            return Ok(Self::Name(text.to_owned()));
        }
        let pattern = Pattern::parse(text).map_err(|error| error.to_string())?;
        let meant = |warning: &&PatternWarning| {
            matches!(warning, PatternWarning::UnclosedBracket { .. } | PatternWarning::EmptyBracket)
        };
        match pattern.warnings().iter().find(meant) {
            Some(warning) => Err(format!("{warning}; where a name has such a character, ? stands for it")),
            None => Ok(Self::Pattern(Box::new(pattern))),
        }
    }

    fn means(&self, name: &str) -> bool {
        match self {
            Self::Name(wanted) => wanted == name,
            Self::Pattern(pattern) => pattern.matches(name),
        }
    }
}

/// A segment of this machine, or a pattern for such.
#[derive(Clone, Debug)]
pub(crate) enum WantedSegment {
    Name(ShortName),
    Pattern(Box<Pattern>),
}

impl WantedSegment {
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        match Wanted::read(text)? {
            Wanted::Name(name) => Ok(Self::Name(ShortName::new(&name).map_err(|error| error.to_string())?)),
            Wanted::Pattern(_) if text.contains('/') => {
                Err("names of segments hold no '/': leave the host out, it is this machine".to_owned())
            }
            Wanted::Pattern(pattern) => Ok(Self::Pattern(pattern)),
        }
    }

    /// The name, where it is one.
    pub(crate) fn name(&self) -> Option<&ShortName> {
        match self {
            Self::Name(name) => Some(name),
            Self::Pattern(_) => None,
        }
    }

    pub(crate) fn means(&self, name: &str) -> bool {
        match self {
            Self::Name(wanted) => wanted.as_str() == name,
            Self::Pattern(pattern) => pattern.matches(name),
        }
    }
}

/// Streams as people type them: `HOST/NAME`.
#[derive(Clone, Debug)]
pub(crate) struct WantedStream {
    host: Wanted,
    name: Wanted,
}

impl WantedStream {
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        let (host, name) = text
            .split_once('/')
            .filter(|(host, name)| !host.is_empty() && !name.is_empty())
            .ok_or("a stream is HOST/NAME, say 'host2/*'")?;
        if name.contains('/') {
            return Err(
                "a stream is HOST/NAME, with one '/': neither hosts nor segments have one in their names"
                    .to_owned(),
            );
        }
        Ok(Self { host: Wanted::read(host)?, name: Wanted::read(name)? })
    }

    pub(crate) fn means(&self, host: &str, name: &str) -> bool {
        self.host.means(host) && self.name.means(name)
    }
}

/// What a machine may be called: whatever others can write in front of a `/`, and that is no pattern.
pub(crate) fn host(text: &str) -> Result<String, String> {
    if text.trim().is_empty() {
        return Err("the name of a host is empty: say what others shall call this machine".to_owned());
    }
    match text.chars().find(|c| c.is_control() || matches!(c, '/' | '*' | '?' | '[' | ']')) {
        Some(found) => Err(format!(
            "the name of a host holds {found:?}, which others could not write in HOST/NAME: say one without it"
        )),
        None => Ok(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_are_a_host_and_a_name() {
        let means = |text: &str, host: &str, name: &str| WantedStream::read(text).unwrap().means(host, name);
        assert!(means("host2/*", "host2", "cam1") && !means("host2/*", "host3", "cam1"));
        assert!(means("*/cam[1-3] mocap", "any", "mocap") && !means("*/cam[1-3]", "any", "cam4"));
        assert!(means("a/b", "a", "b") && !means("a/b", "a", "bc"));
        for wrong in ["host2", "/cam", "host2/", "(*/a", "a/b/c", "*/b/*", "[/x", "x/[", "x/cam[]", "//", "/"]
        {
            assert!(WantedStream::read(wrong).is_err(), "{wrong}");
        }
        let error = WantedStream::read("x/cam[1-").unwrap_err();
        assert!(error.starts_with("[1- has no ]"), "{error}");
    }

    #[test]
    fn segments_are_names_or_patterns_for_them() {
        let means = |text: &str, name: &str| WantedSegment::read(text).unwrap().means(name);
        assert!(means("cam*", "cam1") && means("my cam", "my cam") && !means("cam", "cam1"));
        assert!(WantedSegment::read("cam").unwrap().name().is_some());
        for wrong in ["[", "a/b", "a/*", "", "cam[]"] {
            assert!(WantedSegment::read(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn hosts_have_names_that_others_can_write() {
        for good in ["studio2", "büro.local", "my host", "a:b", "x#$"] {
            assert_eq!(host(good).as_deref(), Ok(good));
        }
        for (wrong, found) in
            [("a/b", "'/'"), ("a*", "'*'"), ("a\nb", "'\\n'"), ("[x]", "'['"), ("", "empty")]
        {
            let error = host(wrong).unwrap_err();
            assert!(error.contains(found), "{error}");
        }
    }
}
