//! New names from those that were matched (operators §5.8).

use std::collections::HashMap;

use crate::error::PatternError;
use crate::pattern::Pattern;
use crate::pattern::expand::words;
use crate::pattern::glob::{Captures, Case, Glob, Places};
use crate::pattern::program::Term;
use crate::pattern::scan::{Dialect, Scan, Sign, scan};
use crate::pattern::template::{MOST_BYTES, Template, Wildcards, check};
use crate::pattern::warning::{PatternWarning, Warnings, cut};

/// Wildcards, brackets and texts in one term of the From side, of which each takes a bit a byte of a name (ours).
const MOST_PARTS: usize = 256;

/// New names for channels: `*_side_*` becomes `*(1)_floor_*(0)`.
///
/// *From* is a [`Pattern`], *To* is made as in an [`Expansion`](crate::pattern::Expansion), and may say `*(i)` for what
/// the `i`-th `*` of *From* matched and `?(i)` for the `i`-th `?`, counted from 0. A bare `*` or `?` is the next of its
/// kind. Names that *From* does not match stay, surplus names of *To* are not used, and the order never changes.
///
/// With as many terms on both sides, each term of *To* belongs to the one of *From* in its place; otherwise all names
/// of *To* are lined up against all matches, from the first term on. A term of *To* with wildcards and without a
/// choice is a template for all that its term of *From* matched, and for all matches if it is the only one. A name
/// without wildcards in *From* keeps its place when no channel has it. A channel belongs to the first term that
/// matches it, and each `*` matches as little as it can.
///
/// # Source
///
/// operators §5.8: documented, with a pairing rule that is inferred; which of several ways to match counts, and what
/// becomes of a wildcard that is not there, are ours.
///
/// ```
/// use tdshm_ops::pattern::Rename;
///
/// let rename = Rename::parse("*_side_*", "*(1)_floor_*(0)")?;
/// let renamed = rename.apply(&["left_side_monitor", "tx"])?;
/// assert_eq!(renamed.names, ["monitor_floor_left", "tx"]);
/// # Ok::<(), tdshm_ops::PatternError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[doc(alias = "Rename CHOP")]
pub struct Rename {
    from: Pattern,
    to: Vec<Template>,
    warnings: Warnings,
}

/// Names after a [`Rename`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Renamed {
    /// One for each channel, in the order of the channels.
    pub names: Vec<String>,
    /// What went another way than the author most likely thinks, at most 16.
    pub warnings: Vec<PatternWarning>,
}

/// The place of a name of *To*: a term of *From* whose wildcards count, and a channel. Either may be missing.
type Slot<'r> = (Option<&'r Term<Glob>>, Option<usize>);

impl Rename {
    /// Reads both sides.
    ///
    /// # Errors
    ///
    /// [`PatternError`], for either side. Trying again does not help.
    ///
    /// # Source
    ///
    /// operators §5.8.
    ///
    /// ```
    /// use tdshm_ops::pattern::Rename;
    ///
    /// assert!(Rename::parse("*", "chan[1-99999999]").is_err());
    /// ```
    pub fn parse(from: &str, to: &str) -> Result<Self, PatternError> {
        let from = Pattern::parse(from)?;
        let most = from.program.terms().map(|term| term.what.parts()).max().unwrap_or(0);
        if most > MOST_PARTS {
            return Err(PatternError::TooManyParts { parts: most, limit: MOST_PARTS });
        }
        let Scan { tokens, warnings: of_to } = scan(to, Dialect::Making)?;
        let words = words(tokens);
        check(&words)?;
        let mut warnings = Warnings::default();
        from.warnings().iter().chain(of_to.as_slice()).for_each(|warning| warnings.push(warning.clone()));
        let to = words.into_iter().map(|word| Template::new(word, Wildcards::Refer)).collect();
        Ok(Self { from, to, warnings })
    }

    /// What in either text most likely means something else than it should. At most 16.
    #[must_use]
    pub fn warnings(&self) -> &[PatternWarning] {
        self.warnings.as_slice()
    }

    /// The names after renaming.
    ///
    /// Two channels may get one name: both keep it, and a warning says so.
    ///
    /// # Errors
    ///
    /// [`PatternError::TooMuchText`] where the new names are more than 16 MiB together.
    ///
    /// # Source
    ///
    /// operators §5.8.
    ///
    /// ```
    /// # use tdshm_ops::pattern::Rename;
    /// let renamed = Rename::parse("t?", "x")?.apply(&["tx", "ty", "x"])?;
    /// assert_eq!(renamed.names, ["x", "ty", "x"]);
    /// assert_eq!(renamed.warnings[0].to_string(), "more than one channel is called x now: give them different names");
    /// # Ok::<(), tdshm_ops::PatternError>(())
    /// ```
    pub fn apply<N: AsRef<str>>(&self, names: &[N]) -> Result<Renamed, PatternError> {
        let mut new: Vec<Option<String>> = vec![None; names.len()];
        let mut warnings = Warnings::default();
        let mut room = Room { bytes: 0 };
        let terms = self.slots(names);
        if terms.len() == self.to.len() {
            for (slots, template) in terms.iter().zip(&self.to) {
                let templates = std::slice::from_ref(template);
                assign(slots, templates, names, &mut new, &mut warnings, &mut room)?;
            }
        } else {
            assign(&terms.concat(), &self.to, names, &mut new, &mut warnings, &mut room)?;
        }
        let renamed: Vec<bool> = new.iter().map(Option::is_some).collect();
        let old = names.iter().map(|name| name.as_ref().to_owned());
        let names: Vec<String> = new.into_iter().zip(old).map(|(new, old)| new.unwrap_or(old)).collect();
        let mut count: HashMap<&str, usize> = HashMap::new();
        for name in &names {
            let count = count.entry(name).or_default();
            *count = count.saturating_add(1);
        }
        for (name, renamed) in names.iter().zip(renamed) {
            if renamed && count.get(name.as_str()).is_some_and(|count| *count > 1) {
                warnings.push(PatternWarning::SameName { name: cut(name) });
            }
        }
        Ok(Renamed { names, warnings: warnings.into_vec() })
    }

    /// The places that each term gives.
    fn slots<N: AsRef<str>>(&self, names: &[N]) -> Vec<Vec<Slot<'_>>> {
        let mut places = Places::new();
        let mut picked = self.from.select(names);
        let program = &self.from.program;
        let adding = || program.terms().filter(|term| term.sign != Sign::Difference);
        let mut picks = |term: &Term<Glob>, index: usize| {
            names.get(index).is_some_and(|name| {
                term.what.matches(name.as_ref(), Case::Differs, &mut places) != term.complement
            })
        };
        if program.is_expression {
            // One term, whatever it is made of.
            let mut term_of = |index| adding().find(|term| !term.complement && picks(term, index));
            return vec![picked.into_iter().map(|index| (term_of(index), Some(index))).collect()];
        }
        let slots = adding().map(|term| {
            let mut slots: Vec<Slot<'_>> = Vec::new();
            picked.retain(|index| {
                let picks = picks(term, *index);
                slots.extend(picks.then_some((Some(term), Some(*index))));
                !picks
            });
            if slots.is_empty() && term.what.is_literal() && !term.complement {
                slots.push((Some(term), None));
            }
            slots
        });
        slots.collect()
    }
}

/// Bytes of the new names so far.
struct Room {
    bytes: usize,
}

fn assign<N: AsRef<str>>(
    slots: &[Slot<'_>],
    templates: &[Template],
    names: &[N],
    new: &mut [Option<String>],
    warnings: &mut Warnings,
    room: &mut Room,
) -> Result<(), PatternError> {
    let one_for_all = match templates {
        [only] => only.count() == 1 && only.references().next().is_some(),
        _ => false,
    };
    let made =
        templates.iter().flat_map(|template| (0..template.count()).map(move |index| (template, index)));
    let times = if one_for_all { slots.len() } else { 1 };
    let made = made.flat_map(|made| std::iter::repeat_n(made, times));
    for ((term, channel), (template, index)) in slots.iter().zip(made) {
        let Some(channel) = channel else { continue };
        let Some(name) = names.get(*channel).map(AsRef::as_ref) else { continue };
        let captures = match (template.references().next(), term) {
            (Some(_), Some(term)) if !term.complement => term.what.captures(name).unwrap_or_default(),
            _ => Captures::default(),
        };
        if let Some(missing) = template.references().find(|reference| captures.get(*reference).is_none()) {
            warnings.push(PatternWarning::MissingWildcard { wildcard: missing.to_string() });
        }
        let refer = |reference| captures.get(reference).unwrap_or_default();
        room.bytes = room.bytes.saturating_add(template.bytes(index, refer));
        if room.bytes > MOST_BYTES {
            let bytes = u64::try_from(room.bytes).unwrap_or(u64::MAX);
            return Err(PatternError::TooMuchText { bytes, limit: MOST_BYTES });
        }
        if let Some(new) = new.get_mut(*channel) {
            *new = Some(template.name(index, refer));
        }
    }
    Ok(())
}
