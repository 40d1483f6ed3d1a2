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
    sized(test, command, |tmux| {
        at_image(tmux, "test/busybox:1");
        let shown = says(tmux, &format!("tag {ANOTHER}"), "Plan: tag");
        assert!(shown.contains("one more name of"), "{shown}");
        tmux.wait_for("done, 1 step");
        assert!(image(&images(), ANOTHER).is_some());
        tmux.keys(&["Escape", "Escape"]);
        at_image(tmux, "test/busybox:1");
        if pins {
            says(tmux, "pin", "Plan: pin");
            tmux.wait_for("done, 1 step");
            tmux.keys(&["Escape"]);
            tmux.wait_until("the pin", |s| s.contains("pinned"));
            assert_eq!(image(&images(), IMAGE).unwrap()["pinned"], true);
            says(tmux, "unpin", "Plan: unpin");
            tmux.wait_for("done, 1 step");
            assert_eq!(image(&images(), IMAGE).unwrap()["pinned"] == true, false);
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
        // A lease that has expired and holds a blob: what containerd's collector takes when it is told to.
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
    let ok = |words: &[&str]| succeeded(&format!("{words:?}"), &node.wharf(words).output().unwrap());
    ok(&["images", "pin", ANOTHER]);
    assert_eq!(image(&images(), IMAGE).unwrap()["pinned"], true, "one image, two names");
    let refused = node.wharf(&["--read-only", "images", "unpin", ANOTHER]).output().unwrap();
    assert!(!refused.status.success() && String::from_utf8_lossy(&refused.stderr).contains("--read-only"));
    node.ok(&["pull", IMAGE]);
    assert_eq!(image(&images(), IMAGE).unwrap()["pinned"], true, "a pull takes no pin");
    ok(&["images", "unpin", ANOTHER]);
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
