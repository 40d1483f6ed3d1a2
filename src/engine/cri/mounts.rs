//! The mounts of a container: the usual ones, the pod's files, the image's volumes, and what CRI asks for.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};

use super::{
    image_volume,
    spec::{Inputs, namespace_options},
};
use crate::{
    bail,
    engine::run::{Users, mappings},
    error::{Context, Result},
    proto::cri,
};

pub fn build(inputs: &Inputs, security: &cri::LinuxContainerSecurityContext) -> Result<Value> {
    let config = &inputs.record.config;
    let given: Vec<&str> = config.mounts.iter().map(|m| m.container_path.trim_end_matches('/')).collect();
    let kernel_files = if security.privileged { "rw" } else { "ro" };
    let mut list = vec![
        json!({ "destination": "/proc", "type": "proc", "source": "proc", "options": ["nosuid", "noexec", "nodev"] }),
        json!({ "destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "strictatime", "mode=755", "size=65536k"] }),
        json!({ "destination": "/dev/pts", "type": "devpts", "source": "devpts", "options": ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"] }),
        json!({ "destination": "/dev/mqueue", "type": "mqueue", "source": "mqueue", "options": ["nosuid", "noexec", "nodev"] }),
        json!({ "destination": "/sys", "type": "sysfs", "source": "sysfs", "options": ["nosuid", "noexec", "nodev", kernel_files] }),
        json!({ "destination": "/sys/fs/cgroup", "type": "cgroup", "source": "cgroup", "options": ["nosuid", "noexec", "nodev", "relatime", kernel_files] }),
    ];
    let files = inputs.sandbox.directory.join("files");
    let pod_file_mode = if security.readonly_rootfs { "ro" } else { "rw" };
    for name in ["hostname", "hosts", "resolv.conf"] {
        let destination = format!("/etc/{name}");
        if !given.contains(&destination.as_str()) {
            let file = bind(&files.join(name), &destination, &["rbind", "rprivate", pod_file_mode]);
            list.push(mapped(file, inputs.users.as_ref()));
        }
    }
    if !given.contains(&"/dev/shm") {
        let host = namespace_options(config).ipc() == cri::NamespaceMode::Node;
        let shm = if host { PathBuf::from("/dev/shm") } else { inputs.sandbox.directory.join("shm") };
        let shm = bind(&shm, "/dev/shm", &["rbind", "rprivate", "rw", "nosuid", "nodev", "noexec"]);
        list.push(mapped(shm, inputs.users.as_ref()));
    }
    for (path, directory) in volumes(inputs)? {
        if !given.contains(&path.trim_end_matches('/')) {
            list.push(bind(&directory, &path, &["rbind", "rprivate", "rw"]));
        }
    }
    // Shallow destinations first, so that one mount does not hide another.
    let mut wanted: Vec<&cri::Mount> = config.mounts.iter().collect();
    wanted.sort_by_key(|m| Path::new(&m.container_path).components().count());
    for mount in wanted {
        list.push(match image_volume::source(&inputs.record, mount)? {
            Some(source) => bind(&source, &mount.container_path, &["rbind", "rprivate", "ro"]),
            None => one(mount)?,
        });
    }
    Ok(list.into())
}

fn bind(source: &Path, destination: &str, options: &[&str]) -> Value {
    json!({ "destination": destination, "type": "bind", "source": source, "options": options })
}

/// The mount shows the host's root as the container's.
fn mapped(mut mount: Value, users: Option<&Users>) -> Value {
    if let Some(users) = users {
        mount["uidMappings"] = mappings(&users.uids);
        mount["gidMappings"] = mappings(&users.gids);
    }
    mount
}

fn one(mount: &cri::Mount) -> Result<Value> {
    if !mount.container_path.starts_with('/') || !mount.host_path.starts_with('/') {
        bail!(InvalidArgument, "mount {:?} of {:?}: want absolute paths", mount.container_path, mount.host_path);
    }
    let source = Path::new(&mount.host_path);
    if !source.try_exists().context(|| format!("stat {}", source.display()))? {
        // As containerd does: a missing host path becomes a directory.
        fs::create_dir_all(source).context(|| format!("create {}", source.display()))?;
    }
    let source = fs::canonicalize(source).context(|| format!("resolve {}", source.display()))?;
    let propagation = match mount.propagation() {
        cri::MountPropagation::PropagationPrivate => "rprivate",
        cri::MountPropagation::PropagationHostToContainer => "rslave",
        cri::MountPropagation::PropagationBidirectional => "rshared",
    };
    if mount.recursive_read_only && (!mount.readonly || propagation != "rprivate") {
        bail!(
            InvalidArgument,
            "mount {}: recursive read-only needs readonly and private propagation",
            mount.container_path
        );
    }
    let mode = match (mount.readonly, mount.recursive_read_only) {
        (_, true) => "rro",
        (true, false) => "ro",
        (false, false) => "rw",
    };
    let mut value = bind(&source, &mount.container_path, &["rbind", propagation, mode]);
    let maps = |maps: &[cri::IdMapping]| -> Vec<Value> {
        let map = |m: &cri::IdMapping| json!({ "containerID": m.container_id, "hostID": m.host_id, "size": m.length });
        maps.iter().map(map).collect()
    };
    if !mount.uid_mappings.is_empty() {
        value["uidMappings"] = maps(&mount.uid_mappings).into();
        value["gidMappings"] = maps(&mount.gid_mappings).into();
    }
    Ok(value)
}

/// `rslave` when a mount is to receive the host's, `rshared` when it is to send its own.
pub fn rootfs_propagation(config: &cri::ContainerConfig) -> &'static str {
    let any = |p: cri::MountPropagation| config.mounts.iter().any(|m| m.propagation() == p);
    if any(cri::MountPropagation::PropagationBidirectional) {
        "rshared"
    } else if any(cri::MountPropagation::PropagationHostToContainer) {
        "rslave"
    } else {
        "rprivate"
    }
}

/// The image's VOLUME paths and the host directories that hold them. Paths are cleaned: never outside the root (RUN-07).
fn volumes(inputs: &Inputs) -> Result<Vec<(String, PathBuf)>> {
    let mut found = Vec::new();
    for (index, path) in inputs.image.volumes.keys().enumerate() {
        let mut clean = PathBuf::from("/");
        for part in Path::new(path).components() {
            match part {
                std::path::Component::Normal(name) => clean.push(name),
                std::path::Component::ParentDir => drop(clean.pop()),
                _ => {}
            }
        }
        match clean.to_str() {
            Some("/") | None => bail!(InvalidArgument, "the image's volume {path:?} is not a path below /"),
            Some(clean) => found.push((clean.to_owned(), inputs.record.bundle.join("volumes").join(index.to_string()))),
        }
    }
    Ok(found)
}

pub fn prepare_volumes(inputs: &Inputs) -> Result<()> {
    for (path, directory) in volumes(inputs)? {
        fs::create_dir_all(&directory).context(|| format!("create {}", directory.display()))?;
        super::volume::fill(&inputs.rootfs, &path, &directory)?;
    }
    Ok(())
}
