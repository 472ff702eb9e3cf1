//! Operators that read files: File In CHOP and Movie File In TOP, for networks of `tdshm-ops`; with the feature `osc` also
//! OSC In CHOP and OSC Out CHOP.
//!
//! ```
//! use tdshm_ops::{Network, Registry};
//!
//! let mut registry = Registry::standard();
//! tdshm_io::op::register(&mut registry);
//! let net = Network::with_registry(registry);
//! let voice = net.root().create("fileinCHOP", "voice")?;
//! voice.par("file")?.set("voice.wav")?;
//! # Ok::<(), tdshm_ops::OpError>(())
//! ```
//!
//! [`save`] puts what an operator puts out into a file.
//!
//! A path that is not absolute begins in the folder of the network. Files are read when an operator cooks with a path that
//! it has not read yet, or when *Reload* is pressed; a file that cannot be read is an error of the operator, whose output
//! stays.

mod file_in;
mod movie_file_in;
#[cfg(feature = "osc")]
mod osc_in;
#[cfg(feature = "osc")]
mod osc_out;
mod save;

use std::path::Path;

use tdshm_ops::Registry;

pub use save::{Folders, save, to_bytes};

/// Adds the operators of this crate to those that a network can create.
pub fn register(registry: &mut Registry) {
    registry.add(file_in::spec());
    registry.add(movie_file_in::spec());
    #[cfg(feature = "osc")]
    {
        registry.add(osc_in::spec());
        registry.add(osc_out::spec());
    }
}

/// Opening a pipe or a device would wait for somebody at its other end, and the whole network with it.
fn check_ordinary(path: &Path) -> Result<(), String> {
    match path.metadata() {
        Ok(found) if !found.is_file() => Err(format!("{} is no ordinary file: give a file", path.display())),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
