//! Time slices (operators §4).
