//! Packets as they lie in memory: messages, in bundles or alone.

use super::{MAX_ARGUMENTS, MAX_NESTING};

const BUNDLE: &[u8] = b"#bundle\0";
/// Bytes of a bundle's time tag.
const TIME_TAG: usize = 8;

/// Why a packet is dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// The bytes are no packet: they end too early, or are something else.
    #[error("the bytes are no OSC packet: look at what sends to this port")]
    Malformed,
    /// Bundles in bundles beyond [`MAX_NESTING`].
    #[error("bundles lie in one another more than {MAX_NESTING} deep: send them flat")]
    Nested,
    /// A message with more arguments than [`MAX_ARGUMENTS`].
    #[error("a message has more than {MAX_ARGUMENTS} arguments: send several")]
    Arguments,
    /// An argument of a type whose size nobody knows.
    #[error("an argument is of the unknown type {:?}: send numbers", char::from(*.0))]
    UnknownType(u8),
}

/// One message of a packet.
#[derive(Clone, Debug)]
pub struct Message<'p> {
    address: &'p str,
    arguments: Arguments<'p>,
}

impl<'p> Message<'p> {
    /// The address, which begins with `/`.
    #[must_use]
    pub fn address(&self) -> &'p str {
        self.address
    }

    /// The arguments, in order; those in arrays as if they stood there alone.
    #[must_use]
    pub fn arguments(&self) -> Arguments<'p> {
        self.arguments.clone()
    }
}

/// One argument of a message.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Argument<'p> {
    /// `i`
    Int(i32),
    /// `h`
    Long(i64),
    /// `f`
    Float(f32),
    /// `d`
    Double(f64),
    /// `t`: seconds in the upper 32 bits, their fraction in the lower ones.
    Time(u64),
    /// `c`
    Char(u32),
    /// `T`, `F`
    Bool(bool),
    /// `N`
    Nil,
    /// `I`
    Impulse,
    /// `s`, `S`, without the zeros at its end.
    Text(&'p [u8]),
    /// `b`
    Blob(&'p [u8]),
    /// `r`: red, green, blue, alpha.
    Colour([u8; 4]),
    /// `m`
    Midi([u8; 4]),
}

impl Argument<'_> {
    /// What it is as a sample; `None` for what is no number.
    #[must_use]
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        reason = "samples have 32 bits: the nearest is meant"
    )]
    pub fn sample(&self) -> Option<f32> {
        Some(match *self {
            Self::Float(value) => value,
            Self::Double(value) => value as f32,
            Self::Int(value) => value as f32,
            Self::Long(value) => value as f32,
            Self::Char(value) => value as f32,
            Self::Time(value) => (value as f64 / 4_294_967_296.0) as f32,
            Self::Bool(value) => f32::from(u8::from(value)),
            Self::Nil => 0.0,
            Self::Impulse => 1.0,
            Self::Text(_) | Self::Blob(_) | Self::Colour(_) | Self::Midi(_) => return None,
        })
    }
}

/// The arguments of a message.
#[derive(Clone, Debug)]
pub struct Arguments<'p> {
    tags: &'p [u8],
    data: &'p [u8],
}

impl<'p> Iterator for Arguments<'p> {
    type Item = Argument<'p>;

    fn next(&mut self) -> Option<Argument<'p>> {
        while let Some((tag, rest)) = self.tags.split_first() {
            self.tags = rest;
            // Nothing fails here: the whole packet has been checked.
            if let Some(argument) = argument(*tag, &mut self.data).ok()? {
                return Some(argument);
            }
        }
        None
    }
}

/// Checks a packet to its last byte, then hands on its messages in their order. Where there is a fault none is.
///
/// # Errors
///
/// The first [`Fault`].
///
/// ```
/// let packet = b"/mix\0\0\0\0,fff\0\0\0\0\x3E\x80\0\0\x3F\0\0\0\x3F\x40\0\0";
/// let mut values = Vec::new();
/// tdshm_io::osc::read(packet, |message| values.extend(message.arguments().filter_map(|value| value.sample())))?;
/// assert_eq!(values, [0.25, 0.5, 0.75]);
/// # Ok::<(), tdshm_io::osc::Fault>(())
/// ```
pub fn read<'p>(packet: &'p [u8], mut visit: impl FnMut(Message<'p>)) -> Result<(), Fault> {
    walk(packet, |message| {
        let mut data = message.arguments.data;
        let mut open = 0_usize;
        for tag in message.arguments.tags {
            argument(*tag, &mut data)?;
            open = match tag {
                b'[' => open.saturating_add(1),
                b']' => open.checked_sub(1).ok_or(Fault::Malformed)?,
                _ => open,
            };
        }
        if data.is_empty() && open == 0 { Ok(()) } else { Err(Fault::Malformed) }
    })?;
    walk(packet, |message| {
        visit(message);
        Ok(())
    })
}

fn walk<'p>(packet: &'p [u8], mut visit: impl FnMut(Message<'p>) -> Result<(), Fault>) -> Result<(), Fault> {
    // What is left of each bundle that is open: no recursion, whose depth a stranger would choose.
    let mut open: [&[u8]; MAX_NESTING] = [&[]; MAX_NESTING];
    let mut depth: usize = 0;
    let mut element = packet;
    loop {
        if let Some(bundle) = element.strip_prefix(BUNDLE) {
            let (_, content) = bundle.split_at_checked(TIME_TAG).ok_or(Fault::Malformed)?;
            *open.get_mut(depth).ok_or(Fault::Nested)? = content;
            depth = depth.saturating_add(1);
        } else {
            visit(message(element)?)?;
        }
        element = loop {
            let Some(innermost) = depth.checked_sub(1) else { return Ok(()) };
            let Some(rest) = open.get_mut(innermost) else { return Ok(()) };
            if rest.is_empty() {
                depth = innermost;
                continue;
            }
            let size = usize::try_from(u32::from_be_bytes(array(rest)?)).map_err(|_| Fault::Malformed)?;
            let (element, behind) = rest.split_at_checked(size).ok_or(Fault::Malformed)?;
            *rest = behind;
            break element;
        };
    }
}

fn message(mut bytes: &[u8]) -> Result<Message<'_>, Fault> {
    let address = str::from_utf8(text(&mut bytes)?).map_err(|_| Fault::Malformed)?;
    if !address.starts_with('/') {
        return Err(Fault::Malformed);
    }
    if !bytes.starts_with(b",") && bytes.len().is_multiple_of(4) {
        // Old senders leave the types out: what the bytes mean nobody knows, but that the message came.
        return Ok(Message { address, arguments: Arguments { tags: &[], data: &[] } });
    }
    let tags = text(&mut bytes)?.strip_prefix(b",").ok_or(Fault::Malformed)?;
    if tags.len() > MAX_ARGUMENTS {
        return Err(Fault::Arguments);
    }
    Ok(Message { address, arguments: Arguments { tags, data: bytes } })
}

/// The argument of that type at the beginning of `data`; `None` for the brackets of an array.
fn argument<'p>(tag: u8, data: &mut &'p [u8]) -> Result<Option<Argument<'p>>, Fault> {
    Ok(Some(match tag {
        b'f' => Argument::Float(f32::from_be_bytes(array(data)?)),
        b'i' => Argument::Int(i32::from_be_bytes(array(data)?)),
        b'd' => Argument::Double(f64::from_be_bytes(array(data)?)),
        b'h' => Argument::Long(i64::from_be_bytes(array(data)?)),
        b't' => Argument::Time(u64::from_be_bytes(array(data)?)),
        b'c' => Argument::Char(u32::from_be_bytes(array(data)?)),
        b'r' => Argument::Colour(array(data)?),
        b'm' => Argument::Midi(array(data)?),
        b's' | b'S' => Argument::Text(text(data)?),
        b'b' => Argument::Blob(blob(data)?),
        b'T' => Argument::Bool(true),
        b'F' => Argument::Bool(false),
        b'N' => Argument::Nil,
        b'I' => Argument::Impulse,
        b'[' | b']' => return Ok(None),
        unknown => return Err(Fault::UnknownType(unknown)),
    }))
}

fn array<const N: usize>(data: &mut &[u8]) -> Result<[u8; N], Fault> {
    let (array, rest) = data.split_first_chunk().ok_or(Fault::Malformed)?;
    *data = rest;
    Ok(*array)
}

/// Bytes up to the first zero; zeros follow, up to a multiple of four.
fn text<'p>(data: &mut &'p [u8]) -> Result<&'p [u8], Fault> {
    let len = data.iter().position(|byte| *byte == 0).ok_or(Fault::Malformed)?;
    let (text, rest) = data.split_at_checked(padded(len, 1)).ok_or(Fault::Malformed)?;
    *data = rest;
    Ok(text.get(..len).unwrap_or_default())
}

fn blob<'p>(data: &mut &'p [u8]) -> Result<&'p [u8], Fault> {
    let len = usize::try_from(u32::from_be_bytes(array(data)?)).map_err(|_| Fault::Malformed)?;
    let (blob, rest) = data.split_at_checked(padded(len, 0)).ok_or(Fault::Malformed)?;
    *data = rest;
    Ok(blob.get(..len).unwrap_or_default())
}

/// A length with at least `zeros` behind it, as a multiple of four.
pub(super) fn padded(len: usize, zeros: usize) -> usize {
    len.saturating_add(zeros).checked_next_multiple_of(4).unwrap_or(usize::MAX)
}
