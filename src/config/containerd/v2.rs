//! Version 2, frozen: containerd 1.3 to 1.7. One plugin holds all that CRI needs.

use super::{CRI, IMAGES, Migration, RUNTIME, keys::Keys};
use crate::config::{
    finding::{Fault, Severity},
    tree::{At, Item, Table, Value},
};

/// What containerd 1.6 and 1.7 know.
pub const KEYS: Keys = &[
    ("", "version root state temp plugin_dir disabled_plugins required_plugins oom_score imports"),
    ("cgroup", "path"),
    ("debug", "address uid gid level format"),
    (
        "grpc",
        "address tcp_address tcp_tls_ca tcp_tls_cert tcp_tls_key tcp_tls_common_name uid gid max_recv_message_size \
         max_send_message_size",
    ),
    ("ttrpc", "address uid gid"),
    ("metrics", "address grpc_histogram"),
    ("timeouts", "*"),
    ("proxy_plugins/*", "type address platform"),
    ("proxy_plugins/*/exports", "*"),
    ("stream_processors/*", "accepts returns path args env"),
    (
        "plugins/io.containerd.grpc.v1.cri",
        "cdi_spec_dirs device_ownership_from_security_context disable_apparmor disable_cgroup disable_hugetlb_controller \
         disable_proc_mount disable_tcp_service drain_exec_sync_io_timeout enable_cdi enable_selinux \
         enable_tls_streaming enable_unprivileged_icmp enable_unprivileged_ports ignore_deprecation_warnings \
         ignore_image_defined_volumes image_pull_progress_timeout image_pull_with_sync_fs max_concurrent_downloads \
         max_container_log_line_size netns_mounts_under_state_dir restrict_oom_score_adj sandbox_image \
         selinux_category_range stats_collect_period stream_idle_timeout stream_server_address stream_server_port \
         systemd_cgroup tolerate_missing_hugetlb_controller unset_seccomp_profile",
    ),
    ("plugins/io.containerd.grpc.v1.cri/cni", "bin_dir conf_dir conf_template ip_pref max_conf_num setup_serially"),
    (
        "plugins/io.containerd.grpc.v1.cri/containerd",
        "default_runtime_name disable_snapshot_annotations discard_unpacked_layers ignore_blockio_not_enabled_errors \
         ignore_rdt_not_enabled_errors no_pivot snapshotter",
    ),
    ("plugins/io.containerd.grpc.v1.cri/containerd/default_runtime", "**"),
    ("plugins/io.containerd.grpc.v1.cri/containerd/untrusted_workload_runtime", "**"),
    (
        "plugins/io.containerd.grpc.v1.cri/containerd/runtimes/*",
        "base_runtime_spec cni_conf_dir cni_max_conf_num container_annotations pod_annotations \
         privileged_without_host_devices privileged_without_host_devices_all_devices_allowed runtime_engine runtime_path \
         runtime_root runtime_type sandbox_mode snapshotter",
    ),
    ("plugins/io.containerd.grpc.v1.cri/containerd/runtimes/*/options", "**"),
    ("plugins/io.containerd.grpc.v1.cri/image_decryption", "key_model"),
    ("plugins/io.containerd.grpc.v1.cri/registry", "config_path"),
    ("plugins/io.containerd.grpc.v1.cri/registry/auths/*", "username password auth identitytoken"),
    ("plugins/io.containerd.grpc.v1.cri/registry/configs/*/auth", "username password auth identitytoken"),
    ("plugins/io.containerd.grpc.v1.cri/registry/configs/*/tls", "insecure_skip_verify ca_file cert_file key_file"),
    ("plugins/io.containerd.grpc.v1.cri/registry/headers", "*"),
    ("plugins/io.containerd.grpc.v1.cri/registry/mirrors/*", "endpoint"),
    ("plugins/io.containerd.grpc.v1.cri/x509_key_pair_streaming", "tls_cert_file tls_key_file"),
    (
        "plugins/io.containerd.gc.v1.scheduler",
        "deletion_threshold mutation_threshold pause_threshold schedule_delay startup_delay",
    ),
    ("plugins/io.containerd.internal.v1.opt", "path"),
    ("plugins/io.containerd.internal.v1.restart", "interval"),
    ("plugins/io.containerd.internal.v1.tracing", "sampling_ratio service_name"),
    ("plugins/io.containerd.metadata.v1.bolt", "content_sharing_policy"),
    ("plugins/io.containerd.monitor.v1.cgroups", "no_prometheus"),
    (
        "plugins/io.containerd.nri.v1.nri",
        "config_file disable disable_connections plugin_config_path plugin_path plugin_registration_timeout \
         plugin_request_timeout socket_path",
    ),
    ("plugins/io.containerd.runtime.v1.linux", "no_shim runtime runtime_root shim shim_debug"),
    ("plugins/io.containerd.runtime.v2.task", "platforms sched_core"),
    ("plugins/io.containerd.runtime.v2.shim", "env"),
    ("plugins/io.containerd.service.v1.diff-service", "default sync_fs"),
    ("plugins/io.containerd.service.v1.tasks-service", "blockio_config_file rdt_config_file"),
    ("plugins/io.containerd.snapshotter.v1.aufs", "root_path"),
    ("plugins/io.containerd.snapshotter.v1.blockfile", "fs_type mount_options recreate_scratch root_path scratch_file"),
    ("plugins/io.containerd.snapshotter.v1.btrfs", "root_path"),
    (
        "plugins/io.containerd.snapshotter.v1.devmapper",
        "async_remove base_image_size discard_blocks fs_options fs_type pool_name root_path",
    ),
    ("plugins/io.containerd.snapshotter.v1.native", "root_path"),
    ("plugins/io.containerd.snapshotter.v1.overlayfs", "mount_options root_path sync_remove upperdir_label"),
    ("plugins/io.containerd.snapshotter.v1.zfs", "root_path"),
    ("plugins/io.containerd.tracing.processor.v1.otlp", "endpoint insecure protocol"),
    ("plugins/io.containerd.transfer.v1.local", "config_path max_concurrent_downloads max_concurrent_uploaded_layers"),
    ("plugins/io.containerd.transfer.v1.local/unpack_config", "**"),
];

/// Below the CRI plugin: gone in containerd 2.0, and what to do instead.
const REMOVED: &[(&str, &str)] = &[
    ("systemd_cgroup", "set SystemdCgroup in the options of each runtime"),
    ("disable_cgroup", "delegate a cgroup instead"),
    ("containerd/default_runtime", "name it under runtimes and in default_runtime_name"),
    ("containerd/untrusted_workload_runtime", "make a runtime named \"untrusted\""),
    ("containerd/no_pivot", "set NoPivotRoot in the options of the runtime"),
];
const REMOVED_OF_RUNTIME: &[(&str, &str)] =
    &[("runtime_engine", "set BinaryName in its options"), ("runtime_root", "set Root in its options")];

/// Keys of the one plugin that belong to the images, and to the server, since version 3. All others are the runtime's.
const OF_IMAGES: &[&str] = &[
    "registry",
    "image_decryption",
    "max_concurrent_downloads",
    "image_pull_progress_timeout",
    "image_pull_with_sync_fs",
    "stats_collect_period",
];
const OF_SERVER: &[&str] = &[
    "disable_tcp_service",
    "stream_server_address",
    "stream_server_port",
    "stream_idle_timeout",
    "enable_tls_streaming",
    "x509_key_pair_streaming",
];
const CONTAINERD_OF_IMAGES: &[&str] = &["snapshotter", "disable_snapshot_annotations", "discard_unpacked_layers"];

/// To version 3: the CRI plugin is three, and some plugins have other names.
pub fn migrate(m: &mut Migration) {
    split_cri(m);
    for (old, new) in [
        ("io.containerd.monitor.v1.cgroups", "io.containerd.monitor.task.v1.cgroups"),
        ("io.containerd.internal.v1.restart", "io.containerd.monitor.container.v1.restart"),
    ] {
        if let Some(plugins) = m.tree.table_mut("plugins")
            && let Some(item) = plugins.take(old)
        {
            plugins.put(new, item);
        }
    }
    sched_core(m);
    // Every generated file has them.
    for gone in ["io.containerd.runtime.v1.linux", "io.containerd.snapshotter.v1.aufs"] {
        if let Some(item) = m.tree.table_mut("plugins").and_then(|p| p.take(gone)) {
            let text = "this plugin is gone since containerd 2.0: no runtime or snapshotter can be of it";
            m.note(Severity::Note, Fault::Removed, &["plugins", gone], &item.at, text);
        }
    }
}

/// Also called for version 3, which containerd since 2.3 reads with this migration.
pub(super) fn split_cri(m: &mut Migration) {
    let Some(plugins) = m.tree.table_mut("plugins") else { return };
    let Some(Item { value: Value::Table(mut old), at }) = plugins.take(CRI) else { return };
    let mut images = owned(plugins.take(IMAGES));
    let mut runtime = owned(plugins.take(RUNTIME));
    let mut server = Table::default();
    removed(m, &mut old);
    lost_by_containerd(m, &old);

    if let Some(sandbox) = old.take("sandbox_image")
        && let Some(pinned) = images.open("pinned_images", &sandbox.at)
    {
        pinned.put("sandbox", sandbox);
    }
    for key in OF_IMAGES {
        old.take(key).into_iter().for_each(|item| images.put(key, item));
    }
    for key in OF_SERVER {
        old.take(key).into_iter().for_each(|item| server.put(key, item));
    }
    if let Some(Item { value: Value::Table(mut containerd), at }) = old.take("containerd") {
        for key in CONTAINERD_OF_IMAGES {
            containerd.take(key).into_iter().for_each(|item| images.put(key, item));
        }
        for (_, item) in containerd.table_mut("runtimes").into_iter().flat_map(Table::iter_mut) {
            if let Value::Table(handler) = &mut item.value
                && let Some(mode) = handler.take("sandbox_mode")
                && handler.get("sandboxer").is_none()
            {
                handler.put("sandboxer", mode);
            }
        }
        fill(&mut runtime, "containerd", containerd, &at);
    }
    if let Some(Item { value: Value::Table(mut cni), at }) = old.take("cni") {
        if let Some(directory) = cni.take("bin_dir") {
            let line = directory.at.clone();
            let list = Item { value: Value::List(vec![directory]), at: line };
            if cni.get("bin_dirs").is_none() {
                cni.put("bin_dirs", list);
            }
        }
        fill(&mut runtime, "cni", cni, &at);
    }
    for (key, item) in old.into_items() {
        if runtime.get(&key).is_none() {
            runtime.put(&key, item);
        }
    }
    let Some(plugins) = m.tree.table_mut("plugins") else { return };
    for (name, table) in [(IMAGES, images), (RUNTIME, runtime), (CRI, server)] {
        if !table.is_empty() {
            plugins.put(name, Item { value: Value::Table(table), at: at.clone() });
        }
    }
}

/// Puts the keys of `from` into the table `name`, except those it has.
fn fill(into: &mut Table, name: &str, from: Table, at: &At) {
    if let Some(table) = into.open(name, at) {
        for (key, item) in from.into_items() {
            if table.get(&key).is_none() {
                table.put(&key, item);
            }
        }
    }
}

fn owned(item: Option<Item>) -> Table {
    match item.map(|i| i.value) {
        Some(Value::Table(table)) => table,
        _ => Table::default(),
    }
}

fn removed(m: &mut Migration, cri: &mut Table) {
    for (path, instead) in REMOVED {
        let keys: Vec<&str> = path.split('/').collect();
        let taken = match keys[..] {
            [key] => cri.take(key),
            [table, key] => cri.table_mut(table).and_then(|t| t.take(key)),
            _ => None,
        };
        if let Some(item) = taken
            && !is_empty(&item.value)
        {
            let path: Vec<&str> = ["plugins", CRI].into_iter().chain(keys).collect();
            let text = format!("gone since containerd 2.0: {instead}");
            m.note(Severity::Warning, Fault::Removed, &path, &item.at, text);
        }
    }
    let runtimes = cri.table_mut("containerd").and_then(|t| t.table_mut("runtimes"));
    for (name, handler) in runtimes.into_iter().flat_map(Table::iter_mut) {
        let Value::Table(handler) = &mut handler.value else { continue };
        for (key, instead) in REMOVED_OF_RUNTIME {
            if let Some(item) = handler.take(key)
                && !is_empty(&item.value)
            {
                let path = ["plugins", CRI, "containerd", "runtimes", name, key];
                let text = format!("gone since containerd 2.0: {instead}");
                m.note(Severity::Warning, Fault::Removed, &path, &item.at, text);
            }
        }
    }
}

/// containerd's own migration (2.0 to 2.3) moves some keys only if there is a table of runtimes beside them.
fn lost_by_containerd(m: &mut Migration, cri: &Table) {
    let Some(containerd) = cri.table("containerd") else { return };
    if containerd.get("runtimes").is_some() {
        return;
    }
    for key in CONTAINERD_OF_IMAGES {
        if let Some(item) = containerd.get(key) {
            let text = "containerd 2.x loses this key when it migrates the file by itself, as there is no table of \
                        runtimes beside it; migrate the file";
            m.note(Severity::Warning, Fault::Ignored, &["plugins", CRI, "containerd", key], &item.at, text);
        }
    }
}

/// Core scheduling became a variable of the shims.
fn sched_core(m: &mut Migration) {
    const TASK: &str = "io.containerd.runtime.v2.task";
    let Some(plugins) = m.tree.table_mut("plugins") else { return };
    let Some(item) = plugins.table_mut(TASK).and_then(|t| t.take("sched_core")) else { return };
    if item.value != Value::Bool(true) {
        return;
    }
    let at = item.at;
    let list = vec![Item { value: Value::Text("SCHED_CORE=1".to_owned()), at: at.clone() }];
    if let Some(shim) = plugins.open("io.containerd.shim.v1.manager", &at) {
        shim.put("env", Item { value: Value::List(list), at: at.clone() });
    }
    let text = "containerd 2.3 loses this key when it migrates the file by itself; migrate the file";
    m.note(Severity::Warning, Fault::Ignored, &["plugins", TASK, "sched_core"], &at, text);
}

/// What a generated file has for a key nobody set.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Text(text) => text.is_empty(),
        Value::Integer(number) => *number == 0,
        Value::Float(number) => *number == 0.0,
        Value::Bool(yes) => !yes,
        Value::Date(_) => false,
        Value::List(items) => items.is_empty(),
        Value::Table(table) => table.iter().all(|(_, item)| is_empty(&item.value)),
    }
}
