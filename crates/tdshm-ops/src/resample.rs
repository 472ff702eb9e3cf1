//! Sample rates brought together (operators §6).
