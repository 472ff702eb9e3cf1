//! Channels as Open Sound Control over UDP, both ways.
//!
//! A channel `h0/pinch` is the address `/h0/pinch`, and its samples are the message's arguments. [`Encoder`] makes packets of
//! channels, [`Intake`] makes channels of packets; both are plain data and know no sockets. [`Outlet`] sends packets,
//! [`Listener`] receives them, and [`Inlet`] does so on a thread of its own, which is what it takes to lose none.
//!
//! # What becomes of a message
//!
//! | argument | value |
//! | --- | --- |
//! | `f` `d` `i` `h` | the number, rounded to the nearest 32-bit float |
//! | `T` `F` | 1, 0 |
//! | `N` | 0 |
//! | `I`, or a message without arguments, or without types of them | a pulse: 1 until [`Intake::settle`], then 0 |
//! | `c` | the number of the character |
//! | `t` | seconds, with their fraction |
//! | `s` `S` `b` `r` `m` | none: left out, and counted |
//! | `[` `]` | the arguments between them, one after the other |
//! | NaN, an infinity, a number beyond 32-bit floats | none: the channel holds what it had, and that is counted |
//!
//! A message with one value is the channel of its address, one with several is channels with numbers behind it: `/pos` with
//! three is `pos1 pos2 pos3`. What TD does not allow in a name becomes `_`. Channels stand in the order in which they came,
//! and keep their last value. Values count when they arrive: time tags of bundles are not waited for.
//!
//! # Strangers
//!
//! A packet is checked to its last byte before anything of it counts; one with a [`Fault`] is dropped whole and counted.
//! Reading neither recurses nor allocates, whatever the bytes are. Bundles nest up to [`MAX_NESTING`], and there are bounds for
//! arguments, names and channels.
//!
//! ```
//! use tdshm_io::osc::{EncodeOptions, Encoder, FrameInfo, Intake, IntakeOptions};
//!
//! let mut intake = Intake::new(IntakeOptions::new());
//! let mut encoder = Encoder::new(EncodeOptions::new());
//! let channels = [("tx", &[0.5_f32][..]), ("h0/pinch", &[0.25])];
//! encoder.encode(FrameInfo::default(), channels, |packet| {
//!     intake.take(packet).expect("what we encode can be read");
//! });
//! assert_eq!(intake.values(), [0.5, 0.25]);
//! assert_eq!(&*intake.names()[1], "h0/pinch");
//! ```
//!
//! # Source
//!
//! operators §11.3.

mod address;
mod encode;
mod intake;
mod message;
mod socket;

pub use address::{address_of, name_of};
pub use encode::{EncodeCounts, EncodeOptions, Encoder, FrameInfo, Handed, Layout, Numeric, UnknownEntry};
pub use intake::{Intake, IntakeCounts, IntakeOptions};
pub use message::{Argument, Arguments, Fault, Message, read};
pub use socket::{Inlet, InletCounts, Listener, Lookup, Multicast, Outlet, Peers, resolve};

/// The most that fits into one UDP packet, in bytes.
pub const MAX_PACKET: usize = 65_507;
/// Bundles in one another, at most.
pub const MAX_NESTING: usize = 8;
/// Arguments of one message, at most: more than fit into a packet as floats.
pub const MAX_ARGUMENTS: usize = 16_384;
/// Bytes of a channel's name, at most.
pub const MAX_NAME: usize = 255;
/// The port of both operators unless another one is given.
///
/// # Source
///
/// operators §11.3: inferred, measured.
pub const DEFAULT_PORT: u16 = 10_000;
