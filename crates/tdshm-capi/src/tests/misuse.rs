//! Every function that takes a handle, with everything that is none.

use std::collections::HashSet;
use std::ptr::{null, null_mut};

use super::{HEADER, Name, last_error, ok};
use crate::chop::receiver::*;
use crate::chop::sender::*;
use crate::discovery::*;
use crate::lock::*;
use crate::segment::receiver::*;
use crate::segment::sender::*;
use crate::status::{
    TDSHM_ERR_ARGUMENT, TDSHM_ERR_HANDLE, TDSHM_ERR_IN_USE, TDSHM_ERR_PANIC, TDSHM_OK, tdshm_status_t,
};
use crate::top::receiver::*;
use crate::top::sender::*;

/// What stands for an argument that nobody looks at, or nothing.
trait Nothing {
    fn nothing() -> Self;
}

impl<T> Nothing for *mut T {
    fn nothing() -> Self {
        null_mut()
    }
}

impl<T> Nothing for *const T {
    fn nothing() -> Self {
        null()
    }
}

macro_rules! numbers {
    ($($number:ty),*) => {$(
        impl Nothing for $number {
            fn nothing() -> Self {
                <$number>::default()
            }
        }
    )*};
}
numbers!(i32, i64, u32, u64, usize, f32);

/// A function whose first argument is a handle.
trait TakesHandle {
    /// Calls it with that handle, and nothing else.
    fn call(&self, handle: usize) -> tdshm_status_t;
}

macro_rules! takes_handle {
    ($($argument:ident)*) => {
        impl<H, $($argument: Nothing),*> TakesHandle for unsafe extern "C" fn(*mut H, $($argument),*) -> tdshm_status_t {
            fn call(&self, handle: usize) -> tdshm_status_t {
                c!(self(core::ptr::without_provenance_mut(handle), $($argument::nothing()),*))
            }
        }
    };
}
takes_handle!();
takes_handle!(A);
takes_handle!(A B);
takes_handle!(A B C);
takes_handle!(A B C D);
takes_handle!(A B C D E);
takes_handle!(A B C D E F);

struct Entry {
    name: &'static str,
    kind: &'static str,
    function: Box<dyn TakesHandle + Send + Sync>,
}

macro_rules! entries {
    ($($kind:ident: $($name:ident($($argument:tt)*))+;)+) => {
        vec![$($(Entry {
            name: stringify!($name),
            kind: stringify!($kind),
            function: Box::new($name as unsafe extern "C" fn($($argument)*) -> tdshm_status_t),
        }),+),+]
    };
}

fn entries() -> Vec<Entry> {
    entries! {
        lock:
            tdshm_lock_free(_)
            tdshm_lock_acquire(_, _, _)
            tdshm_lock_try_acquire(_, _)
            tdshm_lock_release(_)
            tdshm_lock_holder(_, _)
            tdshm_lock_name(_, _, _, _);
        sender:
            tdshm_sender_free(_)
            tdshm_sender_lock(_, _, _, _, _)
            tdshm_sender_try_lock(_, _, _, _)
            tdshm_sender_unlock(_)
            tdshm_sender_memory(_, _, _)
            tdshm_sender_resize(_, _, _, _)
            tdshm_sender_detach(_, _)
            tdshm_sender_name(_, _, _, _)
            tdshm_sender_stats(_, _)
            tdshm_sender_set_lock_limit(_, _);
        receiver:
            tdshm_receiver_free(_)
            tdshm_receiver_lock(_, _, _, _, _)
            tdshm_receiver_try_lock(_, _, _, _)
            tdshm_receiver_unlock(_)
            tdshm_receiver_memory(_, _, _)
            tdshm_receiver_wait(_, _)
            tdshm_receiver_state(_, _)
            tdshm_receiver_attached(_, _)
            tdshm_receiver_is_observer(_, _)
            tdshm_receiver_name(_, _, _, _)
            tdshm_receiver_stats(_, _)
            tdshm_receiver_set_lock_limit(_, _)
            tdshm_receiver_close(_);
        chop_sender:
            tdshm_chop_sender_send(_, _, _, _)
            tdshm_chop_sender_send_rows(_, _, _, _)
            tdshm_chop_sender_begin(_, _, _, _)
            tdshm_chop_sender_commit(_)
            tdshm_chop_sender_discard(_)
            tdshm_chop_sender_set_channels(_, _, _)
            tdshm_chop_sender_set_sample_rate(_, _)
            tdshm_chop_sender_set_names_sent(_, _)
            tdshm_chop_sender_free(_)
            tdshm_chop_sender_detach(_, _)
            tdshm_chop_sender_name(_, _, _, _)
            tdshm_chop_sender_stats(_, _)
            tdshm_chop_sender_frames(_, _)
            tdshm_chop_sender_room(_, _)
            tdshm_chop_sender_set_lock_limit(_, _);
        chop_receiver:
            tdshm_chop_receiver_free(_)
            tdshm_chop_receiver_next(_, _, _)
            tdshm_chop_receiver_read(_, _)
            tdshm_chop_receiver_frame(_, _)
            tdshm_chop_receiver_read_into(_, _, _, _)
            tdshm_chop_receiver_channel_name(_, _, _, _)
            tdshm_chop_receiver_find_channel(_, _, _, _)
            tdshm_chop_receiver_view(_, _)
            tdshm_chop_receiver_end_view(_)
            tdshm_chop_receiver_state(_, _)
            tdshm_chop_receiver_attached(_, _)
            tdshm_chop_receiver_name(_, _, _, _)
            tdshm_chop_receiver_stats(_, _)
            tdshm_chop_receiver_set_lock_limit(_, _)
            tdshm_chop_receiver_set_spin(_, _)
            tdshm_chop_receiver_close(_);
        top_sender:
            tdshm_top_sender_send(_, _)
            tdshm_top_sender_keep(_, _)
            tdshm_top_sender_begin(_, _, _, _, _)
            tdshm_top_sender_commit(_)
            tdshm_top_sender_discard(_)
            tdshm_top_sender_set_aspect(_, _, _)
            tdshm_top_sender_set_colour(_, _)
            tdshm_top_sender_free(_)
            tdshm_top_sender_detach(_, _)
            tdshm_top_sender_name(_, _, _, _)
            tdshm_top_sender_stats(_, _)
            tdshm_top_sender_frames(_, _)
            tdshm_top_sender_room(_, _)
            tdshm_top_sender_set_lock_limit(_, _);
        top_receiver:
            tdshm_top_receiver_free(_)
            tdshm_top_receiver_next(_, _, _)
            tdshm_top_receiver_read(_, _)
            tdshm_top_receiver_frame(_, _)
            tdshm_top_receiver_read_into(_, _, _, _, _, _)
            tdshm_top_receiver_convert(_, _, _, _, _, _, _)
            tdshm_top_receiver_view(_, _)
            tdshm_top_receiver_end_view(_)
            tdshm_top_receiver_state(_, _)
            tdshm_top_receiver_attached(_, _)
            tdshm_top_receiver_name(_, _, _, _)
            tdshm_top_receiver_stats(_, _)
            tdshm_top_receiver_set_lock_limit(_, _)
            tdshm_top_receiver_set_spin(_, _)
            tdshm_top_receiver_close(_);
        list:
            tdshm_list_count(_, _)
            tdshm_list_at(_, _, _)
            tdshm_list_receiver(_, _, _, _)
            tdshm_list_channel_name(_, _, _, _)
            tdshm_list_free(_);
        swept:
            tdshm_swept_count(_, _)
            tdshm_swept_at(_, _, _)
            tdshm_swept_free(_);
        examination:
            tdshm_examination_count(_, _)
            tdshm_examination_at(_, _, _)
            tdshm_examination_deviation(_, _, _, _)
            tdshm_examination_free(_);
    }
}

/// A living handle of each kind.
struct Zoo {
    handles: Vec<(&'static str, usize)>,
    /// What is left of them goes last.
    _names: Vec<Name>,
}

impl Zoo {
    fn new(test: &str) -> Self {
        let names: Vec<Name> = (0..3).map(|_| Name::new(test)).collect();
        let mut handles = Vec::new();
        macro_rules! made {
            ($kind:literal, $make:expr) => {{
                let mut handle = null_mut();
                ok(c!($make(&raw mut handle)));
                assert!(!handle.is_null());
                handles.push(($kind, handle.addr()));
            }};
        }
        let lock = format!("TouchSHM{}Mutex", names[0].0);
        let ((text, bytes), (chop, chop_bytes), (top, top_bytes)) =
            (names[0].text(), names[1].text(), names[2].text());
        made!("sender", |to| tdshm_sender_create(text, bytes, 64, null(), to));
        made!("receiver", |to| tdshm_receiver_open(text, bytes, null(), to));
        made!("lock", |to| tdshm_lock_open(lock.as_ptr().cast(), lock.len(), to));
        made!("chop_sender", |to| tdshm_chop_sender_create(chop, chop_bytes, null(), to));
        made!("chop_receiver", |to| tdshm_chop_receiver_open(chop, chop_bytes, null(), to));
        made!("top_sender", |to| tdshm_top_sender_create(top, top_bytes, null(), to));
        made!("top_receiver", |to| tdshm_top_receiver_open(top, top_bytes, null(), to));
        made!("list", |to| tdshm_inspect(text, bytes, to));
        made!("swept", |to| {
            let name = crate::caller::tdshm_text_t { text, bytes };
            tdshm_clean(&raw const name, 1, 1, to)
        });
        made!("examination", |to| tdshm_examine(text, bytes, to));
        Self { _names: names, handles }
    }
}

impl Zoo {
    fn of(&self, kind: &str) -> usize {
        self.handles.iter().find(|(other, _)| *other == kind).unwrap().1
    }

    fn free(&self) {
        for entry in entries().iter().filter(|entry| entry.name.ends_with("_free")) {
            ok(entry.function.call(self.of(entry.kind)));
        }
    }
}

/// Functions of the header whose first argument is a handle, with its kind.
fn declared() -> HashSet<(String, String)> {
    let code = HEADER.split("/**").filter_map(|part| part.split_once("*/")).map(|(_, code)| code);
    code.filter_map(|code| {
        let (name, rest) = code.trim().split_once('(')?;
        let name = name.split_whitespace().next_back()?.trim_start_matches('*');
        let first = rest.split([',', ')']).next()?.trim().strip_prefix("struct tdshm_")?;
        let (kind, argument) = first.split_once("_t *")?;
        // Two stars: a handle comes out.
        (!argument.starts_with('*') && HANDLES.contains(&kind)).then(|| (name.to_owned(), kind.to_owned()))
    })
    .collect()
}

const HANDLES: &[&str] = &[
    "lock",
    "sender",
    "receiver",
    "chop_sender",
    "chop_receiver",
    "top_sender",
    "top_receiver",
    "list",
    "swept",
    "examination",
];

#[test]
fn the_table_has_every_function_of_the_header() {
    let table: HashSet<(String, String)> =
        entries().iter().map(|entry| (entry.name.to_owned(), entry.kind.to_owned())).collect();
    assert_eq!(table, declared());
    assert!(table.len() > 90, "{}", table.len());
    for kind in HANDLES {
        assert!(
            HEADER.contains(&format!("typedef struct tdshm_{kind}_t tdshm_{kind}_t;")),
            "{kind} is opaque"
        );
    }
}

#[test]
fn what_is_no_handle_is_refused_by_every_function() {
    let zoo = Zoo::new("no");
    let here = 0_u64;
    let garbage = [
        1,
        8,
        usize::MAX,
        usize::MAX / 2,
        0x5151_5151_5151_5151,
        0x5400_0000_0001_ffff,
        0xdead_beef,
        (&raw const here).addr(),
        Box::leak(Box::new(7_u64)) as *const u64 as usize,
        what_is_no_handle_is_refused_by_every_function as fn() as usize,
    ];
    for entry in entries() {
        for handle in garbage {
            assert_eq!(entry.function.call(handle), TDSHM_ERR_HANDLE, "{} of {handle:#x}", entry.name);
            assert!(last_error().contains("no handle of that kind"), "{}", entry.name);
        }
        let of_null = if entry.name.ends_with("_free") { TDSHM_OK } else { TDSHM_ERR_HANDLE };
        assert_eq!(entry.function.call(0), of_null, "{}", entry.name);
        for (kind, handle) in &zoo.handles {
            if *kind != entry.kind {
                assert_eq!(entry.function.call(*handle), TDSHM_ERR_HANDLE, "{} of a {kind}", entry.name);
            }
            // One bit beside a living one: of its kind, or of how many objects its slot had. The lower ones may lead to what
            // other tests have, who run at the same time.
            for bit in 30..64 {
                let beside = handle ^ (1 << bit);
                let living = zoo.handles.iter().any(|(_, other)| *other == beside);
                if !living {
                    assert_eq!(
                        entry.function.call(beside),
                        TDSHM_ERR_HANDLE,
                        "{} of {beside:#x}",
                        entry.name
                    );
                }
            }
        }
    }
    zoo.free();
}

#[test]
fn a_freed_handle_is_refused_also_where_its_slot_has_another_object() {
    let zoo = Zoo::new("fr");
    zoo.free();
    let again = Zoo::new("fs");
    for entry in entries() {
        assert_eq!(entry.function.call(zoo.of(entry.kind)), TDSHM_ERR_HANDLE, "{}", entry.name);
    }
    again.free();
}

#[test]
fn a_living_handle_and_nothing_else_is_a_status() {
    for entry in entries().iter().filter(|entry| !entry.name.ends_with("_free")) {
        let zoo = Zoo::new("nu");
        let status = entry.function.call(zoo.of(entry.kind));
        assert!(status != TDSHM_ERR_PANIC && status != TDSHM_ERR_HANDLE, "{}: {}", entry.name, last_error());
        if status == TDSHM_ERR_ARGUMENT {
            assert!(!last_error().is_empty(), "{}", entry.name);
        }
        zoo.free();
    }
}

#[test]
fn two_threads_and_a_third_that_frees_get_statuses() {
    let zoo = Zoo::new("th");
    let all = entries();
    std::thread::scope(|scope| {
        for part in 0..2 {
            let (zoo, all) = (&zoo, &all);
            scope.spawn(move || {
                for round in 0..200 {
                    for entry in all.iter().skip(part * round % 7) {
                        // One that is detached is no use to others, and lists of all take long.
                        if !entry.name.ends_with("_free") && !entry.name.ends_with("_detach") {
                            let status = entry.function.call(zoo.of(entry.kind));
                            assert_ne!(status, TDSHM_ERR_PANIC, "{}: {}", entry.name, last_error());
                        }
                    }
                }
            });
        }
        scope.spawn(|| {
            for entry in all.iter().filter(|entry| entry.name.ends_with("_free")) {
                while entry.function.call(zoo.of(entry.kind)) == TDSHM_ERR_IN_USE {
                    std::thread::yield_now();
                }
            }
        });
    });
    for entry in &all {
        if !entry.name.ends_with("_free") {
            assert_eq!(entry.function.call(zoo.of(entry.kind)), TDSHM_ERR_HANDLE, "{}", entry.name);
        }
    }
}
