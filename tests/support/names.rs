//! A name server of a few lines, for what a node's resolver may meet.

use std::{
    net::UdpSocket,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use wharf::engine::network::netns;

use super::containerd::Containerd;

/// A name server on port 53 of an address, until it is dropped.
pub struct Names(Arc<AtomicBool>);

impl Names {
    /// With this address for every name; or this code for each question (RFC 1035); or without a word.
    pub fn start(node: &Containerd, at: &str, knows: Option<[u8; 4]>, code: Option<u8>) -> Self {
        let socket = netns::inside(&node.netns, || Ok(UdpSocket::bind((at, 53)).unwrap())).unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        let stop = Arc::new(AtomicBool::new(false));
        let ends = Arc::clone(&stop);
        std::thread::spawn(move || {
            let mut query = [0; 512];
            while !ends.load(Ordering::SeqCst) {
                let Ok((length, from)) = socket.recv_from(&mut query) else { continue };
                let mut answer = query[..length].to_vec();
                let end = 12 + answer[12..].iter().position(|b| *b == 0).unwrap() + 5;
                let wants_v4 = answer[end - 3] == 1;
                answer.truncate(end);
                (answer[2], answer[3]) = (0x81, 0x80 | code.unwrap_or(0));
                answer[6..12].fill(0);
                if let (Some(address), true) = (knows, wants_v4) {
                    answer[7] = 1;
                    answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 9, 0, 4]);
                    answer.extend(address);
                }
                if knows.is_some() || code.is_some() {
                    let _gone = socket.send_to(&answer, from);
                }
            }
        });
        Self(stop)
    }
}

impl Drop for Names {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
        std::thread::sleep(Duration::from_millis(120));
    }
}
