//! Expressions in parameters (operators §7.2, §10.3).
