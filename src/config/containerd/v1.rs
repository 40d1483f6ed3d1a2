//! Version 1, frozen: no `version` line, plugins by short names. What containerd 1.0 to 1.7 took for it.

use super::Migration;
use crate::config::{
    finding::{Fault, Severity},
    tree::{Item, Value},
};

const NAMES: &[(&str, &str)] = &[
    ("cri", "io.containerd.grpc.v1.cri"),
    ("cgroups", "io.containerd.monitor.v1.cgroups"),
    ("linux", "io.containerd.runtime.v1.linux"),
    ("scheduler", "io.containerd.gc.v1.scheduler"),
    ("bolt", "io.containerd.metadata.v1.bolt"),
    ("task", "io.containerd.runtime.v2.task"),
    ("opt", "io.containerd.internal.v1.opt"),
    ("restart", "io.containerd.internal.v1.restart"),
    ("tracing", "io.containerd.internal.v1.tracing"),
    ("otlp", "io.containerd.tracing.processor.v1.otlp"),
    ("aufs", "io.containerd.snapshotter.v1.aufs"),
    ("btrfs", "io.containerd.snapshotter.v1.btrfs"),
    ("devmapper", "io.containerd.snapshotter.v1.devmapper"),
    ("native", "io.containerd.snapshotter.v1.native"),
    ("overlayfs", "io.containerd.snapshotter.v1.overlayfs"),
    ("zfs", "io.containerd.snapshotter.v1.zfs"),
];

/// To version 2: plugins get their full names, in their tables and in the lists of those that are off or required.
pub fn migrate(m: &mut Migration) {
    let plugins = m.tree.take("plugins");
    if let Some(Item { value: Value::Table(plugins), at }) = plugins {
        let mut renamed = crate::config::tree::Table::default();
        for (name, item) in plugins.into_items() {
            let (full, sure) = full_name(&name);
            if !sure {
                let text = format!("this name of version 1 is ambiguous; it is taken for {full}");
                m.note(Severity::Warning, Fault::Invalid, &["plugins", &name], &item.at, text);
            }
            renamed.put(&full, item);
        }
        m.tree.put("plugins", Item { value: Value::Table(renamed), at });
    }
    for list in ["disabled_plugins", "required_plugins"] {
        if let Some(Item { value: Value::List(items), .. }) = m.tree.get_mut(list) {
            for item in items {
                if let Value::Text(name) = &mut item.value {
                    *name = full_name(name).0;
                }
            }
        }
    }
}

/// The full name, and whether version 1 left no doubt.
fn full_name(name: &str) -> (String, bool) {
    if name.contains('.') {
        return (name.to_owned(), true);
    }
    match NAMES.iter().find(|(short, _)| *short == name) {
        Some((_, full)) => ((*full).to_owned(), true),
        None if name.ends_with("-service") => (format!("io.containerd.service.v1.{name}"), true),
        None => (format!("io.containerd.grpc.v1.{name}"), false),
    }
}
