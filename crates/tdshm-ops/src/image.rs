//! The data of a TOP: pixels with a format, a size and an aspect (operators §1.6).
