//! Named segments: who creates them, who opens them, how the two sides find each other and part (wire §2, §3).
//!
//! The sender creates two objects: first the info segment, by which the two sides resize and part, then the
//! data segment. A receiver opens them in the same order, and looks at the info block again before every
//! access, because the sender may have moved its data or gone. Either may start first.

pub(crate) mod clean;
pub(crate) mod inspect;
mod link;
pub(crate) mod receiver;
mod resize;
pub(crate) mod sender;
mod takeover;
mod wreck;

use crate::error::{Occupant, OsError, SegmentError};
use crate::sys::ObjectError;

/// What went wrong with an object, with its name. Whoever knows more about `Exists` and `Absent` (is it the
/// data or the info segment?) handles them before.
pub(crate) fn object_error(error: ObjectError, object: &str, needed: usize) -> SegmentError {
    let object = object.to_owned();
    match error {
        ObjectError::Exists => {
            SegmentError::AlreadyExists { name: object.clone(), object, by: Occupant::Foreign }
        }
        ObjectError::Absent => SegmentError::DoesNotExist { name: object },
        ObjectError::NotOurs(reason) => SegmentError::NotOurs { object, reason },
        ObjectError::TooSmall { bytes } => SegmentError::TooSmall { object, bytes, needed },
        ObjectError::NoRoom { bytes } => SegmentError::NoRoom { object, bytes },
        ObjectError::Map(source) => SegmentError::UnableToMap { object, source },
        ObjectError::Os { operation, source } => OsError { operation, object, source }.into(),
    }
}
