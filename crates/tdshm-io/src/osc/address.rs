//! Names of channels and addresses of messages.

use tdshm_ops::clip::ChannelNames;

/// What an address may not hold (OSC 1.0), besides what is not printable.
const FORBIDDEN: &[char] = &[' ', '#', '*', ',', '?', '[', ']', '{', '}'];

/// The address of a channel: `/` and its name, with `_` for each character that no address may have. A channel without a name
/// is `/_`.
///
/// # Source
///
/// operators §11.3: ours.
///
/// ```
/// assert_eq!(tdshm_io::osc::address_of("geo1:tx"), "/geo1:tx");
/// assert_eq!(tdshm_io::osc::address_of("left hand"), "/left_hand");
/// ```
#[must_use]
pub fn address_of(name: &str) -> String {
    let legal = |c: char| if c.is_ascii_graphic() && !FORBIDDEN.contains(&c) { c } else { '_' };
    let name = if name.is_empty() { "_" } else { name };
    std::iter::once('/').chain(name.chars().map(legal)).collect()
}

/// The channel of an address: without the leading slash and without that many segments behind it, of which the last one always
/// stays; and with `_` for each character that TD allows in no name.
///
/// # Source
///
/// operators §11.3; that the last segment stays is ours. §3.3 for the characters.
///
/// ```
/// assert_eq!(tdshm_io::osc::name_of("/h0/pinch", 0), "h0/pinch");
/// assert_eq!(tdshm_io::osc::name_of("/a/b/c/d/e", 3), "d/e");
/// assert_eq!(tdshm_io::osc::name_of("/a/b", 9), "b");
/// ```
#[must_use]
pub fn name_of(address: &str, strip_segments: usize) -> String {
    let mut name = address.strip_prefix('/').unwrap_or(address);
    for _ in 0..strip_segments {
        let Some((_, rest)) = name.split_once('/') else { break };
        name = rest;
    }
    if name.is_empty() {
        return "_".to_owned();
    }
    name.chars().map(|c| if ChannelNames::is_legal(c) { c } else { '_' }).collect()
}

/// The address of several channels together: the beginning that all names share, without the digits and signs at its end;
/// `/channels` where they share none.
pub(super) fn common_address<'n>(mut names: impl Iterator<Item = &'n str>) -> String {
    let Some(first) = names.next() else { return address_of("channels") };
    let mut shared = first;
    let mut is_alone = true;
    for name in names {
        is_alone = false;
        let ends = shared.char_indices().zip(name.chars()).find(|((_, own), other)| own != other);
        let end = ends.map_or(shared.len().min(name.len()), |((at, _), _)| at);
        shared = shared.get(..end).unwrap_or_default();
    }
    if !is_alone {
        shared = shared.trim_end_matches(|c: char| c.is_ascii_digit() || matches!(c, '/' | '_' | '-' | ':'));
    }
    address_of(if shared.is_empty() { "channels" } else { shared })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_addresses() {
        for (name, address) in [
            ("tx", "/tx"),
            ("a/b", "/a/b"),
            ("a b#c*d,e?f[g]h{i}", "/a_b_c_d_e_f_g_h_i_"),
            ("größe", "/gr__e"),
            ("", "/_"),
            ("nul\0", "/nul_"),
        ] {
            assert_eq!(address_of(name), address);
        }
        for (address, strip, name) in [
            ("/a/b/c/d/e", 0, "a/b/c/d/e"),
            ("/a/b/c/d/e", 4, "e"),
            ("/a/b/c/d/e", 5, "e"),
            ("/a.b~c", 0, "a_b_c"),
            ("/", 0, "_"),
            ("//x", 1, "x"),
        ] {
            assert_eq!(name_of(address, strip), name);
        }
    }

    #[test]
    fn what_names_share_is_an_address() {
        for (names, address) in [
            (&["pos1", "pos2", "pos10"][..], "/pos"),
            (&["tx", "ty", "tz"], "/t"),
            (&["h0/x", "h0/y"], "/h"),
            (&["hand/x", "hand/y"], "/hand"),
            (&["tx", "ry"], "/channels"),
            (&["1", "2"], "/channels"),
            (&["pos1"], "/pos1"),
            (&["é1", "è1"], "/channels"),
            (&["ab", "abc"], "/ab"),
            (&[], "/channels"),
        ] {
            assert_eq!(common_address(names.iter().copied()), address, "{names:?}");
        }
    }
}
