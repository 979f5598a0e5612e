//! Whether a port is free, and who has it where it is not.

use std::{
    fs, io,
    net::{SocketAddr, TcpListener, UdpSocket},
};

use super::Finding;
use crate::net::control::Status;

/// What listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protocol {
    /// QUIC.
    Udp,
    /// HTTP.
    Tcp,
}

pub(super) fn examine(what: &'static str, protocol: Protocol, at: SocketAddr, running: Option<&Status>) -> Finding {
    let tried = match protocol {
        Protocol::Udp => UdpSocket::bind(at).map(drop),
        Protocol::Tcp => TcpListener::bind(at).map(drop),
    };
    match tried {
        Ok(()) => Finding::ok(what, format!("{at} is free")),
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => match holder(protocol, at.port()) {
            Some((process, _)) if process == std::process::id() || running.is_some_and(|s| s.process == process) => {
                Finding::ok(what, format!("{at} is the running enabler's"))
            }
            Some((process, name)) => {
                let words = format!("{at} is used by {name} (process {process}): stop it, or choose another port");
                Finding::fail(what, words)
            }
            None => Finding::fail(what, format!("{at} is used by another program: stop it, or choose another port")),
        },
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            Finding::fail(what, format!("{at} needs more rights than this user has: choose a port above 1023"))
        }
        Err(error) => Finding::fail(what, format!("{at}: {error}")),
    }
}

/// The process that has a port, and its name, where the system tells.
fn holder(protocol: Protocol, port: u16) -> Option<(u32, String)> {
    let tables = match protocol {
        Protocol::Udp => ["/proc/net/udp", "/proc/net/udp6"],
        Protocol::Tcp => ["/proc/net/tcp", "/proc/net/tcp6"],
    };
    let sockets: Vec<String> =
        tables.iter().filter_map(|table| socket(&fs::read_to_string(table).ok()?, port)).collect();
    for process in fs::read_dir("/proc").ok()?.filter_map(Result::ok) {
        let Some(number) = process.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        let Ok(open) = fs::read_dir(process.path().join("fd")) else { continue };
        let mut targets = open.filter_map(|file| fs::read_link(file.ok()?.path()).ok());
        if targets.any(|target| sockets.iter().any(|socket| target.as_os_str() == socket.as_str())) {
            let name = fs::read_to_string(process.path().join("comm")).unwrap_or_default();
            return Some((number, name.trim().to_owned()));
        }
    }
    None
}

/// The socket that listens on `port` in one of the kernel's tables, as links of open files name it.
fn socket(table: &str, port: u16) -> Option<String> {
    let wanted = format!(":{port:04X}");
    table.lines().skip(1).find_map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        // Local address, remote address, state: what listens has no remote port.
        let listens = words.get(1)?.ends_with(&wanted) && words.get(2)?.ends_with(":0000");
        listens.then(|| Some(format!("socket:[{}]", words.get(9)?)))?
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::doctor::Level;

    #[test]
    fn a_table_of_the_kernel_is_read() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n \
            1: 0100007F:1151 0100007F:9999 01 00000000:00000000 00:00000000 00000000 0 0 11 1\n \
            2: 0100007F:1151 00000000:0000 07 00000000:00000000 00:00000000 00000000 0 0 4711 2\n";
        assert_eq!(socket(table, 0x1151).as_deref(), Some("socket:[4711]"));
        assert_eq!(socket(table, 80), None);
        assert_eq!(socket("garbage\n:1151\n", 0x1151), None);
    }

    #[test]
    fn a_port_that_is_taken_is_somebodys() {
        let (udp, tcp) = (UdpSocket::bind("127.0.0.1:0").unwrap(), TcpListener::bind("127.0.0.1:0").unwrap());
        let at = udp.local_addr().unwrap();
        // Ours: this very process has it.
        let finding = examine("quic", Protocol::Udp, at, None);
        assert!(finding.level == Level::Ok || finding.words.contains("another program"), "{finding}");
        assert!(examine("http", Protocol::Tcp, tcp.local_addr().unwrap(), None).words.contains(':'));
        drop(udp);
        assert!(examine("quic", Protocol::Udp, at, None).words.contains("free"));
    }
}
