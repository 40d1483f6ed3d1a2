//! crictl's JSON and YAML files of a pod and of a container, read and checked.

use std::path::Path;

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{
    bail,
    client::compose::random_uid,
    error::{Error, Kind, Result},
    proto::cri,
};

/// More than any pod the kubelet would take.
const MOST: u64 = 4 << 20;

pub fn pod(path: &Path) -> Result<cri::PodSandboxConfig> {
    let mut config: cri::PodSandboxConfig = read(path)?;
    let Some(metadata) = &mut config.metadata else {
        bail!(InvalidArgument, "{}: metadata is missing", path.display())
    };
    if metadata.name.is_empty() || metadata.namespace.is_empty() {
        bail!(InvalidArgument, "{}: metadata needs a name and a namespace", path.display());
    }
    if metadata.uid.is_empty() {
        metadata.uid = random_uid();
    }
    Ok(config)
}

pub fn container(path: &Path) -> Result<cri::ContainerConfig> {
    let config: cri::ContainerConfig = read(path)?;
    if config.metadata.as_ref().is_none_or(|m| m.name.is_empty()) {
        bail!(InvalidArgument, "{}: metadata needs a name", path.display());
    }
    if config.image.as_ref().is_none_or(|i| i.image.is_empty()) {
        bail!(InvalidArgument, "{}: image needs an image", path.display());
    }
    Ok(config)
}

fn read<T: DeserializeOwned>(path: &Path) -> Result<T> {
    let size = std::fs::metadata(path).map_err(|e| Error::io("read", path, e))?.len();
    if size > MOST {
        bail!(InvalidArgument, "read {}: {size} bytes are too many", path.display());
    }
    let text = std::fs::read_to_string(path).map_err(|e| Error::io("read", path, e))?;
    parse(&text).map_err(|e| e.context(format!("read {}", path.display())))
}

/// YAML, of which JSON is a part. Names in snake case or camel case, enums by name or number.
fn parse<T: DeserializeOwned>(text: &str) -> Result<T> {
    let value: Value = serde_norway::from_str(text)
        .map_err(|e| Error::new(Kind::InvalidArgument, "it is neither JSON nor YAML").with_source(e))?;
    serde_json::from_value(value)
        .map_err(|e| Error::new(Kind::InvalidArgument, "it is not what CRI expects").with_source(e))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crictls_files_are_read() {
        let json = r#"{"metadata": {"name": "web"}, "image": {"image": "busybox"}, "command": ["top"],
            "log_path": "web.0.log", "linux": {"security_context": {"namespace_options": {"network": 2}}},
            "mounts": [{"container_path": "/a", "hostPath": "/b", "readonly": true}]}"#;
        let config: cri::ContainerConfig = parse(json).unwrap();
        assert_eq!((config.log_path.as_str(), config.command.as_slice()), ("web.0.log", &["top".to_owned()][..]));
        assert_eq!(config.mounts[0].host_path, "/b");
        let context = config.linux.unwrap().security_context.unwrap();
        assert_eq!(context.namespace_options.unwrap().network, 2);
        let yaml: cri::PodSandboxConfig = parse("metadata:\n  name: a\n  namespace: b\nlabels: {x: y}\n").unwrap();
        assert_eq!(yaml.labels["x"], "y");
    }

    #[test]
    fn wrong_files_say_what_is_wrong() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("c.json");
        for (text, says) in [
            ("{", "neither JSON nor YAML"),
            ("{}", "metadata needs a name"),
            (r#"{"metadata":{"name":"a"}}"#, "image needs an image"),
            (r#"{"metadata":{"name":"a"},"imag":1}"#, "unknown field"),
        ] {
            std::fs::write(&path, text).unwrap();
            let error = format!("{:#}", container(&path).unwrap_err());
            assert!(error.contains(says) && error.contains("c.json"), "{error}");
        }
        std::fs::write(&path, r#"{"metadata":{"name":"a","namespace":"b"}}"#).unwrap();
        assert_eq!(pod(&path).unwrap().metadata.unwrap().uid.len(), 36);
        assert!(pod(&directory.path().join("none")).unwrap_err().is(Kind::NotFound));
    }
}
