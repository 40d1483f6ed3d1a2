//! More faults that operators meet, made to happen beside a real containerd: in each the doctor must name what is wrong and nothing
//! else. Those of the seed document's causes are in `doctor`; these are their neighbours, which look alike.

use std::{fs, os::unix::fs::PermissionsExt, path::Path, process::Command};

use serde_json::{Value, json};

use crate::support::{
    self,
    attached_crio::Crio,
    containerd::{BESIDE, Containerd, IMAGE, OUTSIDE},
    registry::Registry,
    scripted::{Authority, Said, Scripted},
};

/// A registry's manifest of an image without layers.
fn manifest(config: &str) -> String {
    let digest = format!("sha256:{}", "a".repeat(64));
    json!({ "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": { "mediaType": config, "digest": digest, "size": 2 }, "layers": [] })
    .to_string()
}

#[test]
fn what_answers_in_a_registrys_place_is_named() {
    let Some(node) = Containerd::start("pull-strange") else { return };
    let at = |port: u16| format!("127.0.0.1:{port}");
    let image = |port: u16| format!("image=127.0.0.1:{port}/a:1");
    let page = "<html><title>Log in to the network</title></html>";
    let _portal =
        Scripted::plain(&node.netns, &at(5701), move |_| Said::new(200, &[("content-type", "text/html")], page));
    node.report("image-pull", &[&image(5701)]).names("not-a-registry", &["text/html"]);
    let _broken =
        Scripted::plain(&node.netns, &at(5702), |_| Said::new(500, &[], r#"{"errors":[{"code":"UNKNOWN"}]}"#));
    node.report("image-pull", &[&image(5702)]).names("registry-error", &["answers 500", "UNKNOWN"]);
    let _old = Scripted::plain(&node.netns, &at(5703), |_| {
        Said::new(200, &[], r#"{"schemaVersion":1,"name":"a","tag":"1","fsLayers":[]}"#)
    });
    node.report("image-pull", &[&image(5703)]).names("schema-too-old", &["schema 1"]);
    let chart = manifest("application/vnd.cncf.helm.config.v1+json");
    let _chart = Scripted::plain(&node.netns, &at(5704), move |_| Said::new(200, &[], &chart));
    node.report("image-pull", &[&image(5704)]).names("not-an-image", &["helm"]);
    // Some registries send their clients elsewhere for every manifest, which is followed.
    let _sends = Scripted::plain(&node.netns, &at(5705), |asked| {
        Said::new(
            307,
            &[("location", &format!("http://127.0.0.1:5000{}", asked.path().replace("/a/", "/test/busybox/")))],
            "",
        )
    });
    let report = node.report("image-pull", &[&image(5705)]);
    assert_eq!(report.verdict("pull-manifest"), "pass", "{:#}", report.value);
    let _nowhere =
        Scripted::plain(&node.netns, &at(5706), |_| Said::new(302, &[("location", "http://127.0.0.1:5999/x")], ""));
    node.report("image-pull", &[&image(5706)]).names("registry-refused", &["127.0.0.1:5999"]);
    // It takes the connection and says nothing.
    let _silent = Scripted::plain(&node.netns, &at(5707), |_| Said::Nothing);
    node.report("image-pull", &[&image(5707)]).names("registry-silent", &[]);
    let _busy = Scripted::plain(&node.netns, &at(5708), |_| Said::new(503, &[("retry-after", "9")], ""));
    node.report("image-pull", &[&image(5708)]).names("registry-error", &["answers 503"]);
}

#[test]
fn a_hosts_toml_that_is_wrong_is_named_before_what_comes_of_it() {
    let Some(node) = Containerd::start("pull-toml") else { return };
    let Some(authority) = Authority::new("pull-toml", &node.dir.join("pki"), "wharf test CA") else { return };
    let signed = authority.sign("s", "/CN=registry", &format!("IP:{OUTSIDE}"), "10");
    let address = format!("{OUTSIDE}:5443");
    let ok = manifest("application/vnd.oci.image.config.v1+json");
    let _registry =
        Scripted::tls(&node.netns, &address, &signed, move |asked| match asked.path().contains("/blobs/") {
            true => Said::new(200, &[], r#"{"os":"linux","architecture":"amd64"}"#),
            false => Said::new(200, &[], &ok),
        });
    let image = format!("image={address}/a:1");
    let hosts = |text: &str| node.write(&format!("certs.d/{address}/hosts.toml"), text);
    let server = format!("server = \"https://{address}\"\n");
    hosts(&format!("{server}[host.\"https://{address}\"\n"));
    node.report("image-pull", &[&image]).names("hosts-file-broken", &["hosts.toml"]);
    hosts(&format!("{server}[host.\"https://{address}\"]\ncapabilities = [\"pul\"]\n"));
    node.report("image-pull", &[&image]).names("hosts-file-broken", &["capabilities"]);
    hosts(&format!("{server}[host.\"https://{address}\"]\nca = \"/no/such.crt\"\n"));
    node.report("image-pull", &[&image]).names("ca-file-broken", &["/no/such.crt"]);
    let der = node.write("ca.der", "\u{0}not PEM");
    hosts(&format!("{server}[host.\"https://{address}\"]\nca = \"{der}\"\n"));
    let report = node.report("image-pull", &[&image]);
    assert!(["ca-file-broken", "ca-unknown"].contains(&report.value["cause"].as_str().unwrap()), "{:#}", report.value);
    hosts(&format!("server = \"http://{address}\"\n"));
    node.report("image-pull", &[&image]).names("wants-tls", &["is spoken to in plain HTTP", "hosts.toml line 1"]);
    // The same of a server that says so.
    let (dir, other) = (node.dir.join("registry-tls"), format!("{OUTSIDE}:5444"));
    let _said = Registry::tls("pull-toml", &node.netns, &dir, &other, &signed.certificate, &signed.key).unwrap();
    node.write(&format!("certs.d/{other}/hosts.toml"), &format!("server = \"http://{other}\"\n"));
    node.report("image-pull", &[&format!("image={other}/a:1")])
        .names("wants-tls", &["HTTP request to an HTTPS server"]);
    fs::remove_dir_all(node.dir.join("certs.d").join(&address)).unwrap();
    // Named without its port.
    node.write(&format!("certs.d/{OUTSIDE}/hosts.toml"), &format!("{server}skip_verify = true\n"));
    node.report("image-pull", &[&image]).names("mirror-unused", &["named with the port"]);
    fs::remove_dir_all(node.dir.join("certs.d").join(OUTSIDE)).unwrap();
    // A file that is there gets the stanza, and keeps what it says.
    let before = format!("{server}\n[host.\"https://{BESIDE}:5999\"] # for pushes\n  capabilities = [\"push\"]\n");
    hosts(&before);
    let ca = format!("ca={}", signed.ca.display());
    let arguments = ["image-pull", "--set", &image, "--set", &ca, "--fix", "--yes"];
    let (_, text, errors) = node.run(&arguments);
    assert!(errors.contains("proved by the same check: pull-tls"), "{text}{errors}");
    let after = fs::read_to_string(node.dir.join("certs.d").join(&address).join("hosts.toml")).unwrap();
    assert!(after.starts_with(&before) && after.contains(&format!("ca = \"{}\"", signed.ca.display())), "{after}");
    let (_, _, errors) = node.run(&arguments);
    assert!(!errors.contains("done: edit"), "once is enough: {errors}");
}

#[test]
fn a_stale_line_of_the_hosts_file_is_told_from_a_registry_that_is_down() {
    let Some(mut node) = Containerd::start("pull-stale") else { return };
    let _servers = support::names::Names::start(&node, "127.0.0.2", Some([10, 9, 9, 10]), None);
    node.resolv = Some(node.write("resolv.conf", "nameserver 127.0.0.2\n"));
    let image = "image=registry.wharf.test:5711/a:1";
    node.write("certs.d/registry.wharf.test:5711/hosts.toml", "server = \"http://registry.wharf.test:5711\"\n");
    node.report("image-pull", &[image]).names("registry-refused", &["10.9.9.10"]);
    let _registry = Scripted::plain(&node.netns, &format!("{BESIDE}:5711"), |_| Said::new(404, &[], "{}"));
    node.report("image-pull", &[image]).names("repository-missing", &[]);
    node.hosts = Some(node.write("hosts", "127.0.0.1 localhost\n10.9.9.9 registry.wharf.test # the old one\n"));
    node.report("image-pull", &[image])
        .names("hosts-file-wrong", &["/etc/hosts line 2", "10.9.9.9", "DNS says 10.9.9.10"]);
}

#[test]
fn a_ca_is_written_into_the_older_table_where_there_is_no_certs_d() {
    let Some(mut node) = Containerd::start("pull-older") else { return };
    let Some(authority) = Authority::new("pull-older", &node.dir.join("pki"), "wharf test CA") else { return };
    let signed = authority.sign("s", "/CN=registry", &format!("IP:{OUTSIDE}"), "10");
    let address = format!("{OUTSIDE}:5443");
    let ok = manifest("application/vnd.oci.image.config.v1+json");
    let _registry =
        Scripted::tls(&node.netns, &address, &signed, move |asked| match asked.path().contains("/blobs/") {
            true => Said::new(200, &[], r#"{"os":"linux","architecture":"amd64"}"#),
            false => Said::new(200, &[], &ok),
        });
    let (image, ca) = (format!("image={address}/a:1"), format!("ca={}", signed.ca.display()));
    let config = node.config();
    let path = format!("    config_path = \"{}/certs.d\"\n", node.dir.display());
    fs::write(&config, node.settings("").replace(&path, "")).unwrap();
    node.restart();
    node.report("image-pull", &[&image]).names("ca-unknown", &[&format!("configs.\\\"{address}\\\".tls")]);
    super::doctor_fixes::mends(&mut node, &config, &["image-pull", "--set", &image, "--set", &ca], "pull-tls");
    // And a certs.d that nothing points to, which is what the registry needs.
    fs::write(&config, node.settings("").replace(&path, "")).unwrap();
    node.restart();
    node.usual_certs(
        &address,
        &format!("server = \"https://{address}\"\n[host.\"https://{address}\"]\n  ca = \"{}\"\n", signed.ca.display()),
    );
    node.report("image-pull", &[&image]).names("mirror-unused", &["config_path"]);
    super::doctor_fixes::mends(&mut node, &config, &["image-pull", "--set", &image], "pull-hosts");
}

#[test]
fn what_stands_where_a_socket_was_is_named() {
    let Some(mut node) = Containerd::start("socket-else") else { return };
    let socket = node.dir.join("c.sock");
    fs::remove_file(&socket).unwrap();
    fs::write(&socket, "").unwrap();
    node.report("runtime-unresponsive", &[]).names("runtime-socket-wrong", &["is a file, and no socket"]);
    fs::remove_file(&socket).unwrap();
    fs::create_dir(&socket).unwrap();
    node.report("runtime-unresponsive", &[]).names("runtime-socket-wrong", &["is a directory, and no socket"]);
    fs::remove_dir(&socket).unwrap();
    // Another daemon took its place, and ended.
    drop(std::os::unix::net::UnixListener::bind(&socket).unwrap());
    node.report("runtime-unresponsive", &[]).names("runtime-socket-gone", &["nobody listens on its socket"]);
    node.restart();
    node.report("runtime-unresponsive", &[]).no_cause();
}

/// A group of cgroup v1 for one process, which goes with it.
struct Group(std::path::PathBuf);

impl Group {
    fn new(test: &str, controller: &str, pid: i32) -> Option<Self> {
        let root = Path::new("/sys/fs/cgroup").join(controller);
        if !root.join("cgroup.procs").exists() {
            support::skip(test, &format!("there is no {} here", root.display()));
            return None;
        }
        let directory = root.join(format!("wharf-{test}"));
        fs::create_dir_all(&directory).unwrap();
        fs::write(directory.join("cgroup.procs"), pid.to_string()).unwrap();
        Some(Self(directory))
    }

    fn set(&self, file: &str, text: &str) {
        fs::write(self.0.join(file), text).unwrap();
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let _thawed = fs::write(self.0.join("freezer.state"), "THAWED");
        for pid in fs::read_to_string(self.0.join("cgroup.procs")).unwrap_or_default().lines() {
            let _moved = fs::write(self.0.join("../cgroup.procs"), pid);
        }
        let _gone = fs::remove_dir(&self.0);
    }
}

#[test]
fn a_frozen_group_is_told_from_a_hang() {
    let Some(node) = Containerd::start("frozen") else { return };
    let Some(group) = Group::new("frozen", "freezer", node.pid().as_raw_nonzero().get()) else { return };
    group.set("freezer.state", "FROZEN");
    let report = node.report("runtime-unresponsive", &[]);
    drop(group);
    report.names("runtime-frozen", &["control group of containerd"]);
    node.report("runtime-unresponsive", &[]).no_cause();
}

#[test]
fn a_runtime_that_may_not_use_the_processor_is_told_from_a_hang() {
    let Some(node) = Containerd::start("throttled") else { return };
    let Some(group) = Group::new("throttled", "cpu", node.pid().as_raw_nonzero().get()) else { return };
    group.set("cpu.cfs_period_us", "1000000");
    group.set("cpu.cfs_quota_us", "1000");
    // It is throttled only while it has something to do.
    assert!(node.crictl(&["info"]).status.success());
    let report = node.report("runtime-unresponsive", &[]);
    drop(group);
    report.names("runtime-throttled", &["of one processor", "cpu.cfs_quota_us"]);
}

#[test]
fn an_import_that_is_broken_is_named_with_its_file() {
    let Some(mut node) = Containerd::start("import") else { return };
    let more = node.write("conf.d/10-more.toml", "[plugins\n");
    let text = node.settings("").replacen(
        "version = 2\n",
        &format!("version = 2\nimports = [\"{}/conf.d/*.toml\"]\n", node.dir.display()),
        1,
    );
    fs::write(node.config(), text).unwrap();
    node.down();
    let config = format!("containerd-config={}", node.config().display());
    node.report("runtime-unresponsive", &[&config]).names("runtime-config-broken", &[&more]);
}

#[test]
fn handlers_that_look_right_and_are_not() {
    let Some(mut node) = Containerd::start("class-faults") else { return };
    let bin = node.dir.join("bin");
    fs::create_dir_all(&bin).unwrap();
    node.path = Some(format!("{}:/usr/sbin:/usr/bin:/sbin:/bin", bin.display()));
    let handler = |node: &mut Containerd, name: &str, lines: &str| {
        let table = format!("[plugins.\"io.containerd.grpc.v1.cri\".containerd.runtimes.{name}]\n{lines}");
        fs::write(node.config(), node.settings(&table)).unwrap();
        node.restart();
    };
    let class = |node: &Containerd, name: &str| node.report("runtime-class", &[&format!("handler={name}")]);
    handler(&mut node, "Kata_Fc", "runtime_type = \"io.containerd.runc.v2\"\n");
    class(&node, "kata-fc").names("handler-missing", &["it has Kata_Fc", "letter by letter"]);
    handler(&mut node, "odd", "runtime_type = \"runc\"\n");
    class(&node, "odd").names("runtime-type-invalid", &["no runtime_type"]);
    handler(&mut node, "odd", "runtime_type = \"io.containerd.runc.v3\"\n");
    class(&node, "odd").names("shim-missing", &["containerd-shim-runc-v3 is not in"]);
    let options = |rest: &str| {
        format!(
            "runtime_type = \"io.containerd.runc.v2\"\n[plugins.\"io.containerd.grpc.v1.cri\".containerd.runtimes.odd.options]\n{rest}"
        )
    };
    handler(&mut node, "odd", &options("BinaryName = \"/usr/local/bin/no-such-runc\"\n"));
    class(&node, "odd").names("shim-missing", &["no-such-runc"]);
    handler(&mut node, "odd", "runtime_type = \"io.containerd.odd.v1\"\n");
    let shim = bin.join("containerd-shim-odd-v1");
    let put = |bytes: &[u8]| {
        fs::write(&shim, bytes).unwrap();
        fs::set_permissions(&shim, fs::Permissions::from_mode(0o755)).unwrap();
    };
    let mut elf = [b"\x7fELF\x02\x01\x01".as_slice(), &[0; 57]].concat();
    elf[18] = 22;
    put(&elf);
    class(&node, "odd").names("shim-broken", &["exec format error"]);
    put(b"");
    class(&node, "odd").names("shim-broken", &["it is empty"]);
    put(b"#!/no/such/python\n");
    class(&node, "odd").names("shim-broken", &["/no/such/python"]);
    put(b"#!/bin/sh\n");
    class(&node, "odd").no_cause();
    // On a filesystem from which nothing is executed.
    let done = Command::new("mount").args(["-t", "tmpfs", "-o", "noexec", "none"]).arg(&bin).status().unwrap();
    assert!(done.success());
    fs::write(&shim, "#!/bin/sh\n").unwrap();
    fs::set_permissions(&shim, fs::Permissions::from_mode(0o755)).unwrap();
    class(&node, "odd").names("shim-broken", &["noexec"]);
    fs::remove_file(&shim).unwrap();
    std::os::unix::fs::symlink("/no/such/target", &shim).unwrap();
    class(&node, "odd").names("shim-missing", &["containerd-shim-odd-v1 is not in"]);
}

#[test]
fn drivers_that_agree_and_cannot_work() {
    let Some(mut node) = Containerd::start("driver-faults") else { return };
    let kubelet = |node: &Containerd, driver: &str| {
        format!("kubelet-config={}", node.write("kubelet.yaml", &format!("cgroupDriver: {driver}\n")))
    };
    node.report("cgroup-driver", &[&kubelet(&node, "Systemd")])
        .names("kubelet-driver-invalid", &["Systemd", "kubelet.yaml line 1"]);
    node.report("cgroup-driver", &[&kubelet(&node, "cgroupfs")]).no_cause();
    let systemd = node.settings("").replace("SystemdCgroup = false", "SystemdCgroup = true");
    fs::write(node.config(), &systemd).unwrap();
    node.restart();
    node.report("cgroup-driver", &[&kubelet(&node, "cgroupfs")])
        .names("cgroup-driver-mismatch", &["SystemdCgroup = false"]);
    let report = node.report("cgroup-driver", &[&kubelet(&node, "systemd")]);
    if fs::read_to_string("/proc/1/comm").unwrap().trim() == "systemd" {
        report.no_cause();
    } else {
        report.names("systemd-absent", &["nobody makes their scopes"]);
    }
    // Beside the options and not in them: nobody reads it.
    let beside = node.settings("").replace(
        "    [plugins.\"io.containerd.grpc.v1.cri\".containerd.runtimes.runc.options]\n      SystemdCgroup = false\n",
        "    SystemdCgroup = true\n",
    );
    fs::write(node.config(), &beside).unwrap();
    node.restart();
    node.report("cgroup-driver", &[&kubelet(&node, "systemd")])
        .names("cgroup-driver-mismatch", &["runc.options", "no line of the files"]);
}

#[test]
fn what_fills_a_disk_is_named_with_who_holds_it() {
    let Some(node) = Containerd::on("filler", "size=96m") else { return };
    let root = node.dir.join("root");
    let room = || {
        let free = rustix::fs::statvfs(&root).unwrap();
        (free.f_bavail * free.f_frsize) as usize
    };
    // Deleted, and still open.
    let path = root.join("gone.log");
    fs::write(&path, vec![1; room() - (1 << 20)]).unwrap();
    let open = fs::File::open(&path).unwrap();
    fs::remove_file(&path).unwrap();
    let report = node.report("disk-full", &[]);
    drop(open);
    report.names("runtime-disk-full", &["most of it: deleted but open files", "gone.log"]);
    assert_eq!(report.verdict("disk-deleted"), "warn", "{:#}", report.value);
    node.report("disk-full", &[]).no_cause();
    // A directory that belongs to nobody.
    fs::create_dir(root.join("backup")).unwrap();
    fs::write(root.join("backup/data"), vec![1; room() - (1 << 20)]).unwrap();
    node.report("disk-full", &[]).names("runtime-disk-full", &["most of it: backup"]);
    fs::remove_dir_all(root.join("backup")).unwrap();
    // Read-only, as after an error of the disk: by a mount over it, since the one that has writers cannot be made so.
    let mount = |arguments: &[&str]| {
        let done = Command::new("mount").args(arguments).arg(&root).output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    };
    mount(&["--bind", root.to_str().unwrap()]);
    mount(&["-o", "remount,bind,ro"]);
    let report = node.report("disk-full", &[]);
    rustix::mount::unmount(&root, rustix::mount::UnmountFlags::DETACH).unwrap();
    report.names("read-only", &["nothing can be written"]);
}

#[test]
fn a_directory_of_drop_ins_that_nothing_imports_is_told() {
    let Some(mut node) = Containerd::newer("conf-d") else { return };
    let told = |node: &Containerd| node.report("incidents", &[]).step("incident-config")["finding"].clone();
    assert_eq!(told(&node)["verdict"], "pass");
    let text = "version = 2\n[plugins.\"io.containerd.grpc.v1.cri\".containerd]\n  discard_unpacked_layers = true\n";
    let file = node.write("conf.d/10-more.toml", text);
    node.restart();
    let found = told(&node);
    assert!(found["verdict"] == "warn" && found.to_string().contains(&file), "{found:#}");
    let discards = |node: &Containerd| node.report("best-practices", &[]).verdict("practice-discard").to_owned();
    assert_eq!(discards(&node), "warn", "the runtime does not read it by itself");
    let imports = format!("version = 2\nimports = [\"{}/conf.d/*.toml\"]\n", node.dir.display());
    fs::write(node.config(), node.settings("").replacen("version = 2\n", &imports, 1)).unwrap();
    node.restart();
    assert_eq!((discards(&node).as_str(), told(&node)["verdict"].as_str()), ("pass", Some("pass")));
}

#[test]
fn cri_os_own_registries_are_asked_as_it_asks_them() {
    let _no_kubelet = support::without_kubelet();
    let Some(c) = Crio::start("crio-registries") else { return };
    let report = |image: &str| -> Value {
        let asked = ["doctor", "image-pull", "--set", &format!("image={image}"), "-o", "json"];
        let output = c.wharf(&asked).output().unwrap();
        let value: Value = serde_json::from_slice(&output.stdout).unwrap();
        value["runbooks"][0].clone()
    };
    let conf = |text: &str| fs::write(c.dir.join("registries.conf"), text).unwrap();
    let named = |image: &str, cause: &str, words: &[&str]| {
        let book = report(image);
        assert_eq!(book["cause"], cause, "{book:#}");
        words.iter().for_each(|w| assert!(book.to_string().contains(w), "{w}: {book:#}"));
    };
    // Insecure by CRI-O's own list, so plain HTTP is tried.
    let good = report(IMAGE);
    assert!(good["cause"].is_null() && good.to_string().contains("http://127.0.0.1:5000/v2"), "{good:#}");
    named("127.0.0.1:5000/test/busybox:11", "tag-missing", &["nearest"]);
    named("busybox:1", "short-name-unresolved", &["unqualified-search-registries"]);
    conf(
        "[[registry]]\nprefix = \"hub.wharf.test/lib\"\nlocation = \"127.0.0.1:5000/test\"\ninsecure = true\n\
          [[registry]]\nlocation = \"bad.wharf.test\"\nblocked = true\n",
    );
    let mapped = report("hub.wharf.test/lib/busybox:1");
    assert!(mapped["cause"].is_null() && mapped.to_string().contains("/v2/test/busybox/manifests/1"), "{mapped:#}");
    named("bad.wharf.test/a:1", "registry-blocked", &["registries.conf line"]);
    conf(
        "[[registry]]\nlocation = \"hub.wharf.test\"\n[[registry.mirror]]\nlocation = \"127.0.0.1:5000\"\ninsecure = true\n",
    );
    let mirrored = report("hub.wharf.test/test/busybox:1");
    assert!(mirrored["cause"].is_null() && mirrored.to_string().contains("(mirror)"), "{mirrored:#}");
    conf("[[registry\n");
    named("hub.wharf.test/test/busybox:1", "hosts-file-broken", &["is not TOML"]);
    c.end();
}
