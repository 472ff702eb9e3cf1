//! The name: whether it can be one, here and elsewhere, and whether another one was meant.

use tdshm::{NameError, ShortName, Survey};

use crate::cmd::doctor::check;
use crate::cmd::doctor::report::{Report, Verdict};
use crate::say;

/// What all names of objects begin with, and what those of the others end with (wire §1).
const PREFIX: &str = "TouchSHM";
const SUFFIXES: [&str; 3] = ["Mutex", "4jhd783h", "tdshmWake"];
/// Bytes of a name on macOS that needs no place in the name directory (wire §1).
const LONGEST_ON_MACOS: usize = 31;

pub(super) const START_IT: &str = "start the program that sends it, with that very name, as the same user on the same machine; in TouchDesigner: \
     Shared Mem Type Local, and Active On";
const PLAIN: &str = "give both sides a name of plain letters and digits";

/// Holds the name against the rules. `None`: it cannot be one.
pub(super) fn rules(report: &mut Report, name: &str) -> Option<ShortName> {
    let short = match ShortName::new(name) {
        Ok(short) => short,
        Err(error) => {
            let advice = match error {
                NameError::TooLong { .. } => "give both sides a shorter name",
                NameError::Empty => "give the Shared Mem Name that the other side uses",
                _ => PLAIN,
            };
            report.failed(check::NAME_RULES, error.to_string(), advice);
            return None;
        }
    };
    let len = name.len();
    report.ok(check::NAME_RULES, format!("{name:?} can be a name: {}", say::count_of(len, "byte")));
    let meant = name.trim_start_matches(PREFIX);
    if meant != name && !meant.is_empty() {
        report.tell(
            check::NAME_PREFIX,
            Verdict::Warning,
            format!("{name:?} begins with {PREFIX}, as the names of objects do"),
            Some(format!("give the short name, most likely {meant:?}: both sides add the rest")),
        );
    }
    if let Some(suffix) = SUFFIXES.iter().find(|suffix| name.ends_with(**suffix)) {
        let said = format!("{name:?} ends in {suffix}, as the names of locks, info segments and events do");
        report.warning(
            check::NAME_SUFFIX,
            said,
            "give both sides a name without it: another segment's object may be called so",
        );
    }
    portable(report, name);
    let longest = short.info_lock().len();
    report.seen(
        check::NAME_MACOS,
        match longest {
            ..=LONGEST_ON_MACOS => format!(
                "on macOS its longest object name, the info lock's, has {longest} of {LONGEST_ON_MACOS} bytes, so all of \
                 them are used as they are, and `tdshm list` cannot find it there"
            ),
            _ => format!(
                "on macOS its longest object name, the info lock's, has {longest} bytes: those beyond {LONGEST_ON_MACOS} go \
                 through TouchDesigner's name directory, which this library uses and most others do not"
            ),
        },
    );
    Some(short)
}

/// What works here, and may not elsewhere.
fn portable(report: &mut Report, name: &str) {
    let trimmed = name.trim();
    if trimmed != name {
        report.tell(
            check::NAME_PORTABLE,
            Verdict::Warning,
            format!("{name:?} begins or ends with a blank, which nobody sees"),
            Some(format!("give both sides {trimmed:?}")),
        );
    }
    if name.contains('\\') {
        report.warning(
            check::NAME_PORTABLE,
            format!(
                "{name:?} holds '\\', which Windows refuses: `Global\\` and `Local\\` are namespaces of the system's, which \
                 nothing behind the prefix of an object name reaches"
            ),
            PLAIN,
        );
    }
    if let Some(odd) = name.chars().find(|c| !c.is_ascii() || c.is_ascii_control()) {
        report.warning(
            check::NAME_PORTABLE,
            format!("{name:?} holds {odd:?}: builds of TouchDesigner up to 2018 find only names of ASCII letters on Windows"),
            PLAIN,
        );
    }
}

/// Whether there are names that are easily taken for this one; where there is nothing of this name, also those that
/// resemble it.
pub(super) fn near(report: &mut Report, name: &ShortName, survey: Option<&Survey>, is_absent: bool) {
    let Some(survey) = survey else { return };
    let segments = survey.segments.iter().map(|segment| &segment.name);
    let all = segments.chain(survey.left_out.iter().map(|(name, _)| name));
    let others = all.filter(|other| *other != name).map(ShortName::as_str);
    let twins: Vec<&str> = others.clone().filter(|other| is_twin(name.as_str(), other)).collect();
    let resemble: Vec<&str> = others
        .filter(|other| is_absent && distance(name.as_str(), other) <= allowed(name.as_str()))
        .collect();
    let meant = if twins.is_empty() { resemble } else { twins };
    if meant.is_empty() {
        return;
    }
    let list: Vec<String> = meant.iter().map(|name| format!("{name:?}")).collect();
    let list = list.join(", ");
    let (verdict, said, advice) = match is_absent {
        true => (
            Verdict::Failed,
            format!("there is no {:?}, and there is {list}", name.as_str()),
            format!("did you mean {list}? Give both sides the same name, letter by letter"),
        ),
        false => (
            Verdict::Warning,
            format!("there is {list} as well, which is easily taken for {:?}", name.as_str()),
            "look whether both sides have the same name, letter by letter".to_owned(),
        ),
    };
    report.tell(check::NAME_NEAR, verdict, said, Some(advice));
}

/// Whether they differ in nothing but case, blanks at the ends, or prefixes.
fn is_twin(name: &str, other: &str) -> bool {
    let bare = |name: &str| name.trim().trim_start_matches(PREFIX).to_lowercase();
    bare(name) == bare(other)
}

/// How many letters may be wrong in a name.
fn allowed(name: &str) -> usize {
    (name.chars().count() / 4).clamp(1, 3)
}

/// Letters that have to be put in, taken out or changed to make one of the other.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.to_lowercase().chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (index, letter) in (1_usize..).zip(a.to_lowercase().chars()) {
        let mut before = index;
        let mut next = vec![before];
        for (other, pair) in b.iter().zip(row.windows(2)) {
            let (diagonal, above) = (pair.first().copied().unwrap_or(0), pair.last().copied().unwrap_or(0));
            let changed = diagonal.saturating_add(usize::from(*other != letter));
            before = changed.min(above.saturating_add(1)).min(before.saturating_add(1));
            next.push(before);
        }
        row = next;
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_resembles_a_name() {
        assert_eq!(
            [("mocap", "mocap"), ("mocap", "mocpa"), ("mocap", "mocap1"), ("", "ab"), ("kitten", "sitting")]
                .map(|(a, b)| distance(a, b)),
            [0, 2, 1, 2, 3]
        );
        assert!(
            is_twin("Mocap", "mocap") && is_twin("TouchSHMmocap", "mocap ") && !is_twin("mocap", "mocap1")
        );
        assert_eq!(["a", "mocap", "depthcamera12", "x".repeat(60).as_str()].map(allowed), [1, 1, 3, 3]);
    }
}
