//! CNI's verbs on a list of plugins: ADD, CHECK, DEL, STATUS, GC (CNI spec 1.1.0, section 3), and our records of what was added.
//!
//! Reading configuration is in `conf`, running one plugin in `exec`.

pub(super) mod conf;
mod exec;
mod record;
mod request;

use std::{
    net::IpAddr,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use rustix::fs::{Access, AtFlags, CWD, accessat};
use serde_json::{Value, json};

use self::{conf::List, request::Subject};
use super::{Attachment, IFNAME, MADE_BY, NetworkConfig, PodNetwork, netns};
use crate::{
    bail,
    error::{Context, Error, Kind, Result},
};

pub(super) const NAME: &str = "cni";

/// Of one plugin's STATUS: the kubelet waits for the answer, every few seconds.
const STATUS_TIMEOUT: Duration = Duration::from_secs(10);
/// More addresses than any plugin gives; a result with more is not believed.
const MAX_IPS: usize = 64;

#[derive(Debug)]
pub(super) struct Cni {
    config: Arc<NetworkConfig>,
}

/// What goes into a plugin's environment and file names must be what it says (CNI spec, section 2).
pub(super) fn validate(pod: &PodNetwork) -> Result<()> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-');
    if !pod.id.starts_with(|c: char| c.is_ascii_alphanumeric()) || !pod.id.bytes().all(plain) || pod.id.len() > 128 {
        bail!(InvalidArgument, "{:?} cannot be a pod sandbox's id", pod.id);
    }
    for value in [&pod.name, &pod.namespace, &pod.uid] {
        if value.contains([';', '=']) || value.chars().any(char::is_control) || value.len() > 1024 {
            bail!(InvalidArgument, "{value:?} cannot be a pod's name, namespace or uid");
        }
    }
    Ok(())
}

impl Cni {
    pub(super) fn new(config: Arc<NetworkConfig>) -> Self {
        Self { config }
    }

    /// All plugins of the list, or an error that names the missing one.
    pub(super) fn find_all(&self, list: &List) -> Result<()> {
        list.plugins().try_for_each(|plugin| self.find(plugin.kind).map(drop))
    }

    /// The binary of a plugin type, which nobody but its owner and group could have put there.
    fn find(&self, kind: &str) -> Result<PathBuf> {
        for directory in self.config.cni_bin_dirs.iter().filter(|d| d.is_absolute()) {
            let path = directory.join(kind);
            let Ok(found) = path.canonicalize() else { continue };
            if !found.is_file() || accessat(CWD, &found, Access::EXEC_OK, AtFlags::EACCESS).is_err() {
                continue;
            }
            for part in found.ancestors() {
                let about = part.metadata().map_err(|e| Error::io("stat", part, e))?;
                let mode = about.permissions().mode();
                // The sticky bit keeps others from replacing what is in a directory.
                if mode & 0o002 != 0 && !(about.is_dir() && mode & 0o1000 != 0) {
                    bail!(FailedPrecondition, "CNI plugin {}: anybody may write {}", path.display(), part.display());
                }
            }
            return Ok(found);
        }
        let searched: Vec<_> = self.config.cni_bin_dirs.iter().map(|d| d.display().to_string()).collect();
        bail!(FailedPrecondition, "CNI plugin {kind:?} is not in {}", searched.join(":"))
    }

    /// ADD by each plugin. What it did is recorded first, and undone on error.
    pub(super) async fn attach(&self, list: &List, netns: &Path, pod: &PodNetwork) -> Result<Attachment> {
        netns::open(netns)?;
        if self.has_record(&pod.id) {
            bail!(AlreadyExists, "pod {} is attached to a CNI network already", pod.id);
        }
        self.record(list, netns, pod)?;
        let mut result = None;
        let added = self.add(list, netns, pod, &mut result).await;
        match added {
            Ok(attachment) => Ok(attachment),
            Err(error) => Err(error.and_cleanup(self.detach(list, netns, pod, result.as_ref()).await)),
        }
    }

    async fn add(&self, list: &List, netns: &Path, pod: &PodNetwork, result: &mut Option<Value>) -> Result<Attachment> {
        for plugin in list.plugins() {
            let input = request::input(list, &plugin, pod, result.as_ref());
            let output = self.call("ADD", plugin.kind, Some(Subject { netns, pod }), &input).await?;
            *result =
                Some(parse_result(&output, list).context(|| format!("read the result of CNI plugin {}", plugin.kind))?);
        }
        let mut result = result.clone().ok_or_else(|| Error::new(Kind::Internal, "a CNI list without plugins"))?;
        let ips = addresses(&result).context(|| format!("read the result of CNI network {}", list.name))?;
        result[MADE_BY] = json!(NAME);
        Ok(Attachment { ips, result })
    }

    /// DEL by each plugin, last one first. All are called, whatever one says; the record goes if all agreed.
    pub(super) async fn detach(
        &self,
        list: &List,
        netns: &Path,
        pod: &PodNetwork,
        result: Option<&Value>,
    ) -> Result<()> {
        let previous = result.map(without_mark).filter(|_| list.version >= conf::Version::V0_4);
        let netns = if netns::open(netns).is_ok() { netns } else { Path::new("") };
        let mut failed: Result<()> = Ok(());
        for plugin in list.plugins().rev() {
            let input = request::input(list, &plugin, pod, previous.as_ref());
            let done = self.call("DEL", plugin.kind, Some(Subject { netns, pod }), &input).await.map(drop);
            failed = match (failed, done) {
                (Ok(()), done) => done,
                (Err(first), done) => Err(first.and_cleanup(done)),
            };
        }
        failed?;
        self.forget(&pod.id)
    }

    pub(super) async fn check(&self, list: &List, netns: &Path, pod: &PodNetwork, result: &Value) -> Result<()> {
        if list.disable_check || list.version < conf::Version::V0_4 {
            return Ok(());
        }
        netns::open(netns)?;
        let previous = without_mark(result);
        for plugin in list.plugins() {
            let input = request::input(list, &plugin, pod, Some(&previous));
            self.call("CHECK", plugin.kind, Some(Subject { netns, pod }), &input).await?;
        }
        Ok(())
    }

    /// Whether the plugins could add a pod now, by their own word. Those of older lists have none.
    pub(super) async fn status(&self, list: &List) -> Result<()> {
        if !list.has_status_and_gc() {
            return Ok(());
        }
        for plugin in list.plugins() {
            self.call("STATUS", plugin.kind, None, &request::status(list, &plugin)).await?;
        }
        Ok(())
    }

    /// Tells the plugins which pods are attached, so that they give up what they keep for others. All are called,
    /// whatever one says. Nothing may be added or deleted meanwhile.
    pub(super) async fn gc(&self, list: &List, pods: &[String]) -> Result<()> {
        if !list.has_status_and_gc() || list.disable_gc {
            return Ok(());
        }
        let mut failed: Result<()> = Ok(());
        for plugin in list.plugins() {
            let input = request::gc(list, &plugin, pods);
            match (self.call("GC", plugin.kind, None, &input).await, &failed) {
                (Ok(_), _) => {}
                (Err(error), Ok(())) => failed = Err(error),
                (Err(error), Err(_)) => tracing::warn!(network = list.name, "{error:#}"),
            }
        }
        failed
    }

    async fn call(&self, command: &str, kind: &str, subject: Option<Subject<'_>>, input: &Value) -> Result<Vec<u8>> {
        let doing = || format!("CNI plugin {kind} ({command})");
        let binary = self.find(kind)?;
        let environment = request::environment(command, subject, &self.config.cni_bin_dirs);
        let limit = self.config.plugin_timeout;
        let timeout = if command == "STATUS" { limit.min(STATUS_TIMEOUT) } else { limit };
        exec::run(&binary, &environment, input.to_string().into_bytes(), timeout).await.context(doing)
    }
}

fn without_mark(result: &Value) -> Value {
    let mut result = result.clone();
    if let Some(object) = result.as_object_mut() {
        object.remove(MADE_BY);
    }
    result
}

/// A success result in the list's version.
fn parse_result(output: &[u8], list: &List) -> Result<Value> {
    let mut result: Value =
        serde_json::from_slice(output).map_err(|e| Error::new(Kind::Internal, "it is not JSON").with_source(e))?;
    let Some(object) = result.as_object_mut() else { bail!(Internal, "it is not a JSON object") };
    object.remove(MADE_BY);
    match object.get("cniVersion").map(Value::as_str) {
        None | Some(Some("")) => {
            object.insert("cniVersion".to_owned(), json!(list.version.text()));
        }
        Some(Some(version)) if version == list.version.text() => {}
        Some(version) => bail!(Internal, "it is of version {version:?}, asked was {}", list.version.text()),
    }
    Ok(result)
}

/// The pod's addresses: those of eth0 in a sandbox, or all if the result does not say whose they are.
fn addresses(result: &Value) -> Result<Vec<IpAddr>> {
    let interfaces = result["interfaces"].as_array();
    let ips = result["ips"].as_array().map(Vec::as_slice).unwrap_or_default();
    if ips.len() > MAX_IPS {
        bail!(Internal, "it has {} addresses", ips.len());
    }
    let mut found = Vec::new();
    for ip in ips {
        let text = ip["address"].as_str().unwrap_or_default();
        let Some(address) = text.split('/').next().and_then(|a| a.parse().ok()) else {
            bail!(Internal, "{:?} is not an address", exec::clean(text.as_bytes()));
        };
        let interface = ip["interface"].as_u64().and_then(|i| interfaces?.get(usize::try_from(i).ok()?));
        let ours = interface.is_none_or(|i| {
            i["name"].as_str() == Some(IFNAME) && i["sandbox"].as_str().is_some_and(|sandbox| !sandbox.is_empty())
        });
        if ours {
            found.push(address);
        }
    }
    if found.is_empty() {
        bail!(Internal, "it has no address for {IFNAME}");
    }
    Ok(found)
}

#[cfg(test)]
mod tests;
