//! The names of channels: shared, looked up fast, kept and cleaned as operators §3.3 says.

use core::fmt;
use std::sync::{Arc, OnceLock};

/// The names of the channels of a clip, in order; a clone is another handle to the same names.
///
/// Names are never changed: an operator makes new ones when its channels change, and whoever has the old ones sees from
/// [`same`](ChannelNames::same) at once that something is different. A name may stand there twice; looking it up gives
/// the first. Any text is taken, also an empty one: [`sanitised`](ChannelNames::sanitised) makes legal names of them.
///
/// # Source
///
/// operators §3.3: what is legal is documented; that duplicates are taken is ours.
///
/// ```
/// use tdshm_ops::clip::ChannelNames;
///
/// let names = ChannelNames::new(["tx", "ty", "tx"]);
/// assert_eq!(names.index_of("tx"), Some(0));
/// assert_eq!(names.get(1), Some("ty"));
/// assert!(names.same(&names.clone()));
/// ```
#[derive(Clone, Default)]
pub struct ChannelNames {
    /// Nothing for no names, so that the default allocates nothing.
    shared: Option<Arc<Shared>>,
}

struct Shared {
    names: Box<[Arc<str>]>,
    /// Positions by name, then by position. Made when somebody first looks up a name among many.
    sorted: OnceLock<Box<[usize]>>,
}

/// Up to here looking at each name is no slower than searching.
const FEW: usize = 8;

impl ChannelNames {
    /// The most names that [`numbered`](ChannelNames::numbered) makes: 2^24.
    pub const MAX_NUMBERED: usize = 1 << 24;

    /// These names, in this order.
    #[must_use]
    pub fn new<N: Into<Arc<str>>>(names: impl IntoIterator<Item = N>) -> Self {
        Self::from_shared(names.into_iter().map(Into::into).collect())
    }

    /// `chan1`, `chan2` and so on, `count` of them; at most [`ChannelNames::MAX_NUMBERED`].
    #[must_use]
    pub fn numbered(count: usize) -> Self {
        Self::default().kept(count)
    }

    /// How many names there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.slice().len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.shared.is_none()
    }

    /// The name of a channel, counted from 0.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<&str> {
        self.slice().get(index).map(|name| &**name)
    }

    /// All names, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &str> + DoubleEndedIterator + Clone {
        self.slice().iter().map(|name| &**name)
    }

    /// The first channel of this name, counted from 0.
    ///
    /// The first look-up among more than a few names sorts them once, for all handles; every later one searches.
    #[must_use]
    pub fn index_of(&self, name: &str) -> Option<usize> {
        let shared = self.shared.as_deref()?;
        if shared.names.len() <= FEW {
            return self.iter().position(|there| there == name);
        }
        let sorted = shared.sorted();
        let at = sorted.partition_point(|index| self.get(*index).is_some_and(|there| there < name));
        let index = *sorted.get(at)?;
        (self.get(index)? == name).then_some(index)
    }

    /// Whether both are handles to the same names. If not, they may still be equal.
    #[must_use]
    pub fn same(&self, other: &Self) -> bool {
        match (&self.shared, &other.shared) {
            (Some(own), Some(others)) => Arc::ptr_eq(own, others),
            (None, None) => true,
            _ => false,
        }
    }

    /// Whether these names are exactly the ones given, so that they need not be made again.
    #[must_use]
    pub fn are<S: AsRef<str>>(&self, names: impl IntoIterator<Item = S>) -> bool {
        let mut own = self.iter();
        let all = names.into_iter().all(|name| own.next() == Some(name.as_ref()));
        all && own.next().is_none()
    }

    /// Whether a name may have this character: `A-Z a-z 0-9 - _ : /`.
    #[must_use]
    pub fn is_legal(character: char) -> bool {
        character.is_ascii_alphanumeric() || matches!(character, '-' | '_' | ':' | '/')
    }

    /// Legal names: every other character becomes `_`, and an empty name `chanN`, where N is its position from 1, or
    /// the next number that is free. Names that are legal already give a handle to themselves.
    ///
    /// ```
    /// use tdshm_ops::clip::ChannelNames;
    ///
    /// let names = ChannelNames::new(["left hand", "größe", ""]).sanitised();
    /// assert!(names.are(["left_hand", "gr__e", "chan3"]));
    /// ```
    #[must_use]
    pub fn sanitised(&self) -> Self {
        if self.iter().all(|name| !name.is_empty() && name.chars().all(Self::is_legal)) {
            return self.clone();
        }
        let cleaned: Box<[Arc<str>]> = self.slice().iter().map(cleaned).collect();
        let mut free = FreeNumbers::beside(&cleaned);
        Self::from_shared(
            (1..)
                .zip(cleaned)
                .map(|(position, name)| if name.is_empty() { free.name_at(position) } else { name })
                .collect(),
        )
    }

    /// What `count` channels are called when no names come with them: the names there were, and for each channel that
    /// never had one `chanN`, where N is its position from 1, or the next number that is free.
    ///
    /// Keep the longest names there were to give a channel that returns the name it had. As many channels as before
    /// give a handle to these names. At most [`ChannelNames::MAX_NUMBERED`] names are made.
    ///
    /// # Source
    ///
    /// operators §3.3, "names not sent": documented; the next free number is ours.
    ///
    /// ```
    /// use tdshm_ops::clip::ChannelNames;
    ///
    /// let before = ChannelNames::new(["tx", "chan3"]);
    /// assert!(before.kept(4).are(["tx", "chan3", "chan4", "chan5"]));
    /// assert!(before.kept(2).same(&before));
    /// ```
    #[must_use]
    pub fn kept(&self, count: usize) -> Self {
        let count = count.min(Self::MAX_NUMBERED.max(self.len()));
        if count == self.len() {
            return self.clone();
        }
        let kept = self.slice().get(..count).unwrap_or(self.slice());
        let mut free = FreeNumbers::beside(kept);
        let new = (kept.len()..count).map(|index| free.name_at(index.saturating_add(1)));
        Self::from_shared(kept.iter().cloned().chain(new).collect())
    }

    /// The names of these channels, as `reuse` if it has just them.
    pub(super) fn selected(&self, channels: &[usize], reuse: &Self) -> Self {
        let own = self.slice();
        let names = || channels.iter().filter_map(|index| own.get(*index));
        let is_right = |(there, name): (&Arc<str>, &Arc<str>)| Arc::ptr_eq(there, name) || there == name;
        if reuse.len() == channels.len() && reuse.slice().iter().zip(names()).all(is_right) {
            return reuse.clone();
        }
        Self::from_shared(names().cloned().collect())
    }

    fn from_shared(names: Box<[Arc<str>]>) -> Self {
        let shared = (!names.is_empty()).then(|| Arc::new(Shared { names, sorted: OnceLock::new() }));
        Self { shared }
    }

    pub(crate) fn slice(&self) -> &[Arc<str>] {
        self.shared.as_deref().map_or(&[], |shared| &shared.names)
    }
}

impl Shared {
    fn sorted(&self) -> &[usize] {
        self.sorted.get_or_init(|| {
            let mut sorted: Box<[usize]> = (0..self.names.len()).collect();
            sorted.sort_by_key(|index| (self.names.get(*index), *index));
            sorted
        })
    }
}

/// The name with `_` for what is not legal.
fn cleaned(name: &Arc<str>) -> Arc<str> {
    if name.chars().all(ChannelNames::is_legal) {
        return name.clone();
    }
    name.chars().map(|sign| if ChannelNames::is_legal(sign) { sign } else { '_' }).collect::<String>().into()
}

/// Numbers for `chanN` that no name has. Positions are asked for in ascending order, so the search never goes back.
struct FreeNumbers {
    taken: Vec<usize>,
    next: usize,
}

impl FreeNumbers {
    fn beside(names: &[Arc<str>]) -> Self {
        let number = |name: &Arc<str>| {
            let digits = name.strip_prefix("chan").filter(|digits| !digits.starts_with(['0', '+']))?;
            digits.parse().ok()
        };
        let mut taken: Vec<usize> = names.iter().filter_map(number).collect();
        taken.sort_unstable();
        Self { taken, next: 0 }
    }

    fn name_at(&mut self, position: usize) -> Arc<str> {
        let mut number = position.max(self.next);
        while self.taken.binary_search(&number).is_ok() {
            number = number.saturating_add(1);
        }
        self.next = number.saturating_add(1);
        format!("chan{number}").into()
    }
}

impl PartialEq for ChannelNames {
    fn eq(&self, other: &Self) -> bool {
        let equal = |(own, others): (&Arc<str>, &Arc<str>)| Arc::ptr_eq(own, others) || own == others;
        self.same(other) || (self.len() == other.len() && self.slice().iter().zip(other.slice()).all(equal))
    }
}

impl Eq for ChannelNames {}

impl fmt::Debug for ChannelNames {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl<N: Into<Arc<str>>> FromIterator<N> for ChannelNames {
    fn from_iter<I: IntoIterator<Item = N>>(names: I) -> Self {
        Self::new(names)
    }
}
