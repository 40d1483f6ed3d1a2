//! Manifests and indexes (OCI image spec 1.1, docker schema 2): parsed strictly, bounded, never guessed.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::{
    bail,
    engine::content::Digest,
    error::{Error, Kind, Result},
};

/// Bytes of a manifest or index (docs/architecture.md, "Limits").
pub const MANIFEST_LIMIT: u64 = 4 << 20;
/// Entries of one index, layers of one image.
const ENTRIES: usize = 1024;

pub const ACCEPT: &str = "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, \
    application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.docker.distribution.manifest.v2+json";

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    #[serde(default)]
    pub media_type: String,
    pub digest: Digest,
    pub size: u64,
    #[serde(default)]
    pub platform: Option<Platform>,
    #[serde(default)]
    pub urls: Option<Vec<String>>,
    #[serde(default)]
    pub annotations: Option<BTreeMap<String, String>>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct Platform {
    #[serde(default)]
    pub os: String,
    #[serde(default)]
    pub architecture: String,
    #[serde(default)]
    pub variant: String,
}

impl Platform {
    /// This machine's, in Go's words.
    pub fn host() -> Self {
        let (architecture, variant) = match std::env::consts::ARCH {
            "x86_64" => ("amd64", amd64_level()),
            "aarch64" => ("arm64", "v8"),
            "arm" => ("arm", "v7"),
            "x86" => ("386", ""),
            "powerpc64" => ("ppc64le", ""),
            other => (other, ""),
        };
        Self { os: "linux".to_owned(), architecture: architecture.to_owned(), variant: variant.to_owned() }
    }

    /// How well `self` (an index entry) suits `host`: lower is better, `None` not at all. The nearest level that the machine
    /// can run; without one an entry is of its architecture's common level.
    fn rank(&self, host: &Self) -> Option<u32> {
        if self.os != host.os || self.architecture != host.architecture {
            return None;
        }
        let common = match host.architecture.as_str() {
            "arm64" => 8,
            "arm" => 7,
            _ => 1,
        };
        let level = |variant: &str| variant.trim_start_matches('v').parse::<u32>().ok();
        let ours = level(&host.variant).unwrap_or(common);
        match (level(&self.variant), self.variant.is_empty()) {
            (Some(theirs), _) => ours.checked_sub(theirs),
            (None, true) => Some(ours.saturating_sub(common)),
            // A variant nobody knows, such as a vendor's own.
            (None, false) => (self.variant == host.variant).then_some(0),
        }
    }
}

/// The level of the x86-64 psABI this processor has ("v1" is every one).
#[cfg(target_arch = "x86_64")]
fn amd64_level() -> &'static str {
    let two = is_x86_feature_detected!("sse4.2")
        && is_x86_feature_detected!("ssse3")
        && is_x86_feature_detected!("popcnt")
        && is_x86_feature_detected!("cmpxchg16b");
    let three = two
        && is_x86_feature_detected!("avx2")
        && is_x86_feature_detected!("bmi1")
        && is_x86_feature_detected!("bmi2")
        && is_x86_feature_detected!("fma")
        && is_x86_feature_detected!("f16c")
        && is_x86_feature_detected!("lzcnt")
        && is_x86_feature_detected!("movbe");
    let four = three
        && is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512cd")
        && is_x86_feature_detected!("avx512dq")
        && is_x86_feature_detected!("avx512vl");
    match (two, three, four) {
        (_, _, true) => "v4",
        (_, true, _) => "v3",
        (true, ..) => "v2",
        _ => "",
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn amd64_level() -> &'static str {
    ""
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Manifest {
    Image { config: Descriptor, layers: Vec<Descriptor> },
    Index(Vec<Descriptor>),
}

impl Manifest {
    /// `content_type` is the response's; a document that says otherwise, or that could be read in two ways, is refused
    /// (threats REG-11).
    pub fn parse(body: &[u8], content_type: &str) -> Result<Self> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Document {
            schema_version: u32,
            #[serde(default)]
            media_type: String,
            config: Option<Descriptor>,
            layers: Option<Vec<Descriptor>>,
            manifests: Option<Vec<Descriptor>>,
            #[serde(default)]
            fs_layers: Option<serde::de::IgnoredAny>,
        }
        let document: Document = serde_json::from_slice(body)
            .map_err(|e| Error::new(Kind::InvalidArgument, "the manifest is not valid").with_quote(e))?;
        let said = content_type.split(';').next().unwrap_or_default().trim();
        let generic = ["", "application/json", "application/octet-stream", "text/plain"].contains(&said);
        if !generic && !document.media_type.is_empty() && said != document.media_type {
            let types: String = format!("{said} and {}", document.media_type).chars().take(200).collect();
            bail!(InvalidArgument, "ambiguous manifest: it claims to be {types:?}");
        }
        if document.schema_version != 2 || document.fs_layers.is_some() {
            bail!(
                InvalidArgument,
                "manifest schema version {} is not supported: push the image again",
                document.schema_version
            );
        }
        match (document.config, document.layers, document.manifests) {
            (Some(config), Some(layers), None) => {
                if layers.len() > ENTRIES {
                    bail!(ResourceExhausted, "the image has {} layers, more than {ENTRIES}", layers.len());
                }
                Ok(Self::Image { config, layers })
            }
            (None, None, Some(entries)) => {
                if entries.len() > ENTRIES {
                    bail!(ResourceExhausted, "the index has {} entries, more than {ENTRIES}", entries.len());
                }
                Ok(Self::Index(entries))
            }
            _ => bail!(InvalidArgument, "ambiguous manifest: neither an image nor an index, or both"),
        }
    }
}

/// The entry for this machine.
pub fn choose<'a>(entries: &'a [Descriptor], host: &Platform) -> Result<&'a Descriptor> {
    let ranked = entries.iter().filter_map(|e| {
        let rank = e.platform.as_ref().map_or(Some(100), |p| p.rank(host))?;
        Some((rank, e))
    });
    if let Some((_, entry)) = ranked.min_by_key(|(rank, _)| *rank) {
        return Ok(entry);
    }
    let mut there: Vec<_> =
        entries.iter().filter_map(|e| e.platform.as_ref()).map(|p| format!("{}/{}", p.os, p.architecture)).collect();
    there.sort();
    there.dedup();
    let there: String = there.join(", ").chars().filter(|c| !c.is_control()).take(200).collect();
    bail!(NotFound, "the image has no manifest for {}/{}: it has {there}", host.os, host.architecture)
}

/// What the pull needs of an image's configuration (OCI image spec, config.md).
#[derive(Debug, Clone, Deserialize)]
pub struct RootFs {
    #[serde(default)]
    pub os: String,
    #[serde(default)]
    pub architecture: String,
    rootfs: DiffIds,
}

#[derive(Debug, Clone, Deserialize)]
struct DiffIds {
    diff_ids: Vec<Digest>,
}

impl RootFs {
    pub fn parse(config: &[u8], layers: usize) -> Result<Self> {
        let parsed: Self = serde_json::from_slice(config).map_err(|e| {
            Error::new(Kind::InvalidArgument, "the configuration is not that of a container image").with_quote(e)
        })?;
        let (host, ids) = (Platform::host(), parsed.rootfs.diff_ids.len());
        if ids != layers {
            bail!(InvalidArgument, "mismatched image: {layers} layers, but {ids} diff_ids in its configuration");
        }
        let other = |said: &str, ours: &str| !said.is_empty() && said != ours;
        if other(&parsed.os, &host.os) || other(&parsed.architecture, &host.architecture) {
            let said: String = format!("{}/{}", parsed.os, parsed.architecture).chars().take(60).collect();
            bail!(FailedPrecondition, "the image is for {said:?}, this machine is {}/{}", host.os, host.architecture);
        }
        Ok(parsed)
    }

    pub fn diff_ids(&self) -> &[Digest] {
        &self.rootfs.diff_ids
    }

    /// The chain ID of every layer (OCI image spec, config.md, "Layer ChainID").
    pub fn chain_ids(&self) -> Vec<Digest> {
        let mut chain: Vec<Digest> = Vec::with_capacity(self.rootfs.diff_ids.len());
        for diff in &self.rootfs.diff_ids {
            let next = match chain.last() {
                None => diff.clone(),
                Some(parent) => Digest::of(format!("{parent} {diff}").as_bytes()),
            };
            chain.push(next);
        }
        chain
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(c: char) -> String {
        format!("sha256:{}", c.to_string().repeat(64))
    }

    #[test]
    fn reg_11_ambiguous_documents_are_refused() {
        let d = format!(r#"{{"digest":"{}","size":1}}"#, digest('a'));
        let image = format!(r#"{{"schemaVersion":2,"mediaType":"x","config":{d},"layers":[{d}]}}"#);
        assert!(matches!(Manifest::parse(image.as_bytes(), "x").unwrap(), Manifest::Image { .. }));
        assert!(Manifest::parse(image.as_bytes(), "y").is_err());
        let both = format!(r#"{{"schemaVersion":2,"config":{d},"layers":[{d}],"manifests":[{d}]}}"#);
        assert!(Manifest::parse(both.as_bytes(), "").unwrap_err().to_string().contains("ambiguous"));
        assert!(Manifest::parse(br#"{"schemaVersion":1,"fsLayers":[]}"#, "").is_err());
        let many = format!(r#"{{"schemaVersion":2,"manifests":[{}]}}"#, vec![d; 1025].join(","));
        assert!(Manifest::parse(many.as_bytes(), "").unwrap_err().is(Kind::ResourceExhausted));
    }

    #[test]
    fn the_platform_nearest_to_ours_is_chosen() {
        let entry = |c: char, os: &str, architecture: &str, variant: &str| Descriptor {
            media_type: String::new(),
            digest: digest(c).parse().unwrap(),
            size: 1,
            platform: Some(Platform { os: os.into(), architecture: architecture.into(), variant: variant.into() }),
            urls: None,
            annotations: None,
        };
        let arm = Platform { os: "linux".into(), architecture: "arm".into(), variant: "v7".into() };
        let all =
            [entry('a', "windows", "arm", "v7"), entry('b', "linux", "arm", "v6"), entry('c', "linux", "arm", "v5")];
        assert_eq!(choose(&all, &arm).unwrap().digest, all[1].digest);
        let amd =
            |variant: &str| Platform { os: "linux".into(), architecture: "amd64".into(), variant: variant.into() };
        let levels = ["v4", "", "v2", "v3", "odd"].iter().zip('a'..).map(|(v, c)| entry(c, "linux", "amd64", v));
        let levels: Vec<Descriptor> = levels.collect();
        for (ours, chosen) in [("v4", 0), ("v3", 3), ("v2", 2), ("", 1), ("v9", 0)] {
            assert_eq!(choose(&levels, &amd(ours)).unwrap().digest, levels[chosen].digest, "{ours}");
        }
        assert!(Platform::host().rank(&Platform::host()).is_some());
        let error = choose(&all[..1], &arm).unwrap_err();
        assert!(error.is(Kind::NotFound) && error.to_string().contains("windows/arm"), "{error:#}");
    }

    #[test]
    fn reg_20_a_configuration_that_lies_is_refused() {
        let config = |n: usize, arch: &str| {
            let ids = vec![format!("\"{}\"", digest('b')); n].join(",");
            format!(r#"{{"os":"linux","architecture":"{arch}","rootfs":{{"type":"layers","diff_ids":[{ids}]}}}}"#)
        };
        let host = Platform::host().architecture;
        assert!(RootFs::parse(config(1, &host).as_bytes(), 2).unwrap_err().to_string().contains("mismatched"));
        assert!(RootFs::parse(config(1, "s390").as_bytes(), 1).is_err());
        let chain = RootFs::parse(config(2, &host).as_bytes(), 2).unwrap().chain_ids();
        assert_eq!(chain[0].as_str(), digest('b'));
        assert_eq!(chain[1], Digest::of(format!("{0} {0}", digest('b')).as_bytes()));
    }
}
