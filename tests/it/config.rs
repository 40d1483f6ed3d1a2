//! What wharf makes of containerd's configuration, beside containerd itself.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use wharf::config::{
    Fault, Severity,
    containerd::{self, Containerd},
};

use crate::support::{containerd_2, skip};

fn peer(test: &str) -> Option<PathBuf> {
    containerd_2(test).map(|directory| directory.join("containerd"))
}

/// The configuration containerd would run with: `config dump`, without the version and the imports.
fn dump(peer: &Path, file: &Path) -> toml::Table {
    let output = Command::new(peer).arg("-c").arg(file).args(["config", "dump"]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut table: toml::Table = text.parse().unwrap();
    table.remove("imports");
    table
}

fn written(directory: &Path, name: &str, text: &str) -> PathBuf {
    let path = directory.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, text).unwrap();
    path
}

const V1: &str = r#"
disabled_plugins = ["restart"]
[plugins.cri]
  sandbox_image = "r.example/pause:1"
  [plugins.cri.containerd.runtimes.runc.options]
    SystemdCgroup = true
"#;

const V2: &str = r#"version = 2
root = "/data/containerd"
oom_score = -999
[grpc]
  address = "/run/c.sock"
  gid = 999
[debug]
  level = "debug"
  address = "/run/debug.sock"
[metrics]
  address = "127.0.0.1:1338"
  grpc_histogram = true
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "r.example/pause:3.9"
  max_concurrent_downloads = 7
  image_pull_progress_timeout = "90s"
  stream_server_port = "10010"
  enable_selinux = true
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "native"
    discard_unpacked_layers = true
    default_runtime_name = "crun"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.crun]
      runtime_type = "io.containerd.runc.v2"
      sandbox_mode = "podsandbox"
      pod_annotations = ["a.*"]
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.crun.options]
        BinaryName = "/usr/bin/crun"
        SystemdCgroup = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "/etc/cni/other"
  [plugins."io.containerd.grpc.v1.cri".registry.mirrors."docker.io"]
    endpoint = ["https://m.example"]
  [plugins."io.containerd.grpc.v1.cri".registry.configs."m.example".auth]
    username = "me"
[plugins."io.containerd.internal.v1.restart"]
  interval = "20s"
[plugins."io.containerd.monitor.v1.cgroups"]
  no_prometheus = true
[plugins."io.containerd.snapshotter.v1.overlayfs"]
  root_path = "/data/overlay"
[proxy_plugins.stargz]
  type = "snapshot"
  address = "/run/stargz.sock"
[timeouts]
  "io.containerd.timeout.shim.load" = "9s"
"#;

const V3: &str = r#"version = 3
state = "/run/other"
[grpc]
  address = "/run/c.sock"
  tcp_address = "127.0.0.1:9999"
  tcp_tls_cert = "/c.pem"
[ttrpc]
  uid = 5
[plugins."io.containerd.cri.v1.images"]
  snapshotter = "btrfs"
  [plugins."io.containerd.cri.v1.images".registry]
    config_path = "/certs"
[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.kata]
  runtime_type = "io.containerd.kata.v2"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
  SystemdCgroup = true
"#;

#[test]
fn a_migrated_file_means_to_containerd_what_the_old_one_did() {
    let test = "migrate";
    let Some(peer) = peer(test) else { return };
    let directory = tempfile::tempdir().unwrap();
    for (name, text) in [("v1", V1), ("v2", V2), ("v3", V3)] {
        let old = written(directory.path(), &format!("{name}.toml"), text);
        let new = written(directory.path(), &format!("{name}-4.toml"), &containerd::load_file(&old).unwrap().to_toml());
        assert_eq!(dump(&peer, &new), dump(&peer, &old), "{name}:\n{}", fs::read_to_string(&new).unwrap());
        let again = containerd::load_file(&new).unwrap();
        assert_eq!((again.version, again.findings.len()), (4, 0), "{:?}", again.findings);
        let run = Command::new(&peer).arg("-c").arg(&new).args(["config", "dump"]).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&run.stderr), "", "containerd complains of {name}");
    }
}

#[test]
fn keys_that_containerd_loses_by_itself_survive() {
    let Some(peer) = peer("lost") else { return };
    let directory = tempfile::tempdir().unwrap();
    let text = "version = 2\n[plugins.'io.containerd.grpc.v1.cri'.containerd]\nsnapshotter = 'native'\n\
        [plugins.'io.containerd.runtime.v2.task']\nsched_core = true\n";
    let old = written(directory.path(), "old.toml", text);
    let file = containerd::load_file(&old).unwrap();
    let new = written(directory.path(), "new.toml", &file.to_toml());
    let of = |file: &Path| {
        let dumped = dump(&peer, file);
        let plugins = &dumped["plugins"];
        let snapshotter = plugins["io.containerd.cri.v1.images"]["snapshotter"].clone();
        (snapshotter, plugins["io.containerd.shim.v1.manager"]["env"].as_array().unwrap().len())
    };
    assert_eq!((of(&old), of(&new)), (("overlayfs".into(), 0), ("native".into(), 1)));
    assert_eq!(file.findings.iter().filter(|f| f.fault == Fault::Ignored).count(), 2, "{:?}", file.findings);
}

#[test]
fn cfg_05_drop_ins_mean_to_wharf_what_they_mean_to_containerd() {
    let Some(peer) = peer("drop-ins") else { return };
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str, text: &str| written(directory.path(), name, text);
    let root = at(
        "root.toml",
        "version = 3\nroot = '/r'\noom_score = 5\ndisabled_plugins = ['io.a.v1.x']\n\
         imports = ['conf.d/*.toml', './late.toml']\n[timeouts]\n'io.containerd.timeout.shim.load' = '9s'\n\
         [proxy_plugins.a]\ntype = 'snapshot'\naddress = '/a.sock'\n\
         [plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc]\npod_annotations = ['a', 'b']\n\
         [plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc.options]\nSystemdCgroup = true\n\
         BinaryName = 'root'\n[plugins.'io.containerd.cri.v1.images']\nsnapshotter = 'native'\n\
         max_concurrent_downloads = 9\n",
    );
    at(
        "conf.d/10.toml",
        "version = 2\nroot = ''\nstate = '/s10'\noom_score = 0\ndisabled_plugins = ['io.a.v1.y', 'io.a.v1.x']\n\
         imports = ['deep.toml']\n[proxy_plugins.a]\ntype = 'snapshot'\n\
         [plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc]\npod_annotations = ['c']\n\
         [plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc.options]\nSystemdCgroup = false\n\
         [plugins.'io.containerd.cri.v1.images']\nsnapshotter = ''\nmax_concurrent_downloads = 0\n",
    );
    at("conf.d/20.toml", "state = '/s20'\n[plugins.cri.containerd.runtimes.runc.options]\nBinaryName = 'of20'\n");
    at("conf.d/deep.toml", "version = 3\ntemp = '/deep'\nstate = '/deepstate'\n");
    at("late.toml", "version = 3\ntemp = '/late'\n");
    let ours = containerd::load(Path::new("/"), &root).unwrap();
    assert_eq!(ours.files.len(), 5, "{:?}", ours.files);
    let whole = at("whole.toml", &ours.to_toml());
    assert_eq!(dump(&peer, &whole), dump(&peer, &root), "{}", ours.to_toml());
    let options = &ours.settings.runtime.handlers["runc"];
    assert_eq!((options.systemd_cgroup.value, options.binary.value.as_str()), (false, "of20"));
    let line = options.systemd_cgroup.at.as_ref().unwrap();
    assert!(line.file.ends_with("conf.d/10.toml") && line.line == 12, "{line}");
}

/// The keys of plugins in a dump, as paths.
fn paths(table: &toml::Table, prefix: &str, found: &mut Vec<String>) {
    for (key, value) in table {
        let path = format!("{prefix}/{key}");
        match value {
            toml::Value::Table(below) => paths(below, &path, found),
            _ => found.push(path),
        }
    }
}

#[test]
fn every_key_containerd_has_is_known_and_every_default_is_its() {
    let Some(peer) = peer("keys") else { return };
    let nothing = Path::new("/nonexistent/config.toml");
    let dumped = dump(&peer, nothing);
    let text = dumped.to_string();
    let file = containerd::parse(Path::new("/default.toml"), &text).unwrap();
    assert!(file.findings.is_empty(), "{:#?}", file.findings);
    let mut all = Vec::new();
    paths(&dumped, "", &mut all);
    assert!(all.len() > 150, "{} keys", all.len());
    let (written, none) = (containerd::from_text(Path::new("/default.toml"), &text).unwrap(), Containerd::empty());
    let values = |config: &Containerd| {
        let s = &config.settings;
        let runc = &s.runtime.handlers["runc"];
        format!(
            "{:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?}",
            s.root.value,
            s.state.value,
            s.address.value,
            s.images.snapshotter.value,
            s.images.max_concurrent_downloads.value,
            s.images.progress_timeout.value,
            s.images.sandbox.value,
            s.images.registry.config_path.value,
            s.runtime.default_handler.value,
            (&runc.runtime_type.value, runc.systemd_cgroup.value),
            (&s.runtime.cni.bin_dirs.value, &s.runtime.cni.conf_dir.value, s.runtime.cni.max_conf_num.value),
            (&s.streaming.address.value, &s.streaming.port.value, s.streaming.idle_timeout.value),
            s.disabled_plugins.value,
        )
    };
    assert_eq!(values(&written), values(&none));
}

#[test]
fn what_an_older_containerd_writes_by_itself_raises_nothing() {
    let Some(peer) = ["/usr/bin/containerd"].into_iter().map(PathBuf::from).find(|p| p.exists()) else {
        return skip("default-2", "there is no containerd of the distribution");
    };
    let output = Command::new(peer).args(["config", "default"]).output().unwrap();
    let file = containerd::parse(Path::new("/default.toml"), &String::from_utf8(output.stdout).unwrap()).unwrap();
    let loud: Vec<_> = file.findings.iter().filter(|f| f.severity > Severity::Note).collect();
    assert!(file.version == 2 && loud.is_empty(), "{loud:#?}");
}

/// wharf's answer, and the exit code.
fn wharf(arguments: &[&str]) -> (String, i32) {
    let output = Command::new(crate::support::WHARF).args(arguments).output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (String::from_utf8(text).unwrap(), output.status.code().unwrap())
}

#[test]
fn the_verb_checks_migrates_and_dumps() {
    let directory = tempfile::tempdir().unwrap();
    let text = V2.replace("username = \"me\"", "password = \"CANARY\"") + "[plugins.odd]\nx = 1\n";
    let file = written(directory.path(), "c.toml", &text).display().to_string();
    let (said, code) = wharf(&["config", "check", &file]);
    assert!(code == 1 && said.contains("warning: unknown plugins.odd"), "{said}");
    let (said, code) = wharf(&["config", "check", "--serve", "-o", "json", &file]);
    let found: serde_json::Value = serde_json::from_str(&said).unwrap();
    let all = found["findings"].as_array().unwrap();
    assert!(code == 1 && all.iter().any(|f| f["fault"] == "unsupported" && f["line"].is_u64()), "{said}");
    let (dumped, code) = wharf(&["config", "dump", &file]);
    assert!(code == 0 && dumped.contains("version = 4") && !dumped.contains("CANARY"), "{dumped}");
    let (migrated, _) = wharf(&["config", "migrate", &file]);
    assert!(migrated.contains("io.containerd.cri.v1.images"), "{migrated}");
    let (default, _) = wharf(&["config", "default"]);
    let (said, code) =
        wharf(&["config", "check", "--serve", written(directory.path(), "d.toml", &default).to_str().unwrap()]);
    assert_eq!(code, 0, "{said}");
    let (said, code) = wharf(&["config", "check", "/nonexistent.toml"]);
    assert!(code == 1 && said.contains("/nonexistent.toml"), "{said}");
}

#[test]
fn crictls_settings_are_changed_as_crictl_changes_them() {
    let Some(crictl) = crate::support::program("settings", "crictl") else { return };
    let directory = tempfile::tempdir().unwrap();
    let file =
        written(directory.path(), "crictl.yaml", "# ours\nruntime-endpoint: unix:///a.sock\n").display().to_string();
    let theirs = |arguments: &[&str]| {
        let output = Command::new(&crictl).args(["-c", &file, "config"]).args(arguments).output().unwrap();
        (String::from_utf8(output.stdout).unwrap(), output.status.code().unwrap())
    };
    let ours = |arguments: &[&str]| wharf(&[&["-c", &file, "config"], arguments].concat());
    assert_eq!(ours(&["--set", "timeout=7,debug=true"]).1, 0);
    assert_eq!(ours(&["image-endpoint", "unix:///b.sock"]).1, 0);
    assert!(fs::read_to_string(&file).unwrap().starts_with("# ours\n"));
    for key in ["runtime-endpoint", "image-endpoint", "timeout", "debug", "pull-image-on-create"] {
        assert_eq!(ours(&["--get", key]), theirs(&["--get", key]), "{key}");
    }
    assert_eq!((ours(&["--get", "nope"]).1, theirs(&["--get", "nope"]).1), (1, 1));
    assert_eq!(ours(&["--set", "nope=1"]).1, 1);
}
