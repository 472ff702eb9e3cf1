//! What the system dropped of packets that nobody fetched in time.

use std::net::UdpSocket;

/// Finds a socket in what the system says of all of them.
#[derive(Debug)]
pub(super) struct Lost {
    /// The number that the system calls it by; `None` where it does not say.
    inode: Option<u64>,
}

impl Lost {
    pub(super) fn of(socket: &UdpSocket) -> Self {
        Self { inode: inode(socket) }
    }

    /// So many packets until now.
    pub(super) fn count(&self) -> Option<u64> {
        let inode = self.inode?;
        let tables = ["/proc/self/net/udp", "/proc/self/net/udp6"];
        tables.iter().find_map(|table| drops(&std::fs::read_to_string(table).ok()?, inode))
    }
}

/// The last word of the socket's line; its inode is the tenth.
fn drops(table: &str, inode: u64) -> Option<u64> {
    table.lines().skip(1).find_map(|line| {
        let mut words = line.split_ascii_whitespace();
        (words.nth(9)?.parse() == Ok(inode)).then(|| words.next_back()?.parse().ok())?
    })
}

// Only Linux has such a table, and std is all it takes to read it there.
#[cfg(target_os = "linux")]
fn inode(socket: &UdpSocket) -> Option<u64> {
    use std::os::fd::AsRawFd;
    use std::os::unix::fs::MetadataExt;
    let about = std::fs::metadata(format!("/proc/self/fd/{}", socket.as_raw_fd()));
    about.ok().map(|about| about.ino())
}

#[cfg(not(target_os = "linux"))]
fn inode(_: &UdpSocket) -> Option<u64> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_table_is_found_by_its_inode() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
  407: 00000000:2710 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 912 2 0000000000000000 7
  408: 0100007F:2711 00000000:0000 07 00000000:00034700 00:00000000 00000000     0        0 913 2 0000000000000000 51203\n";
        assert_eq!(drops(table, 913), Some(51_203));
        assert_eq!(drops(table, 912), Some(7));
        assert_eq!(drops(table, 7), None);
        assert_eq!(drops("", 7), None);
    }
}
