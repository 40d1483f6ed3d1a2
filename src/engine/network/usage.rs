//! What went through a process's network interfaces (proc_pid_net(5), "dev").

use std::fs;

use crate::error::{Error, Result};

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Interface {
    pub name: String,
    pub received: Traffic,
    pub sent: Traffic,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Traffic {
    pub bytes: u64,
    pub packets: u64,
    pub errors: u64,
    pub dropped: u64,
}

/// The interfaces of the network namespace that a process is in, but for loopback. Blocking.
pub fn of_process(pid: u32) -> Result<Vec<Interface>> {
    let path = format!("/proc/{pid}/net/dev");
    let text = fs::read_to_string(&path).map_err(|e| Error::io("read", path, e))?;
    Ok(parse(&text))
}

fn parse(text: &str) -> Vec<Interface> {
    let one = |line: &str| {
        let (name, rest) = line.split_once(':')?;
        let columns: Vec<u64> = rest.split_whitespace().map_while(|word| word.parse().ok()).collect();
        let traffic = |at: usize| {
            let [bytes, packets, errors, dropped] = *columns.get(at..at + 4)? else { return None };
            Some(Traffic { bytes, packets, errors, dropped })
        };
        Some(Interface { name: name.trim().to_owned(), received: traffic(0)?, sent: traffic(8)? })
    };
    text.lines().filter_map(one).filter(|i| i.name != "lo").collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_where_the_kernel_puts_them() {
        let text = "Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo:     100       1    0    0    0     0          0         0      100       1    0    0    0     0       0          0
  eth0:    1000      10    1    2    0     0          0         0     2000      20    3    4    0     0       0          0
";
        let expected = Interface {
            name: "eth0".to_owned(),
            received: Traffic { bytes: 1000, packets: 10, errors: 1, dropped: 2 },
            sent: Traffic { bytes: 2000, packets: 20, errors: 3, dropped: 4 },
        };
        assert_eq!(parse(text), [expected]);
        assert!(of_process(std::process::id()).is_ok());
    }
}
