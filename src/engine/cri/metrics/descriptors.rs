//! The metrics there are: cAdvisor's names, help and labels, as containerd serves them through CRI.

use crate::proto::cri::MetricType::{self, Counter, Gauge};

pub struct Descriptor {
    pub name: &'static str,
    pub help: &'static str,
    /// Beside [`BASE`].
    pub labels: &'static [&'static str],
    pub kind: MetricType,
}

/// Labels of every metric.
pub const BASE: [&str; 5] = ["pod", "namespace", "container", "id", "image"];

const fn of(name: &'static str, kind: MetricType, labels: &'static [&'static str], help: &'static str) -> Descriptor {
    Descriptor { name, help, labels, kind }
}

const DISK: &[&str] = &["device"];
const NETWORK: &[&str] = &["interface"];

pub const ALL: &[Descriptor] = &[
    of("container_cpu_user_seconds_total", Counter, &[], "Cumulative user CPU time consumed in seconds."),
    of("container_cpu_system_seconds_total", Counter, &[], "Cumulative system CPU time consumed in seconds."),
    of("container_cpu_usage_seconds_total", Counter, &[], "Cumulative CPU time consumed in seconds."),
    of("container_cpu_cfs_periods_total", Counter, &[], "Number of elapsed enforcement period intervals."),
    of("container_cpu_cfs_throttled_periods_total", Counter, &[], "Number of throttled period intervals."),
    of("container_cpu_cfs_throttled_seconds_total", Counter, &[], "Total time the container has been throttled."),
    of("container_memory_cache", Gauge, &[], "Number of bytes of page cache memory."),
    of("container_memory_rss", Gauge, &[], "Size of RSS in bytes."),
    of("container_memory_kernel_usage", Gauge, &[], "Size of kernel memory allocated in bytes."),
    of("container_memory_mapped_file", Gauge, &[], "Size of memory mapped files in bytes."),
    of("container_memory_swap", Gauge, &[], "Container swap usage in bytes."),
    of("container_memory_failcnt", Counter, &[], "Number of memory usage hits limits (cgroup v1; 0 on v2)."),
    of("container_memory_usage_bytes", Gauge, &[], "Current memory usage in bytes, including all memory."),
    of("container_memory_max_usage_bytes", Gauge, &[], "Maximum memory usage recorded in bytes."),
    of("container_memory_working_set_bytes", Gauge, &[], "Current working set in bytes."),
    of("container_memory_total_active_file_bytes", Gauge, &[], "Active file cache in bytes."),
    of("container_memory_total_inactive_file_bytes", Gauge, &[], "Inactive file cache in bytes."),
    of("container_memory_failures_total", Counter, &["failure_type", "scope"], "Cumulative count of page faults."),
    of("container_oom_events_total", Counter, &[], "Count of out of memory events observed for the container."),
    of("container_network_receive_bytes_total", Counter, NETWORK, "Cumulative count of bytes received."),
    of("container_network_receive_packets_total", Counter, NETWORK, "Cumulative count of packets received."),
    of("container_network_receive_packets_dropped_total", Counter, NETWORK, "Packets dropped while receiving."),
    of("container_network_receive_errors_total", Counter, NETWORK, "Errors encountered while receiving."),
    of("container_network_transmit_bytes_total", Counter, NETWORK, "Cumulative count of bytes transmitted."),
    of("container_network_transmit_packets_total", Counter, NETWORK, "Cumulative count of packets transmitted."),
    of("container_network_transmit_packets_dropped_total", Counter, NETWORK, "Packets dropped while transmitting."),
    of("container_network_transmit_errors_total", Counter, NETWORK, "Errors encountered while transmitting."),
    of("container_fs_inodes_free", Gauge, DISK, "Number of available inodes."),
    of("container_fs_inodes_total", Gauge, DISK, "Number of inodes."),
    of("container_fs_limit_bytes", Gauge, DISK, "Bytes that can be consumed on this filesystem."),
    of("container_fs_usage_bytes", Gauge, DISK, "Bytes that are consumed by the container on this filesystem."),
    of("container_fs_reads_bytes_total", Counter, DISK, "Cumulative count of bytes read."),
    of("container_fs_reads_total", Counter, DISK, "Cumulative count of reads completed."),
    of("container_fs_writes_bytes_total", Counter, DISK, "Cumulative count of bytes written."),
    of("container_fs_writes_total", Counter, DISK, "Cumulative count of writes completed."),
    of(
        "container_blkio_device_usage_total",
        Counter,
        &["device", "major", "minor", "operation"],
        "Block device bytes usage.",
    ),
    of("container_processes", Gauge, &[], "Number of processes running inside the container."),
    of("container_file_descriptors", Gauge, &[], "Number of open file descriptors for the container."),
    of("container_sockets", Gauge, &[], "Number of open sockets for the container."),
    of("container_threads_max", Gauge, &[], "Maximum number of threads allowed, infinity if zero."),
    of("container_threads", Gauge, &[], "Number of threads running inside the container."),
    of("container_ulimits_soft", Gauge, &["ulimit"], "Soft ulimit values of the container's first process."),
    of("container_tasks_state", Gauge, &["state"], "Number of tasks in given state."),
    of("container_last_seen", Gauge, &[], "Last time a container was seen by the exporter."),
    of("container_start_time_seconds", Gauge, &[], "Start time of the container since unix epoch in seconds."),
    of("container_spec_cpu_period", Gauge, &[], "CPU period of the container."),
    of("container_spec_cpu_shares", Gauge, &[], "CPU share of the container."),
    of("container_spec_memory_limit_bytes", Gauge, &[], "Memory limit for the container."),
    of("container_spec_memory_reservation_limit_bytes", Gauge, &[], "Memory reservation limit for the container."),
    of("container_spec_memory_swap_limit_bytes", Gauge, &[], "Memory swap limit for the container."),
];
