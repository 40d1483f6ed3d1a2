//! `wharf doctor` on a real containerd: each fault is made to happen, the doctor must name it and no other, and where it has a
//! fix, the fix must cure it.

use std::{
    io::{Read, Write},
    net::TcpListener,
    path::Path,
    process::Command,
};

use wharf::engine::network::netns;

use crate::support::{
    self,
    containerd::{Containerd, IMAGE, OUTSIDE, until},
    registry::Registry,
    scripted::Authority,
};

/// bcrypt of "secret".
const HTPASSWD: &str = "user:$2b$05$AQ4/rsjXP14PsUbK9EzBheq/CNORFJdm1J3asVYmVTy07iONLx5xG\n";

#[test]
fn an_image_that_is_there_passes_every_stage() {
    let Some(node) = Containerd::start("pull-ok") else { return };
    let report = node.report("image-pull", &[&format!("image={IMAGE}")]);
    report.no_cause();
    for check in [
        "pull-name",
        "pull-dns",
        "pull-connect",
        "pull-auth",
        "pull-manifest",
        "pull-platform",
        "pull-layers",
        "pull-room",
    ] {
        assert_eq!(report.verdict(check), "pass", "{check}: {:#}", report.value);
    }
    let none = node.report("image-pull", &[]);
    none.no_cause();
    assert_eq!(none.verdict("pull-request"), "not-applicable");
}

#[test]
fn cause_a_wrong_tag_names_the_nearest() {
    let Some(node) = Containerd::start("pull-tag") else { return };
    let missing = "127.0.0.1:5000/test/busybox:11";
    node.report("image-pull", &[&format!("image={missing}")])
        .names("tag-missing", &["nearest", "HEAD http://127.0.0.1:5000/v2/test/busybox/manifests/11"]);
    node.report("image-pull", &["image=127.0.0.1:5000/test/bussybox:1"]).names("repository-missing", &["bussybox"]);
    node.report("image-pull", &["image=127.0.0.1:5000/Test/busybox:1"]).names("name-invalid", &["lower case"]);
    // Not named: found in the runtime's own log, until the pull works.
    assert!(!node.crictl(&["pull", missing]).status.success());
    let report = node.report("image-pull", &[]);
    report.names("tag-missing", &[missing]);
}

#[test]
fn cause_b_credentials_are_missing_refused_and_accepted() {
    let Some(mut node) = Containerd::start("pull-auth") else { return };
    node.registry = None;
    let registry = Registry::start("pull-auth", &node.netns, &node.dir.join("closed"), Some(HTPASSWD)).unwrap();
    let image = format!("image={IMAGE}");
    node.report("image-pull", &[&image]).names("credentials-missing", &["asks for credentials"]);
    let file = |user_and_password: &str| {
        use base64::Engine;
        let auth = base64::engine::general_purpose::STANDARD.encode(user_and_password);
        node.write("auth.json", &format!(r#"{{"auths":{{"127.0.0.1:5000":{{"auth":"{auth}"}}}}}}"#))
    };
    let wrong = file("user:hunter2");
    let report = node.report("image-pull", &[&image, &format!("auth-file={wrong}")]);
    report.names("credentials-refused", &["user from", &wrong]);
    assert!(!report.value.to_string().contains("hunter2"), "a secret is shown");
    let right = file("user:secret");
    // Accepted, so that what is missing now is the image.
    node.report("image-pull", &[&image, &format!("auth-file={right}")]).names("repository-missing", &[]);
    let broken = node.write("auth.json", r#"{"auths":{"127.0.0.1:5000":{"auth":"%%%"}}}"#);
    node.report("image-pull", &[&image, &format!("auth-file={broken}")]).names("credentials-missing", &["not base64"]);
    drop(registry);
}

#[test]
fn cause_c_dns_port_route_and_firewall_are_told_apart() {
    let Some(mut node) = Containerd::start("pull-net") else { return };
    let report = node.report("image-pull", &["image=registry.wharf.test/a:1"]);
    let cause = report.value["cause"].as_str().unwrap_or_default().to_owned();
    assert!(cause.starts_with("dns-"), "{:#}", report.value);
    report.names(&cause, &["registry.wharf.test"]);
    node.report("image-pull", &[&format!("image={OUTSIDE}:5001/a:1")]).names("registry-refused", &["nothing listens"]);
    node.report("image-pull", &["image=10.77.0.1:5000/a:1"]).names("registry-no-route", &["10.77.0.1"]);
    // A firewall that drops.
    let Some(iptables) = support::program("pull-net", "iptables") else { return };
    let rule = ["-A", "INPUT", "-p", "tcp", "--dport", "5445", "-j", "DROP"];
    let done = support::in_netns(&node.netns, &iptables).args(rule).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    node.report("image-pull", &[&format!("image={OUTSIDE}:5445/a:1")]).names("registry-blackholed", &["dropped"]);
    // One that rejects as firewalls do.
    let rule =
        ["-A", "OUTPUT", "-p", "tcp", "--dport", "5446", "-j", "REJECT", "--reject-with", "icmp-admin-prohibited"];
    let done = support::in_netns(&node.netns, &iptables).args(rule).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    node.report("image-pull", &[&format!("image={OUTSIDE}:5446/a:1")])
        .names("registry-host-unreachable", &["a firewall rejects"]);
    node.registry.as_mut().unwrap().kill();
    node.report("image-pull", &[&format!("image={IMAGE}")]).names("registry-refused", &["127.0.0.1:5000"]);
}

/// A registry with a certificate for these names, valid for so many days.
fn registry(node: &Containerd, authority: &Authority, names: &str, days: &str) -> Registry {
    let signed = authority.sign("s", "/CN=registry", names, days);
    let address = format!("{OUTSIDE}:5443");
    Registry::tls("pull-tls", &node.netns, &node.dir.join("registry"), &address, &signed.certificate, &signed.key)
        .unwrap()
}

#[test]
fn cause_d_certificates_unknown_wrong_expired() {
    let Some(node) = Containerd::start("pull-tls") else { return };
    let image = format!("image={OUTSIDE}:5443/test/busybox:1");
    let Some(authority) = Authority::new("pull-tls", &node.dir, "wharf test CA") else { return };
    let good = format!("IP:{OUTSIDE}");
    let server = registry(&node, &authority, &good, "10");
    node.report("image-pull", &[&image]).names("ca-unknown", &["unknown authority", "wharf test CA"]);
    // The fix writes the stanza, and the same check proves it.
    let ca = format!("ca={}/ca.crt", node.dir.display());
    let (code, text, errors) = node.run(&["image-pull", "--set", &image, "--set", &ca, "--fix", "--yes"]);
    assert!(
        errors.contains("+  ca = ") && errors.contains("proved by the same check: pull-tls"),
        "{code}: {text}{errors}"
    );
    let after = node.report("image-pull", &[&image]);
    after.no_cause();
    assert_eq!(after.verdict("pull-tls"), "pass");
    // And the runtime itself can pull now, without a restart.
    let pull = node.crictl(&["pull", &format!("{OUTSIDE}:5443/test/busybox:1")]);
    assert!(pull.status.success(), "{}", String::from_utf8_lossy(&pull.stderr));
    std::fs::remove_dir_all(node.dir.join(format!("certs.d/{OUTSIDE}:5443"))).unwrap();
    drop(server);

    let server = registry(&node, &authority, "DNS:other.test", "10");
    node.report("image-pull", &[&image]).names("certificate-wrong-name", &["other.test", OUTSIDE]);
    drop(server);
    let server = registry(&node, &authority, &good, "-1");
    node.report("image-pull", &[&image]).names("certificate-expired", &["expired on"]);
    drop(server);
    // Plain HTTP where TLS is spoken to.
    node.report("image-pull", &[&format!("image={OUTSIDE}:5443/a:1")]).names("registry-refused", &[]);
}

#[test]
fn cause_e_a_limit_tells_when_it_ends() {
    let Some(node) = Containerd::start("pull-limit") else { return };
    let listener = netns::inside(&node.netns, || Ok(TcpListener::bind("127.0.0.1:5009").unwrap())).unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let mut request = [0; 2048];
            let _read = stream.read(&mut request);
            let answer = "HTTP/1.1 429 Too Many Requests\r\nratelimit-limit: 100;w=21600\r\nratelimit-remaining: 0;w=21600\r\nretry-after: 77\r\ncontent-length: 0\r\n\r\n";
            let _sent = stream.write_all(answer.as_bytes());
        }
    });
    node.report("image-pull", &["image=127.0.0.1:5009/a:1"])
        .names("rate-limited", &["again in 77 s", "ratelimit-limit: 100;w=21600", "mirror"]);
}

#[test]
fn mirrors_that_are_never_used_are_seen() {
    let Some(mut node) = Containerd::start("pull-mirror") else { return };
    node.write("certs.d/10.9.9.9/hosts.toml", "server = \"http://127.0.0.1:5000\"\n");
    let report = node.report("image-pull", &["image=10.9.9.9:5001/test/busybox:1"]);
    assert_eq!(report.verdict("pull-hosts"), "fail");
    assert!(report.step("pull-hosts").to_string().contains("named with the port"), "{:#}", report.value);
    // With the port it is used.
    node.write(
        "certs.d/10.9.9.9:5001/hosts.toml",
        "[host.\"http://127.0.0.1:5000\"]\n  capabilities = [\"pull\", \"resolve\"]\n",
    );
    let report = node.report("image-pull", &["image=10.9.9.9:5001/test/busybox:1"]);
    report.no_cause();
    assert!(node.crictl(&["pull", "10.9.9.9:5001/test/busybox:1"]).status.success());
    // Both tables: containerd does not load its CRI plugin, and both runbooks say so.
    node.down();
    let more = "  [plugins.\"io.containerd.grpc.v1.cri\".registry.mirrors.\"docker.io\"]\n    endpoint = [\"https://m.test\"]\n";
    std::fs::write(node.config(), node.settings(more)).unwrap();
    node.up_without_cri();
    node.report("runtime-unresponsive", &[]).names("cri-plugin-off", &["mirrors"]);
}

#[test]
fn cfg_11_a_cgroup_driver_mismatch_is_found_mended_and_proved_once() {
    let Some(mut node) = Containerd::start("driver") else { return };
    let kubelet =
        format!("kubelet-config={}", node.write("kubelet.yaml", "kind: KubeletConfiguration\ncgroupDriver: systemd\n"));
    let report = node.report("cgroup-driver", &[&kubelet]);
    report.names(
        "cgroup-driver-mismatch",
        &["kubelet.yaml line 2", "config.toml line 22", "CRI Status", "SystemdCgroup = true"],
    );
    let before = std::fs::read_to_string(node.config()).unwrap();
    let (_, text, errors) = node.run(&["cgroup-driver", "--set", &kubelet, "--fix", "--yes"]);
    assert!(
        errors.contains("-      SystemdCgroup = false") && errors.contains("+      SystemdCgroup = true"),
        "{text}{errors}"
    );
    let after = std::fs::read_to_string(node.config()).unwrap();
    assert_eq!(after, before.replace("SystemdCgroup = false", "SystemdCgroup = true"));
    assert!(errors.contains("done: edit"), "{errors}");
    if std::fs::read_to_string("/proc/1/comm").unwrap().trim() != "systemd" {
        assert!(errors.contains("not systemd") && errors.contains("NOT proved"), "{errors}");
    }
    // Written but not in effect: still the same finding, until the restart.
    node.report("cgroup-driver", &[&kubelet]).names("cgroup-driver-mismatch", &[]);
    node.restart();
    let healed = node.report("cgroup-driver", &[&kubelet]);
    if std::fs::read_to_string("/proc/1/comm").unwrap().trim() == "systemd" {
        healed.no_cause();
    } else {
        healed.names("systemd-absent", &[]);
    }
    assert_eq!(healed.verdict("driver-agreement"), "pass");
    let (_, text, _) = node.run(&["cgroup-driver", "--set", &kubelet, "--fix", "--yes"]);
    assert!(text.contains("nothing that could be mended"), "{text}");
    // A kubelet that follows the runtime would not disagree; this runtime does not tell, so the setting counts.
    let cgroupfs = format!("kubelet-config={}", node.write("other.yaml", "cgroupDriver: cgroupfs\n"));
    node.report("cgroup-driver", &[&cgroupfs, "kubelet-version=1.34.0"]).names("cgroup-driver-mismatch", &[]);
}

#[test]
fn a_stopped_runtime_is_named_within_ten_seconds_and_goes_on() {
    let Some(node) = Containerd::start("stopped") else { return };
    node.report("runtime-unresponsive", &[]).no_cause();
    rustix::process::kill_process(node.pid(), rustix::process::Signal::STOP).unwrap();
    let report = node.report("runtime-unresponsive", &[]);
    report.names("runtime-stopped", &["stopped by a signal"]);
    eprintln!("from symptom to verdict on a hung runtime: {:?}", report.took);
    let (code, _, errors) = node.run(&["runtime-unresponsive", "--fix", "--yes"]);
    assert!(errors.contains("proved by the same check: runtime-process"), "{code}: {errors}");
    node.report("runtime-unresponsive", &[]).no_cause();
    assert!(node.crictl(&["version"]).status.success());
}

#[test]
fn a_runtime_that_is_gone_is_named() {
    let Some(mut node) = Containerd::start("gone") else { return };
    node.down();
    node.report("runtime-unresponsive", &[&format!("containerd-config={}", node.config().display())])
        .names("runtime-not-running", &["c.sock"]);
}

#[test]
fn a_socket_that_was_removed_is_told_from_a_runtime_that_is_gone() {
    let Some(node) = Containerd::start("socket") else { return };
    std::fs::remove_file(node.dir.join("c.sock")).unwrap();
    node.report("runtime-unresponsive", &[]).names("runtime-socket-gone", &[&format!("pid {}", node.pid()), "c.sock"]);
}

#[test]
fn a_full_disk_is_named_and_pruned() {
    let Some(node) = Containerd::on("full", "size=96m") else { return };
    let report = node.report("disk-full", &[]);
    let mine = |text: &str| text.contains(&node.dir.join("root").display().to_string());
    assert!(report.value["cause"] != "runtime-disk-full", "{:#}", report.value);
    // An image nobody uses takes most of the room.
    let root = node.dir.join("big");
    std::fs::create_dir(&root).unwrap();
    let made = Command::new("dd")
        .args(["if=/dev/urandom", &format!("of={}/data", root.display()), "bs=1M", "count=20"])
        .output()
        .unwrap();
    assert!(made.status.success());
    let registry = node.registry.as_ref().unwrap();
    registry.push("test/big", "1", &[support::registry::layer(&root)], None);
    let pull = node.crictl(&["pull", "127.0.0.1:5000/test/big:1"]);
    assert!(pull.status.success(), "{}", String::from_utf8_lossy(&pull.stderr));
    let free = rustix::fs::statvfs(node.dir.join("root")).unwrap();
    let room = free.f_bavail * free.f_frsize;
    std::fs::write(node.dir.join("root/filler"), vec![1; room as usize - (1 << 20)]).unwrap();
    let report = node.report("disk-full", &[]);
    report.names("runtime-disk-full", &["statvfs", "test/big", "filler: "]);
    assert!(mine(&report.value.to_string()), "{:#}", report.value);
    let hung = node.report("runtime-unresponsive", &[]);
    hung.names("runtime-disk-full", &[]);
    let (_, text, errors) = node.run(&["disk-full", "--fix", "--yes"]);
    assert!(errors.contains("test/big") && errors.contains("proved by the same check: disk-bytes"), "{text}{errors}");
    assert!(!String::from_utf8_lossy(&node.crictl(&["images"]).stdout).contains("test/big"));
}

#[test]
fn inodes_that_run_out_are_told_from_bytes() {
    let Some(node) = Containerd::on("inodes", "size=200m,nr_inodes=2000") else { return };
    let many = node.dir.join("root/many");
    std::fs::create_dir(&many).unwrap();
    let mut n = 0;
    while std::fs::write(many.join(n.to_string()), "").is_ok() {
        n += 1;
    }
    let report = node.report("disk-full", &[]);
    assert_eq!(report.step("disk-inodes")["finding"]["cause"], "inodes-exhausted", "{:#}", report.value);
}

#[test]
fn handlers_and_shims_that_are_missing_are_told_apart() {
    let Some(mut node) = Containerd::start("class") else { return };
    node.report("runtime-class", &["handler=runc"]).no_cause();
    node.report("runtime-class", &["handler=kata"]).names("handler-missing", &["no handler kata"]);
    let kata = "  [plugins.\"io.containerd.grpc.v1.cri\".containerd.runtimes.kata]\n    runtime_type = \"io.containerd.kata.v2\"\n";
    std::fs::write(node.config(), node.settings(kata)).unwrap();
    node.restart();
    node.report("runtime-class", &["handler=kata"]).names("shim-missing", &["containerd-shim-kata-v2 is not in"]);
    // There, but not executable.
    let bin = node.write("bin/containerd-shim-kata-v2", "");
    node.path = Some(format!("{}:/usr/sbin:/usr/bin:/sbin:/bin", Path::new(&bin).parent().unwrap().display()));
    node.restart();
    node.report("runtime-class", &["handler=kata"]).names("shim-not-executable", &["not executable"]);
}

#[test]
fn a_handler_whose_program_is_installed_is_added() {
    let Some(mut node) = Containerd::start("crun") else { return };
    if support::program("crun", "crun").is_none() {
        return;
    }
    node.report("runtime-class", &["handler=crun"]).names("handler-missing", &["BinaryName", "crun"]);
    let (_, text, errors) = node.run(&["runtime-class", "--set", "handler=crun", "--fix", "--yes"]);
    assert!(errors.contains("runtimes.crun") && errors.contains("done: edit"), "{text}{errors}");
    node.restart();
    let report = node.report("runtime-class", &["handler=crun"]);
    report.no_cause();
    assert_eq!((report.verdict("class-handler"), report.verdict("class-shim")), ("pass", "pass"));
}

#[test]
fn a_configuration_the_runtime_would_refuse_is_not_written() {
    let Some(node) = Containerd::start("refuse") else { return };
    let kubelet = format!("kubelet-config={}", node.write("kubelet.yaml", "cgroupDriver: systemd\n"));
    let mut mode = std::fs::metadata(node.config()).unwrap().permissions();
    std::os::unix::fs::PermissionsExt::set_mode(&mut mode, 0o666);
    std::fs::set_permissions(node.config(), mode).unwrap();
    let before = std::fs::read_to_string(node.config()).unwrap();
    let (code, _, errors) = node.run(&["cgroup-driver", "--set", &kubelet, "--fix", "--yes"]);
    assert!(code == 1 && errors.contains("others than root"), "{errors}");
    assert_eq!(std::fs::read_to_string(node.config()).unwrap(), before);
    // And read-only writes nothing at all.
    let mut command = support::in_netns(&node.netns, Path::new(support::WHARF));
    let asked = ["-r", &node.socket(), "--read-only", "doctor", "cgroup-driver", "--set", &kubelet, "--fix", "--yes"];
    let output = command.args(asked).output().unwrap();
    assert!(String::from_utf8_lossy(&output.stderr).contains("--read-only allows no change"));
}

#[test]
fn without_systemd_the_unit_is_unknown_and_says_so() {
    if std::fs::read_to_string("/proc/1/comm").unwrap().trim() == "systemd" {
        return support::skip("unit", "systemd runs this machine");
    }
    let Some(node) = Containerd::start("unit") else { return };
    let report = node.report("runtime-unresponsive", &[]);
    assert_eq!((report.verdict("runtime-unit"), report.code), ("unknown", 2));
    assert!(report.step("runtime-unit").to_string().contains("not systemd"), "{:#}", report.value);
}

#[test]
fn the_text_explains_and_the_exit_code_is_the_verdict() {
    let Some(node) = Containerd::start("text") else { return };
    let image = "image=127.0.0.1:5000/test/busybox:nope";
    let (code, text, _) = node.run(&["image-pull", "--set", image]);
    assert_eq!(code, 1);
    for word in ["image-pull: FAIL", "[tag-missing]", "look yourself: curl -s", "what to do:", "not needed any more"] {
        assert!(text.contains(word), "{word}: {text}");
    }
    let (code, line, _) = node.run(&["image-pull", "--set", image, "-o", "npd"]);
    assert!(code == 1 && line.trim().chars().count() <= 80 && line.starts_with("tag-missing"), "{line}");
    assert_eq!(node.run(&["no-such-runbook"]).0, 1);
    let (code, list, _) = node.run(&["--list"]);
    assert!(code == 0 && list.contains("cgroup-driver") && list.contains("best-practices"), "{list}");
}

#[test]
fn watching_serves_what_was_found() {
    let Some(node) = Containerd::start("watch") else { return };
    let mut command = support::in_netns(&node.netns, Path::new(support::WHARF));
    let set = "image=127.0.0.1:5000/test/busybox:nope";
    command.args([
        "-r",
        &node.socket(),
        "doctor",
        "image-pull",
        "--set",
        set,
        "--watch",
        "--metrics",
        "127.0.0.1:9777",
    ]);
    let mut child = command.stdout(std::process::Stdio::piped()).spawn().unwrap();
    let scrape = || {
        netns::inside(&node.netns, || {
            let ask = || -> std::io::Result<String> {
                let mut stream = std::net::TcpStream::connect("127.0.0.1:9777")?;
                stream.write_all(b"GET /metrics HTTP/1.0\r\n\r\n")?;
                let mut text = String::new();
                stream.read_to_string(&mut text)?;
                Ok(text)
            };
            Ok(ask().unwrap_or_default())
        })
        .unwrap()
    };
    until("the metrics", || scrape().contains("wharf_cause{runbook=\"image-pull\",cause=\"tag-missing\"} 1"));
    assert!(scrape().contains("wharf_check{runbook=\"image-pull\",check=\"pull-manifest\"} 4"));
    let pid = rustix::process::Pid::from_raw(child.id().cast_signed()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    assert!(child.wait().unwrap().success());
}
