//! Findings by version, drop-ins, settings. That containerd itself agrees is checked in `tests/it/config.rs`.

use std::{collections::BTreeMap, time::Duration};

use super::*;
use crate::config::tree::dotted;

fn read(text: &str) -> Containerd {
    from_text(Path::new("/c.toml"), text).unwrap()
}

fn found(config: &Containerd) -> Vec<String> {
    config.findings.iter().map(ToString::to_string).collect()
}

/// The finding on a line.
fn on(config: &Containerd, line: usize) -> &Finding {
    let all = found(config);
    let at = config.findings.iter().find(|f| f.at.as_ref().is_some_and(|at| at.line == line));
    at.unwrap_or_else(|| panic!("nothing on line {line}: {all:#?}"))
}

const V2: &str = r#"version = 2
root = "/data"
[grpc]
  address = "/run/x.sock"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "r.example/pause:3.9"
  max_concurrent_downloads = 7
  image_pull_progress_timeout = "90s"
  stream_server_port = "10010"
  systemd_cgroup = true
  enable_selinx = true
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "native"
    discard_unpacked_layers = true
    default_runtime_name = "crun"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.crun]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.crun.options]
        BinaryName = "/usr/bin/crun"
        SystemdCgroup = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
  [plugins."io.containerd.grpc.v1.cri".registry.mirrors."docker.io"]
    endpoint = ["https://m.example"]
  [plugins."io.containerd.grpc.v1.cri".registry.configs."m.example".tls]
    ca_file = "/etc/m.crt"
  [plugins."io.containerd.grpc.v1.cri".registry.auths."https://m.example/v2"]
    username = "me"
    password = "CANARY"
[plugins.bogus]
  x = 1
"#;

#[test]
fn version_2_is_read_with_every_line() {
    let config = read(V2);
    let s = &config.settings;
    assert_eq!((config.version, s.root.value.as_path()), (2, Path::new("/data")));
    let line = |at: &Option<At>| at.as_ref().unwrap().line;
    assert_eq!((s.address.value.as_path(), line(&s.address.at)), (Path::new("/run/x.sock"), 4));
    assert_eq!((s.images.sandbox.value.as_str(), line(&s.images.sandbox.at)), ("r.example/pause:3.9", 6));
    assert_eq!((s.images.max_concurrent_downloads.value, line(&s.images.max_concurrent_downloads.at)), (7, 7));
    assert_eq!(s.images.progress_timeout.value, Duration::from_secs(90));
    assert_eq!((s.images.snapshotter.value.as_str(), s.images.discard_unpacked_layers.value), ("native", true));
    assert_eq!(s.streaming.port.value, "10010");
    let crun = &s.runtime.handlers["crun"];
    assert_eq!((s.runtime.default_handler.value.as_str(), crun.binary.value.as_str()), ("crun", "/usr/bin/crun"));
    assert_eq!((crun.systemd_cgroup.value, line(&crun.systemd_cgroup.at)), (true, 20));
    assert_eq!(s.runtime.handlers["runc"].runtime_type.value, "io.containerd.runc.v2");
    assert_eq!(s.runtime.cni.bin_dirs.value, [PathBuf::from("/usr/lib/cni")]);
    assert_eq!(s.images.registry.mirrors["docker.io"].endpoints, ["https://m.example"]);
    assert_eq!(s.images.registry.config_path.value, "");
    assert_eq!(s.images.registry.tls["m.example"].ca.as_deref(), Some(Path::new("/etc/m.crt")));
    assert_eq!(s.images.registry.auths["m.example"].username, "me");
    assert!(!format!("{config:?}").contains("CANARY"));
}

#[test]
fn version_2_findings() {
    let config = read(V2);
    assert_eq!((on(&config, 10).fault, on(&config, 11).fault), (Fault::Removed, Fault::Unknown));
    assert!(on(&config, 10).text.contains("SystemdCgroup") && on(&config, 11).key.ends_with("enable_selinx"));
    let mirrors: Vec<_> = config.findings.iter().filter(|f| f.fault == Fault::Deprecated).map(|f| &f.key).collect();
    let base = "plugins.'io.containerd.cri.v1.images'.registry.";
    assert_eq!(mirrors, [&format!("{base}mirrors"), &format!("{base}configs"), &format!("{base}auths")]);
    assert!(config.findings.iter().any(|f| f.fault == Fault::Removed && f.key.ends_with("'m.example'.tls")));
    assert_eq!((on(&config, 30).fault, on(&config, 30).key.as_str()), (Fault::Unknown, "plugins.bogus"));
    assert!(found(&config).iter().all(|text| !text.contains("CANARY")), "{:#?}", found(&config));
}

#[test]
fn a_file_of_version_4_has_nothing_to_migrate() {
    let whole = read(V2).to_toml();
    let again = read(&whole);
    assert_eq!(again.to_toml(), whole);
    assert!(whole.starts_with("version = 4\n"), "{whole}");
    for section in ["io.containerd.server.v1.grpc", "io.containerd.server.v1.ttrpc", "io.containerd.cri.v1.images"] {
        assert!(again.tree.find(&["plugins", section]).is_some(), "{section}\n{whole}");
    }
    let ttrpc = again.tree.find(&["plugins", "io.containerd.server.v1.ttrpc", "address"]).unwrap();
    assert_eq!(ttrpc.value, Value::Text("/run/x.sock.ttrpc".to_owned()));
}

#[test]
fn old_sections_under_a_new_version_are_found() {
    let old = "[plugins.'io.containerd.grpc.v1.cri'.containerd.runtimes.runc.options]\nSystemdCgroup = true\n[grpc]\n\
        address = '/x'\n";
    let three = read(&format!("version = 3\n{old}"));
    assert!(on(&three, 2).text.contains("containerd 2.0 to 2.2 ignore it"), "{:?}", on(&three, 2));
    assert!(three.settings.runtime.handlers["runc"].systemd_cgroup.value);
    let four = read(&format!("version = 4\n{old}"));
    assert_eq!((on(&four, 2).fault, on(&four, 4).fault), (Fault::Ignored, Fault::Ignored));
    assert!(on(&four, 4).text.contains("io.containerd.server.v1"), "{:?}", on(&four, 4));
    assert!(!four.settings.runtime.handlers["runc"].systemd_cgroup.value);
    assert_eq!(four.settings.address.value, Path::new("/run/containerd/containerd.sock"));
    assert_eq!(read("version = 3\n[plugins.'io.containerd.cri.v1.images']\nsnapshotter = 'x'").findings, []);
}

#[test]
fn version_1_has_short_names() {
    let config = read("disabled_plugins = ['cri']\n[plugins.cri]\nsandbox_image = 'x'\n[plugins.odd]\n");
    assert_eq!((config.version, config.settings.images.sandbox.value.as_str()), (1, "x"));
    assert_eq!(config.settings.disabled_plugins.value, ["io.containerd.grpc.v1.cri"]);
    assert!(on(&config, 1).text.contains("unknown service runtime.v1"));
    assert!(on(&config, 4).text.contains("ambiguous"));
}

#[test]
fn conflicts_are_found() {
    let base = "version = 3\n[plugins.'io.containerd.cri.v1.images'.registry]\nconfig_path = '/certs'\n\
        [plugins.'io.containerd.cri.v1.images'.registry.mirrors.'docker.io']\nendpoint = ['https://m']\n";
    let config = read(base);
    assert_eq!((on(&config, 4).severity, config.findings.len()), (Severity::Error, 2));
    assert!(on(&config, 4).text.contains("/c.toml:3"), "{:?}", found(&config));
    let empty = read(&base.replace("/certs", ""));
    assert!(empty.findings.iter().all(|f| f.fault != Fault::Conflict), "{:?}", found(&empty));
    let several = read(
        &base[..base.find("[plugins.'io.containerd.cri.v1.images'.registry.mirrors").unwrap()]
            .replace("/certs", "/a:/b"),
    );
    assert!(on(&several, 3).text.contains("one directory"));
    let config = read("version = 2\n[plugins.'io.containerd.grpc.v1.cri'.containerd]\ndefault_runtime_name = 'kata'");
    assert!(on(&config, 3).text.contains("no runtime \"kata\""));
    let two = "version = 3\n[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.nvidia]\n\
        runtime_type = 'io.containerd.runc.v2'\n\
        [plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc.options]\nSystemdCgroup = true\n";
    assert!(on(&read(two), 2).text.contains("cgroupfs"));
    let wrong =
        read("version = 3\nroot = 1\n[plugins.'io.containerd.cri.v1.images']\nimage_pull_progress_timeout = 'x'");
    assert_eq!((on(&wrong, 2).fault, on(&wrong, 4).fault), (Fault::Invalid, Fault::Invalid));
    for bad in ["version = 5", "version = 'two'", "version = -1", "a = "] {
        assert!(from_text(Path::new("/c.toml"), bad).unwrap_err().is(Kind::InvalidArgument), "{bad}");
    }
}

/// A configuration of several files.
fn several(files: &[(&str, &str)]) -> Result<Containerd> {
    let all: BTreeMap<PathBuf, &str> = files.iter().map(|(path, text)| (PathBuf::from(path), *text)).collect();
    assemble(Path::new(files[0].0), |wanted| {
        let text = wanted.to_string_lossy();
        if let Some((directory, _)) = text.split_once("/*") {
            let found = all.iter().filter(|(path, _)| path.parent() == Some(Path::new(directory)));
            return Ok(found.map(|(path, text)| (path.clone(), (*text).to_owned())).collect());
        }
        match all.get(wanted) {
            Some(text) => Ok(vec![(wanted.to_owned(), (*text).to_owned())]),
            None => bail!(NotFound, "no {text}"),
        }
    })
}

#[test]
fn cfg_05_later_files_win_and_it_is_said() {
    let config = several(&[
        ("/c/root.toml", "version = 3\nroot = '/r'\nimports = ['d/*.toml', 'late.toml']\n[plugins.'io.containerd.cri.v1.images']\nsnapshotter = 'native'\nmax_concurrent_downloads = 9\n"),
        ("/c/d/10.toml", "version = 2\nroot = ''\nstate = '/s10'\n[plugins.'io.containerd.grpc.v1.cri']\nmax_concurrent_downloads = 0\n"),
        ("/c/d/20.toml", "version = 3\nstate = '/s20'\nimports = ['../late.toml']\n"),
        ("/c/late.toml", "version = 3\nstate = '/late'\nimports = ['root.toml']\n"),
    ])
    .unwrap();
    let s = &config.settings;
    assert_eq!((s.root.value.as_path(), s.state.value.as_path()), (Path::new("/r"), Path::new("/late")));
    assert_eq!((s.images.max_concurrent_downloads.value, s.images.snapshotter.value.as_str()), (0, "native"));
    let overridden: Vec<String> = found(&config).into_iter().filter(|f| f.contains("overridden")).collect();
    assert!(
        overridden.iter().any(|f| f.starts_with("/c/root.toml:6: note") && f.contains("by /c/d/10.toml:5")),
        "{overridden:#?}"
    );
    assert_eq!(config.files.len(), 4, "{:?}", config.files);
}

#[test]
fn imports_that_are_wrong() {
    let missing = several(&[("/a", "version = 3\nimports = ['no', 'b']"), ("/b", "version = 3\nroot = '/b'")]).unwrap();
    assert!(on(&missing, 2).text.contains("reads no further imports") && missing.files.len() == 1);
    let higher = several(&[("/a", "version = 3\nimports = ['b']"), ("/b", "version = 4")]).unwrap_err();
    assert!(higher.to_string().contains("higher"), "{higher}");
    let ring = several(&[("/a", "version = 3\nimports = ['/b']"), ("/b", "version = 3\nimports = ['/a', '/b']")]);
    assert_eq!(ring.unwrap().files.len(), 2);
    assert_eq!(dotted(&["imports"]), "imports");
}

#[test]
fn a_sandboxs_process_is_not_taken_for_the_containers() {
    for kind in ["", "oci", "built-in", "io.containerd.runc.v2", "/opt/bin/containerd-shim-runc-v2"] {
        assert!(is_on_this_kernel(kind), "{kind}");
    }
    for kind in ["io.containerd.runsc.v1", "io.containerd.kata.v2", "/opt/bin/containerd-shim-kata-v2"] {
        assert!(!is_on_this_kernel(kind), "{kind}");
    }
}
