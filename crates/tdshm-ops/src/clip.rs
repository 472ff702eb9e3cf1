//! The data of a CHOP: channels of samples with a start and a rate (operators §3).
