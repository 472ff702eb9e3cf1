//! TouchDesigner's operators. So far: the pattern language that their parameters share.
//!
//! A parameter such as *Channel Scope* holds one line of text, `tx r* ^ry`. [`Pattern`] reads it once and then says of
//! any list of names which are meant. Nothing here touches shared memory, files or the clock, and no text, whoever
//! wrote it, takes more than polynomial time or a bounded amount of memory.
//!
//! | module | what lives there |
//! | --- | --- |
//! | [`pattern`] | [`Pattern`] picks from names; around it the other languages with the same brackets |
//! | [`expr`] | [`Expr`](expr::Expr), an expression in a parameter |
//! | [`error`] | every error type of the crate |
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
pub mod error;
pub mod expr;
pub mod image;
pub mod pattern;
pub mod resample;
pub mod slice;
mod value;

pub use error::{ExprError, PatternError};
pub use expr::Expr;
pub use pattern::{Pattern, PatternWarning};
pub use value::{OpId, Value};
