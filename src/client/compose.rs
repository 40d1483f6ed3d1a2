//! What to run an image means in CRI's words: the configuration of a pod and of its container. Nothing is made here.

use std::{
    collections::HashMap,
    path::{Component, Path},
};

use crate::{
    bail,
    error::{Error, Kind, Result},
    proto::cri,
};

/// What beside the image makes a pod and its container.
#[derive(Debug, Clone, Default)]
pub struct Shape {
    /// Of the pod and of the container; made up from the image's if there is none.
    pub name: Option<String>,
    /// Of the pod; made up if there is none.
    pub uid: Option<String>,
    pub namespace: String,
    /// `NAME=VALUE`, or a name with our own value.
    pub env: Vec<String>,
    pub labels: Vec<(String, String)>,
    pub interactive: bool,
    pub tty: bool,
    pub entrypoint: Option<String>,
    pub workdir: String,
    /// `NAME|UID[:GID]`
    pub user: Option<String>,
    pub hostname: Option<String>,
    pub host_network: bool,
    /// `[IP:]HOST:CONTAINER[/PROTOCOL]`
    pub publish: Vec<String>,
    /// `HOST:CONTAINER[:ro]`
    pub volumes: Vec<String>,
    pub memory: Option<i64>,
    pub cpus: Option<f64>,
    pub privileged: bool,
    pub read_only_rootfs: bool,
}

/// Where the kubelet has the logs of pods.
pub const LOGS: &str = "/var/log/pods";
/// A period of CPU time, microseconds: the kubelet's.
const PERIOD: i64 = 100_000;

/// The pod and the container that `image` with these flags means. Names that are not given are made up.
pub fn compose(
    image: &str,
    command: Vec<String>,
    shape: &Shape,
    log_root: &Path,
) -> Result<(cri::PodSandboxConfig, cri::ContainerConfig)> {
    let name = match &shape.name {
        Some(name) => name.clone(),
        None => {
            let tail: String = random::<2>().iter().map(|b| format!("{b:02x}")).collect();
            format!("{}-{tail}", base_name(image))
        }
    };
    // They become parts of paths and of the host's name.
    for (what, text) in [("--name", &name), ("--namespace", &shape.namespace)] {
        let plain = text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if !plain || text.is_empty() || text.len() > 63 || text.starts_with('-') || text.ends_with('-') {
            bail!(InvalidArgument, "{what} {text:?}: small letters, digits and '-' in between, at most 63");
        }
    }
    let uid = shape.uid.clone().unwrap_or_else(random_uid);
    let mut labels: HashMap<String, String> = shape.labels.iter().cloned().collect();
    for (key, value) in [("name", &name), ("namespace", &shape.namespace), ("uid", &uid)] {
        labels.insert(format!("io.kubernetes.pod.{key}"), value.clone());
    }
    let network = if shape.host_network { cri::NamespaceMode::Node } else { cri::NamespaceMode::Pod };
    let namespaces = cri::NamespaceOption {
        network: network.into(),
        pid: cri::NamespaceMode::Container.into(),
        ..Default::default()
    };
    let log_directory = log_root.join(format!("{}_{name}_{uid}", shape.namespace));
    let pod = cri::PodSandboxConfig {
        metadata: Some(cri::PodSandboxMetadata {
            name: name.clone(),
            uid,
            namespace: shape.namespace.clone(),
            attempt: 0,
        }),
        // With the node's network comes the node's name.
        hostname: match (&shape.hostname, shape.host_network) {
            (Some(host), _) => host.clone(),
            (None, true) => String::new(),
            (None, false) => name.clone(),
        },
        log_directory: log_directory.to_string_lossy().into_owned(),
        port_mappings: shape.publish.iter().map(|p| port(p)).collect::<Result<_>>()?,
        labels: labels.clone(),
        linux: Some(cri::LinuxPodSandboxConfig {
            security_context: Some(cri::LinuxSandboxSecurityContext {
                namespace_options: Some(namespaces.clone()),
                privileged: shape.privileged,
                ..Default::default()
            }),
            ..Default::default()
        }),
        ..Default::default()
    };
    labels.insert("io.kubernetes.container.name".to_owned(), name.clone());
    let container = cri::ContainerConfig {
        metadata: Some(cri::ContainerMetadata { name: name.clone(), attempt: 0 }),
        image: Some(cri::ImageSpec { image: image.to_owned(), ..Default::default() }),
        command: shape.entrypoint.iter().cloned().collect(),
        args: command,
        working_dir: shape.workdir.clone(),
        envs: shape.env.iter().map(|e| variable(e)).collect::<Result<_>>()?,
        mounts: shape.volumes.iter().map(|v| volume(v)).collect::<Result<_>>()?,
        labels,
        log_path: format!("{name}/0.log"),
        stdin: shape.interactive,
        tty: shape.tty,
        linux: Some(cri::LinuxContainerConfig {
            resources: Some(resources(shape)?),
            security_context: Some(security(shape, namespaces)?),
        }),
        ..Default::default()
    };
    Ok((pod, container))
}

/// 128 random bits in the form of a version 4 UUID.
pub fn random_uid() -> String {
    let mut bytes = random::<16>();
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex: Vec<String> = bytes.iter().map(|b| format!("{b:02x}")).collect();
    let parts = [&hex[..4], &hex[4..6], &hex[6..8], &hex[8..10], &hex[10..]];
    parts.map(|p| p.concat()).join("-")
}

pub fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    // Up to 256 bytes are never cut short; a kernel without entropy gives zeroes, which only a name clash would show.
    if let Err(error) = rustix::rand::getrandom(&mut bytes, rustix::rand::GetRandomFlags::empty()) {
        tracing::warn!("read random bytes: {error}");
    }
    bytes
}

/// `busybox` of `registry.test/library/busybox:1@sha256:…`, as a name may be written.
pub fn base_name(image: &str) -> String {
    let path = image.split('@').next().unwrap_or(image);
    let last = path.rsplit('/').next().unwrap_or(path);
    let word = last.split(':').next().unwrap_or(last).to_ascii_lowercase();
    let plain: String = word.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).take(50).collect();
    let plain = plain.trim_matches('-');
    if plain.is_empty() { "container".to_owned() } else { plain.to_owned() }
}

fn resources(shape: &Shape) -> Result<cri::LinuxContainerResources> {
    let mut resources =
        cri::LinuxContainerResources { memory_limit_in_bytes: shape.memory.unwrap_or(0), ..Default::default() };
    if let Some(cpus) = shape.cpus {
        if !cpus.is_finite() || !(0.01..=100_000.0).contains(&cpus) {
            bail!(InvalidArgument, "--cpus {cpus}: at least 0.01");
        }
        #[allow(clippy::cast_possible_truncation, reason = "bounded above")]
        let of = |whole: f64| (cpus * whole).round() as i64;
        resources.cpu_period = PERIOD;
        resources.cpu_quota = of(100_000.0);
        resources.cpu_shares = of(1024.0).max(2);
    }
    Ok(resources)
}

fn security(shape: &Shape, namespaces: cri::NamespaceOption) -> Result<cri::LinuxContainerSecurityContext> {
    let mut context = cri::LinuxContainerSecurityContext {
        namespace_options: Some(namespaces),
        privileged: shape.privileged,
        readonly_rootfs: shape.read_only_rootfs,
        ..Default::default()
    };
    let Some(user) = &shape.user else { return Ok(context) };
    let (name, group) = user.split_once(':').map_or((user.as_str(), None), |(u, g)| (u, Some(g)));
    match name.parse() {
        Ok(value) => context.run_as_user = Some(cri::Int64Value { value }),
        Err(_) if !name.is_empty() => name.clone_into(&mut context.run_as_username),
        Err(_) => bail!(InvalidArgument, "--user {user:?} names nobody"),
    }
    if let Some(group) = group {
        let value = group.parse().map_err(|e| {
            Error::new(Kind::InvalidArgument, format!("--user {user:?}: the group is a number")).with_source(e)
        })?;
        context.run_as_group = Some(cri::Int64Value { value });
    }
    Ok(context)
}

fn variable(text: &str) -> Result<cri::KeyValue> {
    let (key, value) = match text.split_once('=') {
        Some((key, value)) => (key, value.to_owned()),
        None => (text, std::env::var(text).unwrap_or_default()),
    };
    if key.is_empty() {
        bail!(InvalidArgument, "--env {text:?} is not NAME=VALUE");
    }
    Ok(cri::KeyValue { key: key.to_owned(), value })
}

fn volume(text: &str) -> Result<cri::Mount> {
    let parts: Vec<&str> = text.split(':').collect();
    let (host, inside, readonly) = match parts.as_slice() {
        [host, inside] | [host, inside, "rw"] => (*host, *inside, false),
        [host, inside, "ro"] => (*host, *inside, true),
        _ => bail!(InvalidArgument, "--volume {text:?} is not HOST:CONTAINER[:ro]"),
    };
    for path in [host, inside] {
        let path = Path::new(path);
        if !path.is_absolute() || path.components().any(|c| c == Component::ParentDir) {
            bail!(InvalidArgument, "--volume {text:?}: both paths begin with / and have no '..'");
        }
    }
    Ok(cri::Mount { host_path: host.to_owned(), container_path: inside.to_owned(), readonly, ..Default::default() })
}

fn port(text: &str) -> Result<cri::PortMapping> {
    let wrong =
        || Error::new(Kind::InvalidArgument, format!("--publish {text:?} is not [IP:]HOST:CONTAINER[/PROTOCOL]"));
    let (ports, protocol) = match text.split_once('/') {
        None | Some((_, "tcp")) => (text.split('/').next().unwrap_or(text), cri::Protocol::Tcp),
        Some((ports, "udp")) => (ports, cri::Protocol::Udp),
        Some((ports, "sctp")) => (ports, cri::Protocol::Sctp),
        Some(_) => return Err(wrong()),
    };
    let number = |text: &str| text.parse::<u16>().ok().filter(|p| *p > 0).map(i32::from).ok_or_else(wrong);
    let (rest, container) = ports.rsplit_once(':').ok_or_else(wrong)?;
    let (ip, host) = rest.rsplit_once(':').unwrap_or(("", rest));
    let ip = ip.trim_start_matches('[').trim_end_matches(']');
    if !ip.is_empty() && ip.parse::<std::net::IpAddr>().is_err() {
        return Err(wrong());
    }
    Ok(cri::PortMapping {
        protocol: protocol.into(),
        container_port: number(container)?,
        host_port: number(host)?,
        host_ip: ip.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports() {
        let of = |text| port(text).map(|p| (p.host_ip, p.host_port, p.container_port, p.protocol)).unwrap();
        assert_eq!(of("8080:80"), (String::new(), 8080, 80, 0));
        assert_eq!(of("127.0.0.1:53:53/udp"), ("127.0.0.1".into(), 53, 53, 1));
        assert_eq!(of("[::1]:53:53"), ("::1".into(), 53, 53, 0));
        for wrong in ["80", "a:80", "0:80", "70000:80", "x:1:2", "1:2/icmp", ":80", "1:"] {
            assert!(port(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn volumes() {
        assert!(volume("/a:/b:ro").unwrap().readonly && !volume("/a:/b").unwrap().readonly);
        for wrong in ["/a", "a:/b", "/a:b", "/a:/../b", "/a:/b:rx", "/a:/b:ro:x"] {
            assert!(volume(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_image_and_flags_become_a_pod_and_a_container() {
        let shape = Shape {
            namespace: "default".into(),
            env: vec!["A=b=c".into()],
            user: Some("7:8".into()),
            memory: Some(64 << 20),
            cpus: Some(0.5),
            host_network: true,
            ..Shape::default()
        };
        let args = vec!["sleep".to_owned(), "9".to_owned()];
        let (pod, container) =
            compose("r.test/x/Busy_Box:1@sha256:00", args.clone(), &shape, Path::new("/logs")).unwrap();
        let name = pod.metadata.clone().unwrap().name;
        assert!(name.starts_with("busy-box-") && name.len() == 13, "{name}");
        assert!(pod.log_directory.starts_with(&format!("/logs/default_{name}_")), "{}", pod.log_directory);
        assert_eq!((pod.hostname.as_str(), container.args), ("", args));
        assert_eq!(pod.linux.unwrap().security_context.unwrap().namespace_options.unwrap().network, 2);
        let linux = container.linux.unwrap();
        let resources = linux.resources.unwrap();
        assert_eq!((resources.cpu_quota, resources.cpu_period, resources.cpu_shares), (50_000, 100_000, 512));
        let context = linux.security_context.unwrap();
        assert_eq!((context.run_as_user.unwrap().value, context.run_as_group.unwrap().value), (7, 8));
        assert_eq!(container.envs[0].value, "b=c");
        let named = |name: &str| Shape { name: Some(name.into()), namespace: "default".into(), ..Shape::default() };
        for wrong in ["../x", "A", "-a", ""] {
            assert!(compose("x", vec![], &named(wrong), Path::new("/logs")).is_err(), "{wrong}");
        }
        assert_eq!([base_name("///"), base_name("x:5000/_")], ["container", "container"]);
    }
}
