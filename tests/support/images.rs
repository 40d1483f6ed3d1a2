//! The images the CRI validation suite names, made from this machine's own programs and pushed to the test's registry.
//! Repositories have the upstream names without the host, so that a mirror of the usual hosts is all a runtime needs.

use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::Path,
    process::Command,
};

use serde_json::{Value, json};

use super::registry::{Layer, Registry, layer};

const CRI_TOOLS: &str = "k8s-staging-cri-tools/";

const PASSWD: &str = "root:x:0:0:root:/root:/bin/sh\nwww-data:x:33:33:www-data:/var/www:/bin/false\n\
    default-user:x:1000:1000::/home/default-user:/bin/sh\nnobody:x:65534:65534:nobody:/home:/bin/false\n";
const GROUP: &str = "root:x:0:\nwww-data:x:33:\nusers:x:100:\ndefault-user:x:1000:\n\
    group-defined-in-image:x:50000:default-user\nnogroup:x:65534:\n";

/// Prints who it is when it runs set-user-ID, and waits for ever: what no shell script can do.
const C: &str = r#"#include <stdio.h>
#include <unistd.h>
int main(int argc, char **argv) {
    if (argc > 1) for (;;) pause();
    printf("Effective uid: %d\n", (int)geteuid());
    return 0;
}"#;

/// Pushes them all; the digest of `test-image-digest`. `None` if a program is missing (and then the test says so).
pub fn push(test: &str, registry: &Registry, scratch: &Path) -> Option<String> {
    let base = scratch.join("base");
    root(test, &base)?;
    let base = layer(&base);
    let own = |name: &str, fill: &dyn Fn(&Path)| {
        let directory = scratch.join(name);
        fs::create_dir_all(&directory).unwrap();
        fill(&directory);
        layer(&directory)
    };
    let marker = |name: &str| own(name, &|d| fs::write(d.join(format!("TEST-{name}")), name).unwrap());
    let page = own("page", &|d| {
        fs::create_dir_all(d.join("www")).unwrap();
        fs::write(d.join("www/index.html"), "<html><body><h1>Welcome to nginx!</h1></body></html>\n").unwrap();
    });
    let shell = json!({ "Cmd": ["sh"] });
    // The suite looks for a process of nginx's name, its pid file, and "master process" in its command line.
    let server = |port: &str| {
        let script = format!(
            ": nginx: master process; echo $$ > /var/run/nginx.pid; echo httpd: on port {port}; httpd -f -p {port} -h /www; exit 1"
        );
        json!({ "Cmd": ["nginx", "-c", script] })
    };
    let send = |names: &[&str], layers: &[&Layer], config: &Value| {
        let mut digest = String::new();
        for name in names {
            let (name, tag) = name.rsplit_once(':').unwrap();
            digest = registry.push_with(name, tag, layers, config, None);
        }
        digest
    };
    send(&["e2e-test-images/busybox:1.29-2", "busybox:latest", "library/busybox:latest"], &[&base], &shell);
    send(&["e2e-test-images/nginx:1.14-2", "e2e-test-images/httpd:2.4.39-4"], &[&base, &page], &server("80"));
    send(&[&format!("{CRI_TOOLS}hostnet-nginx-amd64:latest")], &[&base, &page], &server("12003"));
    let tools = own("tools", &|d| {
        fs::write(d.join("tool.c"), C).unwrap();
        let made = Command::new("cc").args(["-static", "-Os", "-s", "-o", "tool", "tool.c"]).current_dir(d).status();
        assert!(made.unwrap().success(), "cc");
        fs::set_permissions(d.join("tool"), fs::Permissions::from_mode(0o4755)).unwrap();
    });
    send(&["e2e-test-images/nonewprivs:1.3"], &[&base, &tools], &json!({ "Cmd": ["/tool"] }));
    let pause = json!({ "Entrypoint": ["/tool", "wait"], "User": "65535:65535" });
    send(&["pause:3.9", "pause:3.10.2"], &[&tools], &pause);
    for (name, user) in
        [("uid", "1002"), ("username", "www-data"), ("uid-group", "1003:users"), ("username-group", "www-data:100")]
    {
        let config = json!({ "Cmd": ["sh"], "User": user });
        send(&[&format!("{CRI_TOOLS}test-image-user-{name}:latest")], &[&base], &config);
    }
    let member = json!({ "Cmd": ["sh"], "User": "1000" });
    send(&[&format!("{CRI_TOOLS}test-image-predefined-group:latest")], &[&base], &member);
    for (image, name) in [("latest:latest", "latest"), ("tag:test", "tag"), ("tag:all", "all")] {
        send(&[&format!("{CRI_TOOLS}test-image-{image}")], &[&base, &marker(name)], &shell);
    }
    for number in ["1", "2", "3"] {
        send(&[&format!("{CRI_TOOLS}test-image-{number}:latest")], &[&base, &marker(number)], &shell);
    }
    let tags = ["1", "2", "3"].map(|n| format!("{CRI_TOOLS}test-image-tags:{n}"));
    send(&tags.each_ref().map(String::as_str), &[&base, &marker("tags")], &shell);
    for variant in ["1.35.0-glibc", "1-uclibc", "1", "1-glibc", "1-musl"] {
        let config = json!({ "Cmd": ["sh"], "Labels": { "variant": variant } });
        send(&[&format!("docker/library/busybox:{variant}")], &[&base], &config);
    }
    Some(send(&[&format!("{CRI_TOOLS}test-image-digest:latest")], &[&base, &marker("digest")], &shell))
}

/// Not from busybox: its shell runs its applets even where the file is masked or gone, and Debian's has not the others.
const OWN: [&str; 3] = ["dash", "ipcs", "pgrep"];

/// busybox under all its names, and a few programs beside it.
fn root(test: &str, root: &Path) -> Option<()> {
    let busybox = super::program(test, "busybox")?;
    for directory in ["bin", "etc", "proc", "sys", "dev", "tmp", "root", "home/default-user", "var/www", "run"] {
        fs::create_dir_all(root.join(directory)).unwrap();
    }
    fs::set_permissions(root.join("tmp"), fs::Permissions::from_mode(0o1777)).unwrap();
    fs::copy(&busybox, root.join("bin/busybox")).unwrap();
    let list = Command::new(busybox).arg("--list").output().unwrap().stdout;
    for name in
        String::from_utf8(list).unwrap().lines().filter(|n| !["busybox", "sh", "ash"].contains(n) && !OWN.contains(n))
    {
        // Hard links: what is mounted on one name must not hit the others.
        fs::hard_link(root.join("bin/busybox"), root.join("bin").join(name)).unwrap();
    }
    for name in OWN {
        with_libraries(&super::program(test, name)?, root, name);
    }
    symlink("dash", root.join("bin/sh")).unwrap();
    symlink("../run", root.join("var/run")).unwrap();
    fs::copy(root.join("bin/dash"), root.join("bin/nginx")).unwrap();
    fs::write(root.join("etc/passwd"), PASSWD).unwrap();
    fs::write(root.join("etc/group"), GROUP).unwrap();
    Some(())
}

/// Copies a program and what ldd says it needs.
fn with_libraries(program: &Path, root: &Path, name: &str) {
    fs::copy(program, root.join("bin").join(name)).unwrap();
    let list = Command::new("ldd").arg(program).output().unwrap().stdout;
    for word in String::from_utf8(list).unwrap().split_whitespace().filter(|w| w.starts_with('/')) {
        let place = root.join(word.trim_start_matches('/'));
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        fs::copy(word, place).unwrap();
    }
}
