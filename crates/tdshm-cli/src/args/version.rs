//! What `--version` says.

use tdshm::protocol::{CHANNEL_BLOCK_VERSION, EXTENSION, INFO_BLOCK_VERSION};

/// The version of this program, where it runs, and what it speaks.
pub(crate) fn long() -> String {
    format!(
        "{}\nplatform: {}\nprotocol: info block version {INFO_BLOCK_VERSION}, channel block version \
         {CHANNEL_BLOCK_VERSION}, extension {EXTENSION}",
        env!("CARGO_PKG_VERSION"),
        env!("TDSHM_TARGET"),
    )
}
