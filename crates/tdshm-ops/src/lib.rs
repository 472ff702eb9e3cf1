//! TouchDesigner's operators, and a network that cooks them.
//!
//! A [`Network`] holds operators with wires and parameters, and lets frames pass; what an operator does is described on the
//! page `docs/operators.md`, "operators §n" in this documentation. What operators are made of can be used without a
//! network: none of it touches shared memory, files or the clock, and no text, whoever wrote it, takes more than polynomial
//! time or a bounded amount of memory.
//!
//! | module | what lives there |
//! | --- | --- |
//! | [`clip`], [`image`] | the data of a CHOP and of a TOP |
//! | [`mod@slice`], [`resample`] | time slices and sample rates |
//! | [`pattern`] | [`Pattern`] picks from names; around it the other languages with the same brackets |
//! | [`expr`] | [`Expr`], an expression in a parameter |
//! | [`par`] | parameters as data |
//! | `patch` | a network in a file, behind the feature `patch` |
//! | [`error`] | the error types of networks, patterns and expressions |
//!
//! ```
//! use tdshm_ops::Pattern;
//!
//! let scope = Pattern::parse("tx r* ^ry")?;
//! assert_eq!(scope.select(&["tx", "ty", "rx", "ry", "rz"]), [0, 2, 4]);
//! # Ok::<(), tdshm_ops::PatternError>(())
//! ```
#![forbid(unsafe_code)]

pub mod clip;
mod common;
mod cook;
mod data;
pub mod error;
pub mod expr;
mod global;
pub mod image;
mod network;
mod object;
mod op;
mod ops;
pub mod par;
#[cfg(feature = "patch")]
pub mod patch;
pub mod pattern;
pub mod resample;
mod script;
pub mod slice;
mod table;
mod time;
mod value;

pub use cook::Cook;
pub use data::Data;
pub use error::{ExprError, OpError, PatternError};
pub use expr::Expr;
pub use network::Network;
pub use network::info::InfoType;
pub use network::watch::WatchId;
pub use object::channel::Channel;
pub use object::connector::{Connector, Side, Target};
pub use object::op::{Flag, Force, Op};
pub use object::par::Par;
pub use object::par::pulse::Hold;
pub use op::{CommonPage, CookPolicy, Family, OpSpec, Operator, Registry};
pub use par::{ParMode, ParSpec, Style};
pub use pattern::{Pattern, PatternWarning};
pub use script::ScriptCallback;
pub use table::Table;
pub use time::Time;
pub use value::{OpId, Value};
