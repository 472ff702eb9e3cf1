//! Keys: `tdshm/<host>/<segment>/<leaf>`.

use std::fmt::Write as _;

/// What every key begins with.
pub const ROOT: &str = "tdshm";

/// What a key of a stream is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Leaf {
    /// Frames are published here, and the last one is given whole to whoever asks.
    Frame,
    /// What is known of the stream, as JSON, for whoever asks.
    Info,
    /// A liveliness token, as long as somebody sends and it is shared.
    Alive,
}

impl Leaf {
    /// The last part of the key.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Frame => "frame",
            Self::Info => "info",
            Self::Alive => "alive",
        }
    }
}

/// The key of a stream's leaf.
#[must_use]
pub fn of(host: &str, segment: &str, leaf: Leaf) -> String {
    format!("{ROOT}/{}/{}/{}", escape(host), escape(segment), leaf.as_str())
}

/// All keys of that leaf, of all hosts.
#[must_use]
pub fn all(leaf: Leaf) -> String {
    format!("{ROOT}/*/*/{}", leaf.as_str())
}

/// Host and segment of a key; `None` where it is none of ours.
#[must_use]
pub fn read(key: &str, leaf: Leaf) -> Option<(String, String)> {
    let mut parts = key.split('/');
    let (root, host, segment, last) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    if root != ROOT || last != leaf.as_str() || parts.next().is_some() {
        return None;
    }
    Some((unescape(host)?, unescape(segment)?))
}

/// A name as a part of a key. Letters and digits of ASCII and `-`, `.`, `_`, `~` stay; each byte of anything else (in UTF-8)
/// becomes `%` and two capital hexadecimal digits, as in URLs: the keys of zenoh give some characters a meaning, and this
/// way no name ever has one.
#[must_use]
pub fn escape(name: &str) -> String {
    let mut escaped = String::with_capacity(name.len());
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            escaped.push(char::from(byte));
        } else {
            // Writing to a string does not fail.
            let _ = write!(escaped, "%{byte:02X}");
        }
    }
    escaped
}

/// The name that a part of a key stands for; `None` where no name is written like that.
#[must_use]
pub fn unescape(part: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(part.len());
    let mut rest = part.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        if *first != b'%' {
            bytes.push(*first);
            rest = after;
            continue;
        }
        let digits = std::str::from_utf8(after.get(..2)?).ok()?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        rest = after.get(2..)?;
    }
    let name = String::from_utf8(bytes).ok()?;
    // One name has one key, so that nobody is told of two streams that are one.
    (!name.is_empty() && escape(&name) == part).then_some(name)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_that_keys_cannot_hold_are_escaped() {
        assert_eq!(of("host2", "cam1", Leaf::Frame), "tdshm/host2/cam1/frame");
        assert_eq!(
            of("büro.local", "my cam*?#$@/", Leaf::Info),
            "tdshm/b%C3%BCro.local/my%20cam%2A%3F%23%24%40%2F/info"
        );
        assert_eq!(
            read("tdshm/b%C3%BCro.local/my%20cam/alive", Leaf::Alive),
            Some(("büro.local".into(), "my cam".into()))
        );
        for wrong in [
            "tdshm/a/b",
            "tdshm/a/b/frame",
            "tdshm/a/b/alive/c",
            "other/a/b/alive",
            "tdshm//b/alive",
            "tdshm/a/%2/alive",
            "tdshm/a/%zz/alive",
            "tdshm/a/%2b/alive",
            "tdshm/a/%61/alive",
            "tdshm/a/%FF/alive",
            "tdshm/a/b c/alive",
        ] {
            assert_eq!(read(wrong, Leaf::Alive), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn every_name_comes_back(host in ".{1,20}", segment in ".{1,20}") {
            let key = of(&host, &segment, Leaf::Frame);
            prop_assert!(zenoh::key_expr::KeyExpr::try_from(key.as_str()).is_ok());
            prop_assert_eq!(read(&key, Leaf::Frame), Some((host, segment)));
        }

        #[test]
        fn any_text_is_a_key_or_none(text in ".{0,60}") {
            let _ = read(&text, Leaf::Alive);
            let _ = unescape(&text);
        }
    }
}
