//! The client and the app on a CRI-O: what wharf answers is what crictl answers, and what CRI-O does not tell is not offered.

use std::fs;

use serde_json::{Value, json};

use crate::{
    attached::{commands, logs, prunes, questions, removes, streams, until, world},
    attached_app::panes,
    dead::{looks_through, offline, two_pods},
    support::{attached_crio::Crio, cri::Cri, tmux::Tmux, without_kubelet},
};

/// A pod whose containers share one PID namespace, for which CRI-O keeps a process: others have none.
fn sharing(c: &Cri) -> String {
    let path = c.pod_config("sharing");
    let mut config: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    config["linux"]["security_context"] = json!({ "namespace_options": { "pid": 0 } });
    fs::write(&path, config.to_string()).unwrap();
    c.ok(&["runp", &path])
}

#[test]
fn questions_are_answered_as_crictl_answers_them() {
    let Some(c) = Crio::start("crio") else { return };
    questions(&c, "CRI-O");
    c.end();
}

#[test]
fn logs_are_read_as_crictl_reads_them() {
    let Some(c) = Crio::start("crio-logs") else { return };
    logs(&c, "CRI-O");
    c.end();
}

#[test]
fn commands_run_over_its_streaming_server() {
    let Some(c) = Crio::start("crio-exec") else { return };
    commands(&c, "CRI-O");
    c.empty();
    streams(&c, "CRI-O");
    // It has no other way for ports than SPDY, and says nothing in words.
    let pod = c.ok(&["pods", "-q"]);
    let refused = c.wharf_fails(&["port-forward", "--transport", "websocket", &pod, ":8080"]);
    assert!(refused.contains("was refused: 403"), "{refused}");
    c.end();
}

#[test]
fn changes_are_made_and_prune_keeps_what_is_used() {
    let Some(c) = Crio::start("crio-changes") else { return };
    let w = world(&c);
    prunes(&c, &w);
    removes(&c, &w);
    c.end();
}

#[test]
fn the_panes_name_what_crictl_lists_and_the_storage_has() {
    let Some(c) = Crio::start("crio-app") else { return };
    panes(&c, "cri-o", || c.layers());
    c.end();
}

#[test]
fn its_pods_are_changed_from_the_app() {
    let Some(c) = Crio::start("crio-keys") else { return };
    let loud = two_pods(&c);
    let Some(app) = Tmux::start("crio-keys", (80, 24), &c.wharf(&[])) else { return };
    app.wait_for("ATTACHED");
    app.keys(&["3", "/"]);
    app.text("loud");
    app.keys(&["Enter"]);
    app.wait_until("the container", |s| s.contains("Containers 1/2") && s.contains("Running"));
    app.keys(&["s"]);
    app.wait_until("a prompt", |s| s.contains("/ #") && s.contains("has the keys"));
    app.text("echo $((6*7)) is the answer\n");
    app.wait_for("42 is the answer");
    // CRI-O may swallow what a terminal gets right before its end.
    app.text("exit 7\n");
    app.wait_for("ended with 7");
    std::thread::sleep(std::time::Duration::from_millis(600));
    app.keys(&["Enter"]);
    app.wait_until("the table", |s| s.contains("STATE") && s.contains("Running"));
    app.keys(&["x"]);
    app.wait_for("Cancel");
    std::thread::sleep(std::time::Duration::from_millis(600));
    app.keys(&["Tab", "Enter"]);
    app.wait_for("done, 1 step");
    app.keys(&["Escape"]);
    app.wait_for("Exited 137");
    assert_eq!(c.json(&["inspect", &loud])["status"]["state"], "CONTAINER_EXITED");
    app.keys(&["Escape", ":"]);
    app.text("pull 127.0.0.1:5000/test/unused:1");
    app.keys(&["Enter"]);
    app.wait_for("pulled 127.0.0.1:5000/test/unused:1");
    app.keys(&["Escape", "P"]);
    app.wait_for("starts in");
    std::thread::sleep(std::time::Duration::from_millis(600));
    app.keys(&["Enter"]);
    app.wait_until("done at once", |s| s.contains("done, ") && !s.contains("failed"));
    until("the image has gone", || !c.ok(&["images"]).contains("test/unused"));
    app.keys(&["Escape", "2", "/"]);
    app.text("job");
    app.keys(&["Enter"]);
    app.wait_for("Pods 1/2");
    app.keys(&["C-d"]);
    app.wait_for("remove pod");
    std::thread::sleep(std::time::Duration::from_millis(600));
    app.keys(&["Y"]);
    app.wait_for("done, ");
    until("the pod has gone", || !c.ok(&["pods"]).contains("job"));
    app.keys(&["Escape", "7"]);
    app.wait_until("its layers' bytes", |s| s.contains("layers") && s.contains("image filesystem"));
    app.keys(&["6"]);
    app.wait_until("its cgroup driver", |s| s.contains("cgroupfs") && s.contains("RuntimeConfig"));
    app.keys(&["q"]);
    assert_eq!(app.exit_code(), 0);
    app.end();
    c.end();
}

#[test]
fn a_dead_one_is_shown_from_its_disk_until_it_is_back() {
    let Some(mut c) = Crio::start("crio-dead") else { return };
    two_pods(&c);
    for size in [(80, 24), (160, 48)] {
        let images = c.json(&["images", "-o", "json"])["images"].as_array().unwrap().len();
        let layers = c.layers().len();
        c.kill();
        let Some(tmux) = Tmux::start("crio-dead", size, &c.wharf(&[])) else { return };
        looks_through(&tmux, "runtime dead since", images, layers);
        c.serve();
        tmux.wait_until("its own answers", |s| s.contains(" ATTACHED ") && !s.contains("from disk"));
        tmux.keys(&["q"]);
        assert_eq!(tmux.exit_code(), 0);
        tmux.end();
    }
    c.end();
}

#[test]
fn the_verbs_tell_offline_what_crictl_told_before_the_death() {
    let Some(mut c) = Crio::start("crio-offline") else { return };
    let loud = two_pods(&c);
    sharing(&c);
    let stopped = c.ok(&["runp", &c.pod_config("stopped")]);
    c.ok(&["stopp", &stopped]);
    let cri = c.clone();
    // When a container was made it keeps to some microseconds, and which images are pinned in no record.
    let container = ["podSandboxId", "metadata", "state", "labels", "annotations", "imageId"];
    offline(&cri, "CRI-O", &loud, &container, &["repoTags", "repoDigests", "size"], || c.kill());
    // What ended after it died: conmon has written how.
    let pid: Value = serde_json::from_str(&c.wharf_ok(&["--offline", "inspect", &loud])).unwrap();
    let pid = rustix::process::Pid::from_raw(pid["info"]["pid"].as_i64().unwrap().try_into().unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
    until("how it ended", || {
        let seen: Value = serde_json::from_str(&c.wharf_ok(&["--offline", "inspect", &loud])).unwrap();
        seen["status"]["exitCode"] == 137 && seen["status"]["state"] == "CONTAINER_EXITED"
    });
    c.serve();
    c.end();
}

#[test]
fn the_doctor_names_its_files_and_its_driver() {
    let _no_kubelet = without_kubelet();
    let Some(mut c) = Crio::start("crio-doctor") else { return };
    two_pods(&c);
    let cri = c.clone();
    let report = |book: &str| -> Value {
        let output = cri.wharf(&["doctor", book, "-o", "json"]).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        let value: Value = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{book}: {e}: {text}{errors}"));
        value["runbooks"][0].clone()
    };
    let driver = report("cgroup-driver");
    let said = |report: &Value, check: &str| {
        let step = report["steps"].as_array().unwrap().iter().find(|s| s["check"] == check);
        let step = step.unwrap_or_else(|| panic!("no {check}: {report:#}")).clone();
        (step["finding"]["verdict"].as_str().unwrap().to_owned(), step.to_string())
    };
    let (verdict, step) = said(&driver, "handler-drivers");
    assert!(verdict == "pass" && step.contains("all of cri-o: cgroupfs"), "{step}");
    assert!(step.contains("grep -n cgroup_manager") && step.contains("crio.conf"), "{step}");
    let (verdict, step) = said(&driver, "live-paths");
    assert!(verdict == "pass" && step.contains("1 groups of containers and sandboxes, made by cgroupfs"), "{step}");
    let (verdict, step) = said(&report("runtime-class"), "class-handler");
    assert!(verdict == "pass" && step.contains("crun, runc"), "{step}");
    let disk = report("disk-full");
    for (check, words) in [
        ("disk-inodes", &["runtime root", "/lib"][..]),
        ("disk-images", &["2 images", "0 B of it used by no container"]),
        ("disk-layers", &["loud"]),
        ("disk-orphans", &["not-applicable"]),
    ] {
        let (_, step) = said(&disk, check);
        assert!(words.iter().all(|w| step.contains(w)) && !step.contains("containerd"), "{check}: {step}");
    }
    let runtime = report("runtime-unresponsive");
    let (verdict, step) = said(&runtime, "runtime-process");
    assert!(verdict == "pass" && step.contains("crio runs as pid") && step.contains("crio.service"), "{step}");
    let (verdict, step) = said(&runtime, "runtime-stacks");
    assert!(verdict == "not-applicable" && step.contains("/tmp/crio-goroutine-stacks-"), "{step}");
    for book in ["incidents", "best-practices"] {
        assert!(report(book)["cause"].is_null(), "{book}: {:#}", report(book));
    }
    c.kill();
    let dead = report("runtime-unresponsive");
    assert_eq!(dead["verdict"], "fail", "{dead:#}");
    assert!(dead.to_string().contains("systemctl status crio.service"), "{dead:#}");
}
