//! What a kubelet says when nobody has answered it for three minutes, and what the doctor makes of that. Tests start in the order of
//! their names: this one waits most of the time, so it comes first.

use std::time::Duration;

use reqwest::Method;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::{
    kubelet::{self, Kubelet},
    support::{self, containerd::Report, node::Node},
};

/// Goes on when it is dropped: nobody could end it otherwise.
struct Stopped(Pid);

impl Stopped {
    fn new(pid: u32) -> Self {
        let pid = Pid::from_raw(pid.cast_signed()).unwrap();
        kill_process(pid, Signal::STOP).unwrap();
        Self(pid)
    }
}

impl Drop for Stopped {
    fn drop(&mut self) {
        let _gone = kill_process(self.0, Signal::CONT);
    }
}

fn report(node: &Node) -> Report {
    let began = std::time::Instant::now();
    let output = node.wharf(&["doctor", "incidents", "-o", "json"]).output().unwrap();
    let value: Value = serde_json::from_slice(&output.stdout).unwrap();
    Report { code: output.status.code().unwrap(), value: value["runbooks"][0].clone(), took: began.elapsed() }
}

#[test]
fn a1_a_pleg_that_is_not_healthy_is_explained_by_the_runtime_that_hangs() {
    let Some(program) = support::program("pleg", "kubelet") else { return };
    let _alone = support::with_kubelet();
    let Some(node) = Node::with_registry("pleg") else { return };
    let kubelet = Kubelet::start(&node, &program);
    let healthy = || matches!(kubelet.ask(Method::GET, "/healthz"), Ok((200, _)));
    kubelet.until("a kubelet that is well", healthy);
    let report = || report(&node);
    let before = report();
    assert_eq!(before.verdict("incident-pleg"), "pass", "{:#}", before.value);
    before.no_cause();

    let stopped = Stopped::new(node.engine());
    let said = || kubelet.log().contains("PLEG is not healthy: pleg was last seen active 3m");
    std::thread::sleep(Duration::from_secs(170));
    assert!(!said(), "it waits three minutes");
    kubelet.until("what it says after three minutes", said);
    let hung = report();
    let log = kubelet.dir.join("log").display().to_string();
    hung.names("runtime-hung", &["PLEG is not healthy: pleg was last seen active 3m", &log, "runtime-unresponsive"]);
    assert_eq!(hung.value["cause"], hung.step("incident-pleg")["finding"]["cause"]);
    assert!(hung.took < Duration::from_secs(10), "{:?}", hung.took);

    drop(stopped);
    kubelet.until("a runtime that answers again", || node.crictl(&["version"]).status.success());
    let after = report();
    after.no_cause();
    assert_eq!(after.verdict("incident-pleg"), "warn", "{:#}", after.value);
    assert!(after.step("incident-pleg").to_string().contains("all calls are fast now"), "{:#}", after.value);
    kubelet::end(&node, kubelet);
    node.end();
}
