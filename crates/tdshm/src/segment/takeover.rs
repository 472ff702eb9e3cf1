//! Getting a name: making it, or taking it over from an owner that has died or left (wire §6).
//!
//! All of it happens under one hold of the info lock, so two senders that come at once see each other whole.

use std::time::{Duration, Instant};

use crate::error::{Error, Occupant, SegmentError, object_error};
use crate::mem::{OutOfBounds, Region};
use crate::name::ShortName;
use crate::notice::Extension;
use crate::segment::block;
use crate::segment::clean::sweep_after;
use crate::step::step;
use crate::sys::{
    Access, Make, NAMES_DIE_WITH_HANDLES, OWNER_IS_A_RECORD, Object, ObjectError, Peek, Process,
};
use crate::wire::info::{self, InfoBlock, Layout, Postfix};
use crate::wire::{chop, lock, notice};

/// How long a name may be held by somebody who is neither its owner nor one of the owner's children: `clean`
/// at work, which takes microseconds.
const PATIENCE: Duration = Duration::from_millis(200);

/// What a sender asks for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Request<'r> {
    pub(super) short: &'r ShortName,
    pub(super) bytes: usize,
    /// What will do where memory is short.
    pub(super) least: usize,
    pub(super) access: Access,
    /// Take the name also from a foreign sender, of which nobody can tell whether it lives.
    pub(super) force: bool,
    /// What the block will hold: a flag of wire §11.
    pub(super) flags: u32,
}

/// A name that was got.
#[derive(Debug)]
pub(super) struct Claim {
    pub(super) info: Object,
    pub(super) data: Object,
    pub(super) layout: Layout,
    pub(super) postfix: Postfix,
}

/// Gets the name. The caller holds the info lock.
pub(super) fn claim(request: &Request<'_>) -> Result<Claim, Error> {
    let me = Process::current();
    let (info, fresh) = claim_info(request, me)?;
    step!("claim: info");
    if fresh {
        return create_data(request, info);
    }
    take_over(request, info, me)
}

/// Makes the info segment, or becomes the owner of the one that is there. `true`: it is new.
fn claim_info(request: &Request<'_>, me: Process) -> Result<(Object, bool), Error> {
    let name = request.short.info_segment();
    let make = Make {
        bytes: notice::INFO_SEGMENT_BYTES,
        least: notice::INFO_SEGMENT_BYTES,
        access: request.access,
        owned: true,
        replaces: None,
    };
    let fresh = |region: Region<'_>| {
        // The block last: where others may see half of it, they see none.
        let _ = Extension::set_up(region, me, request.flags);
        block::write(region, &InfoBlock::fresh(block::NATIVE))
            .map_err(|OutOfBounds| ObjectError::TooSmall { bytes: region.len(), needed: info::LEAST_BYTES })
    };
    let begin = Instant::now();
    loop {
        match Object::create(&name, make, fresh) {
            Ok(info) => return Ok((info, true)),
            Err(ObjectError::Exists) => {}
            Err(error) => return Err(object_error(error, &name).into()),
        }
        let info = match Object::open(&name, info::LEAST_BYTES) {
            Ok(info) => info,
            // It went away in this moment.
            Err(ObjectError::Absent) if begin.elapsed() < PATIENCE => continue,
            Err(error) => return Err(object_error(error, &name).into()),
        };
        let taken = |by| SegmentError::InfoAlreadyExists {
            name: request.short.as_str().to_owned(),
            object: name.clone(),
            by,
        };
        let left = block::read(info.region()).is_ok_and(|block| block.detached());
        let owner = Extension::of(info.region()).and_then(Extension::owner);
        let recorded = owner.filter(|_| !left);
        if !info.own(recorded).map_err(|error| object_error(error, &name))? {
            match owner {
                Some(owner) if owner.lives() => return Err(taken(Occupant::Process(owner.pid)).into()),
                _ if begin.elapsed() < PATIENCE => {
                    std::thread::sleep(Duration::from_millis(1));
                    continue;
                }
                owner => {
                    let heirs = info.owners(recorded);
                    let owner = owner.map(|owner| owner.pid).or(heirs.first().copied()).unwrap_or(0);
                    // Out of sight (another container, another user): it counts as alive.
                    let alive = heirs.is_empty() || heirs.contains(&owner);
                    let by = if alive { Occupant::Process(owner) } else { Occupant::Heirs { owner, heirs } };
                    return Err(taken(by).into());
                }
            }
        }
        if !info.leads_here() {
            continue; // its last owner left, or `clean` was here, between opening and owning it
        }
        let begins = info.region().read::<[u8; 8]>(0).unwrap_or_default();
        if begins == lock::MAGIC || begins.starts_with(&chop::MAGIC.to_le_bytes()) {
            info.disown();
            let reason =
                "it belongs to another segment, as its lock or its data: use another name".to_owned();
            return Err(SegmentError::NotOurs { object: name, reason }.into());
        }
        let ours = Extension::of(info.region()).is_some();
        // Where an object has its name before it is complete, somebody of ours may have died in between; a foreign program
        // gets the time to write there.
        let blank = OWNER_IS_A_RECORD && begins == [0; 8];
        if blank && begin.elapsed() < PATIENCE {
            std::thread::sleep(Duration::from_millis(1));
            continue;
        }
        if ours || blank || left || request.force {
            return Ok((info, false));
        }
        info.disown();
        return Err(taken(Occupant::Foreign).into());
    }
}

/// Makes the data segment beside a new info segment.
fn create_data(request: &Request<'_>, info: Object) -> Result<Claim, Error> {
    let name = request.short.data_segment();
    let begin = Instant::now();
    let created = loop {
        match create_blank(request, &name) {
            // Its last owner, or a receiver, closes one object after the other.
            Err(ObjectError::Exists) if NAMES_DIE_WITH_HANDLES && begin.elapsed() < PATIENCE => {
                std::thread::sleep(Duration::from_millis(1));
            }
            created => break created,
        }
    };
    match created {
        Ok(data) => Ok(Claim { info, data, layout: block::NATIVE, postfix: Postfix::default() }),
        Err(ObjectError::Exists) => match data_without_info(request, name) {
            Ok(()) => take_over(request, info, Process::current()),
            Err(error) => {
                info.unlink();
                Err(error.into())
            }
        },
        Err(error) => {
            info.unlink();
            Err(object_error(error, &name).into())
        }
    }
}

/// Whether data that stands without info may be taken over: a foreign sender's, when that is asked for.
fn data_without_info(request: &Request<'_>, object: String) -> Result<(), SegmentError> {
    let mut by = Occupant::Foreign;
    if let Ok(data) = Peek::open(&object) {
        if let Some(reason) = what_stands_there(&data) {
            return Err(SegmentError::NotOurs { object, reason: reason.to_owned() });
        }
        if data.is_owned(None) {
            by = Occupant::Process(data.owners(None).first().copied().unwrap_or(0));
        }
    }
    if request.force && by == Occupant::Foreign {
        return Ok(());
    }
    Err(SegmentError::AlreadyExists { name: request.short.as_str().to_owned(), object, by })
}

fn create_blank(request: &Request<'_>, name: &str) -> Result<Object, ObjectError> {
    let (bytes, least, access) = (request.bytes, request.least, request.access);
    let make = Make { bytes, least, access, owned: true, replaces: None };
    Object::create(name, make, |_| Ok(()))
}

/// Puts a data segment of its own behind an info segment that this process owns already.
fn take_over(request: &Request<'_>, info: Object, me: Process) -> Result<Claim, Error> {
    let region = info.region();
    let before = block::read(region).ok();
    let layout = before.map_or(block::NATIVE, |block| block.layout.written());
    let postfix = Postfix::random();
    let name = request.short.data_segment_with(postfix);
    let data = create_blank(request, &name).map_err(|error| object_error(error, &name))?;
    step!("take-over: data");

    // Detached until the last line, so that nobody attaches to half of it.
    let block = InfoBlock {
        postfix: Ok(postfix),
        detach: u8::from(before.is_none_or(|block| block.detached())),
        supported: before.map_or(0, |block| block.supported),
        ..InfoBlock::fresh(layout)
    };
    let wrong_size = |OutOfBounds| SegmentError::TooSmall {
        object: request.short.info_segment(),
        bytes: region.len(),
        needed: info::LEAST_BYTES,
    };
    block::write(region, &block).map_err(wrong_size)?;
    step!("take-over: published");
    match Extension::of(region) {
        Some(extension) => {
            let died = extension.owner();
            extension.renew();
            extension.set_flags(request.flags);
            extension.set_owner(me);
            if let Some(died) = died {
                tracing::info!(target: "tdshm::segment", name = %request.short, pid = died.pid, "taken over from the dead");
            }
        }
        // A foreign sender's may have no room for it: then there are no notices.
        None => drop(Extension::set_up(region, me, request.flags)),
    }
    step!("take-over: owner");
    if let Ok(detach) = region.atomic_u8(layout.detach_at()) {
        detach.store(0, core::sync::atomic::Ordering::Release);
    }
    step!("take-over: attached");
    let old = before.and_then(|block| block.postfix.ok());
    for name in [request.short.data_segment(), request.short.data_segment_with(old.unwrap_or_default())] {
        if let Ok(old) = Peek::open(&name)
            && !old.is_owned(None)
            && what_stands_there(&old).is_none()
        {
            old.unlink();
        }
    }
    sweep_after(request.short, &name);
    Ok(Claim { info, data, layout, postfix })
}

/// What a name is already that somebody else made it for, by its first bytes: short names may end in anything, so
/// one segment's data may have the name of another one's lock.
fn what_stands_there(object: &Peek) -> Option<&'static str> {
    let mut first = [0; 8];
    let found = object.read(0, &mut first).unwrap_or(0);
    let first = first.get(..found).unwrap_or_default();
    if first.starts_with(&lock::MAGIC) {
        Some("it is the lock of another segment: use another name")
    } else if first.starts_with(&info::MAGIC.to_le_bytes()) {
        Some("it is the info segment of another segment: use another name")
    } else {
        None
    }
}
