//! Evidence from the live node. Every fact has a deadline; a hang is in the evidence as an error that says so.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use futures::{FutureExt, future::BoxFuture};
use tokio::sync::OnceCell;

use super::{
    ClusterFacts, ConfFacts, ConfFile, Evidence, Fact, ImageFacts, Params, Probe, StackFacts, StackGroup, Update,
    api::Api, registries, registry,
};
use crate::{
    bail,
    client::{
        Runtime,
        health::{self, Call, RuntimeStatus},
        redact,
        types::{Inventory, Mode, Scope},
    },
    error::{Error, Kind, Result},
    node::{
        self, Seen, below, cgroup, cni, command, disk, firewall, gpu, host, journal, kernel, kubelet, limits, mounts,
        net::Certificate,
        pressure, process,
        programs::{self, ProgramFacts},
        target::{self, Target},
        unit,
    },
};

/// For facts of files and /proc.
const LOCAL: Duration = Duration::from_secs(5);
/// For the sizes of trees, which stop by themselves a little earlier.
const TREES: Duration = Duration::from_secs(7);
const ANSWERS: Duration = Duration::from_secs(8);
/// A file worth a line of its own.
const LARGE: u64 = 1 << 20;
/// For a registry with several hosts.
const REGISTRY: Duration = Duration::from_secs(40);
/// Files a config may import.
const IMPORTS: usize = 64;

/// The node this runs on, or one captured below a root directory.
#[derive(Debug)]
pub struct Live {
    root: PathBuf,
    /// `unix:///…`, or nothing for a runtime in this process.
    endpoint: String,
    /// Attached, if it could be.
    runtime: Result<Arc<dyn Runtime>, String>,
    target: OnceCell<Target>,
}

impl Live {
    pub fn new(endpoint: &str, runtime: Result<Arc<dyn Runtime>>) -> Self {
        let runtime = runtime.map_err(|e| format!("{e:#}"));
        Self { root: PathBuf::from("/"), endpoint: endpoint.to_owned(), runtime, target: OnceCell::new() }
    }

    async fn local<T: Send + 'static>(
        &self,
        limit: Duration,
        source: &str,
        work: impl FnOnce(&Path) -> Result<T> + Send + 'static,
    ) -> Seen<T> {
        let root = self.root.clone();
        Seen::now(node::within(limit, &format!("read {source}"), move || work(&root)).await, source)
    }

    async fn target(&self) -> &Target {
        let find = async {
            let (root, socket) = (self.root.clone(), self.socket());
            let embedded = matches!(&self.runtime, Ok(r) if r.info().mode != Mode::Attached);
            let found = node::within(LOCAL, "find the runtime's process", move || {
                let mut target = if embedded { Target::default() } else { target::find(&root, &socket) };
                if embedded {
                    target.pid = Some(std::process::id());
                    target.name = "wharf".to_owned();
                    target.root = "/var/lib/wharf".to_owned();
                    target.state = "/run/wharf".to_owned();
                }
                Ok(target)
            });
            found.await.unwrap_or_else(|e| Target { unreachable: Some(format!("{e:#}")), ..Target::default() })
        };
        self.target.get_or_init(|| find).await
    }

    fn socket(&self) -> String {
        self.endpoint.strip_prefix("unix://").unwrap_or(&self.endpoint).to_owned()
    }

    fn runtime(&self) -> Result<&Arc<dyn Runtime>> {
        self.runtime.as_ref().map_err(|e| Error::new(Kind::Unavailable, e.clone()))
    }

    async fn status(&self) -> Result<RuntimeStatus> {
        timed("the runtime's status", self.runtime()?.status()).await
    }

    async fn calls(&self) -> Result<Vec<Call>> {
        match &self.runtime {
            Ok(runtime) => timed("the runtime's answers", runtime.calls()).await,
            Err(_) => timed("the runtime's answers", health::calls(&self.endpoint)).await,
        }
    }

    async fn inventory(&self) -> Result<Inventory> {
        let runtime = self.runtime()?;
        let ask = async {
            let inventory = runtime.inventory(Scope::ALL).await;
            match &inventory.silence {
                // What the disk tells is no answer of the runtime's.
                Some(silence) => bail!(Unavailable, "{}", silence.error),
                None => Ok(inventory),
            }
        };
        timed("the runtime's objects", ask).await
    }

    async fn conf(&self, params: &Params) -> Seen<ConfFacts> {
        let path = match params.get("containerd-config") {
            Some(path) => path.clone(),
            None => self.target().await.config.clone(),
        };
        let source = path.clone();
        let crio = self.target().await.pid.filter(|_| self.target.get().is_some_and(|t| t.name == "crio"));
        self.local(LOCAL, &source, move |root| {
            let mut facts = conf(root, &path)?;
            if let Some(pid) = crio {
                facts.registries = registries::files(root, &process::command(root, pid))?;
                facts.certs = registries::mirrored(&facts.registries);
            }
            Ok(facts)
        })
        .await
    }

    async fn kubelet(&self, params: &Params) -> Seen<kubelet::KubeletFacts> {
        let mut seen = self.kubelets_files(params).await;
        if let Seen::At { value, .. } = &mut seen {
            if let Some(version) = params.get("kubelet-version") {
                value.version = Some(version.clone());
            } else if let (None, Some(pid)) = (&value.version, value.pid) {
                value.version = kubelet_version(pid).await;
            }
            let socket = value.endpoint().map(|(e, _)| e.strip_prefix("unix://").unwrap_or(e).to_owned());
            if let Some(socket) = socket.filter(|s| s.starts_with('/') && self.root == Path::new("/")) {
                value.unreached = target::listener(Path::new(&socket)).err().map(|e| format!("{e:#}"));
            }
        }
        seen
    }

    async fn kubelets_files(&self, params: &Params) -> Seen<kubelet::KubeletFacts> {
        let config = params.get("kubelet-config").cloned();
        let source = config.clone().unwrap_or_else(|| "/var/lib/kubelet and /proc".to_owned());
        self.local(LOCAL, &source, move |root| kubelet::collect(root, config.as_deref())).await
    }

    async fn programs(&self, params: &Params) -> Seen<ProgramFacts> {
        let (status, conf) = futures::join!(self.status(), self.conf(params));
        let mut evidence = super::evidence_at(std::time::SystemTime::now(), params.clone());
        evidence.status = Seen::now(status, "CRI Status");
        evidence.conf = conf;
        let handlers = super::settings::handlers(&evidence);
        let mut wanted: Vec<String> = handlers.iter().map(|h| h.shim()).collect();
        wanted.extend(handlers.iter().flat_map(|h| [h.binary.clone(), h.config.clone()]).filter(|b| !b.is_empty()));
        let (pid, program) = (self.target().await.pid, self.target().await.program.clone());
        let mut seen =
            self.local(LOCAL, "the runtime's PATH", move |root| programs::collect(root, pid, &program, &wanted)).await;
        if let Seen::At { value, .. } = &mut seen {
            let oci =
                value.found.values_mut().filter(|p| p.executable && super::checks::holes::known(&p.path).is_some());
            futures::future::join_all(oci.map(|p| async { p.version = oci_version(&p.path).await })).await;
        }
        seen
    }

    /// The runtime's unit and the kubelet's.
    async fn units(&self) -> Vec<String> {
        let target = self.target().await;
        let own = target.unit.clone().unwrap_or_else(|| format!("{}.service", target.name));
        let mut units = vec![own, "kubelet.service".to_owned()];
        units.retain(|u| unit::is_name(u));
        units
    }

    async fn disk(&self, params: &Params) -> Seen<disk::DiskFacts> {
        let (target, conf) = (self.target().await, self.conf(params).await);
        let place = |what: &str, path: &str| (what.to_owned(), path.to_owned());
        let mut places = vec![
            place("runtime root", &target.root),
            place("runtime state", &target.state),
            place("kubelet", "/var/lib/kubelet"),
            place("pod logs", "/var/log/pods"),
            place("logs", "/var/log"),
            place("temporary files", "/tmp"),
            place("root", "/"),
        ];
        let containerds = conf.value().filter(|_| !matches!(target.name.as_str(), "crio" | "wharf"));
        places.extend(containerds.map(|c| place("snapshots", &super::settings::snapshots(c, &target.root).0)));
        let root = target.root.clone();
        let mut trees = vec![
            place("pod logs", "/var/log/pods"),
            place("journal", "/var/log/journal"),
            place("pod volumes", "/var/lib/kubelet/pods"),
            place("Docker's leftovers", "/var/lib/docker"),
            place("core dumps", "/var/lib/systemd/coredump"),
            place("crash dumps", "/var/crash"),
            place("caches of packages", "/var/cache"),
        ];
        let source = format!("statvfs of {root} and others");
        self.local(TREES, &source, move |at| {
            let children = std::fs::read_dir(below(at, &root)).into_iter().flatten().flatten();
            // What somebody left beside the runtime's own directories takes room as well.
            let large = |c: &std::fs::DirEntry| c.metadata().is_ok_and(|m| m.is_file() && m.len() >= LARGE);
            for child in children.filter(|c| c.path().is_dir() || large(c)) {
                let name = child.file_name().to_string_lossy().into_owned();
                trees.insert(0, (name.clone(), format!("{root}/{name}")));
            }
            disk::collect(at, &places, &trees)
        })
        .await
    }

    async fn cni(&self) -> Seen<cni::CniFacts> {
        let status = self.status().await.unwrap_or_default();
        let conf = self.conf(&Params::new()).await;
        let said = |key: &str| {
            let file =
                conf.value().and_then(|c| super::settings::said(c, super::settings::Area::Runtime, &["cni", key]));
            file.map(|s| s.value)
        };
        let effective = &status.config["cni"];
        let dir = effective["confDir"].as_str().map(str::to_owned);
        let dir = dir.or_else(|| said("conf_dir")?.as_str().map(str::to_owned)).filter(|d| !d.is_empty());
        let bin =
            effective["binDir"].as_str().map(str::to_owned).or_else(|| said("bin_dir")?.as_str().map(str::to_owned));
        let many = effective["binDirs"].as_array().cloned().or_else(|| said("bin_dirs")?.as_array().cloned());
        let mut bins: Vec<String> =
            many.unwrap_or_default().iter().filter_map(|v| v.as_str().map(str::to_owned)).collect();
        bins.extend(bin.filter(|b| !b.is_empty()));
        if bins.is_empty() {
            bins.push(cni::BIN.to_owned());
        }
        let dir = dir.unwrap_or_else(|| cni::CONF.to_owned());
        self.local(LOCAL, &dir.clone(), move |root| cni::collect(root, &dir, &bins)).await
    }

    async fn stacks(&self) -> Seen<StackFacts> {
        let target = self.target().await.clone();
        self.local(LOCAL, "the stacks the runtime dumped", move |root| {
            let started =
                target.pid.and_then(|pid| std::fs::metadata(below(root, format!("/proc/{pid}"))).ok()?.modified().ok());
            let Some(pid) = target.pid else { bail!(NotFound, "the runtime does not run") };
            let path = match target.name.as_str() {
                "crio" => newest(root, "/tmp", "crio-goroutine-stacks-").unwrap_or_default(),
                _ => format!("/tmp/containerd.{pid}.stacks.log"),
            };
            if path.is_empty() {
                return Ok(StackFacts::default());
            }
            let Some(text) = node::read_if_there(&below(root, &path))? else { return Ok(StackFacts::default()) };
            let written = std::fs::metadata(below(root, &path)).and_then(|m| m.modified()).ok();
            // Another process may have had this pid.
            if written < started {
                return Ok(StackFacts::default());
            }
            Ok(StackFacts { path: Some(path), groups: stacks(&text) })
        })
        .await
    }

    async fn image(&self, params: &Params) -> Seen<ImageFacts> {
        let (conf, journal) = futures::join!(self.conf(params), self.logged());
        let target = self.target().await;
        let status = self.status().await.ok();
        // Only a pod's question is about what is here.
        let inventory = if params.contains_key("pod") { self.inventory().await.ok() } else { None };
        let conf = conf.value();
        let work = registry::collect(&self.root, params, conf, status.as_ref(), &journal, inventory.as_ref(), target);
        let seen = tokio::time::timeout(REGISTRY, work).await.unwrap_or_else(|_| {
            let text = format!("the registry was not done within {} s", REGISTRY.as_secs());
            Err(Error::new(Kind::DeadlineExceeded, text))
        });
        Seen::now(seen, "the registry")
    }

    /// The kubelet's own: what its kubeconfig shows, or else what it renews.
    async fn certificate(&self, params: &Params) -> Seen<Certificate> {
        const RENEWED: &str = "/var/lib/kubelet/pki/kubelet-client-current.pem";
        let kubelet = self.kubelets_files(params).await;
        let flag = kubelet.value().and_then(|k| Some(k.flags.get("kubeconfig")?.value.as_str()?.to_owned()));
        let read = move |root: &Path| {
            let apis = Api::find(root, None, flag.as_deref()).unwrap_or_default();
            let shown = apis.iter().filter(|a| !a.path.ends_with("admin.conf")).find_map(Api::certificate);
            let (read, source) =
                shown.unwrap_or_else(|| (Certificate::of_file(&below(root, RENEWED)), RENEWED.to_owned()));
            Ok((read?, source))
        };
        match self.local(LOCAL, RENEWED, read).await {
            Seen::At { value: (value, source), at, .. } => Seen::At { value, at, source },
            Seen::Failed { error, at } => Seen::Failed { error, at },
            Seen::NotAsked => Seen::NotAsked,
        }
    }

    async fn journal(&self) -> Seen<journal::JournalFacts> {
        let source = self.target().await.log.clone().unwrap_or_else(|| "journalctl".to_owned());
        Seen::now(self.logged().await, source)
    }

    async fn logged(&self) -> Result<journal::JournalFacts> {
        let (units, root, runtimes) = (self.units().await, self.root.clone(), &self.target().await.log);
        let find = move || Ok(kubelet::pid(&root)?.and_then(|pid| journal::own_file(&root, pid)));
        let kubelets = node::within(LOCAL, "find the kubelet's log", find).await?;
        let mut files: Vec<&str> = [runtimes, &kubelets].into_iter().flatten().map(String::as_str).collect();
        files.dedup();
        journal::collect(&self.root, &units, &files).await
    }
}

async fn timed<T>(what: &str, work: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::time::timeout(ANSWERS, work).await.unwrap_or_else(|_| {
        Err(Error::new(Kind::DeadlineExceeded, format!("{what} did not come within {} s", ANSWERS.as_secs())))
    })
}

/// The main file and what it imports.
fn conf(root: &Path, path: &str) -> Result<ConfFacts> {
    let mut facts = ConfFacts::default();
    if path.is_empty() {
        return Ok(facts);
    }
    // CRI-O's main file may be missing: what distributions set is beside it.
    if path.ends_with("/crio.conf") {
        let own = node::read_if_there(&below(root, path))?;
        facts.files.extend(own.map(|text| ConfFile { path: path.to_owned(), text }));
        for file in matching(root, Path::new(&format!("{path}.d/*")))? {
            let text = node::read_if_there(&below(root, &file))?.filter(|_| facts.files.len() < IMPORTS);
            facts.files.extend(text.map(|text| ConfFile { path: file, text }));
        }
        return Ok(facts);
    }
    // containerd 2 names this directory in its default and reads it only if a file says so.
    facts.ignored = matching(root, &Path::new(path).with_file_name("conf.d").join("*.toml"))?;
    let Some(text) = node::read_if_there(&below(root, path))? else { return Ok(facts) };
    let document = toml(path, &text)?;
    let imports: Vec<String> = document
        .get("imports")
        .and_then(|i| i.as_array())
        .into_iter()
        .flatten()
        .filter_map(|i| i.as_str().map(str::to_owned))
        .collect();
    facts.files.push(ConfFile { path: path.to_owned(), text });
    for directory in ["/etc/containerd/certs.d", "/etc/docker/certs.d"] {
        let entries = std::fs::read_dir(below(root, directory)).into_iter().flatten().flatten();
        let with = entries.filter(|e| e.path().join("hosts.toml").is_file());
        facts.certs.extend(with.filter_map(|e| e.file_name().into_string().ok()));
    }
    for import in imports {
        let full =
            if import.starts_with('/') { PathBuf::from(&import) } else { Path::new(path).with_file_name(&import) };
        for file in matching(root, &full)? {
            if facts.files.len() < IMPORTS
                && let Some(text) = node::read_if_there(&below(root, &file))?
            {
                toml(&file, &text)?;
                facts.files.push(ConfFile { path: file, text });
            }
        }
    }
    let files = &facts.files;
    facts.ignored.retain(|path| !files.iter().any(|f| f.path == *path));
    Ok(facts)
}

fn toml(path: &str, text: &str) -> Result<toml_edit::DocumentMut> {
    // The line that is broken is quoted, and it may be a password's.
    text.parse().map_err(|e: toml_edit::TomlError| {
        Error::new(Kind::InvalidArgument, format!("{path} is not TOML: {}", redact::text(&e.to_string())))
    })
}

/// `/dir/*.toml`, by name.
fn matching(root: &Path, pattern: &Path) -> Result<Vec<String>> {
    let name = pattern.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let Some((before, after)) = name.split_once('*') else { return Ok(vec![pattern.to_string_lossy().into_owned()]) };
    let directory = pattern.parent().unwrap_or(Path::new("/"));
    let entries = match std::fs::read_dir(below(root, directory)) {
        Ok(entries) => entries,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(Error::io("list", directory, e)),
    };
    let names = entries.flatten().filter_map(|e| e.file_name().into_string().ok());
    let mut found: Vec<String> = names
        .filter(|n| n.len() >= before.len() + after.len() && n.starts_with(before) && n.ends_with(after))
        .map(|n| directory.join(n).to_string_lossy().into_owned())
        .collect();
    found.sort();
    Ok(found)
}

/// By the running binary itself; it prints `Kubernetes v1.34.1`.
async fn kubelet_version(pid: u32) -> Option<String> {
    let program = std::fs::read_link(format!("/proc/{pid}/exe")).ok()?;
    let text = command::output(&program, &["--version"], LOCAL).await.ok()?;
    let text = String::from_utf8_lossy(&text).into_owned();
    Some(text.trim().strip_prefix("Kubernetes v")?.to_owned())
}

/// `runc version 1.1.5+ds1`, and more lines.
async fn oci_version(program: &str) -> Option<String> {
    let text = command::output(std::path::Path::new(program), &["--version"], LOCAL).await.ok()?;
    let text = String::from_utf8_lossy(&text).into_owned();
    text.lines().next()?.split_once(" version ").map(|(_, version)| version.trim().to_owned())
}

/// The last of the files that a name begins like this: they end in a time.
fn newest(root: &Path, directory: &str, prefix: &str) -> Option<String> {
    let names =
        std::fs::read_dir(below(root, directory)).ok()?.flatten().filter_map(|f| f.file_name().into_string().ok());
    names.filter(|n| n.starts_with(prefix)).max().map(|n| format!("{directory}/{n}"))
}

/// Go's dump: `goroutine 12 [semacquire, 5 minutes]:` and the calls below it.
fn stacks(text: &str) -> Vec<StackGroup> {
    let mut groups: Vec<StackGroup> = Vec::new();
    for block in text.split("\n\n") {
        let Some((_, rest)) = block.split_once("goroutine ") else { continue };
        let mut lines = rest.lines();
        let Some(head) = lines.next().and_then(|l| l.split_once('[')?.1.split(']').next()) else { continue };
        let mut parts = head.split(", ");
        let state = parts.next().unwrap_or_default().to_owned();
        let minutes = parts.find_map(|p| p.strip_suffix(" minutes")?.parse().ok()).unwrap_or(0);
        let calls = lines.filter(|l| !l.starts_with('\t') && l.contains('('));
        let top: Vec<String> = calls.take(4).map(|l| l.rsplit_once('(').map_or(l, |(f, _)| f).to_owned()).collect();
        match groups.iter_mut().find(|g| g.state == state && g.top == top) {
            Some(group) => {
                group.count += 1;
                group.minutes = group.minutes.max(minutes);
            }
            None => groups.push(StackGroup { count: 1, state, minutes, top }),
        }
    }
    groups.sort_by_key(|g| std::cmp::Reverse((g.minutes, g.count)));
    groups.truncate(20);
    groups
}

macro_rules! put {
    ($field:ident, $seen:expr) => {{
        let seen = $seen;
        Box::new(move |e: &mut Evidence| e.$field = seen) as Update
    }};
}

impl Probe for Live {
    fn collect<'a>(&'a self, fact: Fact, params: &'a Params) -> BoxFuture<'a, Update> {
        let work = async move {
            match fact {
                Fact::Kernel => put!(kernel, self.local(LOCAL, "/proc and /sys", kernel::collect).await),
                Fact::Host => {
                    let kubelet = self.kubelets_files(params).await;
                    let named = kubelet.value().and_then(|k| k.setting("resolvConf", "resolv-conf"));
                    let named = named.and_then(|s| s.value.as_str()).filter(|p| p.starts_with('/')).map(str::to_owned);
                    let read = move |root: &Path| host::collect(root, named.as_deref());
                    put!(host, self.local(LOCAL, "/proc and /etc/resolv.conf", read).await)
                }
                Fact::Cgroup => {
                    put!(cgroup, self.local(LOCAL, "mountinfo and /proc/PID/cgroup", cgroup::collect).await)
                }
                Fact::Mounts => put!(mounts, self.local(LOCAL, "/proc/PID/mountinfo", mounts::collect).await),
                Fact::Pressure => put!(pressure, self.local(LOCAL, "/proc/pressure", pressure::collect).await),
                Fact::Limits => put!(limits, self.local(LOCAL, "/proc/sys", limits::collect).await),
                Fact::Firewall => {
                    put!(firewall, Seen::now(firewall::collect(&self.root).await, "iptables-save"))
                }
                Fact::Disk => put!(disk, self.disk(params).await),
                Fact::Processes => {
                    let pid = self.target().await.pid;
                    put!(processes, self.local(LOCAL, "/proc", move |root| process::collect(root, pid)).await)
                }
                Fact::Kubelet => put!(kubelet, self.kubelet(params).await),
                Fact::Cni => put!(cni, self.cni().await),
                Fact::Units => {
                    let units = self.units().await;
                    put!(units, Seen::now(unit::collect(&self.root, &units).await, "systemctl show"))
                }
                Fact::Journal => put!(journal, self.journal().await),
                Fact::Kmsg => put!(
                    kmsg,
                    self.local(LOCAL, "/dev/kmsg", |root| {
                        let boot = kernel::collect(root)?.boot;
                        journal::kernel(root, boot)
                    })
                    .await
                ),
                Fact::Target => put!(target, Seen::now(Ok(self.target().await.clone()), "/proc")),
                Fact::Conf => put!(conf, self.conf(params).await),
                Fact::Status => put!(status, Seen::now(self.status().await, "CRI Status")),
                Fact::Calls => put!(calls, Seen::now(self.calls().await, "CRI")),
                Fact::Inventory => put!(inventory, Seen::now(self.inventory().await, "CRI")),
                Fact::Stacks => put!(stacks, self.stacks().await),
                Fact::Image => put!(image, self.image(params).await),
                Fact::Cluster => {
                    put!(cluster, Seen::now(ClusterFacts::collect(&self.root, params).await, "the API server"))
                }
                Fact::Gpu => put!(gpu, Seen::now(gpu::collect(&self.root).await, "/dev and systemctl show")),
                Fact::Programs => put!(programs, self.programs(params).await),
                Fact::Certificate => put!(certificate, self.certificate(params).await),
            }
        };
        work.boxed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn imports_are_read_in_their_order() {
        let root = tempfile::tempdir().unwrap();
        let put = |path: &str, text: &str| {
            let path = below(root.path(), path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        put("/etc/containerd/config.toml", "imports = [\"conf.d/*.toml\"]\n");
        put("/etc/containerd/conf.d/20.toml", "b = 1\n");
        put("/etc/containerd/conf.d/10.toml", "a = 1\n");
        put("/etc/containerd/conf.d/10.bak", "");
        let found = conf(root.path(), "/etc/containerd/config.toml").unwrap();
        let paths: Vec<&str> = found.files.iter().map(|f| f.path.rsplit('/').next().unwrap()).collect();
        assert_eq!(paths, ["config.toml", "10.toml", "20.toml"]);
        assert!(conf(root.path(), "/no/such").unwrap().files.is_empty());
        put("/etc/crio/crio.conf.d/10-crio.conf", "[crio.runtime]\ncgroup_manager = \"cgroupfs\"\n");
        let found = conf(root.path(), "/etc/crio/crio.conf").unwrap();
        let said = crate::runbook::settings::whole(&found, &["crio", "runtime", "cgroup_manager"]).unwrap();
        assert_eq!(said.source.rsplit('/').next(), Some("10-crio.conf line 2"));
    }

    #[test]
    fn stacks_are_grouped_by_what_they_wait_for() {
        let one = |n: u32, m: u32| {
            format!(
                "goroutine {n} [syscall, {m} minutes]:\nsyscall.Syscall(0xa6, 0x0)\n\t/x.go:1\nmain.unmount(0x1)\n\t/y.go:2\n\n"
            )
        };
        let groups = stacks(&format!(
            "=== BEGIN ===\n{}{}goroutine 3 [running]:\nmain.main()\n\t/z.go:1\n",
            one(1, 3),
            one(2, 9)
        ));
        assert_eq!((groups[0].count, groups[0].minutes, groups[0].state.as_str()), (2, 9, "syscall"));
        assert_eq!(groups[0].top, ["syscall.Syscall", "main.unmount"]);
        assert_eq!(groups.len(), 2);
    }
}
