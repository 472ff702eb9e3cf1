//! What people and scripts write on an operator. Nothing here looks at it.

use super::Op;
use crate::Value;
use crate::error::OpError;

impl Op {
    /// A note of the author.
    ///
    /// # Errors
    ///
    /// [`OpError::Destroyed`].
    pub fn comment(&self) -> Result<String, OpError> {
        self.read(|node| node.notes.comment.clone())
    }

    /// Sets the note.
    ///
    /// # Errors
    ///
    /// [`OpError::Destroyed`].
    pub fn set_comment(&self, comment: impl Into<String>) -> Result<(), OpError> {
        let comment = comment.into();
        self.change(|node| node.notes.comment = comment)
    }

    /// Where it stands in a picture of its network: `nodeX` and `nodeY`.
    ///
    /// # Errors
    ///
    /// [`OpError::Destroyed`].
    pub fn position(&self) -> Result<(i64, i64), OpError> {
        self.read(|node| node.notes.position)
    }

    /// Puts it there.
    ///
    /// # Errors
    ///
    /// [`OpError::Destroyed`].
    pub fn set_position(&self, x: i64, y: i64) -> Result<(), OpError> {
        self.change(|node| node.notes.position = (x, y))
    }

    /// Its colour in that picture: red, green and blue from 0 to 1; a middle grey until somebody sets one.
    ///
    /// # Errors
    ///
    /// [`OpError::Destroyed`].
    #[doc(alias = "color")]
    pub fn colour(&self) -> Result<[f64; 3], OpError> {
        self.read(|node| node.notes.colour.unwrap_or([0.67; 3]))
    }

    /// Sets the colour, each part brought into 0 to 1.
    ///
    /// # Errors
    ///
    /// [`OpError::OutOfRange`] for what is no number; [`OpError::Destroyed`].
    #[doc(alias = "color")]
    pub fn set_colour(&self, rgb: [f64; 3]) -> Result<(), OpError> {
        if rgb.iter().any(|part| part.is_nan()) {
            return Err(OpError::OutOfRange {
                what: "a part of the colour",
                value: "nan".into(),
                expected: "0 to 1",
            });
        }
        self.change(|node| node.notes.colour = Some(rgb.map(|part| part.clamp(0.0, 1.0))))
    }

    /// Its tags, in alphabetical order.
    ///
    /// # Errors
    ///
    /// [`OpError::Destroyed`].
    pub fn tags(&self) -> Result<Vec<String>, OpError> {
        self.read(|node| node.notes.tags.iter().cloned().collect())
    }

    /// Adds a tag. `false` where it has it already.
    ///
    /// # Errors
    ///
    /// [`OpError::Destroyed`].
    pub fn add_tag(&self, tag: &str) -> Result<bool, OpError> {
        self.change(|node| node.notes.tags.insert(tag.to_owned()))
    }

    /// Takes a tag away. `false` where it has none of that name.
    ///
    /// # Errors
    ///
    /// [`OpError::Destroyed`].
    pub fn remove_tag(&self, tag: &str) -> Result<bool, OpError> {
        self.change(|node| node.notes.tags.remove(tag))
    }

    /// Keeps a value with the operator, and gives the one that was kept under this key.
    ///
    /// # Errors
    ///
    /// [`OpError::Destroyed`].
    pub fn store(&self, key: &str, value: Value) -> Result<Option<Value>, OpError> {
        self.change(|node| node.notes.storage.insert(key.to_owned(), value))
    }

    /// A value that was kept with [`store`](Self::store).
    ///
    /// # Errors
    ///
    /// [`OpError::Destroyed`].
    pub fn fetch(&self, key: &str) -> Result<Option<Value>, OpError> {
        self.read(|node| node.notes.storage.get(key).cloned())
    }

    /// The keys of all values that are kept, in alphabetical order: with [`fetch`](Self::fetch) TD's `storage`.
    ///
    /// # Errors
    ///
    /// [`OpError::Destroyed`].
    #[doc(alias = "storage")]
    pub fn stored(&self) -> Result<Vec<String>, OpError> {
        self.read(|node| node.notes.storage.keys().cloned().collect())
    }

    /// Forgets a value, and gives it.
    ///
    /// # Errors
    ///
    /// [`OpError::Destroyed`].
    pub fn unstore(&self, key: &str) -> Result<Option<Value>, OpError> {
        self.change(|node| node.notes.storage.remove(key))
    }
}
