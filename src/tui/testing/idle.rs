//! What is asked of a runtime while nothing happens, and what a layer's files look like.

use super::*;
use crate::{
    node::layer::{Found, Layer},
    tui::{
        model::Popup,
        volumes::{Filesystem, Volume},
    },
};

fn asked(effects: &[Effect]) -> Vec<Scope> {
    effects.iter().filter_map(|e| if let Effect::Refresh(scope) = e { Some(*scope) } else { None }).collect()
}

/// Second by second; what is asked for is answered at once.
fn seconds(app: &mut App, count: u64, key: bool) -> Vec<Scope> {
    let mut all = Vec::new();
    for _ in 0..count {
        let mut effects = app.wait(Duration::from_secs(1));
        if key {
            effects.extend(app.press(KeyCode::Char('j')));
        }
        for scope in asked(&effects) {
            all.push(scope);
            app.send(Event::Inventory(Arc::new(answer(scope, app.clock))));
        }
    }
    all
}

fn answer(scope: Scope, at: SystemTime) -> Inventory {
    fn part<T>(wanted: bool, seen: Seen<T>, now: SystemTime) -> Seen<T> {
        match seen {
            Seen::At { value, source, .. } if wanted => Seen::At { value, at: now, source },
            _ => Seen::NotAsked,
        }
    }
    let all = inventory();
    Inventory {
        pods: part(scope.pods, all.pods, at),
        containers: part(scope.pods, all.containers, at),
        images: part(scope.images, all.images, at),
        stats: part(scope.stats, all.stats, at),
        snapshots: part(scope.snapshots, all.snapshots, at),
        disk: part(scope.disk, all.disk, at),
        ..Inventory::default()
    }
}

#[test]
fn lists_are_read_when_they_change_and_figures_seldom_when_nobody_is_there() {
    let mut app = App::new(80, 24);
    app.send(Event::Inventory(Arc::new(answer(Scope::ALL, app.clock))));
    // A runtime that tells nothing is asked for everything, every three seconds.
    let told = seconds(&mut app, 24, true);
    assert!(told.len() >= 7 && told.iter().all(|s| s.pods && s.stats), "{told:?}");
    app.send(Event::Hearing(true));
    let told = seconds(&mut app, 24, true);
    assert!((5..=8).contains(&told.len()) && told.iter().all(|s| s.stats && !s.pods), "{told:?}");
    // What is told to have changed is read at once.
    assert!(asked(&app.send(Event::Changed)).iter().all(|s| s.pods));
    app.send(Event::Inventory(Arc::new(answer(Scope::ALL, app.clock))));

    seconds(&mut app, 40, false);
    let told = seconds(&mut app, 600, false);
    let count = |of: fn(&Scope) -> bool| told.iter().filter(|s| of(s)).count();
    assert!((30..=45).contains(&count(|s| s.stats)), "every quarter of a minute: {}", count(|s| s.stats));
    assert!((10..=21).contains(&count(|s| s.pods)), "at least once a minute: {}", count(|s| s.pods));
    assert!((9..=11).contains(&count(|s| s.images)), "with everything: {}", count(|s| s.images));
    // Who comes back sees what is, not what was.
    app.wait(Duration::from_secs(1));
    assert_eq!(asked(&app.press(KeyCode::Char('j'))).len(), 1);
    assert_eq!(asked(&app.press(KeyCode::Char('j'))).len(), 0);
    app.send(Event::Inventory(Arc::new(answer(Scope::ALL, app.clock))));
    // And one whose events have ended is asked again.
    app.send(Event::Hearing(false));
    assert!(seconds(&mut app, 9, true).iter().filter(|s| s.pods).count() >= 2);
}

#[test]
fn what_pods_have_mounted_is_told_by_pod() {
    let mut app = App::new(120, 30);
    let effects = app.keys(":mounts\n");
    let token = effects.iter().find_map(|e| if let Effect::Volumes { token } = e { Some(*token) } else { None });
    let volume = |pod: &str, kind, name: &str, source: &str, path: &str, read_only, used: u64| Volume {
        pod: pod.into(),
        container: "redis".into(),
        kind,
        name: name.into(),
        source: source.into(),
        path: path.into(),
        read_only,
        on: Some(Filesystem { kind: "ext4".into(), bytes: Some((used << 30, 50 << 30)) }),
    };
    let of = "/var/lib/kubelet/pods/3f2b/volumes/kubernetes.io~empty-dir/data";
    let result = Ok(vec![
        volume("shop/cart-redis-0", "emptyDir", "data", of, "/data", false, 48),
        volume("shop/cart-redis-0", "hostPath", "", "/etc/local\x1b[2Jtime", "/etc/localtime", true, 10),
        volume("shop/checkout", "secret", "tls", "/x", "/tls", true, 10),
    ]);
    app.send(Event::Volumes { token: token.expect("they are asked for"), result });
    let screen = app.screen();
    for text in
        ["Mounts", "Pod shop/cart-redis-0", "redis  /data  data  ext4 50.0G 96%", of, "read-only", "Pod shop/checkout"]
    {
        assert!(screen.contains(text), "{text}:\n{screen}");
    }
    assert_eq!(screen.matches("Pod shop/cart-redis-0").count(), 1, "{screen}");
    assert!(!screen.contains('\x1b'));
    app.keys("/secret\n");
    assert!(!app.screen().contains("/data") && app.screen().contains("/tls"), "{}", app.screen());
}

fn files() -> Vec<(String, Layer)> {
    let found =
        |bytes, files, path: &[u8], directory, changes| Found { bytes, files, path: path.to_vec(), directory, changes };
    let layer = Layer {
        found: vec![
            found(48 << 20, 310, b"usr", true, true),
            found(31 << 20, 1, b"usr/bin/checkout", false, false),
            found(4096, 1, b"etc/passwd", false, true),
            found(4096, 1, b"usr/\x1b]0;owned\x07\xff\xe2\x80\xaeevil", false, false),
        ],
        removed: vec![b"etc/motd".to_vec(), b"var/cache/".to_vec()],
        bytes: 48 << 20,
        files: 342,
        more: 338,
        ..Layer::default()
    };
    vec![(format!("sha256:{}", id("c", 2)), layer), (format!("sha256:{}", id("c", 1)), Layer::default())]
}

/// The files of the largest snapshot, as they are shown.
pub fn layered(app: &mut App) {
    let effects = app.keys("5F");
    let token = effects.iter().find_map(|e| if let Effect::Layers { token, .. } = e { Some(*token) } else { None });
    app.send(Event::Layers { token: token.expect("files are asked for"), result: Ok(files()) });
}

#[test]
fn the_files_of_a_layer_are_text_and_nobody_waits_for_what_was_closed() {
    let mut app = App::new(100, 30);
    layered(&mut app);
    let screen = app.screen();
    for text in [
        "Files",
        "48 MiB in 342",
        "usr/bin/checkout",
        "~    4.0K",
        "etc/passwd",
        "etc/motd",
        "338 smaller",
        "var/cache/",
    ] {
        assert!(screen.contains(text), "{text}:\n{screen}");
    }
    assert!(screen.contains("nothing is added"), "a layer that only its metadata fill:\n{screen}");
    assert!(!screen.contains(['\x1b', '\x07', '\u{202e}']) && screen.contains("owned"), "{screen}");
    assert!(!app.press(KeyCode::Esc).contains(&Effect::Cease) && app.model.popup.is_none());
    let effects = app.keys("F");
    let late = effects.iter().find_map(|e| if let Effect::Layers { token, .. } = e { Some(*token) } else { None });
    assert!(app.press(KeyCode::Esc).contains(&Effect::Cease));
    app.send(Event::Layers { token: late.unwrap(), result: Ok(files()) });
    assert!(app.model.popup.is_none(), "what comes late opens nothing");
    app.keys("4F");
    assert!(matches!(&app.model.popup, Some(Popup::Detail(d)) if d.kind == "Files"), "an image has layers too");
    app.press(KeyCode::Esc);
    app.keys("2F");
    assert!(app.model.popup.is_none() && app.screen().contains("choose an image"), "{}", app.screen());
}

#[test]
fn the_end_of_a_text_whose_lines_wrap_can_be_reached() {
    let mut app = App::new(80, 24);
    let effects = app.keys("5F");
    let token = effects.iter().find_map(|e| if let Effect::Layers { token, .. } = e { Some(*token) } else { None });
    let found = |n: u8| Found { bytes: 9, files: 1, path: vec![b'a' + n; 150], directory: false, changes: false };
    let layer = Layer { found: (0..12).map(found).collect(), files: 12, ..Layer::default() };
    app.send(Event::Layers { token: token.unwrap(), result: Ok(vec![("top".into(), layer)]) });
    assert!(!app.screen().contains("llll"));
    app.keys("G");
    assert!(app.screen().contains("llll"), "{}", app.screen());
    // And one line up from there is seen at once.
    let end = app.screen();
    app.keys("k");
    assert_ne!(app.screen(), end);
}
