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
