//! Devices by name (Container Device Interface, version 1): the node's files say what a container gets with
//! `vendor.com/class=name`: variables, device nodes, mounts, groups, hooks. The files are the administrator's, the names
//! are not.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::Read,
    path::{Path, PathBuf},
};

use serde::Deserialize;
use serde_json::{Value, json};

use super::spec::device_of;
use crate::{
    bail,
    error::{Context, Error, Kind, Result},
    proto::cri,
};

/// Where the files are; of two that name the same device, the later directory's counts.
pub const DIRECTORIES: [&str; 2] = ["/etc/cdi", "/var/run/cdi"];
const FILE_LIMIT: u64 = 4 << 20;
/// Annotations with this prefix hold names, separated by commas.
const ANNOTATION: &str = "cdi.k8s.io/";

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Document {
    kind: String,
    devices: Vec<Device>,
    container_edits: Edits,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Device {
    name: String,
    container_edits: Edits,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Edits {
    env: Vec<String>,
    device_nodes: Vec<Node>,
    mounts: Vec<Mount>,
    hooks: Vec<Hook>,
    additional_gids: Vec<u32>,
    intel_rdt: Option<Value>,
    net_devices: Option<Value>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Node {
    path: String,
    host_path: String,
    file_mode: Option<u32>,
    permissions: String,
    uid: Option<u32>,
    gid: Option<u32>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Mount {
    host_path: String,
    container_path: String,
    options: Vec<String>,
    r#type: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Hook {
    hook_name: String,
    path: String,
    args: Vec<String>,
    env: Vec<String>,
    timeout: Option<i64>,
}

/// The devices a container asks for, in order, each once.
pub fn names(config: &cri::ContainerConfig) -> Vec<String> {
    let fields = config.cdi_devices.iter().map(|d| d.name.clone());
    let annotations = config.annotations.iter().filter(|(key, _)| key.starts_with(ANNOTATION));
    let annotations = annotations.flat_map(|(_, value)| value.split(',').map(|n| n.trim().to_owned()));
    let mut seen = BTreeSet::new();
    fields.chain(annotations).filter(|n| !n.is_empty() && seen.insert(n.clone())).collect()
}

/// Edits an OCI document for the named devices. Blocking.
///
/// # Errors
/// `InvalidArgument` for a device that no file defines.
pub fn apply(document: &mut Value, names: &[String], directories: &[PathBuf]) -> Result<()> {
    if names.is_empty() {
        return Ok(());
    }
    let files = load(directories)?;
    let mut kinds = BTreeSet::new();
    for wanted in names {
        let doing = || format!("CDI device {wanted:?}");
        let found = wanted.split_once('=').and_then(|(kind, name)| {
            let of_kind = files.iter().rev().filter(|f| f.kind == kind);
            of_kind.into_iter().find_map(|f| Some((f, f.devices.iter().find(|d| d.name == name)?)))
        });
        let Some((file, device)) = found else {
            bail!(InvalidArgument, "{}: no file in {directories:?} defines it", doing());
        };
        if kinds.insert(&file.kind) {
            edit(document, &file.container_edits).context(doing)?;
        }
        edit(document, &device.container_edits).context(doing)?;
    }
    Ok(())
}

/// A file that is damaged hides its own devices only.
fn load(directories: &[PathBuf]) -> Result<Vec<Document>> {
    let mut found = Vec::new();
    for directory in directories {
        let mut paths: Vec<PathBuf> = match fs::read_dir(directory) {
            Ok(entries) => entries.flatten().map(|e| e.path()).collect(),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            Err(error) => return Err(Error::io("list", directory, error)),
        };
        paths.retain(|p| p.extension().is_some_and(|e| e == "json" || e == "yaml"));
        paths.sort();
        for path in paths {
            match parse(&path) {
                Ok(document) => found.push(document),
                Err(error) => tracing::warn!("{error:#}"),
            }
        }
    }
    Ok(found)
}

fn parse(path: &Path) -> Result<Document> {
    let mut text = String::new();
    let file = File::open(path).map_err(|e| Error::io("open", path, e))?;
    file.take(FILE_LIMIT + 1).read_to_string(&mut text).map_err(|e| Error::io("read", path, e))?;
    if text.len() as u64 > FILE_LIMIT {
        bail!(InvalidArgument, "{} is larger than {FILE_LIMIT} bytes", path.display());
    }
    // JSON is YAML.
    serde_norway::from_str(&text)
        .map_err(|e| Error::new(Kind::InvalidArgument, format!("{} is not a CDI file", path.display())).with_source(e))
}

fn edit(document: &mut Value, edits: &Edits) -> Result<()> {
    if edits.intel_rdt.is_some() || edits.net_devices.is_some() {
        bail!(Unimplemented, "its file edits network devices or resource director settings");
    }
    let env = list(document, "/process/env")?;
    for pair in &edits.env {
        let key = format!("{}=", pair.split('=').next().unwrap_or_default());
        env.retain(|have| !have.as_str().is_some_and(|h| h.starts_with(&key)));
        env.push(pair.clone().into());
    }
    list(document, "/process/user/additionalGids")?.extend(edits.additional_gids.iter().map(|g| Value::from(*g)));
    for node in &edits.device_nodes {
        device(document, node)?;
    }
    let mounts = list(document, "/mounts")?;
    mounts.extend(edits.mounts.iter().map(|m| {
        let kind = if m.r#type.is_empty() { "bind" } else { &m.r#type };
        json!({ "destination": m.container_path, "source": m.host_path, "type": kind, "options": m.options })
    }));
    for hook in &edits.hooks {
        let value = json!({ "path": hook.path, "args": hook.args, "env": hook.env, "timeout": hook.timeout });
        let hooks = &mut document["hooks"][&hook.hook_name];
        match hooks.as_array_mut() {
            Some(hooks) => hooks.push(value),
            None => *hooks = json!([value]),
        }
    }
    Ok(())
}

fn device(document: &mut Value, node: &Node) -> Result<()> {
    let host = if node.host_path.is_empty() { &node.path } else { &node.host_path };
    let (kind, major, minor, mode) = device_of(host)?;
    let access = if node.permissions.is_empty() { "rwm" } else { &node.permissions };
    let mode = node.file_mode.unwrap_or(mode);
    let mut made = json!({ "path": node.path, "type": kind, "major": major, "minor": minor, "fileMode": mode });
    for (key, id) in [("uid", node.uid), ("gid", node.gid)] {
        if let Some(id) = id {
            made[key] = id.into();
        }
    }
    let devices = list(document, "/linux/devices")?;
    devices.retain(|d| d["path"] != node.path.as_str());
    devices.push(made);
    let rule = json!({ "allow": true, "type": kind, "major": major, "minor": minor, "access": access });
    list(document, "/linux/resources/devices")?.push(rule);
    Ok(())
}

fn list<'a>(document: &'a mut Value, pointer: &str) -> Result<&'a mut Vec<Value>> {
    let found = document.pointer_mut(pointer).and_then(Value::as_array_mut);
    found.ok_or_else(|| Error::new(Kind::Internal, format!("the OCI document has no list {pointer}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document() -> Value {
        json!({ "process": { "env": ["A=1", "B=2"], "user": { "additionalGids": [0] } }, "mounts": [],
            "linux": { "devices": [], "resources": { "devices": [] } } })
    }

    #[test]
    fn files_say_what_a_device_is_and_the_later_directory_wins() {
        let dirs = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        let paths: Vec<PathBuf> = dirs.iter().map(|d| d.path().to_owned()).collect();
        let early = json!({ "cdiVersion": "0.6.0", "kind": "vendor.com/gpu", "devices": [
            { "name": "0", "containerEdits": { "env": ["A=early"] } }, { "name": "1", "containerEdits": { "env": ["C=1"] } }] });
        fs::write(paths[0].join("a.json"), early.to_string()).unwrap();
        fs::write(paths[0].join("broken.json"), "{").unwrap();
        let late = "cdiVersion: 0.6.0\nkind: vendor.com/gpu\ncontainerEdits: {additionalGids: [44]}\ndevices:\n\
            - name: '0'\n  containerEdits:\n    env: ['A=late']\n    deviceNodes: [{path: /dev/gpu0, hostPath: /dev/null, permissions: rw}]\n    \
            mounts: [{hostPath: /usr/lib, containerPath: /lib/gpu, options: [ro, rbind]}]\n    hooks: [{hookName: createContainer, path: /bin/hook}]\n";
        fs::write(paths[1].join("b.yaml"), late).unwrap();
        let mut made = document();
        apply(&mut made, &["vendor.com/gpu=0".into(), "vendor.com/gpu=1".into()], &paths).unwrap();
        assert_eq!(made["process"]["env"], json!(["B=2", "A=late", "C=1"]));
        assert_eq!(made["process"]["user"]["additionalGids"], json!([0, 44]));
        let device = &made["linux"]["devices"][0];
        assert_eq!((&device["path"], &device["major"], &device["minor"]), (&json!("/dev/gpu0"), &json!(1), &json!(3)));
        assert_eq!(made["linux"]["resources"]["devices"][0]["access"], "rw");
        assert_eq!(made["mounts"][0]["destination"], "/lib/gpu");
        assert_eq!(made["hooks"]["createContainer"][0]["path"], "/bin/hook");
        for name in ["vendor.com/gpu=7", "other.com/gpu=0", "nonsense"] {
            assert!(apply(&mut document(), &[name.to_owned()], &paths).unwrap_err().to_string().contains(name));
        }
    }

    #[test]
    fn names_come_from_the_field_and_from_annotations() {
        let config = cri::ContainerConfig {
            cdi_devices: vec![cri::CdiDevice { name: "a/b=c".to_owned() }],
            annotations: [("cdi.k8s.io/x".to_owned(), "d/e=f, a/b=c".to_owned())].into(),
            ..Default::default()
        };
        assert_eq!(names(&config), ["a/b=c", "d/e=f"]);
    }
}
