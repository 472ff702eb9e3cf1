//! Which objects of a segment there are, whose they are, and who may use them.

use crate::error::{Error, OsError, SegmentError};
use crate::name::{INFO_SUFFIX, PREFIX, ShortName};
use crate::segment::block;
use crate::sys::{self, ObjectError, Peek};
use crate::wire::info::Postfix;

/// What an object is to its segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ObjectRole {
    /// The info segment.
    Info,
    /// The data segment to which the info block leads.
    Data,
    /// The lock of the data.
    DataLock,
    /// The lock of the info segment.
    InfoLock,
    /// An info segment whose name has the prefix once, where nobody looks for it.
    MisnamedInfo,
    /// A data segment of that name to which nothing leads.
    OtherData,
}

/// What this user may do with an object.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ObjectAccess {
    /// Read and write.
    Full,
    /// Read: enough to observe, and too little for everything else.
    ReadOnly,
    /// Nothing, and why.
    Refused(String),
    /// It is not known.
    Unknown,
}

/// An object of a segment, as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ObjectReport {
    /// What it is to the segment.
    pub role: ObjectRole,
    /// Its name.
    pub object: String,
    /// Its size in bytes, where it may be read.
    pub bytes: Option<usize>,
    /// The number of the user whose it is, where objects have one.
    pub user: Option<u32>,
    /// Whether that is the user of this program; `None` where objects have none.
    pub is_own: Option<bool>,
    /// Its permission bits, where objects have them.
    pub mode: Option<u32>,
    /// What this program may do with it.
    pub access: ObjectAccess,
}

/// Looks at every object that belongs to the short name `name`, those that are in its way included, without taking part.
///
/// # Platform
///
/// Linux and macOS: with owner and permission bits. macOS: a name that the name directory does not know leads nowhere, so
/// its object counts as absent. Windows: locks are known by their names alone.
///
/// # Errors
///
/// [`Error::Name`]; [`SegmentError::Os`] when the objects cannot be listed.
///
/// # Source
///
/// wire §1, §2, §5.
///
/// ```
/// # fn main() -> Result<(), tdshm::Error> {
/// # let name = format!("docobjects{}", std::process::id());
/// # let out = tdshm::ChopSender::create(&name)?;
/// for object in tdshm::objects(&name)? {
///     println!("{}: {:?}", object.object, object.access);
/// }
/// # drop(out);
/// # tdshm::clean(&[&name], tdshm::DryRun::No)?;
/// # Ok(())
/// # }
/// ```
pub fn objects(name: &str) -> Result<Vec<ObjectReport>, Error> {
    let name = ShortName::new(name)?;
    let there = sys::object_names(PREFIX).map_err(|source| {
        let object = "the shared-memory objects".to_owned();
        SegmentError::Os(OsError { operation: "list", object, source })
    })?;
    let info = name.info_segment();
    let block = Peek::open(&info).ok().and_then(|peek| block::peek(&peek).ok());
    let data = name.data_segment_with(block.and_then(|block| block.postfix.ok()).unwrap_or_default());
    let others = there.iter().filter(|object| {
        let rest = object.strip_prefix(&name.data_segment());
        **object != data && rest.is_some_and(|rest| rest.is_empty() || is_postfix(rest))
    });
    let own = [
        (ObjectRole::Info, info),
        (ObjectRole::Data, data.clone()),
        (ObjectRole::DataLock, name.data_lock()),
        (ObjectRole::InfoLock, name.info_lock()),
        (ObjectRole::MisnamedInfo, format!("{PREFIX}{}{INFO_SUFFIX}", name.as_str())),
    ];
    let others = others.map(|object| (ObjectRole::OtherData, object.clone()));
    Ok(own.into_iter().chain(others).filter_map(|(role, object)| report(role, object, &there)).collect())
}

fn is_postfix(text: &str) -> bool {
    text.len() == Postfix::LEN && text.bytes().all(|byte| byte.is_ascii_lowercase())
}

fn report(role: ObjectRole, object: String, there: &[String]) -> Option<ObjectReport> {
    let is_lock = matches!(role, ObjectRole::DataLock | ObjectRole::InfoLock);
    let unknown = |access| ObjectReport {
        role,
        object: object.clone(),
        bytes: None,
        user: None,
        is_own: None,
        mode: None,
        access,
    };
    match sys::standing(&object) {
        Ok(standing) => Some(ObjectReport {
            bytes: standing.bytes,
            user: standing.user,
            is_own: standing.is_own,
            mode: standing.mode,
            ..unknown(match standing.may_write {
                Ok(true) => ObjectAccess::Full,
                Ok(false) => ObjectAccess::ReadOnly,
                Err(reason) => ObjectAccess::Refused(reason),
            })
        }),
        Err(ObjectError::Absent) => None,
        // A kernel mutex is no section.
        Err(_) if is_lock && sys::NAMES_DIE_WITH_HANDLES => {
            there.contains(&object).then(|| unknown(ObjectAccess::Unknown))
        }
        Err(ObjectError::NotOurs(reason)) => Some(unknown(ObjectAccess::Refused(reason))),
        Err(error) => Some(unknown(ObjectAccess::Refused(format!("it cannot be opened: {error:?}")))),
    }
}
