//! The CRI validation suite (cri-tools' critest) over every handler, one by one and several at a time: every spec it has for
//! this machine, but one.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::support::{self, images, node::Node};

const HOSTS: [&str; 5] = ["registry.k8s.io", "gcr.io", "k8s.gcr.io", "public.ecr.aws", "registry-1.docker.io"];

/// The one digest that the suite has in its code, of a public image; ours is put in its place.
const DIGEST: &str = "9700f9a2f5bf2c45f2f605a0bd3bce7cf37420ec9d3ed50ac2758413308766bf";

/// A copy of the suite that knows our digest.
fn suite(critest: &Path, node: &Node, digest: &str) -> PathBuf {
    let mut bytes = fs::read(critest).unwrap();
    let (old, new) = (DIGEST.as_bytes(), digest.strip_prefix("sha256:").unwrap().as_bytes());
    let mut found = 0;
    for at in 0..bytes.len() - old.len() {
        if bytes[at] == old[0] && bytes[at..].starts_with(old) {
            bytes[at..at + new.len()].copy_from_slice(new);
            found += 1;
        }
    }
    assert!(found > 0, "this critest has another digest in it");
    // By this end ginkgo knows a suite that is built.
    let path = node.dir.join("critest.test");
    fs::write(&path, bytes).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path
}

/// Name, state and message of every spec in ginkgo's report.
fn specs(report: &Path) -> Vec<(String, String, String)> {
    let report: Value = serde_json::from_slice(&fs::read(report).unwrap()).unwrap();
    let all = report[0]["SpecReports"].as_array().unwrap();
    all.iter()
        .filter(|s| s["LeafNodeType"] == "It")
        .map(|s| {
            let words = s["ContainerHierarchyTexts"].as_array().into_iter().flatten().chain([&s["LeafNodeText"]]);
            let name: Vec<&str> = words.filter_map(Value::as_str).collect();
            let text = |v: &Value| v.as_str().unwrap_or_default().to_owned();
            (name.join(" "), text(&s["State"]), text(&s["Failure"]["Message"]))
        })
        .collect()
}

/// What one run of the suite is to be.
#[derive(Default)]
struct Run<'a> {
    test: &'a str,
    /// Built-in if there is none.
    handler: Option<&'a str>,
    /// Specs at a time.
    parallel: u32,
    /// Parts of names, and why their specs may skip besides AppArmor's.
    skipped: &'a [(&'a str, &'a str)],
    passed: usize,
}

impl Run<'_> {
    fn check(&self, prepare: impl FnOnce(&Path) -> Vec<String>) {
        let Some(critest) = support::program(self.test, "critest") else { return };
        let Some(ginkgo) = support::program(self.test, "ginkgo") else { return };
        let Some(mut node) = Node::with_mirror(self.test, &HOSTS) else { return };
        node.flags = prepare(&node.dir);
        node.kill_engine();
        node.serve();
        let scratch = node.dir.join("images");
        let Some(digest) = images::push(self.test, node.registry.as_ref().unwrap(), &scratch) else { return };
        let names = node.dir.join("names.yaml");
        let text = "defaultTestContainerImage: registry.k8s.io/e2e-test-images/busybox:1.29-2\n\
            webServerTestImage: registry.k8s.io/e2e-test-images/nginx:1.14-2\n";
        fs::write(&names, text).unwrap();
        let flag = |name: &str, value: &dyn std::fmt::Display| format!("--{name}={value}");
        let mut command = node.beside(&ginkgo);
        command
            .args(["--no-color", "--seed=1", "--timeout=20m", "--keep-going", "--json-report=report.json"])
            .arg(flag("procs", &self.parallel))
            .arg(flag("output-dir", &node.dir.display()))
            // It compares the words of upstream busybox's shell, which Debian has not; `confinement::run_20_*` looks instead.
            .arg("--skip=should support MaskedPaths")
            .arg(suite(&critest, &node, &digest))
            .arg("--")
            .arg(flag("config", &"/nonexistent"))
            .arg(flag("runtime-endpoint", &node.socket()))
            .arg(flag("image-endpoint", &node.socket()))
            .arg(flag("test-images-file", &names.display()));
        if let Some(handler) = self.handler {
            command.arg(flag("runtime-handler", &handler));
        }
        let begun = Instant::now();
        let output = command.output().unwrap();
        let report = node.dir.join("report.json");
        assert!(report.exists(), "{output:?}");
        self.judge(&specs(&report), begun.elapsed(), &node);
        node.end();
    }

    fn judge(&self, specs: &[(String, String, String)], took: Duration, node: &Node) {
        let count = |state: &str| specs.iter().filter(|(_, s, _)| s == state).count();
        // Benchmarks, and what this kernel has not: the suite says why it skips.
        let skipped: Vec<_> = specs.iter().filter(|(_, s, m)| s == "skipped" && !m.is_empty()).collect();
        let (passed, failed) = (count("passed"), count("failed"));
        let (handler, parallel) = (self.handler.unwrap_or("built-in"), self.parallel);
        let left = skipped.len();
        println!(
            "critest, {handler}, {parallel} at a time: {passed} passed, {failed} failed, {left} skipped, {took:.0?}"
        );
        let failed: String = specs
            .iter()
            .filter(|(_, state, _)| !["passed", "skipped"].contains(&state.as_str()))
            .map(|(name, state, message)| {
                format!("{name}: {state}: {}\n", message.chars().take(2000).collect::<String>())
            })
            .collect();
        assert!(failed.is_empty(), "{failed}\n{}", node.log());
        for (name, _, message) in skipped {
            let known = [&[("AppArmor", "AppArmor is disabled")], self.skipped].concat();
            assert!(
                known.iter().any(|(part, why)| name.contains(part) && message.contains(why)),
                "{name} was skipped: {message}"
            );
        }
        assert!(passed >= self.passed, "only {passed} specs ran");
    }
}

#[test]
fn every_spec_but_one_passes_on_the_built_in_runtime() {
    Run { test: "critest", parallel: 1, passed: 107, ..Run::default() }.check(|_| Vec::new());
}

#[test]
fn specs_pass_four_at_a_time() {
    Run { test: "critest4", parallel: 4, passed: 107, ..Run::default() }.check(|_| Vec::new());
}

/// The specs about what a runtime of before 1.2 does not know.
const USERS: (&str, &str) = ("UserNamespaces", "user namespaces");
/// And of crun before 1.9.
const RECURSIVE: (&str, &str) = ("readonly mounts", "does not implement recursive readonly mounts");

#[test]
fn specs_pass_on_runc() {
    let run = Run { test: "critest-runc", handler: Some("runc"), parallel: 1, skipped: &[USERS], passed: 101 };
    run.check(|_| Vec::new());
}

/// Pods with users of their own among them.
#[test]
fn every_spec_but_one_passes_on_a_runc_of_today() {
    let test = "critest-runc-1.4";
    let Some(runc) = support::program(test, "runc-1.4.3") else { return };
    let run = Run { test, handler: Some("today"), parallel: 4, passed: 107, ..Run::default() };
    run.check(|own| handler(own, "today", &format!("options = {{ BinaryName = '{}' }}\n", runc.display())));
}

#[test]
fn every_spec_but_one_passes_on_runc_under_containerds_shim() {
    let test = "critest-shim";
    let Some(directory) = support::containerd_2(test) else { return };
    let Some(runc) = support::program(test, "runc-1.4.3") else { return };
    let run = Run { test, handler: Some("shim"), parallel: 4, passed: 107, ..Run::default() };
    let shim = directory.join("containerd-shim-runc-v2");
    run.check(|own| {
        let text = format!("runtime_path = '{}'\noptions = {{ BinaryName = '{}' }}\n", shim.display(), runc.display());
        handler(own, "shim", &text)
    });
}

/// A configuration with one more handler of runc's kind; the flags that name it.
fn handler(directory: &Path, name: &str, keys: &str) -> Vec<String> {
    let config = directory.join("config.toml");
    let text = format!(
        "version = 3\n[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.{name}]\n\
         runtime_type = 'io.containerd.runc.v2'\n{keys}"
    );
    fs::write(&config, text).unwrap();
    vec!["--config".to_owned(), config.display().to_string()]
}

#[test]
fn specs_pass_on_crun() {
    let Some(crun) = support::program("critest-crun", "crun") else { return };
    let run =
        Run { test: "critest-crun", handler: Some("crun"), parallel: 1, skipped: &[USERS, RECURSIVE], passed: 97 };
    run.check(|directory| {
        // It refuses machines with both versions of cgroups, so it gets to see version 1 alone there.
        let script = format!(
            "#!/bin/sh\nexec unshare --mount --propagation unchanged sh -c 'if mountpoint -q /sys/fs/cgroup/unified; then \
             mount --make-rprivate /sys/fs/cgroup && umount -l /sys/fs/cgroup/unified; fi; exec \"$0\" \"$@\"' {} \"$@\"\n",
            crun.display()
        );
        let program = directory.join("crun");
        fs::write(&program, script).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        handler(directory, "crun", &format!("options = {{ BinaryName = '{}' }}\n", program.display()))
    });
}
