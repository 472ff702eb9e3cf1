//! What can be wrong with an image, or with the entry of a menu.

use core::fmt;

use tdshm::Texels;

use super::menu::Menu;

/// Why there is no such image. None of these goes away by trying again, except that of memory.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ImageError {
    /// A side is 0, or longer than any that a block may have.
    #[error("the {field} is {value}, and it is from 1 to {limit}: give one in between")]
    Side {
        /// `width` or `height`.
        field: &'static str,
        /// What it is, in pixels.
        value: usize,
        /// The most it may be.
        limit: usize,
    },
    /// Nobody knows what the pixels are.
    #[error("the pixel format is {texels}, which is unknown here: use one of TouchDesigner's")]
    UnknownFormat {
        /// What the block says.
        texels: Texels,
    },
    /// The sides are allowed, but not both at once in this format.
    #[error(
        "{width} x {height} pixels are {bytes} bytes, and the limit is {limit}: make the image smaller, or choose a \
         pixel format of fewer bits"
    )]
    TooLarge {
        /// Pixels in a row.
        width: usize,
        /// Rows.
        height: usize,
        /// Bytes of all pixels.
        bytes: u64,
        /// The most they may be.
        limit: u64,
    },
    /// The system has no memory for the pixels.
    #[error("there is no memory for {bytes} bytes: make the image smaller, or close other programs")]
    NoMemory {
        /// Bytes that were asked for.
        bytes: u64,
    },
    /// The library that resizes has refused. Sizes are checked before, so that this is memory it did not get.
    #[error("the image cannot be resized from {from:?} to {to:?}: {reason}")]
    Resize {
        /// Width and height before.
        from: (usize, usize),
        /// Width and height that were asked for.
        to: (usize, usize),
        /// What the library says.
        reason: String,
    },
}

/// A text that is no entry of a menu.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ParseMenuError {
    /// The text.
    pub text: String,
    /// The name of the parameter.
    pub parameter: &'static str,
    /// What the menu has.
    pub menu: Menu,
}

impl fmt::Display for ParseMenuError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is no entry of {}: use ", self.text, self.parameter)?;
        for (index, (name, _)) in self.menu.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            write!(f, "{comma}{name}")?;
        }
        Ok(())
    }
}

impl core::error::Error for ParseMenuError {}
