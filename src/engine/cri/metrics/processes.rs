//! The processes of a container, from /proc: counted, with their descriptors and states. A process that ends meanwhile is
//! left out.

use std::fs;

/// Processes looked at; a container with more has other troubles.
const MOST: usize = 4096;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Processes {
    pub count: u64,
    pub descriptors: u64,
    pub sockets: u64,
    /// Threads by cAdvisor's states.
    pub sleeping: u64,
    pub running: u64,
    pub stopped: u64,
    pub uninterruptible: u64,
}

/// Blocking.
pub fn of(pids: &[u32]) -> Processes {
    let mut sum = Processes { count: pids.len() as u64, ..Processes::default() };
    for pid in pids.iter().take(MOST) {
        for entry in fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten() {
            sum.descriptors += 1;
            let target = fs::read_link(entry.path()).unwrap_or_default();
            sum.sockets += u64::from(target.as_os_str().as_encoded_bytes().starts_with(b"socket:"));
        }
        for task in fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten() {
            match fs::read_to_string(task.path().join("stat")).ok().as_deref().and_then(state) {
                Some('R') => sum.running += 1,
                Some('S' | 'I') => sum.sleeping += 1,
                Some('T' | 't') => sum.stopped += 1,
                Some('D') => sum.uninterruptible += 1,
                _ => {}
            }
        }
    }
    sum
}

/// The name before it may hold anything, a closing parenthesis too.
fn state(stat: &str) -> Option<char> {
    stat.rsplit_once(") ")?.1.chars().next()
}

/// The soft limit on open files of a process; `None` if there is none or the process has gone.
pub fn open_files(pid: u32) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/limits")).ok()?;
    text.lines().find_map(|l| l.strip_prefix("Max open files")?.split_whitespace().next()?.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_process_is_seen() {
        let _socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let found = of(&[std::process::id()]);
        assert!(found.count == 1 && found.descriptors > 2 && found.sockets >= 1, "{found:?}");
        assert!(found.running + found.sleeping + found.uninterruptible >= 1, "{found:?}");
        assert!(open_files(std::process::id()).unwrap() > 0);
        assert_eq!(state("7 (a) b) S 1 2"), Some('S'));
    }
}
