//! The CRI validation suite (cri-tools' critest) over the built-in runtime: every spec it has for this machine, but one.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
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
    let path = node.dir.join("critest");
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

#[test]
fn every_spec_but_one_passes_on_the_built_in_runtime() {
    let Some(critest) = support::program("critest", "critest") else { return };
    let Some(node) = Node::with_mirror("critest", &HOSTS) else { return };
    let scratch = node.dir.join("images");
    let Some(digest) = images::push("critest", node.registry.as_ref().unwrap(), &scratch) else { return };
    let (names, report) = (node.dir.join("names.yaml"), node.dir.join("report.json"));
    let text = "defaultTestContainerImage: registry.k8s.io/e2e-test-images/busybox:1.29-2\n\
        webServerTestImage: registry.k8s.io/e2e-test-images/nginx:1.14-2\n";
    fs::write(&names, text).unwrap();
    let flag = |name: &str, value: &dyn std::fmt::Display| format!("--{name}={value}");
    let output = node
        .beside(&suite(&critest, &node, &digest))
        .arg(flag("config", &"/nonexistent"))
        .arg(flag("runtime-endpoint", &node.socket()))
        .arg(flag("image-endpoint", &node.socket()))
        .arg(flag("test-images-file", &names.display()))
        .arg(flag("ginkgo.json-report", &report.display()))
        // It compares the words of upstream busybox's shell, which Debian has not; `confinement::run_20_*` looks instead.
        .arg("--ginkgo.skip=should support MaskedPaths")
        .args(["--ginkgo.no-color", "--ginkgo.seed=1", "--ginkgo.timeout=20m"])
        .output()
        .unwrap();
    assert!(report.exists(), "{}", String::from_utf8_lossy(&output.stdout));
    let specs = specs(&report);
    let count = |state: &str| specs.iter().filter(|(_, s, _)| s == state).count();
    // Benchmarks, and what this kernel has not: the suite says why it skips.
    let skipped: Vec<_> = specs.iter().filter(|(_, s, m)| s == "skipped" && !m.is_empty()).collect();
    println!("critest: {} passed, {} failed, {} skipped", count("passed"), count("failed"), skipped.len());
    let failed: String = specs
        .iter()
        .filter(|(_, state, _)| !["passed", "skipped"].contains(&state.as_str()))
        .map(|(name, state, message)| format!("{name}: {state}: {}\n", message.chars().take(500).collect::<String>()))
        .collect();
    assert!(failed.is_empty(), "{failed}\n{}", node.log());
    for (name, _, message) in skipped {
        assert!(name.contains("AppArmor") && message.contains("AppArmor is disabled"), "{name} was skipped: {message}");
    }
    assert!(count("passed") >= 107, "only {} specs ran", count("passed"));
    node.end();
}
