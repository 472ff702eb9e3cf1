//! The one table of statuses.

use std::collections::HashSet;
use std::ffi::CStr;

use tdshm::{Error, LockError, NameError, SegmentError};

use crate::status::{
    Fault, TABLE, TDSHM_ERR_OTHER, TDSHM_TRUNCATED, kind_number, record, tdshm_copy_last_error,
    tdshm_last_status, tdshm_status_kind, tdshm_status_name, tdshm_status_text, tdshm_version,
    tdshm_version_text,
};
use crate::tests::{HEADER, last_error, ok};

fn text(pointer: *const core::ffi::c_char) -> &'static str {
    assert!(!pointer.is_null());
    c!(CStr::from_ptr(pointer)).to_str().unwrap()
}

#[test]
fn the_table_has_every_status_of_the_header_once() {
    let defined: HashSet<(String, i32)> = HEADER
        .lines()
        .filter_map(|line| line.strip_prefix("#define ")?.split_once(' '))
        .filter(|(_, value)| value.trim_matches(['(', ')']).parse::<i32>().is_ok())
        .map(|(name, value)| (name.to_owned(), value.trim_matches(['(', ')']).parse().unwrap()))
        .filter(|(name, value)| {
            name.starts_with("TDSHM_ERR_") || name == "TDSHM_OK" || (*value < 0 && name != "TDSHM_NO_SLOTS")
        })
        .filter(|(name, _)| name != "TDSHM_DEFAULT")
        .collect();
    let table: HashSet<(String, i32)> =
        TABLE.iter().map(|row| (row.1.to_str().unwrap().to_owned(), row.0)).collect();
    assert_eq!(defined, table);
    let numbers: HashSet<i32> = TABLE.iter().map(|row| row.0).collect();
    assert_eq!(numbers.len(), TABLE.len(), "a number has one meaning");
    assert!(TABLE.is_sorted_by_key(|row| (row.0 > 0, row.0.abs())));
}

#[test]
fn every_error_of_the_core_has_its_number_and_kind_here() {
    let name = || "n".to_owned();
    let errors: Vec<Error> = vec![
        NameError::Empty.into(),
        LockError::AlreadyHeld { name: name() }.into(),
        LockError::Unrecoverable { name: name() }.into(),
        LockError::Forked { name: name(), owner: 1 }.into(),
        LockError::Stuck { name: name(), waited: std::time::Duration::ZERO }.into(),
        LockError::Timeout { name: name(), waited: std::time::Duration::ZERO, holder: None }.into(),
        SegmentError::DoesNotExist { name: name() }.into(),
        SegmentError::InfoDoesNotExist { name: name() }.into(),
        SegmentError::BadSize { bytes: 0, limit: 1 }.into(),
        SegmentError::NoRoom { object: name(), bytes: 1 }.into(),
        SegmentError::TooManySlots { count: 9, limit: 4 }.into(),
        SegmentError::StaleDraft { name: name() }.into(),
        SegmentError::OnlyObserved { name: name(), why: "it" }.into(),
    ];
    for error in errors {
        let (code, kind, said) = (error.code(), error.kind(), error.to_string());
        assert_eq!(record(Fault::from(error)), code);
        assert_ne!(code, TDSHM_ERR_OTHER);
        assert_eq!(tdshm_last_status(), code);
        assert_eq!(last_error(), said);
        assert_eq!(tdshm_status_kind(code), kind_number(kind), "{said}");
    }
}

#[test]
fn names_and_texts_are_never_null() {
    for row in TABLE {
        assert_eq!(text(tdshm_status_name(row.0)), row.1.to_str().unwrap());
        assert!(!text(tdshm_status_text(row.0)).is_empty());
    }
    assert_eq!(text(tdshm_status_name(77_777)), "unknown");
    assert_eq!(text(tdshm_status_text(-77_777)), "an unknown status");
}

#[test]
fn the_version_is_that_of_the_header() {
    assert!(HEADER.contains(&format!("#define TDSHM_VERSION_TEXT \"{}\"", text(tdshm_version_text()))));
    let parts: Vec<u32> = text(tdshm_version_text()).split('.').map(|part| part.parse().unwrap()).collect();
    assert_eq!(tdshm_version(), parts[0] << 16 | parts[1] << 8 | parts[2]);
}

#[test]
fn a_text_is_copied_as_far_as_it_fits_at_a_whole_character() {
    record(Fault::argument("aä"));
    let mut buffer = [7_i8; 8];
    let mut needed = 0;
    ok(c!(tdshm_copy_last_error(buffer.as_mut_ptr().cast(), 4, &raw mut needed)));
    assert_eq!((needed, &buffer[..5]), (4, &[b'a' as i8, 0xc3_u8 as i8, 0xa4_u8 as i8, 0, 7][..]));
    let cut = c!(tdshm_copy_last_error(buffer.as_mut_ptr().cast(), 3, core::ptr::null_mut()));
    assert_eq!((cut, &buffer[..2]), (TDSHM_TRUNCATED, &[b'a' as i8, 0][..]));
    let none = c!(tdshm_copy_last_error(core::ptr::null_mut(), 0, &raw mut needed));
    assert_eq!((none, needed), (TDSHM_TRUNCATED, 4));
}

#[test]
fn an_error_is_of_the_thread_that_made_it() {
    record(Fault::argument("here"));
    std::thread::spawn(|| assert_eq!(last_error(), "")).join().unwrap();
    assert_eq!(last_error(), "here");
}
