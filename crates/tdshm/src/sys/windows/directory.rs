//! Which objects there are: the directory in which the system keeps the named objects of a session.

use std::io;
use std::os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle};

use windows_sys::Wdk::Foundation::OBJECT_ATTRIBUTES;
use windows_sys::Wdk::Storage::FileSystem::{NtOpenDirectoryObject, NtQueryDirectoryObject};
use windows_sys::Win32::Foundation::{
    NTSTATUS, OBJ_CASE_INSENSITIVE, RtlNtStatusToDosError, STATUS_NO_MORE_ENTRIES, UNICODE_STRING,
};
use windows_sys::Win32::System::RemoteDesktop::ProcessIdToSessionId;

/// The right to list a directory.
const DIRECTORY_QUERY: u32 = 1;
/// Bytes that one entry may have: two strings of the greatest length, and what leads to them.
const ENTRY_BYTES: usize = 2 * 0x1_0000 + 64;
/// How often a directory is listed at most that changes meanwhile.
const LOOKS: usize = 16;
/// How often it is listed in any case.
const LOOKS_AT_LEAST: usize = 3;
/// How the kinds of object are called that segments and locks are.
const KINDS: [&str; 2] = ["Section", "Mutant"];

/// The session that this process belongs to.
pub(super) fn session() -> io::Result<u32> {
    let mut session = 0;
    // SAFETY: any process id may be asked for; the function writes one `u32`.
    let known = unsafe { ProcessIdToSessionId(std::process::id(), &raw mut session) };
    if known == 0 { Err(io::Error::last_os_error()) } else { Ok(session) }
}

/// The names of all segments and locks of this session that begin with `prefix`, in no particular order.
pub(crate) fn object_names(prefix: &str) -> io::Result<Vec<String>> {
    let directory = session().and_then(|session| open(&format!(r"\Sessions\{session}\BaseNamedObjects")));
    // Services have theirs at the top.
    let directory = directory.or_else(|_| open(r"\BaseNamedObjects"))?;

    // Entries are found by their place, and places change when others come and go: one look may pass over some. What any
    // look saw is listed, as whoever opens it finds out whether it is still there.
    let mut names = list(&directory, prefix)?;
    let mut before = names.clone();
    for look in 2..=LOOKS {
        let now = list(&directory, prefix)?;
        names.extend_from_slice(&now);
        if look >= LOOKS_AT_LEAST && now == before {
            break;
        }
        before = now;
    }
    names.sort_unstable();
    names.dedup();
    Ok(names)
}

/// The names, sorted.
fn list(directory: &OwnedHandle, prefix: &str) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    let mut entry = vec![0_u8; ENTRY_BYTES];
    let (mut context, mut restart) = (0, true);
    loop {
        let length = u32::try_from(entry.len()).unwrap_or(0);
        let mut returned = 0;
        // SAFETY: the handle is open while `directory` lives; the function writes `length` bytes to `entry` at most, and
        // one `u32` each to the last two.
        let status = unsafe {
            NtQueryDirectoryObject(
                directory.as_raw_handle(),
                entry.as_mut_ptr().cast(),
                length,
                true,
                restart,
                &raw mut context,
                &raw mut returned,
            )
        };
        restart = false;
        match status {
            STATUS_NO_MORE_ENTRIES => break,
            0.. => {}
            _ => return Err(failed(status)),
        }
        let kind = string(&entry, 1);
        if let Some(name) = string(&entry, 0)
            && name.starts_with(prefix)
            && kind.is_some_and(|kind| KINDS.contains(&kind.as_str()))
        {
            names.push(name);
        }
    }
    names.sort_unstable();
    Ok(names)
}

/// One of the two strings of an entry, each of which is a `UNICODE_STRING` that leads to its units further behind in the
/// same bytes. `None`: it does not, or is no text.
fn string(entry: &[u8], index: usize) -> Option<String> {
    let at = index.checked_mul(size_of::<UNICODE_STRING>())?;
    let string = entry.get(at..)?;
    let bytes = u16::from_le_bytes(*string.first_chunk()?);
    let address =
        u64::from_le_bytes(*string.get(core::mem::offset_of!(UNICODE_STRING, Buffer)..)?.first_chunk()?);
    let start = usize::try_from(address).ok()?.checked_sub(entry.as_ptr().addr())?;
    let units = entry.get(start..start.checked_add(bytes.into())?)?;
    let units: Vec<u16> = units
        .chunks_exact(2)
        .filter_map(|unit| unit.first_chunk().map(|unit| u16::from_le_bytes(*unit)))
        .collect();
    String::from_utf16(&units).ok()
}

fn open(path: &str) -> io::Result<OwnedHandle> {
    let mut units: Vec<u16> = path.encode_utf16().collect();
    let bytes = u16::try_from(units.len().saturating_mul(2)).unwrap_or(0);
    let name = UNICODE_STRING { Length: bytes, MaximumLength: bytes, Buffer: units.as_mut_ptr() };
    let attributes = OBJECT_ATTRIBUTES {
        Length: u32::try_from(size_of::<OBJECT_ATTRIBUTES>()).unwrap_or(0),
        ObjectName: &raw const name,
        Attributes: OBJ_CASE_INSENSITIVE,
        ..Default::default()
    };
    let mut handle = std::ptr::null_mut();
    // SAFETY: `attributes` says how long it is; it, the string it leads to and the units of that live to the end of
    // this function, and there are as many as the string says; the function writes one handle.
    let status = unsafe { NtOpenDirectoryObject(&raw mut handle, DIRECTORY_QUERY, &raw const attributes) };
    if status < 0 {
        return Err(failed(status));
    }
    // SAFETY: the function gave this handle to its caller alone, and it is open.
    Ok(unsafe { OwnedHandle::from_raw_handle(handle) })
}

fn failed(status: NTSTATUS) -> io::Error {
    // SAFETY: any number may be asked for.
    let error = unsafe { RtlNtStatusToDosError(status) };
    io::Error::from_raw_os_error(error.cast_signed())
}
