//! Sweeping up what the dead left behind (wire §6).
//!
//! Nothing is mapped, and nothing that somebody may still use is touched: a segment is removed only by whoever
//! becomes its owner, which the system grants to one process at a time and to nobody while the owner lives; a
//! lock only when nobody has it open.

use std::time::Duration;

use crate::error::{Error, OsError, SegmentError, object_error};
use crate::lock::NamedLock;
use crate::name::{INFO_SUFFIX, LOCK_SUFFIX, PREFIX, ShortName};
use crate::segment::block;
use crate::segment::inspect::{extension, owner, short_names};
use crate::step::step;
use crate::sys::{self, ObjectError, Peek, Process};
use crate::wire::info::Postfix;
use crate::wire::{info, lock, notice};

/// How long the info lock is waited for, where it is needed: a sender that comes holds it for some microseconds.
const LOCK_LIMIT: Duration = Duration::from_millis(200);

/// One object that was swept up, or left where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Swept {
    /// The object's name.
    pub object: String,
    /// What it is.
    pub kind: SweptKind,
    /// What became of it.
    pub fate: Fate,
}

/// What an object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SweptKind {
    /// An info segment.
    Info,
    /// A data segment.
    Data,
    /// A lock.
    Lock,
}

/// What became of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fate {
    /// It has been removed, or would be, in a dry run.
    Removed,
    /// A living process owns it.
    InUse {
        /// That process, where it is known.
        pid: Option<u32>,
    },
    /// A foreign program made it, and nobody can tell whether that still lives.
    Foreign,
    /// Its owner has died, and receivers still have it open, which keeps it there (Windows). They have been told, or would
    /// be, in a dry run, and it goes when the last of them lets go.
    HeldOpen,
    /// This user may not look at it, or not remove it: most often it is another user's.
    OutOfReach {
        /// What stands in the way.
        reason: String,
    },
}

/// Removes what dead senders left behind, and locks that nobody has open: of the segments `names`, or of all
/// where there are none. With `dry_run` it only says what it would do.
///
/// Receivers that are still attached to a dead sender are told, and let go of it. Those that sleep see it within 100 ms:
/// nothing is mapped here, so nobody is woken. A sender that comes meanwhile gets the name, before or after.
///
/// # Platform
///
/// Linux: files in `/dev/shm`. Windows: an object goes by itself when nobody has it open any more, so there is nothing to
/// remove; what receivers keep of a dead sender is marked as detached, upon which those of this library let go, and say
/// that it died.
/// macOS: what the name directory knows of; locks stay, because nobody can tell whether they are in use.
///
/// # Errors
///
/// [`Error::Name`], and [`SegmentError::Os`] when the objects cannot be listed. What may not be opened or removed stays,
/// as [`Fate::OutOfReach`].
///
/// # Source
///
/// wire §6.
///
/// ```no_run
/// use tdshm::{DryRun, Fate};
///
/// for swept in tdshm::clean(&[], DryRun::Yes)? {
///     if swept.fate == Fate::Removed {
///         println!("{} would go", swept.object);
///     }
/// }
/// # Ok::<(), tdshm::Error>(())
/// ```
#[doc(alias("shm_unlink", "sweep"))]
pub fn clean(names: &[&str], dry_run: DryRun) -> Result<Vec<Swept>, Error> {
    let objects = sys::object_names(PREFIX).map_err(|source| {
        SegmentError::Os(OsError {
            operation: "list",
            object: "the shared-memory objects".to_owned(),
            source,
        })
    })?;
    let wanted: Vec<ShortName> = if names.is_empty() {
        all_names(&objects)
    } else {
        names.iter().map(|name| ShortName::new(name)).collect::<Result<_, _>>()?
    };
    let mut swept = Vec::new();
    for name in &wanted {
        sweep(name, &objects, dry_run, &mut swept);
    }
    Ok(swept)
}

/// Whether [`clean`] removes anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DryRun {
    /// It does.
    No,
    /// It only says what it would remove.
    Yes,
}

/// Every short name of which there is at least a lock.
fn all_names(objects: &[String]) -> Vec<ShortName> {
    let mut names = short_names(objects);
    let of_locks = objects.iter().filter_map(|object| {
        let object = object.strip_prefix(PREFIX)?.strip_suffix(LOCK_SUFFIX)?;
        let info = object.strip_prefix(PREFIX).and_then(|rest| rest.strip_suffix(INFO_SUFFIX));
        ShortName::new(info.unwrap_or(object)).ok()
    });
    names.extend(of_locks);
    names.sort();
    names.dedup();
    names
}

fn sweep(name: &ShortName, objects: &[String], dry_run: DryRun, swept: &mut Vec<Swept>) {
    let info_name = name.info_segment();
    let live = match Peek::open_to_write(&info_name) {
        Ok(info) => {
            let fate = sweep_info(name, &info, objects, dry_run, swept);
            // Dead, though it stays where the system does not let this user remove it.
            let live = !matches!(fate, Fate::Removed | Fate::OutOfReach { .. });
            swept.push(Swept { object: info_name, kind: SweptKind::Info, fate });
            live
        }
        Err(ObjectError::Absent) => false,
        Err(error) => {
            // Whoever may look at it finds out whether its sender lives. What else of it is out of reach is told too.
            out_of_reach(info_name, SweptKind::Info, error, swept);
            for object in data_objects(name, objects) {
                if let Err(error) = Peek::open_to_write(&object) {
                    out_of_reach(object, SweptKind::Data, error, swept);
                }
            }
            for lock in [name.data_lock(), name.info_lock()] {
                if let Err(error) = Peek::open(&lock) {
                    out_of_reach(lock, SweptKind::Lock, error, swept);
                }
            }
            true
        }
    };
    if !live {
        sweep_strays(name, "", objects, None, dry_run, swept);
        let data = name.data_segment();
        if !swept.iter().any(|swept| swept.object == data) {
            match Peek::open(&data) {
                // Data without info is a foreign sender's: one of ours leaves the info segment last.
                Ok(_) => swept.push(Swept { object: data, kind: SweptKind::Data, fate: Fate::Foreign }),
                Err(error) => out_of_reach(data, SweptKind::Data, error, swept),
            }
        }
        for lock in [name.data_lock(), name.info_lock()] {
            sweep_lock(lock, dry_run, swept);
        }
    }
}

/// Tells of an object that could not be opened, if there is one.
fn out_of_reach(object: String, kind: SweptKind, error: ObjectError, swept: &mut Vec<Swept>) {
    let reason = match error {
        ObjectError::Absent => return,
        // What to do about it depends on what was wanted.
        ObjectError::NotOurs(reason) => reason.split(": ").next().unwrap_or_default().to_owned(),
        error => object_error(error, &object).to_string(),
    };
    swept.push(Swept { object, kind, fate: Fate::OutOfReach { reason } });
}

/// Removes the name of an object, where the system allows it.
fn unlink(object: &Peek) -> Fate {
    object.unlink();
    if object.leads_here() {
        Fate::OutOfReach { reason: "the system does not let this user remove it".to_owned() }
    } else {
        Fate::Removed
    }
}

/// Removes an info segment and its data, as their owner.
fn sweep_info(
    name: &ShortName,
    info: &Peek,
    objects: &[String],
    dry_run: DryRun,
    swept: &mut Vec<Swept>,
) -> Fate {
    // Where becoming the owner is no more than writing that down, the lock keeps two from doing so at once.
    let lock = if sys::OWNER_IS_A_RECORD && dry_run == DryRun::No {
        NamedLock::open_as_guest(&name.info_lock()).ok().flatten()
    } else {
        None
    };
    let held = lock.as_ref().map(|lock| lock.lock_timeout(LOCK_LIMIT));
    let Some(before) = extension(info) else { return Fate::Foreign };
    let block = block::peek(info).ok();
    let owner = owner(&before);
    let recorded = owner.filter(|_| !block.is_some_and(|block| block.detached()));
    let in_use = Fate::InUse { pid: owner.map(|process| process.pid) };
    if matches!(held, Some(Err(_))) {
        return in_use;
    }
    if info.is_owned(recorded) || !(dry_run == DryRun::Yes || info.own(recorded)) {
        let current = block.and_then(|block| block.postfix.ok()).unwrap_or_default();
        sweep_strays(name, &name.data_segment_with(current), objects, recorded, dry_run, swept);
        return in_use;
    }
    if !info.leads_here() {
        return Fate::Removed; // somebody else swept it, or took it over and left
    }
    step!("clean: owned");
    if dry_run == DryRun::No {
        // The owner stays written there, which tells receivers that it did not leave by itself.
        let layout = block.map_or(block::NATIVE, |block| block.layout.written());
        let _ = info.write(layout.detach_at(), &[1]);
    }
    step!("clean: detached");
    if sys::NAMES_DIE_WITH_HANDLES {
        return Fate::HeldOpen;
    }
    for object in data_objects(name, objects) {
        remove(&object, None, dry_run, swept);
    }
    step!("clean: data");
    if dry_run == DryRun::No { unlink(info) } else { Fate::Removed }
}

/// Removes data segments of ours that nobody owns, but not `keep`: a sender that died in a move left them. Ours are
/// known by their postfix, and owned from before they have a name until their sender ends; `owner` is who is
/// recorded as theirs.
fn sweep_strays(
    name: &ShortName,
    keep: &str,
    objects: &[String],
    owner: Option<Process>,
    dry_run: DryRun,
    swept: &mut Vec<Swept>,
) {
    for object in data_objects(name, objects) {
        if object != keep
            && object != name.data_segment()
            && !swept.iter().any(|swept| swept.object == object)
        {
            remove(&object, owner, dry_run, swept);
        }
    }
}

/// What a sender that comes or leaves sweeps of its predecessors, which died.
pub(super) fn sweep_after(name: &ShortName, keep: &str) {
    if sys::NAMES_DIE_WITH_HANDLES {
        return; // the dead leave nothing
    }
    let objects = sys::object_names(&name.data_segment()).unwrap_or_default();
    sweep_strays(name, keep, &objects, None, DryRun::No, &mut Vec::new());
}

/// The data segments of that name: the plain one, and those with a postfix of ours.
fn data_objects(name: &ShortName, objects: &[String]) -> Vec<String> {
    let plain = name.data_segment();
    let ours = |object: &&String| {
        let postfix = object.strip_prefix(&plain);
        postfix.is_some_and(|p| p.is_empty() || Postfix::is_ours(p))
    };
    objects.iter().filter(ours).cloned().collect()
}

/// Removes a data segment that nobody owns.
fn remove(object: &str, owner: Option<Process>, dry_run: DryRun, swept: &mut Vec<Swept>) {
    if sys::NAMES_DIE_WITH_HANDLES {
        return; // what is there is open
    }
    let peek = match Peek::open_to_write(object) {
        Ok(peek) => peek,
        Err(error) => return out_of_reach(object.to_owned(), SweptKind::Data, error, swept),
    };
    if peek.is_owned(owner) || (dry_run == DryRun::No && !peek.own(owner)) {
        return;
    }
    let fate = if dry_run == DryRun::No { unlink(&peek) } else { Fate::Removed };
    swept.push(Swept { object: object.to_owned(), kind: SweptKind::Data, fate });
}

/// Removes a lock that nobody has open. What has the name of one and is none stays.
fn sweep_lock(object: String, dry_run: DryRun, swept: &mut Vec<Swept>) {
    let peek = match Peek::open(&object) {
        Ok(peek) => peek,
        Err(error) => return out_of_reach(object, SweptKind::Lock, error, swept),
    };
    let mut magic = [0; lock::MAGIC.len()];
    if peek.read(0, &mut magic).ok() != Some(magic.len()) || magic != lock::MAGIC {
        return;
    }
    let fate = if peek.claim_unused() {
        step!("clean: lock claimed");
        if dry_run == DryRun::No { unlink(&peek) } else { Fate::Removed }
    } else {
        Fate::InUse { pid: None }
    };
    swept.push(Swept { object, kind: SweptKind::Lock, fate });
}

const _: () = assert!(info::MOST_BYTES <= notice::OFFSET);
