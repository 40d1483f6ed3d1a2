//! What is done to images beside pulling and removing them, and collections: by verbs and by the app, on the engine and on somebody
//! else's runtimes; where one cannot, it says so and nothing is done.

use std::{process::Command, time::Duration};

use serde_json::Value;

use crate::support::{
    self,
    attached_containerd::{Containerd, VERSIONS, Version},
    attached_crio::Crio,
    cri::{Cri, succeeded},
    node::{IMAGE, Node},
    tmux::Tmux,
};

const ANOTHER: &str = "registry.example.com/kept/busybox:stable";

fn image<'a>(images: &'a Value, name: &str) -> Option<&'a Value> {
    images["images"].as_array()?.iter().find(|i| i["repoTags"].as_array().is_some_and(|t| t.iter().any(|t| t == name)))
}

/// The last lines of a journal, newest first: what, before, after.
fn told(path: &str) -> Vec<(String, String, String)> {
    let shown =
        Command::new(support::WHARF).args(["journal", "-o", "json"]).env("WHARF_JOURNAL", path).output().unwrap();
    let value: Value = serde_json::from_slice(&shown.stdout).unwrap();
    let text = |e: &Value, key: &str| e[key].as_str().unwrap_or_default().to_owned();
    let entries = value["entries"].as_array().unwrap();
    assert!(entries.iter().all(|e| e["error"].is_null()), "{value}");
    entries.iter().map(|e| (text(e, "what"), text(e, "before"), text(e, "after"))).collect()
}

/// Opens the app on a command at both sizes, one after the other.
fn sized(test: &str, command: &Command, with: impl Fn(&Tmux)) {
    for size in [(80, 24), (160, 48)] {
        let Some(tmux) = Tmux::start(test, size, command) else { return };
        // Keys from before it reads are nobody's.
        tmux.wait_for("ATTACHED");
        with(&tmux);
        tmux.keys(&["q"]);
        assert_eq!(tmux.exit_code(), 0);
        tmux.end();
    }
}

/// Says a command and starts the plan that comes of it.
fn says(tmux: &Tmux, command: &str, plan: &str) -> String {
    tmux.text(&format!(":{command}"));
    tmux.keys(&["Enter"]);
    let shown = tmux.wait_for(plan);
    // A dialog takes keys once it was on the screen for a moment.
    std::thread::sleep(Duration::from_millis(500));
    tmux.keys(&["Y"]);
    shown
}

/// The row of an image.
fn at_image(tmux: &Tmux, name: &str) {
    tmux.keys(&["4", "/"]);
    tmux.text(name);
    tmux.keys(&["Enter"]);
    tmux.wait_for(name);
}

/// By verbs: the name and the pin are there for crictl, and gone again.
fn by_verbs(c: &Cri, pins: bool) {
    c.ok(&["pull", &c.image]);
    let id = c.json(&["inspecti", &c.image])["status"]["id"].as_str().unwrap().to_owned();
    assert!(c.wharf_fails(&["images", "tag", &c.image, "busybox"]).contains("says no registry"));
    assert!(c.wharf_fails(&["--read-only", "images", "tag", &c.image, ANOTHER]).contains("--read-only"));
    assert_eq!(c.wharf_ok(&["images", "tag", &c.image, ANOTHER]), format!("Tagged: {ANOTHER}"));
    let images = c.json(&["images", "-o", "json"]);
    assert_eq!(image(&images, ANOTHER).unwrap()["id"], id.as_str());
    assert_eq!(image(&images, &c.image).unwrap()["id"], id.as_str(), "the old name stays");
    // A name goes over to another image.
    c.ok(&["pull", "127.0.0.1:5000/test/unused:1"]);
    c.wharf_ok(&["images", "tag", "127.0.0.1:5000/test/unused:1", ANOTHER]);
    let images = c.json(&["images", "-o", "json"]);
    assert_ne!(image(&images, ANOTHER).unwrap()["id"], id.as_str());
    assert!(image(&images, &c.image).is_some());
    if !pins {
        let refused = c.wharf_fails(&["images", "pin", ANOTHER]);
        assert!(refused.contains("knows no pins"), "{refused}");
        return;
    }
    let pinned = |name: &str| image(&c.json(&["images", "-o", "json"]), name).unwrap()["pinned"] == true;
    c.wharf_ok(&["images", "pin", ANOTHER]);
    assert!(pinned(ANOTHER) && !pinned(&c.image));
    c.wharf_ok(&["prune", "images", "--yes"]);
    assert!(image(&c.json(&["images", "-o", "json"]), ANOTHER).is_some(), "pruned in spite of its pin");
    c.wharf_ok(&["images", "unpin", ANOTHER]);
    assert!(!pinned(ANOTHER));
    c.wharf_ok(&["prune", "images", "--yes"]);
    assert!(image(&c.json(&["images", "-o", "json"]), ANOTHER).is_none(), "kept without a pin");
}

#[test]
fn images_of_a_containerd_get_names_and_pins() {
    for version in VERSIONS {
        let Some(c) = Containerd::start("acting", version) else { return };
        by_verbs(&c, version == Version::New);
        c.end();
    }
}

/// In the app: each through its plan, and written down with what was and what is.
fn in_the_app(test: &str, command: &mut Command, journal: &str, pins: bool, images: impl Fn() -> Value) {
    command.env("WHARF_JOURNAL", journal);
    let round = std::cell::Cell::new(0);
    sized(test, command, |tmux| {
        at_image(tmux, "test/busybox:1");
        let name = format!("{ANOTHER}-{}", round.replace(round.get() + 1));
        let shown = says(tmux, &format!("tag {name}"), "Plan: tag");
        assert!(shown.contains("one more name of"), "{shown}");
        tmux.wait_for("✓");
        assert!(image(&images(), &name).is_some());
        tmux.keys(&["Escape", "Escape"]);
        at_image(tmux, "test/busybox:1");
        if pins {
            says(tmux, "pin", "Plan: pin");
            tmux.wait_for("✓");
            tmux.keys(&["Escape"]);
            tmux.wait_until("the pin", |s| s.contains("pinned"));
            assert_eq!(image(&images(), IMAGE).unwrap()["pinned"], true);
            says(tmux, "unpin", "Plan: unpin");
            tmux.wait_for("✓");
            assert_ne!(image(&images(), IMAGE).unwrap()["pinned"], true);
            tmux.keys(&["Escape"]);
        } else {
            tmux.keys(&["*"]);
            tmux.wait_for("knows no pins");
        }
        says(tmux, "gc", "what nothing refers to");
        tmux.wait_for("freed ");
        tmux.keys(&["Escape", "Escape"]);
        tmux.wait_until("the table", |s| s.contains("IMAGE") && s.contains("SIZE"));
    });
    let told = told(journal);
    let found = |what: &str| told.iter().find(|t| t.0.starts_with(what)).unwrap_or_else(|| panic!("{what}: {told:?}"));
    assert!(found("collect garbage").2.starts_with("freed "), "{told:?}");
    assert!(found("name image").2.starts_with("image "), "{told:?}");
    if pins {
        let (_, before, after) = found("pin image");
        assert_eq!((before.as_str(), after.as_str()), ("not pinned", "pinned"));
    }
}

#[test]
fn names_pins_and_garbage_of_a_containerd_in_the_app() {
    for version in VERSIONS {
        let Some(c) = Containerd::start("acting-app", version) else { return };
        c.ok(&["pull", &c.image]);
        let journal = c.dir.join("journal").display().to_string();
        let mut command = c.wharf(&[]);
        in_the_app("acting-app", &mut command, &journal, version == Version::New, || c.json(&["images", "-o", "json"]));
        c.end();
    }
}

#[test]
fn names_pins_and_garbage_of_the_engine_in_the_app() {
    let Some(node) = Node::with_registry("acting-node") else { return };
    node.ok(&["pull", IMAGE]);
    let images = || serde_json::from_str::<Value>(&node.ok(&["images", "-o", "json"])).unwrap();
    let journal = node.dir.join("journal").display().to_string();
    in_the_app("acting-node", &mut node.wharf(&[]), &journal, true, images);
    // The verbs, on the same engine.
    let other = format!("{ANOTHER}-1");
    let ok = |words: &[&str]| succeeded(&format!("{words:?}"), &node.wharf(words).output().unwrap());
    ok(&["images", "pin", &other]);
    assert_eq!(image(&images(), IMAGE).unwrap()["pinned"], true, "one image, two names");
    let refused = node.wharf(&["--read-only", "images", "unpin", &other]).output().unwrap();
    assert!(!refused.status.success() && String::from_utf8_lossy(&refused.stderr).contains("--read-only"));
    node.ok(&["pull", IMAGE]);
    assert_eq!(image(&images(), IMAGE).unwrap()["pinned"], true, "a pull takes no pin");
    ok(&["images", "unpin", &other]);
    ok(&["prune", "images", "--yes"]);
    assert!(images()["images"].as_array().is_none_or(Vec::is_empty), "{}", images());
}

#[test]
fn cri_o_is_not_offered_what_it_cannot_do() {
    let Some(c) = Crio::start("acting-crio") else { return };
    c.ok(&["pull", &c.image]);
    for (words, why) in [
        (&["images", "tag", c.image.as_str(), ANOTHER][..], "CRI-O has no call for it"),
        (&["images", "pin", c.image.as_str()][..], "pinned_images"),
    ] {
        let refused = c.wharf_fails(words);
        assert!(refused.contains(why), "{refused}");
    }
    sized("acting-crio", &c.wharf(&[]), |tmux| {
        at_image(tmux, "test/busybox:1");
        tmux.text(":gc");
        tmux.wait_for("not offered: ");
        tmux.keys(&["Enter"]);
        tmux.wait_for("keeps no garbage");
        tmux.keys(&["Escape"]);
    });
    c.end();
}

/// Of a container: id, attempt and state of each of that name.
fn attempts(c: &Cri, name: &str) -> Vec<(String, u64, String)> {
    let all = c.json(&["ps", "-a", "-o", "json"]);
    let named = all["containers"].as_array().unwrap().iter().filter(|c| c["metadata"]["name"] == name);
    let text = |v: &Value| v.as_str().unwrap().to_owned();
    named.map(|c| (text(&c["id"]), c["metadata"]["attempt"].as_u64().unwrap_or(0), text(&c["state"]))).collect()
}

/// A container that nobody looks after is made anew; one that cannot start leaves the old one; an image is run.
fn restarts_and_runs(test: &str, c: &Cri) {
    c.ok(&["pull", &c.image]);
    let (_, id) = c.run_with(
        "web",
        "loud",
        "echo life; exec sleep 1000",
        serde_json::json!([{ "container_path": "/etc-of-host", "host_path": "/etc", "readonly": true }]),
    );
    let journal = c.dir.join("journal-2").display().to_string();
    let mut command = c.wharf(&[]);
    command.env("WHARF_JOURNAL", &journal);
    let mut old = id;
    let rounds = std::cell::RefCell::new(Vec::new());
    sized(test, &command, |tmux| {
        tmux.keys(&["3", "/"]);
        tmux.text("loud");
        tmux.keys(&["Enter"]);
        tmux.wait_until("one container", |s| s.contains("/loud") && s.contains("Running") && !s.contains("busybox-"));
        let shown = says(tmux, "restart", "Plan: restart");
        assert!(shown.contains("made anew as attempt"), "{shown}");
        let attempt = rounds.borrow().len() + 1;
        tmux.wait_for(&format!("attempt {attempt} is container"));
        rounds.borrow_mut().push(attempts(c, "loud"));
        tmux.keys(&["Escape", "Escape"]);
        let shown = says(tmux, &format!("run {} /bin/sh -c 'echo hello; sleep 1000'", c.image), "Plan: run");
        assert!(shown.contains("run pod") && !shown.contains("pull "), "{shown}");
        tmux.wait_for("✓ start");
        tmux.keys(&["Escape", "Escape"]);
        tmux.wait_for("busybox-");
    });
    for (n, round) in rounds.borrow().iter().enumerate() {
        let [(new, attempt, state)] = &round[..] else { panic!("{round:?}") };
        assert!(*new != old && *attempt == n as u64 + 1 && state == "CONTAINER_RUNNING", "{round:?}");
        old.clone_from(new);
    }
    // It is what it was: command, limit, mount, and a log by its attempt.
    let seen = c.json(&["inspect", &old]);
    assert_eq!(seen["status"]["mounts"][0]["containerPath"], "/etc-of-host", "{seen}");
    assert!(seen["status"]["logPath"].as_str().unwrap().ends_with("/loud/2.log"), "{}", seen["status"]["logPath"]);
    assert_eq!(c.ok(&["logs", &old]), "life");
    let pods = c.json(&["pods", "-o", "json"]);
    let all = pods["items"].as_array().unwrap().iter();
    let ran: Vec<_> = all.filter(|p| p["metadata"]["name"].as_str().unwrap().starts_with("busybox-")).collect();
    assert_eq!(ran.len(), 2, "{pods}");
    for pod in ran {
        c.wharf_ok(&["rmp", "-f", pod["id"].as_str().unwrap()]);
        // The kubelet's to remove, which knows nothing of them.
        let [name, uid] = ["name", "uid"].map(|key| pod["metadata"][key].as_str().unwrap());
        let logs = format!("/var/log/pods/default_{name}_{uid}");
        std::fs::remove_dir_all(&logs).unwrap_or_else(|e| panic!("{logs}: {e}"));
    }
    let told = told(&journal);
    let found = |what: &str| told.iter().find(|t| t.0.starts_with(what)).unwrap_or_else(|| panic!("{what}: {told:?}"));
    assert!(
        found("restart container").1.starts_with("container ") && found("restart container").2.contains("is container")
    );
    for what in ["run pod default/busybox-", "create container busybox-", "start container busybox-"] {
        found(what);
    }
    let read_only = c.wharf(&["--read-only"]);
    sized(test, &read_only, |tmux| {
        tmux.keys(&["3"]);
        tmux.wait_for("loud");
        tmux.keys(&["R"]);
        tmux.wait_for("read-only: restart is not done");
    });
    assert_eq!(attempts(c, "loud")[0].0, old);
}

#[test]
fn containers_of_a_containerd_are_restarted_and_images_run() {
    for version in VERSIONS {
        let Some(c) = Containerd::start("acting-run", version) else { return };
        restarts_and_runs("acting-run", &c);
        c.end();
    }
}

#[test]
fn containers_of_the_engine_are_restarted_and_images_run() {
    let Some(node) = Node::with_registry("acting-engine") else { return };
    let c = Cri {
        crictl: support::program("acting-engine", "crictl").unwrap(),
        socket: node.socket(),
        netns: node.netns.clone(),
        dir: node.dir.clone(),
        cgroup: node.cgroup.clone(),
        image: IMAGE.to_owned(),
    };
    restarts_and_runs("acting-engine", &c);
    // One that ends at once is no better than the old one, which stays, stopped.
    let shared = c.dir.join("shared");
    std::fs::create_dir(&shared).unwrap();
    let mounts = serde_json::json!([{ "container_path": "/shared", "host_path": shared }]);
    let script = "test -e /shared/again && exit 3; touch /shared/again; exec sleep 1000";
    let (pod, id) = c.run_with("job", "once", script, mounts);
    node.until("its mark", || shared.join("again").exists());
    use wharf::client::{Cri as Client, Runtime, action::Step};
    let step = Step::Restart { container: id.clone(), grace: Duration::ZERO, attempt: 1 };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let failed = runtime.block_on(async { Client::attach(&c.socket, false).await.unwrap().apply(&step).await });
    let failed = format!("{:#}", failed.unwrap_err());
    assert!(failed.contains("ended at once with 3") && failed.contains("kept"), "{failed}");
    assert_eq!(attempts(&c, "once"), [(id, 0, "CONTAINER_EXITED".to_owned())]);
    // A pod of several: each of them, in the same pod.
    std::fs::remove_file(shared.join("again")).unwrap();
    c.wharf_ok(&["rmp", "-f", &pod]);
}

/// The same door without a screen: what fails leaves the old one, and the transport lets nothing through.
#[test]
fn a_restart_that_fails_keeps_the_old_one_and_read_only_refuses_each_step() {
    use wharf::client::{
        Cri as Client, Runtime,
        action::{Launch, Step},
    };
    let Some(node) = Node::with_registry("acting-fails") else { return };
    node.ok(&["pull", IMAGE]);
    let (id, _) = node.running("kept", "exec sleep 1000", |_| ());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let restart = |container: &str| Step::Restart { container: container.into(), grace: Duration::ZERO, attempt: 1 };
    let launch = Launch { image: IMAGE.into(), command: vec![], name: "x".into(), uid: "u".into() };
    runtime.block_on(async {
        let read_only = Client::attach(&node.socket(), true).await.unwrap();
        let image = "sha256:0".to_owned();
        for step in [
            restart(&id),
            Step::RunPod(launch.clone()),
            Step::CreateContainer(launch.clone()),
            Step::StartContainer(launch.clone()),
            Step::TagImage { image: image.clone(), name: ANOTHER.into(), from: None },
            Step::PinImage { image, pinned: true },
            Step::Collect,
        ] {
            let refused = read_only.apply(&step).await.unwrap_err();
            assert!(refused.is(wharf::error::Kind::PermissionDenied), "{step:?}: {refused:#}");
        }
        let client = Client::attach(&node.socket(), false).await.unwrap();
        // An image that is gone: there can be no new one, and the old one runs on.
        let absent = Step::Restart { container: "0".repeat(64), grace: Duration::ZERO, attempt: 1 };
        assert!(client.apply(&absent).await.is_err());
        let images = client.inventory(wharf::client::types::Scope::ALL).await.images;
        let image = images.value().unwrap().iter().find(|i| i.tags.iter().any(|t| t == IMAGE)).unwrap().id.clone();
        client.apply(&Step::RemoveImage(image)).await.unwrap();
        let failed = format!("{:#}", client.apply(&restart(&id)).await.unwrap_err());
        assert!(failed.contains("make it anew"), "{failed}");
    });
    let states = || node.ok(&["ps", "-a", "-o", "json"]);
    let value: Value = serde_json::from_str(&states()).unwrap();
    assert_eq!(value["containers"].as_array().unwrap().len(), 1, "{value}");
    assert_eq!(value["containers"][0]["state"], "CONTAINER_RUNNING", "{value}");
    // A pod that cannot be whole leaves nothing.
    runtime.block_on(async {
        let client = Client::attach(&node.socket(), false).await.unwrap();
        let launch = Launch {
            image: "127.0.0.1:5000/test/none:1".into(),
            name: "none".into(),
            uid: "uid-none".into(),
            ..launch
        };
        client.apply(&Step::RunPod(launch.clone())).await.unwrap();
        assert!(client.apply(&Step::CreateContainer(launch)).await.is_err());
    });
    assert_eq!(node.ok(&["pods", "-q"]).lines().count(), 1);
    assert!(!std::path::Path::new("/var/log/pods/default_none_uid-none").exists());
}
