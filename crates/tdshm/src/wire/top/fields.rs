//! The fields of an image block's header as they stand, for tools that show them.

use core::mem::offset_of;

use zerocopy::little_endian::{I32, U32};
use zerocopy::{FromBytes, FromZeros, IntoBytes};

use crate::error::FieldValue;
use crate::wire::top::{COLOUR_VERSION, MAGIC, TopHeader};
use crate::wire::top_legacy::{self, LegacyHeader};

/// Every field of a header of either kind as it stands, for tools that show them: its offset, its name, its value.
/// `None`: these bytes are no image's.
pub(crate) fn fields(bytes: &[u8]) -> Option<Vec<(usize, &'static str, FieldValue)>> {
    if let Ok((header, _)) = LegacyHeader::read_from_prefix(bytes)
        && header.magic.get() == top_legacy::MAGIC
    {
        return Some(header.fields().to_vec());
    }
    let mut header = TopHeader::new_zeroed();
    for (to, from) in header.as_mut_bytes().iter_mut().zip(bytes) {
        *to = *from;
    }
    if header.magic.get() != MAGIC {
        return None;
    }
    let int = |value: I32| FieldValue::Int(value.get().into());
    let number = |value: U32| FieldValue::Int(value.get().into());
    let mut fields = vec![
        (offset_of!(TopHeader, magic), "magic", FieldValue::Magic(header.magic.get())),
        (offset_of!(TopHeader, version), "version", int(header.version)),
        (offset_of!(TopHeader, width), "width", int(header.width)),
        (offset_of!(TopHeader, height), "height", int(header.height)),
        (offset_of!(TopHeader, aspect_x), "aspectx", FieldValue::Float(header.aspect_x.get())),
        (offset_of!(TopHeader, aspect_y), "aspecty", FieldValue::Float(header.aspect_y.get())),
        (offset_of!(TopHeader, pixel_format), "pixelFormat", number(header.pixel_format)),
        (offset_of!(TopHeader, data_size), "dataSize", FieldValue::Int(header.data_size.get())),
        (offset_of!(TopHeader, data_offset), "dataOffset", int(header.data_offset)),
    ];
    if header.version.get() >= COLOUR_VERSION {
        fields.push((
            offset_of!(TopHeader, gamut_primaries),
            "gamutPrimaries",
            number(header.gamut_primaries),
        ));
        fields.push((offset_of!(TopHeader, transfer), "transfer", number(header.transfer)));
    }
    Some(fields)
}
