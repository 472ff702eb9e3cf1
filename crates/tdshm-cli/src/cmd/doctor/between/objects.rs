//! The objects of a segment: which there are, whose they are, and who may use them.

use tdshm::{ObjectAccess, ObjectReport, ObjectRole, ShortName};

use crate::cmd::doctor::between::names::START_IT;
use crate::cmd::doctor::check::{self, Check};
use crate::cmd::doctor::report::{Report, Verdict};
use crate::say;

pub(super) const REMOVE_IT: &str = "find out which program made it, and remove it once nobody uses it";
const SAME_USER: &str = "run both programs as one user; or let the sender share it (`mode(0o660)` and a common group), and start it again";
const SAME_RIGHTS: &str =
    "start both programs in the same way: neither as administrator nor as a service, in one session";
const WIDEN: &str =
    "let the sender widen its mode to 0o660 or 0o666: TouchDesigner and others write here what they take";
/// Whether whoever may write an object may also make it smaller, which kills those who read it (wire §2).
const SHRINKS: bool = cfg!(target_os = "linux");

/// What there is to go on with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    Nothing,
    /// There is a segment, out of reach.
    OutOfReach,
    Readable,
}

/// Tells of each object that is there.
pub(super) fn check(report: &mut Report, name: &ShortName) -> Found {
    let objects = match tdshm::objects(name.as_str()) {
        Ok(objects) => objects,
        Err(error) => {
            report.failed(check::OBJECTS_KIND, error.to_string(), REMOVE_IT);
            return Found::OutOfReach;
        }
    };
    let is_segment =
        |object: &&ObjectReport| !matches!(object.role, ObjectRole::DataLock | ObjectRole::InfoLock);
    let segments: Vec<&ObjectReport> = objects.iter().filter(is_segment).collect();
    if segments.is_empty() {
        let locks = match objects.len() {
            0 => "",
            _ => "; locks of that name are there, so there was one once, or a receiver waits for it",
        };
        report.failed(
            check::OBJECTS_NONE,
            format!("there is no segment named {:?}{locks}", name.as_str()),
            START_IT,
        );
        return Found::Nothing;
    }
    for object in &objects {
        presence(report, object);
    }
    for role in [ObjectRole::DataLock, ObjectRole::InfoLock] {
        if !objects.iter().any(|object| object.role == role) {
            let (what, _) = words(role);
            report.seen(
                check::OBJECTS_LOCKS,
                format!("nobody has made {what} yet: whoever needs it first does"),
            );
        }
    }
    for object in &objects {
        rights(report, object);
    }
    let is_refused = |object: &&&ObjectReport| {
        matches!(object.role, ObjectRole::Info | ObjectRole::Data)
            && matches!(object.access, ObjectAccess::Refused(_))
    };
    if segments.iter().find(is_refused).is_some() { Found::OutOfReach } else { Found::Readable }
}

/// What an object is called, and the check that is about it.
fn words(role: ObjectRole) -> (&'static str, Check) {
    match role {
        ObjectRole::Info => ("the info segment", check::OBJECTS_INFO),
        ObjectRole::Data => ("the data segment", check::OBJECTS_DATA),
        ObjectRole::DataLock => ("the data lock", check::OBJECTS_LOCKS),
        ObjectRole::InfoLock => ("the info lock", check::OBJECTS_LOCKS),
        ObjectRole::MisnamedInfo => ("an info segment with one prefix", check::OBJECTS_MISNAMED),
        _ => ("another data segment", check::OBJECTS_OTHER),
    }
}

fn presence(report: &mut Report, object: &ObjectReport) {
    let (what, check) = words(object.role);
    let mut said = format!("{what}, {}", object.object);
    if let Some(bytes) = object.bytes {
        said.push_str(&format!(", {}", say::count_of(bytes, "byte")));
    }
    if let Some(mode) = object.mode {
        said.push_str(&format!(", mode {mode:04o}"));
    }
    match (object.is_own, object.user) {
        (Some(true), _) => said.push_str(", of this user"),
        (_, Some(user)) => said.push_str(&format!(", of user {user}")),
        _ => {}
    }
    match object.role {
        // Whether it is in the way is told where the info block is looked at.
        ObjectRole::MisnamedInfo => report.seen(check, said),
        ObjectRole::OtherData => {
            report.seen(
                check,
                format!("{said}: nothing leads there (left by a sender that moved, or by one that died)"),
            );
        }
        _ => report.ok(check, said),
    }
}

fn rights(report: &mut Report, object: &ObjectReport) {
    let (what, _) = words(object.role);
    let matters = !matches!(object.role, ObjectRole::MisnamedInfo | ObjectRole::OtherData);
    match &object.access {
        ObjectAccess::Refused(reason) if matters => {
            let said = format!("{what} {} cannot be used: {reason}", object.object);
            let (check, advice) = match (object.is_own, reason.starts_with("access is denied")) {
                (Some(false), _) => (check::RIGHTS_READ, SAME_USER),
                (_, true) => (check::RIGHTS_DENIED, SAME_RIGHTS),
                (Some(true), _) if reason.starts_with("it belongs to") => (
                    check::RIGHTS_READ,
                    "its own user may not read it: let its mode be 0600 or more (umask 0022)",
                ),
                _ => (check::OBJECTS_KIND, REMOVE_IT),
            };
            report.failed(check, said, advice);
        }
        ObjectAccess::ReadOnly => {
            let said =
                format!("{what} {} may be read here, and not written: enough to observe", object.object);
            report.warning(check::RIGHTS_WRITE, said, WIDEN);
        }
        ObjectAccess::Full if object.is_own == Some(false) => {
            report.ok(check::RIGHTS_WRITE, format!("{what} belongs to somebody else, who has shared it"));
        }
        _ => {}
    }
    let is_usable = !matches!(object.access, ObjectAccess::Refused(_));
    if SHRINKS && is_usable && object.mode.is_some_and(|mode| mode & 0o002 != 0) {
        report.tell(
            check::RIGHTS_SHARED,
            Verdict::Warning,
            format!("everybody on this machine may write {}, and so make it smaller", object.object),
            Some("let its sender share it with a group (0o660) or with nobody: who makes it smaller kills its readers".to_owned()),
        );
    }
}
