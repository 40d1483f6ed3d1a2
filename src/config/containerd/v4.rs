//! Version 4, the newest: containerd 2.3. Every setting is a plugin's.

use super::keys::Keys;

pub const KEYS: Keys = &[
    ("", "version root state temp disabled_plugins required_plugins oom_score imports"),
    ("cgroup", "path"),
    ("debug", "level format log_trace_id"),
    ("timeouts", "*"),
    ("proxy_plugins/*", "type address platform capabilities"),
    ("proxy_plugins/*/exports", "*"),
    ("stream_processors/*", "accepts returns path args env"),
    (
        "plugins/io.containerd.cri.v1.images",
        "snapshotter disable_snapshot_annotations discard_unpacked_layers max_concurrent_downloads \
         concurrent_layer_fetch_buffer image_pull_progress_timeout image_pull_with_sync_fs stats_collect_period \
         use_local_image_pull",
    ),
    ("plugins/io.containerd.cri.v1.images/pinned_images", "*"),
    ("plugins/io.containerd.cri.v1.images/runtime_platforms/*", "platform snapshotter"),
    ("plugins/io.containerd.cri.v1.images/image_decryption", "key_model"),
    ("plugins/io.containerd.cri.v1.images/registry", "config_path"),
    ("plugins/io.containerd.cri.v1.images/registry/headers", "*"),
    ("plugins/io.containerd.cri.v1.images/registry/mirrors/*", "endpoint"),
    ("plugins/io.containerd.cri.v1.images/registry/auths/*", "username password auth identitytoken"),
    ("plugins/io.containerd.cri.v1.images/registry/configs/*/auth", "username password auth identitytoken"),
    // containerd 2 reads it no more; wharf does, and `check` says so.
    ("plugins/io.containerd.cri.v1.images/registry/configs/*/tls", "insecure_skip_verify ca_file cert_file key_file"),
    (
        "plugins/io.containerd.cri.v1.runtime",
        "enable_selinux selinux_category_range max_container_log_line_size disable_apparmor restrict_oom_score_adj \
         disable_proc_mount unset_seccomp_profile tolerate_missing_hugetlb_controller disable_hugetlb_controller \
         device_ownership_from_security_context ignore_image_defined_volumes netns_mounts_under_state_dir \
         enable_unprivileged_ports enable_unprivileged_icmp enable_cdi cdi_spec_dirs drain_exec_sync_io_timeout \
         ignore_deprecation_warnings stats_collect_period stats_retention_period enable_criu \
         enable_experimental_restore_via_create",
    ),
    (
        "plugins/io.containerd.cri.v1.runtime/containerd",
        "default_runtime_name ignore_blockio_not_enabled_errors ignore_rdt_not_enabled_errors",
    ),
    (
        "plugins/io.containerd.cri.v1.runtime/containerd/runtimes/*",
        "runtime_type runtime_path pod_annotations container_annotations privileged_without_host_devices \
         privileged_without_host_devices_all_devices_allowed cgroup_writable base_runtime_spec cni_conf_dir \
         cni_max_conf_num snapshotter sandboxer io_type",
    ),
    ("plugins/io.containerd.cri.v1.runtime/containerd/runtimes/*/options", "**"),
    (
        "plugins/io.containerd.cri.v1.runtime/cni",
        "bin_dir bin_dirs conf_dir max_conf_num setup_serially conf_template ip_pref use_internal_loopback",
    ),
    ("plugins/io.containerd.differ.v1.erofs", "mkfs_options enable_tar_index enable_dmverity"),
    (
        "plugins/io.containerd.gc.v1.scheduler",
        "pause_threshold deletion_threshold mutation_threshold schedule_delay startup_delay",
    ),
    (
        "plugins/io.containerd.grpc.v1.cri",
        "disable_tcp_service stream_server_address stream_server_port stream_idle_timeout enable_tls_streaming",
    ),
    ("plugins/io.containerd.grpc.v1.cri/x509_key_pair_streaming", "tls_cert_file tls_key_file"),
    ("plugins/io.containerd.image-verifier.v1.bindir", "bin_dir max_verifiers per_verifier_timeout"),
    ("plugins/io.containerd.internal.v1.opt", "path"),
    ("plugins/io.containerd.internal.v1.tracing", "sampling_ratio service_name"),
    ("plugins/io.containerd.metadata.v1.bolt", "content_sharing_policy no_sync"),
    ("plugins/io.containerd.metrics.v1.grpc-prometheus", "grpc_histogram"),
    ("plugins/io.containerd.monitor.container.v1.restart", "interval"),
    ("plugins/io.containerd.monitor.task.v1.cgroups", "no_prometheus"),
    ("plugins/io.containerd.mount-handler.v1.erofs", "*"),
    (
        "plugins/io.containerd.nri.v1.nri",
        "disable disable_connections plugin_config_path plugin_path plugin_registration_timeout plugin_request_timeout \
         socket_path",
    ),
    (
        "plugins/io.containerd.nri.v1.nri/default_validator",
        "enable reject_custom_seccomp_adjustment reject_namespace_adjustment reject_oci_hook_adjustment \
         reject_runtime_default_seccomp_adjustment reject_sysctl_adjustment reject_unconfined_seccomp_adjustment \
         required_plugins tolerate_missing_plugins_annotation",
    ),
    ("plugins/io.containerd.runtime.v2.task", "platforms"),
    ("plugins/io.containerd.server.v1.debug", "address uid gid"),
    ("plugins/io.containerd.server.v1.grpc", "address uid gid max_recv_message_size max_send_message_size"),
    (
        "plugins/io.containerd.server.v1.grpc-tcp",
        "address tls_ca tls_cert tls_key tls_common_name max_recv_message_size max_send_message_size",
    ),
    ("plugins/io.containerd.server.v1.metrics", "address"),
    ("plugins/io.containerd.server.v1.ttrpc", "address uid gid"),
    ("plugins/io.containerd.service.v1.diff-service", "default sync_fs"),
    ("plugins/io.containerd.service.v1.tasks-service", "blockio_config_file rdt_config_file"),
    ("plugins/io.containerd.shim.v1.manager", "env socket_dir"),
    ("plugins/io.containerd.snapshotter.v1.blockfile", "root_path scratch_file fs_type mount_options recreate_scratch"),
    ("plugins/io.containerd.snapshotter.v1.btrfs", "root_path"),
    (
        "plugins/io.containerd.snapshotter.v1.devmapper",
        "root_path pool_name base_image_size async_remove discard_blocks fs_type fs_options",
    ),
    (
        "plugins/io.containerd.snapshotter.v1.erofs",
        "root_path ovl_mount_options enable_fsverity set_immutable default_size dmverity_mode",
    ),
    ("plugins/io.containerd.snapshotter.v1.native", "root_path"),
    ("plugins/io.containerd.snapshotter.v1.overlayfs", "root_path upperdir_label sync_remove slow_chown mount_options"),
    ("plugins/io.containerd.snapshotter.v1.zfs", "root_path"),
    ("plugins/io.containerd.tracing.processor.v1.otlp", "endpoint insecure protocol"),
    (
        "plugins/io.containerd.transfer.v1.local",
        "max_concurrent_downloads concurrent_layer_fetch_buffer max_concurrent_uploaded_layers check_platform_supported \
         config_path max_concurrent_unpacks",
    ),
    ("plugins/io.containerd.transfer.v1.local/unpack_config", "**"),
];
