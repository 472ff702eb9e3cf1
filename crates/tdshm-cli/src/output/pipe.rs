//! Whether anybody reads standard output.

/// Whether standard output is a pipe that nobody reads any more: what is written would not arrive. `false` where that
/// cannot be told; then the next write tells.
#[cfg(unix)]
pub(crate) fn nobody_reads() -> bool {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};

    let stdout = std::io::stdout();
    // Nothing is asked for: that the other end has gone is said all the same.
    let mut fds = [PollFd::new(&stdout, PollFlags::empty())];
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    let gone = PollFlags::ERR | PollFlags::HUP;
    poll(&mut fds, Some(&now)).is_ok() && fds.iter().any(|fd| fd.revents().intersects(gone))
}

/// As above: other systems say it with the next write.
#[cfg(not(unix))]
pub(crate) fn nobody_reads() -> bool {
    false
}
