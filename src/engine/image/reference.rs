//! Image references: what a user writes, made whole (`busybox` is `docker.io/library/busybox:latest`).
//!
//! Grammar: the distribution specification, "Pulling manifests", and the docker conventions everybody follows.

use std::{fmt, str::FromStr};

use crate::{
    bail,
    engine::content::Digest,
    error::{Error, Result},
};

/// Characters of a whole reference.
const LIMIT: usize = 512;

/// A normalised reference. It has a tag, a digest or both; with both the digest decides.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Reference {
    /// Host, with a port if one was given.
    pub registry: String,
    pub repository: String,
    pub tag: Option<String>,
    pub digest: Option<Digest>,
}

impl Reference {
    /// `registry/repository`.
    pub fn name(&self) -> String {
        format!("{}/{}", self.registry, self.repository)
    }

    /// What to ask the registry for: the digest if there is one.
    pub fn target(&self) -> &str {
        match (&self.digest, &self.tag) {
            (Some(digest), _) => digest.as_str(),
            (None, Some(tag)) => tag,
            (None, None) => "latest",
        }
    }

    /// The name an image is listed under: without its digest. `None` when only a digest was given.
    pub fn tagged(&self) -> Option<String> {
        self.tag.as_ref().map(|tag| format!("{}:{tag}", self.name()))
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name())?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        if let Some(digest) = &self.digest {
            write!(f, "@{digest}")?;
        }
        Ok(())
    }
}

impl FromStr for Reference {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let shown: String = text.chars().take(80).collect();
        let invalid =
            |why: &str| -> Result<Self> { bail!(InvalidArgument, "invalid image reference {shown:?}: {why}") };
        if text.is_empty() || text.len() > LIMIT {
            return invalid("it is empty or longer than 512 characters");
        }
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest.parse::<Digest>()?)),
            None => (text, None),
        };
        let (name, tag) = match rest.rsplit_once(':') {
            Some((name, tag)) if !tag.contains('/') => (name, Some(tag.to_owned())),
            _ => (rest, None),
        };
        if tag.as_deref().is_some_and(|t| !is_tag(t)) {
            return invalid("a tag is at most 128 letters, digits, '_', '.' and '-'");
        }
        let (registry, repository) = match name.split_once('/') {
            Some((first, rest)) if first.contains(['.', ':']) || first == "localhost" => (first, rest.to_owned()),
            Some(_) => ("docker.io", name.to_owned()),
            None => ("docker.io", format!("library/{name}")),
        };
        let registry = if registry == "index.docker.io" { "docker.io" } else { registry };
        if !is_host(registry) {
            return invalid("the registry is not a host name with an optional port");
        }
        if repository.len() > 255 || !repository.split('/').all(is_component) {
            return invalid("repository names are lower-case letters and digits, separated by '.', '_', '-' and '/'");
        }
        let tag = if tag.is_none() && digest.is_none() { Some("latest".to_owned()) } else { tag };
        Ok(Self { registry: registry.to_owned(), repository, tag, digest })
    }
}

fn is_tag(tag: &str) -> bool {
    let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    tag.len() <= 128 && tag.bytes().next().is_some_and(word) && tag.bytes().all(|b| word(b) || b == b'.' || b == b'-')
}

fn is_component(part: &str) -> bool {
    let alphanumeric = |b: Option<u8>| b.is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    alphanumeric(part.bytes().next())
        && alphanumeric(part.bytes().last())
        && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b))
        && !part.contains("..")
}

fn is_host(host: &str) -> bool {
    let (name, port) = match host.strip_prefix('[').and_then(|h| h.split_once(']')) {
        Some((address, rest)) => {
            if address.parse::<std::net::Ipv6Addr>().is_err() {
                return false;
            }
            ("v6", rest.strip_prefix(':').or_else(|| rest.is_empty().then_some("443")))
        }
        None => match host.split_once(':') {
            Some((name, port)) => (name, Some(port)),
            None => (host, Some("443")),
        },
    };
    let label = |l: &str| {
        !l.is_empty()
            && l.len() <= 63
            && !l.starts_with('-')
            && !l.ends_with('-')
            && l.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    port.is_some_and(|p| p.parse::<u16>().is_ok_and(|p| p > 0)) && name.len() <= 253 && name.split('.').all(label)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn short_names_are_made_whole() {
        for (written, whole) in [
            ("busybox", "docker.io/library/busybox:latest"),
            ("busybox:1.36", "docker.io/library/busybox:1.36"),
            ("team/app", "docker.io/team/app:latest"),
            ("localhost/app", "localhost/app:latest"),
            ("127.0.0.1:5000/a/b:c", "127.0.0.1:5000/a/b:c"),
            ("[::1]:5000/a", "[::1]:5000/a:latest"),
            ("index.docker.io/library/x", "docker.io/library/x:latest"),
        ] {
            assert_eq!(written.parse::<Reference>().unwrap().to_string(), whole);
        }
        let digest = format!("sha256:{}", "a".repeat(64));
        let pinned: Reference = format!("quay.example/x/y@{digest}").parse().unwrap();
        assert_eq!((pinned.tagged(), pinned.target()), (None, digest.as_str()));
    }

    #[test]
    fn reg_14_hostile_references_are_refused() {
        let long = "a".repeat(5000);
        for bad in [
            "",
            "a\x1b[31m",
            "a\nb",
            "../x",
            "a/../b",
            "host.x:99999/a",
            "a@",
            "A",
            "a:",
            "a:-x",
            "h.x:0/a",
            "ä",
            "a//b",
            &long,
        ] {
            let error = bad.parse::<Reference>().unwrap_err();
            assert!(!format!("{error:#}").contains(['\x1b', '\n']), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn reg_14_what_parses_prints_as_itself(text in "[a-z0-9.:/@_-]{1,60}") {
            if let Ok(reference) = text.parse::<Reference>() {
                prop_assert_eq!(reference.to_string().parse::<Reference>().unwrap(), reference);
            }
        }
    }
}
