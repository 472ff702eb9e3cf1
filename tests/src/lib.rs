//! What the tests across processes are built from. Not published; no crate of the product depends on it.
//!
//! - [`Scene`]: one test's unique names, its watchdog, and the guard that ends its processes and removes its
//!   objects, also when the test panics;
//! - [`Peer`]: another process, the program `peer`, which obeys commands and answers in lines;
//! - [`Program`]: any other program, such as an example, of which a test reads what it prints;
//! - [`frames`]: frames that can be checked: every sample follows from the frame's number;
//! - [`foreign`]: programs that share no code with ours, written by hand from the protocol's description;
//! - [`foreign_top`]: the same for images;
//! - [`images`]: images that can be checked, and what a peer does with them;
//! - [`global`]: Global segments that can be checked, and what a peer does with them;
//! - [`reel`]: images that are made beforehand, to be sent and checked flat out;
//! - [`acts`]: whole errands of a peer, and what it does to itself;
//! - [`info`]: the extension behind the info block, read and written by hand;
//! - [`nets`]: networks of operators, and what a peer does with one;
//! - [`nets_top`]: the same for images;
//! - [`kinds`]: what is asked of the operators of channels and of images alike;
//! - [`golden`]: bytes made by hand, in files;
//! - [`system`]: what of all this the systems do each in their way.
//!
//! No test sleeps to synchronise: it waits for a line, or for a condition, and the watchdog is the only clock.
#![deny(unsafe_code)]

#[cfg_attr(target_os = "linux", allow(unsafe_code))] // a process that forks
pub mod acts;
#[allow(unsafe_code)] // a foreign program has to map memory by itself
pub mod foreign;
pub mod foreign_top;
pub mod frames;
pub mod global;
pub mod golden;
#[cfg_attr(target_os = "linux", allow(unsafe_code))] // a process that forks
pub mod images;
pub mod info;
pub mod kinds;
pub mod nets;
pub mod nets_top;
pub mod peer;
pub mod program;
pub mod reel;
pub mod scene;
#[allow(unsafe_code)] // what a foreign program maps and locks, and what is done to processes
pub mod system;

pub use frames::Seen;
pub use peer::{Peer, Refusal};
pub use program::Program;
pub use scene::Scene;
