//! Fixes of configurations: each kind is shown as it is done, cures what it was offered for, and is not offered twice.

use std::{os::unix::fs::MetadataExt, path::Path};

use crate::support::{self, containerd::Containerd};

/// Looks, mends, restarts (which nobody but systemd does by himself) and looks again: the same check passes, and a second time
/// nothing is written. What was shown is what was done.
pub fn mends(node: &mut Containerd, file: &Path, arguments: &[&str], check: &str) {
    let set: Vec<&str> = arguments[1..].iter().copied().filter(|a| *a != "--set").collect();
    let before = std::fs::read_to_string(file).unwrap_or_default();
    let all: Vec<&str> = arguments.iter().copied().chain(["--fix", "--yes"]).collect();
    let (_, text, errors) = node.run(&all);
    let after = std::fs::read_to_string(file).unwrap_or_default();
    assert_ne!(before, after, "{check}: {text}{errors}");
    let shown = |sign: char| -> Vec<String> {
        let lines = errors.lines().filter_map(|l| l.trim_start().strip_prefix(sign));
        lines.filter(|l| !l.starts_with("++") && !l.starts_with("--")).map(str::to_owned).collect()
    };
    let (old, new): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
    let only = |a: &[&str], b: &[&str]| -> Vec<String> {
        a.iter().filter(|l| !b.contains(l)).map(|l| (*l).to_owned()).collect()
    };
    assert!(only(&new, &old).iter().all(|l| shown('+').contains(l)), "{check}: not shown: {after}\n{errors}");
    assert!(only(&old, &new).iter().all(|l| shown('-').contains(l)), "{check}: not shown: {before}\n{errors}");
    node.restart();
    let report = node.report(arguments[0], &set);
    assert!(matches!(report.verdict(check), "pass" | "not-applicable"), "{check}: {:#}", report.value);
    let stamp = |at: &Path| std::fs::metadata(at).map(|m| (m.ino(), m.mtime_nsec())).unwrap();
    let was = stamp(file);
    let (_, text, errors) = node.run(&all);
    assert_eq!(stamp(file), was, "{check}: written twice: {text}{errors}");
    assert!(!errors.contains(&format!("edit {}", file.display())), "{check}: offered twice: {errors}");
}

#[test]
fn cfg_11_every_kind_of_configuration_fix_is_shown_done_and_not_done_twice() {
    let Some(mut node) = Containerd::start("fixes") else { return };
    let config = node.config();
    mends(&mut node, &config, &["best-practices"], "practice-discard");
    if support::program("fixes", "crun").is_some() {
        mends(&mut node, &config, &["runtime-class", "--set", "handler=crun"], "class-handler");
    }
    // A list over several lines, as people write it.
    let off =
        node.settings("").replace("disabled_plugins = [", "disabled_plugins = [\n  \"io.containerd.grpc.v1.cri\",\n ");
    std::fs::write(&config, off).unwrap();
    node.down();
    node.up_without_cri();
    node.report("runtime-unresponsive", &[]).names("cri-plugin-off", &["switched off", "config.toml line 4"]);
    mends(&mut node, &config, &["runtime-unresponsive"], "runtime-service");
}

#[test]
fn cfg_11_a_fix_is_written_as_the_files_version_has_it() {
    let Some(mut node) = Containerd::newer("fixes-new") else { return };
    let config = node.config();
    // Of version 2, which this containerd migrates: a key of version 3 in it would be nobody's.
    mends(&mut node, &config, &["best-practices"], "practice-discard");
    let log = std::fs::read_to_string(node.dir.join("log")).unwrap();
    assert!(!log.contains("discard_unpacked_layers"), "the runtime knows it: {log}");
    let text = std::fs::read_to_string(&config).unwrap();
    assert!(text.contains("discard_unpacked_layers = true"), "{text}");
}

#[test]
fn a_file_without_a_version_is_told_before_its_settings() {
    let Some(mut node) = Containerd::start("version") else { return };
    let config = node.config();
    let text = node.settings("").replace("version = 2\n", "");
    std::fs::write(&config, text).unwrap();
    node.restart();
    let report = node.report("incidents", &[]);
    let finding = &report.step("incident-config")["finding"];
    assert_eq!(finding["cause"], "config-version-missing", "{finding:#}");
    assert!(finding.to_string().contains("config.toml line"), "{finding:#}");
    mends(&mut node, &config, &["incidents"], "incident-config");
}
