//! CRI-O's pods and containers: bundles in the storage it shares with podman, states it has saved, and what conmon, which watches
//! each process, has written since.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use serde_json::Value;

use super::{
    Bundle, BundleFacts, Layout, Life, MOST, Places, cut, document, empty, is_id, life, list, live, pid_in, regular,
    strings, time,
};
use crate::{
    error::{Kind, Result},
    node::{below, process},
};

const CONTAINERS: &str = "overlay-containers";

/// Where a CRI-O with this socket keeps its things, as the arguments of its monitors tell: their own sockets are beside it.
pub fn monitored(root: &Path, socket: &str) -> Option<Places> {
    let directory = Path::new(socket.trim_start_matches("/var")).parent()?;
    let of = |pid: u32| {
        if process::stat(root, pid)?.name != "conmon" {
            return None;
        }
        let command = process::command(root, pid);
        let option = |name: &str| command.get(command.iter().position(|a| a == name)? + 1).map(String::as_str);
        if Path::new(option("--socket-dir-path")?.trim_start_matches("/var")) != directory {
            return None;
        }
        let before = |path: &str| Some(path.split_once(&format!("/{CONTAINERS}/"))?.0.to_owned());
        Some(Places { layout: Layout::Crio, root: before(option("--persist-dir")?)?, state: before(option("-b")?)? })
    };
    process::pids(root).unwrap_or_default().into_iter().find_map(of)
}

pub fn collect(root: &Path, facts: &mut BundleFacts) -> Result<()> {
    let [kept, run] = [&facts.places.root, &facts.places.state].map(|p| format!("{p}/{CONTAINERS}"));
    let mut ids: BTreeSet<String> = list(&below(root, &run))?.into_iter().collect();
    ids.extend(list(&below(root, &kept))?);
    let live = live(root);
    // Lists and locks of the storage stand beside them.
    let is_directory = |id: &String| [&kept, &run].iter().any(|of| below(root, format!("{of}/{id}")).is_dir());
    for id in ids.into_iter().filter(|id| is_id(id) && is_directory(id)).take(MOST) {
        let at = |of: &str, file: &str| below(root, format!("{of}/{id}/userdata")).join(file);
        let place = if at(&run, "config.json").is_file() { &run } else { &kept };
        let path = format!("{place}/{id}/userdata");
        let mut bundle = empty(root, &id, &path);
        let mut spec = Value::Null;
        match document(&at(place, "config.json")) {
            // One of podman's, say.
            Ok(found) if found.pointer("/annotations/io.kubernetes.cri-o.ContainerType").is_none() => continue,
            Ok(found) => spec = found,
            Err(error) if error.is(Kind::NotFound) => continue,
            Err(error) => facts.problems.push(format!("{error:#}")),
        }
        of_spec(&mut bundle, &spec);
        let state =
            document(&at(&kept, "state.json")).or_else(|_| document(&at(&run, "state.json"))).unwrap_or_default();
        ended(&mut bundle, &state, &at(&kept, "exit"));
        bundle.pid = pid_in(&at(&run, "pidfile"));
        bundle.life = match life(root, &bundle, [].iter()) {
            Life::Unknown => live.get(&id).map_or(Life::Unknown, |_| Life::Alive),
            life => life,
        };
        bundle.pid = bundle.pid.or_else(|| live.get(&id).copied());
        if annotation(&spec, "Spoofed") == "true" {
            bundle.life = without_process(root, &spec, at(&kept, "stopped").exists());
        }
        facts.bundles.push(bundle);
    }
    Ok(())
}

/// A pod in which nothing needs a process of its own has none: it lasts as long as its network does.
fn without_process(root: &Path, spec: &Value, stopped: bool) -> Life {
    let namespaces = spec.pointer("/linux/namespaces").and_then(Value::as_array).into_iter().flatten();
    let mut paths = namespaces.filter_map(|n| n.get("path")?.as_str());
    let gone = paths.any(|p| !below(root, p).exists());
    if stopped || gone { Life::Ended } else { Life::Alive }
}

/// What came of it: as CRI-O has saved it, else as conmon wrote it down when nobody was there to read it.
fn ended(bundle: &mut Bundle, state: &Value, exit: &Path) {
    let stamp = |key: &str| time(state.get(key)?.as_str()?);
    (bundle.started, bundle.finished) = (stamp("started"), stamp("finished"));
    bundle.exit_code = state.get("exitCode").and_then(Value::as_i64).and_then(|c| i32::try_from(c).ok());
    if bundle.exit_code.is_none()
        && let Ok(bytes) = regular(exit, 64)
    {
        bundle.exit_code = String::from_utf8_lossy(&bytes).trim().parse().ok();
        bundle.finished = bundle.finished.or_else(|| std::fs::metadata(exit).and_then(|m| m.modified()).ok());
    }
    let said = |key: &str| state.get(key).and_then(Value::as_bool).unwrap_or(false);
    bundle.reason = match bundle.exit_code {
        None => "",
        Some(_) if said("oomKilled") => "OOMKilled",
        Some(_) if said("seccompKilled") => "seccomp killed",
        Some(0) => "Completed",
        Some(_) => "Error",
    }
    .to_owned();
    bundle.message = cut(state.get("error").and_then(Value::as_str).unwrap_or_default());
}

fn annotation(spec: &Value, name: &str) -> String {
    let value = spec.get("annotations").and_then(|a| a.get(format!("io.kubernetes.cri-o.{name}")));
    cut(value.and_then(Value::as_str).unwrap_or_default())
}

fn of_spec(bundle: &mut Bundle, spec: &Value) {
    let annotations = strings(spec.get("annotations"));
    let of = |name: &str| annotations.get(name).cloned().unwrap_or_default();
    let own = |name: &str| annotation(spec, name);
    let inside = |name: &str| serde_json::from_str::<Value>(&own(name)).unwrap_or_default();
    bundle.sandbox = own("ContainerType") == "sandbox";
    let sandbox = own("SandboxID");
    if is_id(&sandbox) {
        bundle.pod_id = sandbox;
    }
    (bundle.pod, bundle.pod_namespace) = (of("io.kubernetes.pod.name"), of("io.kubernetes.pod.namespace"));
    (bundle.uid, bundle.name) = (of("io.kubernetes.pod.uid"), of("io.kubernetes.container.name"));
    let metadata = inside("Metadata");
    // Left out if it is 0.
    let attempt = metadata.get("attempt").and_then(Value::as_u64).unwrap_or(0);
    bundle.attempt = metadata.is_object().then(|| u32::try_from(attempt).unwrap_or(0));
    let said = |key: &str| cut(metadata.get(key).and_then(Value::as_str).unwrap_or_default());
    if bundle.sandbox {
        bundle.name.clear();
        for (field, key) in
            [(&mut bundle.pod, "name"), (&mut bundle.pod_namespace, "namespace"), (&mut bundle.uid, "uid")]
        {
            if field.is_empty() {
                *field = said(key);
            }
        }
    } else if bundle.name.is_empty() {
        bundle.name = said("name");
    }
    bundle.image = Some(own("ImageName")).filter(|i| !i.is_empty()).unwrap_or_else(|| own("Image"));
    bundle.image_id = own("ImageRef");
    (bundle.log_path, bundle.handler) = (own("LogPath"), own("RuntimeHandler"));
    if bundle.sandbox {
        // Of its own process, in the pod's directory.
        let log = PathBuf::from(std::mem::take(&mut bundle.log_path));
        bundle.log_directory = log.parent().map(|p| p.to_string_lossy().into_owned()).unwrap_or_default();
    }
    let network = inside("CNIResult");
    let address = network.pointer("/ips/0/address").and_then(Value::as_str).unwrap_or_default();
    bundle.ip = Some(own("IP.0")).filter(|ip| !ip.is_empty()).unwrap_or_else(|| cut(address));
    bundle.ip.truncate(bundle.ip.find('/').unwrap_or(bundle.ip.len()));
    (bundle.labels, bundle.annotations) = (strings(Some(&inside("Labels"))), strings(Some(&inside("Annotations"))));
    bundle.made = time(&own("Created")).or(bundle.made);
    bundle.cgroup = cut(spec.pointer("/linux/cgroupsPath").and_then(Value::as_str).unwrap_or_default());
}
