//! The part of an image's configuration that a container is started from (OCI image spec, config.md).

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::error::{Error, Kind, Result};

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ImageConfig {
    pub user: Option<String>,
    #[serde(deserialize_with = "nullable")]
    pub env: Vec<String>,
    #[serde(deserialize_with = "nullable")]
    pub entrypoint: Vec<String>,
    #[serde(deserialize_with = "nullable")]
    pub cmd: Vec<String>,
    pub working_dir: Option<String>,
    pub stop_signal: Option<String>,
    #[serde(deserialize_with = "nullable")]
    pub volumes: BTreeMap<String, serde_json::Value>,
    #[serde(deserialize_with = "nullable")]
    pub labels: BTreeMap<String, String>,
    /// It is no image but a stopped container's memory; the manifest says so.
    #[serde(skip)]
    pub checkpoint: bool,
}

/// Annotations of the manifest or index by which CRI-O and containerd know a checkpoint.
const CHECKPOINT: [&str; 2] = ["org.criu.checkpoint.container.name", "io.kubernetes.cri-o.annotations.checkpoint.name"];

/// Whether a manifest or index is that of a checkpoint.
pub fn is_checkpoint(document: &serde_json::Value) -> bool {
    CHECKPOINT.iter().any(|name| document["annotations"].get(name).is_some())
}

/// Docker writes `null` where it means nothing.
fn nullable<'de, D: serde::Deserializer<'de>, T: Deserialize<'de> + Default>(from: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(from)?.unwrap_or_default())
}

impl ImageConfig {
    pub fn parse(blob: &[u8]) -> Result<Self> {
        #[derive(Deserialize)]
        struct Whole {
            #[serde(default)]
            config: Option<ImageConfig>,
        }
        let whole: Whole = serde_json::from_slice(blob)
            .map_err(|e| Error::new(Kind::DataLoss, "the image's configuration is not valid JSON").with_quote(e))?;
        Ok(whole.config.unwrap_or_default())
    }
}
