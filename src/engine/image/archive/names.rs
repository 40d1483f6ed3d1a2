//! What an archive says is in it: `index.json` of an OCI image layout, `manifest.json` of docker. Parsed into bounded lists,
//! so that a small document cannot become a large one in memory (threats REG-25).

use std::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{Error as _, SeqAccess, Visitor},
};

use super::super::{
    manifest::{self, Descriptor, Platform},
    reference::Reference,
};
use crate::{
    bail,
    engine::content::Digest,
    error::{Error, Kind, Result},
};

/// Images of one archive, layers of one image, names of one image.
const MOST: usize = 1024;

/// One image that the archive names, or leaves nameless.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its manifest or index.
    pub target: Digest,
    pub names: Vec<Name>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Name {
    Whole(String),
    /// Without a repository.
    Tag(String),
}

/// An image as docker lists it: paths in the archive, and names.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Docker {
    pub config: String,
    #[serde(default, deserialize_with = "bounded")]
    pub repo_tags: Vec<String>,
    #[serde(deserialize_with = "bounded")]
    pub layers: Vec<String>,
}

/// `oci-layout` must be there and of the one version there is.
pub fn check_layout(document: &[u8]) -> Result<()> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Layout {
        image_layout_version: String,
    }
    let layout: Layout = parse("oci-layout", document)?;
    if layout.image_layout_version != "1.0.0" {
        let said: String = layout.image_layout_version.chars().take(40).collect();
        bail!(InvalidArgument, "oci-layout: image layout version {said:?} is not known, only 1.0.0 is");
    }
    Ok(())
}

/// The images of an OCI layout. Of several that have one name, the one for `host` is taken.
pub fn index(document: &[u8], host: &Platform) -> Result<Vec<Listed>> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Index {
        schema_version: u32,
        #[serde(deserialize_with = "bounded")]
        manifests: Vec<Entry>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Entry {
        #[serde(default)]
        media_type: String,
        digest: Digest,
        size: u64,
        #[serde(default)]
        platform: Option<Platform>,
        #[serde(default)]
        annotations: Option<Annotations>,
    }
    #[derive(Default, Deserialize)]
    struct Annotations {
        #[serde(default, rename = "io.containerd.image.name")]
        name: Option<String>,
        #[serde(default, rename = "org.opencontainers.image.ref.name")]
        reference: Option<String>,
    }
    let index: Index = parse("index.json", document)?;
    if index.schema_version != 2 {
        bail!(InvalidArgument, "index.json: schema version {} is not supported", index.schema_version);
    }
    let mut groups: Vec<(Option<Name>, Vec<Descriptor>)> = Vec::new();
    for entry in index.manifests {
        let said = entry.annotations.unwrap_or_default();
        let name = match (said.name, said.reference) {
            (Some(name), _) => Some(Name::Whole(name)),
            // What has none of these cannot be more than a tag; that is how containerd tells them apart.
            (None, Some(name)) if name.contains(['/', ':', '@']) => Some(Name::Whole(name)),
            (None, Some(tag)) if !tag.is_empty() => Some(Name::Tag(tag)),
            (None, _) => None,
        };
        let found = Descriptor {
            media_type: entry.media_type,
            digest: entry.digest,
            size: entry.size,
            platform: entry.platform,
            urls: None,
            annotations: None,
        };
        match groups.iter_mut().find(|(known, _)| name.is_some() && *known == name) {
            Some((_, all)) => all.push(found),
            None => groups.push((name, vec![found])),
        }
    }
    let mut listed: Vec<Listed> = Vec::new();
    for (name, entries) in groups {
        let target = match &entries[..] {
            [one] => &one.digest,
            several => &manifest::choose(several, host)?.digest,
        };
        match listed.iter_mut().find(|known| known.target == *target) {
            Some(known) => known.names.extend(name),
            None => listed.push(Listed { target: target.clone(), names: name.into_iter().collect() }),
        }
    }
    Ok(listed)
}

pub fn docker(document: &[u8]) -> Result<Vec<Docker>> {
    #[derive(Deserialize)]
    #[serde(transparent)]
    struct List(#[serde(deserialize_with = "bounded")] Vec<Docker>);
    parse::<List>("manifest.json", document).map(|list| list.0)
}

impl Listed {
    /// The references it will have. `base` is the repository of those that have none; none at all if there is neither.
    pub fn references(&self, base: Option<&str>) -> Result<Vec<Reference>> {
        let mut all = Vec::new();
        for name in &self.names {
            let text = match (name, base) {
                (Name::Whole(name), _) => name.clone(),
                (Name::Tag(tag), Some(base)) => format!("{base}:{tag}"),
                (Name::Tag(_), None) => continue,
            };
            let reference: Reference = text.parse()?;
            if reference.digest.as_ref().is_some_and(|d| *d != self.target) {
                bail!(DataLoss, "the archive gives the name {reference} to {}", self.target);
            }
            all.push(reference);
        }
        if let (true, Some(base)) = (self.names.is_empty(), base) {
            all.push(format!("{base}@{}", self.target).parse()?);
        }
        Ok(all)
    }
}

fn parse<'a, T: Deserialize<'a>>(what: &str, document: &'a [u8]) -> Result<T> {
    serde_json::from_slice(document).map_err(|e| {
        let kind = if e.to_string().contains(TOO_MANY) { Kind::ResourceExhausted } else { Kind::InvalidArgument };
        Error::new(kind, format!("{what} of the archive is not valid")).with_quote(e)
    })
}

const TOO_MANY: &str = "more entries than";

/// A list of at most [`MOST`], or `null`; more are not even read.
fn bounded<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<Vec<T>, D::Error> {
    struct Bounded<T>(PhantomData<T>);
    impl<'de, T: Deserialize<'de>> Visitor<'de> for Bounded<T> {
        type Value = Vec<T>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "a list of at most {MOST}")
        }

        fn visit_unit<E>(self) -> Result<Vec<T>, E> {
            Ok(Vec::new())
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Vec<T>, A::Error> {
            let mut all = Vec::new();
            while let Some(next) = from.next_element()? {
                if all.len() == MOST {
                    return Err(A::Error::custom(format!("{TOO_MANY} {MOST} in a list")));
                }
                all.push(next);
            }
            Ok(all)
        }
    }
    from.deserialize_any(Bounded(PhantomData))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn digest(c: char) -> String {
        format!("sha256:{}", c.to_string().repeat(64))
    }

    fn amd64() -> Platform {
        Platform { os: "linux".into(), architecture: "amd64".into(), variant: String::new() }
    }

    fn read(manifests: &serde_json::Value) -> Result<Vec<Listed>> {
        index(json!({ "schemaVersion": 2, "manifests": manifests }).to_string().as_bytes(), &amd64())
    }

    #[test]
    fn names_are_whole_or_tags_or_missing() {
        let named =
            |c: char, key: &str, name: &str| json!({ "digest": digest(c), "size": 1, "annotations": { key: name } });
        let (containerd, oci) = ("io.containerd.image.name", "org.opencontainers.image.ref.name");
        let listed = read(&json!([
            named('a', containerd, "busybox:1"),
            named('a', oci, "host.example/a:2"),
            named('b', oci, "latest"),
            { "digest": digest('c'), "size": 1 },
        ]))
        .unwrap();
        let names = |i: usize, base| -> Vec<String> {
            listed[i].references(base).unwrap().iter().map(ToString::to_string).collect()
        };
        assert_eq!(listed.len(), 3);
        assert_eq!(names(0, None), ["docker.io/library/busybox:1", "host.example/a:2"]);
        assert_eq!((names(1, None), names(2, None)), (vec![], vec![]));
        assert_eq!(names(1, Some("r.example/x")), ["r.example/x:latest"]);
        assert_eq!(names(2, Some("r.example/x")), [format!("r.example/x@{}", digest('c'))]);
    }

    #[test]
    fn of_one_name_for_many_platforms_ours_is_taken() {
        let entry = |c: char, architecture: &str| {
            json!({ "digest": digest(c), "size": 1, "platform": { "os": "linux", "architecture": architecture },
                "annotations": { "io.containerd.image.name": "h.example/x:1" } })
        };
        let listed = read(&json!([entry('a', "arm64"), entry('b', "amd64")])).unwrap();
        assert_eq!((listed.len(), listed[0].target.as_str()), (1, &*digest('b')));
        assert!(read(&json!([entry('a', "arm64"), entry('b', "s390x")])).unwrap_err().is(Kind::NotFound));
    }

    #[test]
    fn reg_25_lists_are_bounded_and_names_are_checked() {
        let many = vec![json!({ "digest": digest('a'), "size": 1 }); MOST + 1];
        let error = read(&json!(many)).unwrap_err();
        assert!(
            error.is(Kind::ResourceExhausted) && format!("{error:#}").contains("more entries than 1024"),
            "{error:#}"
        );
        let error =
            docker(format!("[{}]", vec![r#"{"Config":"","Layers":[]}"#; 2000].join(",")).as_bytes()).unwrap_err();
        assert!(error.is(Kind::ResourceExhausted), "{error:#}");
        let layers = vec!["\"\""; 2000].join(",");
        assert!(docker(format!(r#"[{{"Config":"","Layers":[{layers}]}}]"#).as_bytes()).is_err());
        assert!(docker(b"[{\"Config\":\"c\",\"RepoTags\":null,\"Layers\":[]}]").unwrap()[0].repo_tags.is_empty());
        for bad in ["{}", "[", "null", r#"[{"Config":"x"}]"#, r#"{"schemaVersion":2}"#] {
            assert!(docker(bad.as_bytes()).is_err() || bad == "null", "{bad}");
            assert!(index(bad.as_bytes(), &amd64()).is_err(), "{bad}");
        }
        for bad in ["h.example/\x1b[2Jx:1", "../../etc/x:1", "h.example/x:1\n"] {
            let listed = Listed { target: digest('a').parse().unwrap(), names: vec![Name::Whole(bad.into())] };
            let error = listed.references(None).unwrap_err();
            assert!(!format!("{error:#}").contains(['\x1b', '\n']), "{error:#}");
        }
        let liar = Listed {
            target: digest('a').parse().unwrap(),
            names: vec![Name::Whole(format!("h.example/x@{}", digest('b')))],
        };
        assert!(liar.references(None).unwrap_err().is(Kind::DataLoss));
        assert!(check_layout(br#"{"imageLayoutVersion":"1.0.0"}"#).is_ok());
        assert!(check_layout(br#"{"imageLayoutVersion":"2\u001b"}"#).is_err());
    }
}
