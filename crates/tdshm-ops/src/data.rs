//! What flows through a wire.

use std::sync::Arc;

use crate::clip::Clip;
use crate::image::Image;
use crate::table::Table;

/// The output of an operator: nothing yet, or the data of its family. Shared, so that passing it on copies nothing.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub enum Data {
    /// Nothing: it has not cooked, or has nothing to give.
    #[default]
    None,
    /// Channels, of a CHOP.
    Chop(Arc<Clip>),
    /// Pixels, of a TOP.
    Top(Arc<Image>),
    /// Cells, of a DAT.
    Dat(Arc<Table>),
}

impl Data {
    /// The channels, if it has some.
    #[must_use]
    pub fn as_clip(&self) -> Option<&Arc<Clip>> {
        match self {
            Self::Chop(clip) => Some(clip),
            _ => None,
        }
    }

    /// The pixels, if it has some.
    #[must_use]
    pub fn as_image(&self) -> Option<&Arc<Image>> {
        match self {
            Self::Top(image) => Some(image),
            _ => None,
        }
    }

    /// The cells, if it has some.
    #[must_use]
    pub fn as_table(&self) -> Option<&Arc<Table>> {
        match self {
            Self::Dat(table) => Some(table),
            _ => None,
        }
    }
}

/// Buffers to fill, used again as soon as nobody else has them.
///
/// A downstream operator that passes its input on holds on to it until it cooks again, so two buffers go back and forth,
/// and a third is there for one that does not cook.
#[derive(Debug)]
pub(crate) struct Pool<T>(Vec<Arc<T>>);

impl<T> Default for Pool<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: Clone + Default> Pool<T> {
    /// So many buffers that others hold are remembered.
    const MOST: usize = 4;

    /// A buffer that nobody else has. Its contents are of some earlier cook.
    pub(crate) fn take(&mut self) -> Arc<T> {
        let free = self.0.iter_mut().position(|kept| Arc::get_mut(kept).is_some());
        free.map_or_else(Arc::default, |at| self.0.swap_remove(at))
    }

    /// Remembers a buffer for later.
    pub(crate) fn give_back(&mut self, buffer: Arc<T>) {
        if self.0.len() < Self::MOST {
            self.0.push(buffer);
        }
    }
}
